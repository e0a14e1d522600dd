//! What an experiment writes under `[data]`.

mod division;

pub use division::{SplitColumns, SplitSetting, ValidationSource};

use super::csv::{Column, Columns, Decimal, Delimiter, Missing, TaskKind};
use super::preprocessing::FileForm;
use super::readers::{FORMATS, Files, Reader, format_of};
use super::text::Tokens;
use super::{DataError, Dataset, Normalise, SplitBy, SplitPlan, Splits, named};
use crate::diagnostics::closest_name;
use crate::random::Seed;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use std::path::{Path, PathBuf};

/// Where data comes from and how it is divided: the `[data]` section of an experiment.
///
/// ```toml
/// [data]
/// name = "digits"                 # a named dataset, or:
///
/// train = "train.csv"             # a file or folder; paths are relative to the experiment's folder
/// test = "test.csv"               # official test examples; without them, test_fraction is drawn
/// format = "csv"                  # by default what the file's ending says
/// task = "classification"         # or "regression", "multi_label"
/// examples = 10000                # at most so many, the first ones; test_examples likewise
///
/// validation = 0.2                # the share of the examples that validates, or a file of its own
/// test_fraction = 0.2             # the share that tests
/// split = { group = "patient" }   # keeps rows together; or by time; by default all are drawn alike
/// split_seed = 0
/// normalise = "standard"          # or "none"
/// ```
///
/// Each format has settings of its own: see [`FORMATS`]. Files may be packed with gzip.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, remote = "Self")]
pub struct DataSource {
    /// A named dataset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A file or a folder of examples.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub train: Option<PathBuf>,
    /// A file or a folder of official test examples.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test: Option<PathBuf>,
    /// The files' format; by default what the training file's ending says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<Format>,
    /// What stands between two cells of a table; by default a comma, or a tab in `.tsv`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<Delimiter>,
    /// What stands before a number's fraction in a table that is text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decimal: Option<Decimal>,
    /// Whether a table's first row names its columns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<bool>,
    /// The column of a table that holds the targets, or several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<Columns>,
    /// The IDX or NPY file of the targets of `train`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<PathBuf>,
    /// The IDX or NPY file of the targets of `test`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test_labels: Option<PathBuf>,
    /// The IDX or NPY file of the targets of the file `validation`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation_labels: Option<PathBuf>,
    /// The shape of one example: channels, height, width; or channels, length; or features.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shape: Option<Vec<usize>>,
    /// What is asked about each example; by default its class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskKind>,
    /// Columns of a table whose numbers are names of categories.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub categorical: Option<Vec<Column>>,
    /// Columns of a table that are left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ignore: Option<Vec<Column>>,
    /// What is done about gaps in a table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing: Option<Missing>,
    /// The column or field that holds the texts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<Column>,
    /// What a token of a text is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens: Option<Tokens>,
    /// How many tokens there are at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vocabulary: Option<usize>,
    /// How many tokens a text has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub length: Option<usize>,
    /// How many examples are kept, the first ones; by default all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub examples: Option<usize>,
    /// How many official test examples are kept, the first ones; by default all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test_examples: Option<usize>,
    /// The share of the examples that validates, by default 0.2; or a file of examples that do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation: Option<ValidationSource>,
    /// The share of the examples that tests; by default 0.2. Not allowed together with `test`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test_fraction: Option<f64>,
    /// The rule by which examples are divided; by default they are drawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split: Option<SplitSetting>,
    /// Short for `split = { group = … }`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<Column>,
    /// Short for `split = { time = … }`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<Column>,
    /// What the parts are drawn by. It is not the run's seed, so runs with other seeds see the same
    /// parts.
    pub split_seed: Seed,
    /// How inputs are put on one scale.
    pub normalise: Normalise,
    /// The folder in which named datasets are looked for besides the system's own. Not part of the
    /// question, so not written with it.
    #[serde(skip)]
    pub folder: Option<PathBuf>,
}

/// A file format of the table [`FORMATS`], by its name.
#[derive(Clone, Copy)]
pub struct Format(&'static dyn Reader);

impl Format {
    /// The format called `name`.
    pub fn find(name: &str) -> Option<Self> {
        let mut formats = FORMATS.iter();
        let found = formats.find(|format| format.describe().name == name);
        found.map(|&format| Self(format))
    }

    /// The format that a file's ending names, such as `.csv`, `.tsv.gz` or `.idx3-ubyte`.
    ///
    /// # Errors
    /// When the ending names none.
    pub fn of_ending(path: &Path) -> Result<Self, DataError> {
        format_of(path).map(Self)
    }

    /// What reads it.
    pub(super) fn reader(self) -> &'static dyn Reader {
        self.0
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        self.0.describe().name
    }
}

