//! Searches that go on with a larger budget.

use super::fixture::{BASELINE, Bench, EXPERIMENT, Fake, digest, only_run};
use crate::shared::fixture::{experiment, strata, wanted};
use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use strata::random::{Purpose, Seed};
use strata::run::{Budget, Event, Options, Phase, RecordedRun, RunError, extend_by, verify_with};

const CONTROLLERS: &[&str] = &[
    "controller = \"random\"",
    "population = 6, sample = 3",
    "controller = \"local_search\"",
    "controller = \"predictor\", initial = 6",
    "controller = \"nsga2\", population = 6, objectives = [\"score\", \"params\"]",
    "controller = \"successive_halving\"",
    "controller = \"hyperband\"",
];

fn trials(trials: u64) -> Budget {
    Budget {
        trials: Some(trials),
        ..Budget::default()
    }
}

fn extend(run: &Path, raise: &Budget, workers: usize) -> Result<Vec<Event>, RunError> {
    // A process that another test is starting has the lock of a run that has just ended until it is another program.
    for _ in 0..100 {
        match extend_at_once(run, raise, workers) {
            Err(RunError::Locked(_)) => std::thread::sleep(Duration::from_millis(20)),
            other => return other,
        }
    }
    extend_at_once(run, raise, workers)
}

fn extend_at_once(run: &Path, raise: &Budget, workers: usize) -> Result<Vec<Event>, RunError> {
    let stop = AtomicBool::new(false);
    let options = Options {
        workers: Some(workers),
        ..Options::new(&stop)
    };
    let mut events = Vec::new();
    let mut watch = |event: &Event| events.push(event.clone());
    extend_by(run, raise, &options, &mut watch, |_| {
        Ok(Box::new(Fake::default()))
    })?;
    Ok(events)
}

fn of(search: &str, trials: u64) -> Bench {
    let usual = "population = 6, sample = 3, lookahead = 4";
    let experiment = EXPERIMENT.replace(usual, &format!("{search}, lookahead = 4"));
    Bench::new(&experiment.replace("trials = 20", &format!("trials = {trials}")))
}

#[test]
fn every_controller_comes_to_what_the_larger_budget_would_have_given() {
    for search in CONTROLLERS {
        let whole = of(search, 20);
        whole.start(&Fake::default(), 2).unwrap();
        let wanted = digest(&only_run(&whole.runs()).unwrap());
        for workers in [1, 2, 4] {
            let bench = of(search, 7);
            bench.start(&Fake::default(), workers).unwrap();
            let run = only_run(&bench.runs()).unwrap();
            let before = fs::read(run.join("journal.jsonl")).unwrap();
            extend(&run, &trials(9), workers).unwrap();
            extend(&run, &trials(20), 5 - workers).unwrap();
            assert_eq!(digest(&run), wanted, "{search}, {workers} workers");
            let after = fs::read(run.join("journal.jsonl")).unwrap();
            assert!(after.starts_with(&before), "the journal is only added to");
        }
    }
}

#[test]
fn a_second_look_at_the_test_examples_is_said_and_counted() {
    let bench = of("population = 6, sample = 3", 6);
    bench.start(&Fake::default(), 2).unwrap();
    let run = only_run(&bench.runs()).unwrap();
    let events = extend(&run, &trials(12), 2).unwrap();
    let opened = events.iter().find_map(|event| match event {
        Event::Opened { earlier_looks, .. } => Some(earlier_looks.clone()),
        _ => None,
    });
    assert_eq!(opened, Some(vec![6]));
    assert!(events.contains(&Event::TestOpened {
        look: 2,
        unwritten: None
    }));
    let recorded = RecordedRun::open(&run).unwrap();
    let summary = recorded.summary().unwrap();
    assert_eq!(summary.test_looks, [6, 12]);
    assert_eq!((summary.trials, summary.trials_budget), (12, Some(12)));
    assert_eq!(recorded.phase(), Phase::Ended);
    assert_eq!(recorded.trials().len(), 12);
    let brief = RecordedRun::open_in_brief(&run).unwrap();
    assert_eq!(brief.digest(), recorded.digest());
    // What is kept of the winner is the new winner's.
    let winner = recorded.state().winner.as_ref().unwrap().trial;
    let about = fs::read_to_string(run.join("best/about.json")).unwrap();
    let about: serde_json::Value = serde_json::from_str(&about).unwrap();
    assert_eq!(about["trial"], winner.0);
    let manifest = fs::read_to_string(run.join("manifest.json")).unwrap();
    assert!(manifest.contains(&recorded.digest()));
    let all: Vec<_> = recorded.trials().iter().map(|row| row.trial).collect();
    let stop = AtomicBool::new(false);
    let fake = Fake::default();
    let verified = verify_with(&recorded, &fake, &all, &Options::new(&stop), &mut |_| ());
    assert!(verified.unwrap().is_equal());
}

