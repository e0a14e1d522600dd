//! A dataset in memory: raw values, what is asked of them, and the hash that names its content.

use super::csv::TableLayout;
use super::encode::{Form, Texts};
use super::keys::RowKeys;
use super::preprocessing::FileForm;
use super::{Classes, DataError, MAX_CLASSES, Targets, memory};
use crate::layers::Shape;
use sha2::{Digest, Sha256};
use std::fmt;

/// What is asked about each example, with the names that the data gives.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Task {
    /// Which of these classes it is.
    Classes(Classes),
    /// Which of these labels it has: any number of them.
    Labels(Vec<String>),
    /// How large these numbers are.
    Numbers(Vec<String>),
}

/// Inputs of some examples, as they were read.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum Inputs {
    /// Numbers: one example after the other, each in row-major order; what they mean is for the
    /// dataset's [`Form`] to say.
    Values(Vec<f32>),
    /// Texts, to be made into tokens.
    Texts(Texts),
}

/// Inputs and targets of some examples, as they were read.
#[derive(Clone, PartialEq)]
pub struct Examples {
    /// As many as there are targets.
    pub inputs: Inputs,
    /// One set of targets an example, in the data's own units.
    pub targets: Targets,
    /// Groups and times of the examples.
    pub(super) keys: RowKeys,
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
    /// Examples whose inputs are numbers.
    pub fn of_values(values: Vec<f32>, targets: Targets) -> Self {
        Self::new(Inputs::Values(values), targets)
    }

    /// Examples with inputs of any kind.
    pub fn new(inputs: Inputs, targets: Targets) -> Self {
        let keys = RowKeys::default();
        Self {
            inputs,
            targets,
            keys,
        }
    }

    /// The same examples with their groups and times.
    pub(super) fn keyed(mut self, keys: RowKeys) -> Self {
        self.keys = keys;
        self
    }

    /// The first `count` of them.
    fn first(&self, count: usize) -> Self {
        let indices: Vec<usize> = (0..count).collect();
        let inputs = match &self.inputs {
            Inputs::Values(values) => {
                Inputs::Values(values[..values.len() / self.len() * count].to_vec())
            }
            Inputs::Texts(texts) => Inputs::Texts(texts.first(count)),
        };
        Self {
            inputs,
            targets: self.targets.select(&indices),
            keys: self.keys.first(count),
        }
    }

    /// The number of examples.
    pub fn len(&self) -> usize {
        self.targets.len()
    }

    /// Whether there is no example.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A dataset in memory, with raw values. What the search may see of it is decided by
/// [`Splits`](super::Splits); therefore its official test examples can't be reached from outside.
#[derive(Clone, Debug)]
pub struct Dataset {
    name: String,
    pub(super) form: Form,
    task: Task,
    pub(super) examples: Examples,
    pub(super) official_test: Option<Examples>,
    /// Examples of a validation file.
    pub(super) official_validation: Option<Examples>,
    /// How its files are read.
    pub(super) file: FileForm,
    /// The columns of its file, where it is a table.
    pub(super) table: Option<TableLayout>,
    hash: String,
    /// See [`test_hash`](Self::test_hash).
    test_hash: String,
}

impl Dataset {
    /// A dataset of `examples`, and of `official_test` if its authors set some aside.
    ///
    /// # Errors
    /// When there is no example, fewer than two classes, too many of them, or not enough memory to
    /// train on it.
    ///
    /// # Panics
    /// When inputs and targets don't fit the form and the task: the readers see to it.
    pub fn new(
        name: impl Into<String>,
        form: impl Into<Form>,
        task: Task,
        examples: Examples,
        official_test: Option<Examples>,
    ) -> Result<Self, DataError> {
        let (name, form) = (name.into(), form.into());
        for part in std::iter::once(&examples).chain(&official_test) {
            check(&name, &form, &task, part)?;
        }
        if let Task::Classes(classes) = &task
            && let [label] = classes.names()
        {
            return Err(DataError::OneClass {
                file: name,
                label: label.clone(),
            });
        }
        // Training, validation and retraining parts are copies of what is here already.
        memory::check(&name, values(&form, &examples).saturating_mul(2))?;
        let hash = hash(
            &form,
            &task,
            [Some(&examples), official_test.as_ref(), None],
        );
        let test_hash = test_hash(official_test.as_ref().unwrap_or(&examples));
        Ok(Self {
            name,
            form,
            task,
            examples,
            official_test,
            official_validation: None,
            file: FileForm::default(),
            table: None,
            hash,
            test_hash,
        })
    }

