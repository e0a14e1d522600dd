//! The training loop.

use super::loss::{Scores, cross_entropy, evaluate_while};
use super::optimizer::{Optimizer, clip_gradients, gradients};
use super::recipe::{Recipe, RecipeError};
use super::schedule::learning_rate;
use crate::architecture::{Architecture, Output};
use crate::data::Part;
use crate::layers::Mode;
use crate::model::Network;
use crate::random::{Purpose, Seed, Stream};
use burn::tensor::Device;
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// All that a training run depends on. Deadline and stop can end it early, but change nothing else.
#[derive(Clone, Copy, Debug)]
pub struct Job<'a> {
    /// What to train.
    pub architecture: &'a Architecture,
    /// How to train it.
    pub recipe: &'a Recipe,
    /// What to learn from.
    pub train: &'a Part,
    /// What to measure on after each epoch.
    pub validation: &'a Part,
    /// The run's root seed.
    pub seed: Seed,
    /// The trial whose streams are drawn from.
    pub trial: u64,
    /// When to give up, checked before each batch.
    pub deadline: Option<Instant>,
    /// Set by another thread to give up, checked before each batch.
    pub stop: &'a AtomicBool,
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
    /// Accuracy on the validation part after it.
    pub validation_accuracy: f64,
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
    /// The network after its last epoch, without gradients.
    pub network: Network,
    /// One record an epoch.
    pub epochs: Vec<EpochRecord>,
    /// Whether `patience` ended it before the recipe's number of epochs.
    pub stopped_early: bool,
}

impl Trained {
    /// The scores on the validation part after the last epoch.
    pub fn last(&self) -> Scores {
        let record = self.epochs.last().expect("a recipe has at least one epoch");
        Scores {
            loss: record.validation_loss,
            accuracy: record.validation_accuracy,
        }
    }
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
}

/// Trains a candidate and calls `observer` after each epoch.
///
/// Weights are drawn from the trial's `init` stream. Each epoch has streams of its own for its order
/// and its noise, so epoch k is the same whatever came before. The last, shorter batch of an epoch is
/// kept, unless it is a single example and the network has batch statistics: one example has none.
///
/// # Errors
/// When the loss stops being finite, the deadline passes, `stop` is set, the recipe is not valid or
/// the data does not fit. Early stopping by `patience` is a success.
pub fn train(job: &Job<'_>, observer: &mut dyn FnMut(&Progress)) -> Result<Trained, Failure> {
    job.recipe.validate()?;
    check_data(job)?;
    let device = Device::flex().autodiff();
    let mut init = job.seed.stream(job.trial, Purpose::Init);
    let network = Network::build(job.architecture, &mut init, &device);
    let optimizer = Optimizer::new(job.recipe, network.parameters().len());
    let batches = BatchPlan::of(job);
    let mut run = Run {
        job,
        network,
        optimizer,
        batches,
        step: 0,
        epoch: 0,
    };
    let (mut epochs, mut patience) = (Vec::new(), Patience::new(job.recipe.patience));
    while run.epoch < job.recipe.epochs {
        let record = run.epoch()?;
        epochs.push(record);
        observer(&Progress {
            record,
            epochs: job.recipe.epochs,
        });
        if patience.is_over(record.validation_loss) {
            break;
        }
    }
    let stopped_early = epochs.len() < job.recipe.epochs;
    Ok(Trained {
        network: run.network.without_gradients(),
        epochs,
        stopped_early,
    })
}

/// The state of a run between two batches.
struct Run<'a> {
    job: &'a Job<'a>,
    network: Network,
    optimizer: Optimizer,
    batches: BatchPlan,
    step: u64,
    epoch: usize,
}

