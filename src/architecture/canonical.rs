//! Canonical forms: equal for two networks exactly when they are isomorphic as labelled graphs.
//!
//! The form is a text, not a hash, so nothing collides. A network is cut at the nodes that every path
//! passes (series), what lies between two cuts falls apart into components (parallel), and both rules
//! apply again inside each component. Only what is left, connected and without a cut, needs colour
//! refinement and a search over its remaining ties; in the cells of the literature that is at most a
//! handful of nodes. The order in which a merge or concatenation lists its inputs does not count:
//! permuting them permutes weights and changes nothing that training could tell. Layers of two tensors,
//! such as cross-attention, keep theirs.

use super::{Architecture, Operation};
use crate::layers::{Arity, Layer};
use rustc_hash::FxHashMap;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::rc::Rc;

/// A text that is equal for two networks exactly when they are the same network.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CanonicalForm(String);

impl CanonicalForm {
    pub(super) fn new(form: String) -> Self {
        Self(form)
    }

    /// The form itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its SHA-256, which takes 32 bytes however large the network is.
    pub fn hash(&self) -> [u8; 32] {
        use sha2::Digest;
        sha2::Sha256::digest(self.0.as_bytes()).into()
    }

    /// The first 16 bytes of its SHA-256 in hexadecimal: a short name for journals and tables.
    pub fn digest(&self) -> String {
        self.hash()[..16]
            .iter()
            .fold(String::new(), |mut out, byte| {
                let _ = write!(out, "{byte:02x}");
                out
            })
    }
}

impl fmt::Display for CanonicalForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A directed acyclic graph with one source (vertex 0) and one sink (the last), in topological order,
/// every vertex between the two.
#[derive(Default)]
struct LabelledGraph<'a> {
    /// The label of each vertex, as its position in `texts`.
    labels: Vec<u32>,
    inputs: Vec<Vec<usize>>,
    texts: Vec<String>,
    /// A number for each text that depends on nothing else.
    hashes: Vec<u64>,
    layers: FxHashMap<&'a Layer, u32>,
    places: Vec<u32>,
}

impl<'a> LabelledGraph<'a> {
    fn text(&self, vertex: usize) -> &str {
        &self.texts[self.labels[vertex] as usize]
    }

    fn new_text(&mut self, text: String) -> u32 {
        let hash = text
            .bytes()
            .fold(0, |hash, byte| mix(hash ^ u64::from(byte)));
        self.hashes.push(hash);
        self.texts.push(text);
        u32::try_from(self.texts.len() - 1).expect("networks are far smaller")
    }

    /// The label of a layer; equal layers are written once.
    fn layer(&mut self, layer: &'a Layer) -> u32 {
        if let Some(&known) = self.layers.get(layer) {
            return known;
        }
        let id = self.new_text(label(layer));
        self.layers.insert(layer, id);
        id
    }

    /// The label of a vertex that stands between an ordered layer and one of its inputs.
    fn place(&mut self, index: usize) -> u32 {
        while self.places.len() <= index {
            let id = self.new_text(place(self.places.len()));
            self.places.push(id);
        }
        self.places[index]
    }

    /// A vertex for each input that says which it is, so that a form that forgets the order keeps it.
    fn in_order(&mut self, inputs: Vec<usize>) -> Vec<usize> {
        let places = inputs.into_iter().enumerate().map(|(index, input)| {
            let label = self.place(index);
            self.labels.push(label);
            self.inputs.push(vec![input]);
            self.labels.len() - 1
        });
        places.collect()
    }
}

pub(super) fn labelled(architecture: &Architecture) -> CanonicalForm {
    let graph = contract_identities(architecture);
    form(&graph, architecture)
}

fn form(graph: &LabelledGraph<'_>, architecture: &Architecture) -> CanonicalForm {
    let mut out = format!("{}:{}", architecture.input().kind(), architecture.input());
    let canon = Canon::new(graph);
    let inner: Vec<usize> = (1..graph.labels.len().saturating_sub(1)).collect();
    let last = graph.labels.len() - 1;
    if last > 0 {
        canon.series(0, &inner, last, &mut out);
        out.push_str(graph.text(last));
    }
    let _ = write!(out, ">{:?}", architecture.output());
    CanonicalForm(out)
}

/// Whether the layer does nothing: identity, or a merge of one tensor.
pub(super) fn is_identity(layer: &Layer, inputs: usize) -> bool {
    layer.kind.name() == "identity" || (inputs == 1 && layer.kind.describe().arity == Arity::Many)
}

