//! Patterns of active units (Mellor et al., 2021, Neural architecture search without training).

use super::matrix::log_determinant;
use crate::layers::{Activation, Category, Layer};

/// Whether a layer's outputs are counted: every element-wise non-linearity, of which the paper knows
/// the ReLU alone. A unit is on where its output is above zero.
pub(super) fn has_code(layer: &Layer) -> bool {
    layer.kind.describe().category == Category::Activation
}

/// How many units each two inputs of a batch turn on and off alike.
#[derive(Clone, Debug)]
pub(super) struct Codes {
    examples: usize,
    alike: Vec<f64>,
}

impl Codes {
    pub fn new(examples: usize) -> Self {
        Self {
            examples,
            alike: vec![0.0; examples * examples],
        }
    }

    /// Counts the units of one layer's outputs.
    pub fn add(&mut self, output: &Activation) {
        let values = super::tensors::values(output);
        let length = values.len() / self.examples;
        let rows: Vec<Vec<u64>> = values.chunks_exact(length.max(1)).map(bits).collect();
        for (at, row) in rows.iter().enumerate() {
            for (other, column) in rows.iter().enumerate() {
                let differing: u32 = row
                    .iter()
                    .zip(column)
                    .map(|(a, b)| (a ^ b).count_ones())
                    .sum();
                self.alike[at * self.examples + other] += (length as f64) - f64::from(differing);
            }
        }
    }

    /// The log-determinant; minus infinity if two inputs give the same pattern.
    pub fn score(self) -> f64 {
        log_determinant(self.alike, self.examples)
    }
}

fn bits(values: &[f64]) -> Vec<u64> {
    let word = |values: &[f64]| {
        let on = |(at, value): (usize, &f64)| u64::from(*value > 0.0) << at;
        values.iter().enumerate().map(on).sum()
    };
    values.chunks(64).map(word).collect()
}
