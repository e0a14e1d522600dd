//! Two arms held against each other.

use super::analysis::{Arm, Role};
use crate::random::{Purpose, Seed};
use crate::statistics::{self, Bootstrap, Method, Tested};
use serde::Serialize;

/// The level of significance, after correction.
pub const LEVEL: f64 = 0.05;

/// What is counted as one observation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// One retraining of one network: for conclusions about the networks that were found.
    Retraining,
    /// The mean over the retrainings of one search's winner: for conclusions about the search.
    SearchSeed,
}

/// What a p-value is by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Test {
    /// Mann and Whitney's, of two samples.
    MannWhitney,
    /// Wilcoxon's signed ranks, of one sample against a figure that is known.
    SignedRank,
}

/// What may be said of two arms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// The first is better: the test says so, after correction.
    Better,
    /// The first is worse: the test says so, after correction.
    Worse,
    /// The test shows no difference.
    NotShown,
}

/// Two arms and how they differ.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Contrast {
    /// The first arm.
    pub first: String,
    /// The second arm.
    pub second: String,
    /// What is counted as one observation.
    pub unit: Unit,
    /// Observations of each.
    pub sizes: (usize, usize),
    /// The mean of the first minus that of the second.
    pub difference: f64,
    /// The lower end of the difference's 95% interval.
    pub low: Option<f64>,
    /// Its upper end.
    pub high: Option<f64>,
    /// The probability that one of the first is above one of the second, equal ones counted half.
    pub a12: f64,
    /// What the p-value is by.
    pub test: Test,
    /// The two-sided p-value.
    pub p: f64,
    /// Whether it is from all arrangements.
    pub exact: bool,
    /// The p-value corrected by Holm's method for the contrasts with this unit.
    pub corrected: f64,
    /// The smallest p-value that samples of these sizes can have, without ties.
    pub least: f64,
    /// What may be said.
    pub finding: Finding,
}

/// The contrasts of each search with what it is measured against, corrected for being several.
pub fn contrasts(arms: &[Arm], unit: Unit, seed: Seed) -> Vec<Contrast> {
    contrasts_with(&Bootstrap::default(), arms, unit, seed)
}

/// As [`contrasts`], with intervals of the caller's.
pub(super) fn contrasts_with(
    bootstrap: &Bootstrap,
    arms: &[Arm],
    unit: Unit,
    seed: Seed,
) -> Vec<Contrast> {
    let opponents: &[Role] = match unit {
        Unit::Retraining => &[Role::HandDesigned, Role::RandomNetworks],
        Unit::SearchSeed => &[Role::RandomSearch],
    };
    let mut found = Vec::new();
    for first in arms.iter().filter(|arm| arm.role == Role::Search) {
        for second in arms.iter().filter(|arm| opponents.contains(&arm.role)) {
            let seed = seed.derive("interval of a difference", found.len() as u64);
            found.extend(contrast(bootstrap, (first, second), unit, seed));
        }
    }
    let p_values: Vec<f64> = found.iter().map(|contrast| contrast.p).collect();
    for (contrast, corrected) in found.iter_mut().zip(statistics::holm(&p_values)) {
        contrast.corrected = corrected;
        contrast.finding = match (corrected < LEVEL, contrast.a12 > 0.5) {
            (true, true) if contrast.difference > 0.0 => Finding::Better,
            (true, false) if contrast.difference < 0.0 => Finding::Worse,
            _ => Finding::NotShown,
        };
    }
    found
}

fn contrast(
    bootstrap: &Bootstrap,
    (first, second): (&Arm, &Arm),
    unit: Unit,
    seed: Seed,
) -> Option<Contrast> {
    let values = |arm: &Arm| match unit {
        Unit::Retraining => arm.values(),
        Unit::SearchSeed => arm.means_by_seed(),
    };
    let (x, y) = (values(first), values(second));
    let (test, tested) = tested(&x, &y, second.known)?;
    let mut stream = seed.stream(0, Purpose::Tool);
    let interval = bootstrap.difference(&x, &y, &mut stream);
    Some(Contrast {
        first: first.name.clone(),
        second: second.name.clone(),
        unit,
        sizes: (x.len(), y.len()),
        difference: statistics::mean(&x)? - statistics::mean(&y)?,
        low: interval.map(|interval| interval.low),
        high: interval.map(|interval| interval.high),
        a12: statistics::vargha_delaney(&x, &y)?,
        test,
        p: tested.p,
        exact: tested.method == Method::Exact,
        corrected: tested.p,
        least: least(x.len(), y.len(), second.known)?,
        finding: Finding::NotShown,
    })
}

/// Two samples held against each other; copies of one figure are no sample.
fn tested(x: &[f64], y: &[f64], known: bool) -> Option<(Test, Tested)> {
    if known {
        let figure = vec![*y.first()?; x.len()];
        return Some((Test::SignedRank, statistics::wilcoxon(x, &figure)?));
    }
    Some((Test::MannWhitney, statistics::mann_whitney(x, y)?))
}

/// The p-value of samples of these sizes that do not overlap.
fn least(n: usize, m: usize, known: bool) -> Option<f64> {
    let upper: Vec<f64> = (0..n).map(|at| (m + at) as f64).collect();
    let lower: Vec<f64> = match known {
        true => vec![-1.0; m],
        false => (0..m).map(|at| at as f64).collect(),
    };
    Some(tested(&upper, &lower, known)?.1.p)
}

/// The size of an effect in words, by Vargha and Delaney's thresholds.
pub fn effect(a12: f64) -> &'static str {
    match (a12 - 0.5).abs() {
        away if away >= 0.21 => "large",
        away if away >= 0.14 => "medium",
        away if away >= 0.06 => "small",
        _ => "negligible",
    }
}
