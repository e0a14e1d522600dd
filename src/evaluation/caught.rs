//! An evaluation that can't take its worker down.

use super::{Control, EpochRecord, Evaluation, Evaluator, Failure, FailureKind, TrialJob};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Evaluates a job and returns what it gave with its epochs. A panic becomes
/// [`FailureKind::Crashed`] with its message, a figure that is not finite [`FailureKind::Diverged`].
pub fn evaluate_caught(
    evaluator: &dyn Evaluator,
    job: &TrialJob<'_>,
    control: &Control<'_>,
    observe: &mut dyn FnMut(EpochRecord),
) -> (Vec<EpochRecord>, Evaluation) {
    let mut epochs = Vec::new();
    let mut keep = |record: EpochRecord| {
        if record.is_finite() {
            observe(record);
        }
        epochs.push(record);
    };
    // Nothing that a panic leaves half-done is looked at afterwards but the list of whole epochs.
    let run = AssertUnwindSafe(|| evaluator.evaluate(job, control, &mut keep));
    let result = catch_unwind(run).unwrap_or_else(|panic| {
        Err(Failure::new(
            FailureKind::Crashed,
            message_of(panic.as_ref()),
        ))
    });
    let finite = epochs.iter().position(|record| !record.is_finite());
    match finite {
        Some(first) => {
            let number = epochs[first].epoch;
            epochs.truncate(first);
            (
                epochs,
                Err(diverged(format!(
                    "a figure of epoch {number} is not finite"
                ))),
            )
        }
        None => (epochs, result.and_then(require_finite)),
    }
}

fn require_finite(finished: super::Finished) -> Evaluation {
    if finished.score.is_finite() && finished.loss.is_finite() {
        return Ok(finished);
    }
    Err(diverged("the score is not finite".to_owned()))
}

fn diverged(message: String) -> Failure {
    Failure::new(FailureKind::Diverged, message)
}

fn message_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic without a message").to_owned()
}
