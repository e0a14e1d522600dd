//! Tests across modules, in one binary.

mod house;
mod shared_data;
