//! What a network has to say about each example.

use crate::architecture::Output;

/// The targets of some examples, in their order.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Targets {
    /// Each example has one class.
    Classes {
        /// The number of each example's class, below `classes`.
        labels: Vec<u32>,
        /// The classes of the whole dataset, also those that these examples lack.
        classes: usize,
    },
    /// Each example has any number of labels.
    Labels {
        /// One flag for each label of each example, example after example.
        flags: Vec<bool>,
        /// How many labels there are.
        labels: usize,
    },
    /// Each example has numbers to be met as closely as possible.
    Numbers {
        /// `scale.outputs()` numbers an example, example after example.
        values: Vec<f32>,
        /// What turns them back into the data's own units.
        scale: TargetScale,
    },
}

impl Targets {
    /// One class an example.
    pub fn classes(labels: Vec<u32>, classes: usize) -> Self {
        Self::Classes { labels, classes }
    }

    /// `outputs` numbers an example, in the data's own units.
    pub fn numbers(values: Vec<f32>, outputs: usize) -> Self {
        let scale = TargetScale::identity(outputs);
        Self::Numbers { values, scale }
    }

    /// The number of examples.
    pub fn len(&self) -> usize {
        match self {
            Self::Classes { labels, .. } => labels.len(),
            Self::Labels { flags, labels } => flags.len() / labels,
            Self::Numbers { values, scale } => values.len() / scale.outputs(),
        }
    }

    /// Whether there is no example.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The targets of the examples at `indices`.
    #[must_use]
    pub fn select(&self, indices: &[usize]) -> Self {
        match self {
            Self::Classes { labels, classes } => Self::Classes {
                labels: rows(labels, 1, indices),
                classes: *classes,
            },
            Self::Labels { flags, labels } => Self::Labels {
                flags: rows(flags, *labels, indices),
                labels: *labels,
            },
            Self::Numbers { values, scale } => Self::Numbers {
                values: rows(values, scale.outputs(), indices),
                scale: scale.clone(),
            },
        }
    }

    /// Adds the targets of other examples of the same task.
    pub(super) fn extend(&mut self, other: &Self) {
        match (self, other) {
            (Self::Classes { labels, .. }, Self::Classes { labels: more, .. }) => {
                labels.extend_from_slice(more);
            }
            (Self::Labels { flags, .. }, Self::Labels { flags: more, .. }) => {
                flags.extend_from_slice(more);
            }
            (Self::Numbers { values, .. }, Self::Numbers { values: more, .. }) => {
                values.extend_from_slice(more);
            }
            _ => unreachable!("the parts of one dataset have one task"),
        }
    }

    /// The class of each example, where each has one.
    pub fn labels(&self) -> Option<&[u32]> {
        match self {
            Self::Classes { labels, .. } => Some(labels),
            _ => None,
        }
    }

    /// What a network for these targets usually gives. Two classes also suit [`Output::Binary`].
    pub fn output(&self) -> Output {
        match self {
            Self::Classes { classes, .. } => Output::Classes(*classes),
            Self::Labels { labels, .. } => Output::Labels(*labels),
            Self::Numbers { scale, .. } => Output::Regression(scale.outputs()),
        }
    }

    /// Whether a network with this output can be trained on these targets.
    pub fn suits(&self, output: Output) -> bool {
        let two_classes = matches!(self, Self::Classes { classes: 2, .. });
        output == self.output() || (output == Output::Binary && two_classes)
    }

    /// What the targets are, in words: `10 classes`, `3 labels`, `1 number to predict`.
    pub fn describe(&self) -> String {
        let plural = |count: usize, one: &str, many: &str| {
            format!("{count} {}", if count == 1 { one } else { many })
        };
        match self {
            Self::Classes { classes, .. } => plural(*classes, "class", "classes"),
            Self::Labels { labels, .. } => plural(*labels, "label", "labels"),
            Self::Numbers { scale, .. } => {
                plural(scale.outputs(), "number to predict", "numbers to predict")
            }
        }
    }
}

fn rows<T: Copy>(values: &[T], width: usize, indices: &[usize]) -> Vec<T> {
    let mut out = Vec::with_capacity(indices.len() * width);
    for &index in indices {
        out.extend_from_slice(&values[index * width..(index + 1) * width]);
    }
    out
}

