//! The journal: what happened in a run, record by record; everything about the run follows from it.
//!
//! A [`Journal`] gives each record the next number and says when it is safe; several may be made safe
//! together. Where it is kept is the implementation's affair: [`FileJournal`] keeps a file in the run
//! folder. In words, a record is a line: a JSON object that begins with a checksum over the rest of the
//! line.

#[cfg(test)]
pub(super) mod contract;
mod digest;
mod file;
mod line;
mod timeless;

pub(super) use digest::Digester;
pub use digest::digest;
pub use file::FileJournal;
pub(super) use file::{parse, whole_lines};
pub(super) use line::{line_of, parse_line};
pub(super) use timeless::timeless;

use super::error::RunError;
use super::record::Record;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The newest format of a line that this version reads.
pub const FORMAT: u32 = 6;

/// The journal's name in a run folder.
pub const FILE_NAME: &str = "journal.jsonl";

/// A record with its place in the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The line's format.
    pub format: u32,
    /// The number of the line, from 0.
    pub seq: u64,
    /// Seconds since 1970 when it was written.
    pub at: f64,
    /// For how many seconds the run had been running, pauses between resumes not counted.
    pub seconds: f64,
    /// What happened.
    pub record: Record,
}

impl Entry {
    /// A record in its place.
    pub fn new(seq: u64, at: f64, seconds: f64, record: Record) -> Self {
        Self {
            format: record.format(),
            seq,
            at,
            seconds,
            record,
        }
    }
}

/// The records of a run, and the right to add to them. Whatever implements it passes one suite of
/// tests.
pub trait Journal: fmt::Debug {
    /// Adds a record, which is not safe yet: nobody outside may hear of it before [`commit`](Self::commit)
    /// has returned. `at` and `seconds` are as in [`Entry`].
    ///
    /// # Errors
    /// As [`commit`](Self::commit).
    fn add(&mut self, record: Record, at: f64, seconds: f64) -> Result<Entry, RunError>;

    /// Returns when every record so far is safe: from then on they are among the entries, whatever dies.
    ///
    /// # Errors
    /// When they can't be written. Which of them were is then unknown, and no further record is taken.
    fn commit(&mut self) -> Result<(), RunError>;

    /// Adds a record and returns when it is safe.
    ///
    /// # Errors
    /// As [`commit`](Self::commit).
    fn append(&mut self, record: Record, at: f64, seconds: f64) -> Result<Entry, RunError> {
        let entry = self.add(record, at, seconds)?;
        self.commit()?;
        Ok(entry)
    }

    /// Every record that is safe, in order.
    ///
    /// # Errors
    /// When they can't be read.
    fn entries(&mut self) -> Result<Vec<Entry>, RunError>;
}

/// Whether two entries say that the same happened, be it at another time or by another worker.
pub(super) fn happened_alike(one: &Entry, other: &Entry) -> bool {
    timeless(one) == timeless(other)
}
