//! The canonical text of what neither cuts nor components divide: colour refinement, then a search over
//! the ties that are left.

use super::labelled_graph::{LabelledGraph, Lists, number, push_number};
use crate::layers::{Label, mix};
use std::cmp::Ordering;
use std::ops::Range;

/// A connected piece between two terminals that no single vertex cuts.
pub(super) struct Prime<'a> {
    labels: Vec<&'a Label>,
    /// What each vertex reads and is read by inside of the piece.
    inputs: Lists,
    users: Lists,
    from_source: Vec<u32>,
    to_sink: Vec<u32>,
}

impl<'a> Prime<'a> {
    /// The piece of `vertices`, which are in topological order; `place` is the place of a vertex among
    /// them.
    pub fn new(
        graph: &LabelledGraph<'a>,
        from: u32,
        vertices: &[u32],
        to: u32,
        place: impl Fn(u32) -> Option<u32>,
    ) -> Self {
        let mut inputs = Lists::with_capacity(vertices.len());
        let mut users = Lists::with_capacity(vertices.len());
        let (mut from_source, mut to_sink) = (Vec::new(), Vec::new());
        for &vertex in vertices {
            let (reads, read_by) = (graph.inputs.of(vertex), graph.users.of(vertex));
            inputs.push_sorted(reads.iter().filter_map(|&input| place(input)));
            users.push_sorted(read_by.iter().filter_map(|&user| place(user)));
            let count = |all: &[u32], end| number(all.iter().filter(|&&v| v == end).count());
            from_source.push(count(reads, from));
            to_sink.push(count(read_by, to));
        }
        let labels = vertices.iter().map(|&vertex| graph.labels[vertex as usize]);
        Self {
            labels: labels.collect(),
            inputs,
            users,
            from_source,
            to_sink,
        }
    }

    /// Writes the smallest of the encodings that the search comes to.
    pub fn write(&self, out: &mut String) {
        let mut colouring = self.first_colouring();
        self.refine(&mut colouring);
        if colouring.first_tie().is_none() {
            self.encode(&colouring, out);
            return;
        }
        let mut leaves = Leaves::default();
        self.search(&colouring, &mut leaves);
        out.push_str(&leaves.smallest);
    }

    /// By what a vertex is by itself, by all that leads to it and by all that it leads to. Two vertices
    /// of one colour may still differ (the first two are hashes), which the search then settles.
    fn first_colouring(&self) -> Colouring {
        let own = |v: usize| {
            let ends = u64::from(self.from_source[v]) ^ u64::from(self.to_sink[v]) << 32;
            mix(self.labels[v].hash ^ mix(ends))
        };
        let own: Vec<u64> = (0..self.labels.len()).map(own).collect();
        let mut keys: Vec<(u64, u64, u32)> = Vec::with_capacity(own.len());
        // Vertices are in topological order.
        for (v, own) in own.iter().enumerate() {
            let before = total(self.inputs.of(number(v)), |input| keys[input as usize].0);
            keys.push((mix(own ^ before), 0, number(v)));
        }
        for (v, own) in own.iter().enumerate().rev() {
            let after = total(self.users.of(number(v)), |user| keys[user as usize].1);
            keys[v].1 = mix(own ^ after);
        }
        let rest = |&(_, _, v): &(u64, u64, u32)| {
            let v = v as usize;
            (&*self.labels[v].text, self.from_source[v], self.to_sink[v])
        };
        let order = |a: &(u64, u64, u32), b: &(u64, u64, u32)| {
            let hashes = (a.0, a.1).cmp(&(b.0, b.1));
            hashes.then_with(|| rest(a).cmp(&rest(b)))
        };
        keys.sort_unstable_by(order);
        let starts =
            (0..keys.len()).map(|at| at == 0 || order(&keys[at - 1], &keys[at]) != Ordering::Equal);
        let mut colouring = Colouring {
            starts: starts.collect(),
            order: keys.iter().map(|(_, _, v)| *v).collect(),
            colours: vec![0; keys.len()],
        };
        colouring.number();
        colouring
    }

    /// Tries each way to break the first tie; twins need only one try. Returns whether a leaf was like
    /// the very first, which means that what led here is symmetric to what led there.
    fn search(&self, colouring: &Colouring, leaves: &mut Leaves) -> bool {
        let Some(tie) = colouring.first_tie() else {
            let mut encoding = String::new();
            self.encode(colouring, &mut encoding);
            return leaves.add(encoding);
        };
        let leads_to_first = leaves.first.is_none();
        let mut tied = colouring.order[tie.clone()].to_vec();
        tied.sort_unstable();
        let mut tried: Vec<u32> = Vec::new();
        for &vertex in &tied {
            if tried.iter().any(|&other| self.are_twins(vertex, other)) {
                continue;
            }
            tried.push(vertex);
            let mut broken = colouring.broken(&tie, vertex);
            self.refine(&mut broken);
            if self.search(&broken, leaves) && !leads_to_first {
                // All that is left here has its like below the first branch, where it was seen.
                return true;
            }
        }
        false
    }

