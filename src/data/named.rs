//! Datasets with a name: part of the program, installed on the system, or fetched into a data folder.

mod fetch;
mod sets;

pub use fetch::fetch;
pub use sets::SETS;

use super::csv::{self, CsvOptions, Reading};
use super::dataset::hexadecimal;
use super::preprocessing::FileForm;
use super::readers::declared_shape;
use super::{
    Column, Columns, DataError, DataSource, Dataset, Form, Format, SplitColumns, TaskKind, input,
};
use crate::diagnostics::closest_name;
use flate2::read::GzDecoder;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, Read};
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
        /// Where they come from.
        home: Home,
        /// Their `[data]` section.
        section: &'static str,
    },
}

/// Where the files of a dataset come from.
#[derive(Clone, Copy, Debug)]
pub enum Home {
    /// The address that the files' names are added to.
    Address(&'static str),
    /// No address gives them as they are needed: what a person has to do. They are known by what they hold, however
    /// they are packed, and may also lie in the data folder itself.
    ByHand(&'static str),
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
    /// Its SHA-256 in hexadecimal, as its home has it, then as packages have it; of what it holds, where it has no
    /// address.
    pub sha256: &'static [&'static str],
}

/// The dataset called `name`.
pub fn find_named(name: &str) -> Option<&'static NamedSet> {
    SETS.iter().find(|set| set.name == name)
}

/// Settings that a named dataset of texts understands.
const TEXT_SETTINGS: &[&str] = &["tokens", "vocabulary", "length"];

/// Loads the dataset that `source` names, from the source's folder or the system where it is not part of the program.
///
/// # Errors
/// When there is none of that name, its files are nowhere, or they are not what they should be.
pub(super) fn load(source: &DataSource, name: &str) -> Result<Dataset, DataError> {
    let Some(set) = find_named(name) else {
        return Err(unknown(name));
    };
    let folder = source.folder.as_deref();
    let loaded = match set.origin {
        Origin::Embedded(table) => {
            source.refuse_settings("name", &["split.group", "split.time"])?;
            table.load(name, &source.split_columns())?
        }
        Origin::Files {
            files,
            section,
            home,
            ..
        } => {
            let section = overlaid(section, source)?;
            let place = set.place(folder).ok_or_else(|| set.nowhere(folder))?;
            for file in files {
                let path = place.join(file.name);
                match home {
                    Home::Address(_) => file.verify(&path)?,
                    Home::ByHand(_) => file.verify_content(&path)?,
                }
            }
            section.load(&place)?
        }
    };
    Ok(loaded.renamed(name))
}

/// A set's own section with what an experiment says about texts.
fn overlaid(section: &str, source: &DataSource) -> Result<DataSource, DataError> {
    let mut own: DataSource = toml::from_str(section).expect("a test reads every section");
    let is_text = own.format.is_some_and(|format| format.name() == "text");
    source.refuse_settings("name", if is_text { TEXT_SETTINGS } else { &[] })?;
    if is_text {
        (own.tokens, own.vocabulary, own.length) =
            (source.tokens, source.vocabulary, source.length);
    }
    Ok(own)
}

/// What `[data]` would say of the files of the set called `name`, with what an experiment says about texts; nothing of
/// one that is part of the program, whose columns say it all.
pub(super) fn section(source: &DataSource, name: &str) -> Result<DataSource, DataError> {
    match find_named(name).map(|set| set.origin) {
        None => Err(unknown(name)),
        Some(Origin::Embedded(_)) => Ok(DataSource::default()),
        Some(Origin::Files { section, .. }) => overlaid(section, source),
    }
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
            files,
            installed,
            home,
            ..
        } = self.origin
        else {
            return None;
        };
        let own = folder.map(|folder| folder.join(self.name));
        // Only files that a person has named are named so that no two sets have the same.
        let beside = folder.filter(|_| matches!(home, Home::ByHand(_)));
        let places = own.into_iter().chain(beside.map(Path::to_owned));
        let mut places = places.chain(installed.iter().map(PathBuf::from));
        let whole = |place: &PathBuf| files.iter().all(|file| place.join(file.name).is_file());
        places.find(whole)
    }

    fn nowhere(&self, folder: Option<&Path>) -> DataError {
        let name = self.name;
        if let (
            Origin::Files {
                home: Home::ByHand(_),
                ..
            },
            Some(folder),
        ) = (self.origin, folder)
        {
            return DataError::setting("name", self.by_hand(folder));
        }
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

    /// What a person has to do for the files of a set that can't be fetched.
    fn by_hand(&self, folder: &Path) -> String {
        let Origin::Files {
            files,
            home: Home::ByHand(advice),
            ..
        } = self.origin
        else {
            unreachable!("only sets without an address are brought by hand");
        };
        let names: Vec<&str> = files.iter().map(|file| file.name).collect();
        format!(
            "`{}` can't be fetched: put {} into {}; {advice}",
            self.name,
            names.join(" and "),
            folder.join(self.name).display()
        )
    }
}

impl NamedFile {
    /// Compares a file's SHA-256 with what it should be.
    pub(super) fn verify(&self, path: &Path) -> Result<(), DataError> {
        let found = File::open(path).and_then(sha256);
        self.compare(path, found.map_err(|error| input::read_error(path, error))?)
    }

    /// The same for what the file holds when it is unpacked.
    fn verify_content(&self, path: &Path) -> Result<(), DataError> {
        let found = sha256(input::open(path)?);
        self.compare(path, found.map_err(|error| input::read_error(path, error))?)
    }

    fn compare(&self, path: &Path, found: String) -> Result<(), DataError> {
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

fn sha256(mut from: impl Read) -> io::Result<String> {
    let mut hash = Sha256::new();
    io::copy(&mut from, &mut fetch::Hashing(&mut hash))?;
    Ok(hexadecimal(hash))
}

impl EmbeddedTable {
    fn load(&self, name: &str, split: &SplitColumns) -> Result<Dataset, DataError> {
        let label = self.label.map(|label| Column::Name(label.to_owned()));
        let options = CsvOptions {
            label: label.map(Columns::One),
            task: self.task,
            group: split.group.clone(),
            time: split.time.clone(),
            time_is_feature: split.feature.unwrap_or(false),
            ..CsvOptions::default()
        };
        let read =
            |bytes, reading: Reading<'_>| csv::read(GzDecoder::new(bytes), name, &options, reading);
        let training = read(self.train, Reading::Training)?;
        let test = self.test.map(|test| read(test, Reading::Test(&training)));
        let test = test.transpose()?;
        let form = match self.shape {
            Some(shape) => Form::Ready(declared_shape(shape)?),
            None => training.form(&test),
        };
        let (task, layout) = (training.task()?, training.layout());
        let test = test.map(|table| table.examples(&task)).transpose()?;
        let dataset = Dataset::new(name, form, task.clone(), training.examples(&task)?, test)?;
        let file = FileForm {
            format: Format::find("csv"),
            ..FileForm::default()
        };
        Ok(dataset.of_table(layout).read_as(file))
    }
}

#[cfg(test)]
mod tests;
