//! Tests across modules, in one binary.

mod house;
mod layers_golden;
mod shared_data;