/// Whether it matters which input is first.
pub(super) fn is_ordered(layer: &Layer) -> bool {
    layer.kind.describe().arity == Arity::Two
}

/// The label of a vertex that stands between an ordered layer and one of its inputs.
pub(super) fn place(index: usize) -> String {
    format!("#{index}")
}

pub(super) fn label(layer: &Layer) -> String {
    let mut out = layer.kind.name().to_owned();
    for value in layer.arguments.values() {
        let _ = write!(out, ",{value}");
    }
    out
}

fn contract_identities(architecture: &Architecture) -> LabelledGraph<'_> {
    let mut graph = LabelledGraph::default();
    let mut stands_for = Vec::with_capacity(architecture.nodes().len());
    for node in architecture.nodes() {
        let inputs: Vec<usize> = node.inputs.iter().map(|id| stands_for[id.0]).collect();
        match &node.operation {
            Operation::Layer(layer) if is_identity(layer, inputs.len()) => {
                stands_for.push(inputs[0]);
            }
            operation => {
                let (label, inputs) = match operation {
                    Operation::Input => (graph.new_text(String::new()), inputs),
                    Operation::Layer(layer) if is_ordered(layer) => {
                        (graph.layer(layer), graph.in_order(inputs))
                    }
                    Operation::Layer(layer) => (graph.layer(layer), inputs),
                };
                stands_for.push(graph.labels.len());
                graph.labels.push(label);
                graph.inputs.push(inputs);
            }
        }
    }
    graph
}

/// The search for the canonical form of one graph.
struct Canon<'a> {
    graph: &'a LabelledGraph<'a>,
    users: Vec<Vec<usize>>,
    /// What gaps were written as, by all they depend on: networks repeat their cells.
    known: RefCell<FxHashMap<Vec<u32>, Rc<str>>>,
}

impl<'a> Canon<'a> {
    fn new(graph: &'a LabelledGraph<'a>) -> Self {
        let mut users = vec![Vec::new(); graph.labels.len()];
        for (vertex, inputs) in graph.inputs.iter().enumerate() {
            for &input in inputs {
                users[input].push(vertex);
            }
        }
        let known = RefCell::default();
        Self {
            graph,
            users,
            known,
        }
    }

    /// What lies between `source` and `sink` through `inner` (in topological order), cut into a row.
    fn series(&self, source: usize, inner: &[usize], sink: usize, out: &mut String) {
        let cuts = self.cuts(source, inner, sink);
        let mut from = source;
        let mut rest = inner;
        for cut in cuts {
            let at = rest
                .iter()
                .position(|&v| v == cut)
                .expect("a cut is an inner vertex");
            self.gap(from, &rest[..at], cut, out);
            out.push_str(self.graph.text(cut));
            (from, rest) = (cut, &rest[at + 1..]);
        }
        self.gap(from, rest, sink, out);
    }

    /// The inner vertices that every path from source to sink through `inner` passes.
    fn cuts(&self, source: usize, inner: &[usize], sink: usize) -> Vec<usize> {
        let reach = |from: usize| {
            let inside = |&&user: &&usize| inner.binary_search(&user).is_ok() || user == sink;
            self.users[from]
                .iter()
                .filter(inside)
                .max()
                .copied()
                .unwrap_or(0)
        };
        // A direct edge from source to sink is not part of a component, so it hides no cut.
        let from_source = self.users[source]
            .iter()
            .filter(|user| inner.binary_search(user).is_ok());
        let mut furthest = from_source.max().copied().unwrap_or(0);
        let mut cuts = Vec::new();
        for &vertex in inner {
            if furthest <= vertex {
                cuts.push(vertex);
            }
            furthest = furthest.max(reach(vertex));
        }
        cuts
    }

    /// What lies between two neighbouring cuts: its components in order, then the direct edges.
    fn gap(&self, from: usize, inner: &[usize], to: usize, out: &mut String) {
        let direct = self.users[from].iter().filter(|&&user| user == to).count();
        if inner.is_empty() && direct == 1 {
            out.push('.');
            return;
        }
        let signature = self.signature(from, inner, to);
        let known = self.known.borrow().get(&signature).cloned();
        let text = known.unwrap_or_else(|| {
            let text: Rc<str> = self.parts(from, inner, to, direct).into();
            self.known.borrow_mut().insert(signature, Rc::clone(&text));
            text
        });
        out.push_str(&text);
    }

