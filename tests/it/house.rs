//! The rules of the house, as tests: what ARCHITECTURE.md says in words is checked here.
//!
//! Tests inside `src/` (everything behind `#[cfg(test)]`) are free of these rules: a test may use
//! whatever makes it short.

mod code;

use code::{SourceFile, sources};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The modules of `src/`, from the bottom up. One may use those on lines before its own, and
/// nothing else: siblings on a line do not know each other.
const LEVELS: &[&[&str]] = &[
    &["diagnostics", "random"],
    &["kernels"],
    &["layers", "statistics"],
    &["architecture"],
    &["space", "data"],
    &["language", "model", "search"],
    &["tabular", "training"],
    &["proxies"],
    &["evaluation"],
    &["run"],
    &["bench", "export", "report"],
    &["live", "trackers"],
    &["cli"],
];

/// Arrows that point elsewhere, each with the reason that makes it worth it: (from, to, reason).
const EXCEPTIONS: &[(&str, &str, &str)] = &[];

/// The modules that know the deep-learning library.
const KNOW_BURN: &[&str] = &["layers", "model", "training", "proxies"];

/// What draws from a generator that all trials share.
const SHARED_RANDOMNESS: &[&str] = &[
    "Tensor::random",
    "Distribution::",
    "nn::Dropout",
    "Device::seed",
    "rand::rng",
    "rand::random",
    "thread_rng",
    "from_os_rng",
    "OsRng",
];

/// What touches the world that belongs to the command line.
const TERMINAL: &[&str] = &[
    "println!",
    "eprintln!",
    "print!",
    "eprint!",
    "dbg!",
    "std::env",
    "env::var",
    "env::args",
    "env::current_dir",
    "home_dir",
];

/// The modules that may touch it; the empty name stands for `main.rs` and `lib.rs`.
const TOUCH_TERMINAL: &[&str] = &["cli", ""];

const MOST_LINES_OF_A_FILE: usize = 900;
const LONG_FUNCTION: usize = 70;
const SHARE_OF_LONG_FUNCTIONS: f64 = 0.03;

#[test]
fn arrows_between_modules_point_down() {
    let mut faults = Vec::new();
    for file in sources().iter().filter(|file| !file.module.is_empty()) {
        for used in file.used_modules() {
            if used != file.module && !allowed(&file.module, &used) {
                faults.push(format!("{}: {} uses {used}", file.path, file.module));
            }
        }
        if file.climbs_out() {
            faults.push(format!(
                "{}: reaches the root by `super`; write `crate::`",
                file.path
            ));
        }
    }
    none(&faults, "see LEVELS in tests/it/house.rs");
}

#[test]
fn every_module_has_a_level_and_every_level_stands_once() {
    let named: Vec<&str> = LEVELS
        .iter()
        .flat_map(|level| level.iter().copied())
        .collect();
    let distinct: BTreeSet<&str> = named.iter().copied().collect();
    assert_eq!(named.len(), distinct.len());
    for module in modules() {
        assert!(
            distinct.contains(module.as_str()),
            "give `{module}` a place in LEVELS"
        );
    }
}

#[test]
fn only_four_modules_know_burn() {
    let knows = |file: &SourceFile| {
        file.code.contains("burn::")
            || file.code.contains("use burn")
            || file.code.contains("burn_")
    };
    let strangers = sources()
        .into_iter()
        .filter(|file| !KNOW_BURN.contains(&file.module.as_str()));
    let faults: Vec<String> = strangers.filter(knows).map(|file| file.path).collect();
    none(&faults, "burn is for layers, model, training and proxies");
}

#[test]
fn nothing_draws_from_a_shared_generator() {
    none(
        &places_of(SHARED_RANDOMNESS, |_| true),
        "draw from a `random::Stream`",
    );
}

#[test]
fn only_the_command_line_touches_the_terminal_and_the_environment() {
    let elsewhere = |file: &SourceFile| !TOUCH_TERMINAL.contains(&file.module.as_str());
    none(&places_of(TERMINAL, elsewhere), "return it to src/cli");
}

