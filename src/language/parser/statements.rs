//! Bodies, statements, choices and terms.

use super::cursor::Parser;
use super::expressions::starts_value;
use crate::diagnostics::{Diagnostic, Span};
use crate::language::lexer::{Keyword, Kind};
use crate::language::syntax::{
    Alternative, Body, Call, Choice, Expression, IgnoredSpan, Spanned, Statement, Term,
};

/// What a choice is between.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// Layers, blocks and forms: statements, and the operations of a `dag`.
    Operation,
    /// Anything: only the checker knows what a `let` or an argument stands for.
    Any,
}

/// The words that open a form, for advice.
const FORMS: [&str; 6] = ["let", "residual", "branch", "repeat", "if", "dag"];

impl Parser<'_> {
    /// `{ statement … }`; `owner` is whose body it is.
    pub fn body(&mut self, owner: &str) -> Option<Body> {
        let open = self.open_brace(owner)?;
        let statements =
            self.nested(|parser| parser.with_newlines(true, |parser| parser.statements(open)));
        Some(Body {
            statements,
            span: IgnoredSpan(self.span_from(open.start)),
        })
    }

    /// Takes the `{` that opens the body of `owner`.
    pub fn open_brace(&mut self, owner: &str) -> Option<Span> {
        if self.kind() == Kind::OpenBrace {
            self.take_lost();
            return Some(self.advance().span);
        }
        self.expected(&format!("`{{` and a body for {owner}"));
        None
    }

    /// Whether the braces that `open` opened hold more; takes the `}`, and reports if there is none.
    pub fn in_braces(&mut self, open: Span) -> bool {
        while self.eat(Kind::Semicolon) {}
        let token = self.peek();
        match token.kind {
            Kind::CloseBrace => {
                self.advance();
                self.note_braces(open, token);
                false
            }
            Kind::End => {
                self.unclosed(open);
                false
            }
            Kind::Keyword(keyword) if keyword.opens_item() && token.opens_line => {
                self.unclosed(open);
                false
            }
            _ => true,
        }
    }

    fn statements(&mut self, open: Span) -> Vec<Statement> {
        let mut statements = Vec::new();
        while self.in_braces(open) {
            let start = self.begin();
            statements.extend(self.statement());
            self.settle(start);
        }
        statements
    }

    /// After what opened at `start`: if it went wrong, goes to the next safe place. A mistake that was
    /// noticed only at the next line leaves that line alone.
    pub fn settle(&mut self, start: usize) {
        let token = self.peek();
        let stuck = token.span.start == start;
        if self.take_lost() && !token.opens_line || stuck {
            self.skip_statement();
        }
    }

    fn statement(&mut self) -> Option<Statement> {
        if self.kind() != Kind::Keyword(Keyword::Let) {
            return Some(Statement::Choice(self.choice(Wanted::Operation)));
        }
        let start = self.advance().span.start;
        let definition = self.let_()?;
        Some(Statement::Let(Spanned::new(
            definition,
            self.span_from(start),
        )))
    }

    /// A choice of values, or of whatever a `let` may name.
    pub fn value_choice(&mut self) -> Choice {
        self.choice(Wanted::Any)
    }

    /// `a | b @ 3 | c?`.
    pub fn choice(&mut self, wanted: Wanted) -> Choice {
        let start = self.peek().span.start;
        let mut alternatives = vec![self.alternative(wanted)];
        while self.eat(Kind::Bar) {
            if self.kind() == Kind::Bar {
                self.expected_with(
                    "an alternative",
                    Some("boolean values have `or`".to_owned()),
                );
                self.take_lost();
                self.advance();
            }
            alternatives.push(self.alternative(wanted));
        }
        Choice {
            alternatives,
            span: IgnoredSpan(self.span_from(start)),
        }
    }

    fn alternative(&mut self, wanted: Wanted) -> Alternative {
        let start = self.peek().span.start;
        let node = self.term(wanted);
        let term = Spanned::new(node, self.span_from(start));
        let mut optional = self.eat_inline(Kind::Question);
        self.no_more_questions("`?` stands here twice", "once is enough");
        let weight = self.eat_inline(Kind::At).then(|| self.expression());
        optional |= self.no_more_questions("`?` follows the weight", "write `term? @ weight`");
        if wanted == Wanted::Operation && matches!(term.node, Term::Call(_)) {
            self.no_body(&term);
        }
        Alternative {
            term,
            optional,
            weight,
        }
    }

    fn no_more_questions(&mut self, message: &str, hint: &str) -> bool {
        let mut any = false;
        while self.at_inline(Kind::Question) {
            let error = Diagnostic::error(self.peek().span, message);
            self.report(error.hint(hint));
            self.take_lost();
            self.advance();
            any = true;
        }
        any
    }

    fn no_body(&mut self, term: &Spanned<Term>) {
        if !self.at_inline(Kind::OpenBrace) {
            return;
        }
        let Term::Call(Call { name, .. }) = &term.node else {
            return;
        };
        let hint = match Self::did_you_mean(&name.node, &FORMS) {
            Some(word) => format!("did you mean `{word}`?"),
            None => "put `;` or a newline between them".to_owned(),
        };
        let message = format!("`{}` can't take a body", name.node);
        self.report(Diagnostic::error(name.span, message).hint(hint));
        self.take_lost();
    }

    fn term(&mut self, wanted: Wanted) -> Term {
        match self.kind() {
            Kind::OpenBrace => self.body("a sequence").map_or(Term::Error, Term::Sequence),
            Kind::Keyword(
                word @ (Keyword::Residual
                | Keyword::Branch
                | Keyword::Repeat
                | Keyword::If
                | Keyword::Dag),
            ) => self.form(word),
            Kind::Name | Kind::OpenParen | Kind::Unknown => self.value_term(wanted),
            kind if wanted == Wanted::Any && starts_value(kind) => self.value_term(wanted),
            _ => {
                self.no_term(wanted);
                Term::Error
            }
        }
    }

    fn no_term(&mut self, wanted: Wanted) {
        if wanted == Wanted::Any {
            return self.expected("a value");
        }
        let before = self.word_before();
        let meant = Self::did_you_mean(before, &FORMS).filter(|&word| word != before);
        self.expected_with(
            "an operation",
            meant.map(|word| format!("did you mean `{word}`?")),
        );
    }

    fn value_term(&mut self, wanted: Wanted) -> Term {
        let errors = self.errors();
        let value = self.expression();
        let span = value.span;
        let term = term_of(*value);
        if self.errors() > errors {
            return term;
        }
        if let (Wanted::Operation, Term::Value(value)) = (wanted, &term)
            && !matches!(value.node, Expression::Choice(_) | Expression::Error)
        {
            let error = Diagnostic::error(span, "expected an operation, found a value");
            self.report(error.hint("a value gets a name with `let name = …`"));
            self.take_lost();
        }
        term
    }
}

/// A value as a term: names and calls may be operations.
fn term_of(value: Spanned<Expression>) -> Term {
    let Spanned { node, span } = value;
    match node {
        Expression::Name(name) => {
            let name = Spanned::new(name, span);
            Term::Call(Call {
                name,
                arguments: Vec::new(),
                span: IgnoredSpan(span),
            })
        }
        Expression::Call(call) => Term::Call(call),
        Expression::Error => Term::Error,
        node => Term::Value(Box::new(Spanned::new(node, span))),
    }
}
