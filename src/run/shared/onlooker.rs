//! Runs in a database, looked at and nothing else.
//!
//! An [`Onlooker`] has one connection, which the database itself keeps from writing, for whoever wants to know
//! something of its runs. Once in a while one question says how far every journal has come; only a journal that has
//! grown is read. So a list of thousands of runs, and any number of pages, cost the database the same. When it is
//! away, everybody is told so, and one connection after the other is tried.

use super::address::Address;
use super::error::SharedError;
use super::journal::entries;
use super::session::Session;
use crate::run::error::RunError;
use crate::run::files::Files;
use crate::run::follow::{News, Source};
use crate::run::summary::RecordedRun;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How old what is known of the runs may be.
const FRESH: Duration = Duration::from_millis(200);

/// How long a database that is away, or that strata has never used, is left in peace.
const PAUSE: Duration = Duration::from_secs(1);

/// The most lines of a journal that are read at once.
const MOST_LINES: i64 = 1_000;

/// How far a run has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Progress {
    /// When it was made, in microseconds since 1970: another run of the same name was made at another time.
    pub made: i64,
    /// How many lines its journal has.
    pub lines: u64,
}

/// Whoever looks at a database's runs.
#[derive(Clone)]
pub struct Onlooker(Arc<Mutex<Sight>>);

impl Onlooker {
    /// Looks at the runs of a database, or at the one that the address names, for the first time.
    ///
    /// # Errors
    /// When it can't be reached, or its tables are newer than this strata.
    pub fn open(address: Address) -> Result<Self, SharedError> {
        let mut sight = Sight {
            session: Session::open_to_read(&address)?,
            address,
            runs: BTreeMap::new(),
            due: Instant::now(),
            away: None,
        };
        sight.look()?;
        Ok(Self(Arc::new(Mutex::new(sight))))
    }

    /// The names of the runs, in order.
    ///
    /// # Errors
    /// When the database refuses or is away.
    pub fn names(&self) -> Result<Vec<String>, SharedError> {
        let mut sight = self.sight();
        sight.look()?;
        Ok(sight.runs.keys().cloned().collect())
    }

    /// The journal of a run from its beginning, if the run was there when the database was last looked at.
    pub fn journal(&self, run: &str) -> Option<JournalTable> {
        let known = self.sight().runs.contains_key(run);
        known.then(|| JournalTable {
            onlooker: self.clone(),
            run: run.to_owned(),
            made: None,
            next: 0,
        })
    }

    fn sight(&self) -> MutexGuard<'_, Sight> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Sight {
    address: Address,
    session: Option<Session>,
    runs: BTreeMap<String, Progress>,
    /// When there is to be another look.
    due: Instant,
    /// Why the database can't be asked before that.
    away: Option<String>,
}

impl Sight {
    /// Looks how far the runs have come, unless that is known well enough.
    fn look(&mut self) -> Result<(), SharedError> {
        if Instant::now() < self.due {
            return match &self.away {
                Some(message) => Err(SharedError::Away(message.clone())),
                None => Ok(()),
            };
        }
        let only = self.address.run().map(ToOwned::to_owned);
        let seen = self.ask(|session| session.run("").progress(only.as_deref()))?;
        self.due = Instant::now() + if seen.is_some() { FRESH } else { PAUSE };
        self.runs = seen.unwrap_or_default();
        Ok(())
    }

    /// Asks the database; nothing if strata has no tables there. A connection that broke since the last question is
    /// replaced once.
    fn ask<T>(
        &mut self,
        question: impl Fn(&mut Session) -> Result<T, SharedError>,
    ) -> Result<Option<T>, SharedError> {
        if let Some(session) = &mut self.session {
            match question(session) {
                Err(error) if error.is_passing() => self.session = None,
                answer => return answer.map(Some),
            }
        }
        let mut again = || {
            self.session = Session::open_to_read(&self.address)?;
            self.session.as_mut().map(&question).transpose()
        };
        let answer = again();
        self.away = None;
        match answer {
            Err(error) if error.is_passing() => {
                let message = error.to_string();
                self.session = None;
                self.away = Some(message.clone());
                self.due = Instant::now() + PAUSE;
                Err(SharedError::Away(message))
            }
            answer => answer,
        }
    }
}

/// A run's journal in a database.
#[derive(Clone)]
pub struct JournalTable {
    onlooker: Onlooker,
    run: String,
    /// Which run of this name is read.
    made: Option<i64>,
    next: u64,
}

impl JournalTable {
    fn gone(&self, sight: &Sight) -> RunError {
        RunError::Shared(SharedError::NoRun {
            run: self.run.clone(),
            known: sight.runs.keys().cloned().collect(),
        })
    }
}

impl Source for JournalTable {
    fn more(&mut self) -> Result<News, RunError> {
        let mut sight = self.onlooker.sight();
        sight.look()?;
        let Some(&Progress { made, lines }) = sight.runs.get(&self.run) else {
            return Err(self.gone(&sight));
        };
        if self.made.is_some_and(|known| known != made) {
            drop(sight);
            (self.made, self.next) = (None, 0);
            return Ok(News::Restarted);
        }
        self.made = Some(made);
        // What was read may be newer than the last look.
        if lines <= self.next {
            return Ok(News::Entries(Vec::new()));
        }
        let (run, next) = (&self.run, self.next);
        let lines = sight.ask(|session| session.run(run).lines_of(made, next, MOST_LINES))?;
        drop(sight);
        let entries = entries(run, next, &lines.unwrap_or_default())?;
        self.next += entries.len() as u64;
        Ok(News::Entries(entries))
    }

