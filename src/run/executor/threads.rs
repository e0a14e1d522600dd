//! Workers that are threads of this process: each does one piece of work at a time, in a rayon pool of
//! its own. The size of that pool is part of the experiment, so no sum depends on what else runs.

use super::pool::{Desk, Tasks, with_desks};
use super::work::carry_out;
use super::{Assignment, Done, Limits, Message, Shift, Workforce};
use crate::evaluation::{Control, Evaluator};
use crate::run::error::RunError;
use crate::run::evaluators::Evaluators;
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::time::Instant;

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

    fn select(
        &self,
        evaluators: &dyn Evaluators,
        limits: Limits,
        shift: &mut Shift<'_>,
    ) -> Result<(), RunError> {
        let evaluator = evaluators.selection().expect("there are networks to train");
        with_threads(evaluator.as_ref(), limits, shift)
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

/// Carries out `shift` with threads that ask `evaluator`. When it returns, work that still runs is told to stop,
/// and is waited for.
pub(in crate::run) fn with_threads(
    evaluator: &dyn Evaluator,
    limits: Limits,
    shift: &mut Shift<'_>,
) -> Result<(), RunError> {
    let threads = (0..limits.workers).map(|_| thread_pool(limits.threads));
    let threads: Vec<ThreadPool> = threads.collect::<Result<_, _>>()?;
    with_desks(limits, shift, &|desk, tasks| {
        let worker = Worker {
            threads: &threads[desk.worker],
            evaluator,
            limits,
            desk,
        };
        // Work waits in the pool itself: to hand a piece of it over takes as long as to look a result up.
        worker.threads.install(|| worker.work(tasks));
    })
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
    desk: Desk<'a>,
    threads: &'a ThreadPool,
    evaluator: &'a dyn Evaluator,
    limits: Limits,
}

impl Worker<'_> {
    fn work(&self, tasks: &Tasks) {
        while let Some(assignment) = tasks.next() {
            let (unit, worker) = (assignment.unit.clone(), self.desk.worker);
            self.say(Message::Started { unit, worker });
            let done = self.evaluate(&assignment);
            self.say(Message::Done(done));
        }
    }

    fn say(&self, message: Message) {
        // The dispatcher stops listening only when it stops altogether.
        let _ = self.desk.outbox.send(Ok(message));
    }

    fn evaluate(&self, assignment: &Assignment) -> Done {
        let begun = Instant::now();
        let control = Control {
            stop: self.desk.halt,
            deadline: self.limits.deadline.map(|limit| begun + limit),
            memory_limit: self.limits.memory,
        };
        let (unit, worker) = (&assignment.unit, self.desk.worker);
        let mut observe = |record| {
            self.say(Message::Epoch {
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
