//! What building networks remembers from one to the next: layers with the shapes they give, and
//! addresses. A space's networks are made of the same parts again and again.

use super::expression::Expr;
use super::program::NodeIx;
use super::state::{projection, resolve_layer};
use crate::architecture::output_shape;
use crate::layers::{Kind, Layer, Shape, Value};
use rustc_hash::{FxHashMap, FxHasher};
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex};

/// How many parts and addresses are remembered at most.
const MOST_ENTRIES: usize = 1 << 20;

/// A layer that was built before.
#[derive(Debug)]
struct Part {
    node: NodeIx,
    /// The arguments that are not constants.
    values: Vec<Value>,
    inputs: Vec<Shape>,
    layer: Layer,
    output: Shape,
}

/// An interned address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct PathId(u32);

impl PathId {
    /// The address of the whole.
    pub const TOP: Self = Self(0);
}

/// What one thread remembers.
#[derive(Debug)]
pub(super) struct Workshop {
    parts: FxHashMap<u64, Vec<Part>>,
    projections: FxHashMap<(Shape, Shape), Vec<Layer>>,
    entries: usize,
    paths: Vec<Arc<str>>,
    path_ids: FxHashMap<Arc<str>, PathId>,
    below: FxHashMap<(PathId, NodeIx, u32), PathId>,
    /// The number of the network that is being built, from 1.
    network: u64,
    /// For each address the last network that had a decision there, and the option it took.
    decided: Vec<(u64, u32)>,
}

impl Workshop {
    fn new() -> Self {
        let mut workshop = Self {
            parts: FxHashMap::default(),
            projections: FxHashMap::default(),
            entries: 0,
            paths: Vec::new(),
            path_ids: FxHashMap::default(),
            below: FxHashMap::default(),
            network: 0,
            decided: Vec::new(),
        };
        workshop.intern("");
        workshop
    }

    /// Begins another network.
    pub fn begin(&mut self) {
        self.network += 1;
    }

    /// The layer of a step and the shape it gives; `None` where it does not fit.
    pub fn layer(
        &mut self,
        (node, kind, arguments): (NodeIx, Kind, &[(usize, Expr)]),
        slots: &[Value],
        inputs: &[Shape],
    ) -> Option<(Layer, Shape)> {
        let incoming = *inputs.last()?;
        let mut values = [Value::Bool(false); 8];
        let mut computed = 0;
        for (_, argument) in arguments {
            if !matches!(argument, Expr::Value(_)) {
                let value = argument.evaluate(slots, incoming).ok()?;
                // Layers with more computed arguments are made anew each time.
                if let Some(place) = values.get_mut(computed) {
                    *place = value;
                }
                computed += 1;
            }
        }
        let make = || {
            let layer = resolve_layer(kind, arguments, slots, incoming).ok()?;
            let output = output_shape(&layer, inputs, "").ok()?;
            Some((layer, output))
        };
        let Some(values) = values.get(..computed) else {
            return make();
        };
        let mut hasher = FxHasher::default();
        (node, values, inputs).hash(&mut hasher);
        let parts = self.parts.entry(hasher.finish()).or_default();
        let known = parts
            .iter()
            .find(|part| part.node == node && part.values == values && part.inputs == inputs);
        if let Some(part) = known {
            return Some((part.layer.clone(), part.output));
        }
        let (layer, output) = make()?;
        self.entries += 1;
        parts.push(Part {
            node,
            values: values.to_vec(),
            inputs: inputs.to_vec(),
            layer: layer.clone(),
            output,
        });
        Some((layer, output))
    }

    /// The layers that take `from` to `to` on a residual's short cut, if there are any that do.
    pub fn projection(&mut self, from: Shape, to: Shape) -> Option<Vec<Layer>> {
        if let Some(known) = self.projections.get(&(from, to)) {
            return Some(known.clone());
        }
        let layers = projection(from, to).ok()?;
        self.entries += 1;
        self.projections.insert((from, to), layers.clone());
        Some(layers)
    }

    /// The address that `node` (and, of a loop, its copy) has below another; its part of the address
    /// is always the same.
    pub fn below(
        &mut self,
        path: PathId,
        (node, copy): (NodeIx, u32),
        segment: impl FnOnce() -> String,
    ) -> PathId {
        if let Some(&known) = self.below.get(&(path, node, copy)) {
            return known;
        }
        let there = self.named(path, &segment());
        self.below.insert((path, node, copy), there);
        there
    }

    /// The address of a layer of `node`: the current one where that ends in the layer's name.
    pub fn layer_address(&mut self, path: PathId, node: NodeIx, kind: Kind) -> Arc<str> {
        let there = match self.below.get(&(path, node, u32::MAX)) {
            Some(&known) => known,
            None => {
                let there = self.layer_path(path, kind);
                self.below.insert((path, node, u32::MAX), there);
                there
            }
        };
        self.address(there)
    }

    /// The path of something called like the kind here.
    pub fn layer_path(&mut self, path: PathId, kind: Kind) -> PathId {
        let above = self.address(path);
        match above.strip_suffix(kind.name()) {
            Some(rest) if rest.ends_with('/') => path,
            _ => self.named(path, kind.name()),
        }
    }

    /// The address `segment` below another.
    pub fn named(&mut self, path: PathId, segment: &str) -> PathId {
        let above = self.address(path);
        match (above.is_empty(), segment.is_empty()) {
            (_, true) => path,
            (true, false) => self.intern(segment),
            (false, false) => self.intern(&format!("{above}/{segment}")),
        }
    }

    /// An address as text.
    pub fn address(&self, path: PathId) -> Arc<str> {
        Arc::clone(&self.paths[path.0 as usize])
    }

    /// The option that this network took at an address, looked up at most once.
    pub fn decided(
        &mut self,
        path: PathId,
        look_up: impl FnOnce(&str) -> Option<u32>,
    ) -> Option<u32> {
        let (network, option) = self.decided[path.0 as usize];
        if network == self.network {
            return Some(option);
        }
        let option = look_up(&self.paths[path.0 as usize])?;
        self.decided[path.0 as usize] = (self.network, option);
        Some(option)
    }

    fn intern(&mut self, text: &str) -> PathId {
        if let Some(&known) = self.path_ids.get(text) {
            return known;
        }
        let id = u32::try_from(self.paths.len()).expect("workshops are left long before");
        let text: Arc<str> = Arc::from(text);
        self.paths.push(Arc::clone(&text));
        self.decided.push((0, 0));
        self.path_ids.insert(text, PathId(id));
        PathId(id)
    }

    fn is_overgrown(&self) -> bool {
        self.entries + self.paths.len() + self.below.len() > MOST_ENTRIES
    }
}

/// Workshops for as many threads as build at the same time.
#[derive(Debug, Default)]
pub(super) struct Workshops(Mutex<Vec<Workshop>>);

impl Workshops {
    /// Lends a workshop that nobody else uses.
    pub fn with<T>(&self, work: impl FnOnce(&mut Workshop) -> T) -> T {
        let lent = self.free().pop();
        let mut workshop = lent.unwrap_or_else(Workshop::new);
        let done = work(&mut workshop);
        if !workshop.is_overgrown() {
            self.free().push(workshop);
        }
        done
    }

    fn free(&self) -> std::sync::MutexGuard<'_, Vec<Workshop>> {
        self.0
            .lock()
            .expect("nothing panics while it holds the list")
    }
}