impl Run<'_> {
    fn epoch(&mut self) -> Result<EpochRecord, Failure> {
        self.epoch += 1;
        let first_rate = self.learning_rate();
        let train_loss = self.pass()?;
        let scores = evaluate_while(&self.network, self.job.validation, || {
            self.check_interruption()
        })?;
        if !scores.loss.is_finite() {
            return Err(Failure::Diverged { epoch: self.epoch });
        }
        Ok(EpochRecord {
            epoch: self.epoch,
            learning_rate: first_rate,
            train_loss,
            validation_loss: scores.loss,
            validation_accuracy: scores.accuracy,
        })
    }

    /// One pass over the training examples; their mean loss.
    fn pass(&mut self) -> Result<f64, Failure> {
        let job = self.job;
        let mut noise = self.stream(Purpose::Dropout);
        let mut order: Vec<usize> = (0..job.train.len()).collect();
        self.stream(Purpose::Shuffle).shuffle(&mut order);
        let (mut total, mut examples) = (0.0, 0usize);
        for indices in order.chunks(job.recipe.batch_size).take(self.batches.steps) {
            self.check_interruption()?;
            let loss = self.batch(indices, &mut noise)?;
            total += loss * indices.len() as f64;
            examples += indices.len();
        }
        Ok(total / examples as f64)
    }

    fn batch(&mut self, indices: &[usize], noise: &mut Stream) -> Result<f64, Failure> {
        let recipe = self.job.recipe;
        let (inputs, labels) = gather(self.job.train, indices);
        let input = self.network.batch(inputs);
        let logits = self.network.forward(input, Mode::Training(noise)).vector();
        let loss = cross_entropy(logits, &labels, recipe.label_smoothing);
        let value = f64::from(loss.clone().into_scalar::<f32>());
        if !value.is_finite() {
            return Err(Failure::Diverged { epoch: self.epoch });
        }
        // A network whose output depends on no weight has nothing to learn.
        if loss.is_tracked() {
            let mut gradients = gradients(self.network.parameters(), &mut loss.backward());
            if let Some(max_norm) = recipe.gradient_clip_norm {
                clip_gradients(&mut gradients, max_norm);
            }
            let rate = self.learning_rate();
            self.optimizer
                .step(self.network.parameters_mut(), &gradients, rate);
        }
        self.step += 1;
        Ok(value)
    }

    fn learning_rate(&self) -> f64 {
        learning_rate(self.job.recipe, self.step, self.batches.steps as u64)
    }

    fn stream(&self, purpose: Purpose) -> Stream {
        let seed = self.job.seed.derive("epoch", self.epoch as u64);
        seed.stream(self.job.trial, purpose)
    }

    fn check_interruption(&self) -> Result<(), Failure> {
        if self.job.stop.load(Ordering::Relaxed) {
            return Err(Failure::Stopped { epoch: self.epoch });
        }
        match self.job.deadline {
            Some(deadline) if Instant::now() >= deadline => {
                Err(Failure::TimedOut { epoch: self.epoch })
            }
            _ => Ok(()),
        }
    }
}

/// How an epoch is divided.
#[derive(Clone, Copy, Debug)]
struct BatchPlan {
    /// Batches an epoch.
    steps: usize,
}

impl BatchPlan {
    fn of(job: &Job<'_>) -> Self {
        let (examples, batch) = (job.train.len(), job.recipe.batch_size);
        let single = examples % batch == 1 && examples > 1 && batch > 1;
        let drop_last = single && has_batch_statistics(job.architecture);
        Self {
            steps: examples.div_ceil(batch) - usize::from(drop_last),
        }
    }
}

fn has_batch_statistics(architecture: &Architecture) -> bool {
    let mut layers = architecture.nodes().iter().filter_map(|node| node.layer());
    layers.any(|layer| layer.kind.name() == "batch_norm")
}

/// Counts epochs without a better validation loss.
struct Patience {
    limit: Option<usize>,
    best: f64,
    waited: usize,
}

impl Patience {
    fn new(limit: Option<usize>) -> Self {
        Self {
            limit,
            best: f64::INFINITY,
            waited: 0,
        }
    }

    fn is_over(&mut self, loss: f64) -> bool {
        if loss < self.best {
            (self.best, self.waited) = (loss, 0);
        } else {
            self.waited += 1;
        }
        self.limit.is_some_and(|limit| self.waited >= limit)
    }
}

fn gather(part: &Part, indices: &[usize]) -> (Vec<f32>, Vec<u32>) {
    let mut inputs = Vec::with_capacity(indices.len() * part.shape.elements());
    for &index in indices {
        inputs.extend_from_slice(part.example(index));
    }
    (
        inputs,
        indices.iter().map(|&index| part.labels[index]).collect(),
    )
}

fn check_data(job: &Job<'_>) -> Result<(), Failure> {
    let Output::Classes(classes) = job.architecture.output();
    let input = job.architecture.input();
    for (name, part) in [("training", job.train), ("validation", job.validation)] {
        if part.is_empty() {
            return Err(Failure::Data(format!("the {name} part has no examples")));
        }
        if part.shape != input {
            let shape = part.shape;
            return Err(Failure::Data(format!(
                "the {name} part's examples are {shape}, the network takes {input}"
            )));
        }
        if part.classes != classes {
            return Err(Failure::Data(format!(
                "the {name} part has {} classes, the network {classes}",
                part.classes
            )));
        }
    }
    Ok(())
}
