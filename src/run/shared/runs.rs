//! Runs in a database: what one is made from, and what a process must be to take part in it.

use super::error::SharedError;
use super::executor::LAST_PLACES;
use super::onlooker::Progress;
use super::session::Session;
use crate::run::manifest;
use crate::run::record::Started;
use crate::run::wire;
use std::collections::BTreeMap;
use std::time::Duration;

/// The most runs that are listed with how far they have come.
const MOST_RUNS: i64 = 5_000;

/// The program that takes part in a run: the last bits of results depend on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// SHA-256 of the program in hexadecimal.
    pub build: String,
    /// The processor's instructions that it uses.
    pub instructions: String,
    /// The version of assignments and results.
    pub protocol: i32,
}

impl Program {
    /// This program, whose hash is `build`.
    pub fn here(build: String) -> Self {
        Self {
            build,
            instructions: crate::kernels::path().to_owned(),
            protocol: i32::try_from(wire::PROTOCOL).unwrap_or(i32::MAX),
        }
    }

    /// Compares the program with the one that a run was started by. With `mixed`, builds and instructions
    /// may differ.
    pub(super) fn check(&self, then: &Self, run: &str, mixed: bool) -> Result<(), SharedError> {
        let mismatch = |what, here: &dyn ToString, there: &dyn ToString, remedy| {
            Err(SharedError::Mismatch {
                run: run.to_owned(),
                what,
                here: here.to_string(),
                there: there.to_string(),
                remedy,
            })
        };
        let bits = "results may differ in their last bits: use the same everywhere, or allow it with \
                    `--mixed`";
        if self.protocol != then.protocol {
            let what = "the version of messages";
            return mismatch(what, &self.protocol, &then.protocol, SAME);
        }
        if mixed {
            return Ok(());
        }
        if self.build != then.build {
            return mismatch("the program (SHA-256)", &self.build, &then.build, bits);
        }
        if self.instructions != then.instructions {
            let what = "the processor's instructions in use";
            return mismatch(what, &self.instructions, &then.instructions, bits);
        }
        Ok(())
    }
}

const SAME: &str = "use the same strata everywhere";

/// Compares this process with what a run was started with.
pub(super) fn check_versions(started: &Started, run: &str) -> Result<(), SharedError> {
    let pairs = [
        ("the version of strata", manifest::STRATA, &started.strata),
        ("the version of burn", manifest::BURN, &started.burn),
    ];
    match pairs.into_iter().find(|(_, here, there)| here != there) {
        None => Ok(()),
        Some((what, here, there)) => Err(SharedError::Mismatch {
            run: run.to_owned(),
            what,
            here: here.to_owned(),
            there: there.clone(),
            remedy: SAME,
        }),
    }
}

/// How a run deals with workers that go silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaseTerms {
    /// For how long work is given, unless its worker says that it lives.
    pub length: Duration,
    /// So many lost workers make a piece of work fail for good.
    pub losses: u32,
}

impl Default for LeaseTerms {
    fn default() -> Self {
        Self {
            length: Duration::from_secs(60),
            losses: 3,
        }
    }
}

/// A run as a process finds it.
#[derive(Clone, Debug)]
pub struct Found {
    /// The program that started it.
    pub program: Program,
    /// How it deals with workers that go silent.
    pub terms: LeaseTerms,
    /// Whether it is over.
    pub ended: bool,
}

/// One run, over a connection.
pub struct Runs<'a> {
    session: &'a mut Session,
    run: &'a str,
}

impl<'a> Runs<'a> {
    pub(super) fn of(session: &'a mut Session, run: &'a str) -> Self {
        Self { session, run }
    }

    /// The run, if there is one.
    ///
    /// # Errors
    /// When the database refuses or is gone.
    pub fn find(&mut self) -> Result<Option<Found>, SharedError> {
        let row = self.session.row("find the run", FIND, &[&self.run])?;
        Ok(row.map(|row| Found {
            program: Program {
                build: row.get(0),
                instructions: row.get(1),
                protocol: row.get(2),
            },
            terms: LeaseTerms {
                length: Duration::from_millis(u64::try_from(row.get::<_, i32>(3)).unwrap_or(0)),
                losses: u32::try_from(row.get::<_, i32>(4)).unwrap_or(0),
            },
            ended: row.get(5),
        }))
    }

