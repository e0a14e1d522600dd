//! A linear model with squared (L2) penalties, trained to convergence.
//!
//! Over examples `i` with features on mean 0 and deviation 1 it minimises `sum_i loss_i + l2/2 |w|^2`: logistic
//! regression as scikit-learn's `LogisticRegression(C=1/l2)` has it, and for numbers ridge regression as its
//! `Ridge(alpha=l2)`. Intercepts are free.

use super::loss::Loss;
use super::minimise::{Limits, Minimum, minimise};
use super::{FittedModel, Parts};
use crate::data::{Normalise, Normaliser, Part};
use std::collections::BTreeMap;

/// The penalties that the validation examples choose from, the strongest first.
pub(super) const PENALTIES: [f64; 7] = [1000.0, 100.0, 10.0, 1.0, 0.1, 0.01, 0.001];

/// The largest derivative of the mean loss by any coefficient that counts as converged, and when to give up.
pub(super) const LIMITS: Limits = Limits {
    tolerance: 1e-8,
    steps: 5000,
};

pub(super) fn fit<E>(
    parts: &Parts<'_>,
    loss: Loss,
    go_on: &mut dyn FnMut() -> Result<(), E>,
) -> Result<(Vec<f64>, FittedModel), E> {
    let l2 = choose(parts, loss, go_on)?;
    let [retraining, test] = scaled([parts.retraining, parts.test]);
    let problem = Problem::of(&retraining, loss);
    let minimum = problem.minimum(problem.start(), l2, go_on)?;
    let model = FittedModel {
        size: minimum.at.len() as u64,
        chosen: BTreeMap::from([("l2".to_owned(), l2)]),
        converged: minimum.converged,
    };
    Ok((predict(&minimum.at, &test, loss), model))
}

/// The penalty with the lowest loss of the validation examples; of equals the strongest.
fn choose<E>(
    parts: &Parts<'_>,
    loss: Loss,
    go_on: &mut dyn FnMut() -> Result<(), E>,
) -> Result<f64, E> {
    let [train, validation] = scaled([parts.train, parts.validation]);
    let wanted = loss.wanted(&validation.targets);
    let problem = Problem::of(&train, loss);
    let mut best = (f64::INFINITY, PENALTIES[0]);
    let mut start = problem.start();
    for l2 in PENALTIES {
        // The minimum for one penalty is close to that for the next.
        start = problem.minimum(start, l2, go_on)?.at;
        let found = loss.mean(&predict(&start, &validation, loss), &wanted);
        if found < best.0 {
            best = (found, l2);
        }
    }
    Ok(best.1)
}

/// Both parts with the first one's features on mean 0 and deviation 1, whatever the experiment's scale.
fn scaled(parts: [&Part; 2]) -> [Part; 2] {
    let scale = Normaliser::fit(Normalise::Standard, parts[0]);
    parts.map(|part| {
        let mut part = part.clone();
        scale.apply(&mut part);
        part
    })
}

/// Examples to be met by a linear model.
pub(super) struct Problem<'a> {
    part: &'a Part,
    wanted: Vec<f64>,
    loss: Loss,
}

impl<'a> Problem<'a> {
    pub fn of(part: &'a Part, loss: Loss) -> Self {
        let wanted = loss.wanted(&part.targets);
        Self { part, wanted, loss }
    }

    /// No coefficient but the intercepts.
    pub fn start(&self) -> Vec<f64> {
        let mut at = self.loss.constant(&self.wanted);
        at.resize(self.loss.width * (1 + self.part.shape.elements()), 0.0);
        at
    }

    pub fn minimum<E>(
        &self,
        start: Vec<f64>,
        l2: f64,
        go_on: &mut dyn FnMut() -> Result<(), E>,
    ) -> Result<Minimum, E> {
        let function = |at: &[f64], gradient: &mut [f64]| self.value(at, l2, gradient);
        minimise(start, LIMITS, &function, go_on)
    }

    /// The mean loss with its penalty, and the gradient.
    fn value(&self, at: &[f64], l2: f64, gradient: &mut [f64]) -> f64 {
        let width = self.loss.width;
        let share = 1.0 / self.part.len().max(1) as f64;
        let (mut raw, mut first, mut second) =
            (vec![0.0; width], vec![0.0; width], vec![0.0; width]);
        let mut total = 0.0;
        for (index, wanted) in self.wanted.chunks_exact(width).enumerate() {
            let example = self.part.example(index);
            row(at, example, &mut raw);
            total += self.loss.row(&raw, wanted, &mut first, &mut second);
            accumulate(gradient, example, &first);
        }
        let (intercepts, weights) = at.split_at(width);
        let (of_intercepts, of_weights) = gradient.split_at_mut(width);
        debug_assert_eq!(intercepts.len(), of_intercepts.len());
        of_intercepts.iter_mut().for_each(|slope| *slope *= share);
        let mut squares = 0.0;
        for (slope, weight) in of_weights.iter_mut().zip(weights) {
            *slope = share * (*slope + l2 * weight);
            squares += weight * weight;
        }
        share * (total + 0.5 * l2 * squares)
    }
}

/// The numbers of an example: intercepts first, then for each feature one coefficient a number.
fn row(at: &[f64], example: &[f32], raw: &mut [f64]) {
    let (intercepts, weights) = at.split_at(raw.len());
    raw.copy_from_slice(intercepts);
    for (&value, weights) in example.iter().zip(weights.chunks_exact(raw.len())) {
        for (x, weight) in raw.iter_mut().zip(weights) {
            *x += f64::from(value) * weight;
        }
    }
}

fn accumulate(gradient: &mut [f64], example: &[f32], first: &[f64]) {
    let (intercepts, weights) = gradient.split_at_mut(first.len());
    for (slope, &by) in intercepts.iter_mut().zip(first) {
        *slope += by;
    }
    for (&value, weights) in example.iter().zip(weights.chunks_exact_mut(first.len())) {
        for (slope, &by) in weights.iter_mut().zip(first) {
            *slope += f64::from(value) * by;
        }
    }
}

pub(super) fn predict(at: &[f64], part: &Part, loss: Loss) -> Vec<f64> {
    let mut out = vec![0.0; part.len() * loss.width];
    for (index, raw) in out.chunks_exact_mut(loss.width).enumerate() {
        row(at, part.example(index), raw);
    }
    out
}
