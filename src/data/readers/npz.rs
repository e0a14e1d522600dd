//! NumPy's archives of arrays, `.npz`: inputs and targets under usual names.

use super::arrays::{self, Named};
use super::{Files, FormatInfo, Reader, npy};
use crate::data::{DataError, Dataset, MAX_FILE_BYTES, input};
use std::fs::File;
use std::io::{BufReader, Read, Seek};
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
        let name = files.name(files.train);
        if files.test().is_some() {
            let problem = "has no meaning for `npz`: the test arrays are in the same file";
            return Err(DataError::setting("test", problem));
        }
        let path = files.path(files.train);
        let file = File::open(&path).map_err(|error| input::read_error(&path, error))?;
        let archive = ZipArchive::new(BufReader::new(file));
        let mut archive = archive.map_err(|error| broken(&name, error))?;
        let [inputs, targets, test, test_targets] =
            NAMES.map(|names| find(&archive, names).map(str::to_owned));
        let missing = |what: &str, names: &[&str]| {
            let held = archive.file_names().filter_map(Result::ok);
            let mut found: Vec<_> = held.collect();
            found.sort_unstable();
            let problem = format!(
                "no array of {what}: it holds {}, where one of {} is looked for",
                found.join(", "),
                names.join(", ")
            );
            DataError::format(&name, problem)
        };
        let inputs = inputs.ok_or_else(|| missing("inputs", NAMES[0]))?;
        let targets = targets.ok_or_else(|| missing("targets", NAMES[1]))?;
        let training = (
            array(&mut archive, &inputs, &name)?,
            array(&mut archive, &targets, &name)?,
        );
        let test = match (test, test_targets) {
            (Some(test), Some(targets)) => Some((
                array(&mut archive, &test, &name)?,
                array(&mut archive, &targets, &name)?,
            )),
            _ => None,
        };
        arrays::dataset(files, training, test)
    }
}

fn find<'n, R: Read + Seek>(archive: &ZipArchive<R>, names: &[&'n str]) -> Option<&'n str> {
    let mut names = names.iter();
    let held = |name: &&&str| archive.index_for_name(&format!("{name}.npy")).is_some();
    names.find(held).copied()
}

fn array<R: Read + Seek>(
    archive: &mut ZipArchive<R>,
    array: &str,
    name: &str,
) -> Result<Named, DataError> {
    let member = format!("{array}.npy");
    let shown = format!("{name}/{member}");
    let file = archive
        .by_name(&member)
        .map_err(|error| broken(name, error))?;
    Ok((npy::read(file.take(MAX_FILE_BYTES), &shown)?, shown))
}

fn broken(name: &str, error: ZipError) -> DataError {
    let problem = format!("can't be read as a zip archive ({error}); is the download complete?");
    DataError::format(name, problem)
}
