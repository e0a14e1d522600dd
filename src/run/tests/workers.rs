//! Workers in simulated time: slow, dying, heard twice, and heard after they were given up.

use crate::evaluation::{Control, Evaluator, Failure, FailureKind};
use crate::random::Stream;
use crate::run::error::RunError;
use crate::run::evaluators::Evaluators;
use crate::run::event::Unit;
use crate::run::executor::{
    Assignment, Attempts, Done, Executor, Limits, Message, Queue, Shift, Workforce, carry_out,
};
use crate::run::time::Time;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// Time that goes on when somebody waits.
#[derive(Debug, Default)]
pub struct SimulatedTime(Cell<f64>);

impl SimulatedTime {
    fn set(&self, moment: f64) {
        self.0.set(moment.max(self.0.get()));
    }
}

impl Time for SimulatedTime {
    fn now(&self) -> f64 {
        1.7e9 + self.0.get()
    }

    fn running(&self) -> f64 {
        self.0.get()
    }
}

/// What happens to a worker with a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// Nothing.
    Well,
    /// It takes a hundred times as long.
    Slow,
    /// It dies, and that is noticed.
    Dies,
    /// A signal ends it.
    Aborts,
    /// It is given up as lost, and says later what it found.
    Late,
    /// It is heard twice.
    Twice,
}

const FATES: [Fate; 6] = [
    Fate::Well,
    Fate::Slow,
    Fate::Dies,
    Fate::Aborts,
    Fate::Late,
    Fate::Twice,
];

/// Where simulated workers come from.
#[derive(Debug)]
pub struct SimulatedWorkers<'a> {
    pub time: &'a SimulatedTime,
    pub stream: RefCell<Stream>,
    /// How many tasks of a hundred go as they should.
    pub well: u64,
}

impl Workforce for SimulatedWorkers<'_> {
    fn search(
        &self,
        evaluators: &dyn Evaluators,
        limits: Limits,
        shift: &mut Shift<'_>,
    ) -> Result<(), RunError> {
        self.with_workers(evaluators.search().as_ref(), limits, shift)
    }

    fn select(
        &self,
        evaluators: &dyn Evaluators,
        limits: Limits,
        shift: &mut Shift<'_>,
    ) -> Result<(), RunError> {
        self.with_workers(evaluators.selection().unwrap().as_ref(), limits, shift)
    }

    fn last(
        &self,
        evaluators: &mut dyn Evaluators,
        limits: Limits,
        shift: &mut Shift<'_>,
    ) -> Result<(), RunError> {
        self.with_workers(evaluators.open_test().as_ref(), limits, shift)
    }
}

impl SimulatedWorkers<'_> {
    fn with_workers(
        &self,
        evaluator: &dyn Evaluator,
        limits: Limits,
        shift: &mut Shift<'_>,
    ) -> Result<(), RunError> {
        let mut crew = Crew {
            workers: self,
            evaluator,
            retries: limits.retries,
            queue: Queue::default(),
            idle: (0..limits.workers).collect(),
            agenda: BTreeMap::new(),
            entries: 0,
            waits: 0,
        };
        shift(&mut Attempts::new(&mut crew, limits.retries))
    }
}

/// Something that is going to happen.
enum Happening {
    Said(Box<Message>),
    /// A worker is free again.
    Free(usize),
}

struct Crew<'a> {
    workers: &'a SimulatedWorkers<'a>,
    evaluator: &'a dyn Evaluator,
    retries: u32,
    queue: Queue,
    /// The workers with nothing to do.
    idle: BTreeSet<usize>,
    /// By microseconds, then in the order of entering.
    agenda: BTreeMap<(u64, u64), Happening>,
    entries: u64,
    waits: u64,
}

/// A run that waits longer than this for its workers has lost something.
const MOST_WAITS: u64 = 1_000_000;

