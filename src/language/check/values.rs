//! Values: arithmetic, words, ranges and choices among them.

use super::*;
use crate::language::syntax::{
    Alternative as Branch, BinaryOperator, Choice, Expression, Progression, Term, UnaryOperator,
};
use crate::layers;
use crate::space::expression::{Dimension, Operator};

/// How many values one range may have.
const RANGE_LIMIT: usize = 65_536;

/// Decisions that have to be made before a value is known: their nodes and temporary slots.
#[derive(Debug, Default)]
pub(super) struct Before {
    pub nodes: Vec<NodeIx>,
    pub slots: Vec<Slot>,
    decisions: usize,
}

impl Before {
    fn segment(&mut self, name: &str) -> Box<str> {
        self.decisions += 1;
        if self.decisions == 1 {
            name.into()
        } else {
            format!("{name}#{}", self.decisions).into()
        }
    }
}

impl Checker {
    /// The value of a choice; where there is something to decide, it is decided before, at `segment`.
    pub(super) fn value(&mut self, choice: &Choice, segment: &str, before: &mut Before) -> Expr {
        if let [only] = choice.alternatives.as_slice()
            && !only.optional
            && !is_range(&only.term.node)
        {
            return self.term_value(only, segment, before);
        }
        let slot = self.fresh_slot();
        before.slots.push(slot);
        let address = before.segment(segment);
        let options = self.value_options(choice, slot, segment);
        let span = choice.span.0;
        let node = if options.is_empty() {
            self.step(Step::Nothing, span)
        } else {
            self.add(
                Node::Choice {
                    segment: address,
                    options,
                },
                span,
            )
        };
        before.nodes.push(node);
        Expr::Slot(slot)
    }

    fn value_options(&mut self, choice: &Choice, slot: Slot, segment: &str) -> Vec<Alternative> {
        let mut options = Vec::new();
        let mut seen: Vec<(Value, Span)> = Vec::new();
        for branch in &choice.alternatives {
            if branch.optional {
                self.error(
                    branch.term.span,
                    "`?` makes an operation optional, not a value",
                );
            }
            let weight = self.weight(branch);
            let values = self.branch_values(branch, segment);
            let share = weight / values.len().max(1) as f64;
            for (value, nodes) in values {
                if let Expr::Value(constant) = value {
                    self.refuse_repeated(&mut seen, constant, branch.term.span);
                }
                let name = name_of(&value, branch).into();
                let set = self.step(Step::Set(slot, value), branch.term.span);
                let mut nodes = nodes;
                nodes.push(set);
                let node = self.sequence(nodes, branch.term.span);
                options.push(Alternative {
                    node,
                    weight: share,
                    name,
                });
            }
        }
        options
    }

    fn refuse_repeated(&mut self, seen: &mut Vec<(Value, Span)>, value: Value, span: Span) {
        let same = |(known, _): &&(Value, Span)| {
            *known == value || (known.as_float().is_some() && known.as_float() == value.as_float())
        };
        if let Some(&(_, first)) = seen.iter().find(same) {
            let found = Diagnostic::error(span, format!("the option {value} stands here twice"));
            let found = found.related(first, "the first time");
            self.report(found.hint("use `@` to give one option more weight"));
        } else {
            seen.push((value, span));
        }
    }

    /// The values of one alternative: several for a range, each with what is decided before it.
    fn branch_values(&mut self, branch: &Branch, segment: &str) -> Vec<(Expr, Vec<NodeIx>)> {
        if let Term::Value(expression) = &branch.term.node
            && let Expression::Range {
                low,
                high,
                progression,
            } = &expression.node
        {
            let values = self.range(expression.span, low, high, progression.as_ref());
            return values
                .into_iter()
                .map(|value| (Expr::Value(value), Vec::new()))
                .collect();
        }
        let mut before = Before::default();
        let value = self.term_value(branch, segment, &mut before);
        vec![(value, before.nodes)]
    }

