//! What happens when things go wrong.

use super::fixture::{Bench, EXPERIMENT, Fake, copy_cut, digest, resume};
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use strata::evaluation::FailureKind;
use strata::run::{EndReason, Event, ExperimentFile, RecordedRun, RunError, SearchEnd};
use strata::search::TrialId;

fn some(number: u64) -> Option<FailureKind> {
    match number % 5 {
        1 => Some(FailureKind::Crashed),
        3 => Some(FailureKind::Diverged),
        _ => None,
    }
}

#[test]
fn failed_trials_keep_their_place() {
    let bench = Bench::new(EXPERIMENT);
    let fake = Fake {
        fails: some,
        ..Fake::default()
    };
    let folders = [1, 4].map(|workers| bench.start(&fake, workers).unwrap().folder);
    assert_eq!(digest(&folders[0]), digest(&folders[1]));
    let rows = RecordedRun::open(&folders[0]).unwrap().trials();
    assert_eq!(rows.len(), 20);
    assert_eq!(rows[1].failure, Some(FailureKind::Crashed));
    assert_eq!(rows[1].message.as_deref(), Some("trial 1 hit a rock"));
    assert!(
        rows.iter()
            .all(|row| !row.parents.iter().any(|parent| some(parent.0).is_some()))
    );
}

#[test]
fn too_many_failures_in_a_row_end_the_run() {
    let bench = Bench::new(EXPERIMENT);
    let fails = |number| (number >= 4).then_some(FailureKind::Diverged);
    let error = bench
        .start(
            &Fake {
                fails,
                ..Fake::default()
            },
            2,
        )
        .unwrap_err();
    let RunError::ConsecutiveFailures { trials, folder } = error else {
        panic!("{error}");
    };
    let numbers: Vec<TrialId> = trials.iter().map(|(trial, _)| *trial).collect();
    assert_eq!(numbers, [4, 5, 6, 7, 8].map(TrialId));
    let run = RecordedRun::open(&folder).unwrap();
    assert_eq!(run.state().ended, Some(EndReason::ConsecutiveFailures));
    let again = resume(&folder, &Fake::default(), 1);
    assert!(matches!(again, Err(RunError::AlreadyEnded { .. })));
}

#[test]
fn an_interrupted_run_resumes_to_the_same_digest() {
    let bench = Bench::new(EXPERIMENT);
    let whole = bench.start(&Fake::default(), 2).unwrap().folder;
    for after in [0, 3, 11, 19, 20, 22] {
        let stop = AtomicBool::new(false);
        let mut finished = 0;
        let mut watch = |event: &Event| {
            finished += u32::from(matches!(event, Event::Finished { .. }));
            if finished >= after {
                stop.store(true, Ordering::Relaxed);
            }
        };
        let ending = bench
            .start_watched(&Fake::default(), 2, &stop, &mut watch)
            .unwrap();
        // A run that has only results left to write when it is told to end, ends.
        assert!(ending.reason.is_none() || after == 22);
        if ending.reason.is_none() {
            resume(&ending.folder, &Fake::default(), 3).unwrap();
        }
        assert_eq!(digest(&ending.folder), digest(&whole));
    }
}

#[test]
fn an_interruption_stops_trials_that_run() {
    let bench = Bench::new(EXPERIMENT);
    let stop = AtomicBool::new(false);
    let mut watch = |event: &Event| {
        if matches!(event, Event::Started { .. }) {
            stop.store(true, Ordering::Relaxed);
        }
    };
    let fake = Fake {
        endless: true,
        ..Fake::default()
    };
    let ending = bench.start_watched(&fake, 2, &stop, &mut watch).unwrap();
    assert_eq!(
        RecordedRun::open(&ending.folder)
            .unwrap()
            .state()
            .outcomes
            .len(),
        0
    );
}

#[test]
fn a_trial_past_its_deadline_has_timed_out() {
    let deadline = "[trial]\ndeadline_seconds = 0.02\n[stop]\nconsecutive_failures = 2\n";
    let bench = Bench::new(&format!("{EXPERIMENT}{deadline}"));
    let fake = Fake {
        endless: true,
        ..Fake::default()
    };
    let error = bench.start(&fake, 2).unwrap_err();
    let RunError::ConsecutiveFailures { trials, .. } = error else {
        panic!("{error}");
    };
    assert!(trials.iter().all(|(_, why)| why.contains("timed out")));
}

