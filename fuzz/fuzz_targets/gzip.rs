//! Any bytes are unpacked and read as a table or refused.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../reader.rs"]
mod reader;

fuzz_target!(|bytes: &[u8]| {
    reader::load("x.csv.gz", "train = \"x.csv.gz\"", bytes);
});
