//! What the checker, and the space behind it, say about each kind of mistake.

use super::annotations;
use strata::language::compile;

#[test]
fn every_mistake_is_reported_where_the_suite_expects_it() {
    annotations::check_folder("tests/suites/check", |text| match compile(text) {
        Ok(compiled) => compiled.warnings,
        Err(diagnostics) => diagnostics,
    });
}
