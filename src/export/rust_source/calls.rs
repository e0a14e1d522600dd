//! Each operator as a call of burn: the one table of this target.

use super::super::ExportError;
use super::super::graph::{Attribute, Graph, Operator};
use super::functions::Function;
use crate::architecture::Architecture;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// Prints the forward pass of a graph.
pub(super) struct Writer<'a> {
    pub(super) graph: &'a Graph,
    fields: &'a BTreeMap<String, String>,
    input_rank: usize,
    functions: RefCell<BTreeSet<Function>>,
}

impl<'a> Writer<'a> {
    pub fn new(
        graph: &'a Graph,
        architecture: &Architecture,
        fields: &'a BTreeMap<String, String>,
    ) -> Self {
        let input_rank = architecture.input().dimensions().len() + 1;
        Self {
            graph,
            fields,
            input_rank,
            functions: RefCell::default(),
        }
    }

    /// Sources of the functions that the forward pass calls.
    pub fn functions(&self) -> String {
        let functions = self.functions.borrow();
        functions.iter().map(|function| function.source()).collect()
    }

    /// Notes that a function is called.
    pub(super) fn uses(&self, function: Function) {
        let mut functions = self.functions.borrow_mut();
        functions.extend([Some(function), function.needs()].into_iter().flatten());
    }

    /// The lines of `forward`, each layer under its address.
    pub fn forward(&self) -> Result<String, ExportError> {
        let (mut text, mut layer) = (String::new(), 0);
        for operator in &self.graph.operators {
            let (number, kind, address) = &operator.layer;
            if *number != layer {
                layer = *number;
                let _ = writeln!(text, "        // {address}");
            }
            let unsupported = || ExportError::Unsupported {
                address: address.clone(),
                layer: kind,
                target: "burn source",
                why: String::new(),
            };
            let value = self.call(operator).ok_or_else(unsupported)?;
            let _ = match &operator.outputs[..] {
                [output] => writeln!(
                    text,
                    "        let {output}: Tensor<{}{}> = {value};",
                    operator.rank,
                    element(operator)
                ),
                outputs => {
                    let names: Vec<String> = outputs.iter().map(|name| self.named(name)).collect();
                    writeln!(text, "        let ({}) = {value};", names.join(", "))
                }
            };
        }
        let _ = writeln!(text, "        {}", self.value(&self.graph.output));
        Ok(text)
    }

    /// An output's name, or none where nobody reads it.
    fn named(&self, output: &str) -> String {
        let mut read = self
            .graph
            .operators
            .iter()
            .flat_map(|operator| &operator.inputs);
        let is_read = self.graph.output == output || read.any(|input| input == output);
        if is_read {
            output.to_owned()
        } else {
            "_".to_owned()
        }
    }

    /// A value that can be given away.
    pub(super) fn value(&self, name: &str) -> String {
        match self.fields.get(name) {
            Some(field) => format!("self.{field}.val()"),
            None if name == Graph::INPUT => "x.clone()".to_owned(),
            None => format!("{name}.clone()"),
        }
    }

    fn rank(&self, name: &str) -> usize {
        self.graph.rank(name, self.input_rank)
    }

    /// A value with as many dimensions as another.
    fn wide(&self, name: &str, rank: usize) -> String {
        let value = self.value(name);
        if self.rank(name) == rank {
            value
        } else {
            format!("{value}.unsqueeze::<{rank}>()")
        }
    }

    /// A number that stands in the source.
    fn number(&self, name: &str) -> Option<String> {
        let tensor = self.graph.floats.get(name)?;
        let value = tensor.shape.is_empty().then(|| tensor.values[0])?;
        Some(format!("{value:?}_f32"))
    }

    pub(super) fn wholes(&self, name: &str) -> Option<&Vec<i64>> {
        self.graph.wholes.get(name)
    }

