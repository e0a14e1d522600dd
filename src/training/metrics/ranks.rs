//! Figures of the order that scores put examples in.

use super::mean;
use crate::architecture::Output;

/// Examples with a score each, those of one kind marked.
#[derive(Clone, Debug)]
pub(super) struct Ranked {
    pub scores: Vec<f64>,
    pub positive: Vec<bool>,
}

impl Ranked {
    /// How many are marked, and how many are not.
    pub fn counts(&self) -> (usize, usize) {
        let positives = self.positive.iter().filter(|&&flag| flag).count();
        (positives, self.positive.len() - positives)
    }

    /// The examples, the lowest score first.
    pub fn order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.scores.len()).collect();
        order.sort_by(|&a, &b| self.scores[a].total_cmp(&self.scores[b]));
        order
    }

    /// The runs of equal scores in an order.
    pub fn ties<'a>(&'a self, order: &'a [usize]) -> impl Iterator<Item = &'a [usize]> {
        order.chunk_by(|&a, &b| self.scores[a] == self.scores[b])
    }

    /// The probability that a positive scores higher than a negative, ties counting half: by ranks, as
    /// Mann and Whitney have it. Nothing if either is missing.
    pub fn auroc(&self) -> Option<f64> {
        let (positives, negatives) = self.counts();
        if positives == 0 || negatives == 0 {
            return None;
        }
        let order = self.order();
        let (mut sum, mut start) = (0.0, 0);
        for tied in self.ties(&order) {
            let rank = (2 * start + tied.len() + 1) as f64 / 2.0;
            let marked = tied.iter().filter(|&&index| self.positive[index]);
            sum += rank * marked.count() as f64;
            start += tied.len();
        }
        let (positives, negatives) = (positives as f64, negatives as f64);
        Some((sum - positives * (positives + 1.0) / 2.0) / (positives * negatives))
    }

    /// The mean precision over thresholds, each weighed by the recall that it gains. Nothing if no example is
    /// marked.
    pub fn average_precision(&self) -> Option<f64> {
        let (positives, _) = self.counts();
        let mut order = self.order();
        order.reverse();
        let (mut hits, mut seen, mut sum) = (0, 0, 0.0);
        for tied in self.ties(&order) {
            let gained = tied.iter().filter(|&&index| self.positive[index]).count();
            hits += gained;
            seen += tied.len();
            sum += gained as f64 * hits as f64 / seen as f64;
        }
        (positives > 0).then(|| sum / positives as f64)
    }

    /// The examples at these places alone.
    pub fn select(&self, places: &[usize]) -> Self {
        Self {
            scores: places.iter().map(|&at| self.scores[at]).collect(),
            positive: places.iter().map(|&at| self.positive[at]).collect(),
        }
    }
}

/// The second of two classes against the first.
pub(super) fn of_two_classes(
    output: Output,
    outputs: &[f32],
    labels: &[u32],
    classes: usize,
) -> Ranked {
    Ranked {
        scores: match output {
            Output::Binary => outputs.iter().map(|&logit| f64::from(logit)).collect(),
            _ => column(&rows(outputs, classes), 1),
        },
        positive: labels.iter().map(|&label| label == 1).collect(),
    }
}

/// Each class against the rest by its probability; where there are two, the second alone.
pub(super) fn of_classes(
    output: Output,
    outputs: &[f32],
    labels: &[u32],
    classes: usize,
) -> Vec<Ranked> {
    if output == Output::Binary || classes == 2 {
        return vec![of_two_classes(output, outputs, labels, classes)];
    }
    let rows = rows(outputs, classes);
    let of = |class: usize| Ranked {
        scores: column(&rows, class),
        positive: labels
            .iter()
            .map(|&label| label as usize == class)
            .collect(),
    };
    (0..classes).map(of).collect()
}

/// Each label by its logit.
pub(super) fn of_labels(outputs: &[f32], flags: &[bool], labels: usize) -> Vec<Ranked> {
    let of = |label: usize| Ranked {
        scores: outputs
            .iter()
            .skip(label)
            .step_by(labels)
            .map(|&x| f64::from(x))
            .collect(),
        positive: flags.iter().skip(label).step_by(labels).copied().collect(),
    };
    (0..labels).map(of).collect()
}

/// The area under the receiver's curve: of one class against the other where there are two, else the
/// mean over classes that occur, each against the rest.
pub(super) fn classes_auroc(
    output: Output,
    outputs: &[f32],
    labels: &[u32],
    classes: usize,
) -> Option<f64> {
    let all = of_classes(output, outputs, labels, classes);
    mean(all.iter().filter_map(Ranked::auroc))
}

/// The mean area over labels that some examples have and some have not.
pub(super) fn labels_auroc(outputs: &[f32], flags: &[bool], labels: usize) -> Option<f64> {
    let all = of_labels(outputs, flags, labels);
    mean(all.iter().filter_map(Ranked::auroc))
}

fn rows(outputs: &[f32], classes: usize) -> Vec<Vec<f64>> {
    outputs.chunks_exact(classes).map(probabilities).collect()
}

fn column(rows: &[Vec<f64>], class: usize) -> Vec<f64> {
    rows.iter().map(|row| row[class]).collect()
}

fn probabilities(logits: &[f32]) -> Vec<f64> {
    let top = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let weights = logits.iter();
    let weights = weights.map(|&logit| libm::exp(f64::from(logit) - f64::from(top)));
    let weights: Vec<f64> = weights.collect();
    let sum: f64 = weights.iter().sum();
    weights.iter().map(|weight| weight / sum).collect()
}
