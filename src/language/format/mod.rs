//! A tree back to text, in one canonical layout.
//!
//! Four spaces a level, one statement a line, one blank line at most, numbers and parentheses in their
//! shortest form. What may stand on one line or on several (a body, a choice, a list of arguments)
//! stays on one line if it was written so and fits 100 columns; what was broken stays broken. A
//! layout decision thus leaves a trace that the next run reads, which is why formatting twice
//! changes nothing.
//!
//! Comments keep their order. One that follows something on its line stays at the end of that line;
//! any other keeps a line of its own. One in the middle of a value moves to the end of its statement.

mod expressions;
mod items;
mod numbers;
mod printer;
mod statements;

use super::parser::parse;
use super::syntax::File;
use crate::diagnostics::{Diagnostic, Severity};
use printer::Printer;

/// The canonical layout of a `.space` text.
///
/// Formatting the result again gives the same text, and it parses to an equal tree.
///
/// # Errors
///
/// The diagnostics of a text that has errors: its layout is left alone.
pub fn format(text: &str) -> Result<String, Vec<Diagnostic>> {
    let parse = parse(text);
    if parse
        .diagnostics
        .iter()
        .any(|diagnostic| diagnostic.severity == Severity::Error)
    {
        return Err(parse.diagnostics);
    }
    Ok(Printer::new(Some(text), &parse.file.comments).file(&parse.file))
}

/// A tree as text that parses to an equal tree, if it holds no error nodes.
///
/// Without the source there is no telling which comments stood at the end of a line, so each gets a
/// line of its own; and what fits on a line stands on one, except the bodies of items.
pub fn print(file: &File) -> String {
    Printer::new(None, &file.comments).file(file)
}

#[cfg(test)]
mod tests;
