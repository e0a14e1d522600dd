//! Workers anywhere: the dispatcher's end of the queue in the database.

use super::error::SharedError;
use super::queue::{Standing, Task};
use super::session::Database;
use crate::evaluation::{Failure, FailureKind};
use crate::run::error::RunError;
use crate::run::evaluators::Evaluators;
use crate::run::event::Unit;
use crate::run::executor::{Assignment, Done, Executor, Limits, Message, Shift, Workforce};
use crate::run::wire::{self, Completed};
use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::thread;
use std::time::{Duration, Instant};

/// Where retrainings begin in the order of work: behind every trial.
pub(super) const LAST_PLACES: i64 = 1 << 48;

/// Where selection trainings begin: behind every trial, before every retraining.
const SELECTION_PLACES: i64 = 1 << 47;

/// How long nothing new may be found before the next look, at first.
const FIRST_PAUSE: Duration = Duration::from_millis(1);

/// Workers that lease their work from a database.
pub(in crate::run) struct Shared<'a> {
    /// The connection that work goes over.
    pub database: RefCell<Database<'a>>,
    /// The run.
    pub run: String,
    /// How long leases last.
    pub lease: Duration,
}

impl Workforce for Shared<'_> {
    fn search(&self, _: &dyn Evaluators, _: Limits, shift: &mut Shift<'_>) -> Result<(), RunError> {
        self.carry_out(shift)
    }

    fn select(&self, _: &dyn Evaluators, _: Limits, shift: &mut Shift<'_>) -> Result<(), RunError> {
        self.carry_out(shift)
    }

    /// Test examples are read by the workers that get retrainings, and not by this process.
    fn last(
        &self,
        _: &mut dyn Evaluators,
        _: Limits,
        shift: &mut Shift<'_>,
    ) -> Result<(), RunError> {
        self.carry_out(shift)
    }
}

impl Shared<'_> {
    fn carry_out(&self, shift: &mut Shift<'_>) -> Result<(), RunError> {
        let mut remote = Remote {
            shared: self,
            open: BTreeMap::new(),
            selection_places: SELECTION_PLACES..,
            last_places: LAST_PLACES..,
            inbox: VecDeque::new(),
            pause: FIRST_PAUSE,
            reaped: Instant::now(),
        };
        shift(&mut remote)
    }
}

/// A piece of work that was submitted and is not done.
struct Submitted {
    unit: Unit,
    attempt: u32,
    /// The worker that was last seen to hold it.
    seen: Option<i32>,
}

/// The dispatcher's end of the queue.
struct Remote<'s, 'a> {
    shared: &'s Shared<'a>,
    /// By what the database calls it.
    open: BTreeMap<String, Submitted>,
    selection_places: std::ops::RangeFrom<i64>,
    last_places: std::ops::RangeFrom<i64>,
    inbox: VecDeque<Message>,
    pause: Duration,
    reaped: Instant,
}

impl Executor for Remote<'_, '_> {
    fn submit(&mut self, assignment: Assignment) -> Result<(), RunError> {
        let unit = name_of(&assignment.unit);
        let place = match &assignment.unit {
            Unit::Trial(trial) => i64::try_from(trial.0).unwrap_or(SELECTION_PLACES - 1),
            Unit::Selection { .. } => self.selection_places.next().unwrap_or(LAST_PLACES - 1),
            Unit::Retraining { .. } => self.last_places.next().unwrap_or(i64::MAX),
        };
        let bytes = wire::to_bytes(&wire::Task::of(&assignment));
        let task = Task {
            unit: &unit,
            place,
            assignment: &bytes,
        };
        let run = &self.shared.run;
        let mut database = self.shared.database.borrow_mut();
        database.ask(|session| session.queue(run).submit(&task))?;
        let submitted = Submitted {
            unit: assignment.unit,
            attempt: assignment.attempt,
            seen: None,
        };
        self.open.insert(unit, submitted);
        Ok(())
    }

    fn cancel_pending(&mut self) -> Result<usize, RunError> {
        let units: Vec<String> = self.open.keys().cloned().collect();
        let run = &self.shared.run;
        let mut database = self.shared.database.borrow_mut();
        let cancelled = database.ask(|session| session.queue(run).cancel(&units))?;
        for unit in &cancelled {
            self.open.remove(unit);
        }
        Ok(cancelled.len())
    }

