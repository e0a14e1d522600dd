//! Tables as text: one row an example, one column the label.

use super::classes::whole_number;
use super::error::excerpt;
use super::{Classes, DataError, MAX_CLASSES, MAX_VALUES, Place};
use crate::diagnostics::closest_name;
use ::csv::{ByteRecord, ReaderBuilder, Terminator};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;
use std::path::Path;

/// The most columns that a table may have.
const MAX_COLUMNS: usize = 1 << 20;

/// How a table is written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CsvOptions {
    /// What stands between two cells.
    pub delimiter: u8,
    /// Whether the first row names the columns. If not said, it does when none of its cells is a
    /// number.
    pub header: Option<bool>,
    /// The column of the labels. If not said, it is the one called `label` in a table with a
    /// header, and the first one in a table without.
    pub label: Option<Column>,
}

impl Default for CsvOptions {
    fn default() -> Self {
        Self {
            delimiter: b',',
            header: None,
            label: None,
        }
    }
}

/// A column of a table, by its name or by its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Column {
    /// The name in the header.
    Name(String),
    /// The number, counted from 1 as messages do.
    Number(usize),
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Number(number) => write!(f, "{number}"),
        }
    }
}

/// A name as a string, a number as an integer: `label = "species"`, `label = 1`.
impl Serialize for Column {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Name(name) => serializer.serialize_str(name),
            Self::Number(number) => serializer.serialize_u64(*number as u64),
        }
    }
}

impl<'de> Deserialize<'de> for Column {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ColumnVisitor)
    }
}

struct ColumnVisitor;

impl de::Visitor<'_> for ColumnVisitor {
    type Value = Column;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a column's name, or its number counted from 1")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Column, E> {
        Ok(Column::Name(name.to_owned()))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Column, E> {
        usize::try_from(number)
            .map(Column::Number)
            .map_err(E::custom)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Column, E> {
        usize::try_from(number)
            .map(Column::Number)
            .map_err(|_| E::invalid_value(de::Unexpected::Signed(number), &self))
    }
}

/// A table as it was read: features as numbers, labels still as text.
#[derive(Debug)]
pub(super) struct Table {
    /// Names of the feature columns, if the table has a header.
    pub names: Option<Vec<String>>,
    /// The number of feature columns.
    pub features: usize,
    /// One row after the other.
    pub inputs: Vec<f32>,
    labels: RawLabels,
    file: String,
}

/// Each row's label as an index into the distinct texts, each with the place of its first use.
#[derive(Debug, Default)]
struct RawLabels {
    rows: Vec<u32>,
    texts: Vec<(String, Place)>,
    known: BTreeMap<String, u32>,
}

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

/// The index of the label column, or what was looked for and advice.
fn label_column(
    asked: Option<&Column>,
    names: Option<&[String]>,
    columns: usize,
) -> Result<usize, (String, String)> {
    match (asked, names) {
        (None, None) => Ok(0),
        (None, Some(names)) => find_name("label", names).map_err(|advice| {
            (
                "label".to_owned(),
                format!("{advice}; say which holds the labels: `label = \"…\"`"),
            )
        }),
        (Some(Column::Name(name)), Some(names)) => {
            find_name(name, names).map_err(|advice| (name.clone(), advice))
        }
        (Some(Column::Name(name)), None) => Err((
            name.clone(),
            "the table has no header; give the column's number, counted from 1".to_owned(),
        )),
        (Some(&Column::Number(number)), _) if (1..=columns).contains(&number) => Ok(number - 1),
        (Some(Column::Number(number)), _) => Err((
            number.to_string(),
            format!("columns are counted from 1 to {columns}"),
        )),
    }
}

fn find_name(wanted: &str, names: &[String]) -> Result<usize, String> {
    const SHOWN: usize = 12;
    if let Some(index) = names.iter().position(|name| name == wanted) {
        return Ok(index);
    }
    if let Some(close) = closest_name(wanted, names.iter().map(String::as_str)) {
        return Err(format!("did you mean `{}`?", excerpt(close.as_bytes())));
    }
    let shown = names
        .iter()
        .take(SHOWN)
        .map(|name| excerpt(name.as_bytes()));
    let list = shown.collect::<Vec<_>>().join(", ");
    let rest = if names.len() > SHOWN { ", …" } else { "" };
    Err(format!("it has {list}{rest}"))
}

