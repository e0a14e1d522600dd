//! Comparing controllers on a table: many seeds of each, under a budget in simulated seconds or trials.
//!
//! A [`BenchFile`] is a question, a [`Bench`] is ready to answer it, and what comes out is a [`Report`].
//! The runs are pure functions of controller and seed, so they can be spread over any number of threads. A
//! run keeps what its controller keeps and a curve of fixed length, however many trials it makes.

mod file;
mod plot;
mod report;
mod run;
mod workers;

pub use file::{BenchBudget, BenchError, BenchFile, Entry};
pub use plot::curves_svg;
pub use report::{CurvePoint, Pair, Report, Row};
pub use run::{Bench, CURVE, Point, Run};
pub use workers::idle_share;
