//! Runs: determinism, crashes, failures, damage.

mod comparison;
mod determinism;
mod evaluators;
mod extension;
mod failures;
mod fidelity;
pub mod fixture;
mod full_disk;
mod isolation;
mod journal;
mod killed;
mod lookups;
mod memory;
mod tasks;
mod training;
