//! What training and evaluation read: examples ready for a network.

use crate::layers::Shape;
use std::fmt;

/// Examples ready for a network: normalised inputs and the class of each.
///
/// Inputs lie one example after the other, each in row-major order of its shape.
#[derive(Clone, PartialEq)]
pub struct Part {
    /// The shape of one example.
    pub shape: Shape,
    /// `len() * shape.elements()` values.
    pub inputs: Vec<f32>,
    /// The class of each example, below `classes`.
    pub labels: Vec<u32>,
    /// The number of classes in the whole dataset, also of those that this part lacks.
    pub classes: usize,
}

/// Without the values, which would fill a terminal.
impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Part")
            .field("shape", &self.shape)
            .field("len", &self.len())
            .field("classes", &self.classes)
            .finish_non_exhaustive()
    }
}

impl Part {
    /// The number of examples.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is no example.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The values of example `index`, which must be below [`len`](Self::len).
    pub fn example(&self, index: usize) -> &[f32] {
        let size = self.shape.elements();
        &self.inputs[index * size..(index + 1) * size]
    }

    /// The number of examples of each class.
    pub fn class_counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.classes];
        for &label in &self.labels {
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
            labels: vec![0, 2],
            classes: 3,
        };
        assert_eq!(part.len(), 2);
        assert!(!part.is_empty());
        assert_eq!(part.example(1), [3.0, 4.0]);
        assert_eq!(part.class_counts(), [1, 0, 1]);
    }
}