fn is_number(cell: &[u8]) -> bool {
    std::str::from_utf8(cell).is_ok_and(|text| text.parse::<f64>().is_ok())
}

impl RawLabels {
    fn add(&mut self, cell: &[u8], place: impl FnOnce() -> Place) -> Result<(), DataError> {
        let text = match std::str::from_utf8(cell) {
            Ok("") => {
                return Err(label_error(
                    place(),
                    "",
                    "is empty; fill the gap or drop the row",
                ));
            }
            Ok(text) => text,
            Err(_) => {
                return Err(label_error(place(), &excerpt(cell), "is not text in UTF-8"));
            }
        };
        let id = if let Some(&id) = self.known.get(text) {
            id
        } else {
            let id = self.texts.len() as u32;
            self.known.insert(text.to_owned(), id);
            self.texts.push((text.to_owned(), place()));
            id
        };
        self.rows.push(id);
        Ok(())
    }
}

fn label_error(place: Place, label: &str, problem: impl Into<String>) -> DataError {
    DataError::Label {
        place,
        label: excerpt(label.as_bytes()),
        problem: problem.into(),
    }
}

impl Table {
    fn empty(file: &str) -> Self {
        let labels = RawLabels::default();
        Self {
            names: None,
            features: 0,
            inputs: Vec::new(),
            labels,
            file: file.to_owned(),
        }
    }

    /// The classes that occur in this table.
    ///
    /// # Errors
    /// When the labels are measurements rather than classes, all the same, or too many.
    pub fn classes(&self) -> Result<Classes, DataError> {
        let texts = &self.labels.texts;
        let fraction = texts.iter().find(|(text, _)| whole_number(text).is_none());
        if let Some((text, place)) = fraction
            && texts.iter().all(|(text, _)| is_number(text.as_bytes()))
        {
            let problem = "is not a whole number; regression is not supported: round the targets \
                           or sort them into classes";
            return Err(label_error(place.clone(), text, problem));
        }
        let classes = Classes::from_labels(texts.iter().map(|(text, _)| text.as_str()));
        match classes.names() {
            [label] => Err(DataError::OneClass {
                file: self.file.clone(),
                label: excerpt(label.as_bytes()),
            }),
            names if names.len() > MAX_CLASSES => Err(DataError::too_large(
                &self.file,
                "classes",
                names.len(),
                MAX_CLASSES,
            )),
            _ => Ok(classes),
        }
    }

    /// Each row's class among `classes`.
    ///
    /// # Errors
    /// When a label is none of them.
    pub fn labels(&self, classes: &Classes) -> Result<Vec<u32>, DataError> {
        let class_of = |(text, place): &(String, Place)| {
            classes.index(text).ok_or_else(|| {
                let advice = classes.advice(text);
                label_error(
                    place.clone(),
                    text,
                    format!("is not in the training file; {advice}"),
                )
            })
        };
        let known: Vec<u32> = self
            .labels
            .texts
            .iter()
            .map(class_of)
            .collect::<Result<_, _>>()?;
        Ok(self
            .labels
            .rows
            .iter()
            .map(|&id| known[id as usize])
            .collect())
    }

    /// Checks that this table has the feature columns of `training`.
    ///
    /// # Errors
    /// When their number differs, or their names where both tables have them.
    pub fn check_columns(&self, training: &Self) -> Result<(), DataError> {
        let error = |difference| {
            Err(DataError::ColumnsDiffer {
                file: self.file.clone(),
                difference,
            })
        };
        if self.features != training.features {
            let (here, there) = (self.features, training.features);
            return error(format!("{here} feature columns instead of {there}"));
        }
        let (Some(here), Some(there)) = (&self.names, &training.names) else {
            return Ok(());
        };
        match here.iter().zip(there).find(|(here, there)| here != there) {
            Some((here, there)) => {
                let (here, there) = (excerpt(here.as_bytes()), excerpt(there.as_bytes()));
                error(format!("`{here}` stands where `{there}` stood"))
            }
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
