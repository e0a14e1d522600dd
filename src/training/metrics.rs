//! Figures that say how good predictions are, as scikit-learn defines them. `tests/golden/metrics.py`
//! computes there what the tests here expect.
//!
//! Sums are taken in 64 bits in the order of the examples. A figure that the examples can't give
//! (an AUROC of a class that never occurs) is left out.

mod counts;
mod distances;
mod jackknife;
mod ranks;

pub use jackknife::contributions;

use super::score::Score;
use crate::architecture::Output;
use crate::data::Targets;
use counts::{Confusion, LabelCounts};
use std::collections::BTreeMap;

/// The figure that a score stands for; nothing where the examples can't give it.
///
/// # Panics
/// When the score does not fit the output, or the targets are not of it.
pub(super) fn figure(
    score: Score,
    output: Output,
    outputs: &[f32],
    targets: &Targets,
) -> Option<f64> {
    if score.is_mean() && score != Score::Mae {
        return mean(each(score, output, outputs, targets).into_iter());
    }
    match targets {
        Targets::Classes { labels, classes } => match score {
            Score::Auroc => ranks::classes_auroc(output, outputs, labels, *classes),
            Score::AveragePrecision => {
                ranks::of_two_classes(output, outputs, labels, *classes).average_precision()
            }
            _ => Confusion::of(&predicted(output, outputs), labels, *classes).figure(score),
        },
        Targets::Labels { flags, labels } => match score {
            Score::Auroc => ranks::labels_auroc(outputs, flags, *labels),
            _ => LabelCounts::of(outputs, flags, *labels).f1(),
        },
        Targets::Numbers { values, scale } => distances::figure(score, outputs, values, scale),
    }
}

/// What each example gives to a score that is a mean over examples.
///
/// # Panics
/// When the score is no such mean, does not fit the output, or the targets are not of it.
fn each(score: Score, output: Output, outputs: &[f32], targets: &Targets) -> Vec<f64> {
    let width = output.numbers();
    let rows = outputs.chunks_exact(width);
    let flag = |hit: bool| f64::from(u8::from(hit));
    match (score, targets) {
        (Score::Accuracy, Targets::Classes { labels, .. }) => {
            let said = predicted(output, outputs);
            let pairs = said.iter().zip(labels);
            pairs.map(|(said, label)| flag(said == label)).collect()
        }
        (Score::Top5Accuracy, Targets::Classes { labels, .. }) => {
            let pairs = rows.zip(labels);
            pairs
                .map(|(row, &label)| flag(is_among(row, label, 5)))
                .collect()
        }
        (Score::LogLoss, Targets::Classes { labels, .. }) => {
            let pairs = rows.zip(labels);
            let loss = |(row, &label): (&[f32], &u32)| match output {
                Output::Binary => binary_loss(row[0], label > 0),
                _ => row_loss(row, label as usize),
            };
            pairs.map(loss).collect()
        }
        (Score::LogLoss, Targets::Labels { flags, labels }) => {
            let pairs = rows.zip(flags.chunks_exact(*labels));
            let loss = |(row, flags): (&[f32], &[bool])| {
                let losses = row.iter().zip(flags);
                let sum: f64 = losses.map(|(&x, &flag)| binary_loss(x, flag)).sum();
                sum / *labels as f64
            };
            pairs.map(loss).collect()
        }
        (Score::ExactMatch, Targets::Labels { flags, labels }) => {
            let pairs = rows.zip(flags.chunks_exact(*labels));
            let exact = |(row, flags): (&[f32], &[bool])| {
                let mut pairs = row.iter().zip(flags);
                pairs.all(|(&logit, &flag)| (logit > 0.0) == flag)
            };
            pairs.map(|pair| flag(exact(pair))).collect()
        }
        (Score::Mse | Score::Mae, Targets::Numbers { values, scale }) => {
            distances::each(score, outputs, values, scale)
        }
        _ => panic!("`{score}` is no mean over examples of `output {output}`"),
    }
}

/// Every figure of the task, and that of the score.
pub(super) fn all(
    score: Score,
    output: Output,
    outputs: &[f32],
    targets: &Targets,
) -> BTreeMap<String, f64> {
    let usual: &[Score] = match output {
        Output::Classes(_) | Output::Binary => &[
            Score::Accuracy,
            Score::BalancedAccuracy,
            Score::F1Macro,
            Score::Auroc,
            Score::Top5Accuracy,
        ],
        Output::Labels(_) => &[Score::F1, Score::ExactMatch, Score::Auroc],
        Output::Regression(_) => &[Score::R2, Score::Rmse, Score::Mae],
    };
    let fitting = usual.iter().filter(|score| score.fits(output));
    let known = fitting.chain(std::iter::once(&score)).filter_map(|&score| {
        let figure = figure(score, output, outputs, targets)?;
        Some((score.figure_name(output).to_owned(), figure))
    });
    known.collect()
}

/// The class that each row of outputs says; the first of equal ones.
fn predicted(output: Output, outputs: &[f32]) -> Vec<u32> {
    match output {
        Output::Binary => outputs.iter().map(|&x| u32::from(x > 0.0)).collect(),
        _ => {
            let rows = outputs.chunks_exact(output.numbers());
            rows.map(|row| largest(row) as u32).collect()
        }
    }
}

fn largest(logits: &[f32]) -> usize {
    let mut best = 0;
    for (index, &logit) in logits.iter().enumerate() {
        if logit > logits[best] {
            best = index;
        }
    }
    best
}

/// Whether fewer than `k` classes are said with more conviction than the right one; of equal ones the later
/// counts first, as in scikit-learn.
fn is_among(row: &[f32], label: u32, k: usize) -> bool {
    let own = row[label as usize];
    let stronger =
        |&(index, &logit): &(usize, &f32)| logit > own || (logit == own && index > label as usize);
    row.iter().enumerate().filter(stronger).count() < k
}

/// The cross-entropy of one example's logits, in nats.
pub(super) fn row_loss(logits: &[f32], label: usize) -> f64 {
    let top = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = logits
        .iter()
        .map(|&logit| libm::exp(f64::from(logit) - f64::from(top)))
        .sum();
    libm::log(sum) + f64::from(top) - f64::from(logits[label])
}

/// `-log(sigmoid(x))` for a flag that is set, `-log(1 - sigmoid(x))` for one that is not.
pub(super) fn binary_loss(logit: f32, flag: bool) -> f64 {
    let x = f64::from(logit);
    let against = if flag { -x } else { x };
    against.max(0.0) + libm::log1p(libm::exp(-x.abs()))
}

fn mean(figures: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = figures.fold((0.0, 0usize), |(sum, count), x| (sum + x, count + 1));
    (count > 0).then(|| sum / count as f64)
}

#[cfg(test)]
mod tests;
