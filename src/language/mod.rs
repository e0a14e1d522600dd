//! The search-space language: text to syntax tree to search space, and back to text.
//!
//! [`parse`] is a pure function that never fails: it returns a tree and what is wrong with the text.
//! The checker gives the tree its meaning as a [`SearchSpace`](crate::space::SearchSpace); the
//! formatter prints any tree. This module owns names and syntax, and no mathematics of spaces.

mod check;
mod format;
mod lexer;
mod operators;
mod parser;
pub mod syntax;

pub use check::{Compiled, check, compile};
pub use format::{format, print};
pub use parser::{MAX_BYTES, MAX_DEPTH, Parse, parse};
