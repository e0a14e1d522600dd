//! Expressions, by climbing the ladder of operators.

use super::cursor::Parser;
use crate::diagnostics::{Diagnostic, Span};
use crate::language::lexer::{Keyword, Kind};
use crate::language::operators::{COMPARE, NEGATE, NOT, OR, RANGE};
use crate::language::syntax::{
    BinaryOperator, Choice, Expr, Expression, Progression, Spanned, Term, UnaryOperator,
};

/// What can stand between two operands.
#[derive(Clone, Copy)]
enum Infix {
    Binary(BinaryOperator),
    Range,
}

impl Infix {
    fn level(self) -> u8 {
        match self {
            Self::Binary(operator) => operator.level(),
            Self::Range => RANGE,
        }
    }
}

/// Whether a value, and so a term that is no form, can open with `kind`.
pub fn starts_value(kind: Kind) -> bool {
    use Keyword::{False, In, Not, True};
    matches!(
        kind,
        Kind::Name | Kind::Int(_) | Kind::Float(_) | Kind::OpenParen | Kind::Minus | Kind::Unknown
    ) || matches!(kind, Kind::Keyword(False | In | Not | True))
}

impl Parser<'_> {
    /// An expression without choice bars.
    pub fn expression(&mut self) -> Expr {
        self.nested(|parser| parser.climb(OR))
    }

    /// An expression whose operators bind at least as tightly as `least`.
    fn climb(&mut self, least: u8) -> Expr {
        let left = self.prefix(least);
        self.climb_after(left, least)
    }

    fn climb_after(&mut self, mut left: Expr, least: u8) -> Expr {
        let mut last = None;
        while let Some((infix, sign)) = self.infix(least) {
            let level = infix.level();
            if last == Some(level) && (level == COMPARE || level == RANGE) && !self.is_lost() {
                self.unchained(level, sign);
            }
            last = Some(level);
            let start = left.span.start;
            let node = match infix {
                Infix::Range => self.range(left),
                Infix::Binary(operator) => {
                    let right = self.right_operand(operator);
                    Expression::Binary {
                        operator,
                        left,
                        right,
                    }
                }
            };
            self.grow();
            left = Box::new(Spanned::new(node, self.span_from(start)));
        }
        left
    }

    /// Takes the next infix operator if it binds at least as tightly as `least`.
    fn infix(&mut self, least: u8) -> Option<(Infix, Span)> {
        if self.at_inline(Kind::Dot) {
            self.no_property();
        }
        if self.at_line_break() {
            return None;
        }
        let infix = self.infix_here().filter(|infix| infix.level() >= least)?;
        let is_assign = self.kind() == Kind::Assign;
        if is_assign {
            let error = Diagnostic::error(self.peek().span, "`=` can't stand inside a value");
            self.report(error.hint("`==` compares; `let name = value` gives a name"));
            self.take_lost();
        }
        Some((infix, self.advance().span))
    }

    fn infix_here(&self) -> Option<Infix> {
        use BinaryOperator::{
            Add, And, Divide, Equal, Greater, GreaterEqual, In, Less, LessEqual, Multiply,
            NotEqual, Or, Power, Subtract,
        };
        let operator = match self.kind() {
            Kind::DotDot => return Some(Infix::Range),
            Kind::Keyword(Keyword::Or) => Or,
            Kind::Keyword(Keyword::And) => And,
            Kind::Keyword(Keyword::In) if self.look(1).kind != Kind::Dot => In,
            Kind::Equal | Kind::Assign => Equal,
            Kind::NotEqual => NotEqual,
            Kind::Less => Less,
            Kind::LessEqual => LessEqual,
            Kind::Greater => Greater,
            Kind::GreaterEqual => GreaterEqual,
            Kind::Plus => Add,
            Kind::Minus => Subtract,
            Kind::Star => Multiply,
            Kind::Slash => Divide,
            Kind::Caret => Power,
            _ => return None,
        };
        Some(Infix::Binary(operator))
    }

    fn unchained(&mut self, level: u8, sign: Span) {
        let error = if level == RANGE {
            Diagnostic::error(sign, "ranges do not chain").hint("put one of them in parentheses")
        } else {
            Diagnostic::error(sign, "comparisons do not chain")
                .hint("join two comparisons with `and`")
        };
        self.report(error);
        self.take_lost();
    }

    fn no_property(&mut self) {
        let error = Diagnostic::error(self.peek().span, "only `in` has properties");
        self.report(error.hint("the incoming shape is `in.channels`, `in.height`, …"));
        self.take_lost();
        self.advance();
        if !self.at_line_break() {
            self.any_word();
        }
    }

    fn range(&mut self, low: Expr) -> Expression {
        let high = self.nested(|parser| parser.climb(RANGE + 1));
        let progression = if self.eat_word(Progression::Step.word()) {
            Some(Progression::Step)
        } else if self.eat_word(Progression::Times.word()) {
            Some(Progression::Times)
        } else {
            None
        };
        let progression =
            progression.map(|how| (how, self.nested(|parser| parser.climb(RANGE + 1))));
        Expression::Range {
            low,
            high,
            progression,
        }
    }

    fn right_operand(&mut self, operator: BinaryOperator) -> Expr {
        let (_, level) = operator.operand_levels();
        if operator == BinaryOperator::In && self.kind() == Kind::OpenParen {
            return self.nested(Self::list);
        }
        self.nested(|parser| parser.climb(level))
    }

    /// `(a, b)` after `in`; a single value that an operator follows was only in parentheses.
    fn list(&mut self) -> Expr {
        let start = self.peek().span.start;
        let mut values = self.parenthesised(|parser| Some(parser.value_choice()));
        let span = self.span_from(start);
        if values.is_empty() && !self.take_lost() {
            let error = Diagnostic::error(span, "nothing is in an empty list");
            self.report(error.hint("give it at least one value"));
            self.take_lost();
        }
        let goes_on = !self.at_line_break()
            && self
                .infix_here()
                .is_some_and(|infix| infix.level() >= RANGE);
        if values.len() == 1 && (goes_on || is_choice(&values[0])) {
            let only = operand_of(values.remove(0), span);
            return self.climb_after(only, RANGE);
        }
        let values = values.into_iter().map(|value| {
            let span = value.span.0;
            operand_of(value, span)
        });
        Box::new(Spanned::new(Expression::List(values.collect()), span))
    }

    fn prefix(&mut self, least: u8) -> Expr {
        let token = self.peek();
        let operator = match token.kind {
            Kind::Minus => UnaryOperator::Negate,
            Kind::Keyword(Keyword::Not) => UnaryOperator::Not,
            _ => return self.operand(),
        };
        if operator == UnaryOperator::Not && least > NOT {
            let error = Diagnostic::error(token.span, "`not` can't follow this operator");
            self.report(error.hint("put it in parentheses: `(not …)`"));
            self.take_lost();
        }
        self.advance();
        let level = if operator == UnaryOperator::Not {
            NOT
        } else {
            NEGATE
        };
        let operand = self.nested(|parser| parser.climb(level));
        let span = self.span_from(token.span.start);
        Box::new(Spanned::new(Expression::Unary { operator, operand }, span))
    }

    fn operand(&mut self) -> Expr {
        let token = self.peek();
        let node = match token.kind {
            Kind::Int(value) => Expression::Int(value),
            Kind::Float(value) => Expression::Float(value),
            Kind::Keyword(Keyword::True) => Expression::Bool(true),
            Kind::Keyword(Keyword::False) => Expression::Bool(false),
            Kind::Keyword(Keyword::In) => return self.incoming(),
            Kind::Name => return self.name_or_call(),
            Kind::OpenParen => return self.group(),
            _ => {
                let power = token.kind == Kind::Star && self.word_before() == "*";
                let hint = power.then(|| "write `^` for powers".to_owned());
                self.expected_with("a value", hint);
                return Box::new(Spanned::new(Expression::Error, token.span));
            }
        };
        self.advance();
        Box::new(Spanned::new(node, token.span))
    }

    fn incoming(&mut self) -> Expr {
        let start = self.advance().span.start;
        let property = if self.eat_inline(Kind::Dot) && !self.at_line_break() {
            self.any_word()
        } else {
            None
        };
        let node = match property {
            Some(name) => Expression::Incoming(name),
            None => {
                let hint = "the incoming shape is `in.channels`, `in.height`, …";
                self.expected_with("a property of `in`", Some(hint.to_owned()));
                Expression::Error
            }
        };
        Box::new(Spanned::new(node, self.span_from(start)))
    }

    fn name_or_call(&mut self) -> Expr {
        let span = self.peek().span;
        let text = self.token_text().to_owned();
        self.advance();
        let call = self.call_after(Spanned::new(text, span));
        let span = call.span.0;
        let node = match call.arguments.is_empty() {
            true => Expression::Name(call.name.node),
            false => Expression::Call(call),
        };
        Box::new(Spanned::new(node, span))
    }

    /// `(a)` or `(a | b)` as an operand.
    fn group(&mut self) -> Expr {
        let open = self.advance().span;
        let choice = self.with_newlines(false, Self::value_choice);
        if !self.eat(Kind::CloseParen) {
            self.unclosed_group(open);
        }
        operand_of(choice, self.span_from(open.start))
    }

    fn unclosed_group(&mut self, open: Span) {
        if self.ends_list() || self.peek().opens_line {
            return self.unclosed(open);
        }
        let hint = (self.kind() == Kind::Comma).then(|| "lists stand after `in` only".to_owned());
        self.expected_with("`)`", hint);
        self.skip_in_list();
        while self.eat(Kind::Comma) {
            self.skip_in_list();
        }
        self.eat(Kind::CloseParen);
    }
}

/// Whether `choice` is more than one plain value.
fn is_choice(choice: &Choice) -> bool {
    let [only] = choice.alternatives.as_slice() else {
        return true;
    };
    let plain = matches!(only.term.node, Term::Call(_) | Term::Value(_) | Term::Error);
    only.optional || only.weight.is_some() || !plain
}

/// A parenthesised choice as an operand: itself, or the one value that it holds.
fn operand_of(mut choice: Choice, span: Span) -> Expr {
    if is_choice(&choice) {
        return Box::new(Spanned::new(Expression::Choice(choice), span));
    }
    let only = choice
        .alternatives
        .pop()
        .map(|alternative| alternative.term.node);
    let node = match only {
        Some(Term::Value(value)) => value.node,
        Some(Term::Call(call)) if call.arguments.is_empty() => Expression::Name(call.name.node),
        Some(Term::Call(call)) => Expression::Call(call),
        _ => Expression::Error,
    };
    Box::new(Spanned::new(node, span))
}
