//! How much memory training a candidate takes, before it is built.

use crate::architecture::{Architecture, Node};

/// Bytes that training `architecture` takes at its peak with batches of `batch` examples: an upper
/// estimate, for rejecting candidates before they are built.
///
/// Counts each weight with its gradient, a copy while it changes and the optimiser's two moments;
/// each layer's output three times (value, gradient, workspace); and the largest convolution's
/// patches twice.
pub fn memory_estimate(architecture: &Architecture, batch: usize) -> u64 {
    let metrics = architecture.metrics();
    let patches = architecture
        .nodes()
        .iter()
        .map(|node| patches(architecture, node))
        .max()
        .unwrap_or(0);
    let input = 4 * architecture.input().elements() as u64;
    let example = input + 3 * metrics.activation_bytes + 2 * 4 * patches;
    5 * 4 * metrics.params + batch as u64 * example
}

/// Values that a convolution's unrolled patches hold for one example.
fn patches(architecture: &Architecture, node: &Node) -> u64 {
    let Some(layer) = node.layer() else { return 0 };
    let macs = layer.macs(&architecture.input_shapes(node), node.shape);
    macs / node.shape.features().unwrap_or(1).max(1) as u64
}