    fn call(&self, operator: &Operator) -> Option<String> {
        let first = operator.inputs.first()?;
        let x = self.value(first);
        Some(match operator.kind {
            "Relu" => format!("activation::relu({x})"),
            "Sigmoid" => format!("activation::sigmoid({x})"),
            "Tanh" => format!("{x}.tanh()"),
            "Neg" => format!("{x}.neg()"),
            "Sqrt" => format!("{x}.sqrt()"),
            "Abs" => format!("{x}.abs()"),
            "Sin" => format!("{x}.sin()"),
            "Mish" => format!("activation::mish({x})"),
            "Softplus" => format!("activation::softplus({x}, 1.0)"),
            "Elu" => format!("activation::elu({x}, {:?})", number(operator, "alpha")?),
            "LeakyRelu" => format!(
                "activation::leaky_relu({x}, {:?})",
                number(operator, "alpha")?
            ),
            "Celu" => format!("activation::celu({x}, {:?})", number(operator, "alpha")?),
            "Selu" => format!("activation::selu({x})"),
            "Softsign" => format!("activation::softsign({x})"),
            "PRelu" => format!(
                "activation::prelu({x}, {})",
                self.value(&operator.inputs[1])
            ),
            "Shrink" => format!(
                "activation::shrink({x}, {:?}, {:?})",
                number(operator, "lambd")?,
                number(operator, "bias")?
            ),
            "Greater" => format!("{x}.greater_elem({})", self.number(&operator.inputs[1])?),
            "Where" => return self.either(operator),
            "ArgMax" => {
                let (axis, rank) = (whole(operator, "axis")?, operator.rank);
                format!("{x}.argmax({axis}).squeeze_dim::<{rank}>({axis})")
            }
            "OneHot" => {
                self.uses(Function::OneHot);
                let (axis, depth) = (
                    whole(operator, "axis")?,
                    self.wholes(&operator.inputs[1])?[0],
                );
                format!("one_hot({x}, {axis}, {depth})")
            }
            "HardSwish" => format!("{x} * ({x} / 6.0 + 0.5).clamp(0.0, 1.0)"),
            "HardSigmoid" => format!("({x} / 6.0 + 0.5).clamp(0.0, 1.0)"),
            "Gelu" if word(operator, "approximate") == Some("tanh") => {
                format!("activation::gelu_approximate({x})")
            }
            "Gelu" => format!("activation::gelu({x})"),
            "Softmax" => format!("activation::softmax({x}, {})", whole(operator, "axis")?),
            "LogSoftmax" => format!("activation::log_softmax({x}, {})", whole(operator, "axis")?),
            "Clip" => {
                let (low, high) = (
                    self.number(&operator.inputs[1])?,
                    self.number(&operator.inputs[2])?,
                );
                format!("{x}.clamp({low}, {high})")
            }
            "Add" | "Sub" | "Mul" | "Div" | "Max" | "Pow" | "MatMul" => return self.both(operator),
            "ReduceMean" | "ReduceSum" | "ReduceMax" => return self.reduce(operator),
            "Reshape" => format!("{x}.reshape({:?})", self.wholes(&operator.inputs[1])?),
            "Transpose" => format!("{x}.permute({:?})", wholes(operator, "perm")?),
            "Slice" => return self.slice(operator),
            "Concat" => {
                let parts: Vec<String> = operator
                    .inputs
                    .iter()
                    .map(|input| self.value(input))
                    .collect();
                format!(
                    "Tensor::cat(vec![{}], {})",
                    parts.join(", "),
                    whole(operator, "axis")?
                )
            }
            "Gather" => format!(
                "module::embedding({x}, {})",
                self.value(&operator.inputs[1])
            ),
            _ => return self.window(operator),
        })
    }

