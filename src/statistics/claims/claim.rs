//! The claims themselves.

use super::components::{
    Component, ExampleVariance, is_rounding, means, satterthwaite, searches_variance, variance,
};
use super::student::{student_quantile, student_two_sided};
use crate::statistics::{Interval, mean};

/// One side of a contrast, as its scores.
#[derive(Clone, Copy, Debug)]
pub enum Observations<'a> {
    /// The retrainings of each search's winner; every search has one at least.
    Searches(&'a [Vec<f64>]),
    /// The retrainings of one network, or trainings of networks that nobody chose.
    Network(&'a [f64]),
    /// A figure that is known without noise, as a table's.
    Known(f64),
}

/// A claim of a difference between two sides.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Claim {
    /// The first side's mean minus the second's; exactly 0 where that is rounding.
    pub difference: f64,
    /// The difference's variance and the freedom it is known with.
    pub error: Component,
    /// The two-sided p-value; nothing where nothing can be tested.
    pub p: Option<f64>,
    /// Half the width of the 95% interval; nothing where there is none.
    pub half_width: Option<f64>,
}

impl Observations<'_> {
    /// The mean over observations.
    pub fn mean(self) -> f64 {
        match self {
            Self::Searches(searches) => mean(&means(searches)).unwrap_or(f64::NAN),
            Self::Network(scores) => mean(scores).unwrap_or(f64::NAN),
            Self::Known(figure) => figure,
        }
    }

    /// The variance of the mean.
    fn component(self) -> Component {
        let (variance, observations) = match self {
            Self::Searches(searches) => (searches_variance(searches), searches.len()),
            Self::Network(scores) => (variance(scores) / scores.len() as f64, scores.len()),
            Self::Known(_) => {
                return Component {
                    variance: 0.0,
                    freedom: f64::INFINITY,
                };
            }
        };
        let freedom = observations.saturating_sub(1) as f64;
        Component { variance, freedom }
    }

    /// The variance of the mean where the networks are given and only retraining is drawn anew; nothing
    /// where that is not known.
    fn retraining(self) -> Option<Vec<Component>> {
        let Self::Searches(searches) = self else {
            let whole = self.component();
            return (whole.freedom > 0.0).then(|| vec![whole]);
        };
        let count = searches.len() as f64;
        let of = |scores: &Vec<f64>| {
            (scores.len() > 1).then(|| Component {
                variance: variance(scores) / (scores.len() as f64 * count * count),
                freedom: (scores.len() - 1) as f64,
            })
        };
        searches.iter().map(of).collect()
    }
}

/// The p-value of `searches` differences that are all the same: the exact sign test, or 1 where they are 0.
pub fn sign_test(difference: f64, searches: usize) -> f64 {
    match difference == 0.0 {
        true => 1.0,
        false => libm::exp2(1.0 - searches as f64),
    }
}

fn difference(first: Observations<'_>, second: Observations<'_>) -> f64 {
    let (first, second) = (first.mean(), second.mean());
    let difference = first - second;
    match is_rounding(difference, first) {
        true => 0.0,
        false => difference,
    }
}

impl Claim {
    /// Without a test and without an interval.
    fn untested(difference: f64, error: Component) -> Self {
        Self {
            difference,
            error,
            p: None,
            half_width: None,
        }
    }

    /// By Student's distribution.
    fn student(difference: f64, error: Component) -> Self {
        let deviation = libm::sqrt(error.variance);
        Self {
            p: Some(student_two_sided(error.freedom, difference / deviation)),
            half_width: Some(student_quantile(0.975, error.freedom) * deviation),
            ..Self::untested(difference, error)
        }
    }

    /// By Student's distribution, or where nothing varies by signs.
    fn of(difference: f64, error: Component, searches: usize) -> Self {
        if searches < 2 || error.freedom < 1.0 {
            return Self::untested(difference, error);
        }
        if error.variance == 0.0 {
            return Self {
                p: Some(sign_test(difference, searches)),
                ..Self::untested(difference, error)
            };
        }
        Self::student(difference, error)
    }

    /// The 95% interval of the difference.
    pub fn interval(&self) -> Option<Interval> {
        self.half_width.map(|half| Interval {
            low: self.difference - half,
            high: self.difference + half,
        })
    }

