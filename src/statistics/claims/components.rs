//! The parts that a difference's variance is added up from.

use crate::statistics::mean;

/// Below this share of the largest value, values differ by rounding only.
const ROUNDING: f64 = 1e-12;

/// True if a difference of values of this size is rounding.
pub(super) fn is_rounding(difference: f64, largest: f64) -> bool {
    difference.abs() <= ROUNDING * largest.abs().max(1.0)
}

/// The sample variance (divisor n - 1); exactly 0 where the values differ by rounding only, or there are
/// fewer than two. Without that, two equal arms of rounding noise would be told apart.
pub fn variance(values: &[f64]) -> f64 {
    let (mut least, mut most, mut largest) = (f64::INFINITY, f64::NEG_INFINITY, 0.0_f64);
    for &value in values {
        least = least.min(value);
        most = most.max(value);
        largest = largest.max(value.abs());
    }
    if values.len() < 2 || is_rounding(most - least, largest) {
        return 0.0;
    }
    let centre = values.iter().sum::<f64>() / values.len() as f64;
    let square = |value: &f64| (value - centre) * (value - centre);
    values.iter().map(square).sum::<f64>() / (values.len() - 1) as f64
}

/// A variance, and the degrees of freedom that it is known with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Component {
    /// The variance, of a mean.
    pub variance: f64,
    /// Its degrees of freedom.
    pub freedom: f64,
}

/// The sum of independent variances, with the degrees of freedom of Satterthwaite (1946). Parts of 0 say
/// nothing of the freedom.
pub fn satterthwaite(parts: &[Component]) -> Component {
    let variance: f64 = parts.iter().map(|part| part.variance).sum();
    let share = |part: &Component| part.variance * part.variance / part.freedom;
    let there = parts.iter().filter(|part| part.variance > 0.0);
    Component {
        variance,
        freedom: variance * variance / there.map(share).sum::<f64>(),
    }
}

/// The variance of the mean over searches, from the scores of each search's winner: that of the winners'
/// means, but never less than what retraining alone makes of it. With few searches the means can lie
/// together by luck; closer than retrainings do they are not. Searches with one retraining say nothing of
/// the latter.
pub fn searches_variance(searches: &[Vec<f64>]) -> f64 {
    let means = means(searches);
    let of_means = |scores: &&Vec<f64>| scores.len() > 1;
    let retrainings: Vec<f64> = searches
        .iter()
        .filter(of_means)
        .map(|scores| variance(scores) / scores.len() as f64)
        .collect();
    let floor = mean(&retrainings).unwrap_or(0.0);
    variance(&means).max(floor) / searches.len() as f64
}

/// The mean of each search's retrainings.
pub(super) fn means(searches: &[Vec<f64>]) -> Vec<f64> {
    let of = |scores: &Vec<f64>| mean(scores).expect("a search without a score is no observation");
    searches.iter().map(of).collect()
}

/// The sampling of test examples in a difference of two arms.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ExampleVariance {
    /// The variance of the difference's mean over examples.
    pub variance: f64,
    /// The number of examples, or of groups of them.
    pub count: usize,
}

impl ExampleVariance {
    /// From each example's difference between the arms.
    pub fn of(differences: &[f64]) -> Self {
        Self {
            variance: variance(differences) / differences.len().max(1) as f64,
            count: differences.len(),
        }
    }

    /// From each example's mean contribution to the one arm and to the other.
    pub fn between(first: &[f64], second: &[f64]) -> Self {
        let pairs = first.iter().zip(second);
        Self::of(&pairs.map(|(a, b)| a - b).collect::<Vec<f64>>())
    }

    pub(super) fn component(self) -> Component {
        Component {
            variance: self.variance,
            freedom: self.count.saturating_sub(1) as f64,
        }
    }
}
