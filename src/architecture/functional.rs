//! The functional form: what a network computes, up to sums and zeros.
//!
//! On top of the labelled form it folds `zero` and whatever is computed from zeros only (a
//! convolution, pool or norm of zeros counts as zeros, as it is at initialisation), drops zeros from
//! sums, and flattens nested sums. A network whose output is all zeros is `dead`.

use super::canonical::{self, CanonicalForm, LabelledGraph};
use super::{Architecture, Node, Operation};
use crate::layers::Layer;
use std::collections::BTreeMap;

/// A value as a sum of vertices of the folded graph; empty is zero.
type Sum = Vec<usize>;

pub(super) fn folded(architecture: &Architecture) -> CanonicalForm {
    let mut folding = Folding::default();
    let mut values: Vec<Sum> = Vec::with_capacity(architecture.nodes().len());
    for node in architecture.nodes() {
        let value = folding.value(node, &values);
        values.push(value);
    }
    let output = values.pop().expect("an architecture has nodes");
    let graph = folding.finish(output);
    canonical::form(&graph, architecture)
}

#[derive(Default)]
struct Folding {
    labels: Vec<String>,
    inputs: Vec<Vec<usize>>,
    sums: BTreeMap<Sum, usize>,
}

impl Folding {
    fn value(&mut self, node: &Node, values: &[Sum]) -> Sum {
        let Operation::Layer(layer) = &node.operation else {
            return vec![self.vertex(String::new(), Vec::new())];
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
        let inputs = inputs.iter().map(|sum| self.single(sum)).collect();
        self.vertex(canonical::label(layer), inputs)
    }

    /// One vertex for a sum: the term itself, or an addition shared by all that read the same sum.
    fn single(&mut self, sum: &Sum) -> usize {
        match sum.as_slice() {
            [] => self.vertex("zero".to_owned(), vec![0]),
            [term] => *term,
            terms => {
                if let Some(&known) = self.sums.get(sum) {
                    return known;
                }
                let vertex = self.vertex("add".to_owned(), terms.to_vec());
                self.sums.insert(sum.clone(), vertex);
                vertex
            }
        }
    }

    fn vertex(&mut self, label: String, inputs: Vec<usize>) -> usize {
        self.labels.push(label);
        self.inputs.push(inputs);
        self.labels.len() - 1
    }

    /// The graph of what the output depends on, source first and output last.
    fn finish(mut self, output: Sum) -> LabelledGraph {
        if output.is_empty() {
            return LabelledGraph {
                labels: vec![String::new(), "dead".to_owned()],
                inputs: vec![Vec::new(), vec![0]],
            };
        }
        let last = self.single(&output);
        let mut needed = vec![false; self.labels.len()];
        needed[0] = true;
        needed[last] = true;
        for vertex in (0..=last).rev() {
            if needed[vertex] {
                self.inputs[vertex]
                    .iter()
                    .for_each(|&input| needed[input] = true);
            }
        }
        let mut place = vec![usize::MAX; self.labels.len()];
        let mut graph = LabelledGraph {
            labels: Vec::new(),
            inputs: Vec::new(),
        };
        for vertex in (0..self.labels.len()).filter(|&v| needed[v]) {
            place[vertex] = graph.labels.len();
            graph.labels.push(std::mem::take(&mut self.labels[vertex]));
            graph
                .inputs
                .push(self.inputs[vertex].iter().map(|&v| place[v]).collect());
        }
        graph
    }
}

fn sorted(mut sum: Sum) -> Sum {
    sum.sort_unstable();
    sum
}
