//! Any text parses without a panic, and every diagnostic points into it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use strata::diagnostics::{SourceFile, render};
use strata::language::parse;

fuzz_target!(|text: &str| {
    let diagnostics = parse(text).diagnostics;
    assert!(
        diagnostics
            .iter()
            .all(|found| text.get(found.span.start..found.span.end).is_some())
    );
    render(&SourceFile::new("fuzz.space", text), &diagnostics, false);
});
