//! Any text is checked without a panic, and every finding points into it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use strata::language::check;

fuzz_target!(|text: &str| {
    let (_, findings) = check(text);
    assert!(
        findings
            .iter()
            .all(|found| text.get(found.span.start..found.span.end).is_some())
    );
});
