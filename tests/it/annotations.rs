//! Source files that carry the diagnostics they expect.
//!
//! `//~ ERROR fragment` at the end of a line expects an error there whose message contains the
//! fragment (`WARNING` likewise); `//~^ ERROR fragment` on a line of its own expects it as many lines
//! above as there are carets; `//~| hint: fragment` on the lines after adds a hint to expect.
//! Whatever is reported must be expected and the other way round. With the environment variable
//! `STRATA_BLESS=1` the expectations are rewritten to what is reported; look at the difference.

use super::corpus;
use std::fmt::Write;
use std::path::Path;
use strata::diagnostics::{Diagnostic, Severity, SourceFile};

const MARK: &str = "//~";

#[derive(Debug)]
struct Expectation {
    line: usize,
    severity: Severity,
    message: String,
    hints: Vec<String>,
}

/// Checks every file under `folder` against what `diagnose` reports.
pub fn check_folder(folder: &str, diagnose: impl Fn(&str) -> Vec<Diagnostic>) {
    let files = corpus::space_files(folder);
    assert!(!files.is_empty(), "no .space files under {folder}");
    let failures: String = files
        .iter()
        .map(|path| check_file(path, &diagnose))
        .collect();
    assert!(
        failures.is_empty(),
        "\n{failures}\nSTRATA_BLESS=1 rewrites the expectations"
    );
}

/// What differs in one file, as text; nothing if all is as expected.
fn check_file(path: &Path, diagnose: &impl Fn(&str) -> Vec<Diagnostic>) -> String {
    let text = corpus::read(path);
    let difference = compare(&text, &diagnose(&text));
    if difference.is_empty() {
        return String::new();
    }
    if std::env::var_os("STRATA_BLESS").is_some_and(|value| value == "1") {
        let plain = strip(&text);
        let blessed = annotate(&plain, &diagnose(&plain));
        std::fs::write(path, blessed).expect("a test file can be written");
        return String::new();
    }
    format!("{}:\n{difference}", path.display())
}

fn compare(text: &str, diagnostics: &[Diagnostic]) -> String {
    let source = SourceFile::new("", text);
    let mut unmet = expectations(text);
    let mut difference = String::new();
    for diagnostic in diagnostics {
        let line = source.position(diagnostic.span.start).line;
        match unmet
            .iter()
            .position(|expected| meets(diagnostic, line, expected))
        {
            Some(met) => drop(unmet.remove(met)),
            None => writeln!(
                difference,
                "  line {line}: unexpected {} {} {:?}",
                word(diagnostic.severity),
                diagnostic.message,
                diagnostic.hints
            )
            .expect("writing to a string succeeds"),
        }
    }
    for expected in unmet {
        let Expectation {
            line,
            severity,
            message,
            hints,
        } = expected;
        writeln!(
            difference,
            "  line {line}: missing {} {message} {hints:?}",
            word(severity)
        )
        .expect("writing to a string succeeds");
    }
    difference
}

fn meets(diagnostic: &Diagnostic, line: usize, expected: &Expectation) -> bool {
    let hinted = |wanted: &String| diagnostic.hints.iter().any(|hint| hint.contains(wanted));
    line == expected.line
        && diagnostic.severity == expected.severity
        && diagnostic.message.contains(&expected.message)
        && expected.hints.iter().all(hinted)
}

fn expectations(text: &str) -> Vec<Expectation> {
    let mut found: Vec<Expectation> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let Some((_, note)) = line.split_once(MARK) else {
            continue;
        };
        if let Some(hint) = note.strip_prefix("| hint: ") {
            let last = found.last_mut().expect("a hint follows what it belongs to");
            last.hints.push(hint.trim().to_owned());
            continue;
        }
        let below = note.bytes().take_while(|&byte| byte == b'^').count();
        let note = note[below..].trim();
        let (severity, message) = [Severity::Error, Severity::Warning]
            .into_iter()
            .find_map(|severity| Some((severity, note.strip_prefix(word(severity))?)))
            .unwrap_or_else(|| panic!("line {}: no expectation: {note}", index + 1));
        found.push(Expectation {
            line: index + 1 - below,
            severity,
            message: message.trim().to_owned(),
            hints: Vec::new(),
        });
    }
    found
}

fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "ERROR",
        Severity::Warning => "WARNING",
    }
}

/// `text` without expectations.
pub fn strip(text: &str) -> String {
    let lines = text
        .lines()
        .filter(|line| !line.trim_start().starts_with(MARK));
    lines
        .map(|line| format!("{}\n", line.split(MARK).next().unwrap_or(line).trim_end()))
        .collect()
}

/// `text`, which has no expectations, with those that `diagnostics` meet.
fn annotate(text: &str, diagnostics: &[Diagnostic]) -> String {
    let source = SourceFile::new("", text);
    let mut annotated = String::new();
    for (index, line) in text.lines().enumerate() {
        annotated.push_str(line);
        let here = |diagnostic: &&Diagnostic| {
            let at = source.position(diagnostic.span.start).line;
            at == index + 1 || (index + 1 == text.lines().count() && at > index + 1)
        };
        let mut below = 0;
        for diagnostic in diagnostics.iter().filter(here) {
            let carets = "^".repeat(below);
            annotated.push_str(if below == 0 { " " } else { "" });
            writeln!(
                annotated,
                "{MARK}{carets} {} {}",
                word(diagnostic.severity),
                diagnostic.message
            )
            .expect("writing to a string succeeds");
            for hint in &diagnostic.hints {
                writeln!(annotated, "{MARK}| hint: {hint}").expect("writing to a string succeeds");
            }
            below += 1 + diagnostic.hints.len();
        }
        if below == 0 {
            annotated.push('\n');
        }
    }
    annotated
}

#[test]
fn annotations_survive_a_round_trip() {
    use strata::diagnostics::Span;
    let text = "a\nb c\n";
    let diagnostics = [
        Diagnostic::error(Span::new(2, 3), "first").hint("do it"),
        Diagnostic::warning(Span::new(4, 5), "second"),
    ];
    let annotated = annotate(text, &diagnostics);
    assert_eq!(
        annotated,
        "a\nb c //~ ERROR first\n//~| hint: do it\n//~^^ WARNING second\n"
    );
    assert_eq!(strip(&annotated), text);
    assert_eq!(compare(&annotated, &diagnostics), "");
    assert_eq!(compare(&annotated, &diagnostics[..1]).lines().count(), 1);
    assert_eq!(compare(text, &diagnostics).lines().count(), 2);
}
