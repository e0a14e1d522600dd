//! A layer where it stands: its arguments by name, and the shapes around it.

use super::ExportError;
use crate::architecture::{Architecture, Node};
use crate::layers::{Layer, Shape, Value};

/// A layer of a network with what is known about its place.
#[derive(Clone, Debug)]
pub(super) struct Site<'a> {
    pub layer: &'a Layer,
    pub inputs: Vec<Shape>,
    pub output: Shape,
    pub address: &'a str,
}

impl<'a> Site<'a> {
    /// The layers of a network in order, each with its number.
    pub fn all(architecture: &'a Architecture) -> impl Iterator<Item = (usize, &'a Node, Self)> {
        let nodes = architecture.nodes().iter().enumerate();
        nodes.filter_map(|(number, node)| {
            let layer = node.layer()?;
            let site = Self {
                layer,
                inputs: architecture.input_shapes(node),
                output: node.shape,
                address: &node.address,
            };
            Some((number, node, site))
        })
    }

    /// The kind's name in the catalogue.
    pub fn name(&self) -> &'static str {
        self.layer.kind.name()
    }

    /// The value of an argument.
    pub fn value(&self, name: &str) -> Value {
        let arguments = self.layer.kind.describe().arguments;
        let index = arguments.iter().position(|argument| argument.name == name);
        self.layer.arguments.values()[index.expect("the tables name arguments that exist")]
    }

    /// A whole number.
    pub fn int(&self, name: &str) -> usize {
        match self.value(name) {
            Value::Int(value) => usize::try_from(value).expect("whole numbers are not negative"),
            other => unreachable!("`{name}` is a whole number, not {other}"),
        }
    }

    /// A number.
    pub fn float(&self, name: &str) -> f64 {
        self.value(name).as_float().expect("a number by its type")
    }

    /// A truth value.
    pub fn flag(&self, name: &str) -> bool {
        self.value(name) == Value::Bool(true)
    }

    /// Whether an argument is this word.
    pub fn is(&self, name: &str, word: &'static str) -> bool {
        self.value(name) == Value::Name(word)
    }

    /// The shape of the first input.
    pub fn input(&self) -> Shape {
        self.inputs[0]
    }

    /// The channels or features of the first input.
    pub fn channels(&self) -> usize {
        self.input().features().unwrap_or(1)
    }

    /// Dimensions of the first input after its channels.
    pub fn grid(&self) -> Vec<usize> {
        self.input().dimensions().split_off(1)
    }

    /// Whether the first input is a sequence, whose features stand last.
    pub fn is_sequence(&self) -> bool {
        matches!(self.input(), Shape::Sequence { .. })
    }

    /// The dimension of channels or features, with a batch in front.
    pub fn feature_dim(&self) -> usize {
        if self.is_sequence() { 2 } else { 1 }
    }

    /// Padding before and after: `same` and `valid` as numbers.
    pub fn padding(&self, kernel: usize, dilation: usize) -> (usize, usize) {
        match self.value("padding") {
            Value::Name("same") => {
                let total = dilation * (kernel - 1);
                (total / 2, total - total / 2)
            }
            Value::Int(each) => {
                let each = usize::try_from(each).expect("padding is not negative");
                (each, each)
            }
            _ => (0, 0),
        }
    }

    /// That a target has no words for it.
    pub fn unsupported(&self, target: &'static str, why: &str) -> ExportError {
        ExportError::Unsupported {
            address: self.address.to_owned(),
            layer: self.name(),
            target,
            why: why.to_owned(),
        }
    }
}
