//! Workers that are processes of their own, so that nothing a trial does reaches the run: an abort, a
//! leak and an endless loop end the worker, and another takes its place.
//!
//! Each worker has a thread here that starts the process, hands it tasks, kills it when a task runs
//! past its deadline, and says what became of a task whose process is gone.

mod child;

use super::pool::{Desk, Tasks, with_desks};
use super::{Assignment, Done, Limits, Message, Shift, Workforce};
use crate::evaluation::{EpochRecord, Evaluation, Failure, FailureKind};
use crate::run::error::RunError;
use crate::run::evaluators::Evaluators;
use crate::run::wire::{Identity, Order, Report, Stage, Task, Terms};
use child::{Child, Heard};
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// How long a worker may go on past its deadline before it is killed: it is to stop by itself within a
/// batch.
const GRACE: Duration = Duration::from_secs(1);

/// How often a worker's thread looks whether the run ends.
const PATIENCE: Duration = Duration::from_millis(20);

/// The program that worker processes run: `strata isolated`, or what speaks as it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerProgram {
    /// The program.
    pub path: PathBuf,
    /// Its arguments; the run folder is added.
    pub arguments: Vec<String>,
}

/// Workers in processes of their own.
#[derive(Clone, Debug)]
pub(in crate::run) struct Processes {
    /// What they run.
    pub program: WorkerProgram,
    /// The run folder.
    pub folder: PathBuf,
    /// What they have to be.
    pub wanted: Identity,
    /// The most bytes that a process may take beyond what it has when it is ready.
    pub memory_cap: Option<u64>,
}

impl Workforce for Processes {
    fn search(
        &self,
        _evaluators: &dyn Evaluators,
        limits: Limits,
        shift: &mut Shift<'_>,
    ) -> Result<(), RunError> {
        self.with_workers(Stage::Search, limits, shift)
    }

    fn select(
        &self,
        _evaluators: &dyn Evaluators,
        limits: Limits,
        shift: &mut Shift<'_>,
    ) -> Result<(), RunError> {
        self.with_workers(Stage::Selection, limits, shift)
    }

    fn last(
        &self,
        _evaluators: &mut dyn Evaluators,
        limits: Limits,
        shift: &mut Shift<'_>,
    ) -> Result<(), RunError> {
        self.with_workers(Stage::Last, limits, shift)
    }
}

impl Processes {
    fn with_workers(
        &self,
        stage: Stage,
        limits: Limits,
        shift: &mut Shift<'_>,
    ) -> Result<(), RunError> {
        let terms = Terms {
            stage,
            threads: limits.threads,
            deadline: limits.deadline.map(|limit| limit.as_secs_f64()),
            memory_limit: limits.memory,
            memory_cap: self.memory_cap,
        };
        with_desks(limits, shift, &|desk, tasks| {
            let attendant = Attendant {
                desk,
                processes: self,
                terms: &terms,
                child: None,
            };
            attendant.attend(tasks);
        })
    }
}

/// What sees to one worker process after the other.
struct Attendant<'a> {
    desk: Desk<'a>,
    processes: &'a Processes,
    terms: &'a Terms,
    child: Option<Child>,
}

/// How a task ended here: what the worker said, or that the run ends.
type Ended = Option<(Vec<EpochRecord>, Evaluation)>;