    /// Parts colours by those of neighbours until nothing changes.
    fn refine(&self, colouring: &mut Colouring) {
        let mut keys: Vec<(u64, u64, u32)> = Vec::new();
        let mut colours = colouring.count();
        while colours < colouring.order.len() {
            let mut at = 0;
            while let Some(tie) = colouring.tie_from(at) {
                at = tie.end;
                let members = &colouring.order[tie.clone()];
                let mixed = |v: u32| mix(u64::from(colouring.colours[v as usize]));
                keys.clear();
                keys.extend(members.iter().map(|&v| {
                    let before = total(self.inputs.of(v), mixed);
                    (before, total(self.users.of(v), mixed), v)
                }));
                keys.sort_unstable();
                for (index, key) in keys.iter().enumerate() {
                    colouring.order[tie.start + index] = key.2;
                    if index > 0 {
                        let before = &keys[index - 1];
                        colouring.starts[tie.start + index] =
                            (before.0, before.1) != (key.0, key.1);
                    }
                }
            }
            colouring.number();
            let refined = colouring.count();
            if refined == colours {
                break;
            }
            colours = refined;
        }
    }

    /// Whether swapping two vertices of one colour leaves the graph as it is.
    fn are_twins(&self, a: u32, b: u32) -> bool {
        self.inputs.of(a) == self.inputs.of(b) && self.users.of(a) == self.users.of(b)
    }

    fn encode(&self, colouring: &Colouring, out: &mut String) {
        let mut place = vec![0; colouring.order.len()];
        for (index, &vertex) in colouring.order.iter().enumerate() {
            place[vertex as usize] = number(index);
        }
        let mut inputs = Vec::new();
        out.push('[');
        for &vertex in &colouring.order {
            let v = vertex as usize;
            out.push_str(&self.labels[v].text);
            out.push('<');
            push_number(out, self.from_source[v]);
            inputs.clear();
            inputs.extend(self.inputs.of(vertex).iter().map(|&v| place[v as usize]));
            inputs.sort_unstable();
            for &input in &inputs {
                out.push(' ');
                push_number(out, input);
            }
            out.push('>');
            push_number(out, self.to_sink[v]);
            out.push(';');
        }
        out.push(']');
    }
}

/// What the search has come to.
#[derive(Default)]
struct Leaves {
    first: Option<String>,
    smallest: String,
}

impl Leaves {
    /// Notes an encoding; whether it is like the first.
    fn add(&mut self, encoding: String) -> bool {
        match &self.first {
            None => {
                self.smallest.clone_from(&encoding);
                self.first = Some(encoding);
                false
            }
            Some(first) => {
                let same = *first == encoding;
                if encoding < self.smallest {
                    self.smallest = encoding;
                }
                same
            }
        }
    }
}

/// Vertices in the order of their colours.
struct Colouring {
    order: Vec<u32>,
    /// Whether a new colour starts at this place of `order`.
    starts: Vec<bool>,
    /// The colour of each vertex.
    colours: Vec<u32>,
}

impl Colouring {
    /// Numbers the colours from 0.
    fn number(&mut self) {
        let mut colour = 0;
        for (at, &vertex) in self.order.iter().enumerate() {
            if at > 0 && self.starts[at] {
                colour += 1;
            }
            self.colours[vertex as usize] = colour;
        }
    }

    /// How many colours there are.
    fn count(&self) -> usize {
        self.starts.iter().filter(|start| **start).count()
    }

    /// The places of the smallest colour that more than one vertex has.
    fn first_tie(&self) -> Option<Range<usize>> {
        self.tie_from(0)
    }

    fn tie_from(&self, from: usize) -> Option<Range<usize>> {
        let second = (from.max(1)..self.starts.len()).find(|&at| !self.starts[at])?;
        let rest = &self.starts[second..];
        let end = rest.iter().position(|&start| start);
        Some(second - 1..end.map_or(self.starts.len(), |end| second + end))
    }

    /// The same with one vertex of a tie before the others.
    fn broken(&self, tie: &Range<usize>, vertex: u32) -> Self {
        let (mut order, mut starts) = (self.order.clone(), self.starts.clone());
        let members = &mut order[tie.clone()];
        let at = members.iter().position(|&member| member == vertex);
        members.swap(0, at.expect("the vertex is one of the tied"));
        starts[tie.start + 1] = true;
        let mut colours: Vec<u32> = self.colours.iter().map(|colour| 2 * colour + 1).collect();
        colours[vertex as usize] -= 1;
        Self {
            order,
            starts,
            colours,
        }
    }
}

/// The sum over vertices, which depends on no order.
fn total(vertices: &[u32], value: impl Fn(u32) -> u64) -> u64 {
    vertices
        .iter()
        .fold(0, |sum, &v| sum.wrapping_add(value(v)))
}
