//! Controllers: which architecture to try next, given what earlier trials gave.
//!
//! A [`Controller`] is asked for proposals and told results. It is pure: it sees a space, a stream and
//! results, and no clock, no files, no threads, no models. The [`Proposer`] puts a controller to work:
//! it keeps the order of telling, and sees to it that no network is proposed twice.

mod catalogue;
mod elitist;
mod evolution;
mod exhaustive;
mod fidelity;
mod halving;
mod ladder;
mod local;
mod moves;
pub mod pareto;
mod predictor;
mod prefilter;
mod proposer;
mod random;
mod settings;

pub use catalogue::{CONTROLLERS, Description, SETTINGS, description};
pub use elitist::{Elitist, ElitistSettings, Survival};
pub use evolution::{Evolution, EvolutionSettings};
pub use exhaustive::Exhaustive;
pub use fidelity::Fidelity;
pub use halving::{Guide, Halving, HalvingSettings};
pub use ladder::{Ladder, LadderSettings, Level};
pub use local::{LocalSearch, LocalSettings, Step};
pub use moves::Moves;
pub use predictor::{Acquisition, Encoding, Predictor, PredictorSettings};
pub use prefilter::{Prefilter, Scorer};
pub use proposer::{MAX_ATTEMPTS, Proposed, Proposer};
pub use random::RandomSearch;
pub use settings::{ControllerKind, SearchSettings};

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
pub struct Proposal<G = Genome> {
    /// A complete genome of the space.
    pub genome: G,
    /// The trials it was made from, none for a fresh draw.
    pub parents: Vec<TrialId>,
    /// How much of a full evaluation it is to be.
    pub fidelity: Fidelity,
    /// The trial of the same genome that it goes on from, at a fidelity that
    /// [leads to](Fidelity::leads_to) this one.
    pub continues: Option<TrialId>,
}

impl<G> Proposal<G> {
    /// A draw that owes nothing to earlier trials.
    pub fn fresh(genome: G) -> Self {
        Self::child(genome, Vec::new())
    }

    /// A genome made from those of earlier trials.
    pub fn child(genome: G, parents: Vec<TrialId>) -> Self {
        Self {
            genome,
            parents,
            fidelity: Fidelity::FULL,
            continues: None,
        }
    }

    /// The trial `earlier` of the same genome, carried on to a higher fidelity.
    pub fn promotion(genome: G, earlier: TrialId, fidelity: Fidelity) -> Self {
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
pub struct Observed<G = Genome> {
    /// What was tried.
    pub genome: G,
    /// At which fidelity.
    pub fidelity: Fidelity,
    /// How good it was; nothing if the trial failed.
    pub fitness: Option<Fitness>,
    /// What it costs: a figure for each further objective of a search with several, lower is better.
    pub costs: Vec<f64>,
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
    /// Better counts as greater. The order is total: a score or a loss that is no number is the worst.
    pub fn compare(&self, other: &Self) -> Ordering {
        let known = |score: f64| {
            if score.is_nan() {
                f64::NEG_INFINITY
            } else {
                score
            }
        };
        let by_score = known(self.score).total_cmp(&known(other.score));
        by_score.then_with(|| other.loss.total_cmp(&self.loss))
    }

    /// Whether it is strictly better: of two epochs or trials that are equal, the earlier stays.
    pub fn is_better_than(&self, other: &Self) -> bool {
        self.compare(other).is_gt()
    }

    /// As [`compare`](Self::compare), with a failure worse than any result.
    pub fn compare_results(a: Option<&Self>, b: Option<&Self>) -> Ordering {
        match (a, b) {
            (Some(a), Some(b)) => a.compare(b),
            (a, b) => a.is_some().cmp(&b.is_some()),
        }
    }
}

/// A strategy of search.
///
/// Results are told in the order of trials, and trial k is asked for when those of trials
/// 0..=k-lookahead have been told, so a controller that uses nothing but its arguments proposes the
/// same whatever the number of workers.
pub trait Controller<G = Genome>: Send {
    /// A proposal for `trial`. `attempt` counts from 0 how often a proposal for this trial turned out
    /// to have been tried already; a controller should go further afield as it grows.
    fn ask(&mut self, trial: TrialId, attempt: u32, stream: &mut Stream) -> Proposal<G>;

    /// Takes in the result of `trial`.
    fn tell(&mut self, trial: TrialId, result: &Observed<G>);

    /// Whether a later proposal may go on from `trial`, so that where it stands is worth keeping.
    fn may_go_on(&self, trial: TrialId) -> bool {
        let _ = trial;
        false
    }

    /// Whether a later proposal may be made from `trial`, so that its weights are worth keeping.
    fn may_be_parent(&self, trial: TrialId) -> bool {
        let _ = trial;
        true
    }

    /// How many proposals for one trial may turn out to have been tried before the space counts as
    /// exhausted.
    fn patience(&self) -> u32 {
        MAX_ATTEMPTS
    }

    /// Whether being asked leaves no trace, so that several proposals may be drawn for one trial and all
    /// but one of them dropped.
    fn draws(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests;
