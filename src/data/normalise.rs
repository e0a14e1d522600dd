//! Putting inputs on one scale, by the statistics of the training examples alone.

use super::Part;
use crate::layers::Shape;
use serde::{Deserialize, Serialize};

/// How inputs are put on one scale.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Normalise {
    /// Mean 0 and standard deviation 1 over the training examples: by channel for images and
    /// signals, by feature for everything else.
    #[default]
    Standard,
    /// Values as they are in the file.
    None,
}

/// A mean and a standard deviation for each channel or feature, learnt from one part and applied to
/// others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Normaliser {
    /// The means.
    pub mean: Vec<f64>,
    /// The standard deviations (of the population, not the sample); 1 where all values are equal.
    pub deviation: Vec<f64>,
}

impl Normaliser {
    /// Learns from `training`. Sums are taken in 64 bits in the order of the examples, so the result
    /// doesn't depend on the machine. Under [`Normalise::None`], and for tokens, nothing is changed.
    pub fn fit(how: Normalise, training: &Part) -> Self {
        let groups = Groups::of(training.shape);
        if how == Normalise::None || groups.count == 0 {
            return Self {
                mean: Vec::new(),
                deviation: Vec::new(),
            };
        }
        let mean = groups.means(training, |value, _| value);
        let variance = groups.means(training, |value, group| {
            let distance = value - mean[group];
            distance * distance
        });
        let varied = groups.varied(training);
        let deviation = variance.iter().zip(&varied);
        let deviation = deviation.map(|(&v, &varied)| if varied { libm::sqrt(v) } else { 1.0 });
        Self {
            deviation: deviation.collect(),
            mean,
        }
    }

    /// Rescales every value of `part`, which has the shape of the part that this was fitted to.
    pub fn apply(&self, part: &mut Part) {
        if self.mean.is_empty() {
            return;
        }
        let groups = Groups::of(part.shape);
        for example in part.inputs.chunks_mut(groups.elements) {
            for (position, value) in example.iter_mut().enumerate() {
                let group = groups.group(position);
                let scaled = (f64::from(*value) - self.mean[group]) / self.deviation[group];
                // Only an example far outside the training data's range can reach the bounds; as an
                // infinity it would turn every score into NaN.
                *value = scaled.clamp(f64::from(f32::MIN), f64::from(f32::MAX)) as f32;
            }
        }
    }
}

/// Which values of an example share statistics.
struct Groups {
    count: usize,
    elements: usize,
    /// Whether a group's values lie side by side (channels) or one in each row (features).
    adjacent: bool,
}

impl Groups {
    fn of(shape: Shape) -> Self {
        let adjacent = matches!(
            shape,
            Shape::Image { .. } | Shape::Volume { .. } | Shape::Signal { .. }
        );
        let count = shape.features().unwrap_or(0);
        Self {
            count,
            elements: shape.elements(),
            adjacent,
        }
    }

    fn group(&self, position: usize) -> usize {
        if self.adjacent {
            position / (self.elements / self.count)
        } else {
            position % self.count
        }
    }

    /// The mean of `of(value, group)` over each group.
    fn means(&self, part: &Part, of: impl Fn(f64, usize) -> f64) -> Vec<f64> {
        let mut sums = vec![0.0; self.count];
        for example in part.inputs.chunks(self.elements) {
            for (position, &value) in example.iter().enumerate() {
                let group = self.group(position);
                sums[group] += of(f64::from(value), group);
            }
        }
        let values = (part.inputs.len() / self.count) as f64;
        sums.iter().map(|sum| sum / values).collect()
    }

    /// Whether a group has two different values. The variance can't tell: rounding of the mean
    /// leaves a speck where all are equal, and dividing by it would make noise of a constant.
    fn varied(&self, part: &Part) -> Vec<bool> {
        let mut first = vec![None; self.count];
        let mut varied = vec![false; self.count];
        for example in part.inputs.chunks(self.elements) {
            for (position, &value) in example.iter().enumerate() {
                let group = self.group(position);
                varied[group] |= *first[group].get_or_insert(value) != value;
            }
        }
        varied
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(shape: Shape, inputs: &[f32]) -> Part {
        let labels = vec![0; inputs.len() / shape.elements()];
        Part {
            shape,
            inputs: inputs.to_vec(),
            targets: super::super::Targets::classes(labels, 1),
            groups: None,
        }
    }

    fn normalised(shape: Shape, inputs: &[f32]) -> Vec<f32> {
        let mut part = part(shape, inputs);
        Normaliser::fit(Normalise::Standard, &part).apply(&mut part);
        part.inputs
    }

    #[test]
    fn vectors_are_scaled_by_feature() {
        let out = normalised(Shape::Vector { features: 2 }, &[0.0, 10.0, 2.0, 30.0]);
        assert_eq!(out, [-1.0, -1.0, 1.0, 1.0]);
    }

    #[test]
    fn images_are_scaled_by_channel() {
        let shape = Shape::Image {
            channels: 2,
            height: 1,
            width: 2,
        };
        assert_eq!(
            normalised(shape, &[1.0, 3.0, 10.0, 30.0]),
            [-1.0, 1.0, -1.0, 1.0]
        );
    }

    #[test]
    fn a_constant_feature_becomes_zero() {
        let out = normalised(Shape::Vector { features: 1 }, &[0.1; 7]);
        assert!(out.iter().all(|value| value.abs() < 1e-6), "{out:?}");
    }

    #[test]
    fn other_parts_use_the_training_statistics() {
        let shape = Shape::Vector { features: 1 };
        let fitted = Normaliser::fit(Normalise::Standard, &part(shape, &[0.0, 4.0]));
        let mut other = part(shape, &[8.0, f32::MAX]);
        fitted.apply(&mut other);
        assert_eq!(other.inputs[0], 3.0);
        assert!(other.inputs[1].is_finite());
    }

    #[test]
    fn none_and_tokens_change_nothing() {
        let mut same = part(Shape::Vector { features: 2 }, &[5.0, 7.0, 1.0, 0.0]);
        Normaliser::fit(Normalise::None, &same.clone()).apply(&mut same);
        assert_eq!(same.inputs, [5.0, 7.0, 1.0, 0.0]);
        assert_eq!(
            normalised(
                Shape::Tokens {
                    length: 2,
                    vocabulary: 9
                },
                &[3.0, 8.0]
            ),
            [3.0, 8.0]
        );
    }
}
