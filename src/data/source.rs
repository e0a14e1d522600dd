//! What an experiment writes under `[data]`.

use super::csv::{self, Column, CsvOptions, Table};
use super::idx::{self, Idx};
use super::{
    Classes, DataError, Dataset, Examples, MAX_VALUES, Normalise, SplitPlan, Splits, Targets,
    embedded, input,
};
use crate::layers::Shape;
use crate::random::Seed;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Where data comes from and how it is divided: the `[data]` section of an experiment.
///
/// ```toml
/// [data]
/// name = "digits"                 # an embedded dataset, or:
///
/// train = "train.csv"             # a file; paths are relative to the experiment's folder
/// test = "test.csv"               # official test examples; without them, test_fraction is drawn
/// format = "csv"                  # or "tsv", "idx"; by default what the file's ending says
/// header = true                   # csv: by default, if no cell of the first row is a number
/// label = "species"               # csv: the column by name or number (from 1)
/// labels = "train-labels.idx"     # idx: the labels of `train`
/// test_labels = "test-labels.idx" # idx: the labels of `test`
/// shape = [1, 28, 28]             # channels, height, width; or channels, length; or features
///
/// validation = 0.2                # the share of the examples that validates
/// test_fraction = 0.2             # the share that tests
/// split_seed = 0
/// normalise = "standard"          # or "none"
/// ```
///
/// Files may be packed with gzip.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DataSource {
    /// An embedded dataset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A file of examples.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub train: Option<PathBuf>,
    /// A file of official test examples.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test: Option<PathBuf>,
    /// The files' format; by default what the training file's ending says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<Format>,
    /// Whether a table's first row names its columns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<bool>,
    /// The column of a table that holds the labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<Column>,
    /// The IDX file of the labels of `train`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<PathBuf>,
    /// The IDX file of the labels of `test`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test_labels: Option<PathBuf>,
    /// The shape of one example: channels, height, width; or channels, length; or features.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shape: Option<Vec<usize>>,
    /// The share of the examples that validates; by default 0.2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation: Option<f64>,
    /// The share of the examples that tests; by default 0.2. Not allowed together with `test`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test_fraction: Option<f64>,
    /// What the parts are drawn by. It is not the run's seed, so runs with other seeds see the same
    /// parts.
    pub split_seed: Seed,
    /// How inputs are put on one scale.
    pub normalise: Normalise,
}

/// A file format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Cells between commas.
    Csv,
    /// Cells between tabs.
    Tsv,
    /// The format of MNIST.
    Idx,
}

impl DataSource {
    /// The embedded dataset `name`, divided by default.
    pub fn embedded(name: impl Into<String>) -> Self {
        Self {
            name: Some(name.into()),
            ..Self::default()
        }
    }

    /// Reads the data; paths are relative to `base`.
    ///
    /// # Errors
    /// When settings contradict each other, or a file can't be read or makes no sense.
    pub fn load(&self, base: &Path) -> Result<Dataset, DataError> {
        match (&self.name, &self.train) {
            (Some(name), None) => {
                self.refuse_file_settings("name")?;
                embedded(name)
            }
            (None, Some(train)) => self.load_files(base, train),
            (Some(_), Some(_)) => Err(DataError::setting(
                "train",
                "an embedded `name` is given too; keep one of them",
            )),
            (None, None) => {
                let problem = "say where data comes from: `name = \"digits\"` or `train = \"…\"`";
                Err(DataError::setting("name", problem))
            }
        }
    }

    /// How the data is divided.
    ///
    /// # Errors
    /// When a share is asked for that an official test file makes meaningless.
    pub fn plan(&self) -> Result<SplitPlan, DataError> {
        if self.test.is_some() && self.test_fraction.is_some() {
            let problem = "`test` gives all the test examples; remove one of the two";
            return Err(DataError::setting("test_fraction", problem));
        }
        let default = SplitPlan::default();
        Ok(SplitPlan {
            validation: self.validation.unwrap_or(default.validation),
            test: self.test_fraction.unwrap_or(default.test),
            seed: self.split_seed,
            normalise: self.normalise,
        })
    }

    /// Reads and divides the data; paths are relative to `base`.
    ///
    /// # Errors
    /// As [`load`](Self::load), [`plan`](Self::plan) and [`Splits::new`] say.
    pub fn splits(&self, base: &Path) -> Result<Splits, DataError> {
        let plan = self.plan()?;
        Splits::new(self.load(base)?, &plan)
    }

    /// The first setting that is only for other kinds of data, as an error.
    fn refuse_file_settings(&self, beside: &str) -> Result<(), DataError> {
        let given = [
            ("test", self.test.is_some()),
            ("format", self.format.is_some()),
            ("shape", self.shape.is_some()),
        ];
        refuse(&given, beside)?;
        self.refuse_table_settings(beside)?;
        self.refuse_idx_settings(beside)
    }

    fn refuse_table_settings(&self, beside: &str) -> Result<(), DataError> {
        refuse(
            &[
                ("header", self.header.is_some()),
                ("label", self.label.is_some()),
            ],
            beside,
        )
    }

    fn refuse_idx_settings(&self, beside: &str) -> Result<(), DataError> {
        let labels = ("labels", self.labels.is_some());
        refuse(
            &[labels, ("test_labels", self.test_labels.is_some())],
            beside,
        )
    }

    fn load_files(&self, base: &Path, train: &Path) -> Result<Dataset, DataError> {
        let format = match self.format {
            Some(format) => format,
            None => Format::of_ending(train)?,
        };
        let files = Files { source: self, base };
        match format {
            Format::Csv => files.tables(train, b','),
            Format::Tsv => files.tables(train, b'\t'),
            Format::Idx => files.idx(train),
        }
    }
}

fn refuse(given: &[(&'static str, bool)], beside: &str) -> Result<(), DataError> {
    match given.iter().find(|(_, given)| *given) {
        Some((key, _)) => Err(DataError::setting(
            key,
            format!("has no meaning for `{beside}`; remove it"),
        )),
        None => Ok(()),
    }
}

impl Format {
    /// The format that a file's ending names, such as `.csv`, `.tsv.gz` or `.idx3-ubyte`.
    ///
    /// # Errors
    /// When the ending names none.
    pub fn of_ending(path: &Path) -> Result<Self, DataError> {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .to_lowercase();
        let plain = name.strip_suffix(".gz").unwrap_or(&name);
        let ending = plain.rsplit('.').next().unwrap_or_default();
        match ending {
            "csv" => Ok(Self::Csv),
            "tsv" | "tab" => Ok(Self::Tsv),
            // The originals are called `train-images-idx3-ubyte`, without any dot.
            _ if ending.starts_with("idx") || ending.ends_with("-ubyte") => Ok(Self::Idx),
            _ => {
                let problem = format!(
                    "can't tell from the ending of `{}`; say \"csv\", \"tsv\" or \"idx\"",
                    path.display()
                );
                Err(DataError::setting("format", problem))
            }
        }
    }
}

/// Reads the files that a source names.
struct Files<'a> {
    source: &'a DataSource,
    base: &'a Path,
}

impl Files<'_> {
    fn tables(&self, train: &Path, delimiter: u8) -> Result<Dataset, DataError> {
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

    fn idx(&self, train: &Path) -> Result<Dataset, DataError> {
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

#[cfg(test)]
mod tests;
