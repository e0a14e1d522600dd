//! Models of tables that a network has to beat: boosted trees, and a linear model trained to convergence.
//!
//! A model is a pure function of the examples: nothing is drawn, everything is computed on one thread in 64 bits
//! (the trees' gradients in 32), and exponentials and logarithms are `libm`'s. So the same examples give the same
//! bits wherever a model is fitted. What it is free to choose, it chooses by the validation examples; then it is
//! fitted once more to training and validation examples together, and says of each test example what a network's
//! outputs would.

mod boosted_trees;
mod linear;
mod loss;
mod minimise;

use crate::architecture::Output;
use crate::data::Part;
use loss::Loss;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// A kind of model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelKind {
    /// Gradient-boosted decision trees.
    BoostedTrees,
    /// Logistic regression, or ridge regression of numbers.
    Linear,
}

impl ModelKind {
    /// Every kind, in the order in which they are fitted and printed.
    pub const ALL: [Self; 2] = [Self::BoostedTrees, Self::Linear];

    /// Its name in an experiment.
    pub fn name(self) -> &'static str {
        match self {
            Self::BoostedTrees => "boosted_trees",
            Self::Linear => "linear",
        }
    }
}

impl fmt::Display for ModelKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BoostedTrees => "boosted trees",
            Self::Linear => "linear model",
        })
    }
}

/// The parts of a table that a model is fitted to and tested on.
#[derive(Clone, Copy, Debug)]
pub struct Parts<'a> {
    /// What it learns from while it chooses its settings.
    pub train: &'a Part,
    /// What it chooses them by; scaled as `train` is.
    pub validation: &'a Part,
    /// Both together, on a scale of their own: what it is fitted to in the end.
    pub retraining: &'a Part,
    /// What it is tested on; scaled as `retraining` is.
    pub test: &'a Part,
}

/// A fitted model, without what it consists of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FittedModel {
    /// How many numbers were fitted: coefficients and intercepts, or thresholds and leaves' values.
    pub size: u64,
    /// The settings that the validation examples chose, by their names.
    pub chosen: BTreeMap<String, f64>,
    /// Whether the loss was minimised to the tolerance; trees have none to miss.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub converged: bool,
}

fn yes() -> bool {
    true
}

fn is_yes(flag: &bool) -> bool {
    *flag
}

/// Fits a model and gives its outputs for the test examples, as many a row as a network with this `output` has:
/// logits, or numbers on the scale of the test part's targets. Asks before each tree and each step whether to go on.
///
/// # Errors
/// What `go_on` answers.
///
/// # Panics
/// When the parts' targets are not of the output.
pub fn fit<E>(
    kind: ModelKind,
    parts: &Parts<'_>,
    output: Output,
    go_on: &mut dyn FnMut() -> Result<(), E>,
) -> Result<(Vec<f32>, FittedModel), E> {
    let loss = Loss::of(output);
    let (raw, model) = match kind {
        ModelKind::BoostedTrees => boosted_trees::fit(parts, loss, go_on)?,
        ModelKind::Linear => linear::fit(parts, loss, go_on)?,
    };
    Ok((loss.outputs(&raw, output), model))
}

/// The most bytes that fitting to these parts takes: copies of the inputs in 64 bits, the trees' bins, and a few
/// figures for each output of each example.
pub fn memory_estimate(parts: &Parts<'_>, output: Output) -> u64 {
    let examples = |part: &Part| part.len() as u64;
    let rows = examples(parts.retraining) + examples(parts.test) + examples(parts.validation);
    let features = parts.retraining.shape.elements() as u64;
    rows * (18 * features + 48 * output.numbers() as u64)
}

#[cfg(test)]
mod tests;
