//! `strata data show`: what a dataset looks like to a space.

use super::DataDir;
use crate::cli::failure::Failure;
use crate::cli::numbers;
use crate::cli::table::{Side, Table};
use crate::cli::terminal::Terminal;
use crate::data::{
    Answers, Column, Columns, DataSource, Decimal, Delimiter, Division, Format, KnownColumn,
    PartSummary, Remark, SplitBy, Splits, TaskKind,
};
use crate::run::ExperimentFile;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};

/// How many categories or classes are shown.
const SHOWN: usize = 8;

/// Arguments of `strata data show`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// An experiment, a named dataset, or a file or folder of examples
    #[arg(value_name = "EXPERIMENT|NAME|FILE")]
    subject: String,
    /// The column of the targets, by its name or its number from 1
    #[arg(long, value_name = "COLUMN")]
    label: Option<String>,
    /// What is asked: classification, regression or multi_label
    #[arg(long, value_parser = word::<TaskKind>)]
    task: Option<TaskKind>,
    /// The format, where the ending does not say it
    #[arg(long, value_parser = word::<Format>)]
    format: Option<Format>,
    /// What stands between cells instead of a comma
    #[arg(long, value_name = "CHARACTER", value_parser = word::<Delimiter>)]
    delimiter: Option<Delimiter>,
    /// What stands before a number's fraction: . or ,
    #[arg(long, value_name = "CHARACTER", value_parser = word::<Decimal>)]
    decimal: Option<Decimal>,
    #[command(flatten)]
    datasets: DataDir,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// A setting as an experiment would write it between quotes.
fn word<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    let value = serde_json::Value::String(text.to_owned());
    serde_json::from_value(value).map_err(|error| error.to_string())
}

/// What there is to know.
#[derive(Serialize)]
struct Report {
    training: usize,
    validation: usize,
    test: usize,
    columns: Vec<Row>,
    /// The names of what is asked, with the number of examples where they are classes.
    answers: Vec<(String, Option<usize>)>,
    /// The division of the examples.
    division: PartTable,
    input: String,
    output: String,
    /// Notes and warnings on the division.
    #[serde(skip)]
    remarks: Vec<Remark>,
}

/// The parts of a division.
#[derive(Serialize)]
struct PartTable {
    by: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<String>,
    parts: Vec<PartRow>,
}

/// One part.
#[derive(Serialize)]
struct PartRow {
    part: &'static str,
    examples: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    groups: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    times: Option<[String; 2]>,
    /// The number of examples of each class, where examples have classes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    classes: Vec<(String, usize)>,
}

/// A column of a table.
#[derive(Serialize)]
struct Row {
    name: String,
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    values: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gaps: Option<usize>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    categories: Vec<String>,
    #[serde(skip)]
    note: String,
}

/// Reads and divides the data, and says what it is.
pub fn run(args: &Args, terminal: &mut Terminal) -> Result<(), Failure> {
    let report = report(args)?;
    for remark in &report.remarks {
        terminal.say(&remark.to_string());
    }
    if args.json {
        return terminal.json(&report);
    }
    let parts = [
        (report.training, "to train on"),
        (report.validation, "to validate on"),
        (report.test, "to test on"),
    ];
    let parts = parts.map(|(count, what)| format!("{} {what}", numbers::grouped(count as u64)));
    terminal.line(&format!("examples: {}", parts.join(", ")))?;
    if report.division.is_told() {
        terminal.line("")?;
        terminal.data(&report.division.render())?;
    }
    if !report.columns.is_empty() {
        terminal.line("")?;
        terminal.data(&columns(&report.columns))?;
    }
    terminal.line("")?;
    terminal.line(&answers(&report.answers))?;
    terminal.line("")?;
    terminal.line(&format!("input {}\noutput {}", report.input, report.output))
}

fn report(args: &Args) -> Result<Report, Failure> {
    let (source, base) = source(args)?;
    let dataset = source.load(&base)?;
    let gaps = dataset.gaps();
    let counts = dataset.class_counts();
    let splits = Splits::new(dataset, &source.plan()?)?;
    let known = splits.preprocessing();
    let mut gaps = gaps.into_iter();
    let row = |column: &KnownColumn| Row::of(column, &mut gaps);
    let names = known.answers().names().iter().enumerate();
    let named = names.map(|(at, name)| (name.clone(), counts.get(at).copied()));
    Ok(Report {
        training: splits.train.len(),
        validation: splits.validation.len(),
        test: splits.test.len(),
        columns: known.columns().iter().map(row).collect(),
        answers: named.collect(),
        division: PartTable::of(splits.division(), known.answers()),
        remarks: splits.remarks(),
        input: known.input().declaration(),
        output: match known.answers() {
            Answers::Classes { names } => format!("classes({})", names.len()),
            Answers::Labels { names } => format!("labels({})", names.len()),
            Answers::Numbers { names, .. } if names.len() == 1 => "regression".to_owned(),
            Answers::Numbers { names, .. } => format!("regression({})", names.len()),
        },
    })
}

