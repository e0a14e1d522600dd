//! What a fixed past costs: workers that wait for results they must not overtake.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// The share of their time that workers idle when trial k may start only once the results of trials
/// 0..=k-lookahead are in, for trials of these lengths in order. The time runs from the start to the
/// end of the last trial; at the end workers idle with any lookahead, so give many trials.
pub fn idle_share(workers: usize, lookahead: usize, lengths: &[f64]) -> f64 {
    let mut free: BinaryHeap<Reverse<Time>> = (0..workers).map(|_| Reverse(Time(0.0))).collect();
    let mut told: Vec<f64> = Vec::with_capacity(lengths.len());
    let mut end = 0.0f64;
    for (trial, &length) in lengths.iter().enumerate() {
        let Some(Reverse(Time(ready))) = free.pop() else {
            return 0.0;
        };
        let known = trial.checked_sub(lookahead).map_or(0.0, |due| told[due]);
        let finish = ready.max(known) + length;
        free.push(Reverse(Time(finish)));
        let before = told.last().copied().unwrap_or(0.0);
        told.push(before.max(finish));
        end = end.max(finish);
    }
    let busy: f64 = lengths.iter().sum();
    1.0 - busy / (end * workers as f64)
}

#[derive(Clone, Copy, PartialEq)]
struct Time(f64);

impl Eq for Time {}

impl PartialOrd for Time {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Time {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_trials_keep_as_many_workers_busy_as_the_lookahead() {
        assert_eq!(idle_share(4, 4, &[1.0; 400]), 0.0);
        assert!((idle_share(4, 2, &[1.0; 400]) - 0.5).abs() < 1e-9);
    }

    #[test]
    fn one_long_trial_holds_up_the_others() {
        // Trial 1 needs trial 0, which takes ten times as long as the others.
        let lengths = [10.0, 1.0, 1.0, 1.0];
        assert!((idle_share(2, 1, &lengths) - 0.5).abs() < 1e-9);
        // With a lookahead of 4 the other worker does all three meanwhile.
        assert!((idle_share(2, 4, &lengths) - (1.0 - 13.0 / 20.0)).abs() < 1e-9);
    }
}
