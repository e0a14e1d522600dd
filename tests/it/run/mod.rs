//! Runs: determinism, crashes, failures, damage.

mod comparison;
mod determinism;
mod evaluators;
mod extension;
mod failures;
mod fidelity;
mod finish;
pub mod fixture;
mod full_disk;
mod isolation;
mod journal;
mod killed;
mod looks;
mod lookups;
mod memory;
mod published;
mod refit;
mod scores;
mod tasks;
mod training;
mod within;
