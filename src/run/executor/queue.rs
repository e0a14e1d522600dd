//! Work that waits, and workers that do.

use super::Assignment;
use std::collections::{BTreeSet, VecDeque};

/// Pairs work with workers of one machine: the first work with the lowest worker.
#[derive(Debug)]
pub(in crate::run) struct Queue {
    pending: VecDeque<Assignment>,
    idle: BTreeSet<usize>,
}

impl Queue {
    /// Workers 0 to `workers` with nothing to do.
    pub fn new(workers: usize) -> Self {
        Self {
            pending: VecDeque::new(),
            idle: (0..workers).collect(),
        }
    }

    /// Adds work: at the end, or in front if it was begun before.
    pub fn push(&mut self, assignment: Assignment) {
        if assignment.attempt == 0 {
            self.pending.push_back(assignment);
        } else {
            self.pending.push_front(assignment);
        }
    }

    /// Drops the work that was never begun, and returns how much that was.
    pub fn cancel(&mut self) -> usize {
        let before = self.pending.len();
        self.pending.retain(|assignment| assignment.attempt > 0);
        before - self.pending.len()
    }

    /// A worker has nothing to do any more.
    pub fn release(&mut self, worker: usize) {
        self.idle.insert(worker);
    }

    /// The next work and who is to do it, if there is both.
    pub fn pair(&mut self) -> Option<(usize, Assignment)> {
        let worker = *self.idle.first()?;
        let assignment = self.pending.pop_front()?;
        self.idle.remove(&worker);
        Some((worker, assignment))
    }
}
