//! What every journal must do, as tests that are given one.

use super::file::MOST_TOGETHER;
use super::{Entry, FileJournal, Journal, digest, line_of, parse_line};
use crate::run::record::{EndReason, Ended, Record, SearchEnd, Searched, TestOpened, Winner};
use crate::search::TrialId;
use std::path::Path;

/// A place for one journal, which can be left and come back to.
pub(in crate::run) trait Home {
    /// A new journal without records.
    fn create(&self) -> Box<dyn Journal>;

    /// The journal, opened once more by a process that takes over from one that died.
    fn reopen(&self) -> (Box<dyn Journal>, Vec<Entry>);
}

/// Records that a journal takes without knowing what a run is.
pub(in crate::run) fn records() -> Vec<Record> {
    let winner = |trial, score| {
        let trial = TrialId(trial);
        Record::Winner(Winner {
            trial,
            score,
            others: Vec::new(),
        })
    };
    let reason = SearchEnd::Trials;
    vec![
        Record::Searched(Searched { trials: 3, reason }),
        winner(0, 0.1 + 0.2),
        winner(u64::MAX, -0.0),
        winner(1, f64::MIN_POSITIVE),
        Record::TestOpened(TestOpened {
            examples: 7,
            look: 2,
        }),
        Record::Ended(Ended {
            reason: EndReason::Completed,
        }),
    ]
}

/// Every test of the suite.
pub(in crate::run) fn check(home: &dyn Fn() -> Box<dyn Home>) {
    it_numbers_what_it_is_given(home().as_ref());
    it_holds_what_it_acknowledged(home().as_ref());
    it_makes_records_safe_together(home().as_ref());
    its_lines_are_those_of_any_journal(home().as_ref());
}

fn it_numbers_what_it_is_given(home: &dyn Home) {
    let mut journal = home.create();
    assert!(journal.entries().unwrap().is_empty());
    let mut given = Vec::new();
    for (number, record) in records().into_iter().enumerate() {
        let (at, seconds) = (1e9 + number as f64, number as f64 / 3.0);
        let entry = journal.append(record.clone(), at, seconds).unwrap();
        assert_eq!((entry.seq, &entry.record), (number as u64, &record));
        given.push(entry);
    }
    assert_eq!(journal.entries().unwrap(), given);
}

fn it_holds_what_it_acknowledged(home: &dyn Home) {
    let mut given = Vec::new();
    drop(home.create());
    for record in records() {
        let (mut journal, held) = home.reopen();
        assert_eq!(held, given);
        given.push(journal.append(record, 0.0, 0.0).unwrap());
    }
    assert_eq!(home.reopen().1, given);
}

fn it_makes_records_safe_together(home: &dyn Home) {
    let mut journal = home.create();
    let mut given = Vec::new();
    // More than are made safe at once, and then a few.
    for count in [3 * MOST_TOGETHER, 2, 0] {
        for _ in 0..count {
            let record = records()[given.len() % 5].clone();
            given.push(journal.add(record, 0.5, 0.25).unwrap());
        }
        journal.commit().unwrap();
        assert_eq!(journal.entries().unwrap(), given);
    }
    drop(journal);
    assert_eq!(home.reopen().1, given);
}

fn its_lines_are_those_of_any_journal(home: &dyn Home) {
    let mut journal = home.create();
    for record in records() {
        journal.append(record, 0.5, 0.25).unwrap();
    }
    drop(journal);
    let held = home.reopen().1;
    for (index, entry) in held.iter().enumerate() {
        let line = line_of(entry);
        let read = parse_line(Path::new("lines"), index as u64, line.as_bytes());
        assert_eq!(&read.unwrap(), entry);
        assert_eq!(entry.record, records()[index]);
    }
    assert_eq!(digest(&held).len(), 64);
}

struct Folder(tempfile::TempDir);

impl Home for Folder {
    fn create(&self) -> Box<dyn Journal> {
        let path = self.0.path().join("journal.jsonl");
        Box::new(FileJournal::create(&path).unwrap())
    }

    fn reopen(&self) -> (Box<dyn Journal>, Vec<Entry>) {
        let path = self.0.path().join("journal.jsonl");
        let (journal, entries) = FileJournal::open(&path).unwrap();
        (Box::new(journal), entries)
    }
}

#[test]
fn a_file_keeps_the_contract() {
    check(&|| Box::new(Folder(tempfile::TempDir::new().unwrap())));
}
