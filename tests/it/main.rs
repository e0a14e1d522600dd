//! Tests across modules, in one binary.
#![allow(

mod house;
mod layers_golden;
mod run;
mod shared_data;
mod space;
