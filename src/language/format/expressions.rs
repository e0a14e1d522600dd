//! Expressions with no more parentheses than they need, and calls.

use super::numbers;
use super::printer::{Misfit, Printer};
use crate::diagnostics::Span;
use crate::language::operators::{NEGATE, OPERAND, OR, RANGE};
use crate::language::syntax::{
    Argument, BinaryOperator, Call, Expr, Expression, Progression, UnaryOperator,
};

impl Printer<'_> {
    /// A value, on one line.
    pub fn expression(&mut self, expr: &Expr) {
        self.value(|page| page.operand(expr, OR));
    }

    /// A condition; if too wide, each operand of its `and` or `or` on a line of its own.
    pub fn condition(&mut self, expr: &Expr) {
        self.condition_part(expr, OR, "", None);
    }

    /// A part of a condition and the operator `after` it. `broken` is the operator that the whole is
    /// broken at.
    fn condition_part(
        &mut self,
        expr: &Expr,
        least: u8,
        after: &str,
        broken: Option<BinaryOperator>,
    ) {
        let flat = |page: &mut Self| {
            page.value(|page| page.operand(expr, least));
            page.push(after);
        };
        match &expr.node {
            Expression::Binary {
                operator: operator @ (BinaryOperator::And | BinaryOperator::Or),
                left,
                right,
            } if operator.level() >= least => {
                if broken != Some(*operator) && self.try_flat(flat).is_ok() {
                    return;
                }
                let (left_least, right_least) = operator.operand_levels();
                let symbol = format!(" {}", operator.symbol());
                self.condition_part(left, left_least, &symbol, Some(*operator));
                self.fresh_line(false);
                self.condition_part(right, right_least, after, None);
            }
            _ => flat(self),
        }
    }

    /// `expr`, in parentheses if it binds looser than `least`.
    fn operand(&mut self, expr: &Expr, least: u8) {
        if level(&expr.node) >= least {
            return self.bare(&expr.node);
        }
        self.push("(");
        self.bare(&expr.node);
        self.push(")");
    }

    fn bare(&mut self, expression: &Expression) {
        match expression {
            Expression::Int(value) => self.push(&numbers::int(*value)),
            Expression::Float(value) => self.push(&numbers::float(*value)),
            Expression::Bool(value) => self.push(if *value { "true" } else { "false" }),
            Expression::Name(name) => self.push(name),
            Expression::Incoming(property) => {
                self.push("in.");
                self.push(&property.node);
            }
            Expression::Call(call) => self.call(call),
            Expression::Unary { operator, operand } => {
                let negates = *operator == UnaryOperator::Negate;
                self.push(if negates { "-" } else { "not " });
                self.operand(operand, operator.level());
            }
            Expression::Binary {
                operator,
                left,
                right,
            } => {
                let (left_least, right_least) = operator.operand_levels();
                self.operand(left, left_least);
                self.push(&format!(" {} ", operator.symbol()));
                self.operand(right, right_least);
            }
            Expression::Range {
                low,
                high,
                progression,
            } => {
                self.range(low, high, progression.as_ref());
            }
            Expression::Choice(choice) => {
                self.push("(");
                self.choice(choice);
                self.push(")");
            }
            Expression::List(values) => {
                self.push("(");
                self.separated(values, ", ", |page, value| page.operand(value, OR));
                self.push(")");
            }
            Expression::Error => self.push("error"),
        }
    }

    fn range(&mut self, low: &Expr, high: &Expr, progression: Option<&(Progression, Expr)>) {
        self.operand(low, RANGE + 1);
        self.push("..");
        self.operand(high, RANGE + 1);
        if let Some((how, by)) = progression {
            self.push(&format!(" {} ", how.word()));
            self.operand(by, RANGE + 1);
        }
    }

    /// `name` or `name(arguments)`.
    pub fn call(&mut self, call: &Call) {
        self.push(&call.name.node);
        self.arguments(&call.arguments);
    }

    /// `(arguments)`, or nothing if there are none.
    pub fn arguments(&mut self, arguments: &[Argument]) {
        let span = |argument: &Argument| {
            let value = argument.value.span.0;
            argument
                .name
                .as_ref()
                .map_or(value, |name| name.span.to(value))
        };
        self.list(arguments, span, |page, argument| {
            if let Some(name) = &argument.name {
                page.push(&name.node);
                page.push(": ");
            }
            page.choice(&argument.value);
        });
    }

    /// `(item, item)`, or nothing; one item a line if it was so, holds comments, or is too wide.
    pub fn list<T>(
        &mut self,
        items: &[T],
        span: impl Fn(&T) -> Span,
        write: impl Fn(&mut Self, &T),
    ) {
        let (Some(first), Some(last)) = (items.first(), items.last()) else {
            return;
        };
        let end = self.bracket_after(span(last).end);
        let start = span(first).start;
        let broken = self.opened_line(start) || self.has_comment(Span::new(start, end));
        let flat = |page: &mut Self| {
            page.push("(");
            page.separated(items, ", ", &write);
            page.push(")");
        };
        if broken {
            self.must_break();
        }
        if self.is_flat() {
            return flat(self);
        }
        match if broken {
            Err(Misfit::Wide)
        } else {
            self.try_flat(flat)
        } {
            Ok(()) => {}
            Err(Misfit::Broken) => flat(self),
            Err(Misfit::Wide) => {
                self.open("(");
                for item in items {
                    self.part(span(item).start);
                    write(self, item);
                    self.push(",");
                }
                self.close(end, ")");
            }
        }
    }

    /// `items` with `separator` between them.
    pub fn separated<T>(&mut self, items: &[T], separator: &str, write: impl Fn(&mut Self, &T)) {
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.push(separator);
            }
            write(self, item);
        }
    }
}

/// How tightly the outermost operator of `expression` binds.
fn level(expression: &Expression) -> u8 {
    match expression {
        Expression::Binary { operator, .. } => operator.level(),
        Expression::Unary { operator, .. } => operator.level(),
        Expression::Range { .. } => RANGE,
        Expression::Int(value) if *value < 0 => NEGATE,
        Expression::Float(value) if value.is_sign_negative() => NEGATE,
        _ => OPERAND,
    }
}
