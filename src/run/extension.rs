//! Larger budgets for searches that have a budget already.

use super::error::RunError;
use super::experiment::Budget;
use super::folder::{RunFolder, holds_comparison};
use super::journal::Journal;
use super::manifest;
use super::past::Past;
use super::record::{Extended, Record, SearchEnd};
use super::time::Time;

/// The budget that a run has once it is raised.
///
/// # Errors
/// When something of it is not larger than what the run has, or the search would end where it ended.
pub(super) fn raised(folder: &RunFolder, past: &Past, raise: &Budget) -> Result<Budget, RunError> {
    let started = past.state.started.as_ref();
    let has = started
        .expect("a past begins with the start")
        .experiment
        .budget;
    let found = refusal(folder, past).or_else(|| not_larger(past, &has, raise));
    match found.or_else(|| still_used_up(past, raise)) {
        None => Ok(Budget {
            trials: raise.trials.or(has.trials),
            seconds: raise.seconds.or(has.seconds),
            epochs: raise.epochs.or(has.epochs),
            total_seconds: raise.total_seconds.or(has.total_seconds),
        }),
        Some(message) => {
            let folder = folder.path().to_owned();
            Err(RunError::NotExtended { folder, message })
        }
    }
}

/// Gives a run a larger budget: its journal says so, and its past is as that wants it.
pub(super) fn write(
    folder: &RunFolder,
    journal: &mut dyn Journal,
    past: &mut Past,
    budget: Budget,
    time: &dyn Time,
) -> Result<(), RunError> {
    let record = Record::Extended(Extended { budget });
    let entry = journal.append(record, time.now(), past.story.seconds())?;
    past.take(folder, entry)?;
    past.digest_anew_on(folder)?;
    let started = past.state.started.as_ref();
    let started = started.expect("a past begins with the start");
    manifest::write(folder, started, &past.story, None)
}

/// Why a run's budget can't be raised at all.
fn refusal(folder: &RunFolder, past: &Past) -> Option<String> {
    if let Some(parent) = folder.path().parent()
        && holds_comparison(parent)
    {
        return Some(format!(
            "it is a run of the comparison {}, which holds searches of one budget against each other; start a new \
             comparison with the larger budget",
            parent.display()
        ));
    }
    match past.state.searched.as_ref()?.reason {
        SearchEnd::Exhausted => Some(
            "every architecture of its space was tried, and a larger budget finds no others"
                .to_owned(),
        ),
        SearchEnd::ConsecutiveFailures => Some(
            "too many of its trials failed in a row, as they would have with any budget; see \
             `strata trials --failed`"
                .to_owned(),
        ),
        SearchEnd::Trials | SearchEnd::Seconds | SearchEnd::Epochs | SearchEnd::TotalSeconds => {
            None
        }
    }
}

/// Why a bound is not raised by what was given for it.
fn not_larger(past: &Past, has: &Budget, raise: &Budget) -> Option<String> {
    let whole = |number: u64| number as f64;
    let pairs = [
        ("trials", has.trials.map(whole), raise.trials.map(whole)),
        ("seconds", has.seconds, raise.seconds),
        ("epochs", has.epochs.map(whole), raise.epochs.map(whole)),
        ("total seconds", has.total_seconds, raise.total_seconds),
    ];
    for (what, has, new) in pairs {
        match (has, new) {
            (_, None) => {}
            (None, Some(_)) => {
                return Some(format!("it has no budget in {what} that could be raised"));
            }
            (Some(has), Some(new)) if !(new > has && new.is_finite()) => {
                return Some(format!(
                    "it has a budget of {has} {what} already; name a larger one, or go on with it as it is by \
                     `strata resume`"
                ));
            }
            _ => {}
        }
    }
    let times = [
        (
            "searched",
            "seconds",
            past.story.searching(),
            raise.seconds.or(has.seconds),
        ),
        (
            "run",
            "total-seconds",
            past.story.seconds(),
            raise.total_seconds.or(has.total_seconds),
        ),
    ];
    times.into_iter().find_map(|(what, option, spent, most)| {
        let is_over = most.is_some_and(|most| most <= spent);
        is_over.then(|| {
            format!("it has {what} for {spent:.1} seconds already; name more with `--{option}`")
        })
    })
}

/// Why the search would end at once: what ended it is not raised.
fn still_used_up(past: &Past, raise: &Budget) -> Option<String> {
    let (what, is_raised) = match past.state.searched.as_ref()?.reason {
        SearchEnd::Trials => ("trials", raise.trials.is_some()),
        SearchEnd::Seconds => ("seconds", raise.seconds.is_some()),
        SearchEnd::Epochs => ("epochs", raise.epochs.is_some()),
        SearchEnd::TotalSeconds => ("total-seconds", raise.total_seconds.is_some()),
        SearchEnd::Exhausted | SearchEnd::ConsecutiveFailures => return None,
    };
    let named = what.replace('-', " ");
    let message = || format!("its budget in {named} is used up; raise it with `--{what}`");
    (!is_raised).then(message)
}