impl fmt::Debug for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Format({})", self.name())
    }
}

impl PartialEq for Format {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Serialize for Format {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Format {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let names = || FORMATS.iter().map(|format| format.describe().name);
        Self::find(&name).ok_or_else(|| {
            let advice = match closest_name(&name, names()) {
                Some(close) => format!("did you mean `{close}`?"),
                None => format!("known are {}", names().collect::<Vec<_>>().join(", ")),
            };
            de::Error::custom(format!("unknown format `{name}`; {advice}"))
        })
    }
}

impl Serialize for DataSource {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

/// In the one way of writing it, so that two spellings of one question have one digest.
impl<'de> Deserialize<'de> for DataSource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = Self::deserialize(deserializer)?;
        read.canonical().map_err(de::Error::custom)
    }
}

impl DataSource {
    /// Whether it says nothing about data. Where named datasets lie is the machine's business, and no data.
    pub fn is_empty(&self) -> bool {
        let said = Self {
            folder: None,
            ..self.clone()
        };
        said == Self::default()
    }

    /// The named dataset, or the file of examples, that a command line calls `name`. What has no ending
    /// and is no file is a name: a mistyped one is shown the closest.
    pub fn called(name: &str) -> Self {
        let path = Path::new(name);
        if named::find_named(name).is_some() || (path.extension().is_none() && !path.exists()) {
            return Self::embedded(name);
        }
        Self {
            train: Some(path.to_owned()),
            ..Self::default()
        }
    }

    /// The dataset called `name`, divided by default.
    pub fn embedded(name: impl Into<String>) -> Self {
        Self {
            name: Some(name.into()),
            ..Self::default()
        }
    }

    /// Whether a journal of format 4 has no words for it.
    pub fn needs_format_5(&self) -> bool {
        self.delimiter.is_some() || self.decimal.is_some()
    }

    /// True if a journal of format 5 has no words for it.
    pub fn needs_format_6(&self) -> bool {
        let by_file = matches!(self.validation, Some(ValidationSource::File(_)));
        by_file
            || self.split.is_some()
            || self.group.is_some()
            || self.time.is_some()
            || self.validation_labels.is_some()
    }

    /// The same with what is said of the division in one way: `group` and `time` under `split`, `validation`
    /// beside it.
    ///
    /// # Errors
    /// When something is said twice, or contradicts the rest.
    fn canonical(mut self) -> Result<Self, DataError> {
        let twice = |key, problem: &str| Err(DataError::setting(key, problem));
        if self.group.is_some() || self.time.is_some() {
            if self.split.as_ref().is_some_and(|split| {
                let both =
                    |columns: &SplitColumns| columns.group.is_some() || columns.time.is_some();
                split.columns().is_none_or(both)
            }) {
                let key = if self.group.is_some() {
                    "group"
                } else {
                    "time"
                };
                return twice(
                    key,
                    "`split` says by what rows are divided; keep one of the two",
                );
            }
            let mut columns = match self.split.take() {
                Some(SplitSetting::By(columns)) => columns,
                _ => SplitColumns::default(),
            };
            (columns.group, columns.time) = (self.group.take(), self.time.take());
            self.split = Some(SplitSetting::By(columns));
        }
        if let Some(split) = &self.split {
            split.check()?;
        }
        if let Some(SplitSetting::By(columns)) = &mut self.split
            && let Some(validation) = columns.validation.take()
        {
            if self.validation.is_some() {
                return twice(
                    "validation",
                    "`split` has a `validation` too; keep one of the two",
                );
            }
            self.validation = Some(validation);
        }
        if self.split == Some(SplitSetting::By(SplitColumns::default())) {
            self.split = None;
        }
        Ok(self)
    }

    /// The column or file that rows are kept together by, if there is one, and that they are ordered by.
    pub(super) fn split_columns(&self) -> SplitColumns {
        let columns = self.split.as_ref().and_then(SplitSetting::columns);
        columns.cloned().unwrap_or_default()
    }

    /// The validation file, if there is one.
    pub(super) fn validation_file(&self) -> Option<&Path> {
        match &self.validation {
            Some(ValidationSource::File(path)) => Some(path),
            _ => None,
        }
    }

