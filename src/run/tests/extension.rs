//! Searches that are given a larger budget come to what it would have come to from the start.

use super::disk::Fault;
use super::scenario::Scenario;
use super::simulation::{Simulated, undisturbed};
use crate::random::{Purpose, Seed, Stream};
use crate::run::error::RunError;
use crate::run::experiment::Budget;
use rayon::prelude::*;

/// Simulated extensions in every test run, and in a slow one.
const SEEDS: u64 = 3_000;
const SLOW_SEEDS: u64 = 300_000;

/// How often a run is disturbed at most before it is let go on to its end.
const MOST_LIVES: u32 = 4;

/// A smaller budget of the same kind.
fn smaller(budget: Budget, luck: &mut Stream) -> Budget {
    let less = |most: u64, luck: &mut Stream| 1 + luck.below(most - 1);
    Budget {
        trials: budget.trials.map(|trials| less(trials, luck)),
        epochs: budget.epochs.map(|epochs| less(epochs, luck)),
        ..budget
    }
}

/// The program killed while a search goes on, and told of a larger budget when it ended or before that.
fn extended(scenario: &Scenario, operations: u64, seed: Seed) -> String {
    let mut luck = seed.stream(4, Purpose::Tool);
    let whole = scenario.file.experiment.budget;
    let middle = smaller(whole, &mut luck);
    let first = if middle.trials == Some(1) || middle.epochs == Some(1) {
        middle
    } else {
        smaller(middle, &mut luck)
    };
    let small = scenario.with_budget(first);
    let mut run = Simulated::new(&small, seed);
    let mut steps = vec![middle, whole];
    steps.dedup();
    steps.retain(|step| *step != first);
    let most = scenario.file.experiment.search.lookahead;
    for life in 0.. {
        let disturbed = life < MOST_LIVES && luck.below(3) > 0;
        let fault = disturbed.then(|| {
            let faults = [Fault::Error, Fault::Kill, Fault::PowerCut];
            (1 + luck.below(operations), faults[luck.index(3)])
        });
        run.disk.plan(fault);
        run.well = if disturbed { 60 + luck.below(41) } else { 100 };
        run.interrupt = (disturbed && luck.below(4) == 0).then(|| 1 + luck.below(60));
        let lived = run.live(1 + luck.below(most) as usize);
        let over = match lived {
            Ok(over) => over && !run.disk.is_dead(),
            Err(RunError::File { .. }) if fault.is_some() => false,
            Err(error) => panic!("life {life}: {error}"),
        };
        run.disk.restart();
        if over && steps.is_empty() {
            return run.digest();
        }
        // Mostly once the search has ended; sometimes while it goes on.
        if run.is_there() && !steps.is_empty() && (over || luck.below(4) == 0) {
            run.raise = Some(steps.remove(0));
        }
    }
    unreachable!("some life is the last")
}

fn seeds() -> std::ops::Range<u64> {
    let number = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
    if let Some(seed) = number("STRATA_SIMULATION_SEED") {
        return seed..seed + 1;
    }
    match std::env::var_os("STRATA_SLOW_TESTS") {
        Some(_) => 0..SLOW_SEEDS,
        None => 0..SEEDS,
    }
}

#[test]
fn a_search_that_is_given_more_has_the_digest_of_one_that_had_it_from_the_start() {
    let scenarios = Scenario::extended();
    let wanted: Vec<(String, u64)> = scenarios.iter().map(undisturbed).collect();
    seeds().into_par_iter().for_each(|seed| {
        let at = (seed % scenarios.len() as u64) as usize;
        let (digest, operations) = &wanted[at];
        let play = || extended(&scenarios[at], *operations, Seed(seed));
        let found = std::panic::catch_unwind(std::panic::AssertUnwindSafe(play));
        let found = found.unwrap_or_else(|_| panic!("STRATA_SIMULATION_SEED={seed} replays this"));
        assert_eq!(&found, digest, "STRATA_SIMULATION_SEED={seed} replays this");
    });
}
