//! What the language's front end says about each kind of mistake.

use super::{annotations, corpus};
use strata::diagnostics::{SourceFile, render};
use strata::language::{MAX_BYTES, MAX_DEPTH, format, parse};

const SUITE: &str = "tests/suites/language";

#[test]
fn every_mistake_is_reported_where_the_suite_expects_it() {
    annotations::check_folder(SUITE, |text| parse(text).diagnostics);
}

#[test]
fn every_diagnostic_renders_with_its_line() {
    for path in corpus::space_files(SUITE) {
        let text = corpus::read(&path);
        let diagnostics = parse(&text).diagnostics;
        let source = SourceFile::new("suite.space", text);
        for diagnostic in diagnostics {
            let rendered = render(&source, std::slice::from_ref(&diagnostic), false);
            let at = source.position(diagnostic.span.start);
            let place = format!("suite.space:{}:{}", at.line, at.column);
            assert!(rendered.contains(&place), "{place}\n{rendered}");
        }
    }
}

#[test]
fn valid_files_format_and_parse_back() {
    let files = [
        corpus::space_files(SUITE),
        corpus::space_files("search_spaces"),
    ]
    .concat();
    for path in files {
        let text = corpus::read(&path);
        let Ok(once) = format(&text) else { continue };
        assert_eq!(format(&once).as_ref(), Ok(&once), "{}", path.display());
        assert_eq!(parse(&once).file, parse(&text).file, "{}", path.display());
    }
}

#[test]
fn a_file_over_the_size_limit_is_refused_whole() {
    let text = "// filler\n".repeat(MAX_BYTES / 10 + 1);
    let parse = parse(&text);
    assert!(parse.diagnostics[0].message.contains("bytes"));
    assert!(parse.file.items.is_empty() && parse.diagnostics.len() == 1);
}

/// Each nests without end in its own way; none may exhaust a small stack, in parsing, printing,
/// comparing or dropping.
#[test]
fn adversarial_nesting_is_refused_on_a_small_stack() {
    let many = 20_000;
    let repeated =
        |head: &str, unit: &str, tail: &str| format!("{head}{}{tail}", unit.repeat(many));
    let texts = [
        repeated("let a = ", "(", "1"),
        repeated("let a = ", "f(", "1"),
        repeated("let a = 1", " + 1", ""),
        repeated("let a = 1", " ^ 1", ""),
        repeated("let a = ", "-", "1"),
        repeated("require ", "not ", "a"),
        repeated("require a", " and a", ""),
        repeated("require a", " in (a", ""),
        repeated("network ", "{", ""),
        repeated("network { ", "residual { ", ""),
        repeated("network { ", "branch { { ", ""),
        repeated("network { ", "dag { edge ", ""),
        repeated("network { ", "repeat 1 { ", ""),
        repeated("network { if a {}", " else if a {}", "}"),
        repeated("network { ", "let a { ", ""),
        repeated("let a = ", "((1+1+1+1+1+1+1)+", "1"),
        repeated("let a = ", "({", ""),
    ];
    run_on_small_stack(move || {
        for text in &texts {
            let parse = parse(text);
            let deep = |d: &strata::diagnostics::Diagnostic| d.message.contains("nested deeper");
            assert!(parse.diagnostics.iter().any(deep), "{}", &text[..40]);
            assert_eq!(parse.file, parse.file.clone());
        }
    });
}

#[test]
fn a_tree_as_deep_as_allowed_is_printed_on_a_small_stack() {
    let deepest = |text: &dyn Fn(usize) -> String| {
        (1..=MAX_DEPTH)
            .map(text)
            .filter(|text| parse(text).diagnostics.is_empty())
            .last()
    };
    let nested = |open: &'static str, middle: &'static str, close: &'static str| {
        move |n: usize| format!("{}{middle}{}", open.repeat(n), close.repeat(n))
    };
    let texts = [
        deepest(&|n| format!("let a = {}", nested("(1 + ", "1", ")")(n))),
        deepest(&|n| format!("let a = {}", nested("f(", "1", " | 2)")(n))),
        deepest(&|n| format!("let a = 1{}", " + 1".repeat(n))),
        deepest(&|n| format!("network {{ {} }}", nested("residual { ", "relu", " }")(n))),
        deepest(&|n| format!("network {{ {} }}", nested("dag { edge ", "relu", " }")(n))),
        deepest(&|n| format!("network {{ if a {{}}{} }}", " else if a {}".repeat(n))),
    ];
    run_on_small_stack(move || {
        for text in texts {
            let text = text.expect("some depth is allowed");
            let printed = format(&text).expect("the text has no errors");
            assert_eq!(parse(&printed).file, parse(&text).file);
        }
    });
}

fn run_on_small_stack(run: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(1 << 20).spawn(run);
    thread
        .expect("a thread can start")
        .join()
        .expect("the thread ended well");
}
