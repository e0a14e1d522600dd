//! The same run, whatever the number of workers and whenever it is killed.

use super::fixture::{Bench, EXPERIMENT, Fake, copy_cut, digest, resume};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use strata::run::journal::Entry;
use strata::run::record::Record;
use strata::run::{EndReason, RecordedRun, SearchEnd};

/// The entries with every field of time and host at zero.
fn timeless(run: &RecordedRun) -> Vec<Entry> {
    let mut entries = run.entries().unwrap();
    for entry in &mut entries {
        (entry.at, entry.seconds) = (0.0, 0.0);
        match &mut entry.record {
            Record::Started(started) => started.host = Default::default(),
            Record::Finished(done) => (done.seconds, done.worker) = (0.0, 0),
            Record::Failed(done) => (done.seconds, done.worker) = (0.0, 0),
            Record::Selected(done) => (done.seconds, done.worker) = (0.0, 0),
            Record::Retrained(done) => (done.seconds, done.worker) = (0.0, 0),
            _ => {}
        }
    }
    entries
}

/// What lies in the folder of the best network.
fn best(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let files = fs::read_dir(folder.join("best")).unwrap();
    let files = files.map(|file| PathBuf::from(file.unwrap().file_name()));
    let mut files: Vec<_> = files
        .map(|name| {
            (
                name.clone(),
                fs::read(folder.join("best").join(name)).unwrap(),
            )
        })
        .collect();
    files.sort();
    files
}

#[test]
fn the_number_of_workers_changes_nothing_but_time() {
    let bench = Bench::new(EXPERIMENT);
    let open = |workers| {
        let ending = bench.start(&Fake::default(), workers).unwrap();
        assert_eq!(ending.reason, Some(EndReason::Completed));
        RecordedRun::open(&ending.folder).unwrap()
    };
    let runs = [1, 2, 4].map(open);
    for run in &runs[1..] {
        assert_eq!(timeless(run), timeless(&runs[0]));
        assert_eq!(run.digest(), runs[0].digest());
    }
}

#[test]
fn another_seed_gives_another_digest() {
    let mut bench = Bench::new(EXPERIMENT);
    let first = bench.start(&Fake::default(), 2).unwrap();
    bench.file.experiment.seed = strata::random::Seed(8);
    let second = bench.start(&Fake::default(), 2).unwrap();
    assert_ne!(digest(&first.folder), digest(&second.folder));
}

#[test]
fn a_run_killed_at_any_byte_resumes_to_the_same_digest() {
    let bench = Bench::new(EXPERIMENT);
    let whole = bench.start(&Fake::default(), 2).unwrap().folder;
    let journal = fs::read(whole.join("journal.jsonl")).unwrap();
    let breaks = journal
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'\n')
        .map(|(at, _)| at);
    let ends: Vec<usize> = breaks.collect();
    let wanted = digest(&whole);
    for (number, end) in ends[..ends.len() - 1].iter().enumerate() {
        // Cut behind a record, and inside the next: in the middle, or one byte before its end.
        let next = ends[number + 1];
        for cut in [end + 1, (end + 1 + next) / 2, next] {
            let copy = bench.runs().join(format!("cut-{cut}"));
            copy_cut(&whole, &copy, cut);
            let ending = resume(&copy, &Fake::default(), 1 + number % 4).unwrap();
            assert_eq!(ending.reason, Some(EndReason::Completed));
            assert_eq!(digest(&copy), wanted, "cut at byte {cut}");
            // The copy begins without this folder; from the first retraining on nothing rewrites it.
            if copy.join("best").exists() {
                assert_eq!(best(&copy), best(&whole), "cut at byte {cut}");
            }
        }
    }
}

