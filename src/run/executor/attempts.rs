//! Second tries: what a worker lost is done again, and its result counts once.

use super::{Assignment, Done, Executor, Message};
use crate::evaluation::{Failure, Policy};
use crate::run::error::RunError;
use crate::run::event::Unit;
use std::collections::BTreeMap;
use std::time::Duration;

/// An executor whose failures are tried again where the failure's [`Policy`] says so.
///
/// Every try has a number. What an earlier try still says, because its worker was only slow or was
/// heard twice, is passed over.
pub(in crate::run) struct Attempts<'a> {
    executor: &'a mut dyn Executor,
    retries: u32,
    open: BTreeMap<Unit, Assignment>,
}

impl<'a> Attempts<'a> {
    /// Tries again what `executor` loses, at most `retries` times each.
    pub fn new(executor: &'a mut dyn Executor, retries: u32) -> Self {
        Self {
            executor,
            retries,
            open: BTreeMap::new(),
        }
    }

    /// What is to be known of the end of a try, if it is the one that is waited for.
    fn judge(&mut self, mut done: Done) -> Result<Option<Message>, RunError> {
        let waited_for = self.open.get_mut(&done.unit);
        let Some(assignment) = waited_for.filter(|known| known.attempt == done.attempt) else {
            return Ok(None);
        };
        let lost = match &done.result {
            Err(failure) if failure.kind.policy() == Policy::Again => Some(failure.clone()),
            _ => None,
        };
        match lost {
            Some(failure) if assignment.attempt < self.retries => {
                assignment.attempt += 1;
                self.executor.submit(assignment.clone())?;
                let (unit, worker) = (done.unit, done.worker);
                return Ok(Some(Message::Lost {
                    unit,
                    worker,
                    failure,
                }));
            }
            Some(Failure { kind, message }) if self.retries > 0 => {
                let tries = self.retries + 1;
                let message = format!("{message}; tried {tries} times");
                done.result = Err(Failure { kind, message });
            }
            _ => {}
        }
        self.open.remove(&done.unit);
        Ok(Some(Message::Done(done)))
    }
}

impl Executor for Attempts<'_> {
    fn submit(&mut self, assignment: Assignment) -> Result<(), RunError> {
        let unit = assignment.unit.clone();
        self.open.insert(unit, assignment.clone());
        self.executor.submit(assignment)
    }

    fn cancel_pending(&mut self) -> Result<usize, RunError> {
        self.executor.cancel_pending()
    }

    fn abandon(&mut self) -> Result<(), RunError> {
        self.open.clear();
        self.executor.abandon()
    }

    fn next(&mut self, patience: Duration) -> Result<Option<Message>, RunError> {
        match self.executor.next(patience)? {
            Some(Message::Done(done)) => self.judge(done),
            Some(message) if !self.open.contains_key(message.unit()) => Ok(None),
            message => Ok(message),
        }
    }
}
