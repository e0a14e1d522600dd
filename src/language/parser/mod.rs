//! Tokens to a syntax tree, whatever the text.
//!
//! [`parse`] is a pure function that never fails and never panics: it returns what it understood and
//! everything that is wrong. After a mistake it goes on at the next place it is sure of (a comma, a
//! line, an item), so independent mistakes are reported together, and one mistake once.
//!
//! # Where the grammar had a choice
//!
//! - A newline or `;` ends a statement, but not inside `( )`, not before a line that opens with `|`,
//!   and not where something must follow (after an operator, `=`, `:` or before the `{` of a form).
//!   Inside the `{ }` of a form that stands in parentheses newlines count again.
//! - Statements may share a line without a separator as long as each opens with a name or a form's
//!   word. `name (` on one line is a call; a `{` right after an operation is refused, because
//!   it is a misspelt form far more often than a sequence (write `;` to have one).
//! - `?` stands before `@`: `term? @ weight`.
//! - Operators from loosest to tightest: `or`, `and`, `not`, comparisons and `in`, `..`, `+ -`,
//!   `* /`, unary `-`, `^`. Comparisons and ranges do not chain. The whole ladder is understood
//!   wherever a value may stand; only operations refuse bare values.
//! - `(x)` alone is `x`; `(a | b)` is a choice as an operand. After `in`, `( … )` is a list unless an
//!   operator or `..` follows it.
//! - A trailing comma is allowed wherever commas separate.
//! - `space` comes first in the file, so that the formatter never moves it.
//! - A `let` with parameters takes a body, never `=`.
//!
//! # Limits
//!
//! A file has at most [`MAX_BYTES`] bytes and [`lexer::MAX_TOKENS`](super::lexer::MAX_TOKENS) tokens,
//! and its tree at most [`MAX_DEPTH`] levels; a chain of operators or of `else if` counts one a link,
//! so a tree that was parsed can be walked, printed and dropped by recursion on a small stack.

mod cursor;
mod dag;
mod expressions;
mod forms;
mod items;
mod lists;
mod statements;

pub use cursor::{MAX_BYTES, MAX_DEPTH};
pub use items::{Parse, parse};
