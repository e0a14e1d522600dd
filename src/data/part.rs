//! What training and evaluation read: examples ready for a network.

use super::Targets;
use crate::layers::Shape;
use std::fmt;

/// Examples ready for a network: normalised inputs and what is to be said of each.
///
/// Inputs lie one example after the other, each in row-major order of its shape. Numbers to be
/// predicted are standardised, and carry the scale that leads back to their own units.
#[derive(Clone, PartialEq)]
pub struct Part {
    /// The shape of one example.
    pub shape: Shape,
    /// `len() * shape.elements()` values.
    pub inputs: Vec<f32>,
    /// The targets, one set an example.
    pub targets: Targets,
}

/// Without the values, which would fill a terminal.
impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Part")
            .field("shape", &self.shape)
            .field("len", &self.len())
            .field("output", &self.targets.output())
            .finish_non_exhaustive()
    }
}

impl Part {
    /// The number of examples.
    pub fn len(&self) -> usize {
        self.targets.len()
    }

    /// Whether there is no example.
    pub fn is_empty(&self) -> bool {
        self.targets.is_empty()
    }

    /// The values of example `index`, which must be below [`len`](Self::len).
    pub fn example(&self, index: usize) -> &[f32] {
        let size = self.shape.elements();
        &self.inputs[index * size..(index + 1) * size]
    }

    /// The first `count` examples.
    #[must_use]
    pub fn first(&self, count: usize) -> Self {
        let indices: Vec<usize> = (0..count).collect();
        Self {
            shape: self.shape,
            inputs: self.inputs[..count * self.shape.elements()].to_vec(),
            targets: self.targets.select(&indices),
        }
    }

    /// The number of examples of each class; nothing where examples have no classes.
    pub fn class_counts(&self) -> Vec<usize> {
        let Targets::Classes { labels, classes } = &self.targets else {
            return Vec::new();
        };
        let mut counts = vec![0; *classes];
        for &label in labels {
            counts[label as usize] += 1;
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_are_rows_of_the_inputs() {
        let part = Part {
            shape: Shape::Vector { features: 2 },
            inputs: vec![1.0, 2.0, 3.0, 4.0],
            targets: Targets::classes(vec![0, 2], 3),
        };
        assert_eq!(part.len(), 2);
        assert!(!part.is_empty());
        assert_eq!(part.example(1), [3.0, 4.0]);
        assert_eq!(part.class_counts(), [1, 0, 1]);
        assert_eq!(part.first(1).inputs, [1.0, 2.0]);
    }
}