    /// Workers see that they hold nothing any more, and stop.
    fn abandon(&mut self) -> Result<(), RunError> {
        let units: Vec<String> = std::mem::take(&mut self.open).into_keys().collect();
        let run = &self.shared.run;
        let mut database = self.shared.database.borrow_mut();
        Ok(database.ask(|session| session.queue(run).abandon(&units))?)
    }

    fn next(&mut self, patience: Duration) -> Result<Option<Message>, RunError> {
        let begun = Instant::now();
        loop {
            if self.inbox.is_empty() {
                self.look()?;
            }
            if let Some(message) = self.inbox.pop_front() {
                self.pause = FIRST_PAUSE;
                return Ok(Some(message));
            }
            let left = patience.saturating_sub(begun.elapsed());
            if left.is_zero() {
                return Ok(None);
            }
            thread::sleep(self.pause.min(left));
            self.pause = (2 * self.pause).min(patience.max(FIRST_PAUSE));
        }
    }

    /// A look at the database takes longer than a moment.
    fn in_a_moment(&mut self) -> Result<Option<Message>, RunError> {
        Ok(self.inbox.pop_front())
    }
}

impl Remote<'_, '_> {
    /// Looks how the open work stands.
    fn look(&mut self) -> Result<(), RunError> {
        if self.reaped.elapsed() >= self.shared.lease / 4 {
            self.reap()?;
        }
        let units: Vec<String> = self.open.keys().cloned().collect();
        let run = &self.shared.run;
        let mut database = self.shared.database.borrow_mut();
        let standings = database.ask(|session| session.queue(run).standings(&units))?;
        drop(database);
        for (unit, standing) in standings {
            self.take_in(&unit, standing)?;
        }
        Ok(())
    }

    /// Takes back what lost workers held, and makes sure that the run goes on.
    fn reap(&mut self) -> Result<(), RunError> {
        let run = &self.shared.run;
        let mut database = self.shared.database.borrow_mut();
        let found = database.ask(|session| {
            session.queue(run).reap()?;
            session.run(run).find()
        })?;
        let ended = found.is_none_or(|found| found.ended);
        if ended && !self.open.is_empty() {
            let run = run.clone();
            return Err(RunError::Shared(SharedError::EndedByAnother { run }));
        }
        self.reaped = Instant::now();
        Ok(())
    }

    fn take_in(&mut self, name: &str, standing: Standing) -> Result<(), RunError> {
        let Some(submitted) = self.open.get_mut(name) else {
            return Ok(());
        };
        let (Standing::Running { worker }
        | Standing::Done { worker, .. }
        | Standing::Lost { worker, .. }) = standing;
        if submitted.seen != Some(worker) {
            submitted.seen = Some(worker);
            self.inbox.push_back(Message::Started {
                unit: submitted.unit.clone(),
                worker: index(worker),
            });
        }
        let done = match standing {
            Standing::Running { .. } => return Ok(()),
            Standing::Done { result, .. } => self.done(name, worker, &result)?,
            Standing::Lost { losses, .. } => Done {
                unit: submitted.unit.clone(),
                attempt: submitted.attempt,
                worker: index(worker),
                epochs: Vec::new(),
                result: Err(Failure::new(
                    FailureKind::Lost,
                    format!("its worker was lost {losses} times"),
                )),
                seconds: 0.0,
            },
        };
        self.open.remove(name);
        self.inbox.push_back(Message::Done(done));
        Ok(())
    }

    fn done(&self, name: &str, worker: i32, result: &[u8]) -> Result<Done, RunError> {
        let damaged = |message: String| {
            RunError::Shared(SharedError::Damaged {
                run: self.shared.run.clone(),
                what: format!("the result of {name}"),
                message,
            })
        };
        let completed: Completed = wire::from_bytes(result).map_err(damaged)?;
        let submitted = &self.open[name];
        if completed.of.unit != submitted.unit {
            return Err(damaged(format!("it is one of {}", completed.of.unit)));
        }
        Ok(Done {
            unit: submitted.unit.clone(),
            attempt: submitted.attempt,
            worker: index(worker),
            epochs: completed.epochs.clone(),
            seconds: completed.seconds,
            result: completed.into_result(),
        })
    }
}

/// What the database calls a piece of work: names that people give networks can't be taken for others.
pub(super) fn name_of(unit: &Unit) -> String {
    serde_json::to_string(unit).expect("a unit is plain data")
}

fn index(worker: i32) -> usize {
    usize::try_from(worker).unwrap_or_default()
}
