//! Bytes to tokens.
//!
//! Words of the grammar that would be ambiguous as names are reserved ([`Keyword`]); the others
//! (`step`, `times`, `tied`, `as`, `carry`, `depth` and the clauses of a `dag`) mean something only
//! where the grammar asks for them, and stay free for layers and parameters. Newlines are no tokens:
//! each token knows whether it opens a line, and the parser knows where that matters.

mod numbers;
mod tokens;

use super::syntax::Spanned;
use crate::diagnostics::{Diagnostic, Span};
use numbers::number;
pub use tokens::{Keyword, Kind, Token};

/// A text in tokens.
#[derive(Debug)]
pub struct Lexed {
    /// The tokens; the last is always [`Kind::End`].
    pub tokens: Vec<Token>,
    /// The comments, without `//` and trailing blanks.
    pub comments: Vec<Spanned<String>>,
    /// What is no token.
    pub diagnostics: Vec<Diagnostic>,
}

/// Most tokens in one file.
pub const MAX_TOKENS: usize = 1 << 18;

/// Splits `text` into tokens. Never fails: what is no token is reported and stays as
/// [`Kind::Unknown`]. A text of more than [`MAX_TOKENS`] tokens is cut there, with an error.
pub fn lex(text: &str) -> Lexed {
    let mut lexer = Lexer {
        text,
        at: 0,
        opens_line: true,
        lexed: Lexed {
            tokens: Vec::new(),
            comments: Vec::new(),
            diagnostics: Vec::new(),
        },
    };
    lexer.run();
    lexer.lexed
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    opens_line: bool,
    lexed: Lexed,
}

impl Lexer<'_> {
    fn run(&mut self) {
        // Editors on some systems open a file with this invisible mark.
        if self.text.starts_with('\u{feff}') {
            self.at = '\u{feff}'.len_utf8();
        }
        while let Some(next) = self.rest().chars().next() {
            match next {
                '\n' => {
                    self.opens_line = true;
                    self.at += 1;
                }
                ' ' | '\t' | '\r' => self.at += 1,
                _ if self.rest().starts_with("//") => self.comment(),
                _ if self.lexed.tokens.len() >= MAX_TOKENS => return self.cut(),
                _ => self.token(next),
            }
        }
        self.push(Kind::End, 0);
    }

    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn push(&mut self, kind: Kind, length: usize) {
        let span = Span::new(self.at, self.at + length);
        self.lexed.tokens.push(Token {
            kind,
            span,
            opens_line: self.opens_line,
        });
        self.at += length;
        self.opens_line = false;
    }

    fn cut(&mut self) {
        let span = Span::new(self.at, self.at);
        let message = format!("the file has more than {MAX_TOKENS} tokens");
        let error = Diagnostic::error(span, message).hint("split the space into smaller ones");
        self.lexed.diagnostics.push(error);
        self.push(Kind::End, 0);
    }

    fn comment(&mut self) {
        let line = self.rest().split('\n').next().unwrap_or_default();
        let comment = line.trim_end();
        let span = Span::new(self.at, self.at + comment.len());
        let (text, length) = (comment[2..].to_owned(), line.len());
        self.lexed.comments.push(Spanned::new(text, span));
        self.at += length;
    }

    fn token(&mut self, next: char) {
        let decimal = next == '.' && self.rest()[1..].starts_with(|c: char| c.is_ascii_digit());
        if next.is_ascii_digit() || decimal {
            let (kind, length, error) = number(self.rest(), self.at);
            self.lexed.diagnostics.extend(error);
            self.push(kind, length);
        } else if next.is_alphabetic() || next == '_' {
            self.word();
        } else if let Some((kind, length)) = punctuation(self.rest().as_bytes()) {
            self.push(kind, length);
        } else {
            self.unknown();
        }
    }

    fn word(&mut self) {
        let rest = self.rest();
        let length = rest.find(|c: char| !is_word(c)).unwrap_or(rest.len());
        let word = &rest[..length];
        if word.is_ascii() {
            let kind = Keyword::from_text(word).map_or(Kind::Name, Kind::Keyword);
            return self.push(kind, length);
        }
        let error = Diagnostic::error(
            Span::new(self.at, self.at + length),
            format!("`{}` is no name", clip(word)),
        )
        .hint("names are made of the letters a to z, digits and `_`");
        self.lexed.diagnostics.push(error);
        self.push(Kind::Unknown, length);
    }

    /// Reports a run of characters that begin no token, as one error.
    fn unknown(&mut self) {
        let rest = self.rest();
        let length = unknown_length(rest);
        let (run, span) = (&rest[..length], Span::new(self.at, self.at + length));
        let mut error = Diagnostic::error(span, format!("unexpected text `{}`", printable(run)));
        error.hints.extend(unknown_hint(run).map(String::from));
        self.lexed.diagnostics.push(error);
        self.push(Kind::Unknown, length);
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn punctuation(rest: &[u8]) -> Option<(Kind, usize)> {
    let pair = match rest {
        [b'.', b'.', ..] => Some(Kind::DotDot),
        [b'=', b'=', ..] => Some(Kind::Equal),
        [b'!', b'=', ..] => Some(Kind::NotEqual),
        [b'<', b'=', ..] => Some(Kind::LessEqual),
        [b'>', b'=', ..] => Some(Kind::GreaterEqual),
        [b'/', b'*', ..] | [b'=', b'<' | b'>', ..] => return None,
        _ => None,
    };
    if let Some(kind) = pair {
        return Some((kind, 2));
    }
    let kind = match rest.first()? {
        b'{' => Kind::OpenBrace,
        b'}' => Kind::CloseBrace,
        b'(' => Kind::OpenParen,
        b')' => Kind::CloseParen,
        b',' => Kind::Comma,
        b';' => Kind::Semicolon,
        b':' => Kind::Colon,
        b'|' => Kind::Bar,
        b'?' => Kind::Question,
        b'@' => Kind::At,
        b'.' => Kind::Dot,
        b'=' => Kind::Assign,
        b'<' => Kind::Less,
        b'>' => Kind::Greater,
        b'+' => Kind::Plus,
        b'-' => Kind::Minus,
        b'*' => Kind::Star,
        b'/' => Kind::Slash,
        b'^' => Kind::Caret,
        _ => return None,
    };
    Some((kind, 1))
}

/// How far the text goes that begins no token: a comment or string of another language as a whole,
/// within its line, else until something familiar.
fn unknown_length(rest: &str) -> usize {
    let line = rest.find('\n').unwrap_or(rest.len());
    let foreign = |open: &str, close: &str| {
        let body = rest[..line].strip_prefix(open)?;
        let end = body.find(close)?;
        Some(open.len() + end + close.len())
    };
    let quoted = foreign("/*", "*/")
        .or_else(|| foreign("\"", "\""))
        .or_else(|| foreign("'", "'"));
    if let Some(length) = quoted {
        return length;
    }
    let first = if rest.starts_with("/*") || rest.starts_with('=') {
        2
    } else {
        rest.chars().next().map_or(0, char::len_utf8)
    };
    let familiar = |(at, c): (usize, char)| {
        at >= first
            && (c.is_ascii_whitespace()
                || is_word(c)
                || punctuation(&rest.as_bytes()[at..]).is_some())
    };
    rest.char_indices()
        .find(|&found| familiar(found))
        .map_or(rest.len(), |(at, _)| at)
}

fn unknown_hint(run: &str) -> Option<&'static str> {
    match run {
        "&&" | "&" => Some("write `and`"),
        _ if run.starts_with('!') => Some("write `not`"),
        _ if run.starts_with('#') || run.starts_with("/*") => Some("comments open with `//`"),
        _ if run.starts_with(['"', '\'']) => Some("words stand without quotation marks"),
        "=<" => Some("write `<=`"),
        "=>" => Some("write `>=`"),
        "%" => Some("values have `+ - * / ^`"),
        _ => None,
    }
}