    /// The names of all runs.
    ///
    /// # Errors
    /// When the database refuses or is gone.
    pub fn names(&mut self) -> Result<Vec<String>, SharedError> {
        let rows = self.session.rows("list the runs", NAMES, &[])?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    /// Makes the run with its texts and the first line of its journal, whole or not at all. Nothing happens if there is
    /// one of this name already: it was another's.
    ///
    /// # Errors
    /// When the database refuses or is gone.
    pub fn create(
        &mut self,
        program: &Program,
        terms: LeaseTerms,
        files: &[(String, Vec<u8>)],
        first: Option<&str>,
    ) -> Result<(), SharedError> {
        let lease = i32::try_from(terms.length.as_millis()).unwrap_or(i32::MAX);
        let losses = i32::try_from(terms.losses).unwrap_or(i32::MAX);
        let paths: Vec<&str> = files.iter().map(|(path, _)| path.as_str()).collect();
        let contents: Vec<&[u8]> = files
            .iter()
            .map(|(_, content)| content.as_slice())
            .collect();
        let given: super::session::Given<'_> = &[
            &self.run,
            &program.build,
            &program.instructions,
            &program.protocol,
            &lease,
            &losses,
            &paths,
            &contents,
            &first,
        ];
        self.session.rows("make the run", CREATE, given)?;
        Ok(())
    }

    /// The texts that the run is made from, by their paths in a run folder.
    ///
    /// # Errors
    /// When the database refuses or is gone.
    pub fn files(&mut self) -> Result<Vec<(String, Vec<u8>)>, SharedError> {
        let rows = self
            .session
            .rows("read the run's texts", FILES, &[&self.run])?;
        Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
    }

    /// The journal's lines from a number on.
    ///
    /// # Errors
    /// When one is missing, or the database refuses or is gone.
    pub fn lines(&mut self, from: u64) -> Result<Vec<String>, SharedError> {
        let from = i64::try_from(from).unwrap_or(i64::MAX);
        let rows = self
            .session
            .rows("read the journal", LINES, &[&self.run, &from])?;
        self.without_gaps(&rows, from)
    }

    /// As [`lines`](Self::lines), of the run that was made at a time ([`Progress::made`]): none if it is another by
    /// now; at most so many.
    ///
    /// # Errors
    /// As [`lines`](Self::lines).
    pub(super) fn lines_of(
        &mut self,
        made: i64,
        from: u64,
        most: i64,
    ) -> Result<Vec<String>, SharedError> {
        let from = i64::try_from(from).unwrap_or(i64::MAX);
        let given: super::session::Given<'_> = &[&self.run, &made, &from, &most];
        let rows = self.session.rows("read the journal", LINES_OF, given)?;
        self.without_gaps(&rows, from)
    }

    fn without_gaps(&self, rows: &[postgres::Row], from: i64) -> Result<Vec<String>, SharedError> {
        let mut lines = Vec::with_capacity(rows.len());
        for (row, due) in rows.iter().zip(from..) {
            let seq: i64 = row.get(0);
            if seq != due {
                return Err(SharedError::Damaged {
                    run: self.run.to_owned(),
                    what: format!("record {due}"),
                    message: "it is missing, and later ones are there".to_owned(),
                });
            }
            lines.push(row.get(1));
        }
        Ok(lines)
    }

    /// How far the runs have come, the newest ones if there are too many, or the one of this name.
    ///
    /// # Errors
    /// When the database refuses or is gone.
    pub(super) fn progress(
        &mut self,
        only: Option<&str>,
    ) -> Result<BTreeMap<String, Progress>, SharedError> {
        let given: super::session::Given<'_> = &[&only, &MOST_RUNS];
        let rows = self.session.rows("list the runs", PROGRESS, given)?;
        let progress = rows.iter().map(|row| {
            let lines = u64::try_from(row.get::<_, i64>(2)).unwrap_or_default();
            let made = row.get(1);
            (row.get(0), Progress { made, lines })
        });
        Ok(progress.collect())
    }

    /// The journal's first line, if there is one: what the run was started with.
    ///
    /// # Errors
    /// When the database refuses or is gone.
    pub fn first_line(&mut self) -> Result<Vec<String>, SharedError> {
        let row = self
            .session
            .row("read the journal", LINE, &[&self.run, &0_i64])?;
        Ok(row.iter().map(|row| row.get(0)).collect())
    }

