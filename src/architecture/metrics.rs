//! What an architecture costs.

use super::{Architecture, Node, Operation};
use crate::layers::{Arity, Layer};
use serde::{Deserialize, Serialize};

/// The costs of an architecture, for one example.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Metrics {
    /// Trainable values.
    pub params: u64,
    /// Multiply-accumulates of one forward pass; element-wise work is not counted.
    pub macs: u64,
    /// Bytes of every layer's output at 32 bits a value.
    pub activation_bytes: u64,
    /// Layers, not counting merges and identity.
    pub layers: u64,
    /// Layers on the longest path, counted likewise.
    pub depth: u64,
}

impl Metrics {
    pub(super) fn of(architecture: &Architecture) -> Self {
        let mut total = Self::default();
        let mut depths: Vec<u64> = Vec::with_capacity(architecture.nodes().len());
        for node in architecture.nodes() {
            let before = node.inputs.iter().map(|id| depths[id.0]).max().unwrap_or(0);
            let counted = u64::from(counts_as_layer(node));
            depths.push(before + counted);
            total.layers += counted;
            if let Operation::Layer(layer) = &node.operation {
                let inputs = architecture.input_shapes(node);
                total.params += layer.parameter_count(&inputs);
                total.macs += layer.macs(&inputs, node.shape);
                total.activation_bytes += 4 * node.shape.elements() as u64;
            }
        }
        total.depth = depths.last().copied().unwrap_or(0);
        total
    }
}

/// Whether [`Metrics::layers`] and [`Metrics::depth`] count this layer.
pub fn is_counted(layer: &Layer) -> bool {
    layer.kind.describe().arity == Arity::One && layer.kind.name() != "identity"
}

fn counts_as_layer(node: &Node) -> bool {
    node.layer().is_some_and(is_counted)
}
