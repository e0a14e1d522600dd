//! The parser's place in the tokens: looking, taking, reporting, recovering, and its limits.

use crate::diagnostics::{Diagnostic, Span, closest_name};
use crate::language::lexer::{Keyword, Kind, Token, clip};
use crate::language::syntax::{Name, Spanned};

/// Most bytes in one file.
pub const MAX_BYTES: usize = 1 << 20;

/// Most levels of a tree.
pub const MAX_DEPTH: usize = 128;

/// After so many errors the rest is not read.
const MAX_ERRORS: usize = 100;

/// Reads tokens one by one. Its methods in the sibling modules each read one form of the grammar.
pub struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    at: usize,
    diagnostics: Vec<Diagnostic>,
    /// Whether a newline ends a statement here: not directly inside parentheses.
    newlines_count: bool,
    /// How many levels enclose this place.
    depth: usize,
    /// How many levels the tallest part of the current level has so far.
    height: usize,
    /// The token the last error was found at: a second error there is a consequence of the first.
    last_error: Option<usize>,
    /// Whether an error was reported that no one has recovered from yet.
    lost: bool,
    stopped: bool,
    /// The token that the current statement, clause or item opens with.
    opening: usize,
    /// The first brace that closes at another indentation than it opens: where a `}` may be missing.
    slanted: Option<(Span, Span)>,
}

impl<'a> Parser<'a> {
    /// At the first of `tokens`, which end with [`Kind::End`].
    pub fn new(text: &'a str, tokens: Vec<Token>) -> Self {
        Self {
            text,
            tokens,
            at: 0,
            diagnostics: Vec::new(),
            newlines_count: true,
            depth: 0,
            height: 0,
            last_error: None,
            lost: false,
            stopped: false,
            opening: 0,
            slanted: None,
        }
    }

    /// Everything that was reported.
    pub fn into_diagnostics(self) -> Vec<Diagnostic> {
        self.diagnostics
    }

    // Looking.

    /// The next token.
    pub fn peek(&self) -> Token {
        self.tokens[self.at]
    }

    /// What the next token is.
    pub fn kind(&self) -> Kind {
        self.peek().kind
    }

    /// The token `ahead` after the next one.
    pub fn look(&self, ahead: usize) -> Token {
        self.tokens[(self.at + ahead).min(self.tokens.len() - 1)]
    }

    /// Whether a newline that counts stands before the next token.
    pub fn at_line_break(&self) -> bool {
        self.newlines_count && self.peek().opens_line
    }

    /// Whether the next token is `kind`, before any line break.
    pub fn at_inline(&self, kind: Kind) -> bool {
        self.kind() == kind && !self.at_line_break()
    }

    /// Whether the next token is the word `word` that is no keyword, before any line break.
    pub fn at_word(&self, word: &str) -> bool {
        self.at_inline(Kind::Name) && self.token_text() == word
    }

