//! Tests of what no test outside can reach: runs under a simulated clock, disk and workers.

mod bound;
mod damage;
mod digests;
mod disk;
mod evaluator;
mod extension;
mod orders;
mod scenario;
mod simulation;
mod size;
mod workers;
