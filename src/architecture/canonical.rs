//! Canonical forms: equal for two networks exactly when they are isomorphic as labelled graphs.
//!
//! The form is a text, not a hash, so nothing collides. A network is cut at the nodes that every path
//! passes (series), what lies between two cuts falls apart into components (parallel), and both rules
//! apply again inside each component. Only what is left, connected and without a cut, needs colour
//! refinement and a search over its remaining ties ([`Prime`]); in the cells of the literature that is
//! at most a handful of nodes. The order in which a merge or concatenation lists its inputs does not
//! count: permuting them permutes weights and changes nothing that training could tell. Layers of two
//! tensors, such as cross-attention, keep theirs.

use super::Architecture;
use super::labelled_graph::{LabelledGraph, number, push_number};
use super::prime::Prime;
use crate::layers::{Label, mix};
use std::fmt::{self, Write};
use std::ops::Range;

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

pub(super) fn labelled(architecture: &Architecture) -> CanonicalForm {
    let graph = LabelledGraph::of(architecture);
    let last = number(graph.labels.len()) - 1;
    let mut out = String::with_capacity(32 * graph.labels.len() + 64);
    let _ = write!(
        out,
        "{}:{}",
        architecture.input().kind(),
        architecture.input()
    );
    if last > 0 {
        let inner: Vec<u32> = (1..last).collect();
        let mut canon = Canon::new(&graph);
        canon.series(0, &inner, last, &mut out);
        out.push_str(&graph.labels[last as usize].text);
    }
    let _ = write!(out, ">{:?}", architecture.output());
    CanonicalForm(out)
}

/// The search for the canonical form of one graph.
struct Canon<'a> {
    graph: &'a LabelledGraph<'a>,
    /// The piece that each vertex was last looked at in, and its place there.
    pieces: Vec<u32>,
    places: Vec<u32>,
    last_piece: u32,
    known: Known,
}

impl<'a> Canon<'a> {
    fn new(graph: &'a LabelledGraph<'a>) -> Self {
        let vertices = graph.labels.len();
        Self {
            graph,
            pieces: vec![0; vertices],
            places: vec![0; vertices],
            last_piece: 0,
            known: Known::default(),
        }
    }

    /// From now on, `inner` is what is looked at.
    fn look_at(&mut self, inner: &[u32]) {
        self.last_piece += 1;
        for (place, &vertex) in inner.iter().enumerate() {
            self.pieces[vertex as usize] = self.last_piece;
            self.places[vertex as usize] = number(place);
        }
    }

    /// The place of a vertex in what is looked at.
    fn place(&self, vertex: u32) -> Option<u32> {
        let inside = self.pieces[vertex as usize] == self.last_piece;
        inside.then(|| self.places[vertex as usize])
    }

    /// What lies between `source` and `sink` through `inner` (in topological order), cut into a row.
    fn series(&mut self, source: u32, inner: &[u32], sink: u32, out: &mut String) {
        let cuts = self.cuts(source, inner, sink);
        self.row(source, inner, sink, &cuts, out);
    }

    /// What lies between `source` and `sink`, cut at the places `cuts` of `inner`.
    fn row(&mut self, source: u32, inner: &[u32], sink: u32, cuts: &[usize], out: &mut String) {
        let (mut from, mut start) = (source, 0);
        for &cut in cuts {
            self.gap(from, &inner[start..cut], inner[cut], out);
            out.push_str(&self.graph.labels[inner[cut] as usize].text);
            (from, start) = (inner[cut], cut + 1);
        }
        self.gap(from, &inner[start..], sink, out);
    }

    /// The places of the vertices that every path from source to sink through `inner` passes.
    fn cuts(&mut self, source: u32, inner: &[u32], sink: u32) -> Vec<usize> {
        self.look_at(inner);
        let users = &self.graph.users;
        let inside = |user: &&u32| self.place(**user).is_some();
        // A direct edge from source to sink is not part of a component, so it hides no cut.
        let from_source = users.of(source).iter().rev().find(inside);
        let mut furthest = from_source.copied().unwrap_or(0);
        let mut cuts = Vec::new();
        for (place, &vertex) in inner.iter().enumerate() {
            if furthest <= vertex {
                cuts.push(place);
            }
            let mut users = users.of(vertex).iter().rev();
            let reach = users.find(|user| **user == sink || inside(user));
            furthest = furthest.max(reach.copied().unwrap_or(0));
        }
        cuts
    }

