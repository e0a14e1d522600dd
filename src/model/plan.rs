//! The order in which a network computes its layers, and which tensors each owns.

use crate::architecture::{Architecture, Node};
use crate::layers::{Buffer, Layer, ParameterSpec, Shape};
use std::ops::Range;

/// One layer: where its inputs come from, and which parameters and buffers are its own.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub layer: Layer,
    /// The shapes that come in.
    pub shapes: Vec<Shape>,
    /// The shape that comes out.
    pub shape: Shape,
    pub inputs: Vec<Source>,
    pub parameters: Range<usize>,
    pub buffers: Range<usize>,
}

/// A tensor that a step reads.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source {
    /// The node that gives it.
    pub node: usize,
    /// Nobody reads it afterwards, so its memory can be taken over.
    pub last_use: bool,
}

/// All steps, with the specification and full name of everything they own.
#[derive(Clone, Debug, Default)]
pub(super) struct Plan {
    pub steps: Vec<Step>,
    pub parameters: Vec<(String, ParameterSpec)>,
    pub buffers: Vec<(String, Buffer)>,
}

impl Plan {
    pub(super) fn of(architecture: &Architecture) -> Self {
        let mut plan = Self::default();
        for node in architecture.nodes() {
            if let Some(layer) = node.layer() {
                plan.push(architecture, node, layer);
            }
        }
        plan.mark_last_uses(architecture.nodes().len());
        plan
    }

    fn push(&mut self, architecture: &Architecture, node: &Node, layer: &Layer) {
        let shapes = architecture.input_shapes(node);
        let (parameters, buffers) = (self.parameters.len(), self.buffers.len());
        let named = |name: &str| format!("{}.{name}", node.address);
        self.parameters.extend(
            layer
                .parameters(&shapes)
                .into_iter()
                .map(|p| (named(p.name), p)),
        );
        self.buffers.extend(
            layer
                .buffers(&shapes)
                .into_iter()
                .map(|b| (named(b.name), b)),
        );
        self.steps.push(Step {
            layer: layer.clone(),
            inputs: node
                .inputs
                .iter()
                .map(|id| Source {
                    node: id.0,
                    last_use: false,
                })
                .collect(),
            parameters: parameters..self.parameters.len(),
            buffers: buffers..self.buffers.len(),
            shapes,
            shape: node.shape,
        });
    }

    fn mark_last_uses(&mut self, nodes: usize) {
        let mut read_later = vec![false; nodes];
        for source in self
            .steps
            .iter_mut()
            .rev()
            .flat_map(|step| step.inputs.iter_mut().rev())
        {
            source.last_use = !read_later[source.node];
            read_later[source.node] = true;
        }
    }
}
