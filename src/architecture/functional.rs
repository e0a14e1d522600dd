//! The functional form: which expression a network computes, weights aside.
//!
//! On top of the labelled form it folds `zero` and whatever is computed from zeros only (a
//! convolution, pool or norm of zeros counts as zeros, as it is at initialisation), drops zeros from
//! sums, flattens nested sums, and writes equal expressions as one: two convolutions with equal
//! arguments of the same tensor are the same expression, computed once or twice. This is the sense in
//! which NAS-Bench-201 has 4,930 different cells. A network whose output is all zeros is `dead`.

use super::canonical::{self, CanonicalForm};
use super::{Architecture, Node, Operation};
use crate::layers::Layer;
use std::collections::BTreeMap;
use std::fmt::Write;

/// A value as a sum of expressions, in order; empty is zero.
type Sum = Vec<usize>;

/// An expression: its height, what is applied, and the sums it is applied to, in order.
type Expression = (usize, String, Vec<Sum>);

pub(super) fn folded(architecture: &Architecture) -> CanonicalForm {
    let mut folding = Folding::default();
    let mut values: Vec<Sum> = Vec::with_capacity(architecture.nodes().len());
    for node in architecture.nodes() {
        let value = folding.value(node, &values);
        values.push(value);
    }
    let output = values.pop().expect("an architecture has nodes");
    let mut form = format!("{}:{}=", architecture.input().kind(), architecture.input());
    form.push_str(&folding.write(&output));
    let _ = write!(form, ">{:?}", architecture.output());
    CanonicalForm::new(form)
}

#[derive(Default)]
struct Folding {
    known: BTreeMap<Expression, usize>,
    heights: Vec<usize>,
}

impl Folding {
    fn value(&mut self, node: &Node, values: &[Sum]) -> Sum {
        let Operation::Layer(layer) = &node.operation else {
            return vec![self.expression(String::new(), Vec::new())];
        };
        let inputs: Vec<&Sum> = node.inputs.iter().map(|id| &values[id.0]).collect();
        if canonical::is_identity(layer, inputs.len()) {
            return inputs[0].clone();
        }
        match layer.kind.name() {
            "zero" => Vec::new(),
            "add" => sorted(inputs.into_iter().flatten().copied().collect()),
            "mul" if inputs.iter().any(|sum| sum.is_empty()) => Vec::new(),
            _ if inputs.iter().all(|sum| sum.is_empty()) => Vec::new(),
            _ => vec![self.apply(layer, &inputs)],
        }
    }

    fn apply(&mut self, layer: &Layer, inputs: &[&Sum]) -> usize {
        let ordered = canonical::is_ordered(layer);
        let inputs = inputs.iter().enumerate().map(|(index, sum)| {
            if ordered {
                vec![self.expression(canonical::place(index), vec![(*sum).clone()])]
            } else {
                (*sum).clone()
            }
        });
        let inputs = inputs.collect();
        self.expression(canonical::label(layer), inputs)
    }

    fn expression(&mut self, label: String, mut inputs: Vec<Sum>) -> usize {
        let heights = inputs
            .iter()
            .flatten()
            .map(|&input| self.heights[input] + 1);
        let height = heights.max().unwrap_or(0);
        inputs.sort_unstable();
        let next = self.heights.len();
        let id = *self.known.entry((height, label, inputs)).or_insert(next);
        if id == next {
            self.heights.push(height);
        }
        id
    }

    /// The expressions that `output` needs, numbered from the input up in an order that depends on
    /// nothing but themselves.
    fn write(self, output: &Sum) -> String {
        if output.is_empty() {
            return "dead".to_owned();
        }
        let needed = self.needed(output);
        let mut by_height = BTreeMap::<usize, Vec<(usize, &Expression)>>::new();
        for (expression, &id) in self.known.iter().filter(|(_, id)| needed[**id]) {
            by_height
                .entry(expression.0)
                .or_default()
                .push((id, expression));
        }
        let mut rank = vec![0; self.heights.len()];
        let mut next = 0;
        let mut out = String::new();
        for (_, expressions) in by_height {
            let mut keyed: Vec<(&str, Vec<Sum>, usize)> = expressions
                .into_iter()
                .map(|(id, (_, label, inputs))| (label.as_str(), ranked(inputs, &rank), id))
                .collect();
            keyed.sort_unstable();
            for (label, inputs, id) in keyed {
                rank[id] = next;
                next += 1;
                let _ = write!(out, "{label}{inputs:?};");
            }
        }
        let _ = write!(out, "{:?}", ranked(std::slice::from_ref(output), &rank));
        out
    }

    fn needed(&self, output: &Sum) -> Vec<bool> {
        let mut inputs: Vec<&[Sum]> = vec![&[]; self.heights.len()];
        for ((_, _, sums), &id) in &self.known {
            inputs[id] = sums;
        }
        let mut needed = vec![false; self.heights.len()];
        let mut pending = output.clone();
        while let Some(id) = pending.pop() {
            if !needed[id] {
                needed[id] = true;
                pending.extend(inputs[id].iter().flatten());
            }
        }
        needed
    }
}

/// The sums with every expression replaced by its rank, each sum and the sums in order.
fn ranked(sums: &[Sum], rank: &[usize]) -> Vec<Sum> {
    let mut ranked: Vec<Sum> = sums
        .iter()
        .map(|sum| sorted(sum.iter().map(|&id| rank[id]).collect()))
        .collect();
    ranked.sort_unstable();
    ranked
}

fn sorted(mut sum: Sum) -> Sum {
    sum.sort_unstable();
    sum
}