    /// The same, with examples of a validation file, if there is one.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub(super) fn validated_by(mut self, validation: Option<Examples>) -> Result<Self, DataError> {
        let Some(validation) = validation else {
            return Ok(self);
        };
        check(&self.name, &self.form, &self.task, &validation)?;
        memory::check(
            &self.name,
            values(&self.form, &validation).saturating_mul(2),
        )?;
        self.official_validation = Some(validation);
        self.hash = self.content_hash();
        Ok(self)
    }

    fn content_hash(&self) -> String {
        let parts = [
            Some(&self.examples),
            self.official_test.as_ref(),
            self.official_validation.as_ref(),
        ];
        hash(&self.form, &self.task, parts)
    }

    /// The same, with how the file that it was read from is read.
    pub(super) fn read_as(mut self, file: FileForm) -> Self {
        let array = self.file.array.take();
        self.file = FileForm { array, ..file };
        self
    }

    /// The same, with the columns of the file that it was read from.
    pub(super) fn of_table(mut self, layout: TableLayout) -> Self {
        self.table = Some(layout);
        self
    }

    /// The same, with the sizes of an example in the file of arrays that it was read from.
    pub(super) fn of_arrays(mut self, sizes: &[usize]) -> Self {
        self.file.array = Some(sizes.to_vec());
        self
    }

    /// The same under another name.
    pub(super) fn renamed(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// The first examples and the first official test examples, as many as are asked for, if that is not all.
    ///
    /// # Errors
    /// When none is asked for.
    pub(super) fn first(
        mut self,
        examples: Option<usize>,
        test: Option<usize>,
    ) -> Result<Self, DataError> {
        for (key, count) in [("examples", examples), ("test_examples", test)] {
            if count == Some(0) {
                return Err(DataError::setting(key, "at least 1 is needed"));
            }
        }
        let shorter = |part: &Examples, count: Option<usize>| {
            count
                .is_some_and(|count| count < part.len())
                .then(|| part.first(count.unwrap_or(0)))
        };
        let kept = shorter(&self.examples, examples);
        let test = self
            .official_test
            .as_ref()
            .and_then(|part| shorter(part, test));
        if kept.is_none() && test.is_none() {
            return Ok(self);
        }
        self.examples = kept.unwrap_or(self.examples);
        self.official_test = test.or(self.official_test);
        self.hash = self.content_hash();
        Ok(self)
    }

    /// What the dataset is called: a named one's name, or the training file's.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The shape of one example, where the data says it. Tables with categories or gaps get theirs
    /// from the training part, as [`Splits`](super::Splits) divides it.
    pub fn shape(&self) -> Option<Shape> {
        self.form.shape()
    }

    /// What is asked about each example.
    pub fn task(&self) -> &Task {
        &self.task
    }

    /// The classes in order; nothing where examples have none.
    pub fn class_names(&self) -> &[String] {
        match &self.task {
            Task::Classes(classes) => classes.names(),
            _ => &[],
        }
    }

    /// The number of examples of each class, without those of an official test part; nothing where there are none.
    pub fn class_counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.class_names().len()];
        for &label in self.examples.targets.labels().unwrap_or_default() {
            counts[label as usize] += 1;
        }
        counts
    }

    /// The number of gaps in each feature column, without an official test part's; nothing where the data is no table.
    pub fn gaps(&self) -> Vec<usize> {
        let features = self.table.iter().flat_map(TableLayout::features).count();
        let mut gaps = vec![0; features];
        if let (Inputs::Values(cells), 1..) = (&self.examples.inputs, features) {
            for row in cells.chunks(features) {
                for (count, cell) in gaps.iter_mut().zip(row) {
                    *count += usize::from(cell.is_nan());
                }
            }
        }
        gaps
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

    /// The number of examples in the validation file, if there is one.
    pub fn official_validation_len(&self) -> Option<usize> {
        self.official_validation.as_ref().map(Examples::len)
    }

    /// SHA-256 over shape, names, values and targets in hexadecimal: the same content has the same
    /// hash, whatever file format it came in.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// SHA-256 in hexadecimal over the examples that a test part is taken from, whole: the official ones, or else
    /// all. It depends neither on how many of them are kept, nor on how they are divided or become numbers.
    pub fn test_hash(&self) -> &str {
        &self.test_hash
    }
}

