//! Tables as text: one row an example, one or more columns its targets.

mod column;
mod questions;
mod rows;
mod table;
mod targets;

pub use column::{Column, Columns, CsvOptions, Decimal, Delimiter, Missing, TaskKind};
pub(super) use questions::{Asking, ask};
pub(super) use rows::{Next, Reading, Role, is_gap, read, read_records};
pub(super) use table::{Table, TableLayout};

#[cfg(test)]
mod tests;
