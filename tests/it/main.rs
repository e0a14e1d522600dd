//! Tests across modules, in one binary.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "test code outside of `#[test]` too"
)]

mod cli;
mod house;
mod layers_golden;
mod pages;
mod run;
mod shared_data;
mod space;