#[test]
fn what_is_not_more_is_refused_and_leaves_the_run_as_it_is() {
    let bench = of("population = 6, sample = 3", 6);
    bench.start(&Fake::default(), 2).unwrap();
    let run = only_run(&bench.runs()).unwrap();
    let before = fs::read(run.join("journal.jsonl")).unwrap();
    let epochs = Budget {
        epochs: Some(100),
        ..Budget::default()
    };
    let cases = [
        (trials(6), "budget of 6 trials already"),
        (trials(3), "budget of 6 trials already"),
        (epochs, "no budget in epochs"),
    ];
    for (raise, words) in cases {
        let refused = extend(&run, &raise, 2).unwrap_err().to_string();
        assert!(refused.contains(words), "{refused}");
    }
    assert_eq!(fs::read(run.join("journal.jsonl")).unwrap(), before);
    let both = "trials = 50, epochs = 10";
    let bench = Bench::new(&EXPERIMENT.replace("trials = 20", both));
    bench.start(&Fake::default(), 2).unwrap();
    let run = only_run(&bench.runs()).unwrap();
    let refused = extend(&run, &trials(60), 2).unwrap_err().to_string();
    assert!(refused.contains("raise it with `--epochs`"), "{refused}");
}

#[test]
fn a_space_that_is_used_up_has_nothing_more_to_find() {
    let bench = Bench::with_space(&EXPERIMENT.replace("trials = 20", "trials = 5"), BASELINE);
    bench.start(&Fake::default(), 2).unwrap();
    let run = only_run(&bench.runs()).unwrap();
    let refused = extend(&run, &trials(9), 2).unwrap_err().to_string();
    assert!(refused.contains("every architecture"), "{refused}");
}

/// The program killed at drawn moments, while a search of 10 trials is given 24.
fn killed(how: &[&str], seed: u64) {
    let folder = experiment();
    let path = folder.path();
    let runs = path.join("runs");
    let mut stream = Seed(seed).stream(0, Purpose::Tool);
    let mut first = strata(path);
    first
        .args(["search", "tiny.toml", "--trials", "10"])
        .args(how);
    assert!(
        first
            .env("STRATA_TEST_SLEEP", "0")
            .status()
            .unwrap()
            .success()
    );
    let run = only_run(&runs).unwrap();
    let mut most = 300;
    loop {
        let recorded = RecordedRun::open(&run).unwrap();
        let has = recorded.summary().unwrap().trials_budget;
        if has == Some(24) && recorded.phase() == Phase::Ended {
            break;
        }
        let mut again = strata(path);
        again.arg("resume").arg(&run).args(how);
        if has != Some(24) {
            again.args(["--trials", "24"]);
        }
        let mut child = again.env("STRATA_TEST_SLEEP", "0.02").spawn().unwrap();
        std::thread::sleep(Duration::from_millis(20 + stream.below(most)));
        let _ = child.kill();
        child.wait().unwrap();
        most += 100;
    }
    assert_eq!(digest(&run), wanted());
}

#[test]
fn an_extended_run_that_is_killed_in_threads_or_processes_gives_the_same_digest() {
    for seed in 0..2 {
        killed(&["--workers", "3"], seed);
        killed(&["--workers", "2", "--isolate", "process"], seed);
    }
}
