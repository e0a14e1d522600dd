//! What is known of trials, in their order. A run that goes on forgets what no later trial needs, so that its
//! memory does not grow with its trials.

use std::collections::VecDeque;
use std::ops::{Index, IndexMut};

/// Something for each trial, by its number.
#[derive(Clone, Debug, PartialEq)]
pub struct History<T> {
    /// How many of the first trials are forgotten, but for one.
    forgotten: usize,
    kept: Option<(usize, T)>,
    rest: VecDeque<T>,
}

impl<T> History<T> {
    /// The number of trials, those that are forgotten included.
    pub fn len(&self) -> usize {
        self.forgotten + self.rest.len()
    }

    /// Whether there are no trials.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What is known of a trial; nothing if there is no such trial, or it is forgotten.
    pub fn get(&self, trial: usize) -> Option<&T> {
        match trial.checked_sub(self.forgotten) {
            Some(place) => self.rest.get(place),
            None => self
                .kept
                .as_ref()
                .and_then(|(kept, it)| (*kept == trial).then_some(it)),
        }
    }

    /// What is known of the trials, in their order; of those before what was forgotten, nothing. A history that
    /// was read from a journal has forgotten nothing.
    pub fn iter(&self) -> std::collections::vec_deque::Iter<'_, T> {
        self.rest.iter()
    }

    /// Adds the next trial.
    pub(super) fn push(&mut self, it: T) {
        self.rest.push_back(it);
    }

    /// Forgets the trials before `first`, but for `wanted`.
    pub(super) fn forget_before(&mut self, first: usize, wanted: Option<usize>) {
        while self.forgotten < first {
            let Some(it) = self.rest.pop_front() else {
                return;
            };
            if wanted == Some(self.forgotten) {
                self.kept = Some((self.forgotten, it));
            }
            self.forgotten += 1;
        }
    }
}

impl<T> Default for History<T> {
    fn default() -> Self {
        Self {
            forgotten: 0,
            kept: None,
            rest: VecDeque::new(),
        }
    }
}

/// A trial that is asked for is there and was not forgotten.
impl<T> Index<usize> for History<T> {
    type Output = T;

    fn index(&self, trial: usize) -> &T {
        self.get(trial)
            .expect("a trial that is asked for is remembered")
    }
}

impl<T> IndexMut<usize> for History<T> {
    fn index_mut(&mut self, trial: usize) -> &mut T {
        let place = trial.checked_sub(self.forgotten);
        place
            .and_then(|place| self.rest.get_mut(place))
            .expect("a trial that is changed is remembered")
    }
}

impl<'a, T> IntoIterator for &'a History<T> {
    type Item = &'a T;
    type IntoIter = std::collections::vec_deque::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_forgotten_still_counts_and_what_is_wanted_stays() {
        let mut history = History::default();
        (0..10).for_each(|it| history.push(it));
        history.forget_before(4, Some(2));
        history.forget_before(3, None);
        assert_eq!(history.len(), 10);
        assert_eq!((history.get(2), history.get(3)), (Some(&2), None));
        assert_eq!((history[4], history.get(10)), (4, None));
        history.forget_before(6, Some(2));
        assert_eq!(history.get(2), Some(&2));
        history.forget_before(8, Some(7));
        assert_eq!((history.get(2), history.get(7)), (None, Some(&7)));
        history[9] = 0;
        assert_eq!(history.iter().copied().collect::<Vec<_>>(), [8, 0]);
    }
}
