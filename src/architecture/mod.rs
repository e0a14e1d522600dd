//! An architecture: a directed acyclic graph of layers with inferred shapes.
//!
//! An [`Architecture`] is valid by construction: a [`Builder`] refuses a layer that does not accept
//! its inputs' shapes, so what exists can be built and trained. Owns costs, canonical forms and
//! printing. Knows nothing of the space it came from, and nothing of tensors.

mod canonical;
mod drawing;
mod functional;
mod json;
mod labelled_graph;
mod metrics;
mod prime;
mod print;
mod string_rule;

pub use canonical::CanonicalForm;
pub use drawing::{dot, svg};
pub use json::{ArchitectureJson, JsonError};
pub use metrics::{Mark, Metrics, metrics_of_layer};
pub use print::{mermaid, text};
pub use string_rule::{NamedEdge, nasbench201_text};

use crate::layers::{Arity, Layer, Shape, ShapeError};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// The position of a node in [`Architecture::nodes`]; inputs come before their users.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeId(pub usize);

/// What a node computes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// The network's input; always node 0 and only there.
    Input,
    /// A layer applied to the node's inputs.
    Layer(Layer),
}

/// One vertex of the graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// What it computes.
    pub operation: Operation,
    /// What it computes it from.
    pub inputs: Vec<NodeId>,
    /// The shape of one example's output.
    pub shape: Shape,
    /// Where in its space it was decided, such as `network/2/repeat[1]/unit/conv2d`; unique in the
    /// architecture.
    pub address: Arc<str>,
}

impl Node {
    /// The layer, unless this is the input.
    pub fn layer(&self) -> Option<&Layer> {
        match &self.operation {
            Operation::Input => None,
            Operation::Layer(layer) => Some(layer),
        }
    }
}

/// What the network's last tensor means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Output {
    /// One logit a class, for exactly one class an example.
    Classes(usize),
    /// One logit for the second of two classes.
    Binary,
    /// One logit a label, for any number of labels an example.
    Labels(usize),
    /// Numbers to be met as closely as possible.
    Regression(usize),
}

impl Output {
    /// How many numbers the network must give.
    pub fn numbers(self) -> usize {
        match self {
            Self::Classes(count) | Self::Labels(count) | Self::Regression(count) => count,
            Self::Binary => 1,
        }
    }

    /// The shape the last layer must have.
    pub fn shape(self) -> Shape {
        let features = self.numbers();
        Shape::Vector { features }
    }

    /// What a score of such a network is called: higher is better.
    pub fn score_name(self) -> &'static str {
        match self {
            Self::Classes(_) | Self::Binary => "accuracy",
            Self::Labels(_) => "F1",
            Self::Regression(_) => "R2",
        }
    }
}

impl fmt::Display for Output {
    /// As the language writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Classes(classes) => write!(f, "classes({classes})"),
            Self::Binary => f.write_str("binary"),
            Self::Labels(labels) => write!(f, "labels({labels})"),
            Self::Regression(numbers) => write!(f, "regression({numbers})"),
        }
    }
}

/// A valid network: node 0 is the input, the last node the output, every node leads to the output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Architecture {
    output: Output,
    nodes: Vec<Node>,
}

impl Architecture {
    /// The shape of one example.
    pub fn input(&self) -> Shape {
        self.nodes[0].shape
    }

    /// What the last tensor means.
    pub fn output(&self) -> Output {
        self.output
    }

    /// The nodes in topological order: the input first, the output last.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The shapes that arrive at a node.
    pub fn input_shapes(&self, node: &Node) -> Vec<Shape> {
        node.inputs
            .iter()
            .map(|id| self.nodes[id.0].shape)
            .collect()
    }

    /// Parameters, multiply-accumulates, memory and size of the graph.
    pub fn metrics(&self) -> Metrics {
        Metrics::of(self)
    }

    /// The form that is equal for isomorphic networks, identity layers contracted.
    pub fn canonical(&self) -> CanonicalForm {
        canonical::labelled(self)
    }

    /// The coarser form that also folds `zero`, what is computed from zeros only, and nested sums.
    pub fn functional(&self) -> CanonicalForm {
        functional::folded(self)
    }
}

/// Why a graph is not an architecture.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// A layer does not accept what arrives.
    #[error("{address}: {error}")]
    Shape {
        /// Where.
        address: String,
        /// Why.
        error: ShapeError,
    },
    /// A layer was given the wrong number of tensors.
    #[error("{address}: {layer} takes {wanted}, not {given}")]
    Arity {
        /// Where.
        address: String,
        /// The layer's name.
        layer: &'static str,
        /// In words.
        wanted: &'static str,
        /// How many came.
        given: usize,
    },
    /// The last layer's shape is not what the output asks for.
    #[error("the network ends in {ends} where the output asks for {wanted}")]
    Output {
        /// What it ends in.
        ends: String,
        /// What is asked for.
        wanted: String,
    },
}

