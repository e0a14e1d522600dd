//! What an architecture costs.

use super::{Architecture, Operation};
use crate::layers::{Category, Layer, Shape, Value};
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
    /// How many neighbouring values of the input, along its longest side, one value of the output
    /// depends on through windows; all of them after flattening or global pooling. Statistics of
    /// norms and gates are not counted (Araujo et al., Computing receptive fields of convolutional
    /// neural networks, 2019).
    pub receptive_field: u64,
}

impl Metrics {
    pub(super) fn of(architecture: &Architecture) -> Self {
        let mut total = Self::default();
        let mut marks: Vec<Mark> = Vec::with_capacity(architecture.nodes().len());
        for node in architecture.nodes() {
            let Operation::Layer(layer) = &node.operation else {
                marks.push(Mark::START);
                continue;
            };
            let shapes = architecture.input_shapes(node);
            let before: Vec<Mark> = node.inputs.iter().map(|id| marks[id.0]).collect();
            marks.push(Mark::after(layer, &before, &shapes, node.shape));
            let cost = metrics_of_layer(layer, &shapes, node.shape);
            total.params += cost.params;
            total.macs += cost.macs;
            total.activation_bytes += cost.activation_bytes;
            total.layers += cost.layers;
        }
        let last = marks.last().copied().unwrap_or(Mark::START);
        total.depth = u64::from(last.depth);
        total.receptive_field = last.receptive_field(architecture.input());
        total
    }
}

/// How far a tensor is from the input: what can't be added up over layers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Mark {
    /// Layers on the longest path.
    pub depth: u32,
    /// Neighbouring values of the input that one value depends on.
    pub reach: u32,
    /// The distance, in values of the input, between two neighbours.
    pub jump: u32,
}

/// The reach of a value that depends on the whole input.
const EVERYTHING: u32 = u32::MAX;

impl Mark {
    /// The input itself.
    pub const START: Self = Self {
        depth: 0,
        reach: 1,
        jump: 1,
    };

    /// The mark of a layer's output.
    pub fn after(layer: &Layer, before: &[Self], inputs: &[Shape], output: Shape) -> Self {
        let most = |part: fn(&Self) -> u32| before.iter().map(part).max().unwrap_or(0);
        let (extent, stride) = window(layer, inputs, output);
        let step = most(|mark| mark.jump);
        Self {
            depth: most(|mark| mark.depth) + u32::from(is_counted(layer)),
            reach: widen(most(|mark| mark.reach), extent, step),
            jump: step.saturating_mul(stride),
        }
    }

    /// The mark of what is `inner` from something that is itself here.
    #[must_use]
    pub fn then(self, inner: Self) -> Self {
        Self {
            depth: self.depth + inner.depth,
            reach: widen(self.reach, inner.reach, self.jump),
            jump: self.jump.saturating_mul(inner.jump),
        }
    }

    /// The reach along the longest side of an input.
    pub fn receptive_field(self, input: Shape) -> u64 {
        let side = match input {
            Shape::Vector { features } => features,
            Shape::Tokens { length, .. } | Shape::Sequence { length, .. } => length,
            other => other.dimensions()[1..].iter().copied().max().unwrap_or(1),
        };
        u64::from(self.reach).min(side as u64)
    }
}

fn widen(reach: u32, extent: u32, step: u32) -> u32 {
    if extent == EVERYTHING || reach == EVERYTHING {
        return EVERYTHING;
    }
    reach.saturating_add((extent - 1).saturating_mul(step))
}

/// How many neighbouring inputs a layer's output depends on, and the distance between two windows.
fn window(layer: &Layer, inputs: &[Shape], output: Shape) -> (u32, u32) {
    let flattens = matches!(output, Shape::Vector { .. })
        && inputs
            .iter()
            .any(|input| !matches!(input, Shape::Vector { .. }));
    let mixes_all =
        matches!(inputs.first(), Some(Shape::Vector { .. })) && layer.macs(inputs, output) > 0;
    let category = layer.kind.describe().category;
    let attends = matches!(inputs.first(), Some(Shape::Sequence { .. }))
        && matches!(category, Category::Attention | Category::Recurrent);
    if flattens || mixes_all || attends {
        return (EVERYTHING, 1);
    }
    let argument = |name: &str| {
        let specs = layer.kind.describe().arguments;
        let at = specs.iter().position(|spec| spec.name == name)?;
        match layer.arguments.values()[at] {
            Value::Int(value) => u32::try_from(value).ok(),
            _ => None,
        }
    };
    let kernel = argument("kernel").unwrap_or(1).max(1);
    let dilation = argument("dilation").unwrap_or(1);
    let stride = argument("stride").unwrap_or(1);
    if layer.kind.name().starts_with("conv_transpose") {
        // Each output lies under this many windows of the input; neighbours are nearer, not further.
        return (kernel.div_ceil(stride), 1);
    }
    (
        dilation.saturating_mul(kernel - 1).saturating_add(1),
        stride,
    )
}

fn is_counted(layer: &Layer) -> bool {
    layer.kind.describe().category != Category::Merge && layer.kind.name() != "identity"
}

/// The costs of one layer by itself; its depth is 1 where it counts as a layer, its receptive field 0.
pub fn metrics_of_layer(layer: &Layer, inputs: &[Shape], output: Shape) -> Metrics {
    let counted = u64::from(is_counted(layer));
    Metrics {
        params: layer.parameter_count(inputs),
        macs: layer.macs(inputs, output),
        activation_bytes: 4 * output.elements() as u64,
        layers: counted,
        depth: counted,
        receptive_field: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::find;

    fn conv(kernel: i64, stride: i64) -> Layer {
        let given = [
            ("out", Value::Int(4)),
            ("kernel", Value::Int(kernel)),
            ("stride", Value::Int(stride)),
            ("padding", Value::Name("same")),
        ];
        Layer::new(find("conv2d").unwrap(), &given).unwrap()
    }

    #[test]
    fn receptive_fields_widen_by_the_strides_before_them() {
        let side = |side: usize| Shape::Image {
            channels: 4,
            height: side,
            width: side,
        };
        let mut mark = Mark::START;
        let mut size = 64;
        // Araujo et al., 2019, formula 2: r = 1 + sum of (k - 1) times the strides before.
        for (kernel, stride, reach) in [(3, 2, 3), (3, 2, 7), (5, 1, 23), (1, 1, 23), (3, 1, 31)] {
            let input = side(size);
            size /= stride as usize;
            mark = Mark::after(&conv(kernel, stride), &[mark], &[input], side(size));
            assert_eq!(mark.reach, reach);
        }
        assert_eq!(mark.receptive_field(side(64)), 31);
        assert_eq!(mark.receptive_field(side(16)), 16);
    }
}
