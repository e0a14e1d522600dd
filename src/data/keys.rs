//! Columns by which rows are divided: groups and times, as they were read.

use super::DataError;
use super::error::excerpt;
use std::collections::BTreeMap;

/// A column of texts, with a number for each distinct one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct KeyColumn {
    /// The column's name, or its number.
    pub name: String,
    /// The number of each row's text.
    pub rows: Vec<u32>,
    /// The distinct texts in the order in which they came.
    pub texts: Vec<String>,
    /// The line on which each text came first, or the example's number where a file has no lines.
    lines: Vec<u64>,
    file: String,
    known: BTreeMap<String, u32>,
}

impl KeyColumn {
    /// A column called `name` of the file `file`, without rows yet.
    pub fn new(name: impl Into<String>, file: &str) -> Self {
        Self {
            name: name.into(),
            file: file.to_owned(),
            ..Self::default()
        }
    }

    /// Adds the next row's text.
    pub fn push(&mut self, text: &str, line: u64) {
        let next = self.texts.len() as u32;
        let key = match self.known.get(text) {
            Some(&key) => key,
            None => {
                self.known.insert(text.to_owned(), next);
                self.texts.push(text.to_owned());
                self.lines.push(line);
                next
            }
        };
        self.rows.push(key);
    }

    /// Adds the next row's text, which says something.
    ///
    /// # Errors
    /// When it is a gap.
    pub fn push_said(&mut self, text: &str, line: u64) -> Result<(), DataError> {
        if super::csv::is_gap(text.as_bytes()) {
            let problem = format!(
                "nothing stands in column `{}`, by which rows are divided; fill the gap or drop the row",
                excerpt(self.name.as_bytes())
            );
            return Err(DataError::format(&format!("{}:{line}", self.file), problem));
        }
        self.push(text, line);
        Ok(())
    }

    /// The first `count` rows.
    pub fn first(&self, count: usize) -> Self {
        Self {
            rows: self.rows[..count].to_vec(),
            ..self.clone()
        }
    }

    /// The error of a text that makes no sense as what the column is asked for.
    pub fn error(&self, key: usize, problem: &str) -> DataError {
        let place = format!("{}:{}", self.file, self.lines[key]);
        let (text, name) = (&self.texts[key], &self.name);
        let (text, name) = (excerpt(text.as_bytes()), excerpt(name.as_bytes()));
        DataError::format(&place, format!("`{text}` in column `{name}` {problem}"))
    }

    /// The number of rows of each text.
    pub fn counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.texts.len()];
        for &key in &self.rows {
            counts[key as usize] += 1;
        }
        counts
    }
}

/// Columns beside the inputs and targets of some examples.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct RowKeys {
    /// The group of each row, where rows are kept together.
    pub group: Option<KeyColumn>,
    /// The time of each row, where rows are divided by it.
    pub time: Option<KeyColumn>,
    /// Columns that are ignored: rows of one value may belong together all the same.
    pub ignored: Vec<KeyColumn>,
}

impl RowKeys {
    /// Those of the first `count` rows.
    pub fn first(&self, count: usize) -> Self {
        let shorter = |column: &KeyColumn| column.first(count);
        Self {
            group: self.group.as_ref().map(shorter),
            time: self.time.as_ref().map(shorter),
            ignored: self.ignored.iter().map(shorter).collect(),
        }
    }
}
