//! What a worker in another process is told, and what it says: messages in bytes.
//!
//! A message says everything that is not in the run's own texts: a worker that has read the experiment
//! and the space of a run, as `resume` does, needs nothing else to carry one out. Messages are CBOR:
//! bytes stay bytes, and every bit of a float arrives. They are read by the version that wrote them
//! and by no other, so they may change with [`PROTOCOL`].

use super::error::RunError;
use super::event::Unit;
use super::executor::{Assignment, Beginning, Legacy};
use super::manifest;
use super::record::{Started, Subject};
use super::setup::Setup;
use crate::evaluation::{Contributions, EpochRecord, Evaluation, Failure, FailureKind, Finished};
use crate::random::Seed;
use crate::search::Fidelity;
use crate::space::{Candidate, Genome};
use crate::tabular::FittedModel;
use crate::training::Recipe;
use serde::de::{DeserializeOwned, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// The version of the messages.
pub(super) const PROTOCOL: u32 = 3;

/// What a worker is told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Order {
    /// What it works at, and within which limits: the first order, and the only one of its kind.
    Begin(Terms),
    /// A task to carry out.
    Work(Box<Task>),
}

/// What a worker works at, and within which limits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Terms {
    pub stage: Stage,
    /// Threads of one task.
    pub threads: usize,
    /// Seconds that a task may take.
    pub deadline: Option<f64>,
    /// Bytes that a network may be predicted to need.
    pub memory_limit: Option<u64>,
    /// Bytes that the process may take beyond what it has when it is ready.
    pub memory_cap: Option<u64>,
}

/// What work is part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Stage {
    /// The search.
    Search,
    /// The selection trainings of the final evaluation, which see none.
    Selection,
    /// The final evaluation, which sees test examples.
    Last,
}

/// A piece of work in words: what an [`Assignment`] is once the run is known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Task {
    /// How often it was tried before.
    pub attempt: u32,
    /// The work.
    work: Link,
    /// The work whose lost weights it begins with, the work whose weights that one begins with, and so on.
    earlier: Vec<Link>,
    /// What the last of these begins with.
    legacy: Option<Estate>,
}

/// One piece of work without what it inherits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Link {
    unit: Unit,
    number: u64,
    seed: Seed,
    network: Network,
    recipe: Recipe,
    fidelity: Fidelity,
    epochs: u32,
    keep: bool,
    checkpoint: Option<Bytes>,
}

/// A network by where the run's texts have it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Network {
    /// In the space, by its decisions.
    Genome(Genome),
    /// The baseline of this name.
    Baseline(String),
}

/// A network and its weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Estate {
    network: Network,
    weights: Bytes,
}

impl Task {
    /// An assignment in words.
    pub fn of(assignment: &Assignment) -> Self {
        let mut earlier = Vec::new();
        let mut legacy = assignment.start.legacy.as_deref();
        while let Some(Legacy::Again(again)) = legacy {
            earlier.push(Link::of(again));
            legacy = again.start.legacy.as_deref();
        }
        let legacy = match legacy {
            Some(Legacy::Weights(candidate, weights)) => Some(Estate {
                network: Network::Genome(candidate.genome.clone()),
                weights: Bytes(Arc::clone(weights)),
            }),
            _ => None,
        };
        Self {
            attempt: assignment.attempt,
            work: Link::of(assignment),
            earlier,
            legacy,
        }
    }

    /// What it is about.
    pub fn unit(&self) -> &Unit {
        &self.work.unit
    }

    /// The assignment, in the run that it belongs to.
    ///
    /// # Errors
    /// When the run has no such network: it is another run's.
    pub fn open(self, setup: &Setup) -> Result<Assignment, RunError> {
        let legacy = self.legacy.map(|estate| {
            let candidate = Arc::new(estate.network.open(setup)?);
            Ok::<_, RunError>(Legacy::Weights(candidate, estate.weights.0))
        });
        let mut legacy = legacy.transpose()?.map(Arc::new);
        for link in self.earlier.into_iter().rev() {
            let again = Legacy::Again(Box::new(link.open(setup, legacy)?));
            legacy = Some(Arc::new(again));
        }
        let attempt = self.attempt;
        let assignment = self.work.open(setup, legacy)?;
        Ok(Assignment {
            attempt,
            ..assignment
        })
    }
}

