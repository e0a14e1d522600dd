//! Journals of many trials.

use super::scenario::Scenario;
use super::simulation::{Simulated, runs};
use crate::random::Seed;
use crate::run::RecordedRun;
use crate::run::disk::{Disk, Machine};
use crate::run::journal::{self, Entry, FileJournal, line_of};
use crate::run::past::Past;
use crate::run::record::Record;
use crate::search::TrialId;
use std::time::Instant;

const TRIALS: u64 = 100_000;

/// How long this thread has had a core, in seconds: what else runs on the machine does not count.
fn core_seconds(begun: Instant) -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text
        .split(' ')
        .next()
        .and_then(|text| text.parse::<f64>().ok());
    nanoseconds.map_or_else(|| begun.elapsed().as_secs_f64(), |count| count / 1e9)
}

/// The journal of a search of many trials, made of those of a small one.
fn long_journal() -> String {
    let scenario = Scenario::all().remove(0);
    let mut run = Simulated::new(&scenario, Seed(0));
    assert!(run.live(2).unwrap());
    let path = runs().join("tiny-1").join(journal::FILE_NAME);
    let (_, entries) = FileJournal::open_on(&run.disk, &path).unwrap();
    let proposed = entries.iter().find_map(|entry| match &entry.record {
        Record::Proposed(proposal) => Some(proposal.clone()),
        _ => None,
    });
    let finished = entries.iter().find_map(|entry| match &entry.record {
        Record::Finished(finished) => Some(finished.clone()),
        _ => None,
    });
    let (proposed, finished) = (proposed.unwrap(), finished.unwrap());
    let mut text = line_of(&entries[0]);
    for trial in 0..TRIALS {
        let (mut proposed, mut finished) = (proposed.clone(), finished.clone());
        (proposed.trial, finished.trial) = (TrialId(trial), TrialId(trial));
        for (part, record) in [Record::Proposed(proposed), Record::Finished(finished)]
            .into_iter()
            .enumerate()
        {
            let entry = Entry::new(1 + 2 * trial + part as u64, 1.7e9, trial as f64, record);
            text.push_str(&line_of(&entry));
        }
    }
    text
}

#[test]
fn a_journal_of_a_hundred_thousand_trials_opens_in_two_seconds() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join(journal::FILE_NAME);
    Machine.write(&path, long_journal().as_bytes()).unwrap();
    let begun = Instant::now();
    let before = core_seconds(begun);
    let run = RecordedRun::open(folder.path()).unwrap();
    let read = core_seconds(begun) - before;
    assert_eq!(run.state().outcomes.len() as u64, TRIALS);
    let (journal, entries) = FileJournal::open(&path).unwrap();
    let state = Past::of(run.folder(), &entries).unwrap().state;
    let opened = core_seconds(begun) - before - read;
    assert_eq!(state.outcomes.len() as u64, TRIALS);
    drop(journal);
    eprintln!("read in {read:.2} s, opened to go on with in {opened:.2} s");
    assert!(
        read < 2.0 && opened < 2.0,
        "{read} s to read, {opened} s to open"
    );
}
