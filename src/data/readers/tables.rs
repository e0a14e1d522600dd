//! CSV and TSV: rows of cells.

use super::{Files, FormatInfo, Reader};
use crate::data::csv::{self, CsvOptions, Reading, Table};
use crate::data::{DataError, Dataset, Form};
use std::path::Path;

/// The settings of tables.
pub(super) const SETTINGS: &[&str] = &[
    "header",
    "label",
    "task",
    "categorical",
    "ignore",
    "missing",
    "shape",
];

/// Cells between commas.
pub(super) struct Csv;

/// Cells between tabs.
pub(super) struct Tsv;

impl Reader for Csv {
    fn describe(&self) -> &'static FormatInfo {
        &FormatInfo {
            name: "csv",
            endings: &["csv"],
            about: "cells between commas: numbers, categories and gaps, with a column of targets",
            settings: SETTINGS,
        }
    }

    fn read(&self, files: &Files<'_>) -> Result<Dataset, DataError> {
        tables(files, b',')
    }
}

impl Reader for Tsv {
    fn describe(&self) -> &'static FormatInfo {
        &FormatInfo {
            name: "tsv",
            endings: &["tsv", "tab"],
            about: "cells between tabs, as `csv`",
            settings: SETTINGS,
        }
    }

    fn read(&self, files: &Files<'_>) -> Result<Dataset, DataError> {
        tables(files, b'\t')
    }
}

fn tables(files: &Files<'_>, delimiter: u8) -> Result<Dataset, DataError> {
    let options = options(files, delimiter);
    dataset(files, |path: &Path, reading: Reading<'_>| {
        csv::read(files.open(path)?, &files.name(path), &options, reading)
    })
}

/// What the section says of a table.
pub(super) fn options(files: &Files<'_>, delimiter: u8) -> CsvOptions {
    let source = files.source;
    CsvOptions {
        delimiter,
        header: source.header,
        label: source.label.clone(),
        task: files.task(),
        categorical: source.categorical.clone().unwrap_or_default(),
        ignore: source.ignore.clone().unwrap_or_default(),
        missing: source.missing.unwrap_or_default(),
    }
}

/// The dataset of a training table, and of a test table that follows it.
pub(super) fn dataset(
    files: &Files<'_>,
    read: impl Fn(&Path, Reading<'_>) -> Result<Table, DataError>,
) -> Result<Dataset, DataError> {
    let training = read(files.train, Reading::Training)?;
    let test = match files.test() {
        Some(test) if files.asks => Some(read(test, Reading::Questions(&training))?),
        Some(test) => Some(read(test, Reading::Test(&training))?),
        None => None,
    };
    let form = match training.form(test.as_ref()) {
        Form::Ready(flat) => Form::Ready(files.shape(flat, &files.name(files.train))?),
        _ if files.source.shape.is_some() => {
            let problem = "has no meaning for a table with categories or gaps; remove it";
            return Err(DataError::setting("shape", problem));
        }
        form => form,
    };
    let task = training.task()?;
    let test = test.map(|table| table.examples(&task)).transpose()?;
    let examples = training.examples(&task)?;
    Dataset::new(files.stem(), form, task, examples, test)
}
