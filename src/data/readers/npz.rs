//! NumPy's archives of arrays, `.npz`: inputs and targets under usual names.

use super::arrays::{self, Named};
use super::{Files, FormatInfo, Reader, npy};
use crate::data::{Asked, DataError, Dataset, MAX_FILE_BYTES, Questions, input};
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

/// Several arrays in one file.
pub(super) struct Npz;

impl Reader for Npz {
    fn describe(&self) -> &'static FormatInfo {
        &FormatInfo {
            name: "npz",
            endings: &["npz"],
            about: "NumPy arrays called x_train, y_train, x_test and y_test, or x and y",
            settings: &["shape", "task"],
        }
    }

    fn read(&self, files: &Files<'_>) -> Result<Dataset, DataError> {
        if files.test().is_some() {
            let problem = "has no meaning for `npz`: the test arrays are in the same file";
            return Err(DataError::setting("test", problem));
        }
        let mut archive = Archive::open(&files.path(files.train))?;
        let [inputs, targets, test, test_targets] = NAMES.map(|names| archive.find(names));
        let inputs = inputs.ok_or_else(|| archive.lacks("inputs", NAMES[0]))?;
        let targets = targets.ok_or_else(|| archive.lacks("targets", NAMES[1]))?;
        let training = (archive.array(inputs)?, archive.array(targets)?);
        let test = match (test, test_targets) {
            (Some(test), Some(targets)) => {
                let targets = archive.array(targets)?;
                Some((archive.array(test)?, targets))
            }
            _ => None,
        };
        arrays::dataset(files, training, test)
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
        let held = |name: &&&str| self.zip.index_for_name(&format!("{name}.npy")).is_some();
        names.find(held).copied()
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
