//! Running trials of a run again, to see whether they give the same to the last bit.

use super::again::again;
use super::core::{PATIENCE, Work};
use super::error::RunError;
use super::evaluators::Evaluators;
use super::event::{Event, Unit};
use super::executor::{Assignment, Done, Limits, Message, with_threads};
use super::lifecycle::{Options, check_hashes, limits, load};
use super::manifest;
use super::record::{Host, made_by};
use super::state::Outcome;
use super::summary::RecordedRun;
use crate::evaluation::{EpochRecord, FailureKind};
use crate::random::{Purpose, Seed};
use crate::search::TrialId;
use serde::Serialize;
use std::path::Path;
use std::sync::atomic::Ordering;

/// What came of running trials again.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Verification {
    /// The trials, in order, with how each differs; no words if it does not.
    pub checked: Vec<Checked>,
    /// Whether it was told to stop before it was done.
    pub interrupted: bool,
    /// The program and the processor that the run was started by.
    pub made_by: String,
    /// Those that ran its trials again.
    pub verified_by: String,
}

/// A trial that was run again.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Checked {
    /// The trial.
    pub trial: TrialId,
    /// How it differs from the journal; empty if it does not.
    pub differences: Vec<String>,
    /// The network that it trained, as safetensors bytes, if it was the only trial.
    #[serde(skip)]
    pub weights: Option<Vec<u8>>,
}

/// Which trials are run again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sample {
    /// So many, drawn by a seed. Those that timed out are left out, as time is not reproducible.
    Drawn(usize, Seed),
    /// This one.
    Trial(TrialId),
}

impl Verification {
    /// Whether nothing differs.
    pub fn is_equal(&self) -> bool {
        self.checked
            .iter()
            .all(|checked| checked.differences.is_empty())
    }
}

/// Runs trials of a run again and compares every figure bit for bit.
///
/// # Errors
/// When the run can't be read, its data has changed, its scores are measured times, or it has no result of the trial.
pub fn verify(
    folder: &Path,
    sample: Sample,
    options: &Options<'_>,
    watch: &mut dyn FnMut(&Event),
) -> Result<Verification, RunError> {
    let run = RecordedRun::open(folder)?;
    let started = run.started();
    let evaluator = &started.experiment.evaluator;
    if evaluator.measures() {
        return Err(RunError::Measured(evaluator.info().name));
    }
    if started.scores_other_epochs() {
        let what = "repeat them; verify the run with the build that made it";
        return Err(RunError::other_training(what, started));
    }
    let evaluators = load(started, &options.place)?;
    check_hashes(started, evaluators.as_ref())?;
    let trials = match sample {
        Sample::Drawn(count, seed) => choose(&run, count, seed),
        Sample::Trial(trial) => match run.state().outcomes.get(trial.0 as usize) {
            Some(_) => vec![trial],
            None => return Err(RunError::NoResult(trial)),
        },
    };
    verify_with(&run, evaluators.as_ref(), &trials, options, watch)
}

/// Runs the given trials again, with evaluators of the caller's.
///
/// # Errors
/// When the run can't be read.
pub fn verify_with(
    run: &RecordedRun,
    evaluators: &dyn Evaluators,
    trials: &[TrialId],
    options: &Options<'_>,
    watch: &mut dyn FnMut(&Event),
) -> Result<Verification, RunError> {
    let setup = run.setup()?;
    // A deadline would make the answer depend on how busy the machine is.
    let limits = Limits {
        deadline: None,
        ..limits(&setup.experiment, options)?
    };
    let work = trials
        .iter()
        .map(|&trial| again(&setup, run.state(), trial));
    let work: Vec<Assignment> = work.collect::<Result<_, _>>()?;
    let mut checked = Vec::new();
    with_threads(evaluators.search().as_ref(), limits, &mut |executor| {
        for assignment in &work {
            executor.submit(assignment.clone())?;
        }
        while checked.len() < work.len() && !options.stop.load(Ordering::Relaxed) {
            match executor.next(PATIENCE)? {
                Some(Message::Done(done)) => {
                    let found = compare(run, done, watch)?;
                    checked.push(Checked {
                        weights: found.weights.filter(|_| work.len() == 1),
                        ..found
                    });
                }
                Some(message) => pass_on(message, &work, setup.score_name(), watch),
                None => {}
            }
        }
        Ok(())
    })?;
    checked.sort_by_key(|checked| checked.trial);
    let interrupted = checked.len() < work.len();
    let here = Host {
        kernels: manifest::kernels(),
        cpu: manifest::cpu_model(),
        ..Host::default()
    };
    Ok(Verification {
        checked,
        interrupted,
        made_by: run.started().made_by(),
        verified_by: made_by(manifest::STRATA, manifest::BURN, &here),
    })
}

