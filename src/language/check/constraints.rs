//! `require`: conditions that every architecture of the space meets by construction.
//!
//! A comparison of one cost with one number is a bound: costs are sums over layers, so the space adds
//! them up along every path and cuts off what passes it. Every other condition is kept as an
//! expression over totals, depth, receptive field and top-level values, and asked at the end.

use super::*;
use crate::language::syntax::{BinaryOperator, Call, Expression, Term, UnaryOperator};
use crate::layers;
use crate::space::expression::Operator;
use crate::space::program::{Cost, Tracked};

/// What is no sum over layers, in the order of [`Program::require`].
const MARKS: [&str; 2] = ["depth", "receptive_field"];

/// Where the numbers of costs begin while conditions are read.
const TOTALS: usize = 1 << 20;

/// Where the numbers of [`MARKS`] begin.
const AFTER_TOTALS: usize = 1 << 21;

/// The costs that are named by a word.
const COSTS: [(&str, Cost); 4] = [
    ("params", Cost::Params),
    ("macs", Cost::Macs),
    ("activation_bytes", Cost::ActivationBytes),
    ("layers", Cost::Layers),
];

impl Checker {
    /// Every `require` of the file, as bounds on costs.
    pub(super) fn constraints(&mut self, file: &File) {
        for item in &file.items {
            if let Item::Require(expression) = &item.node {
                self.constraint(expression);
            }
        }
        self.number_conditions();
        let empty = self
            .program
            .tracked
            .iter()
            .any(|tracked| tracked.min > tracked.max);
        let last = file
            .items
            .iter()
            .rfind(|item| matches!(item.node, Item::Require(_)));
        if let (true, Some(item)) = (empty, last) {
            self.error(
                item.span,
                "nothing meets the constraints: their bounds leave no number",
            );
        }
    }

    fn constraint(&mut self, expression: &syntax::Expr) {
        let errors = self.diagnostics.len();
        if let Expression::Binary {
            operator: BinaryOperator::And,
            left,
            right,
        } = &expression.node
        {
            self.constraint(left);
            self.constraint(right);
            return;
        }
        if let Expression::Binary {
            operator,
            left,
            right,
        } = &expression.node
            && let Some((operator, cost, bound)) = self.comparison(*operator, left, right)
            && self.bound(expression.span, operator, cost, bound)
        {
            return;
        }
        if self.diagnostics.len() > errors {
            return;
        }
        let condition = self.condition(expression);
        if self.diagnostics.len() > errors {
            return;
        }
        if is_truth(&condition) {
            self.program.require.push(condition);
        } else {
            let found = Diagnostic::error(expression.span, "a constraint is true or false");
            self.report(found.hint("compare with something: `require params <= 200k`"));
        }
    }

    /// Bounds a cost by a number; false where the comparison is none that bounds.
    fn bound(&mut self, span: Span, operator: BinaryOperator, cost: Cost, bound: f64) -> bool {
        let (min, max) = match operator {
            BinaryOperator::LessEqual => (0, whole(bound.floor())),
            BinaryOperator::Less => (0, below(bound)),
            BinaryOperator::GreaterEqual => (whole(bound.ceil()), u64::MAX),
            BinaryOperator::Greater => (whole(bound.floor() + 1.0), u64::MAX),
            BinaryOperator::Equal if bound.fract() == 0.0 => (whole(bound), whole(bound)),
            _ => return false,
        };
        let below = matches!(operator, BinaryOperator::Less | BinaryOperator::LessEqual);
        if bound < 0.0 && below || max == 0 && operator == BinaryOperator::Less {
            self.error(span, "nothing meets this: a cost is never negative");
        } else {
            self.track(cost, min, max);
        }
        true
    }

    /// A comparison of one cost with one number, turned so that the cost stands on the left.
    fn comparison(
        &mut self,
        operator: BinaryOperator,
        left: &syntax::Expr,
        right: &syntax::Expr,
    ) -> Option<(BinaryOperator, Cost, f64)> {
        let (operator, cost, bound) = match (is_literal(left), is_literal(right)) {
            (false, true) => (operator, self.cost(left)?, right),
            (true, false) => (turned(operator), self.cost(right)?, left),
            _ => return None,
        };
        Some((operator, cost, self.constant(bound)?.as_float()?))
    }

