//! Any bytes are read as IDX or refused.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../reader.rs"]
mod reader;

fuzz_target!(|bytes: &[u8]| {
    reader::load("x.idx", "train = \"x.idx\"\nlabels = \"x.idx\"", bytes);
});
