//! What holds for every tree: printing and parsing are inverse, formatting settles at once, and
//! comments survive it.

use super::trees::random_file;
use strata::language::syntax::File;
use strata::language::{format, parse, print};
use strata::random::{Purpose, Seed, Stream};

const TREES: u64 = 10_000;

#[test]
fn a_printed_tree_parses_back_to_itself() {
    for index in 0..TREES {
        let file = random_file(index);
        let text = print(&file);
        let parse = parse(&text);
        assert_eq!(parse.diagnostics, [], "tree {index}\n{text}");
        assert!(
            parse.file == file,
            "tree {index}\n{text}\n{file:#?}\n{:#?}",
            parse.file
        );
        assert_settles(&text, &file, index);
    }
}

#[test]
fn comments_survive_wherever_they_stand() {
    let mut formatted = 0;
    for index in 0..TREES {
        let mut stream = Seed(1).derive("comments", index).stream(0, Purpose::Tool);
        let text = with_comments(&print(&random_file(index)), &mut stream);
        let parse = parse(&text);
        // A comment brings a newline, which does not fit everywhere.
        if parse.diagnostics.is_empty() {
            assert_settles(&text, &parse.file, index);
            formatted += 1;
        }
    }
    assert!(
        formatted > TREES / 2,
        "only {formatted} texts could take comments"
    );
}

/// Asserts that formatting keeps tree and comments, and changes nothing the second time.
fn assert_settles(text: &str, file: &File, index: u64) {
    let once = format(text).unwrap_or_else(|errors| panic!("tree {index}\n{text}\n{errors:?}"));
    let again = parse(&once);
    assert!(again.file == *file, "tree {index}\n{text}\n---\n{once}");
    let comments = |file: &File| -> Vec<String> {
        file.comments
            .iter()
            .map(|comment| comment.node.clone())
            .collect()
    };
    assert_eq!(
        comments(&again.file),
        comments(&parse(text).file),
        "tree {index}\n{text}\n{once}"
    );
    let twice = format(&once).expect("formatted text has no errors");
    assert!(
        twice == once,
        "tree {index}\n{text}\n--- once\n{once}\n--- twice\n{twice}"
    );
}

/// `text` with a few comments where blanks are, mostly at the ends of lines, and some lines joined or
/// split there.
fn with_comments(text: &str, stream: &mut Stream) -> String {
    let mut commented = String::new();
    for (at, c) in text.char_indices() {
        let blank = c == ' ' || c == '\n';
        let likely = if c == '\n' { 4 } else { 60 };
        match blank && stream.below(likely) == 0 {
            true if stream.below(4) == 0 => commented.push_str("\n\n\n"),
            true if stream.below(2) == 0 => commented.push_str(&format!(" // at {at}\n")),
            true => commented.push_str(&format!("\n  //own {at}  \n\n")),
            false => commented.push(c),
        }
    }
    commented
}
