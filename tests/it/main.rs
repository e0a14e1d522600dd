//! Everything that is tested from outside the crate, in one binary.

mod annotations;
mod corpus;
mod language_fuzz;
mod language_properties;
mod language_suite;
mod trees;
