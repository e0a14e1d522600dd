//! Rows of figures in a CSV file that grows as they are found.

use super::super::failure::Failure;
use crate::proxies::Proxy;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

/// The figures of one network.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Its index in the space, or its file.
    pub name: String,
    /// The numbers of the options taken, in the order of decisions.
    pub decisions: String,
    /// A figure a proxy.
    pub values: Vec<f64>,
}

/// The rows so far, in a file or not.
#[derive(Debug)]
pub struct Sheet {
    file: Option<(PathBuf, File)>,
    settings: String,
    rows: Vec<Row>,
}

impl Sheet {
    /// Rows that are kept in memory alone.
    pub fn in_memory(settings: &str, _proxies: &[Proxy]) -> Self {
        Self {
            file: None,
            settings: settings.to_owned(),
            rows: Vec::new(),
        }
    }

    /// The rows that a file has, ready for more; a line that was cut off is dropped.
    ///
    /// # Errors
    /// When it can't be read or written, or is about something else.
    pub fn open(path: &Path, settings: &str, proxies: &[Proxy]) -> Result<Self, Failure> {
        let mut sheet = Self::in_memory(settings, proxies);
        let header = header(proxies);
        let mut text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(failed("read", path, &error)),
        };
        text.truncate(text.rfind('\n').map_or(0, |end| end + 1));
        let mut lines = text.lines();
        match lines.next() {
            None => text = format!("{header}\n"),
            Some(first) if first == header => {
                let row = |line| read(line, settings, proxies.len());
                let rows: Option<Vec<Row>> = lines.map(row).collect();
                let other = || {
                    let message = "it holds figures of other settings or is damaged";
                    Failure::Input(format!("{}: {message}; name a new file", path.display()))
                };
                sheet.rows = rows.ok_or_else(other)?;
            }
            Some(_) => {
                return Err(Failure::Input(format!(
                    "{}: its first line is not `{header}`; name a new file",
                    path.display()
                )));
            }
        }
        fs::write(path, text).map_err(|error| failed("write", path, &error))?;
        let file = OpenOptions::new().append(true).open(path);
        let file = file.map_err(|error| failed("write", path, &error))?;
        sheet.file = Some((path.to_owned(), file));
        Ok(sheet)
    }

    /// The rows so far.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Adds a row.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn add(&mut self, row: Row) -> Result<(), Failure> {
        if let Some((path, file)) = &mut self.file {
            let figures: String = row
                .values
                .iter()
                .map(|value| format!(",{value:?}"))
                .collect();
            let line = format!(
                "{},{},\"{}\"{figures}\n",
                row.name, row.decisions, self.settings
            );
            let written = file.write_all(line.as_bytes());
            written.map_err(|error| failed("write", path, &error))?;
        }
        self.rows.push(row);
        Ok(())
    }

    /// Cuts off rows beyond `names` and sees that the others are about those.
    ///
    /// # Errors
    /// When a row is about another network.
    pub fn check<'a>(
        &mut self,
        names: impl ExactSizeIterator<Item = &'a str>,
    ) -> Result<(), Failure> {
        self.rows.truncate(names.len());
        let mut pairs = self.rows.iter().zip(names);
        let Some((row, name)) = pairs.find(|(row, name)| row.name != *name) else {
            return Ok(());
        };
        Err(Failure::Input(format!(
            "the file has network {} where {name} is next; name a new file",
            row.name
        )))
    }
}

fn header(proxies: &[Proxy]) -> String {
    let names: String = proxies
        .iter()
        .map(|proxy| format!(",{}", proxy.name()))
        .collect();
    format!("index,decisions,settings{names}")
}

fn read(line: &str, settings: &str, figures: usize) -> Option<Row> {
    let (key, values) = line.split_once(&format!(",\"{settings}\""))?;
    let (name, decisions) = key.rsplit_once(',')?;
    let values = values.split(',').skip(1).map(|value| value.parse().ok());
    let values: Vec<f64> = values.collect::<Option<_>>()?;
    (values.len() == figures).then(|| Row {
        name: name.to_owned(),
        decisions: decisions.to_owned(),
        values,
    })
}

fn failed(action: &str, path: &Path, error: &std::io::Error) -> Failure {
    Failure::Other(format!("failed to {action} {}: {error}", path.display()))
}
