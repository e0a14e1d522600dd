//! Any bytes are read as PNG and JPEG or refused.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../reader.rs"]
mod reader;

fuzz_target!(|bytes: &[u8]| {
    reader::load("x/a/1.png", "train = \"x\"", bytes);
});
