//! The files that a `[data]` section names, and what readers of all formats do with them.

use crate::data::csv::TaskKind;
use crate::data::source::DataSource;
use crate::data::{Classes, DataError, MAX_VALUES, Targets, Task, input};
use crate::layers::Shape;
use std::io::Read;
use std::path::{Path, PathBuf};

/// The files that a source names.
#[derive(Clone, Copy, Debug)]
pub struct Files<'a> {
    /// The section.
    pub(in crate::data) source: &'a DataSource,
    /// What paths are relative to.
    pub(in crate::data) base: &'a Path,
    /// The training file or folder.
    pub(in crate::data) train: &'a Path,
}

impl<'a> Files<'a> {
    /// Where a file is.
    pub(super) fn path(&self, path: &Path) -> PathBuf {
        self.base.join(path)
    }

    /// A file's name in messages.
    pub(super) fn name(&self, path: &Path) -> String {
        self.path(path).display().to_string()
    }

    /// What the dataset is called.
    pub(super) fn stem(&self) -> String {
        let name = self.train.file_name().unwrap_or_default();
        let name = name.to_string_lossy();
        name.split('.').next().unwrap_or_default().to_owned()
    }

    /// A file's bytes, unpacked.
    pub(super) fn open(&self, path: &Path) -> Result<Box<dyn Read>, DataError> {
        input::open(&self.path(path))
    }

    /// The official test file, if there is one.
    pub(super) fn test(&self) -> Option<&'a Path> {
        self.source.test.as_deref()
    }

    /// The validation file, if there is one.
    pub(super) fn validation(&self) -> Option<&'a Path> {
        self.source.validation_file()
    }

    pub(super) fn task(&self) -> TaskKind {
        self.source.task.unwrap_or_default()
    }

    /// The declared shape, or the file's own.
    pub(super) fn shape(&self, found: Shape, file: &str) -> Result<Shape, DataError> {
        let Some(declared) = &self.source.shape else {
            return Ok(found);
        };
        let shape = declared_shape(declared)?;
        if shape.elements() == found.elements() {
            return Ok(shape);
        }
        Err(DataError::ShapeMismatch {
            file: file.to_owned(),
            shape: declared.clone(),
            found: found.elements(),
        })
    }
}

/// The shape that a list of sizes means.
pub(in crate::data) fn declared_shape(declared: &[usize]) -> Result<Shape, DataError> {
    let shape = match *declared {
        [channels, height, width] => Shape::Image {
            channels,
            height,
            width,
        },
        [channels, length] => Shape::Signal { channels, length },
        [features] => Shape::Vector { features },
        _ => {
            let problem = "give 3 sizes (channels, height, width), 2 (channels, length) or 1";
            return Err(DataError::setting("shape", problem));
        }
    };
    let product = declared
        .iter()
        .try_fold(1usize, |product, &size| product.checked_mul(size));
    match product {
        Some(count) if (1..=MAX_VALUES).contains(&count) => Ok(shape),
        Some(0) => Err(DataError::setting("shape", "every size is at least 1")),
        _ => {
            let problem = format!("{declared:?} is more than {MAX_VALUES} values");
            Err(DataError::setting("shape", problem))
        }
    }
}

/// Labels that are texts, as targets: of the training part's classes.
///
/// # Errors
/// When a label is no class; the error names the example's number.
pub(super) fn class_targets<'t>(
    file: &str,
    labels: impl Iterator<Item = &'t str>,
    classes: &Classes,
) -> Result<Targets, DataError> {
    let number = |(index, label): (usize, &str)| {
        classes.index(label).ok_or_else(|| {
            let advice = classes.advice(label);
            let shown = crate::data::error::excerpt(label.as_bytes());
            let problem = format!(
                "example {} has the label `{shown}`, which is not in the training file; {advice}",
                index + 1
            );
            DataError::format(file, problem)
        })
    };
    let labels: Vec<u32> = labels.enumerate().map(number).collect::<Result<_, _>>()?;
    Ok(Targets::classes(labels, classes.len()))
}

/// The task of labels that are texts: the classes among them.
pub(super) fn class_task<'t>(labels: impl Iterator<Item = &'t str>) -> Task {
    let mut distinct: Vec<&str> = labels.collect();
    distinct.sort_unstable();
    distinct.dedup();
    Task::Classes(Classes::from_labels(distinct))
}
