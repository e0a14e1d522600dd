//! Formatting keeps the tree and settles at once.
#![no_main]

use libfuzzer_sys::fuzz_target;
use strata::language::{format, parse};

fuzz_target!(|text: &str| {
    let Ok(once) = format(text) else { return };
    assert!(parse(&once).file == parse(text).file);
    assert_eq!(format(&once).as_ref(), Ok(&once));
});
