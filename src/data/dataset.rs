//! A dataset in memory: raw values, classes, and the hash that names its content.

use super::{Classes, DataError, MAX_CLASSES, Part};
use crate::layers::Shape;
use sha2::{Digest, Sha256};
use std::fmt;

/// What a network has to say about each example. Classification is what there is today; a
/// regression's numbers would be a second variant.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Targets {
    /// The number of each example's class.
    Classes(Vec<u32>),
}

/// Inputs and targets of some examples, as they were read.
#[derive(Clone, PartialEq)]
pub struct Examples {
    /// One example after the other, each in row-major order of the dataset's shape.
    pub inputs: Vec<f32>,
    /// One target an example.
    pub targets: Targets,
}

/// Only the number of examples: the values would fill a terminal.
impl fmt::Debug for Examples {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Examples")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

impl Examples {
    /// The number of examples.
    pub fn len(&self) -> usize {
        self.labels().len()
    }

    /// Whether there is no example.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The class of each example.
    pub fn labels(&self) -> &[u32] {
        let Targets::Classes(labels) = &self.targets;
        labels
    }
}

/// A dataset in memory, with raw values. What the search may see of it is decided by
/// [`Splits`](super::Splits); therefore its official test examples can't be reached from outside.
#[derive(Clone, Debug)]
pub struct Dataset {
    name: String,
    shape: Shape,
    classes: Classes,
    pub(super) examples: Examples,
    pub(super) official_test: Option<Examples>,
    hash: String,
}

impl Dataset {
    /// A dataset of `examples`, and of `official_test` if its authors set some aside.
    ///
    /// # Errors
    /// When there is no example, fewer than two classes, or too many of them.
    ///
    /// # Panics
    /// When inputs and labels don't fit the shape and the classes: the readers see to it.
    pub fn new(
        name: impl Into<String>,
        shape: Shape,
        classes: Classes,
        examples: Examples,
        official_test: Option<Examples>,
    ) -> Result<Self, DataError> {
        let name = name.into();
        for part in std::iter::once(&examples).chain(&official_test) {
            check(&name, shape, &classes, part)?;
        }
        if let [label] = classes.names() {
            return Err(DataError::OneClass {
                file: name,
                label: label.clone(),
            });
        }
        let hash = hash(shape, &classes, &examples, official_test.as_ref());
        Ok(Self {
            name,
            shape,
            classes,
            examples,
            official_test,
            hash,
        })
    }

    /// What the dataset is called: an embedded one's name, or the training file's.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The shape of one example.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// The classes in order.
    pub fn class_names(&self) -> &[String] {
        self.classes.names()
    }

    /// The number of examples, without those of an official test part.
    pub fn len(&self) -> usize {
        self.examples.len()
    }

    /// Whether there is no example; never so for a dataset that [`new`](Self::new) accepted.
    pub fn is_empty(&self) -> bool {
        self.examples.is_empty()
    }

    /// The number of examples in the official test part, if there is one.
    pub fn official_test_len(&self) -> Option<usize> {
        self.official_test.as_ref().map(Examples::len)
    }

    /// SHA-256 over shape, classes, values and labels in hexadecimal: the same content has the same
    /// hash, whatever file format it came in.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// The examples of `source` at `indices`, with raw values.
    pub(super) fn part(&self, source: &Examples, indices: &[usize]) -> Part {
        let size = self.shape.elements();
        let mut inputs = Vec::with_capacity(indices.len() * size);
        for &index in indices {
            inputs.extend_from_slice(&source.inputs[index * size..(index + 1) * size]);
        }
        let labels = indices
            .iter()
            .map(|&index| source.labels()[index])
            .collect();
        Part {
            shape: self.shape,
            inputs,
            labels,
            classes: self.classes.len(),
        }
    }
}

fn check(name: &str, shape: Shape, classes: &Classes, part: &Examples) -> Result<(), DataError> {
    if part.is_empty() {
        return Err(DataError::Empty {
            file: name.to_owned(),
        });
    }
    if classes.len() > MAX_CLASSES {
        return Err(DataError::too_large(
            name,
            "classes",
            classes.len(),
            MAX_CLASSES,
        ));
    }
    assert_eq!(
        part.inputs.len(),
        part.len() * shape.elements(),
        "inputs fill the shape"
    );
    let known = |&label: &u32| (label as usize) < classes.len();
    assert!(
        part.labels().iter().all(known),
        "labels are numbers of classes"
    );
    Ok(())
}

/// Every length is hashed before what it counts, so that no two contents give the same bytes.
fn hash(shape: Shape, classes: &Classes, examples: &Examples, test: Option<&Examples>) -> String {
    let mut hash = Sha256::new();
    hash.update(b"strata data 1\0");
    hash.update(shape.kind().as_bytes());
    for size in shape.dimensions() {
        hash.update((size as u64).to_le_bytes());
    }
    hash.update((classes.len() as u64).to_le_bytes());
    for name in classes.names() {
        hash.update((name.len() as u64).to_le_bytes());
        hash.update(name.as_bytes());
    }
    for part in std::iter::once(examples).chain(test) {
        hash_examples(&mut hash, part);
    }
    hexadecimal(hash)
}

fn hash_examples(hash: &mut Sha256, part: &Examples) {
    hash.update((part.len() as u64).to_le_bytes());
    // Blocks, because a call a value would cost more than the hashing.
    let mut block = Vec::with_capacity(1 << 14);
    for values in part.inputs.chunks(1 << 12) {
        block.clear();
        block.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        hash.update(&block);
    }
    for label in part.labels() {
        hash.update(label.to_le_bytes());
    }
}

/// The digest in hexadecimal.
pub(super) fn hexadecimal(hash: Sha256) -> String {
    hash.finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A dataset of `labels` whose inputs are 2 values an example, all different.
    pub fn of_labels(labels: &[u32]) -> Dataset {
        let names: Vec<String> = (0..=*labels.iter().max().unwrap())
            .map(|n| n.to_string())
            .collect();
        let classes = Classes::from_labels(names.iter().map(String::as_str));
        let inputs = (0..labels.len() * 2).map(|value| value as f32).collect();
        let examples = Examples {
            inputs,
            targets: Targets::Classes(labels.to_vec()),
        };
        Dataset::new(
            "made",
            Shape::Vector { features: 2 },
            classes,
            examples,
            None,
        )
        .unwrap()
    }

    #[test]
    fn the_hash_sees_every_value_and_label() {
        let base = of_labels(&[0, 1, 1, 0]);
        assert_eq!(base.hash().len(), 64);
        assert_eq!(base.hash(), of_labels(&[0, 1, 1, 0]).hash());
        assert_ne!(base.hash(), of_labels(&[0, 1, 0, 0]).hash());

        let mut examples = base.examples.clone();
        examples.inputs[7] += 1.0;
        let classes = base.classes.clone();
        let changed = Dataset::new("made", base.shape, classes, examples, None).unwrap();
        assert_ne!(base.hash(), changed.hash());
    }

    #[test]
    fn one_class_is_refused() {
        let classes = Classes::from_labels(["cat"]);
        let examples = Examples {
            inputs: vec![1.0],
            targets: Targets::Classes(vec![0]),
        };
        let shape = Shape::Vector { features: 1 };
        let error = Dataset::new("pets", shape, classes, examples, None)
            .unwrap_err()
            .to_string();
        assert_eq!(
            error,
            "pets: every label is `cat`; a classification needs at least two classes"
        );
    }
}