    /// All that a gap's text depends on: labels and edges by position.
    fn signature(&self, from: usize, inner: &[usize], to: usize) -> Vec<u32> {
        let number = |value: usize| u32::try_from(value).expect("networks are far smaller");
        let edges = |users: &[usize]| number(users.iter().filter(|&&user| user == to).count());
        let mut signature = vec![edges(&self.users[from])];
        for &vertex in inner {
            signature.extend([self.graph.labels[vertex], edges(&self.users[vertex])]);
            for input in &self.graph.inputs[vertex] {
                let place = inner.binary_search(input);
                signature.push(place.map_or(u32::MAX, number));
            }
            signature.push(u32::MAX - 1);
        }
        signature
    }

    fn parts(&self, from: usize, inner: &[usize], to: usize, direct: usize) -> String {
        let mut parts: Vec<String> = self
            .components(inner)
            .iter()
            .map(|component| self.component(from, component, to))
            .collect();
        parts.sort_unstable();
        format!("({}*{direct})", parts.join("|"))
    }

    fn component(&self, from: usize, component: &[usize], to: usize) -> String {
        let mut out = String::new();
        if component.len() == 1 || !self.cuts(from, component, to).is_empty() {
            self.series(from, component, to, &mut out);
        } else {
            out = Prime::new(self, from, component, to).smallest();
        }
        out
    }

    /// The weakly connected parts of `inner`, each in topological order.
    fn components(&self, inner: &[usize]) -> Vec<Vec<usize>> {
        let mut part: Vec<usize> = (0..inner.len()).collect();
        let position = |vertex: &usize| inner.binary_search(vertex).ok();
        for (index, &vertex) in inner.iter().enumerate() {
            for input in self.graph.inputs[vertex].iter().filter_map(position) {
                let (a, b) = (root(&part, index), root(&part, input));
                part[a.max(b)] = a.min(b);
            }
        }
        let mut parts = BTreeMap::<usize, Vec<usize>>::new();
        for (index, &vertex) in inner.iter().enumerate() {
            parts.entry(root(&part, index)).or_default().push(vertex);
        }
        parts.into_values().collect()
    }
}

fn root(part: &[usize], mut index: usize) -> usize {
    while part[index] != index {
        index = part[index];
    }
    index
}

/// A connected piece between two terminals that no single vertex cuts.
struct Prime<'a> {
    labels: Vec<&'a str>,
    hashes: Vec<u64>,
    inputs: Vec<Vec<usize>>,
    users: Vec<Vec<usize>>,
    from_source: Vec<usize>,
    to_sink: Vec<usize>,
}

impl<'a> Prime<'a> {
    fn new(canon: &Canon<'a>, from: usize, vertices: &[usize], to: usize) -> Self {
        let local = |all: &[usize]| -> Vec<usize> {
            all.iter()
                .filter_map(|vertex| vertices.binary_search(vertex).ok())
                .collect()
        };
        let count = |all: &[usize], wanted: usize| all.iter().filter(|&&v| v == wanted).count();
        let graph = canon.graph;
        let each = |f: &dyn Fn(usize) -> usize| vertices.iter().map(|&v| f(v)).collect();
        Self {
            labels: vertices.iter().map(|&v| graph.text(v)).collect(),
            hashes: vertices
                .iter()
                .map(|&v| graph.hashes[graph.labels[v] as usize])
                .collect(),
            inputs: vertices.iter().map(|&v| local(&graph.inputs[v])).collect(),
            users: vertices.iter().map(|&v| local(&canon.users[v])).collect(),
            from_source: each(&|v| count(&graph.inputs[v], from)),
            to_sink: each(&|v| count(&canon.users[v], to)),
        }
    }

    fn smallest(&self) -> String {
        let mut best = None;
        self.search(ranks(&self.first_colours()), &mut best);
        best.expect("the search reaches a leaf")
    }

    /// What a vertex is by itself, by all that leads to it and by all that it leads to. Two vertices
    /// of one colour may still differ (the first two are hashes), which the search then settles.
    fn first_colours(&self) -> Vec<(u64, u64, &str, usize, usize)> {
        let own = |v: usize| {
            let ends = self.from_source[v] as u64 ^ (self.to_sink[v] as u64) << 32;
            mix(self.hashes[v] ^ mix(ends))
        };
        let own: Vec<u64> = (0..self.labels.len()).map(own).collect();
        let (mut before, mut after) = (own.clone(), own.clone());
        // Vertices are in topological order.
        for v in 0..own.len() {
            before[v] = mix(own[v] ^ total(&before, &self.inputs[v]));
        }
        for v in (0..own.len()).rev() {
            after[v] = mix(own[v] ^ total(&after, &self.users[v]));
        }
        let ends = |v: usize| (self.labels[v], self.from_source[v], self.to_sink[v]);
        (0..own.len())
            .map(|v| (before[v], after[v], ends(v).0, ends(v).1, ends(v).2))
            .collect()
    }