    /// The claim with another variance added, which may make it no surer than it is.
    fn widened(self, error: Component) -> Self {
        if error.variance == 0.0 || self.p.is_none() {
            return self;
        }
        let wider = Self::student(self.difference, error);
        let larger = |a: Option<f64>, b: Option<f64>| match (a, b) {
            (Some(a), Some(b)) => Some(a.max(b)),
            (a, b) => a.or(b),
        };
        Self {
            p: larger(self.p, wider.p),
            half_width: larger(self.half_width, wider.half_width),
            ..wider
        }
    }
}

/// New searches and new trainings, on the test examples at hand. One search is one observation; the
/// degrees of freedom are those of the side with the fewer observations.
pub fn claim_2(first: Observations<'_>, second: Observations<'_>) -> Claim {
    let (a, b) = (first.component(), second.component());
    let error = Component {
        variance: a.variance + b.variance,
        freedom: a.freedom.min(b.freedom),
    };
    Claim::of(
        difference(first, second),
        error,
        observations(first, second),
    )
}

/// The number of searches of a contrast: of the side with the fewer where both are searches.
fn observations(first: Observations<'_>, second: Observations<'_>) -> usize {
    match (first, second) {
        (Observations::Searches(a), Observations::Searches(b)) => a.len().min(b.len()),
        (Observations::Searches(a), _) | (_, Observations::Searches(a)) => a.len(),
        _ => 1,
    }
}

/// New searches, new trainings and new test examples: the only claim for a headline. Never surer than
/// [`claim_2`].
pub fn claim_3(
    first: Observations<'_>,
    second: Observations<'_>,
    examples: ExampleVariance,
) -> Claim {
    let parts = [first.component(), second.component(), examples.component()];
    claim_2(first, second).widened(satterthwaite(&parts))
}

/// The networks at hand trained anew, on the test examples at hand. It says nothing of searches, and has
/// no p-value that could be taken for that.
pub fn claim_1(first: Observations<'_>, second: Observations<'_>) -> Claim {
    Claim {
        p: None,
        ..given_networks(first, second, None)
    }
}

/// The networks at hand trained anew, on new test examples.
pub fn claim_1x(
    first: Observations<'_>,
    second: Observations<'_>,
    examples: ExampleVariance,
) -> Claim {
    given_networks(first, second, Some(examples))
}

fn given_networks(
    first: Observations<'_>,
    second: Observations<'_>,
    examples: Option<ExampleVariance>,
) -> Claim {
    let difference = difference(first, second);
    let unknown = Component {
        variance: 0.0,
        freedom: 0.0,
    };
    let (Some(mut parts), Some(others)) = (first.retraining(), second.retraining()) else {
        return Claim::untested(difference, unknown);
    };
    parts.extend(others);
    parts.extend(examples.map(ExampleVariance::component));
    let error = satterthwaite(&parts);
    match error.variance > 0.0 {
        true => Claim::student(difference, error),
        false => Claim::untested(difference, error),
    }
}

/// Two searches whose runs share seeds, the winner of the one against the winner of the other. With
/// examples, the claim holds for new ones.
///
/// # Panics
/// When there are not as many of the one as of the other.
pub fn paired(first: &[Vec<f64>], second: &[Vec<f64>], examples: Option<ExampleVariance>) -> Claim {
    assert_eq!(
        first.len(),
        second.len(),
        "searches are paired by their seeds"
    );
    let pairs = means(first).into_iter().zip(means(second));
    let differences: Vec<f64> = pairs.map(|(a, b)| a - b).collect();
    let searches = differences.len();
    let error = Component {
        variance: variance(&differences) / searches.max(1) as f64,
        freedom: searches.saturating_sub(1) as f64,
    };
    let (first, second) = (
        Observations::Searches(first),
        Observations::Searches(second),
    );
    let claim = Claim::of(difference(first, second), error, searches);
    match examples {
        None => claim,
        Some(examples) => claim.widened(satterthwaite(&[error, examples.component()])),
    }
}

/// The number of searches whose mean is above a figure; two that are level with it count as one.
pub fn searches_above(searches: &[Vec<f64>], figure: f64) -> usize {
    let halves = |mean: f64| match mean - figure {
        away if is_rounding(away, figure) => 1,
        away if away > 0.0 => 2,
        _ => 0,
    };
    means(searches).into_iter().map(halves).sum::<usize>() / 2
}
