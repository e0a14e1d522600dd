//! Figures that say how good predictions are, as scikit-learn defines them. `tests/golden/metrics.py`
//! computes there what the tests here expect.
//!
//! Sums are taken in 64 bits in the order of the examples. A figure that the examples can't give
//! (an AUROC of a class that never occurs) is left out.

use crate::architecture::Output;
use crate::data::{TargetScale, Targets};
use std::collections::BTreeMap;

/// The figures that say how well a network does: the larger, the better. Others are errors, the smaller the better.
pub const QUALITY_FIGURES: [&str; 8] = [
    "accuracy",
    "balanced_accuracy",
    "f1_macro",
    "auroc",
    "top5_accuracy",
    "exact_match",
    "F1",
    "R2",
];

/// The figure that a search makes as high as it can.
pub(super) fn score(output: Output, outputs: &[f32], targets: &Targets) -> f64 {
    match (output, targets) {
        (_, Targets::Classes { labels, .. }) => accuracy(&predicted(output, outputs), labels),
        (_, Targets::Labels { flags, labels }) => {
            let predicted: Vec<bool> = outputs.iter().map(|&logit| logit > 0.0).collect();
            label_f1(&predicted, flags, *labels)
        }
        (_, Targets::Numbers { values, scale }) => r2(outputs, values, scale.outputs()),
    }
}

/// Every figure of the task.
pub(super) fn all(output: Output, outputs: &[f32], targets: &Targets) -> BTreeMap<String, f64> {
    let mut figures = Figures::default();
    figures.add(output.score_name(), Some(score(output, outputs, targets)));
    match targets {
        Targets::Classes { labels, classes } => {
            let predicted = predicted(output, outputs);
            let confusion = Confusion::of(&predicted, labels, *classes);
            figures.add("balanced_accuracy", confusion.balanced_accuracy());
            figures.add("f1_macro", Some(confusion.f1()));
            figures.add("auroc", classes_auroc(output, outputs, labels, *classes));
            if *classes > 5 {
                figures.add("top5_accuracy", Some(top_accuracy(outputs, labels, 5)));
            }
        }
        Targets::Labels { flags, labels } => {
            figures.add("exact_match", Some(exact_match(outputs, flags, *labels)));
            figures.add("auroc", labels_auroc(outputs, flags, *labels));
        }
        Targets::Numbers { values, scale } => {
            figures.add("rmse", Some(rmse(outputs, values, scale)));
            figures.add("mae", Some(mae(outputs, values, scale)));
        }
    }
    figures.0
}

#[derive(Default)]
struct Figures(BTreeMap<String, f64>);

impl Figures {
    fn add(&mut self, name: &str, figure: Option<f64>) {
        if let Some(figure) = figure {
            self.0.insert(name.to_owned(), figure);
        }
    }
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

fn accuracy(predicted: &[u32], labels: &[u32]) -> f64 {
    let pairs = predicted.iter().zip(labels);
    let correct = pairs.filter(|(one, other)| one == other).count();
    correct as f64 / labels.len().max(1) as f64
}

/// The share of rows in which fewer than `k` classes are said with more conviction than the right
/// one; of equal ones the later counts first, as in scikit-learn.
fn top_accuracy(outputs: &[f32], labels: &[u32], k: usize) -> f64 {
    let width = outputs.len() / labels.len().max(1);
    let rows = outputs.chunks_exact(width.max(1)).zip(labels);
    let hit = |&(row, &label): &(&[f32], &u32)| {
        let own = row[label as usize];
        let stronger = |(index, &logit): (usize, &f32)| {
            logit > own || (logit == own && index > label as usize)
        };
        row.iter()
            .enumerate()
            .filter(|&pair| stronger(pair))
            .count()
            < k
    };
    rows.filter(hit).count() as f64 / labels.len().max(1) as f64
}

/// How often each class is said of each class.
struct Confusion {
    /// Examples of a class.
    actual: Vec<usize>,
    /// How often a class was said.
    said: Vec<usize>,
    /// How often rightly.
    right: Vec<usize>,
}

impl Confusion {
    fn of(predicted: &[u32], labels: &[u32], classes: usize) -> Self {
        let mut out = Self {
            actual: vec![0; classes],
            said: vec![0; classes],
            right: vec![0; classes],
        };
        for (&predicted, &label) in predicted.iter().zip(labels) {
            out.actual[label as usize] += 1;
            out.said[predicted as usize] += 1;
            out.right[label as usize] += usize::from(predicted == label);
        }
        out
    }

    /// The mean share of each class that is recognised, over classes that occur.
    fn balanced_accuracy(&self) -> Option<f64> {
        let pairs = self.right.iter().zip(&self.actual);
        let shares = pairs.filter(|(_, actual)| **actual > 0);
        mean(shares.map(|(&right, &actual)| right as f64 / actual as f64))
    }