impl Link {
    fn of(assignment: &Assignment) -> Self {
        Self {
            unit: assignment.unit.clone(),
            number: assignment.number,
            seed: assignment.seed,
            network: Network::of(&assignment.unit, &assignment.candidate),
            recipe: assignment.recipe.clone(),
            fidelity: assignment.fidelity,
            epochs: assignment.start.epochs,
            keep: assignment.start.keep,
            checkpoint: assignment.start.checkpoint.clone().map(Bytes),
        }
    }

    fn open(self, setup: &Setup, legacy: Option<Arc<Legacy>>) -> Result<Assignment, RunError> {
        Ok(Assignment {
            unit: self.unit,
            attempt: 0,
            number: self.number,
            seed: self.seed,
            candidate: Arc::new(self.network.open(setup)?),
            recipe: self.recipe,
            fidelity: self.fidelity,
            start: Beginning {
                epochs: self.epochs,
                checkpoint: self.checkpoint.map(|bytes| bytes.0),
                keep: self.keep,
                legacy,
            },
        })
    }
}

impl Network {
    fn of(unit: &Unit, candidate: &Candidate) -> Self {
        match unit {
            Unit::Selection {
                subject: Subject::Baseline(name),
            }
            | Unit::Retraining {
                subject: Subject::Baseline(name),
                ..
            } => Self::Baseline(name.clone()),
            _ => Self::Genome(candidate.genome.clone()),
        }
    }

    fn open(self, setup: &Setup) -> Result<Candidate, RunError> {
        let name = match self {
            Self::Genome(genome) => return setup.candidate(&genome),
            Self::Baseline(name) => name,
        };
        let found = setup.baselines.iter().find(|known| known.name == name);
        let found = found.ok_or_else(|| RunError::Unfit {
            space: setup.space.name().to_owned(),
            message: format!("the run has no baseline `{name}`"),
        })?;
        Ok(found.candidate.clone())
    }
}

/// What a worker says of a task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Report {
    /// It begins.
    Started(Attempt),
    /// An epoch of it is done.
    Epoch(Attempt, EpochRecord),
    /// It is done.
    Done(Box<Completed>),
}

/// Which attempt at which piece of work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Attempt {
    pub unit: Unit,
    pub attempt: u32,
}

/// A task that is done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Completed {
    pub of: Attempt,
    pub epochs: Vec<EpochRecord>,
    pub seconds: f64,
    result: Answer,
}

impl Completed {
    /// What became of an attempt.
    pub fn new(of: Attempt, epochs: Vec<EpochRecord>, result: Evaluation, seconds: f64) -> Self {
        Self {
            of,
            epochs,
            seconds,
            result: Answer::of(result),
        }
    }

