//! Reading a table row by row.

use super::column::{Column, CsvOptions, Decimal, Missing, column_index};
use super::table::{Builder, Table, is_number};
use crate::data::error::excerpt;
use crate::data::{DataError, MAX_VALUES, Place, input};
use ::csv::{ByteRecord, ReaderBuilder, Terminator};
use std::io::Read;
use std::path::Path;

/// The most columns that a table may have.
const MAX_COLUMNS: usize = 1 << 20;

/// What a table is read as.
#[derive(Clone, Copy, Debug)]
pub(in crate::data) enum Reading<'a> {
    /// The training table: it decides which columns and categories there are.
    Training,
    /// A test table, whose columns and categories are those of the training table.
    Test(&'a Table),
}

/// Gives rows of cells: fills in the next one and says its line, until there is none.
pub(in crate::data) type Next<'a> =
    dyn FnMut(&mut ByteRecord) -> Result<Option<u64>, DataError> + 'a;

/// Reads a table from `reader`; `file` is its name in messages.
pub(in crate::data) fn read(
    reader: impl Read,
    file: &str,
    options: &CsvOptions,
    reading: Reading<'_>,
) -> Result<Table, DataError> {
    read_records(file, options, reading, &mut records(reader, file, options))
}

/// The rows of a table that is text.
pub(super) fn records(
    reader: impl Read,
    file: &str,
    options: &CsvOptions,
) -> impl FnMut(&mut ByteRecord) -> Result<Option<u64>, DataError> {
    // A carriage return stays in its cell, to be trimmed: the reader counts lines by `\n` only, and
    // only rows that all end in one can be placed.
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .terminator(Terminator::Any(b'\n'))
        .delimiter(options.delimiter.byte())
        .from_reader(reader.chain(&b"\n"[..]));
    let decimal = options.decimal;
    move |record| {
        while reader
            .read_byte_record(record)
            .map_err(|error| broken(file, error))?
        {
            if !is_blank(record) {
                let line = first_line(record, reader.position().line());
                if decimal == Decimal::Comma {
                    put_points(record, file, line)?;
                }
                return Ok(Some(line));
            }
        }
        Ok(None)
    }
}

/// Writes a row's numbers with points.
fn put_points(record: &mut ByteRecord, file: &str, line: u64) -> Result<(), DataError> {
    if !record
        .iter()
        .any(|cell| cell.contains(&b',') || cell.contains(&b'.'))
    {
        return Ok(());
    }
    let mut written = ByteRecord::new();
    for (column, cell) in cells(record).enumerate() {
        if cell.contains(&b'.') && is_number(cell) {
            let place = Place {
                file: file.to_owned(),
                line,
                column: column + 1,
            };
            let problem = "a number with a point, where `decimal = \",\"` has a comma stand for it; \
                           write thousands without points";
            return Err(cell_error(place, &(column + 1).to_string(), cell, problem));
        }
        let pointed: Vec<u8> = cell
            .iter()
            .map(|&b| if b == b',' { b'.' } else { b })
            .collect();
        let is_one = is_number(&pointed);
        written.push_field(if is_one { &pointed } else { cell });
    }
    *record = written;
    Ok(())
}

/// Reads a table from rows of cells.
pub(in crate::data) fn read_records(
    file: &str,
    options: &CsvOptions,
    reading: Reading<'_>,
    next: &mut Next<'_>,
) -> Result<Table, DataError> {
    let mut rows = Rows {
        file,
        options,
        reading,
        layout: None,
        table: None,
    };
    let mut record = ByteRecord::new();
    while let Some(line) = next(&mut record)? {
        rows.add(&record, line)?;
    }
    match rows.table.filter(|table| !table.is_empty()) {
        Some(table) => table.finish(matches!(reading, Reading::Training)),
        None => Err(DataError::Empty {
            file: file.to_owned(),
        }),
    }
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
    input::read_error(Path::new(file), std::io::Error::from(error))
}

/// What a column of the file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::data) enum Role {
    Feature,
    Target,
    Ignored,
}

/// What the first row says about all of them.
struct Layout {
    roles: Vec<Role>,
    has_header: bool,
}

/// A table under construction.
struct Rows<'a> {
    file: &'a str,
    options: &'a CsvOptions,
    reading: Reading<'a>,
    layout: Option<Layout>,
    table: Option<Builder>,
}