    /// Refines, then tries each way to break the first tie; twins need only one try.
    fn search(&self, colours: Vec<usize>, best: &mut Option<String>) {
        let colours = self.refine(colours);
        let Some(tied) = first_tie(&colours) else {
            let encoding = self.encode(&colours);
            if best.as_ref().is_none_or(|known| encoding < *known) {
                *best = Some(encoding);
            }
            return;
        };
        let mut tried: Vec<usize> = Vec::new();
        for &vertex in &tied {
            if !tried.iter().any(|&other| self.are_twins(vertex, other)) {
                tried.push(vertex);
                let mut broken: Vec<usize> = colours.iter().map(|colour| 2 * colour + 1).collect();
                broken[vertex] -= 1;
                self.search(broken, best);
            }
        }
    }

    /// Parts colours by those of neighbours until nothing changes.
    fn refine(&self, mut colours: Vec<usize>) -> Vec<usize> {
        let mut classes = distinct(&colours);
        while classes < colours.len() {
            let mixed: Vec<u64> = colours.iter().map(|&colour| mix(colour as u64)).collect();
            let keys: Vec<_> = (0..colours.len())
                .map(|v| {
                    (
                        colours[v],
                        total(&mixed, &self.inputs[v]),
                        total(&mixed, &self.users[v]),
                    )
                })
                .collect();
            colours = ranks(&keys);
            let refined = distinct(&colours);
            if refined == classes {
                break;
            }
            classes = refined;
        }
        colours
    }

    /// Whether swapping two vertices of one colour leaves the graph as it is.
    fn are_twins(&self, a: usize, b: usize) -> bool {
        let sorted = |list: &[usize]| {
            let mut list = list.to_vec();
            list.sort_unstable();
            list
        };
        sorted(&self.inputs[a]) == sorted(&self.inputs[b])
            && sorted(&self.users[a]) == sorted(&self.users[b])
    }

    fn encode(&self, colours: &[usize]) -> String {
        let mut order: Vec<usize> = (0..colours.len()).collect();
        order.sort_unstable_by_key(|&v| colours[v]);
        let mut place = vec![0; colours.len()];
        for (index, &vertex) in order.iter().enumerate() {
            place[vertex] = index;
        }
        let mut out = String::from("[");
        for &vertex in &order {
            let mut inputs: Vec<usize> = self.inputs[vertex].iter().map(|&v| place[v]).collect();
            inputs.sort_unstable();
            let (label, from, to) = (
                self.labels[vertex],
                self.from_source[vertex],
                self.to_sink[vertex],
            );
            let _ = write!(out, "{label}<{from}");
            for input in inputs {
                let _ = write!(out, " {input}");
            }
            let _ = write!(out, ">{to};");
        }
        out.push(']');
        out
    }
}

/// The sum over vertices, which depends on no order.
fn total(values: &[u64], vertices: &[usize]) -> u64 {
    vertices
        .iter()
        .fold(0, |sum, &v| sum.wrapping_add(values[v]))
}

/// Scatters the bits of a number (the last step of SplitMix64).
fn mix(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ number >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ number >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ number >> 31
}

/// The rank of each key among the distinct keys.
fn ranks<K: Ord>(keys: &[K]) -> Vec<usize> {
    let mut sorted: Vec<&K> = keys.iter().collect();
    sorted.sort_unstable();
    sorted.dedup();
    keys.iter()
        .map(|key| {
            sorted
                .binary_search(&key)
                .expect("every key is in the sorted list")
        })
        .collect()
}

fn distinct(colours: &[usize]) -> usize {
    let mut sorted = colours.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    sorted.len()
}

/// The vertices of the smallest colour that more than one vertex has.
fn first_tie(colours: &[usize]) -> Option<Vec<usize>> {
    let mut by_colour = BTreeMap::<usize, Vec<usize>>::new();
    for (vertex, &colour) in colours.iter().enumerate() {
        by_colour.entry(colour).or_default().push(vertex);
    }
    by_colour.into_values().find(|vertices| vertices.len() > 1)
}