#[test]
fn files_fit_a_readers_head() {
    let long = sources()
        .into_iter()
        .filter(|file| file.lines > MOST_LINES_OF_A_FILE);
    let faults: Vec<String> = long
        .map(|file| format!("{}: {}", file.path, file.lines))
        .collect();
    none(&faults, "split the file by what it owns");
}

#[test]
fn few_functions_are_long() {
    let files = sources();
    let lengths = files.iter().flat_map(|file| {
        file.function_lengths()
            .into_iter()
            .map(move |(name, lines)| (lines, name, &file.path))
    });
    let lengths: Vec<_> = lengths.collect();
    let mut long: Vec<_> = lengths
        .iter()
        .filter(|(lines, ..)| *lines > LONG_FUNCTION)
        .collect();
    long.sort_by(|a, b| b.cmp(a));
    let share = long.len() as f64 / lengths.len().max(1) as f64;
    assert!(
        share <= SHARE_OF_LONG_FUNCTIONS,
        "{:.1}% are long: {long:#?}",
        share * 100.0
    );
}

#[test]
fn the_architecture_page_names_every_module_and_dependency() {
    let page = read("ARCHITECTURE.md");
    let mut missing: Vec<String> = modules()
        .into_iter()
        .filter(|name| !names_module(&page, name))
        .collect();
    missing.extend(
        dependencies()
            .into_iter()
            .filter(|name| !page.contains(&format!("`{name}`"))),
    );
    none(&missing, "name it in ARCHITECTURE.md with its reason");
}

#[test]
fn the_pages_a_visitor_looks_for_are_there() {
    for name in [
        "CONTRIBUTING.md",
        "LICENSE-MIT",
        "LICENSE-APACHE",
        "data/README.md",
    ] {
        assert!(!read(name).is_empty(), "{name} is empty");
    }
}

fn allowed(from: &str, to: &str) -> bool {
    let level = |name: &str| LEVELS.iter().position(|level| level.contains(&name));
    let down = matches!((level(from), level(to)), (Some(from), Some(to)) if to < from);
    down || EXCEPTIONS.iter().any(|&(a, b, _)| (a, b) == (from, to))
}

/// Where one of `patterns` stands in the code of the files that `of` chooses.
fn places_of(patterns: &[&str], of: impl Fn(&SourceFile) -> bool) -> Vec<String> {
    let mut places = Vec::new();
    for file in sources().iter().filter(|file| of(file)) {
        for (line, text) in file.code.lines().enumerate() {
            let found = patterns.iter().find(|pattern| contains_word(text, pattern));
            places.extend(found.map(|pattern| format!("{}:{}: {pattern}", file.path, line + 1)));
        }
    }
    places
}

/// Whether `pattern` stands in `text` other than as the end of a longer word.
fn contains_word(text: &str, pattern: &str) -> bool {
    text.match_indices(pattern).any(|(at, _)| {
        !text[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_')
    })
}

/// The top-level modules of `src/`.
fn modules() -> BTreeSet<String> {
    sources()
        .into_iter()
        .map(|file| file.module)
        .filter(|name| !name.is_empty())
        .collect()
}

fn names_module(page: &str, module: &str) -> bool {
    [
        format!("`{module}`"),
        format!("{module}/"),
        format!("{module}.rs"),
    ]
    .iter()
    .any(|name| page.contains(name.as_str()))
}

/// The dependencies that `Cargo.toml` declares, for development too.
fn dependencies() -> Vec<String> {
    let manifest: BTreeMap<String, toml::Value> = toml::from_str(&read("Cargo.toml")).unwrap();
    let tables =
        ["dependencies", "dev-dependencies"].map(|name| manifest[name].as_table().unwrap());
    tables
        .iter()
        .flat_map(|table| table.keys().cloned())
        .collect()
}

fn read(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn none(faults: &[String], advice: &str) {
    assert!(faults.is_empty(), "{advice}:\n{}", faults.join("\n"));
}
