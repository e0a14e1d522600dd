//! Who does the work: executors, and what passes between them and the dispatcher.
//!
//! The dispatcher submits work and receives messages; nothing else passes between the two. Where the
//! work is done, in threads, in processes or on other machines, only an [`Executor`] knows.

mod attempts;
mod pool;
mod processes;
mod queue;
mod threads;
mod work;

pub(super) use processes::Processes;
pub use processes::WorkerProgram;
pub(super) use threads::{Threads, thread_pool, with_threads};
pub(super) use work::carry_out;
#[cfg(test)]
pub(super) use {attempts::Attempts, queue::Queue};

use super::error::RunError;
use super::evaluators::Evaluators;
use super::event::Unit;
use crate::evaluation::{EpochRecord, Evaluation, Failure};
use crate::random::Seed;
use crate::search::Fidelity;
use crate::space::Candidate;
use crate::training::Recipe;
use std::sync::Arc;
use std::time::Duration;

/// A piece of work.
#[derive(Clone, Debug)]
pub(super) struct Assignment {
    pub unit: Unit,
    /// How often it was tried before.
    pub attempt: u32,
    pub number: u64,
    pub seed: Seed,
    pub candidate: Arc<Candidate>,
    pub recipe: Recipe,
    pub fidelity: Fidelity,
    pub start: Beginning,
}

/// What earlier trials leave to a piece of work: see [`Start`](crate::evaluation::Start).
#[derive(Clone, Debug, Default)]
pub(super) struct Beginning {
    pub epochs: u32,
    pub checkpoint: Option<Arc<[u8]>>,
    pub keep: bool,
    pub legacy: Option<Arc<Legacy>>,
}

/// A trial whose weights another begins with.
#[derive(Clone, Debug)]
pub(super) enum Legacy {
    /// Its network and its weights.
    Weights(Arc<Candidate>, Arc<[u8]>),
    /// Its weights are lost; this gives them again.
    Again(Box<Assignment>),
}

/// What a worker says.
#[derive(Clone, Debug)]
pub(super) enum Message {
    Started {
        unit: Unit,
        worker: usize,
    },
    Epoch {
        unit: Unit,
        worker: usize,
        record: EpochRecord,
    },
    /// The worker was lost, and the work is tried again.
    Lost {
        unit: Unit,
        worker: usize,
        failure: Failure,
    },
    Done(Done),
}

impl Message {
    /// What it is about.
    pub fn unit(&self) -> &Unit {
        match self {
            Self::Started { unit, .. } | Self::Epoch { unit, .. } | Self::Lost { unit, .. } => unit,
            Self::Done(done) => &done.unit,
        }
    }
}

/// A piece of work that is done.
#[derive(Clone, Debug)]
pub(super) struct Done {
    pub unit: Unit,
    /// The attempt that it comes from.
    pub attempt: u32,
    pub worker: usize,
    pub epochs: Vec<EpochRecord>,
    pub result: Evaluation,
    pub seconds: f64,
}

/// How much runs at a time, and for how long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub workers: usize,
    pub threads: usize,
    pub deadline: Option<Duration>,
    pub memory: Option<u64>,
    /// How often work is tried again whose worker was lost.
    pub retries: u32,
}

/// How long other results are waited for before one is made safe, which takes a disk about ten times as long.
const MOMENT: Duration = Duration::from_micros(50);

/// The dispatcher's end of the workers.
pub(super) trait Executor {
    /// Queues a piece of work. Work begins in the order of queueing, but that what is tried once more
    /// goes before what was never begun.
    ///
    /// # Errors
    /// When the work can't reach any worker, now or later.
    fn submit(&mut self, assignment: Assignment) -> Result<(), RunError>;

    /// Drops the work that was never begun, and returns how much that was: the last of what was
    /// submitted. Work that waits to be tried once more stays.
    ///
    /// # Errors
    /// When that can't be found out.
    fn cancel_pending(&mut self) -> Result<usize, RunError>;

    /// Lets go of all work that has no result: nobody waits for it any more. Where workers go with the dispatcher,
    /// they are told to stop when it does.
    ///
    /// # Errors
    /// When that can't be said.
    fn abandon(&mut self) -> Result<(), RunError> {
        Ok(())
    }

    /// The next message, if one comes within `patience`. Of one piece of work, messages come in the
    /// order in which a worker sent them, and exactly one [`Message::Done`] comes last.
    ///
    /// # Errors
    /// When no message will come any more.
    fn next(&mut self, patience: Duration) -> Result<Option<Message>, RunError>;

    /// A message that has come, or comes in a moment: what follows from it is made safe together with what
    /// follows from those before.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    fn in_a_moment(&mut self) -> Result<Option<Message>, RunError> {
        self.next(MOMENT)
    }
}

/// What is done with an executor as long as it is there.
pub(super) type Shift<'a> = dyn FnMut(&mut dyn Executor) -> Result<(), RunError> + 'a;

/// Where executors come from, one for each phase of a run.
pub(super) trait Workforce {
    /// Carries out `shift` with workers for the search. When it returns, work that still runs is told
    /// to stop, and is waited for.
    ///
    /// # Errors
    /// As `shift`, or when there can be no workers.
    fn search(
        &self,
        evaluators: &dyn Evaluators,
        limits: Limits,
        shift: &mut Shift<'_>,
    ) -> Result<(), RunError>;

    /// As [`search`](Self::search), for the selection trainings that the final evaluation begins with.
    ///
    /// # Errors
    /// As [`search`](Self::search).
    fn select(
        &self,
        evaluators: &dyn Evaluators,
        limits: Limits,
        shift: &mut Shift<'_>,
    ) -> Result<(), RunError>;

    /// As [`search`](Self::search), for the final evaluation: test examples are read.
    ///
    /// # Errors
    /// As [`search`](Self::search).
    fn last(
        &self,
        evaluators: &mut dyn Evaluators,
        limits: Limits,
        shift: &mut Shift<'_>,
    ) -> Result<(), RunError>;
}
