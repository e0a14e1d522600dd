//! What can be wrong with data, each with where it is and what to do.

use std::fmt;
use std::path::PathBuf;

/// A place in a table: the file, its line and the column, both counted from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file as the experiment names it, or what stands in for one.
    pub file: String,
    /// The line in the file.
    pub line: u64,
    /// The column of the table (not the character).
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// Why data can't be used: a lower-case fragment that says what is wrong, where, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// The operating system, or the decompression, says no.
    #[error("can't read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },

    /// The operating system doesn't let a file be written.
    #[error("can't write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },

    /// A download that failed.
    #[error("can't fetch {url}: {problem}; fetch again, or put the files there by hand")]
    Fetch {
        /// The address.
        url: String,
        /// What went wrong.
        problem: String,
    },

    /// A table without a single example.
    #[error("{file}: no examples in it; a table needs at least one row of numbers")]
    Empty {
        /// The file.
        file: String,
    },

    /// A table whose rows have a single cell.
    #[error(
        "{file}: only one column; a table needs a label and at least one feature \
         (if other than commas stand between its cells, say `delimiter = \";\"` or the like)"
    )]
    NoFeatures {
        /// The file.
        file: String,
    },

    /// A row with more or fewer cells than the first one.
    #[error(
        "{place}: this row has {found} columns where the first has {expected}; \
         quote cells with commas in them, or say `delimiter = \";\"` if that stands between cells"
    )]
    Ragged {
        /// The first cell that is missing or too many.
        place: Place,
        /// Cells in the first row.
        expected: usize,
        /// Cells in this row.
        found: usize,
    },

    /// A cell in a feature column that is not a finite number.
    #[error("{place}: `{text}` in column `{column}` is {problem}")]
    Cell {
        /// The cell.
        place: Place,
        /// The column's name, or its number in a table without a header.
        column: String,
        /// What stands there, shortened.
        text: String,
        /// What is wrong with it and what to do.
        problem: &'static str,
    },

    /// A label that can't be one of a set of classes.
    #[error("{place}: label `{label}` {problem}")]
    Label {
        /// The cell, or the byte's position in an IDX file as its column.
        place: Place,
        /// The label as written, shortened.
        label: String,
        /// What is wrong with it and what to do.
        problem: String,
    },

    /// All examples have one label.
    #[error("{file}: every label is `{label}`; a classification needs at least two classes")]
    OneClass {
        /// The file.
        file: String,
        /// The only label.
        label: String,
    },

    /// The label column isn't there.
    #[error("{file}: no column `{column}`; {advice}")]
    MissingColumn {
        /// The file.
        file: String,
        /// What was asked for.
        column: String,
        /// The closest column that exists, or all of them.
        advice: String,
    },

    /// The test table's columns are not the training table's.
    #[error("{file}: its columns differ from the training file's: {difference}")]
    ColumnsDiffer {
        /// The test file.
        file: String,
        /// The first difference.
        difference: String,
    },

    /// More than this program is willing to hold.
    #[error("{file}: {found} {what} where at most {limit} are allowed; use a part of the data")]
    TooLarge {
        /// The file.
        file: String,
        /// What is counted.
        what: &'static str,
        /// How many the file has, or claims to have.
        found: String,
        /// How many are allowed.
        limit: usize,
    },

    /// More than this machine can hold.
    #[error(
        "{file}: it needs {needed} of memory to train on, and {available} are available; \
         use a part of the data"
    )]
    Memory {
        /// The file.
        file: String,
        /// How much training on it needs.
        needed: String,
        /// How much there is.
        available: String,
    },

    /// Examples that don't have as many values as the declared shape.
    #[error("{file}: each example has {found} values, but `shape = {shape:?}` needs {}",
        shape.iter().product::<usize>())]
    ShapeMismatch {
        /// The file.
        file: String,
        /// The declared dimensions.
        shape: Vec<usize>,
        /// Values in an example of the file.
        found: usize,
    },

    /// A file that is not what its format asks for.
    #[error("{file}: {problem}")]
    Format {
        /// The file.
        file: String,
        /// What is wrong and what to do.
        problem: String,
    },

    /// As many labels as images is the least one can ask.
    #[error(
        "{images} holds {image_count} examples but {labels} holds {label_count} labels; \
         are they of the same set?"
    )]
    CountMismatch {
        /// The file of inputs.
        images: String,
        /// How many it holds.
        image_count: usize,
        /// The file of labels.
        labels: String,
        /// How many it holds.
        label_count: usize,
    },

    /// A setting under `[data]` that is wrong or doesn't go with the others.
    #[error("data.{key}: {problem}")]
    Setting {
        /// The setting.
        key: &'static str,
        /// What is wrong and what to do.
        problem: String,
    },

    /// A part that would have no examples, or a class that would have none to learn from.
    #[error("can't divide {dataset}: {problem}")]
    Split {
        /// The dataset.
        dataset: String,
        /// What is wrong and what to do.
        problem: String,
    },
}

impl DataError {
    pub(super) fn setting(key: &'static str, problem: impl Into<String>) -> Self {
        Self::Setting {
            key,
            problem: problem.into(),
        }
    }

    /// A file that is not what its format asks for, with what is wrong and what to do.
    pub(crate) fn format(file: &str, problem: impl Into<String>) -> Self {
        Self::Format {
            file: file.to_owned(),
            problem: problem.into(),
        }
    }

    pub(super) fn too_large(
        file: &str,
        what: &'static str,
        found: impl fmt::Display,
        limit: usize,
    ) -> Self {
        Self::TooLarge {
            file: file.to_owned(),
            what,
            found: found.to_string(),
            limit,
        }
    }
}

/// Foreign text, fit to stand in a message: short, and without control characters.
pub(super) fn excerpt(text: &[u8]) -> String {
    const LONGEST: usize = 40;
    let text = String::from_utf8_lossy(text);
    let mut short: String = text
        .chars()
        .take(LONGEST)
        .flat_map(char::escape_debug)
        .collect();
    if text.chars().nth(LONGEST).is_some() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_is_short_and_printable() {
        assert_eq!(excerpt(b"abc"), "abc");
        assert_eq!(excerpt(b"a\x1b[2J\n"), "a\\u{1b}[2J\\n");
        assert_eq!(excerpt(&[b'x'; 500]).chars().count(), 41);
        assert_eq!(excerpt(b"\xff"), "\u{fffd}");
    }
}
