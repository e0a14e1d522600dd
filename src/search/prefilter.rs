//! Several proposals for a trial, of which the most promising is tried.
//!
//! What promise is, a [`Scorer`] from outside says; here are only ranks. A proposal stays a function of
//! the fixed past, as long as the scorer is a function of its arguments.

use super::TrialId;
use crate::space::Candidate;
use crate::statistics::ranks;

/// Says how promising a candidate is before it is tried. A function of its arguments and nothing else.
pub trait Scorer {
    /// Some figures, higher is better; as many for every candidate.
    fn figures(&mut self, trial: TrialId, candidate: &Candidate) -> Vec<f64>;
}

/// How many proposals are drawn for each trial, and what ranks them.
pub struct Prefilter<'s> {
    /// Proposals for each trial; with one, nothing is ranked.
    pub draws: usize,
    /// Who ranks them.
    pub scorer: Box<dyn Scorer + 's>,
}

impl Prefilter<'_> {
    /// The place of the one with the highest sum of ranks over all figures; of equals the first drawn. A
    /// figure that is no number ranks below all others.
    pub(super) fn choose(&mut self, trial: TrialId, drawn: &[&Candidate]) -> usize {
        if drawn.len() == 1 {
            return 0;
        }
        let figures = drawn.iter();
        let figures: Vec<Vec<f64>> = figures
            .map(|candidate| self.scorer.figures(trial, candidate))
            .collect();
        highest_sum_of_ranks(&figures)
    }
}

fn highest_sum_of_ranks(figures: &[Vec<f64>]) -> usize {
    let mut sums = vec![0.0; figures.len()];
    for column in 0..figures[0].len() {
        let known = |row: &Vec<f64>| {
            let value = row[column];
            if value.is_nan() {
                f64::NEG_INFINITY
            } else {
                value
            }
        };
        let values: Vec<f64> = figures.iter().map(known).collect();
        for (sum, rank) in sums.iter_mut().zip(ranks(&values)) {
            *sum += rank;
        }
    }
    let mut best = 0;
    for (index, sum) in sums.iter().enumerate() {
        if *sum > sums[best] {
            best = index;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_summed_and_the_first_of_equals_wins() {
        let figures = [vec![1.0, 5.0], vec![3.0, 4.0], vec![2.0, 6.0]];
        assert_eq!(highest_sum_of_ranks(&figures), 2);
        assert_eq!(highest_sum_of_ranks(&[vec![1.0], vec![1.0]]), 0);
    }

    #[test]
    fn what_is_no_number_ranks_last() {
        let figures = [vec![f64::NAN], vec![-3.0], vec![f64::NEG_INFINITY]];
        assert_eq!(highest_sum_of_ranks(&figures), 1);
    }
}