    /// The result.
    pub fn into_result(self) -> Evaluation {
        self.result.into_evaluation()
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Answer {
    Finished {
        score: f64,
        loss: f64,
        metrics: BTreeMap<String, f64>,
        weights: Option<Bytes>,
        contributions: Option<Contributions>,
        checkpoint: Option<Bytes>,
        model: Option<FittedModel>,
        best_epoch: Option<u32>,
    },
    Failed {
        kind: FailureKind,
        message: String,
    },
}

impl Answer {
    fn of(result: Evaluation) -> Self {
        let bytes = |bytes: Option<Vec<u8>>| bytes.map(|bytes| Bytes(Arc::from(bytes)));
        match result {
            Ok(finished) => Self::Finished {
                score: finished.score,
                loss: finished.loss,
                metrics: finished.metrics,
                weights: bytes(finished.weights),
                contributions: finished.contributions,
                checkpoint: bytes(finished.checkpoint),
                model: finished.model,
                best_epoch: finished.best_epoch,
            },
            Err(Failure { kind, message }) => Self::Failed { kind, message },
        }
    }

    fn into_evaluation(self) -> Evaluation {
        let bytes = |bytes: Option<Bytes>| bytes.map(|bytes| bytes.0.to_vec());
        match self {
            Self::Finished {
                score,
                loss,
                metrics,
                weights,
                contributions,
                checkpoint,
                model,
                best_epoch,
            } => Ok(Finished {
                score,
                loss,
                metrics,
                weights: bytes(weights),
                contributions,
                checkpoint: bytes(checkpoint),
                model,
                best_epoch,
            }),
            Self::Failed { kind, message } => Err(Failure { kind, message }),
        }
    }
}

/// What a worker is made of. Two that differ may give other bits, so they never share a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Identity {
    /// The version of the messages.
    pub protocol: u32,
    /// The version of strata.
    pub strata: String,
    /// The version of burn.
    pub burn: String,
    /// The instructions that kernels use.
    pub instructions: String,
    /// SHA-256 of the search space's text.
    pub space: String,
    /// SHA-256 of the data.
    pub data: String,
    /// SHA-256 of how it is divided.
    pub split: String,
}

impl Identity {
    /// What this process is, with the data that it has loaded.
    pub fn here(space: &str, data: &str, split: &str) -> Self {
        Self {
            protocol: PROTOCOL,
            strata: manifest::STRATA.to_owned(),
            burn: manifest::BURN.to_owned(),
            instructions: crate::kernels::path().to_owned(),
            space: space.to_owned(),
            data: data.to_owned(),
            split: split.to_owned(),
        }
    }

    /// What this process has to be to work for a run that this version goes on with.
    pub fn of_run(started: &Started) -> Self {
        let Started {
            space_hash,
            data_hash,
            split_hash,
            ..
        } = started;
        Self::here(space_hash, data_hash, split_hash)
    }

    /// The first thing in which a worker differs from what it has to be, in words.
    pub fn difference(&self, wanted: &Self) -> Option<String> {
        let pairs = [
            ("the version of strata", &self.strata, &wanted.strata),
            ("the version of burn", &self.burn, &wanted.burn),
            (
                "the kernels' instructions",
                &self.instructions,
                &wanted.instructions,
            ),
            ("the space", &self.space, &wanted.space),
            ("the data", &self.data, &wanted.data),
            ("the split of the data", &self.split, &wanted.split),
        ];
        if self.protocol != wanted.protocol {
            let (here, there) = (self.protocol, wanted.protocol);
            return Some(format!("the messages: {here} here, {there} in the run"));
        }
        let found = pairs.into_iter().find(|(_, here, there)| here != there);
        found.map(|(what, here, there)| format!("{what}: {here} here, {there} in the run"))
    }
}

/// A message as bytes.
pub(super) fn to_bytes(message: &impl Serialize) -> Vec<u8> {
    let mut bytes = Vec::new();
    ciborium::into_writer(message, &mut bytes)
        .expect("messages are plain data, and memory is there");
    bytes
}

/// The message in `bytes`, which hold nothing else.
///
/// # Errors
/// What is wrong with them.
pub(super) fn from_bytes<T: DeserializeOwned>(mut bytes: &[u8]) -> Result<T, String> {
    let message = ciborium::from_reader(&mut bytes).map_err(|error| error.to_string())?;
    match bytes.len() {
        0 => Ok(message),
        left => Err(format!("{left} bytes are left over")),
    }
}

/// Bytes that are written as such.
#[derive(Clone, PartialEq)]
struct Bytes(Arc<[u8]>);

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_byte_buf(BytesVisitor)
    }
}

struct BytesVisitor;

impl<'de> Visitor<'de> for BytesVisitor {
    type Value = Bytes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bytes")
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Bytes, E> {
        Ok(Bytes(Arc::from(bytes)))
    }

    fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<Bytes, E> {
        Ok(Bytes(Arc::from(bytes)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Bytes, A::Error> {
        let mut bytes = Vec::new();
        while let Some(byte) = sequence.next_element()? {
            bytes.push(byte);
        }
        Ok(Bytes(Arc::from(bytes)))
    }
}

#[cfg(test)]
mod tests;