    /// What lies between two neighbouring cuts: its components in order, then the direct edges.
    fn gap(&mut self, from: u32, inner: &[u32], to: u32, out: &mut String) {
        let direct = self.edges(from, to);
        if inner.is_empty() && direct == 1 {
            out.push('.');
            return;
        }
        if inner.len() <= 2 {
            self.parts(from, inner, to, direct, out);
            return;
        }
        // Networks repeat their cells.
        let signature = self.signature(from, inner, to);
        if let Some(text) = self.known.find(&signature) {
            out.push_str(text);
            return;
        }
        let start = out.len();
        self.parts(from, inner, to, direct, out);
        self.known.add(signature, &out[start..]);
    }

    fn edges(&self, from: u32, to: u32) -> u32 {
        let users = self.graph.users.of(from).iter();
        number(users.filter(|&&user| user == to).count())
    }

    /// All that a gap's text depends on: labels and edges by position. Equal labels may look different
    /// here, which costs time only.
    fn signature(&mut self, from: u32, inner: &[u32], to: u32) -> Vec<usize> {
        self.look_at(inner);
        let mut signature = Vec::with_capacity(4 * inner.len() + 1);
        signature.push(self.edges(from, to) as usize);
        for &vertex in inner {
            let label: *const Label = self.graph.labels[vertex as usize];
            signature.push(label.addr());
            signature.push(self.edges(vertex, to) as usize);
            for &input in self.graph.inputs.of(vertex) {
                let place = self.place(input);
                signature.push(place.map_or(usize::MAX, |place| place as usize));
            }
            signature.push(usize::MAX - 1);
        }
        signature
    }

    fn parts(&mut self, from: u32, inner: &[u32], to: u32, direct: u32, out: &mut String) {
        out.push('(');
        let components = self.components(inner);
        if components.is_empty() {
            if !inner.is_empty() {
                self.component(from, inner, to, out);
            }
        } else {
            let mut write = |component: &Vec<u32>| {
                let mut text = String::new();
                self.component(from, component, to, &mut text);
                text
            };
            let mut texts: Vec<String> = components.iter().map(&mut write).collect();
            texts.sort_unstable();
            for (index, text) in texts.iter().enumerate() {
                if index > 0 {
                    out.push('|');
                }
                out.push_str(text);
            }
        }
        out.push('*');
        push_number(out, direct);
        out.push(')');
    }

    fn component(&mut self, from: u32, component: &[u32], to: u32, out: &mut String) {
        let cuts = self.cuts(from, component, to);
        if cuts.is_empty() {
            let place = |vertex| self.place(vertex);
            Prime::new(self.graph, from, component, to, place).write(out);
        } else {
            self.row(from, component, to, &cuts, out);
        }
    }

    /// The weakly connected parts of `inner`, each in topological order; none where it is one part.
    fn components(&mut self, inner: &[u32]) -> Vec<Vec<u32>> {
        if inner.len() < 2 {
            return Vec::new();
        }
        self.look_at(inner);
        let mut part: Vec<u32> = (0..number(inner.len())).collect();
        let mut parts = inner.len();
        for (index, &vertex) in inner.iter().enumerate() {
            let inputs = self.graph.inputs.of(vertex).iter();
            for input in inputs.filter_map(|&input| self.place(input)) {
                let (a, b) = (root(&mut part, number(index)), root(&mut part, input));
                if a != b {
                    part[a.max(b) as usize] = a.min(b);
                    parts -= 1;
                }
            }
        }
        if parts == 1 {
            return Vec::new();
        }
        let mut components: Vec<Vec<u32>> = Vec::with_capacity(parts);
        let mut positions = vec![0; inner.len()];
        for (index, &vertex) in inner.iter().enumerate() {
            let root = root(&mut part, number(index)) as usize;
            if root == index {
                positions[root] = components.len();
                components.push(Vec::new());
            }
            components[positions[root]].push(vertex);
        }
        components
    }
}

fn root(part: &mut [u32], mut index: u32) -> u32 {
    while part[index as usize] != index {
        let above = part[part[index as usize] as usize];
        part[index as usize] = above;
        index = above;
    }
    index
}

/// What gaps were written as, by their signatures.
#[derive(Default)]
struct Known {
    hashes: Vec<u64>,
    entries: Vec<(Vec<usize>, Range<usize>)>,
    texts: String,
}

impl Known {
    fn find(&self, signature: &[usize]) -> Option<&str> {
        let hash = hash(signature);
        let found = self.hashes.iter().zip(&self.entries);
        let mut found = found.filter(|(known, _)| **known == hash);
        let (_, (_, text)) = found.find(|(_, (known, _))| known == signature)?;
        Some(&self.texts[text.clone()])
    }

    fn add(&mut self, signature: Vec<usize>, text: &str) {
        let start = self.texts.len();
        self.texts.push_str(text);
        self.hashes.push(hash(&signature));
        self.entries.push((signature, start..self.texts.len()));
    }
}

fn hash(signature: &[usize]) -> u64 {
    signature
        .iter()
        .fold(0, |hash, &part| mix(hash ^ part as u64))
}
