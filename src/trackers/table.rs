//! All trials of a run as a table: CSV and Parquet.

use super::error::TrackError;
use super::known::Known;
use crate::run::Outcome;
use crate::run::record::Proposal;
use crate::search::TrialId;
use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical};
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::Type;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Rows of trials under named columns.
#[derive(Clone, Debug, PartialEq)]
pub struct TrialTable {
    columns: Vec<(String, Column)>,
    rows: usize,
}

/// A column; what a trial does not have is nothing.
#[derive(Clone, Debug, PartialEq)]
enum Column {
    Whole(Vec<Option<i64>>),
    Number(Vec<Option<f64>>),
    Text(Vec<Option<String>>),
}

impl TrialTable {
    /// Every trial that was proposed: its figures, then `metric.NAME` and `decision.ADDRESS` for what some
    /// trial has.
    pub fn of(known: &mut Known) -> Self {
        let proposals: Vec<Proposal> = known.state.proposals.iter().cloned().collect();
        let mut columns = figures(known, &proposals);
        let rows = proposals.len();
        columns.extend(texts(known, &proposals));
        columns.extend(metrics(known));
        columns.extend(decisions(known, rows));
        Self { columns, rows }
    }

    /// The names of the columns.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|(name, _)| name.as_str())
    }

    /// The table as CSV, with a line of names.
    ///
    /// # Errors
    /// None that a table in memory has.
    pub fn csv(&self) -> Result<Vec<u8>, TrackError> {
        let fail = |error: &dyn std::fmt::Display| TrackError::Table(error.to_string());
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer
            .write_record(self.names())
            .map_err(|error| fail(&error))?;
        for row in 0..self.rows {
            let cells = self.columns.iter().map(|(_, column)| column.cell(row));
            writer.write_record(cells).map_err(|error| fail(&error))?;
        }
        writer.into_inner().map_err(|error| fail(&error))
    }

    /// The table as a Parquet file.
    ///
    /// # Errors
    /// When the library refuses it.
    pub fn parquet(&self) -> Result<Vec<u8>, TrackError> {
        self.parquet_bytes()
            .map_err(|error| TrackError::Table(error.to_string()))
    }

    fn parquet_bytes(&self) -> Result<Vec<u8>, ParquetError> {
        let fields: Result<Vec<_>, _> = self
            .columns
            .iter()
            .map(|(name, column)| column.field(name).map(Arc::new))
            .collect();
        let schema = Type::group_type_builder("trials")
            .with_fields(fields?)
            .build()?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by(format!("strata {}", env!("CARGO_PKG_VERSION")))
            .build();
        let mut writer =
            SerializedFileWriter::new(Vec::new(), Arc::new(schema), Arc::new(properties))?;
        let mut group = writer.next_row_group()?;
        for (_, column) in &self.columns {
            let Some(mut place) = group.next_column()? else {
                break;
            };
            column.write(&mut place)?;
            place.close()?;
        }
        group.close()?;
        writer.into_inner()
    }
}

impl Column {
    fn cell(&self, row: usize) -> String {
        let cell = match self {
            Self::Whole(cells) => cells[row].map(|cell| cell.to_string()),
            Self::Number(cells) => cells[row].map(|cell| cell.to_string()),
            Self::Text(cells) => cells[row].clone(),
        };
        cell.unwrap_or_default()
    }

    fn field(&self, name: &str) -> Result<Type, ParquetError> {
        let (physical, logical) = match self {
            Self::Whole(_) => (Physical::INT64, None),
            Self::Number(_) => (Physical::DOUBLE, None),
            Self::Text(_) => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        };
        Type::primitive_type_builder(name, physical)
            .with_repetition(Repetition::OPTIONAL)
            .with_logical_type(logical)
            .build()
    }

    fn write(&self, place: &mut SerializedColumnWriter<'_>) -> Result<usize, ParquetError> {
        match self {
            Self::Whole(cells) => {
                let (values, levels) = given(cells);
                place
                    .typed::<Int64Type>()
                    .write_batch(&values, Some(&levels), None)
            }
            Self::Number(cells) => {
                let (values, levels) = given(cells);
                place
                    .typed::<DoubleType>()
                    .write_batch(&values, Some(&levels), None)
            }
            Self::Text(cells) => {
                let (values, levels) = given(cells);
                let values: Vec<ByteArray> = values
                    .iter()
                    .map(|text| ByteArray::from(text.as_str()))
                    .collect();
                place
                    .typed::<ByteArrayType>()
                    .write_batch(&values, Some(&levels), None)
            }
        }
    }
}

