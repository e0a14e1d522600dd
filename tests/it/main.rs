//! Tests across modules, in one binary.
#![allow(

mod house;
mod layers_golden;
mod shared_data;
mod space;
