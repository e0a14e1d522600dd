//! The power of a comparison, and the size of one with enough of it.

use super::claim::Claim;
use super::student::{student_above, student_quantile};
use crate::statistics::normal_quantile;

/// The power that is asked for: a difference that is there is shown 4 times of 5.
const POWER: f64 = 0.8;
/// The most searches that are thought of.
const MOST_SEARCHES: u32 = 200;
/// The fewest searches of a claim: below it no test without normality could reach .05.
const FEWEST_SEARCHES: u32 = 6;

/// The p-value of "the sides differ by less than `margin`": the larger of two one-sided tests
/// (Schuirmann 1987). Nothing where the claim has no p-value.
pub fn equivalence(claim: &Claim, margin: f64) -> Option<f64> {
    claim.p?;
    if claim.error.variance == 0.0 {
        // Nothing varies: the searches are on the same side of both margins, as exactly as a sign test says.
        let inside = claim.difference.abs() < margin;
        return Some(if inside {
            libm::exp2(-claim.error.freedom)
        } else {
            1.0
        });
    }
    let deviation = libm::sqrt(claim.error.variance);
    let above = |distance: f64| student_above(claim.error.freedom, distance / deviation);
    Some(above(claim.difference + margin).max(above(margin - claim.difference)))
}

/// The least difference that a comparison with this error would show 4 times of 5.
pub fn least_difference(claim: &Claim, level: f64) -> Option<f64> {
    let error = claim.error;
    (error.variance > 0.0 && error.freedom >= 1.0).then(|| {
        let reach = student_quantile(1.0 - level / 2.0, error.freedom)
            + student_quantile(POWER, error.freedom);
        reach * libm::sqrt(error.variance)
    })
}

/// Variances of single observations of a comparison.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// The variance of a search's mean.
    pub searches: f64,
    /// The variance of one training of the design; 0 where its figure is known.
    pub design: f64,
    /// The retrainings of each winner.
    pub retrainings: u32,
    /// The variance of the difference over the sampling of test examples; 0 where they are given.
    pub examples: f64,
    /// The number of test examples.
    pub count: usize,
}

/// The size of a comparison that would show a difference 4 times of 5.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Needed {
    /// Searches; nothing where 200 are too few.
    pub searches: Option<u32>,
    /// Test examples.
    pub examples: usize,
    /// True if no number of searches would do with the examples at hand.
    pub beyond_examples: bool,
}

/// The size of a comparison that would show a difference of `smallest`, which is the smallest of interest and never the one
/// that was observed.
pub fn needed(spread: &Spread, smallest: f64, level: f64) -> Needed {
    let square = smallest * smallest;
    let z = normal_quantile(1.0 - level / 2.0) + normal_quantile(POWER);
    let twice = 2.0 * z * z * spread.examples;
    let examples = match twice > square {
        true => libm::ceil(spread.count as f64 * twice / square),
        false => spread.count as f64,
    };
    let of_examples = match spread.count {
        0 => 0.0,
        count => spread.examples * count as f64 / examples,
    };
    let enough = |searches: &u32| {
        let s = f64::from(*searches);
        let variance = spread.searches / s + spread.design / (s * f64::from(spread.retrainings));
        let t = student_quantile(1.0 - level / 2.0, s - 1.0) + student_quantile(POWER, s - 1.0);
        t * t * variance <= square && z * z * (variance + of_examples) <= square
    };
    Needed {
        searches: (FEWEST_SEARCHES..=MOST_SEARCHES).find(enough),
        examples: examples as usize,
        beyond_examples: z * z * spread.examples > square,
    }
}