impl Rows<'_> {
    fn add(&mut self, record: &ByteRecord, line: u64) -> Result<(), DataError> {
        if self.layout.is_none() {
            self.begin(record)?;
            if self.layout.as_ref().is_some_and(|layout| layout.has_header) {
                return Ok(());
            }
        }
        let (Some(layout), Some(table)) = (&self.layout, &mut self.table) else {
            unreachable!("the first row has given both");
        };
        check_length(self.file, line, record.len(), layout.roles.len())?;
        if table.values() + layout.roles.len() > MAX_VALUES {
            let found = format!("more than {MAX_VALUES}");
            return Err(DataError::too_large(self.file, "values", found, MAX_VALUES));
        }
        for (column, (cell, role)) in cells(record).zip(&layout.roles).enumerate() {
            let place = || Place {
                file: self.file.to_owned(),
                line,
                column: column + 1,
            };
            match role {
                Role::Target => table.add_target(column, cell, place)?,
                Role::Feature => table.add_feature(column, cell, place)?,
                Role::Ignored => {}
            }
        }
        table.add_keys(record, line)?;
        table.end_row();
        Ok(())
    }

    /// Learns from the first row what there is.
    fn begin(&mut self, first: &ByteRecord) -> Result<(), DataError> {
        let columns = first.len();
        if columns > MAX_COLUMNS {
            let error = DataError::too_large(self.file, "columns", columns, MAX_COLUMNS);
            return Err(error);
        }
        let header = self.options.header;
        let has_header = header.unwrap_or_else(|| !cells(first).any(is_number));
        let names: Option<Vec<String>> = has_header.then(|| {
            let name = |name: &[u8]| String::from_utf8_lossy(name).into_owned();
            cells(first).map(name).collect()
        });
        let no_features = || DataError::NoFeatures {
            file: self.file.to_owned(),
        };
        if columns < 2 {
            return Err(no_features());
        }
        let find = |column| {
            let found = column_index(column, names.as_deref(), columns);
            found.map_err(|(column, advice)| DataError::MissingColumn {
                file: self.file.to_owned(),
                column,
                advice,
            })
        };
        let mut roles = vec![Role::Feature; columns];
        for column in &self.options.ignore {
            roles[find(Some(column))?] = Role::Ignored;
        }
        let mut targets = Vec::new();
        match &self.options.label {
            None => targets.push(find(None)?),
            Some(label) => {
                for column in label.iter() {
                    targets.push(find(Some(column))?);
                }
            }
        }
        // What is ignored says whether rows belong together, which only rows to be divided are asked.
        let watched = match self.reading {
            Reading::Training => &self.options.ignore[..],
            Reading::Test(_) => &[],
        };
        let ignored = watched.iter().map(|column| find(Some(column)));
        let ignored: Vec<usize> = ignored.collect::<Result<_, _>>()?;
        let [group, time] = [
            ("split.group", &self.options.group),
            ("split.time", &self.options.time),
        ]
        .map(|(key, column)| {
            self.key_column(key, column.as_ref(), &targets, names.as_deref(), columns)
        });
        let (group, time) = (group?, time?);
        for key in group
            .into_iter()
            .chain(time.filter(|_| !self.options.time_is_feature))
        {
            roles[key] = Role::Ignored;
        }
        for &target in &targets {
            roles[target] = Role::Target;
        }
        if !roles.contains(&Role::Feature) {
            return Err(no_features());
        }
        let categorical = self.options.categorical.iter();
        let categorical = categorical.map(|column| find(Some(column)));
        let categorical: Vec<usize> = categorical.collect::<Result<_, _>>()?;
        let mut table = Builder::new(self.file, self.options, names, &roles, &categorical);
        table.set_targets(&targets);
        table.set_keys(group, time, ignored);
        self.follow(table, roles, has_header)
    }

    /// The index of a column that rows are divided by. Rows that are not divided need not have it.
    fn key_column(
        &self,
        key: &'static str,
        column: Option<&Column>,
        targets: &[usize],
        names: Option<&[String]>,
        columns: usize,
    ) -> Result<Option<usize>, DataError> {
        let Some(column) = column else {
            return Ok(None);
        };
        match column_index(Some(column), names, columns) {
            Ok(index) if targets.contains(&index) => {
                let problem =
                    format!("column `{column}` holds the targets; rows are divided by another");
                Err(DataError::setting(key, problem))
            }
            Ok(index) => Ok(Some(index)),
            Err(_) if matches!(self.reading, Reading::Test(_)) && names.is_some() => Ok(None),
            Err((column, advice)) => Err(DataError::MissingColumn {
                file: self.file.to_owned(),
                column,
                advice,
            }),
        }
    }

    /// Keeps the columns, which are those of a training table if there is one.
    fn follow(
        &mut self,
        mut table: Builder,
        roles: Vec<Role>,
        has_header: bool,
    ) -> Result<(), DataError> {
        if let Reading::Test(training) = self.reading {
            table.follow(training)?;
        }
        (self.table, self.layout) = (Some(table), Some(Layout { roles, has_header }));
        Ok(())
    }
}

/// Refuses a row that is longer or shorter than the first.
pub(super) fn check_length(
    file: &str,
    line: u64,
    found: usize,
    expected: usize,
) -> Result<(), DataError> {
    if found == expected {
        return Ok(());
    }
    let column = found.min(expected) + 1;
    let file = file.to_owned();
    Err(DataError::Ragged {
        place: Place { file, line, column },
        expected,
        found,
    })
}

/// The cells of a row without blanks around them.
pub(super) fn cells(record: &ByteRecord) -> impl Iterator<Item = &[u8]> {
    record.iter().map(<[u8]>::trim_ascii)
}

/// Whether nothing stands in a cell, or a usual word for nothing.
pub(in crate::data) fn is_gap(cell: &[u8]) -> bool {
    const WORDS: [&[u8]; 6] = [b"", b"?", b"NA", b"N/A", b"null", b"NULL"];
    WORDS.contains(&cell)
}

/// The value of a cell that is no gap, or what is wrong with it.
pub(super) fn number(cell: &[u8], missing: Missing) -> Result<f32, &'static str> {
    if is_gap(cell) {
        return match missing {
            Missing::Impute => Ok(f32::NAN),
            Missing::Refuse => Err("a gap, and `missing = \"refuse\"` allows none"),
        };
    }
    let text = std::str::from_utf8(cell).map_err(|_| "not text in UTF-8")?;
    let number: f32 = text.parse().map_err(
        |_| "not a number; fix the cell, or name the column in `categorical` or `ignore`",
    )?;
    if number.is_finite() {
        Ok(number)
    } else {
        Err("not finite in 32 bits; leave the cell empty or drop the row")
    }
}

/// A cell's error.
pub(super) fn cell_error(
    place: Place,
    column: &str,
    cell: &[u8],
    problem: &'static str,
) -> DataError {
    DataError::Cell {
        place,
        column: excerpt(column.as_bytes()),
        text: excerpt(cell),
        problem,
    }
}
