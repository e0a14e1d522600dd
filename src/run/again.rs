//! Trials of the journal as pieces of work that do them again, from their beginnings.

use super::error::RunError;
use super::event::Unit;
use super::executor::{Assignment, Beginning, Legacy};
use super::setup::Setup;
use super::state::State;
use crate::search::TrialId;
use std::sync::Arc;

/// What does a trial again: from the first epoch of the first trial that it goes on from, with what that
/// one inherited. Needs nothing but the journal.
pub(super) fn again(setup: &Setup, state: &State, trial: TrialId) -> Result<Assignment, RunError> {
    let proposal = state.proposals.get(trial.0 as usize);
    let proposal = proposal.ok_or(RunError::NoResult(trial))?;
    let candidate = setup.candidate(&proposal.genome)?;
    let legacy = match heir_of(setup, state, trial) {
        Some(parent) => Some(Arc::new(Legacy::Again(Box::new(again(
            setup, state, parent,
        )?)))),
        None => None,
    };
    Ok(Assignment {
        unit: Unit::Trial(trial),
        attempt: 0,
        number: state.stream(trial),
        seed: setup.experiment.seed,
        recipe: setup.recipe(&candidate)?,
        candidate: Arc::new(candidate),
        fidelity: proposal.fidelity(),
        start: Beginning {
            epochs: state.epochs_before(trial),
            legacy,
            ..Beginning::default()
        },
    })
}

/// The trial whose weights a trial begins with, if it inherits: the first parent of the first trial that
/// it goes on from.
pub(super) fn heir_of(setup: &Setup, state: &State, trial: TrialId) -> Option<TrialId> {
    let first = state.stream(trial);
    let parents = &state.proposals[first as usize].parents;
    parents.first().copied().filter(|_| setup.inherits())
}
