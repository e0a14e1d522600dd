//! Work that waits for a worker.

use super::Assignment;
use std::collections::VecDeque;

/// Work in the order in which it is to begin.
#[derive(Debug, Default)]
pub(in crate::run) struct Queue(VecDeque<Assignment>);

impl Queue {
    /// Adds work: at the end, or in front if it was begun before.
    pub fn push(&mut self, assignment: Assignment) {
        if assignment.attempt == 0 {
            self.0.push_back(assignment);
        } else {
            self.0.push_front(assignment);
        }
    }

    /// Drops the work that was never begun, and returns how much that was.
    pub fn cancel(&mut self) -> usize {
        let before = self.0.len();
        self.0.retain(|assignment| assignment.attempt > 0);
        before - self.0.len()
    }

    /// The next work, if there is any.
    pub fn pop(&mut self) -> Option<Assignment> {
        self.0.pop_front()
    }
}
