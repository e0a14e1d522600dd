//! A network in ONNX's operators: what `onnx` encodes and `rust_source` prints.

use super::site::Site;
use super::tensors::{Tensor, Tensors};
use super::{ExportError, lower};
use crate::architecture::Architecture;
use std::collections::BTreeMap;

/// A network whose layers are taken apart into operators of ONNX's opset 20.
pub(super) struct Graph {
    pub operators: Vec<Operator>,
    /// Weights and constants by name.
    pub floats: BTreeMap<String, Tensor>,
    /// Shapes, axes and places by name.
    pub wholes: BTreeMap<String, Vec<i64>>,
    /// The name of the network's output.
    pub output: String,
}

/// One operator.
pub(super) struct Operator {
    pub kind: &'static str,
    pub inputs: Vec<String>,
    pub outputs: Vec<String>,
    pub attributes: Vec<(&'static str, Attribute)>,
    /// The layer that it belongs to, by its number, kind and address.
    pub layer: (usize, &'static str, String),
    /// How many dimensions its output has.
    pub rank: usize,
}

/// A setting of an operator.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Attribute {
    Whole(i64),
    Number(f32),
    Wholes(Vec<i64>),
    Word(&'static str),
    Words(Vec<&'static str>),
}

impl Graph {
    /// The name of the network's input.
    pub const INPUT: &'static str = "input";

    /// Takes a network apart.
    ///
    /// # Errors
    /// When a layer has no operators, or a weight is missing.
    pub fn of(architecture: &Architecture, weights: &Tensors) -> Result<Self, ExportError> {
        let mut graph = Self {
            operators: Vec::new(),
            floats: BTreeMap::new(),
            wholes: BTreeMap::new(),
            output: Self::INPUT.to_owned(),
        };
        let mut names = vec![(
            Self::INPUT.to_owned(),
            architecture.input().dimensions().len() + 1,
        )];
        for (number, node, site) in Site::all(architecture) {
            let inputs = node.inputs.iter().map(|id| names[id.0].clone()).collect();
            let mut lowering = Lowering {
                graph: &mut graph,
                site: &site,
                weights,
                number,
                inputs,
            };
            let output = lower::lower(&mut lowering)?;
            let rank = site.output.dimensions().len() + 1;
            names.push((output, rank));
        }
        names
            .pop()
            .expect("there is an input")
            .0
            .clone_into(&mut graph.output);
        Ok(graph)
    }

    /// How many dimensions a value has.
    pub fn rank(&self, name: &str, input: usize) -> usize {
        if name == Self::INPUT {
            return input;
        }
        if let Some(tensor) = self.floats.get(name) {
            return tensor.shape.len();
        }
        let made = self.operators.iter().rev();
        let mut made = made.filter(|operator| operator.outputs.iter().any(|output| output == name));
        made.next().map_or(1, |operator| operator.rank_of(name))
    }
}

impl Operator {
    /// How many dimensions an output has: what a recurrent layer says at each step has one more than what it says at
    /// the end.
    fn rank_of(&self, output: &str) -> usize {
        let steps = matches!(self.kind, "RNN" | "GRU" | "LSTM") && self.outputs[0] == output;
        self.rank + usize::from(steps)
    }
}

/// One layer on its way into a graph.
pub(super) struct Lowering<'a> {
    graph: &'a mut Graph,
    pub site: &'a Site<'a>,
    weights: &'a Tensors,
    number: usize,
    /// Names and ranks of what comes in.
    inputs: Vec<(String, usize)>,
}

/// What a lowering ends with: the name of its output.
pub(super) type Lowered = Result<String, ExportError>;

impl Lowering<'_> {
    /// The name of the first input.
    pub fn x(&self) -> String {
        self.inputs[0].0.clone()
    }

    /// The names of all inputs.
    pub fn inputs(&self) -> Vec<String> {
        self.inputs.iter().map(|(name, _)| name.clone()).collect()
    }

    /// Adds an operator and gives its output's name.
    pub fn op(
        &mut self,
        kind: &'static str,
        inputs: &[&str],
        attributes: &[(&'static str, Attribute)],
    ) -> String {
        self.outputs(kind, inputs, attributes, 1).remove(0)
    }

    /// Adds an operator with several outputs.
    pub fn outputs(
        &mut self,
        kind: &'static str,
        inputs: &[&str],
        attributes: &[(&'static str, Attribute)],
        count: usize,
    ) -> Vec<String> {
        let rank = self.rank_of(kind, inputs);
        let at = self.graph.operators.len();
        let outputs: Vec<String> = (0..count).map(|place| format!("h{at}_{place}")).collect();
        let layer = (self.number, self.site.name(), self.site.address.to_owned());
        self.graph.operators.push(Operator {
            kind,
            inputs: inputs.iter().map(|&name| name.to_owned()).collect(),
            outputs: outputs.clone(),
            attributes: attributes.to_vec(),
            layer,
            rank,
        });
        outputs
    }

    fn rank_of(&self, kind: &str, inputs: &[&str]) -> usize {
        let rank = |name: &str| {
            let given = self.inputs.iter().find(|(input, _)| input == name);
            given.map_or_else(|| self.graph.rank(name, 0), |(_, rank)| *rank)
        };
        match kind {
            "ArgMax" => rank(inputs[0]) - 1,
            "OneHot" => rank(inputs[0]) + 1,
            "Reshape" => self.graph.wholes.get(inputs[1]).map_or(1, Vec::len),
            "Gather" if inputs[0].ends_with("weight") => rank(inputs[1]) + 1,
            _ => inputs
                .iter()
                .filter(|name| !name.is_empty())
                .map(|name| rank(name))
                .max()
                .unwrap_or(1),
        }
    }

    /// A constant of any shape.
    pub fn floats(&mut self, shape: Vec<usize>, values: Vec<f32>) -> String {
        let name = format!("c{}", self.graph.floats.len());
        self.graph
            .floats
            .insert(name.clone(), Tensor { shape, values });
        name
    }

    /// A single number.
    pub fn number(&mut self, value: f64) -> String {
        self.floats(Vec::new(), vec![value as f32])
    }

    /// Shapes, axes or places.
    pub fn wholes(&mut self, values: Vec<i64>) -> String {
        let name = format!("i{}", self.graph.wholes.len());
        self.graph.wholes.insert(name.clone(), values);
        name
    }

    /// One of the layer's tensors, as it is.
    pub fn tensor(&self, name: &str) -> Result<&Tensor, ExportError> {
        self.weights.of(self.site.address, name)
    }

    /// One of the layer's tensors, as a part of the graph.
    pub fn weight(&mut self, name: &str) -> Lowered {
        let tensor = self.tensor(name)?.clone();
        let name = format!("{}.{name}", self.site.address);
        self.graph.floats.insert(name.clone(), tensor);
        Ok(name)
    }

    /// One of the layer's vectors, with dimensions of 1 before and behind it.
    pub fn vector(&mut self, name: &str, shape: Vec<usize>) -> Lowered {
        let tensor = self.tensor(name)?.reshaped(shape);
        Ok(self.floats(tensor.shape, tensor.values))
    }

    /// Two values, element by element.
    pub fn both(&mut self, kind: &'static str, a: &str, b: &str) -> String {
        self.op(kind, &[a, b], &[])
    }

    /// A value and a number.
    pub fn with(&mut self, kind: &'static str, a: &str, number: f64) -> String {
        let number = self.number(number);
        self.both(kind, a, &number)
    }

    /// The same values in another shape; the batch stays in front.
    pub fn reshape(&mut self, x: &str, sizes: &[usize]) -> String {
        let mut shape = vec![-1];
        shape.extend(sizes.iter().map(|&size| size as i64));
        let shape = self.wholes(shape);
        self.op("Reshape", &[x, &shape], &[])
    }

    /// Dimensions in another order.
    pub fn transpose(&mut self, x: &str, order: &[usize]) -> String {
        let order = order.iter().map(|&place| place as i64).collect();
        self.op("Transpose", &[x], &[("perm", Attribute::Wholes(order))])
    }

    /// A reduction over dimensions, which stay with a size of 1.
    pub fn reduce(&mut self, kind: &'static str, x: &str, axes: &[usize]) -> String {
        let axes = self.wholes(axes.iter().map(|&axis| axis as i64).collect());
        self.op(kind, &[x, &axes], &[("keepdims", Attribute::Whole(1))])
    }

    /// A range of a dimension, in steps.
    pub fn slice(
        &mut self,
        x: &str,
        axis: usize,
        range: std::ops::Range<usize>,
        step: i64,
    ) -> String {
        let (start, end) = if step < 0 {
            (-1, i64::MIN + 1)
        } else {
            (range.start as i64, range.end as i64)
        };
        let places = [start, end, axis as i64, step].map(|place| self.wholes(vec![place]));
        let [start, end, axis, step] = &places;
        self.op("Slice", &[x, start, end, axis, step], &[])
    }

    /// Values side by side.
    pub fn concat(&mut self, parts: &[String], axis: usize) -> String {
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        self.op("Concat", &parts, &[("axis", Attribute::Whole(axis as i64))])
    }

    /// A softmax over a dimension.
    pub fn softmax(&mut self, x: &str, axis: usize) -> String {
        self.op("Softmax", &[x], &[("axis", Attribute::Whole(axis as i64))])
    }

    /// A product with a matrix, and a bias if it is named.
    pub fn linear(&mut self, x: &str, weight: &str, bias: Option<&str>) -> Lowered {
        let weight = self.weight(weight)?;
        let product = self.both("MatMul", x, &weight);
        let Some(bias) = bias else { return Ok(product) };
        let bias = self.weight(bias)?;
        Ok(self.both("Add", &product, &bias))
    }

    /// The whole output's shape.
    pub fn output_of(&mut self, x: &str) -> String {
        let sizes = self.site.output.dimensions();
        self.reshape(x, &sizes)
    }
}