/// `text` as a message can quote it, though it may hold anything.
fn printable(text: &str) -> String {
    let escape = |c: char| match c.is_control() {
        true => c.escape_default().to_string(),
        false => c.to_string(),
    };
    clip(text).chars().map(escape).collect()
}

/// `text` short enough to be quoted in a message.
pub fn clip(text: &str) -> String {
    const MOST: usize = 40;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<Kind> {
        lex(text).tokens.iter().map(|token| token.kind).collect()
    }

    #[test]
    fn a_range_of_integers_holds_no_decimal_point() {
        assert_eq!(
            kinds("1..3"),
            [Kind::Int(1), Kind::DotDot, Kind::Int(3), Kind::End]
        );
        assert_eq!(kinds("0.5..1")[0], Kind::Float(0.5));
    }

    #[test]
    fn comments_are_kept_beside_the_tokens() {
        let lexed = lex("a // one \r\n//two\nb");
        let comments: Vec<&str> = lexed.comments.iter().map(|c| c.node.as_str()).collect();
        assert_eq!(comments, [" one", "two"]);
        assert_eq!(lexed.comments[0].span, Span::new(2, 8));
        assert!(lexed.tokens[1].opens_line && lexed.diagnostics.is_empty());
    }

    #[test]
    fn text_of_another_language_is_one_error() {
        for text in ["\"a b\"", "/* a b */", "§¶", "'x'", "čs"] {
            let lexed = lex(text);
            assert_eq!(
                (lexed.tokens.len(), lexed.diagnostics.len()),
                (2, 1),
                "{text}"
            );
        }
    }

    #[test]
    fn a_file_of_too_many_tokens_is_cut() {
        let lexed = lex(&"a ".repeat(MAX_TOKENS + 1));
        assert_eq!(lexed.tokens.len(), MAX_TOKENS + 1);
        assert!(lexed.diagnostics[0].message.contains("tokens"));
    }
}
