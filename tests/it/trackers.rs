//! Trackers: what they write of a run, told at once or bit by bit. What other programs make of it is for
//! `tests/trackers/check.py`.

pub mod server;

use crate::run::fixture::{Bench, EXPERIMENT, Fake};
use server::FakeServer;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use strata::evaluation::FailureKind;
use strata::run::journal::{Entry, FileJournal, Journal};
use strata::run::record::{Host, Record};
use strata::run::{RecordedRun, RunFolder};
use strata::trackers::{Access, Kind, Known, TrialTable, follow};

/// A run in which nothing depends on the clock or the machine.
struct Timeless {
    _bench: Bench,
    folder: PathBuf,
    entries: Vec<Entry>,
}

impl Timeless {
    fn new() -> Self {
        let bench = Bench::new(&EXPERIMENT.replace("trials = 20", "trials = 8"));
        let fails = |trial| (trial == 3).then_some(FailureKind::Diverged);
        let fake = Fake {
            fails,
            ..Fake::default()
        };
        bench.start(&fake, 1).unwrap();
        let run = bench.runs().join("tiny-1");
        let mut entries = RecordedRun::open(&run).unwrap().entries().unwrap();
        for entry in &mut entries {
            (entry.at, entry.seconds) =
                (1_800_000_000.0 + 10.0 * entry.seq as f64, entry.seq as f64);
            match &mut entry.record {
                Record::Started(started) => {
                    started.host = Host::default();
                    started.strata = "0.0.0".to_owned();
                }
                Record::Finished(done) => (done.seconds, done.worker) = (2.5, 0),
                Record::Failed(failed) => (failed.seconds, failed.worker) = (0.5, 0),
                Record::Retrained(done) => (done.seconds, done.worker) = (3.0, 0),
                _ => {}
            }
        }
        let folder = bench.path().join("tiny");
        fs::create_dir(&folder).unwrap();
        for name in ["space.space", "experiment.toml", "baselines"] {
            fs::rename(run.join(name), folder.join(name)).unwrap();
        }
        let timeless = Self {
            _bench: bench,
            folder,
            entries,
        };
        timeless.write(usize::MAX);
        timeless
    }

    /// Makes the journal hold the first entries.
    fn write(&self, count: usize) {
        let path = self.folder.join("journal.jsonl");
        let _ = fs::remove_file(&path);
        let mut journal = FileJournal::create(&path).unwrap();
        for entry in self.entries.iter().take(count) {
            let (record, at) = (entry.record.clone(), entry.at);
            journal.append(record, at, entry.seconds).unwrap();
        }
    }

    fn tell(&self, kind: Kind, place: &str) -> Result<(), String> {
        let run = RunFolder::open(&self.folder).unwrap();
        let tracking = kind.track(&run, place, &self.folder, &Access::default());
        let told = tracking.and_then(|mut tracking| tracking.catch_up());
        told.map_err(|error| error.to_string())
    }

    fn table(&self) -> TrialTable {
        let run = RecordedRun::open(&self.folder).unwrap();
        let mut known = Known::of(&run).unwrap();
        let entries = run.entries().unwrap();
        entries.iter().for_each(|entry| known.take(entry));
        TrialTable::of(&mut known)
    }
}

/// Compares with a file of the repository.
fn check(name: &str, bytes: &[u8]) {
    let path = format!(
        "{}/tests/trackers/golden/{name}",
        env!("CARGO_MANIFEST_DIR")
    );
    if std::env::var_os("STRATA_BLESS").is_some() {
        fs::write(&path, bytes).unwrap();
    }
    let expected = fs::read(&path).unwrap();
    assert!(
        expected == bytes,
        "{name} differs; bless with STRATA_BLESS=1\n{}",
        String::from_utf8_lossy(bytes)
    );
}

/// Every file under a folder with its path, in order.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push((path.clone(), fs::read(&path).unwrap())),
        }
    }
    found.sort();
    found
}

#[test]
fn an_optuna_journal_is_what_its_dashboard_has_opened() {
    let run = Timeless::new();
    run.tell(Kind::Optuna, "optuna.log").unwrap();
    check(
        "optuna.log",
        &fs::read(run.folder.join("optuna.log")).unwrap(),
    );
}

#[test]
fn event_files_are_what_tensorboard_has_opened() {
    let run = Timeless::new();
    run.tell(Kind::TensorBoard, "board").unwrap();
    let written = files(&run.folder.join("board"));
    assert_eq!(written.len(), 9, "the search and eight trials");
    for (path, bytes) in written {
        let part = path
            .parent()
            .unwrap()
            .file_name()
            .unwrap()
            .to_str()
            .unwrap();
        if ["search", "trial-0002", "trial-0003"].contains(&part) {
            check(&format!("{part}.tfevents"), &bytes);
        }
    }
}