    /// Writes a line of the journal, unless there is one with its number: that one is returned then.
    ///
    /// # Errors
    /// When the one before it is missing, or the database refuses or is gone.
    pub fn append(&mut self, seq: u64, line: &str) -> Result<Option<String>, SharedError> {
        let number = i64::try_from(seq).unwrap_or(i64::MAX);
        let given: super::session::Given<'_> = &[&self.run, &number, &line];
        let written = self.session.row("write the journal", APPEND, given)?;
        if written.is_some() {
            return Ok(None);
        }
        let held = self
            .session
            .row("read the journal", LINE, &[&self.run, &number])?;
        match held {
            Some(row) => Ok(Some(row.get(0))),
            None => Err(SharedError::Damaged {
                run: self.run.to_owned(),
                what: format!("record {seq}"),
                message: "the one before it is missing".to_owned(),
            }),
        }
    }

    /// Marks the run as not over, for a search that is extended. Work that nobody finished is dropped, to be
    /// submitted again, and so are the retrainings: others may come in their place.
    ///
    /// # Errors
    /// When the database refuses or is gone.
    pub fn reopen(&mut self) -> Result<(), SharedError> {
        let given: super::session::Given<'_> = &[&self.run, &LAST_PLACES];
        self.session.rows("extend the run", REOPEN, given)?;
        Ok(())
    }

    /// Marks the run as over: workers need not wait for more. Results stay, for a controller that is behind;
    /// what nobody began is dropped, and so is what workers were told.
    ///
    /// # Errors
    /// When the database refuses or is gone.
    pub fn end(&mut self) -> Result<(), SharedError> {
        self.session.rows("end the run", END, &[&self.run])?;
        Ok(())
    }
}

const REOPEN: &str = "
    WITH reopened AS (
        UPDATE strata.run SET ended_at = NULL WHERE name = $1
    )
    DELETE FROM strata.work
    WHERE run = $1 AND (state <> 'done' OR place >= $2)";

const FIND: &str = "
    SELECT build, instructions, protocol, lease_ms, losses, ended_at IS NOT NULL
    FROM strata.run WHERE name = $1";

const NAMES: &str = "SELECT name FROM strata.run ORDER BY created_at, name";

const CREATE: &str = "
    WITH made AS (
        INSERT INTO strata.run (name, build, instructions, protocol, lease_ms, losses)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT DO NOTHING
        RETURNING name
    ), texts AS (
        INSERT INTO strata.file (run, path, content)
        SELECT made.name, text.path, text.content
        FROM made, unnest($7::text[], $8::bytea[]) AS text (path, content)
    )
    INSERT INTO strata.record (run, seq, line) SELECT name, 0, $9::text FROM made WHERE $9 IS NOT NULL";

const FILES: &str = "SELECT path, content FROM strata.file WHERE run = $1 ORDER BY path";

const LINES: &str = "
    SELECT seq, line FROM strata.record WHERE run = $1 AND seq >= $2 ORDER BY seq";

const LINES_OF: &str = "
    SELECT seq, line FROM strata.record
    WHERE run = $1 AND seq >= $3 AND EXISTS (
        SELECT FROM strata.run
        WHERE name = $1 AND (extract(epoch FROM created_at) * 1000000)::bigint = $2)
    ORDER BY seq LIMIT $4";

/// The last number of each journal is the end of an index: nothing is counted.
const PROGRESS: &str = "
    SELECT name, (extract(epoch FROM created_at) * 1000000)::bigint,
           coalesce((SELECT max(seq) FROM strata.record WHERE record.run = held.name), -1) + 1
    FROM strata.run AS held
    WHERE $1::text IS NULL OR name = $1
    ORDER BY created_at DESC, name LIMIT $2";

const LINE: &str = "SELECT line FROM strata.record WHERE run = $1 AND seq = $2";

/// Only the next record can be written: a gap would be damage.
const APPEND: &str = "
    INSERT INTO strata.record (run, seq, line)
    SELECT $1::text, $2::bigint, $3::text
    WHERE $2 = 0 OR EXISTS (SELECT FROM strata.record WHERE run = $1 AND seq = $2::bigint - 1)
    ON CONFLICT DO NOTHING
    RETURNING seq";

const END: &str = "
    WITH ended AS (
        UPDATE strata.run SET ended_at = coalesce(ended_at, clock_timestamp()) WHERE name = $1
    ), cut AS (
        DELETE FROM strata.work WHERE run = $1 AND state = 'waiting'
    )
    UPDATE strata.work SET assignment = '' WHERE run = $1 AND assignment <> ''";
