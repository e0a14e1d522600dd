//! Runs on many machines: PostgreSQL and Slurm, started by the tests themselves.
//!
//! Where a program is missing, the tests that need it say on stderr that they are skipped, by name; with
//! `STRATA_REQUIRE=postgresql,slurm` they fail instead.

#![cfg(unix)]

mod encryption;
mod extension;
mod faults;
mod finish;
pub mod fixture;
mod hosts;
mod live;
mod postgresql;
mod queue;
mod slurm;

use postgresql::{skip, test_name};
