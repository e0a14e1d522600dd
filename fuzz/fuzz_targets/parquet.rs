//! Any bytes are read as Parquet or refused.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../reader.rs"]
mod reader;

fuzz_target!(|bytes: &[u8]| {
    reader::load("x.parquet", "train = \"x.parquet\"\nlabel = 1", bytes);
});
