//! Evaluation: how good is an architecture?
//!
//! An [`Evaluator`] answers with a score or a typed failure. It is a pure function of its job, so the
//! same job gives the same answer to the last bit, wherever and whenever it runs; measured latency alone is
//! none. It knows nothing of
//! searches, journals or files.

mod caught;
mod command;
mod contributions;
mod failure;
mod gains;
mod latency;
mod models;
mod proxy;
mod table;
mod training;

pub use caught::{evaluate_caught, fit_caught};
pub use command::{CommandEvaluator, CommandSettings, PROTOCOL, Phase as CommandPhase};
pub use contributions::Contributions;
pub use failure::{FAILURES, Failure, FailureInfo, FailureKind, Policy};
pub use gains::{as_cost, is_gain};
pub use latency::{LATENCY, LatencyEvaluator, LatencySettings, WithLatency};
pub use models::WithModels;
pub use proxy::ProxyEvaluator;
pub use table::{Cost, KeyOf, Table, TableError, TableEvaluator, TableSettings};
pub use training::{RetrainingEvaluator, TrainingEvaluator};

use crate::architecture::Architecture;
use crate::random::Seed;
use crate::search::Fidelity;
use crate::space::Genome;
use crate::tabular::{FittedModel, ModelKind};
pub use crate::training::Inherited;
use crate::training::Recipe;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// One thing to evaluate.
#[derive(Clone, Copy, Debug)]
pub struct TrialJob<'a> {
    /// The number that its random streams are drawn by, together with the seed.
    pub number: u64,
    /// The root seed of its random streams.
    pub seed: Seed,
    /// Its decisions, for evaluators that look results up.
    pub genome: Option<&'a Genome>,
    /// The network.
    pub architecture: &'a Architecture,
    /// How it is trained.
    pub recipe: &'a Recipe,
    /// How much of a full evaluation this is.
    pub fidelity: Fidelity,
    /// What earlier trials leave to it.
    pub start: Start<'a>,
}

impl<'a> TrialJob<'a> {
    /// A full evaluation from scratch.
    pub fn new(
        number: u64,
        seed: Seed,
        architecture: &'a Architecture,
        recipe: &'a Recipe,
    ) -> Self {
        Self {
            number,
            seed,
            genome: None,
            architecture,
            recipe,
            fidelity: Fidelity::FULL,
            start: Start::default(),
        }
    }
}

/// What earlier trials leave to an evaluation. Epochs and checkpoint change nothing that comes out, but for
/// the epochs that are reported: those of earlier trials are not reported again.
#[derive(Clone, Copy, Debug, Default)]
pub struct Start<'a> {
    /// The epochs that the trial it goes on from has trained and reported.
    pub epochs: u32,
    /// Where that trial stood at its end, if it is at hand; without it, its epochs are trained again.
    pub checkpoint: Option<&'a [u8]>,
    /// Whether a later trial may go on from this one, so that a checkpoint is worth having.
    pub keep: bool,
    /// The weights that it begins with. Unlike the rest, they do change what comes out.
    pub inherited: Option<Inherited<'a>>,
}

/// When an evaluation has to end before it is done. Looked at every batch.
#[derive(Clone, Copy, Debug)]
pub struct Control<'a> {
    /// Set when the run ends.
    pub stop: &'a AtomicBool,
    /// When this evaluation has taken too long.
    pub deadline: Option<Instant>,
    /// The most memory, in bytes, that it may be predicted to need.
    pub memory_limit: Option<u64>,
}

impl Control<'_> {
    /// Why the evaluation must end now, if it must.
    ///
    /// # Errors
    /// When it was told to stop or ran past its deadline.
    pub fn check(&self) -> Result<(), Failure> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(Failure::stopped());
        }
        match self.deadline {
            Some(deadline) if Instant::now() >= deadline => {
                Err(Failure::new(FailureKind::TimedOut, "ran past its deadline"))
            }
            _ => Ok(()),
        }
    }
}

/// What one epoch gave.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EpochRecord {
    /// The epoch's number, from 1.
    pub epoch: u32,
    /// The learning rate of its last step.
    pub learning_rate: f64,
    /// Mean loss of the training examples while they were trained on.
    pub train_loss: f64,
    /// Mean loss of the validation examples after the epoch, where there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_loss: Option<f64>,
    /// Share of the validation examples that are classified correctly after the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_accuracy: Option<f64>,
    /// The validation score after the epoch where it is no accuracy: F1 of labels, R2 of numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_score: Option<f64>,
}

impl EpochRecord {
    /// The validation score after the epoch, whatever it measures.
    pub fn score(&self) -> Option<f64> {
        self.validation_accuracy.or(self.validation_score)
    }

    /// Whether every figure is a finite number.
    pub fn is_finite(&self) -> bool {
        let figures = [
            Some(self.learning_rate),
            Some(self.train_loss),
            self.validation_loss,
            self.validation_accuracy,
            self.validation_score,
        ];
        figures.into_iter().flatten().all(f64::is_finite)
    }
}

/// What a successful evaluation found.
#[derive(Clone, Debug, PartialEq)]
pub struct Finished {
    /// How good, in the score's own direction: see [`Score`](crate::training::Score).
    pub score: f64,
    /// The mean loss that belongs to the score.
    pub loss: f64,
    /// Further figures by their names; may be empty.
    pub metrics: BTreeMap<String, f64>,
    /// The trained network as safetensors bytes, if the evaluator has one.
    pub weights: Option<Vec<u8>>,
    /// What each example of the test gave to the score, if the evaluator knows.
    pub contributions: Option<Contributions>,
    /// Where training stood at its end, for a trial that goes on from here, if the evaluator can go on.
    pub checkpoint: Option<Vec<u8>>,
    /// What was fitted, if it is no network.
    pub model: Option<FittedModel>,
    /// The epoch that all this is of, from 1, where the best of several was kept.
    pub best_epoch: Option<u32>,
}

impl Finished {
    /// A score and the loss that belongs to it, and nothing else.
    pub fn scored(score: f64, loss: f64) -> Self {
        Self {
            score,
            loss,
            metrics: BTreeMap::new(),
            weights: None,
            contributions: None,
            checkpoint: None,
            model: None,
            best_epoch: None,
        }
    }
}

/// What became of an evaluation.
pub type Evaluation = Result<Finished, Failure>;

/// A way to find out how good an architecture is.
pub trait Evaluator: Sync {
    /// Evaluates one job and reports each epoch as it ends. Must look at `control` often: at least
    /// every batch.
    ///
    /// # Errors
    /// When there is no score: see [`FailureKind`].
    fn evaluate(
        &self,
        job: &TrialJob<'_>,
        control: &Control<'_>,
        observe: &mut dyn FnMut(EpochRecord),
    ) -> Evaluation;

    /// Fits and tests a model that is no network. `job` says how networks are trained and what they give; asks
    /// `control` as often.
    ///
    /// # Errors
    /// When there is no score, and where there is nothing to fit a model to.
    fn fit(&self, kind: ModelKind, _job: &TrialJob<'_>, _control: &Control<'_>) -> Evaluation {
        let message = format!("there is no table to fit {kind} to");
        Err(Failure::new(FailureKind::EvaluatorError, message))
    }
}