    /// The prior weight of an alternative.
    pub(super) fn weight(&mut self, branch: &Branch) -> f64 {
        let Some(weight) = &branch.weight else {
            return 1.0;
        };
        match self.constant(weight).and_then(Value::as_float) {
            Some(number) if number > 0.0 && number.is_finite() => number,
            Some(_) => {
                let found = Diagnostic::error(weight.span, "a weight is a positive number");
                self.report(found.hint("leave an option out to never take it"));
                1.0
            }
            None => 1.0,
        }
    }

    fn term_value(&mut self, branch: &Branch, segment: &str, before: &mut Before) -> Expr {
        match &branch.term.node {
            Term::Value(expression) => self.expression(expression, segment, before),
            Term::Call(call) if call.arguments.is_empty() => self.named_value(&call.name),
            Term::Call(call) => {
                let message = format!("`{}(…)` is no value", call.name.node);
                self.error(branch.term.span, message);
                Expr::Value(Value::Int(0))
            }
            Term::Error => Expr::Value(Value::Int(0)),
            _ => {
                self.error(
                    branch.term.span,
                    "an operation stands where a value is wanted",
                );
                Expr::Value(Value::Int(0))
            }
        }
    }

    pub(super) fn named_value(&mut self, name: &syntax::Name) -> Expr {
        match self.names.find(&name.node) {
            Some(Binding::Value(slot)) => return Expr::Slot(slot),
            Some(_) => {
                self.error(
                    name.span,
                    format!("`{}` is an operation, not a value", name.node),
                );
                return Expr::Value(Value::Int(0));
            }
            None => {}
        }
        if let Some(number) = self.output_value(name) {
            return Expr::Value(Value::Int(number));
        }
        if let Some(word) = word(&name.node) {
            return Expr::Value(Value::Name(word));
        }
        let mut known = self.names.values();
        known.extend(["classes", "outputs"].map(str::to_owned));
        known.extend(words().map(str::to_owned));
        known.sort_unstable();
        known.dedup();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        self.unknown(name.span, "value", &name.node, &known);
        Expr::Value(Value::Int(0))
    }

    /// What `outputs` and `classes` stand for: how many numbers the network must give, and the same
    /// where these are one for each class.
    fn output_value(&mut self, name: &syntax::Name) -> Option<i64> {
        let output = self.program.output;
        match name.node.as_str() {
            "outputs" => {}
            "classes" if matches!(output, Output::Classes(_)) => {}
            "classes" => {
                let message = format!("`output {output}` has no number of classes");
                let wrong = Diagnostic::error(name.span, message);
                self.report(wrong.hint("`outputs` is how many numbers the network must give"));
            }
            _ => return None,
        }
        Some(output.numbers() as i64)
    }

    /// An expression; the choices in it are decided before, at `segment`.
    pub(super) fn expression(
        &mut self,
        expression: &syntax::Expr,
        segment: &str,
        before: &mut Before,
    ) -> Expr {
        let span = expression.span;
        match &expression.node {
            Expression::Int(number) => Expr::Value(Value::Int(*number)),
            Expression::Float(number) => Expr::Value(Value::Float(*number)),
            Expression::Bool(truth) => Expr::Value(Value::Bool(*truth)),
            Expression::Name(name) => self.named_value(&syntax::Spanned::new(name.clone(), span)),
            Expression::Incoming(dimension) => self.incoming(dimension),
            Expression::Unary { operator, operand } => {
                let operand = Box::new(self.expression(operand, segment, before));
                self.fold(
                    span,
                    match operator {
                        UnaryOperator::Negate => Expr::Negate(operand),
                        UnaryOperator::Not => Expr::Not(operand),
                    },
                )
            }
            Expression::Binary {
                operator: BinaryOperator::In,
                left,
                right,
            } => self.membership(left, right, segment, before),
            Expression::Binary {
                operator,
                left,
                right,
            } => {
                let left = self.expression(left, segment, before);
                let right = self.expression(right, segment, before);
                let value = binary(*operator, left, right);
                self.fold(span, value)
            }
            Expression::Choice(choice) => self.value(choice, segment, before),
            Expression::Range { .. } => {
                let term = syntax::Spanned::new(Term::Value(expression.clone()), span);
                let alternative = Branch {
                    term,
                    optional: false,
                    weight: None,
                };
                let span = syntax::IgnoredSpan(span);
                self.value(
                    &Choice {
                        alternatives: vec![alternative],
                        span,
                    },
                    segment,
                    before,
                )
            }
            Expression::Call(call) => {
                let found =
                    Diagnostic::error(span, format!("`{}(…)` is no value here", call.name.node));
                self.report(found.hint("counts belong in `require`"));
                Expr::Value(Value::Int(0))
            }
            Expression::List(_) => {
                self.error(span, "a list stands only after `in`");
                Expr::Value(Value::Int(0))
            }
            Expression::Error => Expr::Value(Value::Int(0)),
        }
    }

