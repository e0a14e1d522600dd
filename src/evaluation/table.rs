//! Benchmarks as tables: what training gave is looked up instead of trained again.
//!
//! A table is a CSV file with a row for each architecture. One column says which; others say how good it
//! is, and how long finding out took. A [`Table`] knows columns and rows, [`TableSettings`] say which
//! column means what.

use super::{
    Control, EpochRecord, Evaluation, Evaluator, Failure, FailureKind, Finished, TrialJob,
};
use crate::data::{self, DataError};
use crate::diagnostics::closest_name;
use crate::space::{Genome, SearchSpace};
use num_bigint::BigUint;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// Which column of a table means what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableSettings {
    /// The CSV file, with a header; gzip is unpacked.
    pub file: PathBuf,
    /// The column that says which architecture a row is about.
    pub key: String,
    /// What that column holds.
    #[serde(default)]
    pub of: KeyOf,
    /// The column of the score that a search sees; higher is better, unless the experiment's score says what it holds.
    pub score: String,
    /// What a trial costs in simulated seconds; 1 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Cost>,
    /// The column of the final score, which no search sees; the search's own if absent.
    #[serde(default, rename = "final", skip_serializing_if = "Option::is_none")]
    pub last: Option<String>,
    /// Columns of further figures, which a search by several objectives may name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub figures: Vec<String>,
}

/// What a key holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyOf {
    /// The numbers of the options taken, in the order of decisions: digits in a row such as `421211`, or
    /// joined by `-` where one has more than a digit.
    #[default]
    Decisions,
    /// The architecture's index in the space.
    Index,
}

/// A cost in simulated seconds: a column's value times a number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cost {
    /// The column.
    pub column: String,
    /// What its values are multiplied by.
    #[serde(default = "one")]
    pub times: f64,
}

fn one() -> f64 {
    1.0
}

impl KeyOf {
    /// The key of a genome.
    pub fn key(self, space: &SearchSpace, genome: &Genome) -> String {
        match self {
            Self::Index => space
                .index_of(genome)
                .map_or_else(|_| String::new(), |index| index.to_string()),
            Self::Decisions => {
                let options: Vec<String> = genome
                    .iter()
                    .map(|(_, option)| option.to_string())
                    .collect();
                let short = options.iter().all(|option| option.len() == 1);
                options.join(if short { "" } else { "-" })
            }
        }
    }
}

/// Why a table can't be used.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// The file can't be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The file is no table of the kind that is asked for.
    #[error("{}: {message}", path.display())]
    Unfit {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
}

/// Rows by their keys, with columns of numbers.
#[derive(Clone, Debug)]
pub struct Table {
    path: PathBuf,
    hash: String,
    rows: BTreeMap<String, usize>,
    header: Vec<String>,
    cells: Vec<Vec<String>>,
}

impl Table {
    /// Reads a table whose rows are named by the column `key`.
    ///
    /// # Errors
    /// When the file can't be read, has no such column, or has a key twice.
    pub fn read(path: &Path, key: &str) -> Result<Self, TableError> {
        let mut bytes = Vec::new();
        let read = data::open_file(path)?.read_to_end(&mut bytes);
        read.map_err(|source| DataError::Read {
            path: path.to_owned(),
            source,
        })?;
        let unfit = |message: String| TableError::Unfit {
            path: path.to_owned(),
            message,
        };
        let mut reader = csv::Reader::from_reader(bytes.as_slice());
        let header = reader.headers().map_err(|error| unfit(error.to_string()))?;
        let header: Vec<String> = header.iter().map(str::to_owned).collect();
        let mut table = Self {
            path: path.to_owned(),
            hash: hex(&Sha256::digest(&bytes)),
            rows: BTreeMap::new(),
            header,
            cells: Vec::new(),
        };
        let column = table.place(key)?;
        for record in reader.records() {
            let record = record.map_err(|error| unfit(error.to_string()))?;
            let cells: Vec<String> = record.iter().map(str::to_owned).collect();
            let number = table.cells.len();
            if table.rows.insert(cells[column].clone(), number).is_some() {
                let message = format!("`{}` stands in column `{key}` twice", cells[column]);
                return Err(unfit(message));
            }
            table.cells.push(cells);
        }
        Ok(table)
    }

    /// SHA-256 of the file, unpacked, in hexadecimal.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// The number of rows.
    #[expect(clippy::len_without_is_empty, reason = "an empty table has no use")]
    pub fn len(&self) -> usize {
        self.cells.len()
    }

    /// The number of the row with a key.
    pub fn row(&self, key: &str) -> Option<usize> {
        self.rows.get(key).copied()
    }

    /// The numbers of a column, in the order of rows.
    ///
    /// # Errors
    /// When there is no such column, or a cell is no number.
    pub fn numbers(&self, column: &str) -> Result<Vec<f64>, TableError> {
        let place = self.place(column)?;
        let parse = |(row, cells): (usize, &Vec<String>)| {
            cells[place].trim().parse().map_err(|_| {
                let (cell, line) = (&cells[place], row + 2);
                self.unfit(format!(
                    "`{cell}` in column `{column}` of line {line} is no number"
                ))
            })
        };
        self.cells.iter().enumerate().map(parse).collect()
    }