/// How many values the examples will have once they are ready for a network.
fn values(form: &Form, examples: &Examples) -> usize {
    match form.shape() {
        Some(shape) => shape.elements().saturating_mul(examples.len()),
        None => match &examples.inputs {
            Inputs::Values(values) => values.len(),
            Inputs::Texts(texts) => texts.len(),
        },
    }
}

fn check(name: &str, form: &Form, task: &Task, part: &Examples) -> Result<(), DataError> {
    if part.is_empty() {
        return Err(DataError::Empty {
            file: name.to_owned(),
        });
    }
    match (&part.inputs, form) {
        (Inputs::Values(values), Form::Ready(shape)) => {
            assert_eq!(values.len(), part.len() * shape.elements(), "inputs fit");
        }
        (Inputs::Values(values), Form::Table(columns)) => {
            assert_eq!(values.len(), part.len() * columns.len(), "cells fit");
        }
        (Inputs::Texts(texts), Form::Text(_)) => assert_eq!(texts.len(), part.len(), "texts fit"),
        _ => unreachable!("readers give inputs in the form that they say"),
    }
    check_targets(name, task, &part.targets)
}

fn check_targets(name: &str, task: &Task, targets: &Targets) -> Result<(), DataError> {
    match (task, targets) {
        (Task::Classes(names), Targets::Classes { labels, classes }) => {
            if names.len() > MAX_CLASSES {
                let found = names.len();
                return Err(DataError::too_large(name, "classes", found, MAX_CLASSES));
            }
            assert_eq!(names.len(), *classes, "every class has a name");
            assert!(
                labels.iter().all(|&label| (label as usize) < *classes),
                "labels are numbers of classes"
            );
        }
        (Task::Labels(names), Targets::Labels { labels, .. }) => assert_eq!(names.len(), *labels),
        (Task::Numbers(names), Targets::Numbers { values, scale }) => {
            assert_eq!(names.len(), scale.outputs());
            assert!(
                values.iter().all(|value| value.is_finite()),
                "targets are finite"
            );
        }
        _ => unreachable!("readers give targets for the task that they say"),
    }
    Ok(())
}

/// Every length is hashed before what it counts, so that no two contents give the same bytes. The parts are those to
/// be divided, an official test part and one of a validation file. What older versions did not know is hashed
/// only where it is there, so that hashes stay.
fn hash(form: &Form, task: &Task, parts: [Option<&Examples>; 3]) -> String {
    let mut hash = Sha256::new();
    hash.update(b"strata data 1\0");
    form.hash(&mut hash);
    match task {
        Task::Classes(classes) => hash_names(&mut hash, classes.names()),
        Task::Labels(names) => {
            hash.update(b"labels\0");
            hash_names(&mut hash, names);
        }
        Task::Numbers(names) => {
            hash.update(b"numbers\0");
            hash_names(&mut hash, names);
        }
    }
    let [examples, test, validation] = parts;
    for part in examples.into_iter().chain(test) {
        hash_examples(&mut hash, part);
    }
    if let Some(validation) = validation {
        hash.update(b"validation\0");
        hash_examples(&mut hash, validation);
    }
    for (number, part) in (0u8..).zip(parts) {
        let Some(group) = part.and_then(|part| part.keys.group.as_ref()) else {
            continue;
        };
        hash.update(b"groups\0");
        hash.update([number]);
        for number in &group.rows {
            hash.update(number.to_le_bytes());
        }
    }
    hexadecimal(hash)
}

