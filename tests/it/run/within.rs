//! Winners under bounds: what is tested and kept is the best of the networks within.

use super::fixture::{Bench, EXPERIMENT, Fake, digest, resume};
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use strata::run::{Bound, EndReason, Event, Limit, RecordedRun, RunError, Subject};

fn with(within: &str) -> String {
    EXPERIMENT.replace(
        "retrain_seeds = 2",
        &format!("retrain_seeds = 2, within = {within}"),
    )
}

fn most(name: &str, most: f64) -> Bound {
    Bound {
        name: name.to_owned(),
        limit: Limit::Most(most),
    }
}

fn about(folder: &Path) -> serde_json::Value {
    let text = fs::read_to_string(folder.join("about.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn the_winner_is_the_best_within_and_so_is_what_is_kept() {
    let free = Bench::new(EXPERIMENT).start(&Fake::default(), 2);
    assert!(free.is_ok());
    for (text, retrained) in [
        (with("{ params = \"0.4k\" }"), true),
        (
            with("{ params = 400 }").replace("retrain_seeds = 2", "retrain_seeds = 0"),
            false,
        ),
    ] {
        let bench = Bench::new(&text);
        let folder = bench.start(&Fake::default(), 2).unwrap().folder;
        let run = RecordedRun::open(&folder).unwrap();
        let wanted = run.best_within(&[most("params", 400.0)]).unwrap().unwrap();
        let winner = run.state().winner.clone().unwrap();
        assert_eq!(winner.trial, wanted.trial);
        assert_ne!(
            run.state().best().unwrap().1.trial,
            winner.trial,
            "the bound has to bite"
        );
        assert_eq!(run.best().unwrap(), wanted);
        assert_eq!(
            RecordedRun::open_in_brief(&folder)
                .unwrap()
                .best()
                .unwrap()
                .trial,
            wanted.trial
        );
        let kept = about(run.folder().best().as_path());
        assert_eq!(kept["trial"], winner.trial.0);
        assert!(kept["params"].as_u64() <= Some(400));
        assert_eq!(kept["test_accuracy"].is_null(), !retrained);
        assert!(run.in_vain().unwrap() > 0);
        if retrained {
            let finals = run.finals().unwrap();
            assert!(finals[0].params <= 400 && finals[0].scores.len() == 2);
        }
    }
}

#[test]
fn bounds_change_nothing_of_the_search() {
    let (free, bound) = (
        Bench::new(EXPERIMENT),
        Bench::new(&with("{ params = 400 }")),
    );
    let scores = |bench: &Bench| {
        let run = RecordedRun::open(&bench.start(&Fake::default(), 3).unwrap().folder).unwrap();
        run.trials().iter().map(|row| row.score).collect::<Vec<_>>()
    };
    assert_eq!(scores(&free), scores(&bound));
}

#[test]
fn several_points_of_the_front_have_a_winner_each() {
    let free = Bench::new(EXPERIMENT);
    let found = free.start(&Fake::default(), 2).unwrap().folder;
    // A bound that keeps the best network out, as fine as it can be.
    let least = RecordedRun::open(&found).unwrap().best().unwrap().params - 1;
    let bench = Bench::new(&with(&format!(
        "[{{ params = {least} }}, {{ params = \"1M\" }}, {{ params = {least} }}]",
    )));
    let folder = bench.start(&Fake::default(), 2).unwrap().folder;
    let run = RecordedRun::open(&folder).unwrap();
    let winner = run.state().winner.clone().unwrap();
    let best = |limit| {
        run.best_within(&[most("params", limit)])
            .unwrap()
            .unwrap()
            .trial
    };
    assert_eq!(winner.trial, best(least as f64));
    assert_eq!(winner.others, [best(1e6), best(least as f64)]);
    assert_ne!(
        winner.trial, winner.others[0],
        "the second bounds have to admit more"
    );
    let subjects: Vec<Subject> = run
        .finals()
        .unwrap()
        .into_iter()
        .map(|row| row.subject)
        .collect();
    let baseline = Subject::Baseline("one".to_owned());
    assert_eq!(
        subjects,
        [Subject::Winner, Subject::Within(2), baseline],
        "a network is tested once"
    );
    let second = about(&run.folder().best_within(2));
    assert_eq!(second["trial"], winner.others[0].0);
    let journal = fs::read_to_string(folder.join("journal.jsonl")).unwrap();
    let named = journal
        .lines()
        .find(|line| line.contains("\"winner\":{"))
        .unwrap();
    assert!(
        named.contains("\"format\":6") && named.contains("\"others\":["),
        "{named}"
    );
}

#[test]
fn a_run_with_bounds_that_is_interrupted_anywhere_comes_to_the_same() {
    let text = with("[{ params = 400 }, { params = \"1k\" }]");
    let whole = Bench::new(&text).start(&Fake::default(), 2);
    assert!(whole.is_ok());
    let bench = Bench::new(&text);
    let straight = bench.start(&Fake::default(), 2).unwrap().folder;
    for interrupt_at in [3, 30, 65, 85] {
        let (stop, mut seen) = (AtomicBool::new(false), 0);
        let ended = bench.start_watched(&Fake::default(), 2, &stop, &mut |_: &Event| {
            seen += 1;
            stop.fetch_or(seen == interrupt_at, Ordering::Relaxed);
        });
        let ended = ended.unwrap();
        if ended.reason.is_none() {
            resume(&ended.folder, &Fake::default(), 3).unwrap();
        }
        assert_eq!(
            digest(&ended.folder),
            digest(&straight),
            "at event {interrupt_at}"
        );
        assert_eq!(
            about(&ended.folder.join("best")),
            about(&straight.join("best"))
        );
    }
}

#[test]
fn bounds_that_nothing_meets_end_the_run_and_the_nearest_trial_is_known() {
    let bench = Bench::new(&with("{ params = 20 }"));
    let ended = bench.start(&Fake::default(), 2).unwrap();
    assert_eq!(ended.reason, Some(EndReason::NothingWithin));
    let run = RecordedRun::open(&ended.folder).unwrap();
    assert!(!run.state().test_opened);
    let nearest = run.nearest().unwrap();
    let least = run.trials().iter().map(|row| row.params).min().unwrap();
    assert_eq!(nearest.len(), 1);
    assert_eq!(nearest[0].figures, [("params".to_owned(), least as f64)]);
    assert_eq!(nearest[0].within.to_string(), "params <= 20");
    assert_eq!(run.in_vain().unwrap(), 20);
}

#[test]
fn a_figure_that_no_trial_has_is_said_after_the_first() {
    let bench = Bench::new(&with("{ parms = 20 }"));
    let error = bench.start(&Fake::default(), 2).unwrap_err();
    assert!(
        matches!(&error, RunError::Setting { key, .. } if key == "parms"),
        "{error}"
    );
    assert!(error.to_string().contains("`params`"), "{error}");
}

#[test]
fn bounds_that_make_no_sense_are_refused_where_they_stand() {
    for (within, wanted) in [
        ("{}", "needs a bound"),
        ("{ params = \"many\" }", "params = \\\"100k\\\""),
        ("\"params\"", "within"),
    ] {
        let text = with(within);
        let error = strata::run::Experiment::parse("tiny.toml", &text).unwrap_err();
        let said = format!("{error:?}");
        assert!(said.contains(wanted), "{within}: {said}");
    }
}
