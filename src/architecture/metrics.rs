//! What an architecture costs.

use super::{Architecture, Operation};
use crate::layers::{Category, Layer, Shape};
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
            let Operation::Layer(layer) = &node.operation else {
                depths.push(0);
                continue;
            };
            let cost = metrics_of_layer(layer, &architecture.input_shapes(node), node.shape);
            depths.push(before + cost.depth);
            total.params += cost.params;
            total.macs += cost.macs;
            total.activation_bytes += cost.activation_bytes;
            total.layers += cost.layers;
        }
        total.depth = depths.last().copied().unwrap_or(0);
        total
    }
}

/// The costs of one layer by itself; its depth is 1 where it counts as a layer.
pub fn metrics_of_layer(layer: &Layer, inputs: &[Shape], output: Shape) -> Metrics {
    let is_merge = layer.kind.describe().category == Category::Merge;
    let counted = u64::from(!is_merge && layer.kind.name() != "identity");
    Metrics {
        params: layer.parameter_count(inputs),
        macs: layer.macs(inputs, output),
        activation_bytes: 4 * output.elements() as u64,
        layers: counted,
        depth: counted,
    }
}
