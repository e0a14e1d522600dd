//! How well proxies order networks whose accuracy a table knows.

use super::super::failure::Failure;
use super::super::table::{Side, Table};
use super::sheet::Row;
use crate::proxies::Proxy;
use crate::statistics::spearman;
use flate2::read::MultiGzDecoder;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// The most bytes of a table that are read, unpacked.
const MOST_BYTES: u64 = 1 << 30;

/// A table of known accuracies.
#[derive(Debug, clap::Args)]
pub struct Against {
    /// Print each proxy's rank correlation with a column of this CSV file
    #[arg(long, value_name = "CSV", requires_all = ["key", "column"])]
    against: Option<PathBuf>,
    /// The column that holds the numbers of the options taken, as `decisions` of `--csv` does
    #[arg(long, value_name = "COLUMN")]
    key: Option<String>,
    /// The column to correlate with
    #[arg(long, value_name = "COLUMN")]
    column: Option<String>,
}

impl Against {
    /// A table of correlations, if they are asked for.
    ///
    /// # Errors
    /// When the file can't be read, or lacks a column or a network.
    pub fn describe(&self, rows: &[Row], proxies: &[Proxy]) -> Result<Option<String>, Failure> {
        let (Some(path), Some(key), Some(column)) = (&self.against, &self.key, &self.column) else {
            return Ok(None);
        };
        let known = read(path, key, column)?;
        let of = |row: &Row| {
            let found = known.get(&row.decisions).copied();
            found.ok_or_else(|| fault(path, &format!("no row with {key} {}", row.decisions)))
        };
        let wanted: Vec<f64> = rows.iter().map(of).collect::<Result<_, _>>()?;
        let mut table = Table::new(&[
            ("proxy", Side::Left),
            ("networks", Side::Right),
            ("without a figure", Side::Right),
            ("spearman", Side::Right),
        ]);
        for (at, proxy) in proxies.iter().enumerate() {
            let pairs = rows
                .iter()
                .zip(&wanted)
                .map(|(row, wanted)| (row.values[at], *wanted));
            let pairs: Vec<(f64, f64)> = pairs.filter(|(value, _)| !value.is_nan()).collect();
            let (values, wanted): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
            let correlation = spearman(&values, &wanted);
            table.row([
                proxy.name().to_owned(),
                values.len().to_string(),
                (rows.len() - values.len()).to_string(),
                correlation.map_or_else(|| "-".to_owned(), |found| format!("{found:.3}")),
            ]);
        }
        Ok(Some(table.render()))
    }
}

fn fault(path: &Path, message: &str) -> Failure {
    Failure::Input(format!("{}: {message}", path.display()))
}

/// The values of one column by those of another.
fn read(path: &Path, key: &str, column: &str) -> Result<BTreeMap<String, f64>, Failure> {
    let file = File::open(path).map_err(|error| fault(path, &format!("can't be read: {error}")))?;
    let packed = path.extension().is_some_and(|ending| ending == "gz");
    let text: Box<dyn Read> = if packed {
        Box::new(MultiGzDecoder::new(file))
    } else {
        Box::new(file)
    };
    let mut reader = csv::Reader::from_reader(text.take(MOST_BYTES));
    let broken = |error: csv::Error| fault(path, &format!("can't be read: {error}"));
    let header = reader.headers().map_err(broken)?.clone();
    let place = |name: &str| {
        let names: Vec<&str> = header.iter().collect();
        let found = names.iter().position(|&column| column == name);
        found.ok_or_else(|| {
            fault(
                path,
                &format!("has no column `{name}`; it has {}", names.join(", ")),
            )
        })
    };
    let (key, column) = (place(key)?, place(column)?);
    let mut known = BTreeMap::new();
    for record in reader.records() {
        let record = record.map_err(broken)?;
        let value = record.get(column).unwrap_or_default();
        let value: f64 = value.parse().map_err(|_| {
            let line = record.position().map_or(0, csv::Position::line);
            fault(path, &format!("`{value}` in line {line} is no number"))
        })?;
        known.insert(record.get(key).unwrap_or_default().to_owned(), value);
    }
    Ok(known)
}
