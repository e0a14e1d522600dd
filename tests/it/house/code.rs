//! Source files as the rules see them: code without comments, text and tests.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// One file under `src/`.
#[derive(Debug)]
pub struct SourceFile {
    /// The path from the repository's root.
    pub path: String,
    /// The top-level module it belongs to; empty for `lib.rs` and `main.rs`.
    pub module: String,
    /// The number of lines, tests included.
    pub lines: usize,
    /// The text with blanks for comments, literals and tests; lines are kept.
    pub code: String,
    /// How many `super`s lead out of the file's top-level module.
    depth: usize,
}

/// Every file under `src/` that is not all tests.
pub fn sources() -> Vec<SourceFile> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = Vec::new();
    collect(&root.join("src"), &mut paths);
    paths.sort();
    paths
        .iter()
        .filter(|path| !path.ends_with("tests.rs"))
        .map(|path| open(root, path))
        .collect()
}

fn collect(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("tests") {
            collect(&path, into);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            into.push(path);
        }
    }
}

fn open(root: &Path, path: &Path) -> SourceFile {
    let text = fs::read_to_string(path).unwrap();
    let path = path.strip_prefix(root).unwrap();
    let parts: Vec<_> = path
        .iter()
        .skip(1)
        .map(|part| part.to_str().unwrap())
        .collect();
    let module = parts[0].trim_end_matches(".rs");
    let module = if ["lib", "main"].contains(&module) {
        ""
    } else {
        module
    };
    let own_folder = usize::from(parts.len() > 1 && parts.last() == Some(&"mod.rs"));
    SourceFile {
        path: path.display().to_string(),
        module: module.to_owned(),
        lines: text.lines().count(),
        code: without_tests(&without_text(&text)).to_owned(),
        depth: parts.len() - own_folder,
    }
}

impl SourceFile {
    /// The top-level modules that the code names through `crate::`.
    pub fn used_modules(&self) -> BTreeSet<String> {
        let mut used = BTreeSet::new();
        for (at, _) in self.code.match_indices("crate::") {
            let rest = &self.code[at + "crate::".len()..];
            match rest.strip_prefix('{') {
                Some(group) => used.extend(first_names(group)),
                None => used.extend(first_name(rest)),
            }
        }
        // Macros and re-exports at the root are nobody's module.
        used.retain(|name| name.starts_with(char::is_lowercase));
        used
    }

    /// Whether a chain of `super`s reaches the crate's root.
    pub fn climbs_out(&self) -> bool {
        self.code.contains(&"super::".repeat(self.depth))
    }

    /// Each function's name and number of lines.
    pub fn function_lengths(&self) -> Vec<(String, usize)> {
        let starts = self.code.match_indices("fn ").filter(|(at, _)| {
            !self.code[..*at].ends_with(|before: char| before.is_alphanumeric() || before == '_')
        });
        starts
            .filter_map(|(at, _)| function(&self.code[at + "fn ".len()..]))
            .collect()
    }
}

fn first_name(text: &str) -> Option<String> {
    let end = text
        .find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(text.len());
    (end > 0).then(|| text[..end].to_owned())
}

/// The first names of the paths in a `use` group, after its opening brace.
fn first_names(group: &str) -> Vec<String> {
    let mut depth = 0;
    let mut names = Vec::new();
    let mut at_start = true;
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => at_start = true,
            c if c.is_whitespace() => {}
            _ if at_start && depth == 0 => {
                names.extend(first_name(&group[at..]));
                at_start = false;
            }
            _ => {}
        }
    }
    names
}

/// The name and length of the function whose name `text` starts with; none for a pointer type, or a
/// function without a body.
fn function(text: &str) -> Option<(String, usize)> {
    let name = first_name(text)?;
    let mut brackets = 0i32;
    let mut braces = 0i32;
    let mut lines = 1;
    for c in text.chars() {
        match c {
            '(' | '[' if braces == 0 => brackets += 1,
            ')' | ']' if braces == 0 => brackets -= 1,
            ';' if braces == 0 && brackets == 0 => return None,
            '{' => braces += 1,
            '}' => braces -= 1,
            '\n' => lines += 1,
            _ => {}
        }
        if c == '}' && braces <= 0 {
            return (braces == 0).then_some((name, lines));
        }
    }
    None
}

