//! The forms that take bodies: `residual`, `branch`, `repeat`, `if`.

use super::cursor::Parser;
use crate::diagnostics::{Diagnostic, Span};
use crate::language::lexer::{Keyword, Kind};
use crate::language::syntax::{
    Alternative, Argument, Body, Choice, IgnoredSpan, Repeat, Spanned, Statement, Term,
};

/// The words that may follow the count of a `repeat`.
const REPEAT_WORDS: [&str; 3] = ["tied", "as", "carry"];

impl Parser<'_> {
    /// The form that `word`, the next token, opens.
    pub fn form(&mut self, word: Keyword) -> Term {
        let start = self.advance().span.start;
        let form = match word {
            Keyword::Residual => self.residual(),
            Keyword::Branch => self.branch(),
            Keyword::Repeat => self.repeat(),
            Keyword::If => self.if_(start),
            _ => self.dag(),
        };
        form.unwrap_or(Term::Error)
    }

    fn form_arguments(&mut self) -> Vec<Argument> {
        if self.at_inline(Kind::OpenParen) {
            self.arguments()
        } else {
            Vec::new()
        }
    }

    fn residual(&mut self) -> Option<Term> {
        let arguments = self.form_arguments();
        let body = self.body("`residual`")?;
        Some(Term::Residual { arguments, body })
    }

    fn branch(&mut self) -> Option<Term> {
        let arguments = self.form_arguments();
        let open = self.open_brace("`branch`")?;
        let paths = self.nested(|parser| parser.with_newlines(true, |parser| parser.paths(open)));
        Some(Term::Branch { arguments, paths })
    }

    fn paths(&mut self, open: Span) -> Vec<Body> {
        let mut paths = Vec::new();
        while self.in_braces(open) {
            let start = self.begin();
            if self.kind() == Kind::OpenBrace {
                paths.extend(self.body("a path"));
            } else {
                let hint = "each path of a `branch` has braces of its own";
                self.expected_with("a path `{ … }`", Some(hint.to_owned()));
            }
            self.settle(start);
        }
        paths
    }

    fn repeat(&mut self) -> Option<Term> {
        let count = self.expression();
        let mut repeat = Repeat {
            count,
            tied: false,
            index: None,
            carry: None,
            body: Body::default(),
        };
        while self.repeat_word(&mut repeat) {}
        repeat.body = self.body("`repeat`")?;
        Some(Term::Repeat(repeat))
    }

    /// Reads one of the words after the count into `repeat`; false if there is none.
    fn repeat_word(&mut self, repeat: &mut Repeat) -> bool {
        if !self.at_inline(Kind::Name) {
            return false;
        }
        let word = self.token_text();
        let Some(meant) = Self::did_you_mean(word, &REPEAT_WORDS) else {
            return false;
        };
        let given = match meant {
            "tied" => repeat.tied,
            "as" => repeat.index.is_some(),
            _ => repeat.carry.is_some(),
        };
        if meant != word || given {
            self.wrong_repeat_word(word, meant);
        }
        self.advance();
        match meant {
            "tied" => repeat.tied = true,
            "as" => repeat.index = self.name("the copy's number").or(repeat.index.take()),
            _ => repeat.carry = Some(self.expression()),
        }
        true
    }

    fn wrong_repeat_word(&mut self, word: &str, meant: &str) {
        let span = self.peek().span;
        let error = if word == meant {
            Diagnostic::error(span, format!("`{word}` stands here twice")).hint("remove one")
        } else {
            Diagnostic::error(span, format!("`repeat` knows no word `{word}`"))
                .hint(format!("did you mean `{meant}`?"))
        };
        self.report(error);
        self.take_lost();
    }

    fn if_(&mut self, start: usize) -> Option<Term> {
        let condition = self.expression();
        let then = self.body("`if`")?;
        let otherwise = if self.eat(Kind::Keyword(Keyword::Else)) {
            Some(self.otherwise(start)?)
        } else {
            None
        };
        Some(Term::If {
            condition,
            then,
            otherwise,
        })
    }

    fn otherwise(&mut self, start: usize) -> Option<Body> {
        if self.kind() != Kind::Keyword(Keyword::If) {
            return self.body("`else`");
        }
        let inner = self.peek().span.start;
        let node = self.nested(|parser| parser.form(Keyword::If));
        let span = self.span_from(inner.max(start));
        let alternative = Alternative {
            term: Spanned::new(node, span),
            optional: false,
            weight: None,
        };
        let span = IgnoredSpan(span);
        let choice = Choice {
            alternatives: vec![alternative],
            span,
        };
        Some(Body {
            statements: vec![Statement::Choice(choice)],
            span,
        })
    }
}