impl Attendant<'_> {
    fn attend(mut self, tasks: &Tasks) {
        while let Some(assignment) = tasks.next() {
            if !self.see_to(&assignment) {
                return;
            }
        }
    }

    /// Whether there is to be another task.
    fn see_to(&mut self, assignment: &Assignment) -> bool {
        let begun = Instant::now();
        let (epochs, result) = match self.work(assignment) {
            Ok(Some(ended)) => ended,
            Ok(None) => return false,
            Err(error) => {
                let _ = self.desk.outbox.send(Err(error));
                return false;
            }
        };
        let done = Done {
            unit: assignment.unit.clone(),
            attempt: assignment.attempt,
            worker: self.desk.worker,
            epochs,
            result,
            seconds: begun.elapsed().as_secs_f64(),
        };
        self.desk.outbox.send(Ok(Message::Done(done))).is_ok()
    }

    /// Hands a task to the worker and hears it to its end.
    ///
    /// # Errors
    /// When no worker can be started.
    fn work(&mut self, assignment: &Assignment) -> Result<Ended, RunError> {
        if self.child.is_none() {
            self.child = self.start()?;
        }
        let Some(child) = &mut self.child else {
            return Ok(None);
        };
        let task = Order::Work(Box::new(Task::of(assignment)));
        let sent = child.say(&task);
        let limit = self.terms.deadline.map(Duration::from_secs_f64);
        let deadline = limit.map(|limit| Instant::now() + limit + GRACE);
        let mut epochs = Vec::new();
        let failure = match sent {
            Ok(()) => loop {
                if self.is_halted() {
                    return Ok(None);
                }
                if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                    break self.kill_late();
                }
                match self.hear(assignment, &mut epochs) {
                    Ok(None) => {}
                    Ok(Some(ended)) => return Ok(Some(ended)),
                    Err(failure) => break failure,
                }
            },
            Err(_) => self.bury(),
        };
        Ok(Some((epochs, Err(failure))))
    }

    /// Hears what the worker says next, if it says anything in a while.
    ///
    /// # Errors
    /// When the worker is gone: what that means for the task.
    fn hear(
        &mut self,
        assignment: &Assignment,
        epochs: &mut Vec<EpochRecord>,
    ) -> Result<Ended, Failure> {
        let child = self.child.as_mut().expect("it was handed a task");
        let (unit, worker) = (assignment.unit.clone(), self.desk.worker);
        let report = match child.hear(PATIENCE) {
            Heard::Nothing => return Ok(None),
            Heard::Report(report) => report,
            Heard::Noise(what) => {
                self.child = None;
                let message = format!("its worker sent what is no report: {what}");
                return Err(Failure::new(FailureKind::Lost, message));
            }
            Heard::End => return Err(self.bury()),
        };
        let message = match report {
            Report::Started(_) => Message::Started { unit, worker },
            Report::Epoch(_, record) => {
                epochs.push(record);
                Message::Epoch {
                    unit,
                    worker,
                    record,
                }
            }
            Report::Done(done) => return Ok(Some((done.epochs.clone(), done.into_result()))),
        };
        // The dispatcher stops listening only when it stops altogether.
        let _ = self.desk.outbox.send(Ok(message));
        Ok(None)
    }

    fn kill_late(&mut self) -> Failure {
        self.child = None;
        let grace = GRACE.as_secs();
        let message = format!("did not stop within {grace} s of its deadline, and was killed");
        Failure::new(FailureKind::TimedOut, message)
    }

    /// What a task fails of when its worker is gone.
    fn bury(&mut self) -> Failure {
        match self.child.take() {
            Some(child) => child.autopsy(),
            None => Failure::new(FailureKind::Lost, "its worker is gone"),
        }
    }

    /// A worker that is ready. Nothing if the run ends meanwhile.
    fn start(&self) -> Result<Option<Child>, RunError> {
        let refused = |message| RunError::Worker {
            program: self.processes.program.path.clone(),
            message,
        };
        let mut child = Child::start(&self.processes.program, &self.processes.folder)
            .map_err(|error| refused(format!("it can't be started: {error}")))?;
        let identity = loop {
            if self.is_halted() {
                return Ok(None);
            }
            match child.greeting(PATIENCE) {
                None => {}
                Some(Ok(identity)) => break identity,
                Some(Err(said)) => return Err(refused(said)),
            }
        };
        if let Some(difference) = identity.difference(&self.processes.wanted) {
            return Err(refused(format!("it is not fit for the run: {difference}")));
        }
        child
            .say(&Order::Begin(self.terms.clone()))
            .map_err(|error| refused(format!("it does not listen: {error}")))?;
        Ok(Some(child))
    }

    fn is_halted(&self) -> bool {
        self.desk.halt.load(Ordering::Relaxed)
    }
}
