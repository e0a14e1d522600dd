//! What an experiment writes under `[data]`.

mod files;

use super::csv::Column;
use super::{DataError, Dataset, Normalise, SplitPlan, Splits, embedded};
use crate::random::Seed;
use files::Files;
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

#[cfg(test)]
mod tests;
