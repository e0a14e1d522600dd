//! Datasets with a name: part of the program, installed on the system, or fetched into a data folder.

mod fetch;
mod sets;

pub use fetch::fetch;
pub use sets::SETS;

use super::csv::{self, CsvOptions, Table};
use super::dataset::hexadecimal;
use super::readers::declared_shape;
use super::{Column, Columns, DataError, DataSource, Dataset, Form, TaskKind, input};
use crate::diagnostics::closest_name;
use flate2::read::GzDecoder;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A dataset that is found by its name.
#[derive(Clone, Copy, Debug)]
pub struct NamedSet {
    /// The name, as `name = "…"` gives it.
    pub name: &'static str,
    /// What it is, in a line.
    pub about: &'static str,
    /// Its licence.
    pub licence: &'static str,
    /// Where it comes from.
    pub origin: Origin,
}

/// Where a named dataset comes from.
#[derive(Clone, Copy, Debug)]
pub enum Origin {
    /// It is compiled into the program: a table packed with gzip.
    Embedded(EmbeddedTable),
    /// It is in files, found in a data folder or where a system package puts them.
    Files {
        /// The files.
        files: &'static [NamedFile],
        /// Where system packages put them.
        installed: &'static [&'static str],
        /// The address that the files' names are added to.
        home: &'static str,
        /// Their `[data]` section.
        section: &'static str,
    },
}

/// A table that is part of the program.
#[derive(Clone, Copy)]
pub struct EmbeddedTable {
    train: &'static [u8],
    test: Option<&'static [u8]>,
    label: Option<&'static str>,
    task: TaskKind,
    shape: Option<&'static [usize]>,
}

/// Without the bytes.
impl std::fmt::Debug for EmbeddedTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EmbeddedTable").finish_non_exhaustive()
    }
}

/// One file of a dataset.
#[derive(Clone, Copy, Debug)]
pub struct NamedFile {
    /// Its name.
    pub name: &'static str,
    /// Its SHA-256 in hexadecimal, as its home has it, then as packages have it.
    pub sha256: &'static [&'static str],
}

/// The dataset called `name`.
pub fn find_named(name: &str) -> Option<&'static NamedSet> {
    SETS.iter().find(|set| set.name == name)
}

/// Loads the dataset called `name`, from `folder` or the system where it is not part of the program.
///
/// # Errors
/// When there is none of that name, its files are nowhere, or they are not what they should be.
pub(super) fn load(name: &str, folder: Option<&Path>) -> Result<Dataset, DataError> {
    let Some(set) = find_named(name) else {
        return Err(unknown(name));
    };
    let loaded = match set.origin {
        Origin::Embedded(table) => table.load(name)?,
        Origin::Files { files, section, .. } => {
            let place = set.place(folder).ok_or_else(|| set.nowhere(folder))?;
            for file in files {
                file.verify(&place)?;
            }
            let source: DataSource = toml::from_str(section).expect("a test reads every section");
            source.load(&place)?
        }
    };
    Ok(loaded.renamed(name))
}

/// The error of a name that no dataset has.
pub(super) fn unknown(name: &str) -> DataError {
    let names = SETS.iter().map(|set| set.name);
    let advice = match closest_name(name, names.clone()) {
        Some(close) => format!("did you mean `{close}`?"),
        None => {
            let names: Vec<&str> = names.collect();
            format!(
                "there are {}; for files, give `train = \"…\"`",
                names.join(", ")
            )
        }
    };
    DataError::setting("name", format!("no dataset is called `{name}`; {advice}"))
}

impl NamedSet {
    /// The folder in which all files of the set are, if there is one: `folder`'s own for the set
    /// first. Nothing for embedded sets, which need none.
    pub fn place(&self, folder: Option<&Path>) -> Option<PathBuf> {
        let Origin::Files {
            files, installed, ..
        } = self.origin
        else {
            return None;
        };
        let own = folder.map(|folder| folder.join(self.name));
        let places = own.into_iter().chain(installed.iter().map(PathBuf::from));
        let whole = |place: &PathBuf| files.iter().all(|file| place.join(file.name).is_file());
        places.into_iter().find(whole)
    }

    fn nowhere(&self, folder: Option<&Path>) -> DataError {
        let name = self.name;
        let sought = match folder {
            Some(folder) => format!("{} or the system's folders", folder.join(name).display()),
            None => "the system's folders".to_owned(),
        };
        let advice = format!("`strata data fetch {name}` downloads it");
        DataError::setting(
            "name",
            format!("the files of `{name}` are not in {sought}; {advice}"),
        )
    }
}

impl NamedFile {
    /// Compares a file's SHA-256 with what it should be.
    pub(super) fn verify(&self, folder: &Path) -> Result<(), DataError> {
        let path = folder.join(self.name);
        let found = sha256(&path).map_err(|error| input::read_error(&path, error))?;
        if self.sha256.contains(&found.as_str()) {
            return Ok(());
        }
        let problem = format!(
            "its SHA-256 is {found} instead of {}; delete it and fetch it again",
            self.sha256[0]
        );
        Err(DataError::format(&path.display().to_string(), problem))
    }
}

fn sha256(path: &Path) -> io::Result<String> {
    struct Sink(Sha256);
    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.update(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut sink = Sink(Sha256::new());
    io::copy(&mut File::open(path)?, &mut sink)?;
    Ok(hexadecimal(sink.0))
}

impl EmbeddedTable {
    fn load(&self, name: &str) -> Result<Dataset, DataError> {
        let label = self.label.map(|label| Column::Name(label.to_owned()));
        let options = CsvOptions {
            label: label.map(Columns::One),
            task: self.task,
            ..CsvOptions::default()
        };
        let read = |bytes, training: Option<&Table>| {
            csv::read(GzDecoder::new(bytes), name, &options, training)
        };
        let training = read(self.train, None)?;
        let test = self.test.map(|test| read(test, Some(&training)));
        let test = test.transpose()?;
        let form = match self.shape {
            Some(shape) => Form::Ready(declared_shape(shape)?),
            None => training.form(test.as_ref()),
        };
        let task = training.task()?;
        let test = test.map(|table| table.examples(&task)).transpose()?;
        Dataset::new(name, form, task.clone(), training.examples(&task)?, test)
    }
}

#[cfg(test)]
mod tests;
