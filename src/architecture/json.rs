//! Architectures as JSON: what `show --json` prints, `train` reads and run folders keep.

use super::{Architecture, BuildError, Builder, Node, NodeId, Output};
use crate::layers::{self, ArgType, ArgumentError, Kind, Layer, Shape, Value};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The format's number; a reader refuses a newer one.
const FORMAT: u32 = 1;

/// The stored form of an [`Architecture`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArchitectureJson {
    /// The format's number, 1.
    pub format: u32,
    /// The shape of one example.
    pub input: Shape,
    /// What the last tensor means.
    pub output: Output,
    /// The nodes after the input, in topological order; node 0 is the input.
    pub nodes: Vec<NodeJson>,
}

/// The stored form of one node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeJson {
    /// The layer's name in the catalogue.
    pub layer: String,
    /// Every argument by name.
    #[serde(default)]
    pub arguments: BTreeMap<String, serde_json::Value>,
    /// The nodes it reads; 0 is the input.
    pub inputs: Vec<NodeId>,
    /// Where it was decided.
    pub address: String,
    /// The output's shape: for the reader; checked, not trusted.
    pub shape: Option<Shape>,
}

/// Why JSON is not an architecture.
#[derive(Debug, thiserror::Error)]
pub enum JsonError {
    /// Not JSON, or not of this form.
    #[error("not an architecture: {0}")]
    Syntax(#[from] serde_json::Error),
    /// Written by a newer strata.
    #[error("format {0} is newer than this program reads (up to {FORMAT}); use a newer strata")]
    Format(u32),
    /// A name that is not in the catalogue.
    #[error("node {node}: no layer is called `{name}`")]
    Layer {
        /// The node's number.
        node: usize,
        /// The name.
        name: String,
    },
    /// Arguments that don't fit the layer.
    #[error("node {node}: {error}")]
    Arguments {
        /// The node's number.
        node: usize,
        /// Why.
        error: ArgumentError,
    },
    /// An argument that is neither number, truth value nor a word of the catalogue.
    #[error("node {node}: `{name}` is {value}, which no argument can be")]
    Value {
        /// The node's number.
        node: usize,
        /// The argument.
        name: String,
        /// What stands there.
        value: String,
    },
    /// A node that reads itself or a later one.
    #[error("node {node} reads node {input}, which does not come before it")]
    Order {
        /// The node's number.
        node: usize,
        /// What it reads.
        input: usize,
    },
    /// A stored shape that the layers don't give.
    #[error("node {node} gives {actual}, not {stored} as stored")]
    Shape {
        /// The node's number.
        node: usize,
        /// As inferred.
        actual: String,
        /// As stored.
        stored: String,
    },
    /// The graph is no network.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// There is no node but the input.
    #[error("the network has no layers")]
    Empty,
}

impl Architecture {
    /// The stored form.
    pub fn to_json(&self) -> ArchitectureJson {
        let nodes = self.nodes()[1..].iter().map(node_json).collect();
        ArchitectureJson {
            format: FORMAT,
            input: self.input(),
            output: self.output(),
            nodes,
        }
    }

    /// Reads the text of a stored form.
    ///
    /// # Errors
    /// When the text is no JSON of this form or the graph no valid network.
    pub fn from_json_text(text: &str) -> Result<Self, JsonError> {
        Self::from_json(&serde_json::from_str(text)?)
    }

    /// Builds the network that a stored form describes, inferring shapes anew.
    ///
    /// # Errors
    /// When a layer, argument or shape does not fit.
    pub fn from_json(stored: &ArchitectureJson) -> Result<Self, JsonError> {
        if stored.format > FORMAT {
            return Err(JsonError::Format(stored.format));
        }
        let mut builder = Builder::new(stored.input);
        let mut last = None;
        for (index, node) in stored.nodes.iter().enumerate() {
            last = Some(push_node(&mut builder, index + 1, node)?);
        }
        Ok(builder.finish(last.ok_or(JsonError::Empty)?, stored.output)?)
    }
}

fn node_json(node: &Node) -> NodeJson {
    let layer = node.layer().expect("only node 0 is the input");
    let specs = layer.kind.describe().arguments;
    let arguments = specs.iter().zip(layer.arguments.values());
    NodeJson {
        layer: layer.kind.name().to_owned(),
        arguments: arguments
            .map(|(spec, value)| (spec.name.to_owned(), to_json(*value)))
            .collect(),
        inputs: node.inputs.clone(),
        address: node.address.to_string(),
        shape: Some(node.shape),
    }
}

fn to_json(value: Value) -> serde_json::Value {
    match value {
        Value::Int(number) => number.into(),
        Value::Float(number) => number.into(),
        Value::Bool(truth) => truth.into(),
        Value::Name(name) => name.into(),
    }
}

fn push_node(builder: &mut Builder, number: usize, node: &NodeJson) -> Result<NodeId, JsonError> {
    let layer = read_layer(number, node)?;
    if let Some(input) = node.inputs.iter().find(|input| input.0 >= number) {
        return Err(JsonError::Order {
            node: number,
            input: input.0,
        });
    }
    let id = builder.push(layer, node.inputs.clone(), &*node.address)?;
    match node.shape {
        Some(stored) if stored != builder.shape(id) => Err(JsonError::Shape {
            node: number,
            actual: builder.shape(id).to_string(),
            stored: stored.to_string(),
        }),
        _ => Ok(id),
    }
}

fn read_layer(number: usize, node: &NodeJson) -> Result<Layer, JsonError> {
    let kind = layers::find(&node.layer).ok_or_else(|| JsonError::Layer {
        node: number,
        name: node.layer.clone(),
    })?;
    let mut given = Vec::new();
    for (name, json) in &node.arguments {
        let value = read_value(kind, name, json).ok_or_else(|| JsonError::Value {
            node: number,
            name: name.clone(),
            value: json.to_string(),
        })?;
        given.push((name.as_str(), value));
    }
    Layer::new(kind, &given).map_err(|error| JsonError::Arguments {
        node: number,
        error,
    })
}

fn read_value(kind: Kind, argument: &str, json: &serde_json::Value) -> Option<Value> {
    let spec = kind
        .describe()
        .arguments
        .iter()
        .find(|spec| spec.name == argument);
    match json {
        serde_json::Value::Bool(truth) => Some(Value::Bool(*truth)),
        serde_json::Value::Number(number) => match (number.as_i64(), spec.map(|s| s.ty)) {
            (Some(whole), Some(ty)) if !matches!(ty, ArgType::Float { .. }) => {
                Some(Value::Int(whole))
            }
            (Some(whole), None) => Some(Value::Int(whole)),
            _ => number.as_f64().map(Value::Float),
        },
        serde_json::Value::String(word) => {
            let known = spec?.ty.names().iter().find(|name| *name == word)?;
            Some(Value::Name(known))
        }
        _ => None,
    }
}