    /// The mean F1 of the classes that occur or are said.
    fn f1(&self) -> f64 {
        let sizes = self.actual.iter().zip(&self.said).zip(&self.right);
        let known = sizes.filter(|((actual, said), _)| **actual + **said > 0);
        let f1 = |((actual, said), right): ((&usize, &usize), &usize)| {
            2.0 * *right as f64 / (actual + said) as f64
        };
        mean(known.map(f1)).unwrap_or(0.0)
    }
}

/// The mean F1 of the labels; 0 for one that neither occurs nor is said.
fn label_f1(predicted: &[bool], flags: &[bool], labels: usize) -> f64 {
    let f1 = |label: usize| {
        let column = |flags: &[bool]| -> Vec<u32> {
            let column = flags.iter().skip(label).step_by(labels);
            column.map(|&flag| u32::from(flag)).collect()
        };
        let confusion = Confusion::of(&column(predicted), &column(flags), 2);
        let size = confusion.actual[1] + confusion.said[1];
        2.0 * confusion.right[1] as f64 / size.max(1) as f64
    };
    mean((0..labels).map(f1)).unwrap_or(0.0)
}

/// The share of examples of which every label is right.
fn exact_match(outputs: &[f32], flags: &[bool], labels: usize) -> f64 {
    let rows = outputs.chunks_exact(labels).zip(flags.chunks_exact(labels));
    let count = rows.len().max(1) as f64;
    let exact = |(row, flags): &(&[f32], &[bool])| {
        row.iter()
            .zip(*flags)
            .all(|(&logit, &flag)| (logit > 0.0) == flag)
    };
    rows.filter(exact).count() as f64 / count
}

/// The area under the receiver's curve: of one class against the other where there are two, else the
/// mean over classes, each against the rest by its probability.
fn classes_auroc(output: Output, outputs: &[f32], labels: &[u32], classes: usize) -> Option<f64> {
    let of = |class: usize| labels.iter().map(move |&label| label as usize == class);
    if output == Output::Binary {
        let scores = outputs.iter().map(|&logit| f64::from(logit));
        return auroc(scores.collect(), &of(1).collect::<Vec<_>>());
    }
    let rows: Vec<Vec<f64>> = outputs.chunks_exact(classes).map(probabilities).collect();
    let column = |class: usize| rows.iter().map(move |row| row[class]).collect();
    if classes == 2 {
        return auroc(column(1), &of(1).collect::<Vec<_>>());
    }
    let areas =
        (0..classes).filter_map(|class| auroc(column(class), &of(class).collect::<Vec<_>>()));
    mean(areas)
}

fn labels_auroc(outputs: &[f32], flags: &[bool], labels: usize) -> Option<f64> {
    let area = |label: usize| {
        let scores = outputs.iter().skip(label).step_by(labels);
        let flags: Vec<bool> = flags.iter().skip(label).step_by(labels).copied().collect();
        auroc(scores.map(|&logit| f64::from(logit)).collect(), &flags)
    };
    mean((0..labels).filter_map(area))
}

/// The probability that a positive scores higher than a negative, ties counting half: by ranks, as
/// Mann and Whitney have it. Nothing if either is missing.
fn auroc(scores: Vec<f64>, positive: &[bool]) -> Option<f64> {
    let positives = positive.iter().filter(|&&flag| flag).count();
    let negatives = positive.len() - positives;
    if positives == 0 || negatives == 0 {
        return None;
    }
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[a].total_cmp(&scores[b]));
    let (mut sum, mut start) = (0.0, 0);
    while start < order.len() {
        let equal = |&&index: &&usize| scores[index] == scores[order[start]];
        let count = order[start..].iter().take_while(equal).count().max(1);
        let rank = (2 * start + count + 1) as f64 / 2.0;
        let tied = order[start..start + count].iter();
        sum += rank * tied.filter(|&&index| positive[index]).count() as f64;
        start += count;
    }
    let (positives, negatives) = (positives as f64, negatives as f64);
    Some((sum - positives * (positives + 1.0) / 2.0) / (positives * negatives))
}

fn probabilities(logits: &[f32]) -> Vec<f64> {
    let top = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let weights = logits.iter();
    let weights = weights.map(|&logit| libm::exp(f64::from(logit) - f64::from(top)));
    let weights: Vec<f64> = weights.collect();
    let sum: f64 = weights.iter().sum();
    weights.iter().map(|weight| weight / sum).collect()
}

/// The share of the variance that is explained, the mean over outputs. Where there is no variance,
/// 1 if nothing is missed and 0 otherwise.
fn r2(outputs: &[f32], values: &[f32], width: usize) -> f64 {
    let of = |column: usize| {
        let wanted = || {
            values
                .iter()
                .skip(column)
                .step_by(width)
                .map(|&v| f64::from(v))
        };
        let given = outputs.iter().skip(column).step_by(width);
        let mean = mean(wanted()).unwrap_or(0.0);
        let missed: f64 = given
            .zip(wanted())
            .map(|(&x, y)| square(f64::from(x) - y))
            .sum();
        let spread: f64 = wanted().map(|y| square(y - mean)).sum();
        match (spread > 0.0, missed > 0.0) {
            (true, _) => 1.0 - missed / spread,
            (false, true) => 0.0,
            (false, false) => 1.0,
        }
    };
    mean((0..width).map(of)).unwrap_or(0.0)
}

/// The root of the mean squared distance in the data's own units, the mean over outputs.
fn rmse(outputs: &[f32], values: &[f32], scale: &TargetScale) -> f64 {
    by_output(outputs, values, scale, square, libm::sqrt)
}

/// The mean distance in the data's own units, the mean over outputs.
fn mae(outputs: &[f32], values: &[f32], scale: &TargetScale) -> f64 {
    by_output(outputs, values, scale, f64::abs, |mean| mean)
}

fn by_output(
    outputs: &[f32],
    values: &[f32],
    scale: &TargetScale,
    size: fn(f64) -> f64,
    finish: fn(f64) -> f64,
) -> f64 {
    let width = scale.outputs();
    let of = |column: usize| {
        let pairs = outputs.iter().zip(values).skip(column).step_by(width);
        let sizes = pairs.map(|(&x, &y)| size(f64::from(x) - f64::from(y)));
        finish(mean(sizes).unwrap_or(0.0)) * scale.deviation[column]
    };
    mean((0..width).map(of)).unwrap_or(0.0)
}

fn square(x: f64) -> f64 {
    x * x
}

fn mean(figures: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = figures.fold((0.0, 0usize), |(sum, count), x| (sum + x, count + 1));
    (count > 0).then(|| sum / count as f64)
}

#[cfg(test)]
mod tests;
