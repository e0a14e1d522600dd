//! Tables as text: one row an example, one or more columns its targets.

mod column;
mod rows;
mod table;
mod targets;

pub use column::{Column, Columns, CsvOptions, Missing, TaskKind};
pub(super) use rows::{Reading, read, read_records};
pub(super) use table::Table;

#[cfg(test)]
mod tests;