    fn incoming(&mut self, dimension: &syntax::Name) -> Expr {
        let known = Dimension::ALL
            .iter()
            .find(|(name, _)| *name == dimension.node);
        match known {
            Some((_, dimension)) => Expr::Incoming(*dimension),
            None => {
                let names: Vec<&str> = Dimension::ALL.iter().map(|(name, _)| *name).collect();
                self.unknown(dimension.span, "dimension", &dimension.node, &names);
                Expr::Value(Value::Int(1))
            }
        }
    }

    fn membership(
        &mut self,
        left: &syntax::Expr,
        right: &syntax::Expr,
        segment: &str,
        before: &mut Before,
    ) -> Expr {
        let Expression::List(members) = &right.node else {
            self.error(right.span, "`in` takes a list such as `(8, 16)`");
            return Expr::Value(Value::Bool(false));
        };
        let left = self.expression(left, segment, before);
        let equals: Vec<Expr> = members
            .iter()
            .map(|member| {
                let member = self.expression(member, segment, before);
                Expr::Binary(Operator::Equal, Box::new((left.clone(), member)))
            })
            .collect();
        let either = |a, b| Expr::Binary(Operator::Or, Box::new((a, b)));
        equals
            .into_iter()
            .reduce(either)
            .unwrap_or(Expr::Value(Value::Bool(false)))
    }

    /// Computes what needs neither slots nor shapes; what can't be computed is an error.
    fn fold(&mut self, span: Span, value: Expr) -> Expr {
        if !is_constant(&value) {
            return value;
        }
        match value.evaluate(&[], self.program.input) {
            Ok(value) => Expr::Value(value),
            Err(message) => {
                self.error(span, message);
                Expr::Value(Value::Int(1))
            }
        }
    }

    /// The value of an expression that has to be known here and now.
    pub(super) fn constant(&mut self, expression: &syntax::Expr) -> Option<Value> {
        let mut before = Before::default();
        let errors = self.diagnostics.len();
        let value = self.expression(expression, "", &mut before);
        if self.diagnostics.len() > errors {
            return None;
        }
        if let (Expr::Value(value), true) = (value, before.nodes.is_empty()) {
            return Some(value);
        }
        self.error(expression.span, "a plain number is wanted here");
        None
    }

    /// The values and weights of a choice of constants.
    pub(super) fn constant_options(&mut self, choice: &Choice) -> Vec<(Value, f64)> {
        let mut options = Vec::new();
        let mut seen = Vec::new();
        for branch in &choice.alternatives {
            let weight = self.weight(branch);
            let values = self.branch_values(branch, "");
            let share = weight / values.len().max(1) as f64;
            for (value, nodes) in values {
                match value {
                    Expr::Value(value) if nodes.is_empty() => {
                        self.refuse_repeated(&mut seen, value, branch.term.span);
                        options.push((value, share));
                    }
                    _ => self.error(branch.term.span, "a plain value is wanted here"),
                }
            }
        }
        options
    }

