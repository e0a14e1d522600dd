//! Tests across modules, in one binary.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "test code outside of `#[test]` too"
)]

mod annotations;
mod bench;
mod browser;
mod brute;
mod calibration;
mod catalogue;
mod check_suite;
mod cli;
mod controllers;
mod corpus;
mod data_division;
mod data_fetch;
mod data_formats;
mod data_questions;
mod export;
mod golden;
mod house;
mod kernels;
mod language_fuzz;
mod language_properties;
mod language_suite;
mod layers_golden;
mod live;
mod networks;
mod pages;
mod preprocessing;
mod run;
mod shared;
mod shared_data;
mod space;
mod trackers;
mod trees;
