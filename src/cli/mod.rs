//! The command line: one verb a file, and what they share.
//!
//! This is the only place that prints, reads the environment or handles signals. It owns no results:
//! whatever a verb says comes from the library and could be had from it. Data goes to stdout,
//! everything else to stderr; [`exit`](Exit) lists what a script can rely on.

mod arguments;
mod chosen;
mod elsewhere;
mod exit;
mod failure;
mod input;
mod interrupt;
mod listing;
mod numbers;
mod progress;
mod recent;
mod report;
mod shared;
mod table;
mod terminal;
mod tracking;

mod bench;
mod best;
mod check;
mod compare;
mod count;
mod data;
mod diff;
mod distance;
mod enumerate;
mod export;
mod fmt;
mod generate;
mod isolated;
mod launch;
mod layers;
mod looks;
mod pareto;
mod predict;
mod proxy;
mod refit;
mod reporting;
mod resume;
mod retest;
mod sample;
mod search;
mod serve;
mod show;
mod status;
mod train;
mod trials;
mod verify;
mod worker;

pub use arguments::{command, main};
pub use exit::Exit;
