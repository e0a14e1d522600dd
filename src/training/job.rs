//! What goes into a training run and what comes out.

use super::checkpoint::Checkpoint;
use super::objective::{Scores, Undefined};
use super::recipe::{Recipe, RecipeError};
use super::score::{Direction, Score};
use crate::architecture::Architecture;
use crate::data::Part;
use crate::model::{ComputeDevice, Network};
use crate::random::Seed;
use crate::search::Fitness;
use serde::{Deserialize, Serialize};
use std::sync::atomic::AtomicBool;
use std::time::Instant;

/// All that a training run depends on. Deadline and stop can end it early, but change nothing else.
#[derive(Clone, Copy, Debug)]
pub struct Job<'a> {
    /// What to train.
    pub architecture: &'a Architecture,
    /// How to train it.
    pub recipe: &'a Recipe,
    /// The figure to measure it by; the task's own if absent.
    pub score: Option<Score>,
    /// What to learn from.
    pub train: &'a Part,
    /// What to measure on after each epoch.
    pub validation: &'a Part,
    /// The run's root seed.
    pub seed: Seed,
    /// The trial whose streams are drawn from.
    pub trial: u64,
    /// Where to train. Decides the last bits of what comes out.
    pub device: ComputeDevice,
    /// When to give up, checked before each batch.
    pub deadline: Option<Instant>,
    /// Set by another thread to give up, checked before each batch.
    pub stop: &'a AtomicBool,
}

/// Which part of a training run to train. Wherever a run is cut, its parts together give the same bits
/// as the whole: the schedule is the whole run's, and each epoch has streams of its own.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stretch<'a> {
    /// The epoch to end after; absent, or beyond the recipe's: the last.
    pub until: Option<usize>,
    /// Where to go on from; from the first epoch where that is not a checkpoint of this job.
    pub from: Option<&'a Checkpoint>,
    /// Whether a checkpoint is wanted at the end.
    pub keep: bool,
    /// What a network starts with instead of fresh weights, where it begins with the first epoch.
    pub inherited: Option<Inherited<'a>>,
    /// Which epoch counts.
    pub kept: Kept,
}

/// The epoch whose network and scores are those of a training run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kept {
    /// The best one on the validation part.
    #[default]
    Best,
    /// The last one, where the validation part says nothing; patience never ends such a run.
    Last,
}

/// The weights of another network. Every tensor is taken over whose layer has the same address, kind and
/// arguments there, and which has the same shape.
#[derive(Clone, Copy, Debug)]
pub struct Inherited<'a> {
    /// The other network.
    pub architecture: &'a Architecture,
    /// Its weights as safetensors bytes.
    pub weights: &'a [u8],
}

/// What one epoch brought.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// Its number, from 1.
    pub epoch: usize,
    /// The learning rate of its first step.
    pub learning_rate: f64,
    /// Mean loss over its training examples, while the network changed.
    pub train_loss: f64,
    /// Loss on the validation part after it.
    pub validation_loss: f64,
    /// Score on the validation part after it: see [`Scores::score`].
    pub validation_score: f64,
}

impl EpochRecord {
    /// How good the network was after it: what the best epoch and patience are judged by.
    pub fn fitness(&self, direction: Direction) -> Fitness {
        Fitness {
            score: direction.fitness(self.validation_score),
            loss: self.validation_loss,
        }
    }
}

/// What an observer is told after each epoch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// The epoch that ended.
    pub record: EpochRecord,
    /// How many there are at most.
    pub epochs: usize,
}

/// A training run that came to its end.
#[derive(Clone, Debug)]
pub struct Trained {
    /// The network after its best epoch, without gradients.
    pub network: Network,
    /// That epoch, from 1; where the run went on from a checkpoint, it may lie before.
    pub best_epoch: usize,
    /// One record an epoch that was trained in this stretch.
    pub epochs: Vec<EpochRecord>,
    /// Whether `patience` ended it before the number of epochs asked for.
    pub stopped_early: bool,
    /// Where it stands, if that was asked for.
    pub checkpoint: Option<Checkpoint>,
    /// The scores on the validation part after the best epoch.
    pub scores: Scores,
}

/// Why a training run has no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The loss became infinite or not a number.
    #[error("the loss is not finite in epoch {epoch}")]
    Diverged {
        /// The epoch, from 1.
        epoch: usize,
    },
    /// The deadline passed.
    #[error("the deadline passed in epoch {epoch}")]
    TimedOut {
        /// The epoch, from 1.
        epoch: usize,
    },
    /// It was told to stop.
    #[error("stopped in epoch {epoch}")]
    Stopped {
        /// The epoch, from 1.
        epoch: usize,
    },
    /// The recipe is not valid.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    /// The data does not fit the architecture.
    #[error("{0}")]
    Data(String),
    /// The validation part can't give the score.
    #[error(transparent)]
    Undefined(#[from] Undefined),
}
