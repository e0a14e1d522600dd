//! What training and evaluation read: examples ready for a network.

use super::Targets;
use crate::layers::Shape;
use crate::random::Stream;
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
    /// The number of each example's group, where `split` keeps groups together: examples of one group depend on each
    /// other, and count as one observation.
    pub groups: Option<Vec<u32>>,
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

    /// Adds the examples of another part of the same data, on the same scale.
    pub(super) fn extend(&mut self, other: &Self) {
        self.inputs.extend_from_slice(&other.inputs);
        self.targets.extend(&other.targets);
    }

    /// The first `count` examples.
    #[must_use]
    pub fn first(&self, count: usize) -> Self {
        let indices: Vec<usize> = (0..count).collect();
        Self {
            shape: self.shape,
            inputs: self.inputs[..count * self.shape.elements()].to_vec(),
            targets: self.targets.select(&indices),
            groups: self.groups.as_ref().map(|groups| groups[..count].to_vec()),
        }
    }

    /// The examples at `indices`, which must be below [`len`](Self::len).
    #[must_use]
    pub fn select(&self, indices: &[usize]) -> Self {
        let examples = indices.iter().flat_map(|&index| self.example(index));
        Self {
            shape: self.shape,
            inputs: examples.copied().collect(),
            targets: self.targets.select(indices),
            groups: self.groups_at(indices),
        }
    }

    fn groups_at(&self, indices: &[usize]) -> Option<Vec<u32>> {
        let groups = self.groups.as_ref()?;
        Some(indices.iter().map(|&index| groups[index]).collect())
    }

    /// These examples and then those of another part of the same data, with numbers in their own units. Groups of the
    /// two are numbered apart, and are left out.
    #[must_use]
    pub(super) fn followed_by(mut self, other: Self) -> Self {
        self.inputs.extend(other.inputs);
        self.targets.extend(&other.targets);
        self.groups = None;
        self
    }

    /// A share of the examples, above 0, in their order: of each class that share, rounded, and at least
    /// one. Which, `stream` decides; for one stream, a smaller share lies within a larger.
    #[must_use]
    pub fn share(&self, share: f64, mut stream: Stream) -> Self {
        let mut chosen = Vec::new();
        for mut members in self.members() {
            stream.shuffle(&mut members);
            let count = libm::round(members.len() as f64 * share).max(1.0) as usize;
            chosen.extend(members.into_iter().take(count));
        }
        chosen.sort_unstable();
        self.select(&chosen)
    }

    /// The examples of each class; all of them together where there are none.
    fn members(&self) -> Vec<Vec<usize>> {
        let Targets::Classes { labels, classes } = &self.targets else {
            return vec![(0..self.len()).collect()];
        };
        let mut members = vec![Vec::new(); *classes];
        for (index, &label) in labels.iter().enumerate() {
            members[label as usize].push(index);
        }
        members
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
    use crate::random::{Purpose, Seed};

    #[test]
    fn shares_are_nested_and_take_their_part_of_each_class() {
        let labels: Vec<u32> = (0..90).map(|index| u32::from(index % 3 == 0)).collect();
        let part = Part {
            shape: Shape::Vector { features: 1 },
            inputs: (0..90u8).map(f32::from).collect(),
            targets: Targets::classes(labels, 3),
            groups: None,
        };
        let share = |share| part.share(share, Seed(1).stream(0, Purpose::Subset));
        let (third, half) = (share(1.0 / 3.0), share(0.5));
        assert_eq!(third.class_counts(), [20, 10, 0]);
        assert_eq!(half.class_counts(), [30, 15, 0]);
        assert!(third.inputs.iter().all(|value| half.inputs.contains(value)));
        assert!(half.inputs.is_sorted());
        assert_eq!(share(1.0), part);
        assert_eq!(share(1e-9).class_counts(), [1, 1, 0]);
    }

    #[test]
    fn examples_are_rows_of_the_inputs() {
        let part = Part {
            shape: Shape::Vector { features: 2 },
            inputs: vec![1.0, 2.0, 3.0, 4.0],
            targets: Targets::classes(vec![0, 2], 3),
            groups: Some(vec![4, 7]),
        };
        assert_eq!(part.len(), 2);
        assert!(!part.is_empty());
        assert_eq!(part.example(1), [3.0, 4.0]);
        assert_eq!(part.class_counts(), [1, 0, 1]);
        assert_eq!(part.first(1).inputs, [1.0, 2.0]);
        assert_eq!(part.first(1).groups, Some(vec![4]));
        assert_eq!(part.select(&[1, 0]).groups, Some(vec![7, 4]));
    }
}
