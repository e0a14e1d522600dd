//! Runs: determinism, crashes, failures, damage.

mod determinism;
mod evaluators;
mod failures;
mod fidelity;
mod fixture;
mod journal;
mod killed;
mod tasks;
mod training;