#[test]
fn a_budget_in_seconds_ends_the_search_and_finishes_what_runs() {
    let mut bench = Bench::new(EXPERIMENT);
    bench.file.experiment.budget.seconds = Some(0.03);
    bench.file.experiment.budget.trials = None;
    let fake = Fake {
        pause: Duration::from_millis(5),
        ..Fake::default()
    };
    let folder = bench.start(&fake, 2).unwrap().folder;
    let run = RecordedRun::open(&folder).unwrap();
    let searched = run.state().searched.clone().unwrap();
    assert_eq!(searched.reason, SearchEnd::Seconds);
    assert_eq!(searched.trials, run.state().outcomes.len() as u64);
    assert_eq!(run.state().ended, Some(EndReason::Completed));
}

#[test]
fn a_run_has_one_writer() {
    let bench = Bench::new(EXPERIMENT);
    let stop = AtomicBool::new(false);
    let mut second = None;
    let mut folder = None;
    let mut watch = |event: &Event| match event {
        Event::Opened { folder: opened, .. } => folder = Some(opened.clone()),
        Event::Finished { .. } if second.is_none() => {
            second = Some(resume(folder.as_ref().unwrap(), &Fake::default(), 1));
        }
        _ => {}
    };
    bench
        .start_watched(&Fake::default(), 2, &stop, &mut watch)
        .unwrap();
    assert!(matches!(second, Some(Err(RunError::Locked(_)))));
}

#[test]
fn a_finished_run_is_not_resumed() {
    let bench = Bench::new(EXPERIMENT);
    let folder = bench.start(&Fake::default(), 2).unwrap().folder;
    let error = resume(&folder, &Fake::default(), 2).unwrap_err();
    assert!(error.to_string().contains(
        "has ended (completed); there is nothing to resume; a larger budget lets the search go on"
    ));
}

#[test]
fn data_or_a_space_that_changed_is_refused() {
    let bench = Bench::new(EXPERIMENT);
    let whole = bench.start(&Fake::default(), 2).unwrap().folder;
    let half = fs::read(whole.join("journal.jsonl")).unwrap().len() / 2;
    let copy = bench.runs().join("half");
    copy_cut(&whole, &copy, half);
    let other = Fake {
        split_hash: "another".to_owned(),
        ..Fake::default()
    };
    assert!(matches!(
        resume(&copy, &other, 2),
        Err(RunError::Changed { .. })
    ));
    fs::write(copy.join("space.space"), super::fixture::BASELINE).unwrap();
    assert!(matches!(
        resume(&copy, &Fake::default(), 2),
        Err(RunError::Changed { .. })
    ));
}

#[test]
fn a_baseline_with_choices_is_refused() {
    let bench = Bench::new(&EXPERIMENT.replace("one.space", "tiny.space"));
    let error = bench.start(&Fake::default(), 2).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("a baseline is a space of one, this one has 156"),
        "{error}"
    );
}

#[test]
fn more_workers_than_lookahead_are_refused() {
    let bench = Bench::new(EXPERIMENT);
    let error = bench.start(&Fake::default(), 5).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("5 workers are more than lookahead = 4")
    );
}

#[test]
fn an_unknown_key_is_refused_with_its_place_and_the_closest_name() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("x.toml");
    fs::write(&path, EXPERIMENT.replace("trials = 20", "trails = 20")).unwrap();
    let RunError::Text { file, diagnostics } = ExperimentFile::read(&path).unwrap_err() else {
        panic!("the text has an error");
    };
    assert_eq!(diagnostics[0].message, "unknown key `trails`");
    assert_eq!(diagnostics[0].hints, ["did you mean `trials`?"]);
    assert_eq!(file.position(diagnostics[0].span.start).line, 7);
    assert_eq!(
        &file.text()[diagnostics[0].span.start..diagnostics[0].span.end],
        "trails"
    );
}

#[test]
fn a_setting_that_makes_no_sense_is_refused_at_its_place() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("x.toml");
    for (right, wrong, shown) in [
        ("workers = 2", "workers = 9", "workers = 9"),
        ("population = 6", "population = 0", "population = 0"),
        ("budget = { trials = 20 }", "budget = {}", "budget"),
    ] {
        fs::write(&path, EXPERIMENT.replace(right, wrong)).unwrap();
        let RunError::Text { file, diagnostics } = ExperimentFile::read(&path).unwrap_err() else {
            panic!("the text has an error");
        };
        let span = diagnostics[0].span;
        assert_eq!(&file.text()[span.start..span.end], shown);
    }
}