/// The text before its tests, which stand at the end of a file by custom.
fn without_tests(code: &str) -> &str {
    let module = code.match_indices("#[cfg(test)]").find(|(at, mark)| {
        let rest = code[at + mark.len()..].trim_start();
        rest.strip_prefix("pub(super) ")
            .unwrap_or(rest)
            .starts_with("mod ")
    });
    &code[..module.map_or(code.len(), |(at, _)| at)]
}

/// The text with blanks in place of comments and of what stands in quotes.
fn without_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let skipped = comment(rest).or_else(|| quoted(rest, &out));
        let length = skipped.unwrap_or(c.len_utf8());
        match skipped {
            Some(_) => out.extend(
                rest[..length]
                    .chars()
                    .map(|c| if c == '\n' { c } else { ' ' }),
            ),
            None => out.push(c),
        }
        rest = &rest[length..];
    }
    out
}

/// The length of the comment that `text` starts with.
fn comment(text: &str) -> Option<usize> {
    if text.starts_with("//") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    let inner = text.strip_prefix("/*")?;
    inner.find("*/").map(|end| end + 4).or(Some(text.len()))
}

/// The length of the string or character that `text` starts with, after `before`.
fn quoted(text: &str, before: &str) -> Option<usize> {
    let within_word = before.ends_with(|c: char| c.is_alphanumeric() || c == '_');
    if let Some(raw) = text
        .strip_prefix('r')
        .filter(|_| !within_word || before.ends_with('b'))
    {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        if raw[hashes..].starts_with('"') {
            let close = format!("\"{}", "#".repeat(hashes));
            let start = 1 + hashes + 1;
            return text[start..]
                .find(&close)
                .map(|end| start + end + close.len());
        }
    }
    match text.chars().next()? {
        '"' => closing(text, '"'),
        // A lifetime has no closing quote after one character.
        '\'' if text[1..].starts_with('\\') => closing(text, '\''),
        '\'' => {
            let inner = text[1..].chars().next()?;
            let end = 1 + inner.len_utf8();
            text[end..].starts_with('\'').then_some(end + 1)
        }
        _ => None,
    }
}

/// The length of `text` to the `quote` that closes it, past escaped ones.
fn closing(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return Some(at + 1),
            _ => {}
        }
    }
    None
}

#[test]
fn comments_and_literals_are_no_code() {
    let code = without_text("a // b\n\"c \\\" d\" 'e' '\\'' &'f str r#\"g\" h\"# /* i\nj */ k");
    assert_eq!(
        code.split_whitespace().collect::<Vec<_>>(),
        ["a", "&'f", "str", "k"]
    );
    assert_eq!(code.lines().count(), 3);
}

#[test]
fn functions_are_measured_from_name_to_brace() {
    let code = "fn a() -> [u8; 2] {\n  { }\n}\ntrait T { fn b(&self);\n fn c() { } }\n".to_owned();
    let file = SourceFile {
        path: String::new(),
        module: String::new(),
        lines: 0,
        code,
        depth: 1,
    };
    assert_eq!(
        file.function_lengths(),
        [("a".to_owned(), 3), ("c".to_owned(), 1)]
    );
}

#[test]
fn modules_are_found_in_paths_and_groups() {
    let code =
        "use crate::{data::{A, b}, layers, space::C}; crate::model::d(); crate::X".to_owned();
    let file = SourceFile {
        path: String::new(),
        module: String::new(),
        lines: 0,
        code,
        depth: 1,
    };
    let used: Vec<String> = file.used_modules().into_iter().collect();
    assert_eq!(used, ["data", "layers", "model", "space"]);
}
