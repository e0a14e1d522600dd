//! Workers that are threads of this process: each does one piece of work at a time, in a rayon pool of
//! its own. The size of that pool is part of the experiment, so no sum depends on what else runs.

use super::attempts::Attempts;
use super::queue::Queue;
use super::work::carry_out;
use super::{Assignment, Done, Executor, Limits, Message, Shift, Workforce};
use crate::evaluation::{Control, Evaluator};
use crate::run::error::RunError;
use crate::run::evaluators::Evaluators;
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

/// Workers in threads of this process.
#[derive(Clone, Copy, Debug)]
pub(in crate::run) struct Threads;

impl Workforce for Threads {
    fn search(
        &self,
        evaluators: &dyn Evaluators,
        limits: Limits,
        shift: &mut Shift<'_>,
    ) -> Result<(), RunError> {
        with_threads(evaluators.search().as_ref(), limits, shift)
    }

    fn last(
        &self,
        evaluators: &mut dyn Evaluators,
        limits: Limits,
        shift: &mut Shift<'_>,
    ) -> Result<(), RunError> {
        with_threads(evaluators.open_test().as_ref(), limits, shift)
    }
}

/// The dispatcher's end of the threads.
struct Pool {
    desks: Vec<Sender<Assignment>>,
    queue: Queue,
    inbox: Receiver<Message>,
}

impl Executor for Pool {
    fn submit(&mut self, assignment: Assignment) -> Result<(), RunError> {
        self.queue.push(assignment);
        self.hand_out();
        Ok(())
    }

    fn cancel_pending(&mut self) -> Result<usize, RunError> {
        Ok(self.queue.cancel())
    }

    fn next(&mut self, patience: Duration) -> Result<Option<Message>, RunError> {
        let message = match self.inbox.recv_timeout(patience) {
            Ok(message) => message,
            Err(RecvTimeoutError::Timeout) => return Ok(None),
            Err(RecvTimeoutError::Disconnected) => panic!("workers outlive the dispatcher"),
        };
        if let Message::Done(done) = &message {
            self.queue.release(done.worker);
            self.hand_out();
        }
        Ok(Some(message))
    }
}

impl Pool {
    fn hand_out(&mut self) {
        while let Some((worker, assignment)) = self.queue.pair() {
            self.desks[worker]
                .send(assignment)
                .expect("workers outlive the dispatcher");
        }
    }
}

/// Carries out `shift` with a pool of threads that ask `evaluator`. When it returns, work that still
/// runs is told to stop, and is waited for.
pub(in crate::run) fn with_threads(
    evaluator: &dyn Evaluator,
    limits: Limits,
    shift: &mut Shift<'_>,
) -> Result<(), RunError> {
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
        let mut pool = Pool {
            desks,
            queue: Queue::new(limits.workers),
            inbox,
        };
        // A panic in `shift` must not leave the scope waiting for workers that wait for work.
        let _halting = HaltOnDrop(&halt);
        shift(&mut Attempts::new(&mut pool, limits.retries))
    })
}

struct HaltOnDrop<'a>(&'a AtomicBool);

impl Drop for HaltOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The pool that one worker computes in.
pub(in crate::run) fn thread_pool(threads: usize) -> Result<ThreadPool, RunError> {
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
        let (epochs, result) = carry_out(assignment, self.evaluator, &control, &mut observe);
        Done {
            unit: unit.clone(),
            attempt: assignment.attempt,
            worker,
            epochs,
            result,
            seconds: begun.elapsed().as_secs_f64(),
        }
    }
}