    fn range(
        &mut self,
        span: Span,
        low: &syntax::Expr,
        high: &syntax::Expr,
        progression: Option<&(Progression, syntax::Expr)>,
    ) -> Vec<Value> {
        let bounds = (self.constant(low), self.constant(high));
        let (Some(low), Some(high)) = bounds else {
            return Vec::new();
        };
        let (operator, by) = match progression {
            None => (Operator::Add, Some(Value::Int(1))),
            Some((Progression::Step, by)) => (Operator::Add, self.constant(by)),
            Some((Progression::Times, by)) => (Operator::Multiply, self.constant(by)),
        };
        let Some(by) = by else { return Vec::new() };
        match progression_values(low, high, operator, by) {
            Ok(values) => values,
            Err(message) => {
                self.error(span, message);
                Vec::new()
            }
        }
    }
}

fn progression_values(
    low: Value,
    high: Value,
    operator: Operator,
    by: Value,
) -> Result<Vec<Value>, String> {
    use crate::space::expression::apply;
    let (Some(first), Some(last), Some(_)) = (low.as_float(), high.as_float(), by.as_float())
    else {
        return Err("a range runs over numbers".to_owned());
    };
    if first > last {
        return Err(format!("the range is empty: {low} is above {high}"));
    }
    let mut values = vec![low];
    loop {
        let current = values[values.len() - 1];
        let next = apply(operator, current, by)?;
        let grows = next.as_float() > current.as_float();
        if !grows && first < last {
            return Err(format!(
                "the range never ends: {current} is followed by {next}"
            ));
        }
        // Decimal steps such as 0.1 reach their end up to rounding.
        if next
            .as_float()
            .is_none_or(|next| next > last * (1.0 + 1e-9) || !grows)
        {
            return Ok(values);
        }
        if values.len() == RANGE_LIMIT {
            return Err(format!("the range has more than {RANGE_LIMIT} values"));
        }
        values.push(next);
    }
}

pub(super) fn binary(operator: BinaryOperator, left: Expr, right: Expr) -> Expr {
    let (operator, left, right) = match operator {
        BinaryOperator::Greater => (Operator::Less, right, left),
        BinaryOperator::GreaterEqual => (Operator::LessEqual, right, left),
        BinaryOperator::Or => (Operator::Or, left, right),
        BinaryOperator::And => (Operator::And, left, right),
        BinaryOperator::NotEqual => (Operator::NotEqual, left, right),
        BinaryOperator::Less => (Operator::Less, left, right),
        BinaryOperator::LessEqual => (Operator::LessEqual, left, right),
        BinaryOperator::Add => (Operator::Add, left, right),
        BinaryOperator::Subtract => (Operator::Subtract, left, right),
        BinaryOperator::Multiply => (Operator::Multiply, left, right),
        BinaryOperator::Divide => (Operator::Divide, left, right),
        BinaryOperator::Power => (Operator::Power, left, right),
        BinaryOperator::Equal | BinaryOperator::In => (Operator::Equal, left, right),
    };
    Expr::Binary(operator, Box::new((left, right)))
}

fn is_constant(value: &Expr) -> bool {
    match value {
        Expr::Value(_) => true,
        Expr::Slot(_) | Expr::Incoming(_) => false,
        Expr::Negate(operand) | Expr::Not(operand) => is_constant(operand),
        Expr::Binary(_, operands) => is_constant(&operands.0) && is_constant(&operands.1),
    }
}

pub(super) fn is_range(term: &Term) -> bool {
    matches!(term, Term::Value(expression) if matches!(expression.node, Expression::Range { .. }))
}

fn name_of(value: &Expr, branch: &Branch) -> String {
    match (value, &branch.term.node) {
        (Expr::Value(value), _) => value.to_string(),
        (_, Term::Call(call)) => call.name.node.clone(),
        _ => "value".to_owned(),
    }
}

/// Every word that some argument of some layer knows.
fn words() -> impl Iterator<Item = &'static str> {
    layers::kinds()
        .flat_map(|kind| kind.describe().arguments)
        .flat_map(|argument| argument.ty.names().iter().copied())
}

/// A word of the catalogue.
pub(super) fn word(name: &str) -> Option<&'static str> {
    words().find(|word| *word == name)
}
