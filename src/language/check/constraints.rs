//! `require`: bounds on costs, which the space meets by construction.
//!
//! A constraint is a conjunction of comparisons of one cost with one number. The costs are sums over
//! layers, so the space can add them up along every path and count exactly what stays in bounds.

use super::*;
use crate::language::syntax::{BinaryOperator, Call, Expression, Term};
use crate::layers;
use crate::space::program::{Cost, Tracked};

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
        let Expression::Binary {
            operator,
            left,
            right,
        } = &expression.node
        else {
            return self.not_a_bound(expression.span);
        };
        let Some((operator, cost, bound)) = self.comparison(*operator, left, right) else {
            return;
        };
        let (min, max) = match operator {
            BinaryOperator::LessEqual => (0, whole(bound.floor())),
            BinaryOperator::Less => (0, below(bound)),
            BinaryOperator::GreaterEqual => (whole(bound.ceil()), u64::MAX),
            BinaryOperator::Greater => (whole(bound.floor() + 1.0), u64::MAX),
            BinaryOperator::Equal if bound.fract() == 0.0 => (whole(bound), whole(bound)),
            _ => return self.not_a_bound(expression.span),
        };
        if bound < 0.0 && matches!(operator, BinaryOperator::Less | BinaryOperator::LessEqual) {
            return self.error(
                expression.span,
                "nothing meets this: a cost is never negative",
            );
        }
        self.track(cost, min, max);
    }

    /// A comparison turned so that the cost stands on the left.
    fn comparison(
        &mut self,
        operator: BinaryOperator,
        left: &syntax::Expr,
        right: &syntax::Expr,
    ) -> Option<(BinaryOperator, Cost, f64)> {
        let errors = self.diagnostics.len();
        let (operator, cost, bound) = match (self.cost(left), self.cost(right)) {
            (Some(cost), None) => (operator, cost, right),
            (None, Some(cost)) => (turned(operator), cost, left),
            _ if self.diagnostics.len() > errors => return None,
            _ => {
                self.not_a_bound(left.span.to(right.span));
                return None;
            }
        };
        let bound = self.constant(bound)?.as_float();
        if bound.is_none() {
            self.not_a_bound(left.span.to(right.span));
        }
        Some((operator, cost, bound?))
    }

    fn not_a_bound(&mut self, span: Span) {
        let found = Diagnostic::error(span, "a constraint compares one cost with one number");
        let costs = "params, macs, activation_bytes, layers or count(NAME)";
        self.report(found.hint(format!(
            "write `require params <= 200k and macs < 5M`; the costs are {costs}"
        )));
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