/// Up to `count` trials of a run that can be run again, in order.
pub fn choose(run: &RecordedRun, count: usize, seed: Seed) -> Vec<TrialId> {
    let outcomes = run.state().outcomes.iter().enumerate();
    let able = outcomes.filter(|(_, outcome)| match outcome {
        Outcome::Finished(_) => true,
        Outcome::Failed(failed) => failed.kind != FailureKind::TimedOut,
    });
    let mut trials: Vec<TrialId> = able.map(|(index, _)| TrialId(index as u64)).collect();
    seed.stream(0, Purpose::Tool).shuffle(&mut trials);
    trials.truncate(count);
    trials.sort_unstable();
    trials
}

fn pass_on(
    message: Message,
    work: &[Assignment],
    score_name: &'static str,
    watch: &mut dyn FnMut(&Event),
) {
    match message {
        Message::Done(_) | Message::Lost { .. } => {}
        Message::Epoch {
            unit,
            worker,
            record,
        } => watch(&Event::Epoch {
            unit,
            worker,
            record,
        }),
        Message::Started { unit, worker } => {
            if let Some(task) = work.iter().find(|task| task.unit == unit) {
                let Work {
                    params,
                    epochs,
                    score_name,
                } = Work::of(
                    &task.candidate.architecture,
                    task.fidelity.epochs_of(task.recipe.epochs),
                    score_name,
                );
                watch(&Event::Started {
                    unit,
                    worker,
                    params,
                    epochs,
                    score_name,
                });
            }
        }
    }
}

fn compare(
    run: &RecordedRun,
    done: Done,
    watch: &mut dyn FnMut(&Event),
) -> Result<Checked, RunError> {
    let Unit::Trial(trial) = done.unit else {
        unreachable!("a verification runs trials");
    };
    let outcome = run.state().outcomes.get(trial.0 as usize);
    let outcome = outcome.ok_or(RunError::NoResult(trial))?;
    let differences = differences(outcome, &done);
    let (unit, seconds) = (done.unit.clone(), done.seconds);
    match &done.result {
        Ok(finished) => watch(&Event::Finished {
            unit,
            score: finished.score,
            seconds,
        }),
        Err(failure) => {
            let (kind, message) = (failure.kind, failure.message.clone());
            watch(&Event::Failed {
                unit,
                kind,
                message,
            });
        }
    }
    Ok(Checked {
        trial,
        differences,
        weights: done.result.ok().and_then(|finished| finished.weights),
    })
}

fn differences(then: &Outcome, now: &Done) -> Vec<String> {
    let mut found = Vec::new();
    match (then, &now.result) {
        (Outcome::Finished(then), Ok(now)) => {
            push_unequal(&mut found, "score", then.score, now.score);
            push_unequal(&mut found, "loss", then.loss, now.loss);
            if then.best_epoch != now.best_epoch {
                let number =
                    |epoch: Option<u32>| epoch.map_or("none".to_owned(), |e| e.to_string());
                let (then, now) = (number(then.best_epoch), number(now.best_epoch));
                found.push(format!("best epoch: {then} then, {now} now"));
            }
        }
        (Outcome::Failed(then), Err(now)) if then.kind == now.kind => {}
        (Outcome::Finished(_), Err(now)) => found.push(format!("finished then, {now} now")),
        (Outcome::Failed(then), Err(now)) => {
            found.push(format!("{} then, {now} now", then.kind.name()));
        }
        (Outcome::Failed(then), Ok(_)) => {
            found.push(format!("{} then, finished now", then.kind.name()));
        }
    }
    let (then, now) = (then.epochs(), &now.epochs);
    if then.len() != now.len() {
        found.push(format!("{} epochs then, {} now", then.len(), now.len()));
    }
    for (then, now) in then.iter().zip(now) {
        for ((name, then), (_, now)) in figures(then).into_iter().zip(figures(now)) {
            push_unequal(&mut found, &name, then, now);
        }
    }
    found
}

fn push_unequal(found: &mut Vec<String>, name: &str, then: f64, now: f64) {
    if then.to_bits() != now.to_bits() {
        found.push(format!("{name}: {then} then, {now} now"));
    }
}

fn figures(record: &EpochRecord) -> Vec<(String, f64)> {
    let missing = f64::NAN;
    [
        ("learning rate", record.learning_rate),
        ("training loss", record.train_loss),
        ("validation loss", record.validation_loss.unwrap_or(missing)),
        ("validation score", record.score().unwrap_or(missing)),
    ]
    .map(|(name, figure)| (format!("{name} of epoch {}", record.epoch), figure))
    .to_vec()
}
