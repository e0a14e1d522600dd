//! Files of new examples: read as the training file was, without it.

use super::dataset::Inputs;
use super::preprocessing::FileForm;
use super::{DataError, Format, KnownColumn, Preprocessing, input};
use crate::layers::Shape;
use std::io::Read;
use std::path::Path;

/// Formats of tables with columns.
const TABLES: &[&str] = &["csv", "tsv", "parquet"];

/// Formats that hold the same in other words, so that one may be asked in place of another.
const ALIKE: [&[&str]; 3] = [TABLES, &["text", "jsonl"], &["npy", "npz"]];

/// Formats that have no ending of their own: their files are called as tables are.
const UNCALLED: [&str; 2] = ["text", "ucr"];

/// A file of examples to be asked about, and what is known of its like.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Where it is.
    pub(in crate::data) path: &'a Path,
    known: &'a Preprocessing,
}

impl<'a> Asked<'a> {
    /// Its name in messages.
    pub(super) fn name(&self) -> String {
        self.path.display().to_string()
    }

    /// Its bytes, unpacked.
    pub(super) fn open(&self) -> Result<Box<dyn Read>, DataError> {
        input::open(self.path)
    }

    /// How the training file was read.
    pub(super) fn file(&self) -> &'a FileForm {
        &self.known.file
    }

    /// The columns of the training table.
    pub(super) fn columns(&self) -> &'a [KnownColumn] {
        &self.known.columns
    }

    /// The shape of an example once it is encoded.
    pub(super) fn input(&self) -> Shape {
        self.known.input
    }

    /// Refuses examples that are unlike those of training.
    pub(super) fn refuse_unlike(&self, what: &str, found: &[usize]) -> Result<(), DataError> {
        match &self.file().array {
            Some(known) if known != found => Err(DataError::ColumnsDiffer {
                file: self.name(),
                difference: format!("{what} of {found:?} instead of {known:?}"),
            }),
            _ => Ok(()),
        }
    }
}

/// Examples to be asked about, as they were read.
pub struct Questions {
    /// What is known of them.
    pub(in crate::data) inputs: Inputs,
    /// The file of each, where each has one.
    pub(in crate::data) files: Vec<String>,
}

/// Without the values, which would fill a terminal.
impl std::fmt::Debug for Questions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Questions").finish_non_exhaustive()
    }
}

impl From<Vec<f32>> for Questions {
    fn from(values: Vec<f32>) -> Self {
        let files = Vec::new();
        Self {
            inputs: Inputs::Values(values),
            files,
        }
    }
}

/// Whether a format's files are tables.
pub(super) fn is_table(format: &str) -> bool {
    TABLES.contains(&format)
}

/// Reads a file of new examples.
pub(super) fn read(known: &Preprocessing, path: &Path) -> Result<Questions, DataError> {
    let format = format(known, path)?;
    format.reader().questions(&Asked { path, known })
}

/// The format of a file: that of the training file, or one like it that the ending names.
pub(super) fn format(known: &Preprocessing, path: &Path) -> Result<Format, DataError> {
    let trained = known.file.format.ok_or_else(|| {
        let problem = "nothing says of which format it is: its network was trained on no file";
        DataError::format(&path.display().to_string(), problem)
    })?;
    let Ok(named) = Format::of_ending(path) else {
        return Ok(trained);
    };
    let is_called_table = is_table(named.name()) && UNCALLED.contains(&trained.name());
    if named == trained || is_called_table {
        return Ok(trained);
    }
    let are_alike =
        |group: &&[&str]| group.contains(&named.name()) && group.contains(&trained.name());
    if ALIKE.iter().any(are_alike) {
        return Ok(named);
    }
    let problem = format!(
        "it is `{}`, and the network was trained on `{}`; convert it",
        named.name(),
        trained.name()
    );
    Err(DataError::format(&path.display().to_string(), problem))
}
