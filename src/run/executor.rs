//! Workers: each does one piece of work at a time, in a rayon pool of its own.
//!
//! The dispatcher hands out work and receives messages; nothing else passes between the two. The size
//! of a worker's pool is part of the experiment, so no sum depends on what else runs.

use super::error::RunError;
use super::event::Unit;
use crate::evaluation::{
    Control, EpochRecord, Evaluation, Evaluator, Failure, FailureKind, Inherited, Start, TrialJob,
    evaluate_caught,
};
use crate::random::Seed;
use crate::search::Fidelity;
use crate::space::Candidate;
use crate::training::Recipe;
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

/// A piece of work.
#[derive(Clone, Debug)]
pub(super) struct Assignment {
    pub unit: Unit,
    pub number: u64,
    pub seed: Seed,
    pub candidate: Arc<Candidate>,
    pub recipe: Recipe,
    pub fidelity: Fidelity,
    pub start: Beginning,
}

/// What earlier trials leave to a piece of work: see [`Start`].
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
#[derive(Debug)]
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
    Done(Done),
}

impl Message {
    /// What it is about.
    pub fn unit(&self) -> &Unit {
        match self {
            Self::Started { unit, .. } | Self::Epoch { unit, .. } => unit,
            Self::Done(done) => &done.unit,
        }
    }
}

/// A piece of work that is done.
#[derive(Debug)]
pub(super) struct Done {
    pub unit: Unit,
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
}

/// The dispatcher's end of the workers.
pub(super) struct Pool {
    desks: Vec<Sender<Assignment>>,
    idle: Vec<usize>,
    pending: VecDeque<Assignment>,
    inbox: Receiver<Message>,
}

impl Pool {
    /// Queues a piece of work. Work begins in the order of queueing.
    pub fn submit(&mut self, assignment: Assignment) {
        self.pending.push_back(assignment);
        self.hand_out();
    }

    /// Drops the work that has not begun and returns how much that was.
    pub fn cancel_pending(&mut self) -> usize {
        self.pending.drain(..).count()
    }

    /// The next message, if one comes within `patience`.
    pub fn next(&mut self, patience: Duration) -> Option<Message> {
        let message = match self.inbox.recv_timeout(patience) {
            Ok(message) => message,
            Err(RecvTimeoutError::Timeout) => return None,
            Err(RecvTimeoutError::Disconnected) => panic!("workers outlive the dispatcher"),
        };
        if let Message::Done(done) = &message {
            self.idle.push(done.worker);
            self.hand_out();
        }
        Some(message)
    }

    fn hand_out(&mut self) {
        while !self.idle.is_empty()
            && let Some(assignment) = self.pending.pop_front()
        {
            let lowest = (0..self.idle.len()).min_by_key(|&at| self.idle[at]);
            let worker = self.idle.swap_remove(lowest.expect("someone is idle"));
            self.desks[worker]
                .send(assignment)
                .expect("workers outlive the dispatcher");
        }
    }
}

/// Runs `body` with a pool of workers. When it returns, work that still runs is told to stop, and is
/// waited for.
pub(super) fn with_pool<T>(
    evaluator: &dyn Evaluator,
    limits: Limits,
    body: impl FnOnce(&mut Pool) -> Result<T, RunError>,
) -> Result<T, RunError> {
    let halt = AtomicBool::new(false);
    let threads = (0..limits.workers).map(|_| thread_pool(limits.threads));
    let threads: Vec<ThreadPool> = threads.collect::<Result<_, _>>()?;
    thread::scope(|scope| {
        let (outbox, inbox) = mpsc::channel();
        let mut desks = Vec::new();
        for (worker, threads) in threads.into_iter().enumerate() {
            let (desk, tasks) = mpsc::channel();
            let worker = Worker {
                worker,
                threads,
                evaluator,
                limits,
                halt: &halt,
                outbox: outbox.clone(),
            };
            scope.spawn(move || worker.work(&tasks));
            desks.push(desk);
        }
        let idle = (0..limits.workers).collect();
        let mut pool = Pool {
            desks,
            idle,
            pending: VecDeque::new(),
            inbox,
        };
        // A panic in `body` must not leave the scope waiting for workers that wait for work.
        let _halting = HaltOnDrop(&halt);
        body(&mut pool)
    })
}

struct HaltOnDrop<'a>(&'a AtomicBool);

impl Drop for HaltOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn thread_pool(threads: usize) -> Result<ThreadPool, RunError> {
    ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(|error| RunError::Setting {
            key: "trial.threads".to_owned(),
            message: format!("the system refuses {threads} threads a worker: {error}"),
        })
}

struct Worker<'a> {
    worker: usize,
    threads: ThreadPool,
    evaluator: &'a dyn Evaluator,
    limits: Limits,
    halt: &'a AtomicBool,
    outbox: Sender<Message>,
}

impl Worker<'_> {
    fn work(&self, tasks: &Receiver<Assignment>) {
        for assignment in tasks {
            // The dispatcher stops listening only when it stops altogether.
            let _ = self.outbox.send(Message::Started {
                unit: assignment.unit.clone(),
                worker: self.worker,
            });
            let done = self.threads.install(|| self.evaluate(&assignment));
            let _ = self.outbox.send(Message::Done(done));
        }
    }

    fn evaluate(&self, assignment: &Assignment) -> Done {
        let begun = Instant::now();
        let control = Control {
            stop: self.halt,
            deadline: self.limits.deadline.map(|limit| begun + limit),
            memory_limit: self.limits.memory,
        };
        let (unit, worker) = (&assignment.unit, self.worker);
        let mut observe = |record| {
            let _ = self.outbox.send(Message::Epoch {
                unit: unit.clone(),
                worker,
                record,
            });
        };
        let (epochs, result) = self.run(assignment, &control, &mut observe);
        let seconds = begun.elapsed().as_secs_f64();
        Done {
            unit: unit.clone(),
            worker,
            epochs,
            result,
            seconds,
        }
    }

    fn run(
        &self,
        assignment: &Assignment,
        control: &Control<'_>,
        observe: &mut dyn FnMut(EpochRecord),
    ) -> (Vec<EpochRecord>, Evaluation) {
        let legacy = assignment.start.legacy.as_deref();
        let inherited = match legacy
            .map(|legacy| self.weights(legacy, control))
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
        evaluate_caught(self.evaluator, &job, control, observe)
    }

    /// The network and the weights that a trial leaves.
    fn weights(
        &self,
        legacy: &Legacy,
        control: &Control<'_>,
    ) -> Result<(Arc<Candidate>, Arc<[u8]>), Failure> {
        let trial = match legacy {
            Legacy::Weights(candidate, weights) => {
                return Ok((Arc::clone(candidate), Arc::clone(weights)));
            }
            Legacy::Again(trial) => trial,
        };
        let (_, result) = self.run(trial, control, &mut |_| ());
        let weights = result?.weights.ok_or_else(|| {
            Failure::new(
                FailureKind::Invalid,
                "`inherit` needs an evaluator that trains: this one leaves no weights",
            )
        })?;
        Ok((Arc::clone(&trial.candidate), Arc::from(weights)))
    }
}
