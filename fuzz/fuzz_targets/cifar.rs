//! Any bytes are read as CIFAR-10 or refused.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../reader.rs"]
mod reader;

fuzz_target!(|bytes: &[u8]| {
    reader::load("x.bin", "train = \"x.bin\"\nformat = \"cifar10\"", bytes);
});
