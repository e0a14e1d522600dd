//! The journal in a database, with a copy in the run folder.
//!
//! A record counts once its line is in the database; then it is added to the folder's file, so that
//! whatever reads run folders reads this run too. Two processes may write one journal: what they write
//! follows from what is written already, so the second to come finds its own record there, and takes the
//! first one's times.

use super::error::SharedError;
use super::session::Database;
use crate::run::error::RunError;
use crate::run::journal::{Entry, FileJournal, Journal, happened_alike, line_of, parse_line};
use crate::run::record::Record;
use std::fmt;
use std::path::Path;

/// The journal of a run in a database.
pub(in crate::run) struct SharedJournal<'a> {
    database: Database<'a>,
    run: String,
    copy: FileJournal,
    next: u64,
}

impl<'a> SharedJournal<'a> {
    /// Takes the journal of a run, and brings the folder's copy up to it.
    ///
    /// # Errors
    /// When the copy is not the beginning of what the database holds, or something can't be read or written.
    pub fn open(
        mut database: Database<'a>,
        run: &str,
        (mut copy, copied): (FileJournal, Vec<Entry>),
    ) -> Result<(Self, Vec<Entry>), RunError> {
        let lines = database.ask(|session| session.run(run).lines(0))?;
        let entries = entries(run, 0, &lines)?;
        let begins = copied.len() <= entries.len() && copied == entries[..copied.len()];
        if !begins {
            return Err(RunError::Shared(SharedError::Damaged {
                run: run.to_owned(),
                what: "the copy in the run folder".to_owned(),
                message:
                    "it holds other records than the database: it is another run's; move it away"
                        .to_owned(),
            }));
        }
        for entry in &entries[copied.len()..] {
            copy.add(entry.record.clone(), entry.at, entry.seconds)?;
        }
        copy.commit()?;
        let journal = Self {
            database,
            run: run.to_owned(),
            copy,
            next: entries.len() as u64,
        };
        Ok((journal, entries))
    }
}

/// The entries of a journal's lines, the first of which has the number `from`.
pub(super) fn entries(run: &str, from: u64, lines: &[String]) -> Result<Vec<Entry>, RunError> {
    let parse = |(index, line): (u64, &String)| entry(run, index, line);
    (from..).zip(lines).map(parse).collect()
}

fn entry(run: &str, index: u64, line: &str) -> Result<Entry, RunError> {
    parse_line(
        Path::new(&format!("the journal of `{run}`")),
        index,
        line.as_bytes(),
    )
}

impl fmt::Debug for SharedJournal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("SharedJournal");
        shown.field("run", &self.run).field("next", &self.next);
        shown.finish_non_exhaustive()
    }
}

impl Journal for SharedJournal<'_> {
    /// In the database each record is safe by itself; the copy in the folder is made safe with others.
    fn add(&mut self, record: Record, at: f64, seconds: f64) -> Result<Entry, RunError> {
        let seq = self.next;
        let mut entry = Entry::new(seq, at, seconds, record);
        let line = line_of(&entry);
        let line = line.trim_end();
        let run = &self.run;
        let held = self
            .database
            .ask(|session| session.run(run).append(seq, line))?;
        if let Some(held) = held {
            let held = self::entry(run, seq, &held)?;
            // What was written down has been read back; what is compared with it has to be, too.
            if !happened_alike(&held, &self::entry(run, seq, line)?) {
                let run = run.clone();
                return Err(RunError::Shared(SharedError::Overtaken { run, seq }));
            }
            entry = held;
        }
        let copied = self.copy.add(entry.record, entry.at, entry.seconds)?;
        self.next += 1;
        Ok(copied)
    }

    fn commit(&mut self) -> Result<(), RunError> {
        self.copy.commit()
    }

    fn entries(&mut self) -> Result<Vec<Entry>, RunError> {
        let run = &self.run;
        let lines = self.database.ask(|session| session.run(run).lines(0))?;
        entries(run, 0, &lines)
    }
}

#[cfg(test)]
mod tests {
    use super::super::postgresql::Postgresql;
    use super::super::{Address, LeaseTerms, Program};
    use super::*;
    use crate::run::journal::contract::{Home, check, records};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
    use std::time::Duration;

    static STOP: AtomicBool = AtomicBool::new(false);
    static RUNS: AtomicU32 = AtomicU32::new(0);

    /// A run in a database, and its copy in a folder.
    struct InDatabase {
        _server: Arc<Postgresql>,
        address: Address,
        run: String,
        copy: tempfile::TempDir,
    }

    impl InDatabase {
        fn new(server: Arc<Postgresql>) -> Self {
            let run = format!("contract-{}", RUNS.fetch_add(1, Ordering::Relaxed));
            Self {
                address: server.address(&run),
                _server: server,
                run,
                copy: tempfile::tempdir().unwrap(),
            }
        }

        fn database(&self) -> Database<'static> {
            Database::new(self.address.clone(), Duration::ZERO, &STOP)
        }

        fn open(&self, copy: (FileJournal, Vec<Entry>)) -> (SharedJournal<'static>, Vec<Entry>) {
            SharedJournal::open(self.database(), &self.run, copy).unwrap()
        }

        fn make(&self) {
            let program = Program::here("a test".to_owned());
            let create = |session: &mut super::super::Session| {
                session
                    .run(&self.run)
                    .create(&program, LeaseTerms::default(), &[], None)
            };
            self.database().ask(create).unwrap();
        }
    }

    impl Home for InDatabase {
        fn create(&self) -> Box<dyn Journal> {
            self.make();
            let file = FileJournal::create(&self.copy.path().join("journal.jsonl")).unwrap();
            Box::new(self.open((file, Vec::new())).0)
        }

        fn reopen(&self) -> (Box<dyn Journal>, Vec<Entry>) {
            let copy = FileJournal::open(&self.copy.path().join("journal.jsonl")).unwrap();
            let (journal, entries) = self.open(copy);
            (Box::new(journal), entries)
        }
    }

    #[test]
    fn a_database_keeps_the_contract() {
        let Some(server) = Postgresql::shared() else {
            return;
        };
        check(&|| Box::new(InDatabase::new(Arc::clone(&server))));
    }

    #[test]
    fn two_write_one_journal_if_they_write_the_same() {
        let Some(server) = Postgresql::shared() else {
            return;
        };
        let home = InDatabase::new(server);
        home.make();
        let copies = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let [mut one, mut two] = copies.each_ref().map(|copy| {
            let file = FileJournal::create(&copy.path().join("journal.jsonl")).unwrap();
            home.open((file, Vec::new())).0
        });
        let records = records();
        for (number, record) in records[..3].iter().enumerate() {
            let at = number as f64;
            let first = one.append(record.clone(), at, at).unwrap();
            assert_eq!(
                two.append(record.clone(), at + 9.0, at + 9.0).unwrap(),
                first
            );
        }
        one.append(records[3].clone(), 3.0, 3.0).unwrap();
        let other = two.append(records[4].clone(), 3.0, 3.0).unwrap_err();
        assert!(
            matches!(
                &other,
                RunError::Shared(SharedError::Overtaken { seq: 3, .. })
            ),
            "{other}"
        );
        assert_eq!(two.entries().unwrap(), one.entries().unwrap());
        let text = |copy: &tempfile::TempDir| {
            std::fs::read_to_string(copy.path().join("journal.jsonl")).unwrap()
        };
        let lines = home
            .database()
            .ask(|session| session.run(&home.run).lines(0))
            .unwrap();
        assert_eq!(text(&copies[0]), lines.join("\n") + "\n");
        assert!(text(&copies[0]).starts_with(&text(&copies[1])));
    }
}
