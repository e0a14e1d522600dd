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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::architecture::{Builder, Output};
    use crate::layers::{Layer, Shape, Value, find};

    #[test]
    fn memory_grows_with_the_batch_and_holds_every_weight_with_its_moments() {
        let shape = Shape::Vector { features: 100 };
        let linear = Layer::new(find("linear").unwrap(), &[("out", Value::Int(10))]).unwrap();
        let mut builder = Builder::new(shape);
        let last = builder
            .push(linear, vec![Builder::INPUT], "net/0".to_owned())
            .unwrap();
        let architecture = builder.finish(last, Output::Classes(10)).unwrap();
        let (small, large) = (
            memory_estimate(&architecture, 1),
            memory_estimate(&architecture, 9),
        );
        assert!(small >= 5 * 4 * 1010);
        assert!(large - small >= 8 * 4 * 110);
    }
}
