//! What a worker does with a piece of work, wherever it is.

use super::{Assignment, Legacy};
use crate::evaluation::{
    Control, EpochRecord, Evaluation, Evaluator, Failure, FailureKind, Inherited, Start, TrialJob,
    evaluate_caught, fit_caught,
};
use crate::run::event::Unit;
use crate::run::record::Subject;
use crate::space::Candidate;
use std::sync::Arc;

/// Carries out a piece of work: its epochs and its result.
pub(in crate::run) fn carry_out(
    assignment: &Assignment,
    evaluator: &dyn Evaluator,
    control: &Control<'_>,
    observe: &mut dyn FnMut(EpochRecord),
) -> (Vec<EpochRecord>, Evaluation) {
    let legacy = assignment.start.legacy.as_deref();
    let inherited = match legacy
        .map(|legacy| weights(legacy, evaluator, control))
        .transpose()
    {
        Ok(inherited) => inherited,
        Err(failure) => return (Vec::new(), Err(failure)),
    };
    let job = TrialJob {
        number: assignment.number,
        seed: assignment.seed,
        genome: Some(&assignment.candidate.genome),
        architecture: &assignment.candidate.architecture,
        recipe: &assignment.recipe,
        fidelity: assignment.fidelity,
        start: Start {
            epochs: assignment.start.epochs,
            checkpoint: assignment.start.checkpoint.as_deref(),
            keep: assignment.start.keep,
            inherited: inherited.as_ref().map(|(candidate, weights)| Inherited {
                architecture: &candidate.architecture,
                weights,
            }),
        },
    };
    match &assignment.unit {
        Unit::Retraining {
            subject: Subject::Model(kind),
            ..
        } => (Vec::new(), fit_caught(evaluator, *kind, &job, control)),
        _ => evaluate_caught(evaluator, &job, control, observe),
    }
}

/// The network and the weights that a trial leaves.
fn weights(
    legacy: &Legacy,
    evaluator: &dyn Evaluator,
    control: &Control<'_>,
) -> Result<(Arc<Candidate>, Arc<[u8]>), Failure> {
    let trial = match legacy {
        Legacy::Weights(candidate, weights) => {
            return Ok((Arc::clone(candidate), Arc::clone(weights)));
        }
        Legacy::Again(trial) => trial,
    };
    let (_, result) = carry_out(trial, evaluator, control, &mut |_| ());
    let weights = result?.weights.ok_or_else(|| {
        Failure::new(
            FailureKind::EvaluatorError,
            "`inherit` needs an evaluator that trains: this one leaves no weights",
        )
    })?;
    Ok((Arc::clone(&trial.candidate), Arc::from(weights)))
}