    /// A condition over costs, depth, receptive field and top-level values. Its slots are numbered
    /// apart by what they stand for until every constraint is known.
    fn condition(&mut self, expression: &syntax::Expr) -> Expr {
        let span = expression.span;
        match &expression.node {
            Expression::Binary {
                operator: BinaryOperator::In,
                left,
                right,
            } => self.one_of(left, right),
            Expression::Binary {
                operator,
                left,
                right,
            } => {
                let (left, right) = (self.condition(left), self.condition(right));
                super::values::binary(*operator, left, right)
            }
            Expression::Unary { operator, operand } => {
                let operand = Box::new(self.condition(operand));
                match operator {
                    UnaryOperator::Negate => Expr::Negate(operand),
                    UnaryOperator::Not => Expr::Not(operand),
                }
            }
            Expression::Name(name) => self.measure(name, span),
            Expression::Call(call) if call.name.node == "count" => match self.counted(call) {
                Some(cost) => Expr::Slot(TOTALS + self.tracked(cost)),
                None => Expr::Value(Value::Int(0)),
            },
            Expression::Choice(choice) => match choice.alternatives.as_slice() {
                [only] if !only.optional => match &only.term.node {
                    Term::Value(inner) => self.condition(inner),
                    Term::Call(call) if call.arguments.is_empty() => {
                        self.measure(&call.name.node, call.name.span)
                    }
                    Term::Call(call) => {
                        let inner = Expression::Call(call.clone());
                        self.condition(&Box::new(syntax::Spanned::new(inner, span)))
                    }
                    _ => self.no_condition(span),
                },
                _ => self.no_condition(span),
            },
            Expression::Incoming(_) | Expression::Range { .. } | Expression::List(_) => {
                self.no_condition(span)
            }
            _ => self.expression(expression, "", &mut super::values::Before::default()),
        }
    }

    fn no_condition(&mut self, span: Span) -> Expr {
        let message = "a constraint is about the whole network: there is nothing to choose and no \
                       tensor that arrives";
        self.error(span, message);
        Expr::Value(Value::Bool(true))
    }

    fn one_of(&mut self, left: &syntax::Expr, right: &syntax::Expr) -> Expr {
        let Expression::List(members) = &right.node else {
            self.error(right.span, "`in` takes a list such as `(8, 16)`");
            return Expr::Value(Value::Bool(true));
        };
        let left = self.condition(left);
        let mut either = Expr::Value(Value::Bool(false));
        for member in members {
            let equal = (left.clone(), self.condition(member));
            let equal = Expr::Binary(Operator::Equal, Box::new(equal));
            either = Expr::Binary(Operator::Or, Box::new((either, equal)));
        }
        either
    }

    /// A cost, depth, receptive field or top-level value by its name.
    fn measure(&mut self, name: &str, span: Span) -> Expr {
        if let Some((_, cost)) = COSTS.iter().find(|(known, _)| *known == name) {
            return Expr::Slot(TOTALS + self.tracked(cost.clone()));
        }
        if let Some(at) = MARKS.iter().position(|known| *known == name) {
            self.program.marks = true;
            return Expr::Slot(AFTER_TOTALS + at);
        }
        match self.names.find(name) {
            Some(Binding::Value(slot)) => {
                let known = self.kept.iter().position(|kept| *kept == slot);
                let at = known.unwrap_or_else(|| {
                    self.kept.push(slot);
                    self.kept.len() - 1
                });
                return Expr::Slot(at);
            }
            None if super::values::word(name).is_some() => {
                let word = super::values::word(name).expect("it was just found");
                return Expr::Value(Value::Name(word));
            }
            _ => {}
        }
        if ["classes", "outputs"].contains(&name) {
            return self.named_value(&syntax::Spanned::new(name.to_owned(), span));
        }
        let mut known = self.names.values();
        known.extend(COSTS.iter().map(|(name, _)| (*name).to_owned()));
        known.extend(MARKS.iter().map(|name| (*name).to_owned()));
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        self.unknown(span, "cost or value", name, &known);
        Expr::Value(Value::Int(0))
    }

