//! strata: neural architecture search with an exact search-space language and bit-reproducible runs.
#![warn(missing_docs)]

pub mod diagnostics;
pub mod language;
pub mod random;
