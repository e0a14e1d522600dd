//! Any bytes are walked through as a tar archive of CIFAR-10 or refused.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../reader.rs"]
mod reader;

fuzz_target!(|bytes: &[u8]| {
    reader::load("cifar-10-x.tar", "train = \"cifar-10-x.tar\"", bytes);
});