impl Executor for Crew<'_> {
    fn submit(&mut self, assignment: Assignment) -> Result<(), RunError> {
        self.queue.push(assignment);
        self.hand_out();
        Ok(())
    }

    fn cancel_pending(&mut self) -> Result<usize, RunError> {
        Ok(self.queue.cancel())
    }

    fn next(&mut self, patience: Duration) -> Result<Option<Message>, RunError> {
        self.waits += 1;
        assert!(self.waits < MOST_WAITS, "the run waits for nothing");
        let until = self.now() + patience.as_micros() as u64;
        while let Some(next) = self.agenda.first_entry() {
            let (at, _) = *next.key();
            if at > until {
                break;
            }
            let happening = next.remove();
            self.workers.time.set(at as f64 / 1e6);
            match happening {
                Happening::Said(message) => return Ok(Some(*message)),
                Happening::Free(worker) => {
                    self.idle.insert(worker);
                    self.hand_out();
                }
            }
        }
        self.workers.time.set(until as f64 / 1e6);
        Ok(None)
    }
}

impl Crew<'_> {
    fn now(&self) -> u64 {
        (self.workers.time.running() * 1e6) as u64
    }

    fn hand_out(&mut self) {
        while let Some(&worker) = self.idle.first() {
            let Some(assignment) = self.queue.pop() else {
                return;
            };
            self.idle.remove(&worker);
            self.begin(worker, &assignment);
        }
    }

    fn enter(&mut self, at: u64, happening: Happening) {
        self.agenda.insert((at, self.entries), happening);
        self.entries += 1;
    }

    fn begin(&mut self, worker: usize, assignment: &Assignment) {
        let (now, unit) = (self.now(), assignment.unit.clone());
        let (fate, takes) = self.fate(assignment);
        self.enter(
            now,
            Happening::Said(Box::new(Message::Started { unit, worker })),
        );
        let done = self.carry_out(worker, assignment, now, takes);
        let lost = |kind| {
            let result = Err(Failure::new(kind, "as the seed has it"));
            let (unit, attempt) = (assignment.unit.clone(), assignment.attempt);
            Message::Done(Done {
                unit,
                attempt,
                worker,
                epochs: Vec::new(),
                result,
                seconds: 0.0,
            })
        };
        let end = now + takes;
        let said = |message| Happening::Said(Box::new(message));
        match fate {
            Fate::Well | Fate::Slow => self.enter(end, said(Message::Done(done))),
            Fate::Dies => self.enter(end, said(lost(FailureKind::Lost))),
            Fate::Aborts => self.enter(end, said(lost(FailureKind::Aborted))),
            Fate::Late => {
                self.enter(end, said(lost(FailureKind::Lost)));
                self.enter(end + takes / 2, said(Message::Done(done)));
            }
            Fate::Twice => {
                self.enter(end, said(Message::Done(done.clone())));
                self.enter(end + takes / 2, said(Message::Done(done)));
            }
        }
        self.enter(end, Happening::Free(worker));
    }

    /// What becomes of a task, and how long it takes. No task is lost as often as would be final.
    fn fate(&self, assignment: &Assignment) -> (Fate, u64) {
        let mut stream = self.workers.stream.borrow_mut();
        let mut fate = Fate::Well;
        if stream.below(100) >= self.workers.well {
            fate = FATES[stream.index(FATES.len())];
        }
        let is_loss = matches!(fate, Fate::Dies | Fate::Aborts | Fate::Late);
        if is_loss && assignment.attempt == self.retries {
            fate = Fate::Well;
        }
        // Results often come together, as those do that are looked up.
        let takes = match stream.below(3) {
            0 => stream.below(40),
            _ => 1_000 + stream.below(1_000_000),
        };
        let slower = if fate == Fate::Slow { 100 } else { 1 };
        (fate, takes * slower)
    }

    /// What a task gives; its epochs are heard on the way.
    fn carry_out(&mut self, worker: usize, assignment: &Assignment, from: u64, takes: u64) -> Done {
        let mut records = Vec::new();
        let control = Control {
            stop: &AtomicBool::new(false),
            deadline: None,
            memory_limit: None,
        };
        let mut observe = |record| records.push(record);
        let (epochs, result) = carry_out(assignment, self.evaluator, &control, &mut observe);
        let unit: &Unit = &assignment.unit;
        for (index, record) in records.into_iter().enumerate() {
            let message = Message::Epoch {
                unit: unit.clone(),
                worker,
                record,
            };
            let at = from + (takes * index as u64 / 16).min(takes);
            self.enter(at, Happening::Said(Box::new(message)));
        }
        Done {
            unit: unit.clone(),
            attempt: assignment.attempt,
            worker,
            epochs,
            result,
            seconds: takes as f64 / 1e6,
        }
    }
}
