//! CSV and TSV: rows of cells.

use super::{Files, FormatInfo, Reader};
use crate::data::csv::{self, Asking, CsvOptions, Delimiter, Reading, Table};
use crate::data::{Asked, DataError, Dataset, Form, Questions};
use std::path::Path;

/// The settings of tables with columns of their own.
pub(super) const SETTINGS: &[&str] = &[
    "header",
    "label",
    "task",
    "categorical",
    "ignore",
    "missing",
    "shape",
    "split.group",
    "split.time",
];

/// The settings of tables between commas, or what stands for commas.
const CSV_SETTINGS: &[&str] = &[
    "delimiter",
    "decimal",
    "header",
    "label",
    "task",
    "categorical",
    "ignore",
    "missing",
    "shape",
    "split.group",
    "split.time",
];

/// The settings of tables between tabs.
const TSV_SETTINGS: &[&str] = CSV_SETTINGS.split_at(1).1;

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
            settings: CSV_SETTINGS,
        }
    }

    fn read(&self, files: &Files<'_>) -> Result<Dataset, DataError> {
        tables(files, files.source.delimiter.unwrap_or(Delimiter::COMMA))
    }

    fn questions(&self, asked: &Asked<'_>) -> Result<Questions, DataError> {
        let of_tabs = asked
            .file()
            .format
            .is_some_and(|format| format.name() == "tsv");
        let delimiter = asked.file().delimiter.filter(|_| !of_tabs);
        questions(asked, delimiter.unwrap_or(Delimiter::COMMA))
    }
}

impl Reader for Tsv {
    fn describe(&self) -> &'static FormatInfo {
        &FormatInfo {
            name: "tsv",
            endings: &["tsv", "tab"],
            about: "cells between tabs, as `csv`",
            settings: TSV_SETTINGS,
        }
    }

    fn read(&self, files: &Files<'_>) -> Result<Dataset, DataError> {
        tables(files, Delimiter::TAB)
    }

    fn questions(&self, asked: &Asked<'_>) -> Result<Questions, DataError> {
        questions(asked, Delimiter::TAB)
    }
}

fn tables(files: &Files<'_>, delimiter: Delimiter) -> Result<Dataset, DataError> {
    let options = options(files, delimiter);
    dataset(files, |path: &Path, reading: Reading<'_>| {
        csv::read(files.open(path)?, &files.name(path), &options, reading)
    })
}

fn questions(asked: &Asked<'_>, delimiter: Delimiter) -> Result<Questions, DataError> {
    let options = CsvOptions {
        delimiter,
        decimal: asked.file().decimal.unwrap_or_default(),
        ..CsvOptions::default()
    };
    let name = asked.name();
    Ok(csv::ask(asked.open()?, &options, asking(asked, &name))?.into())
}

/// What is known of a table's rows.
pub(super) fn asking<'a>(asked: &Asked<'a>, name: &'a str) -> Asking<'a> {
    Asking {
        file: name,
        header: asked.file().header,
        named: asked.file().named_columns,
        columns: asked.columns(),
    }
}

/// What the section says of a table.
pub(super) fn options(files: &Files<'_>, delimiter: Delimiter) -> CsvOptions {
    let source = files.source;
    let split = source.split_columns();
    CsvOptions {
        delimiter,
        decimal: source.decimal.unwrap_or_default(),
        header: source.header,
        label: source.label.clone(),
        task: files.task(),
        categorical: source.categorical.clone().unwrap_or_default(),
        ignore: source.ignore.clone().unwrap_or_default(),
        missing: source.missing.unwrap_or_default(),
        group: split.group,
        time: split.time,
        time_is_feature: split.feature.unwrap_or(false),
    }
}

/// The dataset of a training table, and of test and validation tables that follow it.
pub(super) fn dataset(
    files: &Files<'_>,
    read: impl Fn(&Path, Reading<'_>) -> Result<Table, DataError>,
) -> Result<Dataset, DataError> {
    let training = read(files.train, Reading::Training)?;
    let follow = |path: Option<&Path>| {
        let table = path.map(|path| read(path, Reading::Test(&training)));
        table.transpose()
    };
    let (test, validation) = (follow(files.test())?, follow(files.validation())?);
    let form = match training.form(test.iter().chain(&validation)) {
        Form::Ready(flat) => Form::Ready(files.shape(flat, &files.name(files.train))?),
        _ if files.source.shape.is_some() => {
            let problem = "has no meaning for a table with categories or gaps; remove it";
            return Err(DataError::setting("shape", problem));
        }
        form => form,
    };
    let (task, layout) = (training.task()?, training.layout());
    let followers = |table: Option<Table>| table.map(|table| table.examples(&task)).transpose();
    let (test, validation) = (followers(test)?, followers(validation)?);
    let examples = training.examples(&task)?;
    let dataset = Dataset::new(files.stem(), form, task, examples, test)?;
    Ok(dataset.validated_by(validation)?.of_table(layout))
}