#[test]
fn a_table_is_the_same_as_text_and_in_columns() {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    let run = Timeless::new();
    let table = run.table();
    let text = table.csv().unwrap();
    check("trials.csv", &text);
    let bytes = table.parquet().unwrap();
    let reader = SerializedFileReader::new(bytes::Bytes::from(bytes)).unwrap();
    let mut lines = csv::Reader::from_reader(&text[..]);
    let names = lines.headers().unwrap().clone();
    let mut rows = 0;
    for (row, line) in reader.get_row_iter(None).unwrap().zip(lines.records()) {
        let (row, line) = (row.unwrap(), line.unwrap());
        for (((name, field), known), cell) in row.get_column_iter().zip(&names).zip(&line) {
            assert_eq!(name, known);
            match field.to_string().as_str() {
                "null" => assert_eq!(cell, ""),
                shown => match (shown.parse::<f64>(), cell.parse::<f64>()) {
                    (Ok(shown), Ok(cell)) => assert_eq!(shown, cell, "{name}"),
                    _ => assert_eq!(shown.trim_matches('"'), cell, "{name}"),
                },
            }
        }
        rows += 1;
    }
    assert_eq!(rows, 8);
}

#[test]
fn told_bit_by_bit_the_files_are_the_same() {
    let run = Timeless::new();
    let places = [(Kind::Optuna, "whole/a"), (Kind::TensorBoard, "whole/b")];
    for (kind, place) in places {
        run.tell(kind, place).unwrap();
    }
    for count in [1, 2, 5, 9, 14, usize::MAX] {
        run.write(count);
        for (kind, place) in places {
            run.tell(kind, &place.replace("whole", "bits")).unwrap();
        }
    }
    let content = |folder: &str| {
        let root = run.folder.join(folder);
        let relative = |(path, bytes): (PathBuf, Vec<u8>)| {
            (path.strip_prefix(&root).unwrap().to_owned(), bytes)
        };
        files(&root).into_iter().map(relative).collect::<Vec<_>>()
    };
    assert!(content("whole") == content("bits"));
    let log = run.folder.join("bits/a");
    let text = fs::read_to_string(&log).unwrap();
    fs::write(&log, text.replacen("tiny", "other", 1)).unwrap();
    let refused = run.tell(Kind::Optuna, "bits/a").unwrap_err();
    assert!(refused.contains("name another file"), "{refused}");
}

#[test]
fn an_mlflow_server_is_told_each_trial_once() {
    let run = Timeless::new();
    let server = FakeServer::start();
    run.write(9);
    run.tell(Kind::Mlflow, &server.address).unwrap();
    let first = server.runs();
    run.write(usize::MAX);
    run.tell(Kind::Mlflow, &server.address).unwrap();
    let runs = server.runs();
    assert!(first.len() < runs.len());
    assert_eq!(runs.len(), 9, "the search and eight trials");
    let statuses: Vec<&str> = runs.iter().map(|run| run.status.as_str()).collect();
    assert_eq!(
        statuses
            .iter()
            .filter(|status| **status == "FAILED")
            .count(),
        1
    );
    assert_eq!(
        statuses
            .iter()
            .filter(|status| **status == "FINISHED")
            .count(),
        8
    );
    let search = &runs[0];
    assert_eq!(search.tags["strata.run"], "tiny 1800000000000");
    assert_eq!(search.params["controller"], "evolution");
    let trial = &runs[1];
    assert_eq!(trial.tags["mlflow.parentRunId"], search.id);
    assert_eq!(trial.tags["strata.trial"], "0");
    assert!(!trial.params.is_empty());
    assert_eq!(
        trial.metrics.iter().filter(|name| *name == "score").count(),
        1
    );
    assert_eq!(
        trial
            .metrics
            .iter()
            .filter(|name| *name == "train/loss")
            .count(),
        2
    );
    let asked = server.requests();
    run.tell(Kind::Mlflow, &server.address).unwrap();
    assert_eq!(server.runs().len(), 9);
    assert!(
        server.requests() - asked < 8,
        "what the server has is not sent again"
    );
}

#[test]
fn a_tracker_that_fails_is_told_of_once_and_tried_again_at_the_end() {
    let run = Timeless::new();
    let tries = std::cell::Cell::new(0);
    let mut warnings = 0;
    let folder = RunFolder::open(&run.folder).unwrap();
    let open = || {
        tries.set(tries.get() + 1);
        // Nothing answers at the port of a server that is gone.
        Kind::Mlflow.track(
            &folder,
            "http://127.0.0.1:9",
            &run.folder,
            &Access::default(),
        )
    };
    let ended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(std::time::Duration::from_millis(200));
            ended.store(true, Ordering::Release);
        });
        follow(open, &ended, |_| warnings += 1);
    });
    assert_eq!((tries.get(), warnings), (2, 1));
}