    fn both(&self, operator: &Operator) -> Option<String> {
        let [a, b] = [&operator.inputs[0], &operator.inputs[1]];
        let rank = operator.rank;
        if let Some(number) = self.number(b) {
            let a = self.value(a);
            return Some(match operator.kind {
                "Add" => format!("{a} + {number}"),
                "Sub" => format!("{a} - {number}"),
                "Mul" => format!("{a} * {number}"),
                "Div" => format!("{a} / {number}"),
                "Max" => format!("{a}.clamp_min({number})"),
                "Pow" => format!("{a}.powf_scalar({number})"),
                _ => return None,
            });
        }
        let (a, b) = (self.wide(a, rank), self.wide(b, rank));
        Some(match operator.kind {
            "Add" => format!("{a} + {b}"),
            "Sub" => format!("{a} - {b}"),
            "Mul" => format!("{a} * {b}"),
            "Div" => format!("{a} / {b}"),
            "Max" => format!("{a}.max_pair({b})"),
            "MatMul" => format!("{a}.matmul({b})"),
            _ => return None,
        })
    }

    fn reduce(&self, operator: &Operator) -> Option<String> {
        let function = match operator.kind {
            "ReduceMean" => "mean_dim",
            "ReduceSum" => "sum_dim",
            _ => "max_dim",
        };
        let axes = self.wholes(&operator.inputs[1])?;
        let calls: String = axes
            .iter()
            .map(|axis| format!(".{function}({axis})"))
            .collect();
        Some(self.value(&operator.inputs[0]) + &calls)
    }

    fn slice(&self, operator: &Operator) -> Option<String> {
        let place = |at: usize| Some(self.wholes(&operator.inputs[at])?[0]);
        let (start, end, axis, step) = (place(1)?, place(2)?, place(3)?, place(4)?);
        let x = self.value(&operator.inputs[0]);
        match step {
            -1 => Some(format!("{x}.flip([{axis}])")),
            1 => Some(format!("{x}.narrow({axis}, {start}, {})", end - start)),
            _ => Some(format!("{x}.slice_dim({axis}, s![{start}..{end};{step}])")),
        }
    }

    /// One of two, by a condition; numbers where the graph has them.
    fn either(&self, operator: &Operator) -> Option<String> {
        let [condition, yes, no] = [0, 1, 2].map(|at| &operator.inputs[at]);
        let (condition, no) = (self.value(condition), self.number(no)?);
        Some(match self.number(yes).as_deref() {
            Some("1.0_f32") if no == "0.0_f32" => format!("{condition}.float()"),
            Some(yes) => format!("{condition}.float() * ({yes} - {no}) + {no}"),
            None => format!(
                "{}.mask_fill({condition}.bool_not(), {no})",
                self.value(yes)
            ),
        })
    }

    /// The first word of a list of them.
    pub(super) fn first_word(operator: &Operator, name: &str) -> Option<&'static str> {
        match attribute(operator, name)? {
            Attribute::Words(words) => words.first().copied(),
            _ => None,
        }
    }
}

/// What stands behind the rank in a value's type.
fn element(operator: &Operator) -> &'static str {
    match operator.kind {
        "Greater" => ", Bool",
        "ArgMax" => ", Int",
        _ => "",
    }
}

fn attribute<'a>(operator: &'a Operator, name: &str) -> Option<&'a Attribute> {
    let found = operator.attributes.iter().find(|(other, _)| *other == name);
    found.map(|(_, value)| value)
}

pub(super) fn whole(operator: &Operator, name: &str) -> Option<i64> {
    match attribute(operator, name)? {
        Attribute::Whole(value) => Some(*value),
        _ => None,
    }
}

pub(super) fn number(operator: &Operator, name: &str) -> Option<f64> {
    match attribute(operator, name)? {
        // By its shortest digits, so that 1e-5 reads as one.
        Attribute::Number(value) => value.to_string().parse().ok(),
        _ => None,
    }
}

pub(super) fn word(operator: &Operator, name: &str) -> Option<&'static str> {
    match attribute(operator, name)? {
        Attribute::Word(value) => Some(value),
        _ => None,
    }
}

pub(super) fn wholes<'a>(operator: &'a Operator, name: &str) -> Option<&'a Vec<i64>> {
    match attribute(operator, name)? {
        Attribute::Wholes(values) => Some(values),
        _ => None,
    }
}