    /// The next token as written.
    pub fn token_text(&self) -> &'a str {
        self.source(self.peek().span)
    }

    /// The text at `span`.
    pub fn source(&self, span: Span) -> &'a str {
        &self.text[span.start..span.end]
    }

    /// The end of the token before the next one.
    pub fn last_end(&self) -> usize {
        self.at
            .checked_sub(1)
            .map_or(0, |last| self.tokens[last].span.end)
    }

    /// The start of the token before the next one.
    pub fn last_start(&self) -> usize {
        self.at
            .checked_sub(1)
            .map_or(0, |last| self.tokens[last].span.start)
    }

    /// The text of the token before the next one.
    pub fn word_before(&self) -> &'a str {
        self.at
            .checked_sub(1)
            .map_or("", |last| self.source(self.tokens[last].span))
    }

    /// From `start` to the end of the token before the next one.
    pub fn span_from(&self, start: usize) -> Span {
        Span::new(start, self.last_end().max(start))
    }

    /// Where to point for the next token: behind the last one if what is missing belonged there.
    fn here(&self) -> Span {
        if self.kind() == Kind::End || self.line_ended() {
            return Span::new(self.last_end(), self.last_end());
        }
        self.peek().span
    }

    /// Whether the next token opens a line and something else, so that the line before it lacks
    /// what is missing.
    fn line_ended(&self) -> bool {
        let counts = self.newlines_count || self.ends_list();
        self.peek().opens_line && counts && self.at > self.opening
    }

    /// The next token as a message names it.
    fn found(&self) -> String {
        match self.kind() {
            Kind::End => "the end of the file".to_owned(),
            _ if self.line_ended() => "the end of the line".to_owned(),
            _ => format!("`{}`", clip(self.token_text())),
        }
    }

    // Taking.

    /// Takes the next token, whatever it is; the end is never passed.
    pub fn advance(&mut self) -> Token {
        let token = self.peek();
        if token.kind != Kind::End {
            self.at += 1;
        }
        token
    }

    /// Takes the next token if it is `kind`.
    pub fn eat(&mut self, kind: Kind) -> bool {
        let found = self.kind() == kind;
        if found {
            self.advance();
        }
        found
    }

    /// Takes the next token if it is `kind` and no line break stands before it.
    pub fn eat_inline(&mut self, kind: Kind) -> bool {
        self.at_inline(kind) && self.eat(kind)
    }

    /// Takes the next token if it is the word `word`.
    pub fn eat_word(&mut self, word: &str) -> bool {
        let found = self.at_word(word);
        if found {
            self.advance();
        }
        found
    }

    /// Takes a name; `role` says of what (`the block`). A keyword in its place is reported and taken.
    pub fn name(&mut self, role: &str) -> Option<Name> {
        let word = self.token_text();
        match self.kind() {
            Kind::Name if !self.at_line_break() => {}
            Kind::Keyword(keyword) if !self.at_line_break() && !keyword.opens_item() => {
                let message = format!("`{word}` is a word of the language and names nothing else");
                let error = Diagnostic::error(self.peek().span, message);
                self.report(error.hint(format!("choose another name for {role}")));
                self.lost = false;
            }
            _ => {
                self.expected(&format!("a name for {role}"));
                return None;
            }
        }
        Some(Spanned::new(word.to_owned(), self.advance().span))
    }

    /// Takes any word, keyword or not, as a name: where only a name can stand.
    pub fn any_word(&mut self) -> Option<Name> {
        let word = self.token_text();
        matches!(self.kind(), Kind::Name | Kind::Keyword(_))
            .then(|| Spanned::new(word.to_owned(), self.advance().span))
    }

    // Reporting.

    /// Adds an error, unless one was already found at this very token.
    pub fn report(&mut self, diagnostic: Diagnostic) {
        let again = self.last_error == Some(self.at);
        self.last_error = Some(self.at);
        self.lost = true;
        if self.stopped || again {
            return;
        }
        self.diagnostics.push(diagnostic);
        if self.diagnostics.len() >= MAX_ERRORS {
            let message = format!("more than {MAX_ERRORS} errors; the rest was not read");
            self.diagnostics
                .push(Diagnostic::error(self.here(), message));
            self.stop();
        }
    }

    /// Reports that `what` was expected at the next token; text that is no token was reported before.
    pub fn expected(&mut self, what: &str) {
        self.expected_with(what, None);
    }

    /// As [`Self::expected`], with advice.
    pub fn expected_with(&mut self, what: &str, hint: Option<String>) {
        if self.kind() == Kind::Unknown {
            self.last_error = Some(self.at);
            self.lost = true;
            return;
        }
        let message = format!("expected {what}, found {}", self.found());
        let mut error = Diagnostic::error(self.here(), message);
        error.hints.extend(hint);
        self.report(error);
    }

    /// Reports `open` as never closed, as seen from the next token.
    pub fn unclosed(&mut self, open: Span) {
        let bracket = self.source(open);
        let close = if bracket == "(" { ")" } else { "}" };
        let here_span = self.peek().span;
        let here = match self.kind() {
            Kind::End => "the file ends here".to_owned(),
            _ => format!("`{close}` is missing before this"),
        };
        let slanted = self.slanted.filter(|_| bracket == "{");
        let error = match slanted {
            Some((open, end)) => Diagnostic::error(open, "unclosed `{`")
                .related(end, "closed here, at another indentation"),
            None => {
                Diagnostic::error(open, format!("unclosed `{bracket}`")).related(here_span, here)
            }
        };
        self.report(error.hint(format!("add `{close}`")));
    }

    /// "did you mean", if one of `words` is close to `name`.
    pub fn did_you_mean(name: &str, words: &[&'static str]) -> Option<&'static str> {
        closest_name(name, words.iter().copied())
    }

    // Recovering.

    /// How many errors were reported.
    pub fn errors(&self) -> usize {
        self.diagnostics.len()
    }

    /// Notes that a statement, clause or item opens here; gives where.
    pub fn begin(&mut self) -> usize {
        self.opening = self.at;
        self.peek().span.start
    }

    /// Whether an error waits for someone to find a safe place.
    pub fn is_lost(&self) -> bool {
        self.lost
    }

    /// As [`Self::is_lost`]; the caller promises to find one.
    pub fn take_lost(&mut self) -> bool {
        std::mem::take(&mut self.lost)
    }

    /// Skips to the end of the statement: a line, `;`, a `}` that closes the body, or an item.
    pub fn skip_statement(&mut self) {
        let start = self.at;
        self.skip_until(|parser| {
            let fresh_line = parser.at > start && parser.peek().opens_line;
            fresh_line || matches!(parser.kind(), Kind::Semicolon | Kind::CloseBrace)
        });
    }

    /// Skips to a line that opens with an item.
    pub fn skip_item(&mut self) {
        self.skip_until(|parser| {
            parser.peek().opens_line && parser.kind() == Kind::Keyword(Keyword::Let)
        });
    }

    /// Skips, passing over matched brackets, to a token that `found` accepts, a line that opens with
    /// an item, or the end.
    pub fn skip_until(&mut self, found: impl Fn(&Self) -> bool) {
        let mut open = 0_usize;
        loop {
            let token = self.peek();
            match token.kind {
                Kind::End => break,
                Kind::Keyword(keyword) if token.opens_line && keyword.opens_item() => break,
                _ if open == 0 && found(self) => break,
                Kind::OpenBrace | Kind::OpenParen => open += 1,
                Kind::CloseBrace | Kind::CloseParen => open = open.saturating_sub(1),
                _ => {}
            }
            self.advance();
        }
        self.lost = false;
    }

    // Newlines, brackets and limits.

    /// Reads with newlines counting or not.
    pub fn with_newlines<T>(&mut self, count: bool, read: impl FnOnce(&mut Self) -> T) -> T {
        let outer = std::mem::replace(&mut self.newlines_count, count);
        let result = read(self);
        self.newlines_count = outer;
        result
    }

    /// Reads one level down.
    pub fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> T) -> T {
        let outer = std::mem::take(&mut self.height);
        self.depth += 1;
        self.check_depth();
        let result = read(self);
        self.depth -= 1;
        self.height = outer.max(self.height + 1);
        result
    }

    /// Counts one more level above everything read so far in this one, as an operator puts there.
    pub fn grow(&mut self) {
        self.height += 1;
        self.check_depth();
    }

    /// Notes the braces of a body, to guess later where one is missing.
    pub fn note_braces(&mut self, open: Span, close: Token) {
        if close.opens_line && self.indentation(open.start) != self.indentation(close.span.start) {
            self.slanted.get_or_insert((open, close.span));
        }
    }

    fn indentation(&self, at: usize) -> usize {
        let line = self.text[..at].rfind('\n').map_or(0, |newline| newline + 1);
        let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
        self.text.as_bytes()[line..]
            .iter()
            .take_while(|byte| blank(byte))
            .count()
    }

    fn check_depth(&mut self) {
        if self.depth + self.height > MAX_DEPTH && !self.stopped {
            let message = format!("nested deeper than {MAX_DEPTH} levels");
            let error = Diagnostic::error(self.peek().span, message);
            self.diagnostics
                .push(error.hint("name the inner parts with `let` or `block`"));
            self.stop();
        }
    }

    /// Goes to the end at once; what is found there is no news.
    fn stop(&mut self) {
        self.stopped = true;
        self.at = self.tokens.len() - 1;
    }
}
