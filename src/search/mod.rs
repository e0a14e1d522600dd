//! Controllers: which architecture to try next, given what earlier trials gave.
//!
//! A [`Controller`] is asked for proposals and told results. It is pure: it sees a space, a stream and
//! results, and no clock, no files, no threads, no models. The [`Proposer`] puts a controller to work:
//! it keeps the order of telling, and sees to it that no network is proposed twice.

mod evolution;
mod fidelity;
mod proposer;
mod random;
mod settings;

pub use evolution::Evolution;
pub use fidelity::Fidelity;
pub use proposer::{MAX_ATTEMPTS, Proposed, Proposer};
pub use random::RandomSearch;
pub use settings::{ControllerKind, ControllerSettings};

use crate::random::Stream;
use crate::space::Genome;
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::fmt;

/// The number of a trial, from 0, in the order of proposing.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct TrialId(pub u64);

impl fmt::Display for TrialId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// What a controller wants to be tried.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposal {
    /// A complete genome of the space.
    pub genome: Genome,
    /// The trials it was made from, none for a fresh draw.
    pub parents: Vec<TrialId>,
    /// How much of a full evaluation it is to be.
    pub fidelity: Fidelity,
    /// The trial of the same genome that it goes on from, at a fidelity that
    /// [leads to](Fidelity::leads_to) this one.
    pub continues: Option<TrialId>,
}

impl Proposal {
    /// A fresh draw, to be evaluated in full.
    pub fn fresh(genome: Genome) -> Self {
        Self::child(genome, Vec::new())
    }

    /// Something made from earlier trials, to be evaluated in full.
    pub fn child(genome: Genome, parents: Vec<TrialId>) -> Self {
        Self {
            genome,
            parents,
            fidelity: Fidelity::FULL,
            continues: None,
        }
    }

    /// The trial `earlier` of the same genome, carried on to a higher fidelity.
    pub fn promotion(genome: Genome, earlier: TrialId, fidelity: Fidelity) -> Self {
        Self {
            fidelity,
            continues: Some(earlier),
            ..Self::fresh(genome)
        }
    }

    /// The same at another fidelity.
    #[must_use]
    pub fn at(self, fidelity: Fidelity) -> Self {
        Self { fidelity, ..self }
    }
}

/// What came of a trial.
#[derive(Clone, Debug, PartialEq)]
pub struct Observed {
    /// What was tried.
    pub genome: Genome,
    /// At which fidelity.
    pub fidelity: Fidelity,
    /// How good it was; nothing if the trial failed.
    pub fitness: Option<Fitness>,
}

impl Observed {
    /// The result of a full evaluation.
    pub fn full(genome: Genome, fitness: Option<Fitness>) -> Self {
        let fidelity = Fidelity::FULL;
        Self {
            genome,
            fidelity,
            fitness,
        }
    }
}

/// How good a trial was: by score, and of equal scores by loss. Scores such as the accuracy on a few
/// hundred examples are coarse, and the loss tells apart what they can't.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fitness {
    /// Higher is better.
    pub score: f64,
    /// Lower is better.
    pub loss: f64,
}

impl Fitness {
    /// Better counts as greater. The order is total: a loss that is no number is the worst.
    pub fn compare(&self, other: &Self) -> Ordering {
        let by_score = self.score.total_cmp(&other.score);
        by_score.then_with(|| other.loss.total_cmp(&self.loss))
    }
}

/// A strategy of search.
///
/// Results are told in the order of trials, and trial k is asked for when those of trials
/// 0..=k-lookahead have been told, so a controller that uses nothing but its arguments proposes the
/// same whatever the number of workers.
pub trait Controller: Send {
    /// A proposal for `trial`. `attempt` counts from 0 how often a proposal for this trial turned out
    /// to have been tried already; a controller should go further afield as it grows.
    fn ask(&mut self, trial: TrialId, attempt: u32, stream: &mut Stream) -> Proposal;

    /// Takes in the result of `trial`.
    fn tell(&mut self, trial: TrialId, result: &Observed);
}

#[cfg(test)]
mod tests;