    /// A number for each row, equal where the column is.
    ///
    /// # Errors
    /// When there is no such column.
    pub fn groups(&self, column: &str) -> Result<Vec<usize>, TableError> {
        let place = self.place(column)?;
        let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
        let number = |cells: &Vec<String>| cells[place].clone();
        for cells in &self.cells {
            let next = numbers.len();
            numbers.entry(&cells[place]).or_insert(next);
        }
        let found = self.cells.iter().map(number);
        Ok(found.map(|cell| numbers[cell.as_str()]).collect())
    }

    fn place(&self, column: &str) -> Result<usize, TableError> {
        let found = self.header.iter().position(|known| known == column);
        found.ok_or_else(|| {
            let known = self.header.iter().map(String::as_str);
            let advice = match closest_name(column, known) {
                Some(name) => format!("did you mean `{name}`?"),
                None => format!("it has `{}`", self.header.join("`, `")),
            };
            self.unfit(format!("there is no column `{column}`; {advice}"))
        })
    }

    fn unfit(&self, message: String) -> TableError {
        TableError::Unfit {
            path: self.path.clone(),
            message,
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Scores from a table, at no cost but simulated seconds.
#[derive(Clone, Debug)]
pub struct TableEvaluator {
    space: Arc<SearchSpace>,
    table: Arc<Table>,
    of: KeyOf,
    score: Vec<f64>,
    figures: Vec<(String, Vec<f64>)>,
    /// The rows of networks by what they compute, made when the first network without decisions comes.
    by_network: Arc<OnceLock<BTreeMap<String, usize>>>,
}

impl TableEvaluator {
    /// What a search sees of a table.
    ///
    /// # Errors
    /// When a column is missing or holds something else than numbers.
    pub fn for_search(
        space: &Arc<SearchSpace>,
        table: &Arc<Table>,
        settings: &TableSettings,
    ) -> Result<Self, TableError> {
        let mut figures = Vec::new();
        if let Some(cost) = &settings.cost {
            let seconds = table.numbers(&cost.column)?.into_iter();
            let seconds = seconds.map(|value| value * cost.times).collect();
            figures.push(("simulated_seconds".to_owned(), seconds));
        }
        for name in &settings.figures {
            figures.push((name.clone(), table.numbers(name)?));
        }
        Ok(Self {
            space: Arc::clone(space),
            table: Arc::clone(table),
            of: settings.of,
            score: table.numbers(&settings.score)?,
            figures,
            by_network: Arc::default(),
        })
    }

    /// The final scores of a table.
    ///
    /// # Errors
    /// When the column is missing or holds something else than numbers.
    pub fn for_test(
        space: &Arc<SearchSpace>,
        table: &Arc<Table>,
        settings: &TableSettings,
    ) -> Result<Self, TableError> {
        let column = settings.last.as_ref().unwrap_or(&settings.score);
        Ok(Self {
            space: Arc::clone(space),
            table: Arc::clone(table),
            of: settings.of,
            score: table.numbers(column)?,
            figures: Vec::new(),
            by_network: Arc::default(),
        })
    }

    /// The row of a candidate: by its decisions, or where it comes from elsewhere, as hand-designed networks do, that of
    /// the first architecture of the space that computes the same.
    fn row(&self, job: &TrialJob<'_>) -> Result<usize, Failure> {
        let unknown = |message: String| Failure::new(FailureKind::EvaluatorError, message);
        match job.genome {
            Some(genome) if genome.iter().next().is_some() => {
                let key = self.of.key(&self.space, genome);
                let row = self.table.row(&key);
                row.ok_or_else(|| unknown(format!("the table has no row `{key}`")))
            }
            _ => {
                let rows = self.by_network.get_or_init(|| self.rows_by_network());
                let row = rows.get(&job.architecture.functional().digest());
                row.copied().ok_or_else(|| {
                    unknown("the table has rows for networks of its space only".to_owned())
                })
            }
        }
    }

    fn rows_by_network(&self) -> BTreeMap<String, usize> {
        let mut rows = BTreeMap::new();
        for genome in self.space.iter_from(&BigUint::ZERO).take(MAX_WALKED) {
            let row = self.table.row(&self.of.key(&self.space, &genome));
            if let (Some(row), Ok(candidate)) = (row, self.space.decode(&genome)) {
                let digest = candidate.architecture.functional().digest();
                rows.entry(digest).or_insert(row);
            }
        }
        rows
    }
}

/// The most architectures of a space that are looked through for a network.
const MAX_WALKED: usize = 1_000_000;

impl Evaluator for TableEvaluator {
    fn evaluate(
        &self,
        job: &TrialJob<'_>,
        _: &Control<'_>,
        _: &mut dyn FnMut(EpochRecord),
    ) -> Evaluation {
        let row = self.row(job)?;
        let figure = |(name, values): &(String, Vec<f64>)| (name.clone(), values[row]);
        Ok(Finished {
            metrics: self.figures.iter().map(figure).collect(),
            ..Finished::scored(self.score[row], 0.0)
        })
    }
}
