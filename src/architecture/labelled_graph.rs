//! A network as a labelled graph, identity layers contracted.

use super::{Architecture, Operation};
use crate::layers::{Label, Role};
use std::sync::LazyLock;

pub(super) static INPUT: LazyLock<Label> = LazyLock::new(|| Label::of(String::new(), Role::Plain));

/// The labels of vertices that stand between a layer of two tensors and one of its inputs.
pub(super) static PLACES: LazyLock<[Label; 2]> =
    LazyLock::new(|| [0, 1].map(|index| Label::of(format!("#{index}"), Role::Plain)));

/// A list of vertices for each vertex, end to end.
#[derive(Debug, Default)]
pub(super) struct Lists {
    ends: Vec<u32>,
    items: Vec<u32>,
}

impl Lists {
    pub fn with_capacity(lists: usize) -> Self {
        Self {
            ends: Vec::with_capacity(lists),
            items: Vec::with_capacity(lists + lists / 2),
        }
    }

    /// The list of a vertex.
    pub fn of(&self, vertex: u32) -> &[u32] {
        let vertex = vertex as usize;
        let start = vertex.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.items[start as usize..self.ends[vertex] as usize]
    }

    /// Adds the list of the next vertex.
    pub fn push(&mut self, list: impl IntoIterator<Item = u32>) {
        self.items.extend(list);
        self.ends.push(number(self.items.len()));
    }

    /// Adds the list of the next vertex, in order.
    pub fn push_sorted(&mut self, list: impl IntoIterator<Item = u32>) {
        let start = self.items.len();
        self.push(list);
        self.items[start..].sort_unstable();
    }

    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// The lists in which each vertex stands, in order.
    fn inverse(&self) -> Self {
        let mut starts = vec![0u32; self.len() + 1];
        for &item in &self.items {
            starts[item as usize + 1] += 1;
        }
        for vertex in 0..self.len() {
            starts[vertex + 1] += starts[vertex];
        }
        let mut items = vec![0; self.items.len()];
        for vertex in 0..number(self.len()) {
            for &item in self.of(vertex) {
                let next = &mut starts[item as usize];
                items[*next as usize] = vertex;
                *next += 1;
            }
        }
        // Each start has moved to the end of its list.
        starts.pop();
        Self {
            ends: starts,
            items,
        }
    }
}

/// A directed acyclic graph with one source (vertex 0) and one sink (the last), in topological order,
/// every vertex between the two.
pub(super) struct LabelledGraph<'a> {
    pub labels: Vec<&'a Label>,
    pub inputs: Lists,
    pub users: Lists,
}

impl<'a> LabelledGraph<'a> {
    pub fn of(architecture: &'a Architecture) -> Self {
        let nodes = architecture.nodes();
        let mut labels = Vec::with_capacity(nodes.len());
        let mut inputs = Lists::with_capacity(nodes.len());
        let mut stands_for: Vec<u32> = Vec::with_capacity(nodes.len());
        for node in nodes {
            let reads = |index: usize| stands_for[node.inputs[index].0];
            let label = match &node.operation {
                Operation::Input => &*INPUT,
                Operation::Layer(layer) => layer.label(),
            };
            if label.role.is_identity(node.inputs.len()) {
                stands_for.push(reads(0));
                continue;
            }
            if label.role == Role::Ordered {
                // A vertex for each input says which it is, so that a form that forgets the order keeps it.
                let first = number(labels.len());
                for (index, place) in (0..node.inputs.len()).zip(&*PLACES) {
                    labels.push(place);
                    inputs.push([reads(index)]);
                }
                inputs.push(first..number(labels.len()));
            } else {
                inputs.push((0..node.inputs.len()).map(reads));
            }
            stands_for.push(number(labels.len()));
            labels.push(label);
        }
        let users = inputs.inverse();
        Self {
            labels,
            inputs,
            users,
        }
    }
}

pub(super) fn number(value: usize) -> u32 {
    u32::try_from(value).expect("networks are far smaller")
}

/// Writes a number; `write!` would take several times as long.
pub(super) fn push_number(out: &mut String, mut number: u32) {
    let mut digits = [0u8; 10];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    for digit in &digits[at..] {
        out.push(char::from(*digit));
    }
}