#[test]
fn the_journal_orders_records_by_lookahead_alone() {
    let bench = Bench::new(EXPERIMENT);
    let folder = bench.start(&Fake::default(), 3).unwrap().folder;
    let run = RecordedRun::open(&folder).unwrap();
    let mut order = Vec::new();
    for entry in run.entries().unwrap() {
        match &entry.record {
            Record::Proposed(proposal) => order.push(format!("p{}", proposal.trial)),
            Record::Finished(done) => order.push(format!("f{}", done.trial)),
            _ => {}
        }
    }
    assert_eq!(order[..8], ["p0", "p1", "p2", "p3", "f0", "p4", "f1", "p5"]);
    assert_eq!(order[order.len() - 4..], ["f16", "f17", "f18", "f19"]);
}

#[test]
fn no_network_is_tried_twice() {
    let bench = Bench::new(EXPERIMENT);
    let folder = bench.start(&Fake::default(), 2).unwrap().folder;
    let rows = RecordedRun::open(&folder).unwrap().trials();
    let keys: BTreeSet<&str> = rows.iter().map(|row| row.key.as_str()).collect();
    assert_eq!((rows.len(), keys.len()), (20, 20));
}

#[test]
fn a_small_space_ends_the_search_when_everything_was_tried() {
    let space = super::fixture::SPACE.replace("repeat 1..2", "repeat 1..1");
    for controller in ["random", "exhaustive", "evolution"] {
        let wanted = format!("search = {{ controller = \"{controller}\", lookahead = 4 }}");
        let given = "search = { population = 6, sample = 3, lookahead = 4, workers = 2 }";
        let bench = Bench::with_space(&EXPERIMENT.replace(given, &wanted), &space);
        let folder = bench.start(&Fake::default(), 2).unwrap().folder;
        let run = RecordedRun::open(&folder).unwrap();
        let searched = run.state().searched.clone().unwrap();
        assert_eq!(
            (searched.trials, searched.reason),
            (12, SearchEnd::Exhausted)
        );
    }
}

#[test]
fn a_budget_in_epochs_is_kept_and_does_not_depend_on_workers_or_kills() {
    let bench = Bench::new(&EXPERIMENT.replace("trials = 20", "epochs = 17"));
    let folder = bench.start(&Fake::default(), 3).unwrap().folder;
    let run = RecordedRun::open(&folder).unwrap();
    let searched = run.state().searched.clone().unwrap();
    assert_eq!((searched.trials, searched.reason), (8, SearchEnd::Epochs));
    let journal = fs::read(folder.join("journal.jsonl")).unwrap();
    for (at, _) in journal
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'\n')
    {
        let copy = bench.runs().join(format!("cut-{at}"));
        copy_cut(&folder, &copy, at + 1);
        if at + 1 < journal.len() {
            resume(&copy, &Fake::default(), 1).unwrap();
        }
        assert_eq!(digest(&copy), run.digest());
    }
}

#[test]
fn the_best_is_the_winner_and_lies_in_its_folder() {
    let bench = Bench::new(EXPERIMENT);
    let folder = bench.start(&Fake::default(), 2).unwrap().folder;
    let run = RecordedRun::open(&folder).unwrap();
    let best = run.best().unwrap();
    let top = run
        .trials()
        .iter()
        .filter_map(|row| row.score)
        .fold(0.0, f64::max);
    assert_eq!(best.score, Some(top));
    assert_eq!(run.state().winner.as_ref().unwrap().trial, best.trial);
    for name in [
        "architecture.json",
        "architecture.txt",
        "genome.json",
        "weights.safetensors",
    ] {
        assert!(folder.join("best").join(name).is_file(), "{name}");
    }
    for row in run.trials() {
        let left = folder.join("trials").join(format!("{:04}", row.trial.0));
        let curve = fs::read_to_string(left.join("curve.csv")).unwrap();
        assert_eq!(curve.lines().count(), 1 + row.epochs.len());
        assert!(left.join("architecture.json").is_file());
    }
    let summary = run.summary().unwrap();
    assert_eq!(summary.finals.len(), 2);
    assert!(
        summary
            .finals
            .iter()
            .all(|row| row.scores.len() == 2 && row.deviation.is_some())
    );
}
