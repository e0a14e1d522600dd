//! strata: neural architecture search with an exact search-space language and bit-reproducible runs.
#![warn(missing_docs)]

pub mod architecture;
pub mod bench;
pub mod cli;
pub mod data;
pub mod diagnostics;
pub mod evaluation;
pub mod export;
pub mod kernels;
pub mod language;
pub mod layers;
pub mod live;
pub mod model;
pub mod proxies;
pub mod random;
pub mod report;
pub mod run;
pub mod search;
pub mod space;
pub mod statistics;
pub mod tabular;
pub mod trackers;
pub mod training;

// Fixtures that the tests across modules share with tests here name the library as they see it.
#[cfg(test)]
extern crate self as strata;
