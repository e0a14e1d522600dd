//! Runs: determinism, crashes, failures, damage.

mod comparison;
mod determinism;
mod evaluators;
mod failures;
mod fidelity;
pub mod fixture;
mod journal;
mod killed;
mod tasks;
mod training;
