//! Reading the files that a `[data]` section names.

use super::super::csv::{self, CsvOptions, Table};
use super::super::idx::{self, Idx};
use super::super::{Classes, DataError, Dataset, Examples, MAX_VALUES, Targets, input};
use super::DataSource;
use crate::layers::Shape;
use std::path::Path;

/// Reads the files that a source names.
pub(super) struct Files<'a> {
    pub source: &'a DataSource,
    pub base: &'a Path,
}

impl Files<'_> {
    pub fn tables(&self, train: &Path, delimiter: u8) -> Result<Dataset, DataError> {
        self.source.refuse_idx_settings("csv")?;
        let header = self.source.header;
        let options = CsvOptions {
            delimiter,
            header,
            label: self.source.label.clone(),
        };
        let training = self.table(train, &options)?;
        let classes = training.classes()?;
        let flat = Shape::Vector {
            features: training.features,
        };
        let shape = self.shape(flat, &self.name(train))?;
        let test = match &self.source.test {
            Some(test) => {
                let table = self.table(test, &options)?;
                table.check_columns(&training)?;
                Some(of_table(table, &classes)?)
            }
            None => None,
        };
        let examples = of_table(training, &classes)?;
        Dataset::new(stem(train), shape, classes, examples, test)
    }

    fn table(&self, path: &Path, options: &CsvOptions) -> Result<Table, DataError> {
        csv::read(
            input::open(&self.base.join(path))?,
            &self.name(path),
            options,
        )
    }

    pub fn idx(&self, train: &Path) -> Result<Dataset, DataError> {
        self.source.refuse_table_settings("idx")?;
        let (pictures, labels) = self.pair(train, self.source.labels.as_deref(), "labels")?;
        let classes = idx::classes(&labels);
        let file = self.name(train);
        let shape = self.shape(pictures.shape(&file)?, &file)?;
        let test = match &self.source.test {
            Some(test) => Some(self.idx_test(test, &pictures, &classes)?),
            None if self.source.test_labels.is_some() => {
                return Err(DataError::setting(
                    "test_labels",
                    "there is no `test` they belong to",
                ));
            }
            None => None,
        };
        let label_file = self.source.labels.as_deref().unwrap_or(train);
        let examples = of_idx(&pictures, &labels, &classes, &self.name(label_file))?;
        Dataset::new(stem(train), shape, classes, examples, test)
    }

    fn idx_test(
        &self,
        test: &Path,
        training: &Idx,
        classes: &Classes,
    ) -> Result<Examples, DataError> {
        let label_file = self.source.test_labels.as_deref();
        let (pictures, labels) = self.pair(test, label_file, "test_labels")?;
        if pictures.dimensions[1..] != training.dimensions[1..] {
            let (here, there) = (&pictures.dimensions[1..], &training.dimensions[1..]);
            return Err(DataError::ColumnsDiffer {
                file: self.name(test),
                difference: format!("pictures of {here:?} instead of {there:?}"),
            });
        }
        of_idx(
            &pictures,
            &labels,
            classes,
            &self.name(label_file.unwrap_or(test)),
        )
    }

    /// The inputs in the file `inputs` and the labels in the file that the setting `key` names.
    fn pair(
        &self,
        inputs: &Path,
        labels: Option<&Path>,
        key: &'static str,
    ) -> Result<(Idx, Vec<u8>), DataError> {
        let labels = labels.ok_or_else(|| {
            let problem = format!(
                "`{}` holds no labels; name the file that does",
                inputs.display()
            );
            DataError::setting(key, problem)
        })?;
        let read = |path: &Path| idx::read(input::open(&self.base.join(path))?, &self.name(path));
        let pictures = read(inputs)?;
        let file = self.name(labels);
        let labels = read(labels)?.into_labels(&file, pictures.len(), &self.name(inputs))?;
        Ok((pictures, labels))
    }

    /// The declared shape, or the file's own.
    fn shape(&self, found: Shape, file: &str) -> Result<Shape, DataError> {
        let Some(declared) = &self.source.shape else {
            return Ok(found);
        };
        let shape = match declared[..] {
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
            Some(count) if count == found.elements() => Ok(shape),
            Some(count) if count <= MAX_VALUES => Err(DataError::ShapeMismatch {
                file: file.to_owned(),
                shape: declared.clone(),
                found: found.elements(),
            }),
            _ => {
                let problem = format!("{declared:?} is more than {MAX_VALUES} values");
                Err(DataError::setting("shape", problem))
            }
        }
    }

    /// A file's name in messages.
    fn name(&self, path: &Path) -> String {
        self.base.join(path).display().to_string()
    }
}

/// What a dataset of this file is called.
fn stem(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.split('.').next().unwrap_or_default().to_owned()
}

fn of_table(table: Table, classes: &Classes) -> Result<Examples, DataError> {
    let targets = Targets::Classes(table.labels(classes)?);
    Ok(Examples {
        inputs: table.inputs,
        targets,
    })
}

fn of_idx(
    pictures: &Idx,
    labels: &[u8],
    classes: &Classes,
    label_file: &str,
) -> Result<Examples, DataError> {
    let targets = Targets::Classes(idx::class_numbers(labels, classes, label_file)?);
    Ok(Examples {
        inputs: pictures.inputs(),
        targets,
    })
}