/// A mean and a deviation for each number to be predicted: `value * deviation + mean` is in the
/// data's own units.
#[derive(Clone, Debug, PartialEq)]
pub struct TargetScale {
    /// The means.
    pub mean: Vec<f64>,
    /// The standard deviations; 1 where all values are equal.
    pub deviation: Vec<f64>,
}

impl TargetScale {
    /// The scale of numbers in their own units.
    pub fn identity(outputs: usize) -> Self {
        Self {
            mean: vec![0.0; outputs],
            deviation: vec![1.0; outputs],
        }
    }

    /// How many numbers an example has.
    pub fn outputs(&self) -> usize {
        self.mean.len()
    }

    /// What puts the targets of training examples on mean 0 and deviation 1; nothing where the
    /// targets are no numbers. Sums are taken in 64 bits in the order of the examples.
    pub(super) fn fit(training: &Targets) -> Option<Self> {
        let Targets::Numbers { values, scale } = training else {
            return None;
        };
        let outputs = scale.outputs();
        let column = |output: usize| values.iter().skip(output).step_by(outputs);
        let count = (values.len() / outputs).max(1) as f64;
        let mut fitted = Self::identity(outputs);
        for output in 0..outputs {
            let mean = column(output).map(|&v| f64::from(v)).sum::<f64>() / count;
            let squares = column(output).map(|&v| (f64::from(v) - mean) * (f64::from(v) - mean));
            let variance = squares.sum::<f64>() / count;
            let first = values.get(output);
            // Rounding of the mean leaves a speck of variance where all values are equal.
            let varied = column(output).any(|value| Some(value) != first);
            fitted.mean[output] = mean;
            if varied && variance > 0.0 {
                fitted.deviation[output] = libm::sqrt(variance);
            }
        }
        Some(fitted)
    }

    /// Puts numbers that are in their own units on this scale.
    pub(super) fn apply(&self, targets: &mut Targets) {
        let Targets::Numbers { values, scale } = targets else {
            return;
        };
        for (index, value) in values.iter_mut().enumerate() {
            let output = index % self.outputs();
            *value = ((f64::from(*value) - self.mean[output]) / self.deviation[output]) as f32;
        }
        *scale = self.clone();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_of_each_kind_are_selected_by_example() {
        let classes = Targets::classes(vec![0, 1, 2], 3);
        assert_eq!(classes.select(&[2, 0]), Targets::classes(vec![2, 0], 3));
        let flags = vec![true, false, false, true, true, true];
        let labels = Targets::Labels { flags, labels: 2 };
        let wanted = vec![false, true];
        assert_eq!(
            labels.select(&[1]),
            Targets::Labels {
                flags: wanted,
                labels: 2
            }
        );
        let numbers = Targets::numbers(vec![1.0, 2.0, 3.0, 4.0], 2);
        assert_eq!(numbers.select(&[1]), Targets::numbers(vec![3.0, 4.0], 2));
        assert_eq!((classes.len(), labels.len(), numbers.len()), (3, 3, 2));
    }

    #[test]
    fn numbers_get_mean_zero_and_deviation_one_and_know_the_way_back() {
        let mut targets = Targets::numbers(vec![1.0, 5.0, 3.0, 5.0], 2);
        let scale = TargetScale::fit(&targets).unwrap();
        assert_eq!(scale.mean, [2.0, 5.0]);
        assert_eq!(scale.deviation, [1.0, 1.0]);
        scale.apply(&mut targets);
        let Targets::Numbers {
            values,
            scale: kept,
        } = targets
        else {
            panic!("they stay numbers");
        };
        assert_eq!((values, kept), (vec![-1.0, 0.0, 1.0, 0.0], scale));
    }

    #[test]
    fn two_classes_suit_one_logit_and_two() {
        let two = Targets::classes(vec![0, 1], 2);
        assert!(two.suits(Output::Binary) && two.suits(Output::Classes(2)));
        assert!(!two.suits(Output::Labels(2)) && !two.suits(Output::Regression(1)));
        assert!(!Targets::classes(vec![0], 3).suits(Output::Binary));
    }
}