    /// Reads the data; paths are relative to `base`.
    ///
    /// # Errors
    /// When settings contradict each other, or a file can't be read or makes no sense.
    pub fn load(&self, base: &Path) -> Result<Dataset, DataError> {
        self.clone().canonical()?.load_canonical(base)
    }

    fn load_canonical(&self, base: &Path) -> Result<Dataset, DataError> {
        let whole = match (&self.name, &self.train) {
            (Some(name), None) => named::load(self, name),
            (None, Some(train)) => self.load_files(base, train),
            (Some(_), Some(_)) => Err(DataError::setting(
                "train",
                "a dataset's `name` is given too; keep one of them",
            )),
            (None, None) => {
                let problem = "say where data comes from: `name = \"digits\"` or `train = \"…\"`";
                Err(DataError::setting("name", problem))
            }
        };
        whole?.first(self.examples, self.test_examples)
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
        let source = self.clone().canonical()?;
        let by = match &source.split {
            None => None,
            Some(SplitSetting::Random) => Some(SplitBy::Random),
            Some(SplitSetting::FileOrder) => Some(SplitBy::FileOrder),
            Some(SplitSetting::By(columns)) if columns.group.is_some() => Some(SplitBy::Group),
            Some(SplitSetting::By(_)) => Some(SplitBy::Time),
        };
        Ok(SplitPlan {
            validation: match source.validation {
                Some(ValidationSource::Share(share)) => share,
                _ => default.validation,
            },
            test: self.test_fraction.unwrap_or(default.test),
            by,
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

    fn load_files(&self, base: &Path, train: &Path) -> Result<Dataset, DataError> {
        let format = match self.format {
            Some(format) => format,
            None => Format::of_ending(&base.join(train))?,
        };
        let description = format.0.describe();
        let mut known = vec!["test", "validation", "format"];
        known.extend(description.settings);
        self.refuse_settings(description.name, &known)?;
        if self.split == Some(SplitSetting::FileOrder) && description.name == "folder" {
            let problem = "pictures of a folder stand in the order of their classes, not of time";
            return Err(DataError::setting("split", problem));
        }
        let source = self;
        let dataset = format.0.read(&Files {
            source,
            base,
            train,
        })?;
        let resizes = format.name() == "folder" && self.shape.is_some();
        Ok(dataset.read_as(FileForm {
            format: Some(format),
            header: self.header,
            delimiter: self.delimiter,
            decimal: self.decimal,
            text: self.text.clone(),
            resizes,
            ..FileForm::default()
        }))
    }

    /// The first setting that is only for other kinds of data, as an error.
    pub(super) fn refuse_settings(&self, beside: &str, known: &[&str]) -> Result<(), DataError> {
        let columns = self.split_columns();
        let given = [
            ("test", self.test.is_some()),
            ("format", self.format.is_some()),
            ("shape", self.shape.is_some()),
            ("delimiter", self.delimiter.is_some()),
            ("decimal", self.decimal.is_some()),
            ("header", self.header.is_some()),
            ("label", self.label.is_some()),
            ("labels", self.labels.is_some()),
            ("test_labels", self.test_labels.is_some()),
            ("validation_labels", self.validation_labels.is_some()),
            ("validation", self.validation_file().is_some()),
            ("split.group", columns.group.is_some()),
            ("split.time", columns.time.is_some()),
            ("split.test_group", columns.test_group.is_some()),
            ("split.validation_group", columns.validation_group.is_some()),
            ("task", self.task.is_some()),
            ("categorical", self.categorical.is_some()),
            ("ignore", self.ignore.is_some()),
            ("missing", self.missing.is_some()),
            ("text", self.text.is_some()),
            ("tokens", self.tokens.is_some()),
            ("vocabulary", self.vocabulary.is_some()),
            ("length", self.length.is_some()),
        ];
        let wrong = |(key, given): &&(&str, bool)| *given && !known.contains(key);
        match given.iter().find(wrong) {
            Some((key, _)) => Err(DataError::setting(
                key,
                format!("has no meaning for `{beside}`; {}", advice(key)),
            )),
            None => Ok(()),
        }
    }
}

/// Advice about a setting that has no meaning.
fn advice(key: &str) -> &'static str {
    match key {
        "split.group" | "split.time" => {
            "there is no column or array to divide by; put the examples that validate and test into files of \
             their own, `validation` and `test`"
        }
        _ => "remove it",
    }
}

#[cfg(test)]
mod tests;
