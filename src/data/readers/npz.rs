//! NumPy's archives of arrays, `.npz`: inputs and targets under usual names.

use super::arrays::{self, Named, Set};
use super::{Files, FormatInfo, Reader, npy};
use crate::data::{
    Asked, Column, DataError, Dataset, MAX_FILE_BYTES, Questions, SplitColumns, input,
};
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;
use zip::ZipArchive;
use zip::result::ZipError;

/// Usual names of training inputs, training targets, test inputs and test targets.
const NAMES: [&[&str]; 4] = [
    &[
        "x_train",
        "X_train",
        "train_images",
        "x",
        "X",
        "data",
        "images",
        "arr_0",
    ],
    &[
        "y_train",
        "Y_train",
        "train_labels",
        "y",
        "Y",
        "labels",
        "target",
        "arr_1",
    ],
    &["x_test", "X_test", "test_images"],
    &["y_test", "Y_test", "test_labels"],
];

/// Usual names of validation inputs and targets.
const VALIDATION: [&[&str]; 2] = [
    &[
        "x_val",
        "X_val",
        "x_valid",
        "X_valid",
        "x_validation",
        "val_images",
    ],
    &[
        "y_val",
        "Y_val",
        "y_valid",
        "Y_valid",
        "y_validation",
        "val_labels",
    ],
];

/// Several arrays in one file.
pub(super) struct Npz;

impl Reader for Npz {
    fn describe(&self) -> &'static FormatInfo {
        &FormatInfo {
            name: "npz",
            endings: &["npz"],
            about: "NumPy arrays called x_train, y_train, x_test and y_test, or x and y",
            settings: &[
                "shape",
                "task",
                "split.group",
                "split.test_group",
                "split.validation_group",
                "split.time",
            ],
        }
    }

    fn read(&self, files: &Files<'_>) -> Result<Dataset, DataError> {
        if files.test().is_some() {
            let problem = "has no meaning for `npz`: the test arrays are in the same file";
            return Err(DataError::setting("test", problem));
        }
        let split = files.source.split_columns();
        let mut archive = Archive::open(&files.path(files.train))?;
        let [inputs, targets, test, test_targets] = NAMES.map(|names| archive.find(names));
        let inputs = inputs.ok_or_else(|| archive.lacks("inputs", NAMES[0]))?;
        let targets = targets.ok_or_else(|| archive.lacks("targets", NAMES[1]))?;
        let training = Set {
            inputs: archive.array(inputs)?,
            targets: archive.array(targets)?,
            group: archive.asked(split.group.as_ref(), "split.group")?,
            time: archive.asked(split.time.as_ref(), "split.time")?,
        };
        let test = match (test, test_targets) {
            (Some(test), Some(targets)) => Some(Set {
                inputs: archive.array(test)?,
                targets: archive.array(targets)?,
                group: match &split.test_group {
                    None => archive.like(split.group.as_ref(), "test")?,
                    named => archive.asked(named.as_ref(), "split.test_group")?,
                },
                time: None,
            }),
            _ => None,
        };
        let validation = match files.validation() {
            Some(path) => Some(Archive::open(&files.path(path))?.validation(&split)?),
            None => None,
        };
        arrays::dataset(files, training, test, validation)
    }

    fn questions(&self, asked: &Asked<'_>) -> Result<Questions, DataError> {
        let mut archive = Archive::open(asked.path)?;
        let inputs = archive.find(NAMES[2]).or_else(|| archive.find(NAMES[0]));
        let inputs = inputs.ok_or_else(|| archive.lacks("inputs", NAMES[0]))?;
        arrays::questions(asked, &archive.array(inputs)?)
    }
}

/// An open archive with its name in messages.
struct Archive {
    zip: ZipArchive<BufReader<File>>,
    name: String,
}

impl Archive {
    fn open(path: &Path) -> Result<Self, DataError> {
        let name = path.display().to_string();
        let file = File::open(path).map_err(|error| input::read_error(path, error))?;
        let zip = ZipArchive::new(BufReader::new(file)).map_err(|error| broken(&name, error))?;
        Ok(Self { zip, name })
    }

    /// The first of these names that an array has.
    fn find(&self, names: &[&'static str]) -> Option<&'static str> {
        let mut names = names.iter();
        names.find(|name| self.has(name)).copied()
    }

    fn lacks(&self, what: &str, names: &[&str]) -> DataError {
        let mut found: Vec<_> = self.zip.file_names().filter_map(Result::ok).collect();
        found.sort_unstable();
        let problem = format!(
            "no array of {what}: it holds {}, where one of {} is looked for",
            found.join(", "),
            names.join(", ")
        );
        DataError::format(&self.name, problem)
    }

    /// The arrays that validate: those with names that say so, else those of training.
    fn validation(&mut self, split: &SplitColumns) -> Result<Set, DataError> {
        let [inputs, targets] = [0, 1].map(|at| {
            let own = self.find(VALIDATION[at]);
            own.or_else(|| self.find(NAMES[at]))
        });
        let inputs = inputs.ok_or_else(|| self.lacks("inputs", NAMES[0]))?;
        let targets = targets.ok_or_else(|| self.lacks("targets", NAMES[1]))?;
        let has_own_names = VALIDATION[0].contains(&inputs);
        let group = match (&split.validation_group, has_own_names) {
            (Some(named), _) => self.asked(Some(named), "split.validation_group")?,
            (None, true) => self.like(split.group.as_ref(), "val")?,
            (None, false) => self.asked(split.group.as_ref(), "split.group")?,
        };
        Ok(Set {
            inputs: self.array(inputs)?,
            targets: self.array(targets)?,
            group,
            time: None,
        })
    }

    /// The array that a setting names.
    fn asked(
        &mut self,
        column: Option<&Column>,
        key: &'static str,
    ) -> Result<Option<Named>, DataError> {
        match column {
            None => Ok(None),
            Some(column @ Column::Number(_)) => {
                let problem = format!("{column} is no array; give its name");
                Err(DataError::setting(key, problem))
            }
            Some(Column::Name(name)) if self.has(name) => self.array(name).map(Some),
            Some(Column::Name(name)) => Err(self.lacks("what rows are divided by", &[name])),
        }
    }

    /// The array for other examples that is called like the one for training: `group_test` for `group`, or
    /// `group_test` for `group_train`, if there is one.
    fn like(&mut self, column: Option<&Column>, part: &str) -> Result<Option<Named>, DataError> {
        let Some(Column::Name(name)) = column else {
            return Ok(None);
        };
        let like = match name.contains("train") {
            true => name.replace("train", part),
            false => format!("{name}_{part}"),
        };
        match self.has(&like) {
            true => self.array(&like).map(Some),
            false => Ok(None),
        }
    }

    fn has(&self, name: &str) -> bool {
        self.zip.index_for_name(&format!("{name}.npy")).is_some()
    }

    fn array(&mut self, array: &str) -> Result<Named, DataError> {
        let (name, member) = (&self.name, format!("{array}.npy"));
        let shown = format!("{name}/{member}");
        let file = self
            .zip
            .by_name(&member)
            .map_err(|error| broken(name, error))?;
        Ok((npy::read(file.take(MAX_FILE_BYTES), &shown)?, shown))
    }
}

fn broken(name: &str, error: ZipError) -> DataError {
    let problem = format!("can't be read as a zip archive ({error}); is the download complete?");
    DataError::format(name, problem)
}
