//! Rows to be asked about: their columns are found by what training knew of them.

use super::column::{CsvOptions, Missing, find_name};
use super::rows::{Next, cell_error, cells, check_length, is_gap, number, records};
use super::table::is_number;
use crate::data::encode::UNKNOWN;
use crate::data::error::excerpt;
use crate::data::{DataError, KnownColumn, MAX_VALUES, Place};
use ::csv::ByteRecord;
use std::collections::BTreeMap;
use std::io::Read;

/// What is known of the rows to be asked about.
#[derive(Clone, Copy, Debug)]
pub(in crate::data) struct Asking<'a> {
    /// The file's name in messages.
    pub file: &'a str,
    /// Whether the first row names the columns, if that is known.
    pub header: Option<bool>,
    /// Whether the columns of the training file had names.
    pub named: bool,
    /// The columns of the training file.
    pub columns: &'a [KnownColumn],
}

/// Reads the features of rows from text: numbers, numbers of categories, gaps (NaN). Columns that training did not
/// learn from are passed over, and need not be there.
///
/// # Errors
/// When a column is missing, or a cell is not what its column holds.
pub(in crate::data) fn ask(
    reader: impl Read,
    options: &CsvOptions,
    asking: Asking<'_>,
) -> Result<Vec<f32>, DataError> {
    asking.read(&mut records(reader, asking.file, options))
}

impl<'a> Asking<'a> {
    /// As [`ask`], from rows of any kind.
    pub fn read(self, next: &mut Next<'_>) -> Result<Vec<f32>, DataError> {
        let known = self.columns.iter().filter(|column| column.is_feature());
        let known: Vec<Known<'a>> = known.map(Known::of).collect();
        let mut record = ByteRecord::new();
        let mut out = Vec::new();
        let mut places: Option<Vec<usize>> = None;
        let mut width = 0;
        while let Some(line) = next(&mut record)? {
            if places.is_none() {
                let header = self.header(&record, &known);
                let found = match &header {
                    Some(names) if self.named => self.by_name(names, &known)?,
                    _ => self.by_number(record.len())?,
                };
                (places, width) = (Some(found), record.len());
                if header.is_some() {
                    continue;
                }
            }
            check_length(self.file, line, record.len(), width)?;
            if out.len() + known.len() > MAX_VALUES {
                let found = format!("more than {MAX_VALUES}");
                return Err(DataError::too_large(self.file, "values", found, MAX_VALUES));
            }
            let row: Vec<&[u8]> = cells(&record).collect();
            let places = places.as_deref().unwrap_or_default();
            for (known, &column) in known.iter().zip(places) {
                out.push(known.code(row[column]).map_err(|problem| {
                    let place = Place {
                        file: self.file.to_owned(),
                        line,
                        column: column + 1,
                    };
                    cell_error(place, known.column.name(), row[column], problem)
                })?);
            }
        }
        if out.is_empty() {
            let file = self.file.to_owned();
            return Err(DataError::Empty { file });
        }
        Ok(out)
    }

    /// The names of the columns, if the first row holds them.
    fn header(&self, first: &ByteRecord, known: &[Known<'_>]) -> Option<Vec<String>> {
        let text = |cell: &[u8]| String::from_utf8_lossy(cell).into_owned();
        let names: Vec<String> = cells(first).map(text).collect();
        let all_are_there = || {
            known
                .iter()
                .all(|known| names.contains(known.column.name()))
        };
        let is_header = self
            .header
            .unwrap_or_else(|| !cells(first).any(is_number) || (self.named && all_are_there()));
        is_header.then_some(names)
    }

    /// Where each feature stands, by its name.
    fn by_name(&self, names: &[String], known: &[Known<'_>]) -> Result<Vec<usize>, DataError> {
        let mut free: Vec<bool> = vec![true; names.len()];
        let find = |known: &Known<'_>| {
            let name = known.column.name();
            let mut columns = names.iter().zip(&free);
            // Of columns that share a name, each stands for one of training's.
            let found = columns.position(|(found, &free)| free && found == name);
            if let Some(column) = found {
                free[column] = false;
                return Ok(column);
            }
            let advice = find_name(name, names).err().unwrap_or_default();
            let shown = excerpt(name.as_bytes());
            let difference = format!("no column is called `{shown}`; {advice}");
            Err(self.differs(difference))
        };
        known.iter().map(find).collect()
    }

    /// Where each feature stands, by its number: with all columns there, without the targets, or alone.
    fn by_number(&self, columns: usize) -> Result<Vec<usize>, DataError> {
        let all = self.columns.len();
        let without = all - self.columns.iter().filter(|c| c.is_target()).count();
        let alone = self.columns.iter().filter(|c| c.is_feature()).count();
        let is_there = |column: &&KnownColumn| match columns {
            count if count == all => true,
            count if count == without => !column.is_target(),
            _ => column.is_feature(),
        };
        if [all, without, alone].contains(&columns) {
            let there = self.columns.iter().filter(is_there).enumerate();
            let features = there.filter(|(_, column)| column.is_feature());
            return Ok(features.map(|(number, _)| number).collect());
        }
        let or_alone = match alone == without {
            true => String::new(),
            false => format!(", or {alone} of features alone"),
        };
        let difference =
            format!("{columns} columns instead of {all}, or {without} without targets{or_alone}");
        Err(self.differs(difference))
    }

    fn differs(&self, difference: String) -> DataError {
        let file = self.file.to_owned();
        DataError::ColumnsDiffer { file, difference }
    }
}

/// A feature column with what finds a category's number.
struct Known<'a> {
    column: &'a KnownColumn,
    categories: BTreeMap<&'a [u8], f32>,
}

impl<'a> Known<'a> {
    fn of(column: &'a KnownColumn) -> Self {
        let numbered = column.categories().iter().enumerate();
        let categories = numbered.map(|(number, name)| (name.as_bytes(), number as f32));
        Self {
            categories: categories.collect(),
            column,
        }
    }

    fn code(&self, cell: &[u8]) -> Result<f32, &'static str> {
        if is_gap(cell) {
            return match self.column.takes_gaps() {
                true => Ok(f32::NAN),
                false => Err("a gap, and nothing can stand in for one here; fill it"),
            };
        }
        match self.column {
            KnownColumn::Number { .. } => number(cell, Missing::Impute),
            _ => Ok(self.categories.get(cell).copied().unwrap_or(UNKNOWN)),
        }
    }
}
