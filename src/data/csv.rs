//! Tables as text: one row an example, one column the label.

mod column;
mod table;

pub use column::{Column, CsvOptions};
pub(super) use table::Table;

use super::error::excerpt;
use super::{DataError, MAX_VALUES, Place};
use ::csv::{ByteRecord, ReaderBuilder, Terminator};
use column::label_column;
use std::io::Read;
use std::path::Path;
use table::is_number;

/// The most columns that a table may have.
const MAX_COLUMNS: usize = 1 << 20;

/// Reads a table from `reader`; `file` is its name in messages.
pub(super) fn read(
    reader: impl Read,
    file: &str,
    options: &CsvOptions,
) -> Result<Table, DataError> {
    // A carriage return stays in its cell, to be trimmed: the reader counts lines by `\n` only, and
    // only rows that all end in one can be placed.
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .terminator(Terminator::Any(b'\n'))
        .delimiter(options.delimiter)
        .from_reader(reader.chain(&b"\n"[..]));
    let mut rows = Rows {
        file,
        options,
        layout: None,
        table: Table::empty(file),
    };
    let mut record = ByteRecord::new();
    while reader
        .read_byte_record(&mut record)
        .map_err(|error| broken(file, error))?
    {
        if !is_blank(&record) {
            rows.add(&record, first_line(&record, reader.position().line()))?;
        }
    }
    if rows.table.labels.rows.is_empty() {
        return Err(DataError::Empty {
            file: file.to_owned(),
        });
    }
    Ok(rows.table)
}

fn is_blank(record: &ByteRecord) -> bool {
    record.len() == 1 && record[0].trim_ascii().is_empty()
}

/// The line that a row starts on, from the line that the next one starts on. The reader's own
/// record of it doesn't know of blank lines in between.
fn first_line(record: &ByteRecord, next: u64) -> u64 {
    let within = record
        .as_slice()
        .iter()
        .filter(|&&byte| byte == b'\n')
        .count() as u64;
    next.saturating_sub(1 + within).max(1)
}

fn broken(file: &str, error: ::csv::Error) -> DataError {
    super::input::read_error(Path::new(file), std::io::Error::from(error))
}

/// What the first row says about all of them.
struct Layout {
    columns: usize,
    label: usize,
    /// Names of all columns, the label's included.
    names: Option<Vec<String>>,
}

/// A table under construction.
struct Rows<'a> {
    file: &'a str,
    options: &'a CsvOptions,
    layout: Option<Layout>,
    table: Table,
}

impl Rows<'_> {
    fn add(&mut self, record: &ByteRecord, line: u64) -> Result<(), DataError> {
        if let Some(layout) = self.layout.take() {
            self.add_example(record, line, &layout)?;
            self.layout = Some(layout);
            return Ok(());
        }
        let layout = Layout::new(record, self.file, self.options)?;
        self.table.features = layout.columns - 1;
        self.table.names = layout.feature_names();
        if layout.names.is_none() {
            self.add_example(record, line, &layout)?;
        }
        self.layout = Some(layout);
        Ok(())
    }

    fn add_example(
        &mut self,
        record: &ByteRecord,
        line: u64,
        layout: &Layout,
    ) -> Result<(), DataError> {
        let place = |column: usize| Place {
            file: self.file.to_owned(),
            line,
            column: column + 1,
        };
        if record.len() != layout.columns {
            let place = place(record.len().min(layout.columns));
            let (expected, found) = (layout.columns, record.len());
            return Err(DataError::Ragged {
                place,
                expected,
                found,
            });
        }
        if self.table.inputs.len() + layout.columns > MAX_VALUES {
            let found = format!("more than {MAX_VALUES}");
            return Err(DataError::too_large(self.file, "values", found, MAX_VALUES));
        }
        for (column, cell) in cells(record).enumerate() {
            if column == layout.label {
                self.table.labels.add(cell, || place(column))?;
            } else {
                let number = number(cell).map_err(|problem| DataError::Cell {
                    place: place(column),
                    column: layout.name(column),
                    text: excerpt(cell),
                    problem,
                })?;
                self.table.inputs.push(number);
            }
        }
        Ok(())
    }
}

fn cells(record: &ByteRecord) -> impl Iterator<Item = &[u8]> {
    record.iter().map(<[u8]>::trim_ascii)
}

/// The value of a cell, or what is wrong with it.
fn number(cell: &[u8]) -> Result<f32, &'static str> {
    if cell.is_empty() {
        return Err("empty; fill the gap or drop the row");
    }
    let text = std::str::from_utf8(cell).map_err(|_| "not text in UTF-8")?;
    let number: f32 = text
        .parse()
        .map_err(|_| "not a number; drop the column or give its values numbers")?;
    if number.is_finite() {
        Ok(number)
    } else {
        Err("not finite in 32 bits; fill the gap or drop the row")
    }
}

impl Layout {
    fn new(first: &ByteRecord, file: &str, options: &CsvOptions) -> Result<Self, DataError> {
        let columns = first.len();
        if columns < 2 {
            return Err(DataError::NoFeatures {
                file: file.to_owned(),
            });
        }
        if columns > MAX_COLUMNS {
            return Err(DataError::too_large(file, "columns", columns, MAX_COLUMNS));
        }
        let header = options
            .header
            .unwrap_or_else(|| !cells(first).any(is_number));
        let names: Option<Vec<String>> = header.then(|| {
            cells(first)
                .map(|name| String::from_utf8_lossy(name).into_owned())
                .collect()
        });
        let label = label_column(options.label.as_ref(), names.as_deref(), columns);
        let label = label.map_err(|(column, advice)| DataError::MissingColumn {
            file: file.to_owned(),
            column,
            advice,
        })?;
        Ok(Self {
            columns,
            label,
            names,
        })
    }

    fn name(&self, column: usize) -> String {
        match &self.names {
            Some(names) => excerpt(names[column].as_bytes()),
            None => (column + 1).to_string(),
        }
    }

    fn feature_names(&self) -> Option<Vec<String>> {
        let mut names = self.names.clone()?;
        names.remove(self.label);
        Some(names)
    }
}

#[cfg(test)]
mod tests;