/// The cells that hold something, and for each cell whether it does.
fn given<T: Clone>(cells: &[Option<T>]) -> (Vec<T>, Vec<i16>) {
    let values = cells.iter().flatten().cloned().collect();
    let levels = cells.iter().map(|cell| i16::from(cell.is_some()));
    (values, levels.collect())
}

fn figures(known: &Known, proposals: &[Proposal]) -> Vec<(String, Column)> {
    let whole = |number: u64| i64::try_from(number).ok();
    let of_proposals =
        |of: &dyn Fn(&Proposal) -> Option<i64>| Column::Whole(proposals.iter().map(of).collect());
    let outcome = |at: usize| known.state.outcomes.get(at);
    let of_outcomes = |of: &dyn Fn(&Outcome) -> Option<f64>| {
        let cells = (0..proposals.len()).map(|at| outcome(at).and_then(of));
        Column::Number(cells.collect())
    };
    let epochs = (0..proposals.len()).map(|at| whole(outcome(at)?.epochs().len() as u64));
    let named = [
        ("trial", of_proposals(&|proposal| whole(proposal.trial.0))),
        ("score", of_outcomes(&Outcome::score)),
        (
            "loss",
            of_outcomes(&|outcome| match outcome {
                Outcome::Finished(done) => Some(done.loss),
                Outcome::Failed(_) => None,
            }),
        ),
        ("params", of_proposals(&|proposal| whole(proposal.params))),
        ("macs", of_proposals(&|proposal| whole(proposal.macs))),
        ("epochs", Column::Whole(epochs.collect())),
        ("seconds", of_outcomes(&|outcome| Some(outcome.seconds()))),
        (
            "continues",
            of_proposals(&|proposal| whole(proposal.continues?.0)),
        ),
    ];
    let owned = named.into_iter();
    owned
        .map(|(name, column)| (name.to_owned(), column))
        .collect()
}

fn texts(known: &Known, proposals: &[Proposal]) -> Vec<(String, Column)> {
    let state = |at: usize| match known.state.outcomes.get(at) {
        Some(Outcome::Finished(_)) => "finished",
        Some(Outcome::Failed(_)) => "failed",
        None => "open",
    };
    let failure = |at: usize| match known.state.outcomes.get(at) {
        Some(Outcome::Failed(failed)) => {
            Some(format!("{}: {}", failed.kind.name(), failed.message))
        }
        _ => None,
    };
    let parents = |proposal: &Proposal| {
        let parents: Vec<String> = proposal.parents.iter().map(ToString::to_string).collect();
        (!parents.is_empty()).then(|| parents.join(" "))
    };
    let places = 0..proposals.len();
    let named = [
        (
            "state",
            places
                .clone()
                .map(|at| Some(state(at).to_owned()))
                .collect(),
        ),
        ("failure", places.map(failure).collect()),
        ("parents", proposals.iter().map(parents).collect()),
        (
            "fidelity",
            proposals
                .iter()
                .map(|proposal| proposal.fidelity.map(|fidelity| fidelity.to_string()))
                .collect(),
        ),
        (
            "network",
            proposals
                .iter()
                .map(|proposal| Some(proposal.key.clone()))
                .collect(),
        ),
    ];
    let owned = named.into_iter();
    owned
        .map(|(name, cells)| (name.to_owned(), Column::Text(cells)))
        .collect()
}

fn metrics(known: &Known) -> Vec<(String, Column)> {
    let rows = known.state.proposals.len();
    let mut columns: BTreeMap<String, Vec<Option<f64>>> = BTreeMap::new();
    for (at, outcome) in known.state.outcomes.iter().enumerate() {
        if let Outcome::Finished(done) = outcome {
            for (name, value) in &done.metrics {
                let name = format!("metric.{name}");
                columns.entry(name).or_insert_with(|| vec![None; rows])[at] = Some(*value);
            }
        }
    }
    let columns = columns.into_iter();
    columns
        .map(|(name, cells)| (name, Column::Number(cells)))
        .collect()
}

fn decisions(known: &mut Known, rows: usize) -> Vec<(String, Column)> {
    let mut columns: BTreeMap<String, Vec<Option<String>>> = BTreeMap::new();
    for at in 0..rows {
        for chosen in known.decisions(TrialId(at as u64)) {
            let name = format!("decision.{}", chosen.parameter);
            let cells = columns.entry(name).or_insert_with(|| vec![None; rows]);
            cells[at] = Some(chosen.value().to_owned());
        }
    }
    let columns = columns.into_iter();
    columns
        .map(|(name, cells)| (name, Column::Text(cells)))
        .collect()
}
