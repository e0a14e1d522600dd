//! The functional form: which expression a network computes, weights aside.
//!
//! On top of the labelled form it folds `zero` and whatever is computed from zeros only (a
//! convolution, pool or norm of zeros counts as zeros, as it is at initialisation), drops zeros from
//! sums, flattens nested sums, and writes equal expressions as one: two convolutions with equal
//! arguments of the same tensor are the same expression, computed once or twice. This is the sense in
//! which NAS-Bench-201 has 4,930 different cells. A network whose output is all zeros is `dead`.

use super::canonical::CanonicalForm;
use super::labelled_graph::{INPUT, PLACES, number, push_number};
use super::{Architecture, Node};
use crate::layers::{Label, Role, mix};
use rustc_hash::FxHashMap;
use std::fmt::Write;
use std::ops::Range;

/// A value as a sum of expressions, in order: a stretch of [`Folding::terms`]; empty is zero.
#[derive(Clone, Copy)]
struct Sum {
    start: u32,
    end: u32,
}

/// A label applied to sums.
struct Expression<'a> {
    label: &'a Label,
    /// The sums it is applied to, in order: a stretch of [`Folding::sums`].
    inputs: Range<usize>,
    height: u32,
    /// The one before it with the same hash.
    before: Option<u32>,
}

pub(super) fn folded(architecture: &Architecture) -> CanonicalForm {
    let nodes = architecture.nodes();
    let mut folding = Folding::default();
    folding.expressions.reserve(nodes.len());
    folding.last.reserve(nodes.len());
    let mut values: Vec<Sum> = Vec::with_capacity(nodes.len());
    for node in nodes {
        let value = folding.value(node, &values);
        values.push(value);
    }
    let output = *values.last().expect("an architecture has nodes");
    let mut form = String::with_capacity(32 * nodes.len() + 64);
    let _ = write!(
        form,
        "{}:{}=",
        architecture.input().kind(),
        architecture.input()
    );
    folding.write(output, &mut form);
    let _ = write!(form, ">{:?}", architecture.output());
    CanonicalForm::new(form)
}

#[derive(Default)]
struct Folding<'a> {
    expressions: Vec<Expression<'a>>,
    sums: Vec<Sum>,
    terms: Vec<u32>,
    /// The latest expression with a hash.
    last: FxHashMap<u64, u32>,
}

impl<'a> Folding<'a> {
    fn terms(&self, sum: Sum) -> &[u32] {
        &self.terms[sum.start as usize..sum.end as usize]
    }

    fn is_zero(sum: Sum) -> bool {
        sum.start == sum.end
    }

    /// The sum of expressions that are added from `start` on to the terms.
    fn sum_from(&mut self, start: usize) -> Sum {
        self.terms[start..].sort_unstable();
        Sum {
            start: number(start),
            end: number(self.terms.len()),
        }
    }

    fn single(&mut self, expression: u32) -> Sum {
        self.terms.push(expression);
        self.sum_from(self.terms.len() - 1)
    }

    fn value(&mut self, node: &'a Node, values: &[Sum]) -> Sum {
        let Some(layer) = node.layer() else {
            let input = self.expression(&INPUT, self.sums.len());
            return self.single(input);
        };
        let label = layer.label();
        let mut inputs = node.inputs.iter().map(|id| values[id.0]);
        if label.role.is_identity(inputs.len()) {
            return inputs.next().expect("a layer reads something");
        }
        match label.role {
            Role::Zero => self.sum_from(self.terms.len()),
            Role::Sum => {
                let start = self.terms.len();
                for sum in inputs {
                    self.terms
                        .extend_from_within(sum.start as usize..sum.end as usize);
                }
                self.sum_from(start)
            }
            Role::Product if inputs.clone().any(Self::is_zero) => self.sum_from(self.terms.len()),
            _ if inputs.clone().all(Self::is_zero) => self.sum_from(self.terms.len()),
            Role::Ordered => {
                let mut placed = [None; 2];
                for ((place, input), slot) in PLACES.iter().zip(inputs).zip(&mut placed) {
                    let first = self.sums.len();
                    self.sums.push(input);
                    let marked = self.expression(place, first);
                    *slot = Some(self.single(marked));
                }
                let first = self.sums.len();
                self.sums.extend(placed.into_iter().flatten());
                let applied = self.expression(label, first);
                self.single(applied)
            }
            _ => {
                let first = self.sums.len();
                self.sums.extend(inputs);
                let applied = self.expression(label, first);
                self.single(applied)
            }
        }
    }

    /// The expression of `label` applied to the sums from `first` on, which are taken away again if it
    /// is known.
    fn expression(&mut self, label: &'a Label, first: usize) -> u32 {
        let terms = &self.terms;
        let of = |sum: Sum| &terms[sum.start as usize..sum.end as usize];
        let inputs = &mut self.sums[first..];
        if inputs.len() > 1 {
            inputs.sort_unstable_by(|a, b| of(*a).cmp(of(*b)));
        }
        let mut hash = label.hash;
        let mut height = 0;
        for &input in &*inputs {
            for &term in of(input) {
                hash = mix(hash ^ u64::from(term));
                height = height.max(self.expressions[term as usize].height + 1);
            }
            hash = mix(hash ^ u64::MAX);
        }
        let latest = self.last.get(&hash).copied();
        let mut candidate = latest;
        while let Some(id) = candidate {
            let known = &self.expressions[id as usize];
            let sums = &self.sums[known.inputs.clone()];
            let same_inputs = sums.len() == self.sums.len() - first
                && sums
                    .iter()
                    .zip(&self.sums[first..])
                    .all(|(a, b)| of(*a) == of(*b));
            if same_inputs && known.label.text == label.text {
                self.sums.truncate(first);
                return id;
            }
            candidate = known.before;
        }
        let id = number(self.expressions.len());
        self.expressions.push(Expression {
            label,
            inputs: first..self.sums.len(),
            height,
            before: latest,
        });
        self.last.insert(hash, id);
        id
    }

