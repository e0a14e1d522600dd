//! Losses of a row of numbers, with their gradients, in 64 bits.

use crate::architecture::Output;
use crate::data::Targets;

/// A loss, and how many numbers it judges for each example.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Loss {
    kind: Kind,
    /// Numbers an example.
    pub width: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// The cross-entropy of one class of three or more.
    Softmax,
    /// The cross-entropy of each of some yes-or-no questions.
    Logistic,
    /// Half the squared distance of each number.
    Squared,
}

impl Loss {
    /// The loss for what a network with this output says. Two classes are one question.
    pub fn of(output: Output) -> Self {
        let (kind, width) = match output {
            Output::Binary | Output::Classes(..=2) => (Kind::Logistic, 1),
            Output::Classes(classes) => (Kind::Softmax, classes),
            Output::Labels(labels) => (Kind::Logistic, labels),
            Output::Regression(numbers) => (Kind::Squared, numbers),
        };
        Self { kind, width }
    }

    /// What would be right to say of each example: `width` numbers each.
    pub fn wanted(self, targets: &Targets) -> Vec<f64> {
        let flag = |flag: bool| f64::from(u8::from(flag));
        match targets {
            Targets::Classes { labels, .. } if self.kind == Kind::Softmax => {
                let row =
                    |&label: &u32| (0..self.width).map(move |class| flag(class == label as usize));
                labels.iter().flat_map(row).collect()
            }
            Targets::Classes { labels, .. } => {
                labels.iter().map(|&label| flag(label > 0)).collect()
            }
            Targets::Labels { flags, .. } => flags.iter().map(|&it| flag(it)).collect(),
            Targets::Numbers { values, .. } => values.iter().copied().map(f64::from).collect(),
        }
    }

    /// What to say of every example alike: the logarithms of shares, or means.
    pub fn constant(self, wanted: &[f64]) -> Vec<f64> {
        let count = (wanted.len() / self.width).max(1) as f64;
        let mean = |column: usize| {
            let column = wanted.iter().skip(column).step_by(self.width);
            column.sum::<f64>() / count
        };
        // A share of 0 or 1 would be an infinity; half an example is as near as the examples tell.
        let share = |column: usize| mean(column).clamp(0.5 / count, 1.0 - 0.5 / count);
        let of = |column: usize| match self.kind {
            Kind::Softmax => libm::log(share(column)),
            Kind::Logistic => libm::log(share(column)) - libm::log(1.0 - share(column)),
            Kind::Squared => mean(column),
        };
        (0..self.width).map(of).collect()
    }

    /// The loss of a row, its derivatives by each number, and the second ones.
    pub fn row(self, raw: &[f64], wanted: &[f64], first: &mut [f64], second: &mut [f64]) -> f64 {
        match self.kind {
            Kind::Softmax => softmax(raw, wanted, first, second),
            Kind::Logistic => each(logistic, raw, wanted, first, second),
            Kind::Squared => each(squared, raw, wanted, first, second),
        }
    }

    /// The mean loss of rows.
    pub fn mean(self, raw: &[f64], wanted: &[f64]) -> f64 {
        let (mut first, mut second) = (vec![0.0; self.width], vec![0.0; self.width]);
        let rows = raw.chunks_exact(self.width);
        let count = rows.len().max(1) as f64;
        let pairs = rows.zip(wanted.chunks_exact(self.width));
        let total: f64 = pairs
            .map(|(raw, wanted)| self.row(raw, wanted, &mut first, &mut second))
            .sum();
        total / count
    }

    /// Rows as a network with this output would give them: of two classes the first has the logit 0.
    pub fn outputs(self, raw: &[f64], output: Output) -> Vec<f32> {
        match output {
            Output::Classes(2) => raw.iter().flat_map(|&x| [0.0, x as f32]).collect(),
            _ => raw.iter().map(|&x| x as f32).collect(),
        }
    }
}

fn softmax(raw: &[f64], wanted: &[f64], first: &mut [f64], second: &mut [f64]) -> f64 {
    let top = raw.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    for (share, &x) in first.iter_mut().zip(raw) {
        *share = libm::exp(x - top);
    }
    let sum: f64 = first.iter().sum();
    let mut loss = 0.0;
    for (index, &y) in wanted.iter().enumerate() {
        let share = first[index] / sum;
        loss += y * (libm::log(sum) + top - raw[index]);
        first[index] = share - y;
        second[index] = share * (1.0 - share);
    }
    loss
}

/// The loss of a number with its first and second derivative.
type Curve = fn(f64, f64) -> (f64, f64, f64);

fn each(curve: Curve, raw: &[f64], wanted: &[f64], first: &mut [f64], second: &mut [f64]) -> f64 {
    let mut total = 0.0;
    for (index, (&x, &y)) in raw.iter().zip(wanted).enumerate() {
        let (loss, slope, bend) = curve(x, y);
        (first[index], second[index]) = (slope, bend);
        total += loss;
    }
    total
}

fn logistic(x: f64, y: f64) -> (f64, f64, f64) {
    let small = libm::exp(-x.abs());
    let loss = x.max(0.0) - x * y + libm::log1p(small);
    let share = if x < 0.0 { small } else { 1.0 } / (1.0 + small);
    (loss, share - y, share * (1.0 - share))
}

fn squared(x: f64, y: f64) -> (f64, f64, f64) {
    let distance = x - y;
    (0.5 * distance * distance, distance, 1.0)
}
