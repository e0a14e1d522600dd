//! What tokens there are, and which words are reserved.

use crate::diagnostics::Span;

/// A word that can't be a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keyword {
    And,
    Block,
    Branch,
    Dag,
    Else,
    False,
    If,
    In,
    Input,
    Let,
    Limit,
    Network,
    Not,
    Or,
    Output,
    Recipe,
    Repeat,
    Require,
    Residual,
    Space,
    True,
}

/// Every reserved word, by its text.
const KEYWORDS: [(&str, Keyword); 21] = [
    ("and", Keyword::And),
    ("block", Keyword::Block),
    ("branch", Keyword::Branch),
    ("dag", Keyword::Dag),
    ("else", Keyword::Else),
    ("false", Keyword::False),
    ("if", Keyword::If),
    ("in", Keyword::In),
    ("input", Keyword::Input),
    ("let", Keyword::Let),
    ("limit", Keyword::Limit),
    ("network", Keyword::Network),
    ("not", Keyword::Not),
    ("or", Keyword::Or),
    ("output", Keyword::Output),
    ("recipe", Keyword::Recipe),
    ("repeat", Keyword::Repeat),
    ("require", Keyword::Require),
    ("residual", Keyword::Residual),
    ("space", Keyword::Space),
    ("true", Keyword::True),
];

impl Keyword {
    /// The keyword spelt `text`.
    pub fn from_text(text: &str) -> Option<Self> {
        if !(2..=8).contains(&text.len()) {
            return None;
        }
        let at = KEYWORDS
            .binary_search_by_key(&text, |&(word, _)| word)
            .ok()?;
        Some(KEYWORDS[at].1)
    }

    /// Whether it opens an item that can't stand inside a body. `let` can, and `output` is also a
    /// clause of a `dag`, whose parser looks first.
    pub fn opens_item(self) -> bool {
        use Keyword::{Block, Input, Limit, Network, Output, Recipe, Require, Space};
        matches!(
            self,
            Block | Input | Limit | Network | Output | Recipe | Require | Space
        )
    }
}

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    Name,
    Keyword(Keyword),
    Int(i64),
    Float(f64),
    OpenBrace,
    CloseBrace,
    OpenParen,
    CloseParen,
    Comma,
    Semicolon,
    Colon,
    Bar,
    Question,
    At,
    Dot,
    DotDot,
    Assign,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Plus,
    Minus,
    Star,
    Slash,
    Caret,
    /// Text that is no token; an error was reported.
    Unknown,
    /// The end of the text.
    End,
}

/// A token and its place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// Where it stands.
    pub span: Span,
    /// Whether a newline stands between it and the token before it.
    pub opens_line: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_are_sorted_as_the_search_needs() {
        assert!(KEYWORDS.is_sorted_by_key(|&(word, _)| word));
        for (word, keyword) in KEYWORDS {
            assert_eq!(Keyword::from_text(word), Some(keyword));
        }
    }
}
