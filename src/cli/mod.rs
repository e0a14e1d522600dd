//! The command line: one verb a file, and what they share.
//!
//! This is the only place that prints, reads the environment or handles signals. It owns no results:
//! whatever a verb says comes from the library and could be had from it. Data goes to stdout,
//! everything else to stderr; [`exit`](Exit) lists what a script can rely on.

mod arguments;
mod exit;
mod failure;
mod input;
mod numbers;
mod table;
mod terminal;

mod check;
mod count;
mod fmt;
mod layers;
mod sample;
mod show;

pub use arguments::{command, main};
pub use exit::Exit;