/// The data that is meant, and what its paths are relative to.
fn source(args: &Args) -> Result<(DataSource, PathBuf), Failure> {
    let path = Path::new(&args.subject);
    let (mut source, base) = if path.extension().is_some_and(|ending| ending == "toml") {
        let file = ExperimentFile::read(path)?;
        (file.experiment.data, file.base)
    } else {
        (DataSource::called(&args.subject), PathBuf::new())
    };
    source.folder = Some(args.datasets.folder());
    let label = args.label.as_ref().map(|label| match label.parse() {
        Ok(number) => Columns::One(Column::Number(number)),
        Err(_) => Columns::One(Column::Name(label.clone())),
    });
    source.label = label.or(source.label);
    source.task = args.task.or(source.task);
    source.format = args.format.or(source.format);
    source.delimiter = args.delimiter.or(source.delimiter);
    source.decimal = args.decimal.or(source.decimal);
    Ok((source, base))
}

impl PartTable {
    fn of(division: Division, answers: &Answers) -> Self {
        let names = ["training", "validation", "test"].into_iter();
        let row = |(part, summary): (_, PartSummary)| PartRow {
            part,
            examples: summary.examples,
            groups: summary.groups,
            times: summary.times,
            classes: answers
                .names()
                .iter()
                .cloned()
                .zip(summary.classes)
                .collect(),
        };
        Self {
            by: match division.by {
                SplitBy::Random => "random",
                SplitBy::Group => "group",
                SplitBy::Time => "time",
                SplitBy::FileOrder => "file_order",
            },
            column: division.column,
            parts: names.zip(division.parts).map(row).collect(),
        }
    }

    /// True if it holds more than numbers of examples.
    fn is_told(&self) -> bool {
        let says_more = |row: &PartRow| row.times.is_some() || !row.classes.is_empty();
        self.by != "random" || self.parts.iter().any(says_more)
    }

    fn render(&self) -> String {
        let has_groups = self.parts.iter().any(|row| row.groups.is_some());
        let has_times = self.parts.iter().any(|row| row.times.is_some());
        let has_classes = self.parts.iter().any(|row| !row.classes.is_empty());
        let mut titles = vec![("part", Side::Left), ("examples", Side::Right)];
        if has_groups {
            titles.push(("groups", Side::Right));
        }
        if has_times {
            titles.extend([("from", Side::Left), ("to", Side::Left)]);
        }
        if has_classes {
            titles.push(("classes", Side::Left));
        }
        let mut table = Table::new(&titles);
        for row in &self.parts {
            let mut cells = vec![row.part.to_owned(), numbers::grouped(row.examples as u64)];
            if has_groups {
                cells.push(
                    row.groups
                        .map_or_else(String::new, |count| count.to_string()),
                );
            }
            if has_times {
                cells.extend(row.times.clone().unwrap_or_default());
            }
            if has_classes {
                let classes = row.classes.iter();
                let counts = classes
                    .map(|(name, count)| format!("{name} {}", numbers::grouped(*count as u64)));
                cells.push(listed(counts));
            }
            table.row(cells);
        }
        table.render()
    }
}

impl Row {
    fn of(column: &KnownColumn, gaps: &mut impl Iterator<Item = usize>) -> Self {
        let gaps = column.is_feature().then(|| gaps.next().unwrap_or(0));
        let (kind, note) = match column {
            KnownColumn::Number {
                marks_gaps: true, ..
            } => ("number", "the number, and 1 where it is missing".to_owned()),
            KnownColumn::Number { .. } => ("number", String::new()),
            KnownColumn::Category { categories, .. } => ("category", listed(categories.iter())),
            KnownColumn::Target { .. } => ("target", String::new()),
            KnownColumn::Ignored { .. } => ("ignored", String::new()),
        };
        Self {
            name: column.name().clone(),
            kind,
            values: column.is_feature().then(|| column.width()),
            gaps,
            categories: column.categories().to_vec(),
            note,
        }
    }
}

fn listed<T: AsRef<str>>(names: impl ExactSizeIterator<Item = T>) -> String {
    let more = names.len().saturating_sub(SHOWN);
    let shown: Vec<String> = names
        .take(SHOWN)
        .map(|name| name.as_ref().to_owned())
        .collect();
    match more {
        0 => shown.join(", "),
        more => format!("{}, … ({more} more)", shown.join(", ")),
    }
}

fn columns(rows: &[Row]) -> String {
    let mut table = Table::new(&[
        ("column", Side::Left),
        ("kind", Side::Left),
        ("values", Side::Right),
        ("gaps", Side::Right),
        ("of", Side::Left),
    ]);
    let number = |count: Option<usize>| count.map_or_else(String::new, |count| count.to_string());
    for row in rows {
        table.row([
            row.name.clone(),
            row.kind.to_owned(),
            number(row.values),
            number(row.gaps),
            row.note.clone(),
        ]);
    }
    table.render()
}

fn answers(named: &[(String, Option<usize>)]) -> String {
    let texts = named.iter().map(|(name, count)| match count {
        Some(count) => format!("{name} {}", numbers::grouped(*count as u64)),
        None => name.clone(),
    });
    let what = match named.first() {
        Some((_, Some(_))) => "classes",
        _ => "targets",
    };
    format!("{what}: {}", listed(texts))
}