/// Puts an architecture together, node by node.
#[derive(Clone, Debug)]
pub struct Builder {
    nodes: Vec<Node>,
}

impl Builder {
    /// The id of the network's input.
    pub const INPUT: NodeId = NodeId(0);

    /// A graph with nothing but its input.
    pub fn new(input: Shape) -> Self {
        let node = Node {
            operation: Operation::Input,
            inputs: Vec::new(),
            shape: input,
            address: "input".into(),
        };
        Self { nodes: vec![node] }
    }

    /// The shape a node gives.
    pub fn shape(&self, node: NodeId) -> Shape {
        self.nodes[node.0].shape
    }

    /// Adds a layer.
    ///
    /// # Errors
    /// When the layer does not accept these inputs.
    pub fn push(
        &mut self,
        layer: Layer,
        inputs: Vec<NodeId>,
        address: impl Into<Arc<str>>,
    ) -> Result<NodeId, BuildError> {
        let address = address.into();
        let shapes: Vec<Shape> = inputs.iter().map(|&id| self.shape(id)).collect();
        let shape = output_shape(&layer, &shapes, &address)?;
        Ok(self.push_known(layer, shape, inputs, address))
    }

    /// Adds a layer of which [`output_shape`] said what it gives for these inputs.
    pub(crate) fn push_known(
        &mut self,
        layer: Layer,
        shape: Shape,
        inputs: Vec<NodeId>,
        address: Arc<str>,
    ) -> NodeId {
        self.nodes.push(Node {
            operation: Operation::Layer(layer),
            inputs,
            shape,
            address,
        });
        NodeId(self.nodes.len() - 1)
    }

    /// The architecture whose output is `last`; nodes that don't lead there are dropped.
    ///
    /// # Errors
    /// When the shape is not what the output asks for.
    pub fn finish(mut self, last: NodeId, output: Output) -> Result<Architecture, BuildError> {
        let ends = self.shape(last);
        if ends != output.shape() {
            let (ends, wanted) = (ends.to_string(), output.shape().to_string());
            return Err(BuildError::Output { ends, wanted });
        }
        self.keep_ancestors(last);
        number_repeated_addresses(&mut self.nodes);
        Ok(Architecture {
            output,
            nodes: self.nodes,
        })
    }

    fn keep_ancestors(&mut self, last: NodeId) {
        let mut needed = vec![false; self.nodes.len()];
        needed[0] = true;
        needed[last.0] = true;
        for index in (0..=last.0).rev() {
            if needed[index] {
                for input in &self.nodes[index].inputs {
                    needed[input.0] = true;
                }
            }
        }
        if needed.iter().all(|needed| *needed) {
            return;
        }
        let mut kept = Vec::with_capacity(self.nodes.len());
        let mut position = vec![0; self.nodes.len()];
        for (index, mut node) in std::mem::take(&mut self.nodes).into_iter().enumerate() {
            if needed[index] {
                position[index] = kept.len();
                for input in &mut node.inputs {
                    input.0 = position[input.0];
                }
                kept.push(node);
            }
        }
        self.nodes = kept;
    }
}

/// The shape a layer gives for inputs of these shapes.
///
/// # Errors
/// When it does not accept them.
pub(crate) fn output_shape(
    layer: &Layer,
    inputs: &[Shape],
    address: &str,
) -> Result<Shape, BuildError> {
    check_arity(layer, inputs.len(), address)?;
    layer.shape(inputs).map_err(|error| BuildError::Shape {
        address: address.to_owned(),
        error,
    })
}

fn check_arity(layer: &Layer, given: usize, address: &str) -> Result<(), BuildError> {
    let wanted = match layer.kind.describe().arity {
        Arity::One if given != 1 => "one tensor",
        Arity::Two if given != 2 => "two tensors",
        Arity::Many if given == 0 => "at least one tensor",
        _ => return Ok(()),
    };
    let layer = layer.kind.name();
    Err(BuildError::Arity {
        address: address.to_owned(),
        layer,
        wanted,
        given,
    })
}

fn number_repeated_addresses(nodes: &mut [Node]) {
    let mut seen = rustc_hash::FxHashMap::<&str, usize>::default();
    seen.reserve(nodes.len());
    let mut repeated = Vec::new();
    for (index, node) in nodes.iter().enumerate() {
        let count = seen.entry(&*node.address).or_default();
        *count += 1;
        if *count > 1 {
            repeated.push((index, *count));
        }
    }
    for (index, count) in repeated {
        let numbered = format!("{}#{count}", nodes[index].address);
        nodes[index].address = numbered.into();
    }
}
