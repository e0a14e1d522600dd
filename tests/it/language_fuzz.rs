//! Damaged text: the front end must take it all without a panic, and format what survives.

use super::{annotations::strip, corpus, trees::random_file};
use strata::diagnostics::{SourceFile, render};
use strata::language::{format, parse, print};
use strata::random::{Purpose, Seed, Stream};

/// Longer texts cost time and find nothing more.
const MOST_BYTES: usize = 2000;

/// Pieces that are likely to matter where they land.
const PIECES: [&str; 40] = [
    "{",
    "}",
    "(",
    ")",
    ",",
    ";",
    ":",
    "|",
    "?",
    "@",
    ".",
    "..",
    "=",
    "==",
    "!=",
    "<=",
    ">",
    "+",
    "-",
    "*",
    "/",
    "^",
    "//",
    "\n",
    "\r\n",
    "\u{feff}",
    "č",
    "\u{0}",
    "let ",
    "if ",
    "else ",
    "repeat ",
    "in",
    "not ",
    "dag {",
    "output ",
    "network {",
    "9223372036854775808",
    "1e-4",
    "200k",
];

#[test]
fn damaged_text_never_panics() {
    damage(2, &["tests/suites/language", "search_spaces"], digest);
}

#[test]
fn damaged_text_is_checked_without_a_panic() {
    damage(5, &["tests/suites/check", "search_spaces"], |text| {
        let (_, found) = strata::language::check(text);
        for diagnostic in &found {
            let span = diagnostic.span;
            assert!(text.get(span.start..span.end).is_some(), "{text:?}");
        }
        found.is_empty()
    });
}

/// Feeds damaged texts to `digest`, which says whether one survived.
fn damage(seed: u64, folders: &[&str], digest: impl Fn(&str) -> bool) {
    let iterations = std::env::var("STRATA_FUZZ_ITERATIONS").map_or(20_000, |count| {
        count.parse().expect("STRATA_FUZZ_ITERATIONS is a number")
    });
    let mut corpus = seeds(folders);
    let first = corpus.len();
    let mut stream = Seed(seed).stream(0, Purpose::Tool);
    for iteration in 0..iterations {
        let mut bytes = corpus[stream.index(corpus.len())].clone();
        for _ in 0..=stream.below(3) {
            mutate(&mut bytes, &corpus, &mut stream);
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let survives = digest(&text);
        // Texts that stay valid lead further away from the first ones.
        if survives && bytes.len() < MOST_BYTES && iteration % 16 == 0 {
            if corpus.len() < 4 * first {
                corpus.push(bytes);
            } else {
                let replaced = first + stream.index(corpus.len() - first);
                corpus[replaced] = bytes;
            }
        }
    }
}

/// Runs the whole front end over `text`; whether it has no errors.
fn digest(text: &str) -> bool {
    let tree = parse(text);
    for diagnostic in &tree.diagnostics {
        let span = diagnostic.span;
        assert!(
            span.start <= span.end && text.get(span.start..span.end).is_some(),
            "{text:?}"
        );
    }
    let Ok(once) = format(text) else {
        assert!(
            !tree.diagnostics.is_empty(),
            "refused without a reason: {text:?}"
        );
        return false;
    };
    let twice = format(&once).unwrap_or_else(|errors| panic!("{text:?}\n{once}\n{errors:?}"));
    assert_eq!(once, twice, "{text:?}");
    assert!(parse(&once).file == tree.file, "{text:?}\n{once}");
    true
}

#[test]
fn diagnostics_of_damaged_text_render() {
    let corpus = seeds(&["tests/suites/language", "search_spaces"]);
    let mut stream = Seed(3).stream(0, Purpose::Tool);
    for _ in 0..1000 {
        let mut bytes = corpus[stream.index(corpus.len())].clone();
        mutate(&mut bytes, &corpus, &mut stream);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let diagnostics = parse(&text).diagnostics;
        render(&SourceFile::new("damaged.space", text), &diagnostics, false);
    }
}

fn seeds(folders: &[&str]) -> Vec<Vec<u8>> {
    let files: Vec<_> = folders
        .iter()
        .flat_map(|folder| corpus::space_files(folder))
        .collect();
    let files = files
        .iter()
        .map(|path| strip(&corpus::read(path)).into_bytes());
    let trees = (0..100).map(|index| print(&random_file(index)).into_bytes());
    files
        .filter(|text| text.len() < 4000)
        .chain(trees)
        .collect()
}

fn mutate(bytes: &mut Vec<u8>, corpus: &[Vec<u8>], stream: &mut Stream) {
    let at = stream.index(bytes.len() + 1);
    let length = stream.index(12).min(bytes.len() - at);
    match stream.below(6) {
        0 if at < bytes.len() => bytes[at] ^= 1 << stream.below(8),
        1 => drop(bytes.drain(at..at + length)),
        2 => {
            let again = bytes[at..at + length].to_vec();
            bytes.splice(at..at, again);
        }
        3 => {
            let other = &corpus[stream.index(corpus.len())];
            let from = stream.index(other.len() + 1);
            let to = (from + stream.index(60)).min(other.len());
            bytes.splice(at..at + length, other[from..to].iter().copied());
        }
        4 => bytes.truncate(at.max(bytes.len() / 2)),
        _ => {
            let piece = PIECES[stream.index(PIECES.len())];
            bytes.splice(at..at, piece.bytes());
        }
    }
}