    /// The position of a cost among those that are added up.
    fn tracked(&mut self, cost: Cost) -> usize {
        self.track(cost.clone(), 0, u64::MAX);
        let tracked = &self.program.tracked;
        let at = tracked.iter().position(|tracked| tracked.cost == cost);
        at.expect("it was just added")
    }

    /// Numbers the slots of conditions as [`Program::require`] says.
    fn number_conditions(&mut self) {
        let (kept, totals) = (self.kept.len(), self.program.tracked.len());
        self.program.kept = kept;
        for condition in &mut self.program.require {
            condition.renumber(&|slot| match slot {
                AFTER_TOTALS.. => slot - AFTER_TOTALS + kept + totals,
                TOTALS.. => slot - TOTALS + kept,
                _ => slot,
            });
        }
    }

    fn cost(&mut self, expression: &syntax::Expr) -> Option<Cost> {
        match &expression.node {
            Expression::Name(name) => COSTS
                .iter()
                .find(|(known, _)| known == name)
                .map(|(_, cost)| cost.clone()),
            Expression::Call(call) if call.name.node == "count" => self.counted(call),
            _ => None,
        }
    }

    /// What `count(name)` counts: layers of a kind, or expansions of a block.
    fn counted(&mut self, call: &Call) -> Option<Cost> {
        let name = match call.arguments.as_slice() {
            [only] => match only.value.alternatives.as_slice() {
                [branch] => match &branch.term.node {
                    Term::Call(counted) if counted.arguments.is_empty() => Some(&counted.name),
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        };
        let Some(name) = name else {
            self.error(
                call.name.span,
                "`count` takes the name of one layer or block",
            );
            return None;
        };
        if let Some(kind) = layers::find(&name.node) {
            return Some(Cost::CountLayer(kind));
        }
        match self.names.find(&name.node) {
            Some(Binding::Block(_) | Binding::Shared(_)) => {
                Some(Cost::CountBody(name.node.as_str().into()))
            }
            _ => {
                let known = self.names.operations();
                let known: Vec<&str> = known.iter().map(String::as_str).collect();
                self.unknown(name.span, "layer or block", &name.node, &known);
                None
            }
        }
    }

    fn track(&mut self, cost: Cost, min: u64, max: u64) {
        match self
            .program
            .tracked
            .iter_mut()
            .find(|tracked| tracked.cost == cost)
        {
            Some(known) => {
                known.min = known.min.max(min);
                known.max = known.max.min(max);
            }
            None => self.program.tracked.push(Tracked { cost, min, max }),
        }
    }
}

/// Whether an expression is made of numbers alone.
fn is_literal(expression: &syntax::Expr) -> bool {
    match &expression.node {
        Expression::Int(_) | Expression::Float(_) => true,
        Expression::Unary { operand, .. } => is_literal(operand),
        Expression::Binary { left, right, .. } => is_literal(left) && is_literal(right),
        _ => false,
    }
}

/// Whether an expression is a condition rather than a number.
fn is_truth(expression: &Expr) -> bool {
    match expression {
        Expr::Value(value) => matches!(value, Value::Bool(_)),
        Expr::Not(operand) => is_truth(operand),
        // A top-level value may be a truth value.
        Expr::Slot(slot) => *slot < TOTALS,
        Expr::Binary(operator, operands) => match operator {
            Operator::Or | Operator::And => is_truth(&operands.0) && is_truth(&operands.1),
            Operator::Equal | Operator::NotEqual | Operator::Less | Operator::LessEqual => true,
            _ => false,
        },
        Expr::Negate(_) | Expr::Incoming(_) => false,
    }
}

fn turned(operator: BinaryOperator) -> BinaryOperator {
    match operator {
        BinaryOperator::Less => BinaryOperator::Greater,
        BinaryOperator::LessEqual => BinaryOperator::GreaterEqual,
        BinaryOperator::Greater => BinaryOperator::Less,
        BinaryOperator::GreaterEqual => BinaryOperator::LessEqual,
        other => other,
    }
}

/// The bound as a whole number; costs are never negative.
fn whole(bound: f64) -> u64 {
    bound.max(0.0) as u64
}

/// The largest whole number below the bound.
fn below(bound: f64) -> u64 {
    whole(bound.ceil() - 1.0)
}