    /// The expressions that `output` needs, numbered from the input up in an order that depends on
    /// nothing but themselves.
    fn write(&self, output: Sum, out: &mut String) {
        if Self::is_zero(output) {
            out.push_str("dead");
            return;
        }
        let mut ranks = Ranks {
            folding: self,
            ranks: vec![0; self.expressions.len()],
            keys: Vec::new(),
            bounds: Vec::new(),
        };
        let needed = self.needed(output);
        let mut start = 0;
        while start < needed.len() {
            let height = self.expressions[needed[start] as usize].height;
            let alike = needed[start..].iter();
            let alike = alike.take_while(|id| self.expressions[**id as usize].height == height);
            let end = start + alike.count();
            ranks.level(&needed[start..end], start, out);
            start = end;
        }
        ranks.keys.clear();
        ranks.rank(output);
        write_sums(&ranks.keys, out);
    }

    /// The expressions that lead to `output`, by height.
    fn needed(&self, output: Sum) -> Vec<u32> {
        let mut seen = vec![false; self.expressions.len()];
        let mut needed = Vec::with_capacity(self.expressions.len());
        let mut pending = self.terms(output).to_vec();
        while let Some(id) = pending.pop() {
            if !std::mem::replace(&mut seen[id as usize], true) {
                needed.push(id);
                let sums = &self.sums[self.expressions[id as usize].inputs.clone()];
                pending.extend(sums.iter().flat_map(|sum| self.terms(*sum)));
            }
        }
        needed.sort_unstable_by_key(|id| self.expressions[*id as usize].height);
        needed
    }
}

/// Numbers expressions by what they are applied to, whose numbers are known.
struct Ranks<'a> {
    folding: &'a Folding<'a>,
    ranks: Vec<u32>,
    /// Sums of ranks in order, each rank plus one, each sum ended by a zero: so they compare as they
    /// stand.
    keys: Vec<u32>,
    bounds: Vec<Range<usize>>,
}

impl Ranks<'_> {
    /// Numbers and writes the expressions of one height, from `next` on.
    fn level(&mut self, ids: &[u32], next: usize, out: &mut String) {
        let folding = self.folding;
        self.keys.clear();
        let mut keyed: Vec<(u32, Range<usize>)> = Vec::with_capacity(ids.len());
        for &id in ids {
            let start = self.keys.len();
            self.rank_all(&folding.sums[folding.expressions[id as usize].inputs.clone()]);
            keyed.push((id, start..self.keys.len()));
        }
        let label = |id: u32| &*folding.expressions[id as usize].label.text;
        let keys = &self.keys;
        keyed.sort_unstable_by(|(a, inputs), (b, others)| {
            let labels = label(*a).cmp(label(*b));
            labels.then_with(|| keys[inputs.clone()].cmp(&keys[others.clone()]))
        });
        for (place, (id, inputs)) in keyed.into_iter().enumerate() {
            self.ranks[id as usize] = number(next + place);
            out.push_str(label(id));
            write_sums(&self.keys[inputs], out);
            out.push(';');
        }
    }

    /// Adds the key of these sums, in order.
    fn rank_all(&mut self, sums: &[Sum]) {
        let start = self.keys.len();
        self.bounds.clear();
        for &sum in sums {
            let from = self.keys.len();
            self.rank(sum);
            self.bounds.push(from..self.keys.len());
        }
        if sums.len() > 1 {
            let keys = &self.keys;
            self.bounds
                .sort_unstable_by(|a, b| keys[a.clone()].cmp(&keys[b.clone()]));
            let sorted = self
                .bounds
                .iter()
                .flat_map(|sum| keys[sum.clone()].to_vec());
            let sorted: Vec<u32> = sorted.collect();
            self.keys.truncate(start);
            self.keys.extend(sorted);
        }
    }

    /// Adds the key of a sum.
    fn rank(&mut self, sum: Sum) {
        let start = self.keys.len();
        let terms = self.folding.terms(sum).iter();
        self.keys
            .extend(terms.map(|&id| self.ranks[id as usize] + 1));
        self.keys[start..].sort_unstable();
        self.keys.push(0);
    }
}

/// Writes a key as lists of ranks.
fn write_sums(key: &[u32], out: &mut String) {
    out.push('[');
    let mut first = true;
    for sum in key
        .split(|rank| *rank == 0)
        .take(key.iter().filter(|rank| **rank == 0).count())
    {
        if !std::mem::replace(&mut first, false) {
            out.push_str(", ");
        }
        out.push('[');
        for (index, rank) in sum.iter().enumerate() {
            if index > 0 {
                out.push_str(", ");
            }
            push_number(out, rank - 1);
        }
        out.push(']');
    }
    out.push(']');
}