    fn run(&self) -> Result<RecordedRun, RunError> {
        let mut sight = self.onlooker.sight();
        sight.look()?;
        let held = sight.ask(|session| {
            let mut run = session.run(&self.run);
            Ok((run.files()?, run.lines(0)?))
        })?;
        let Some((mut files, lines)) = held.filter(|(_, lines)| !lines.is_empty()) else {
            return Err(self.gone(&sight));
        };
        drop(sight);
        let journal = lines.iter().flat_map(|line| [line.as_bytes(), b"\n"]);
        let journal = (
            crate::run::journal::FILE_NAME.to_owned(),
            journal.collect::<Vec<_>>().concat(),
        );
        files.push(journal);
        let folder = Path::new(&self.run);
        RecordedRun::open_on(Files::held(folder, files), folder)
    }
}

#[cfg(test)]
mod tests {
    use super::super::postgresql::{PASSWORD, Postgresql};
    use super::super::{LeaseTerms, Program, Secret, Surroundings};
    use super::*;
    use crate::run::journal::contract::records;
    use crate::run::journal::{Entry, line_of};

    fn make(server: &Postgresql, run: &str) {
        let program = Program::here("a test".to_owned());
        let mut session = server.session();
        let mut runs = session.run(run);
        runs.create(&program, LeaseTerms::default(), &[], None)
            .unwrap();
    }

    fn drop_run(server: &Postgresql, run: &str) {
        let delete = "DELETE FROM strata.run WHERE name = $1";
        server.client().execute(delete, &[&run]).unwrap();
    }

    fn write(server: &Postgresql, run: &str, numbers: std::ops::Range<usize>) {
        let mut session = server.session();
        for number in numbers {
            let record = records()[number].clone();
            let line = line_of(&Entry::new(number as u64, number as f64, 0.0, record));
            let held = session.run(run).append(number as u64, line.trim_end());
            assert_eq!(held.unwrap(), None);
        }
    }

    /// Looks at once, however little time has passed.
    fn more(journal: &mut JournalTable) -> Result<News, RunError> {
        journal.onlooker.sight().due = Instant::now();
        journal.more()
    }

    fn seen(journal: &mut JournalTable) -> Vec<u64> {
        match more(journal).unwrap() {
            News::Entries(entries) => entries.iter().map(|entry| entry.seq).collect(),
            News::Restarted => panic!("restarted"),
        }
    }

    #[test]
    fn what_was_appended_is_read_once_and_another_run_of_the_same_name_is_noticed() {
        let Some(server) = Postgresql::shared() else {
            return;
        };
        let run = "watched";
        make(&server, run);
        write(&server, run, 0..2);
        let onlooker = Onlooker::open(server.address(run)).unwrap();
        assert_eq!(
            onlooker.names().unwrap(),
            [run],
            "only what the address names"
        );
        assert!(onlooker.journal("../watched").is_none());
        let mut journal = onlooker.journal(run).unwrap();
        assert_eq!(seen(&mut journal), [0, 1]);
        assert!(seen(&mut journal).is_empty());
        write(&server, run, 2..3);
        assert_eq!(seen(&mut journal), [2]);
        write(&server, run, 3..4);
        journal.onlooker.sight().due = Instant::now();
        onlooker.names().unwrap();
        journal.onlooker.sight().due = Instant::now() + Duration::from_secs(3600);
        write(&server, run, 4..5);
        let entries = |news: News| match news {
            News::Entries(entries) => entries.len(),
            News::Restarted => panic!("restarted"),
        };
        assert_eq!(entries(journal.more().unwrap()), 2, "newer than the look");
        assert_eq!(entries(journal.more().unwrap()), 0);
        assert!(seen(&mut journal).is_empty());
        drop_run(&server, run);
        let gone = more(&mut journal).unwrap_err().to_string();
        assert!(gone.contains("no run `watched`"), "{gone}");
        assert!(onlooker.journal(run).is_none());
        make(&server, run);
        write(&server, run, 0..4);
        assert_eq!(more(&mut journal).unwrap(), News::Restarted);
        assert_eq!(seen(&mut journal), [0, 1, 2, 3]);
    }

    #[test]
    fn whoever_looks_needs_no_right_to_write_and_has_none() {
        let Some(server) = Postgresql::shared() else {
            return;
        };
        make(&server, "viewed");
        let grants = format!(
            "DROP ROLE IF EXISTS viewer; CREATE ROLE viewer LOGIN PASSWORD '{PASSWORD}';
             GRANT USAGE ON SCHEMA strata TO viewer;
             GRANT SELECT ON ALL TABLES IN SCHEMA strata TO viewer;"
        );
        server.client().batch_execute(&grants).unwrap();
        let url = server.url("viewed").replace("strata@", "viewer@");
        let surroundings = Surroundings {
            password: Some(Secret::new(PASSWORD)),
            ..Surroundings::default()
        };
        let viewer = Address::parse(&Secret::new(url), &surroundings).unwrap();
        assert_eq!(Onlooker::open(viewer).unwrap().names().unwrap(), ["viewed"]);
        let mut session = Session::open_to_read(&server.address("viewed"))
            .unwrap()
            .unwrap();
        let refused = session.run("viewed").append(0, "{}").unwrap_err();
        assert!(refused.to_string().contains("read-only"), "{refused}");
    }
}