fn test_hash(examples: &Examples) -> String {
    let mut hash = Sha256::new();
    hash.update(b"strata test examples 1\0");
    hash_examples(&mut hash, examples);
    hexadecimal(hash)
}

/// Names, each with its length before it.
pub(super) fn hash_names(hash: &mut Sha256, names: &[String]) {
    hash.update((names.len() as u64).to_le_bytes());
    for name in names {
        hash.update((name.len() as u64).to_le_bytes());
        hash.update(name.as_bytes());
    }
}

fn hash_examples(hash: &mut Sha256, part: &Examples) {
    hash.update((part.len() as u64).to_le_bytes());
    match &part.inputs {
        Inputs::Values(values) => hash_values(hash, values),
        Inputs::Texts(texts) => {
            for text in texts.iter() {
                hash.update((text.len() as u64).to_le_bytes());
                hash.update(text.as_bytes());
            }
        }
    }
    match &part.targets {
        Targets::Classes { labels, .. } => {
            for label in labels {
                hash.update(label.to_le_bytes());
            }
        }
        Targets::Labels { flags, .. } => {
            let bytes: Vec<u8> = flags.iter().map(|&flag| u8::from(flag)).collect();
            hash.update(&bytes);
        }
        Targets::Numbers { values, .. } => hash_values(hash, values),
    }
}

fn hash_values(hash: &mut Sha256, values: &[f32]) {
    // Blocks, because a call a value would cost more than the hashing.
    let mut block = Vec::with_capacity(1 << 14);
    for values in values.chunks(1 << 12) {
        block.clear();
        block.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        hash.update(&block);
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
        let inputs = (0..labels.len() * 2).map(|value| value as f32).collect();
        made(
            inputs,
            &names,
            Targets::classes(labels.to_vec(), names.len()),
        )
        .unwrap()
    }

    fn made(inputs: Vec<f32>, names: &[String], targets: Targets) -> Result<Dataset, DataError> {
        let classes = Classes::from_labels(names.iter().map(String::as_str));
        let features = inputs.len() / targets.len();
        Dataset::new(
            "made",
            Shape::Vector { features },
            Task::Classes(classes),
            Examples::of_values(inputs, targets),
            None,
        )
    }

    #[test]
    fn the_hash_sees_every_value_and_label() {
        let base = of_labels(&[0, 1, 1, 0]);
        assert_eq!(base.hash().len(), 64);
        assert_eq!(base.hash(), of_labels(&[0, 1, 1, 0]).hash());
        assert_ne!(base.hash(), of_labels(&[0, 1, 0, 0]).hash());
        let names = ["0".to_owned(), "1".to_owned()];
        let targets = Targets::classes(vec![0, 1, 1, 0], 2);
        let mut inputs: Vec<f32> = (0..8).map(|value| value as f32).collect();
        let same = made(inputs.clone(), &names, targets.clone()).unwrap();
        assert_eq!(base.hash(), same.hash());
        inputs[7] += 1.0;
        assert_ne!(base.hash(), made(inputs, &names, targets).unwrap().hash());
    }

    #[test]
    fn one_class_is_refused() {
        let names = ["cat".to_owned()];
        let error = made(vec![1.0], &names, Targets::classes(vec![0], 1))
            .unwrap_err()
            .to_string();
        assert_eq!(
            error,
            "made: every label is `cat`; a classification needs at least two classes"
        );
    }
}
