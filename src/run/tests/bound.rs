//! Runs whose time is bounded, under a simulated clock.

use super::disk::Fault;
use super::scenario::Scenario;
use super::simulation::{Simulated, undisturbed};
use crate::evaluation::FailureKind;
use crate::random::{Purpose, Seed};
use crate::run::error::RunError;
use crate::run::experiment::Budget;
use crate::run::record::{Record, RetrainedResult, SearchEnd, Subject};
use crate::run::state::State;

/// How much later than the bound a run may end: the dispatcher's patience, and a record.
const SLACK: f64 = 0.05;

/// The first scenario, whose run may take so long altogether.
fn bounded(total: f64) -> Scenario {
    let scenario = Scenario::all().remove(0);
    let budget = Budget {
        total_seconds: Some(total),
        ..scenario.file.experiment.budget
    };
    scenario.with_budget(budget)
}

/// What a run's journal adds up to, and how long it ran.
fn told(run: &Simulated<'_>) -> (State, f64) {
    let entries = run.entries();
    let mut state = State::default();
    for entry in &entries {
        state.apply(&entry.record).unwrap();
    }
    (state, entries.last().unwrap().seconds)
}

fn was_not_done(result: &RetrainedResult) -> bool {
    matches!(result, RetrainedResult::Failed { kind: FailureKind::Stopped, message } if message.contains("total_seconds"))
}

#[test]
fn a_run_is_over_when_its_time_is_whatever_runs_then() {
    let (mut cut, mut tested, mut left) = (0, 0, 0);
    for seed in 0..300 {
        let mut luck = Seed(seed).stream(5, Purpose::Tool);
        let total = 0.5 + 3.0 * luck.unit();
        let scenario = bounded(total);
        let mut run = Simulated::new(&scenario, Seed(seed));
        run.well = 70 + luck.below(31);
        assert!(run.live(1 + luck.below(3) as usize).unwrap(), "seed {seed}");
        let (state, seconds) = told(&run);
        assert!(
            seconds <= total + SLACK,
            "seed {seed}: {seconds} of {total}"
        );
        let searched = state.searched.as_ref().unwrap();
        assert_eq!(searched.trials, state.outcomes.len() as u64);
        cut += usize::from(searched.reason == SearchEnd::TotalSeconds);
        if state.winner.is_some() {
            assert_eq!(
                state.retrained.len(),
                5,
                "each is written down, done or not"
            );
            let first = &state.retrained[&(Subject::Winner, 0)].result;
            tested += usize::from(first.score().is_some());
            left += usize::from(
                state
                    .retrained
                    .values()
                    .any(|one| was_not_done(&one.result)),
            );
        }
    }
    assert!(
        cut > 200 && tested > 100 && left > 30,
        "{cut} {tested} {left}"
    );
}

#[test]
fn a_bounded_run_that_is_killed_goes_on_and_ends_in_time() {
    for seed in 0..300 {
        let mut luck = Seed(seed).stream(6, Purpose::Tool);
        let total = 1.0 + 3.0 * luck.unit();
        let scenario = bounded(total);
        let mut run = Simulated::new(&scenario, Seed(seed));
        for life in 0.. {
            let fault = (life < 4).then(|| (1 + luck.below(400), Fault::Kill));
            run.disk.plan(fault);
            let over = match run.live(1 + luck.below(3) as usize) {
                Ok(over) => over && !run.disk.is_dead(),
                Err(RunError::File { .. }) => false,
                Err(error) => panic!("seed {seed}: {error}"),
            };
            run.disk.restart();
            if over {
                break;
            }
        }
        let (_, seconds) = told(&run);
        assert!(
            seconds <= total + SLACK,
            "seed {seed}: {seconds} of {total}"
        );
    }
}

#[test]
fn a_search_that_was_cut_comes_with_more_time_to_what_it_would_have_come_to() {
    let mut cut = 0;
    for seed in 0..60 {
        let scenario = bounded(1.5);
        let mut run = Simulated::new(&scenario, Seed(seed));
        // One worker: no trial is cut off whose result later ones had to wait for.
        assert!(run.live(1).unwrap());
        if told(&run).0.searched.unwrap().reason != SearchEnd::TotalSeconds {
            continue;
        }
        cut += 1;
        let more = bounded(1e6);
        run.raise = Some(more.file.experiment.budget);
        assert!(run.live(2).unwrap());
        assert_eq!(run.digest(), undisturbed(&more).0, "seed {seed}");
    }
    assert!(cut > 30, "{cut}");
}

#[test]
fn a_trial_that_is_cut_off_before_one_with_a_result_has_failed() {
    let mut found = 0;
    for seed in 0..100 {
        let scenario = bounded(1.5);
        let mut run = Simulated::new(&scenario, Seed(seed));
        run.well = 50;
        assert!(run.live(3).unwrap());
        let entries = run.entries();
        let stopped = |record: &Record| matches!(record, Record::Failed(failed) if failed.kind == FailureKind::Stopped);
        let at = entries.iter().position(|entry| stopped(&entry.record));
        let Some(at) = at else { continue };
        found += 1;
        let rest = &entries[at..];
        assert!(
            rest.iter()
                .any(|entry| matches!(entry.record, Record::Finished(_) | Record::Failed(_)))
        );
        assert!(
            rest.iter()
                .all(|entry| !matches!(entry.record, Record::Proposed(_)))
        );
    }
    assert!(found > 10, "{found}");
}
