//! Each operator as a call of burn: the one table of this target.

use super::super::ExportError;
use super::super::graph::{Attribute, Graph, Operator};
use crate::architecture::Architecture;
use std::collections::BTreeMap;
use std::fmt::Write;

/// Prints the forward pass of a graph.
pub(super) struct Writer<'a> {
    graph: &'a Graph,
    fields: &'a BTreeMap<String, String>,
    input_rank: usize,
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
        }
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
            let (output, rank) = (&operator.outputs[0], operator.rank);
            let _ = writeln!(
                text,
                "        let {output}: Tensor<{rank}{}> = {value};",
                truth(operator)
            );
        }
        let _ = writeln!(text, "        {}", self.value(&self.graph.output));
        Ok(text)
    }

    /// A value that can be given away.
    fn value(&self, name: &str) -> String {
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

    fn wholes(&self, name: &str) -> Option<&Vec<i64>> {
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
            "HardSwish" => format!("{x} * ({x} / 6.0 + 0.5).clamp(0.0, 1.0)"),
            "HardSigmoid" => format!("({x} / 6.0 + 0.5).clamp(0.0, 1.0)"),
            "Gelu" if word(operator, "approximate") == Some("none") => {
                format!("activation::gelu({x})")
            }
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
            _ => return self.windows(operator),
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
            _ => None,
        }
    }

    fn windows(&self, operator: &Operator) -> Option<String> {
        let x = self.value(&operator.inputs[0]);
        if operator.kind == "BatchNormalization" {
            let eps = number(operator, "epsilon")?;
            let rest: Vec<String> = operator.inputs[1..]
                .iter()
                .map(|input| self.value(input))
                .collect();
            return Some(format!(
                "module::batch_norm({x}, {}, {eps:?})",
                rest.join(", ")
            ));
        }
        if operator.kind == "LayerNormalization" {
            return self.layer_norm(operator);
        }
        let kernel = wholes(operator, "kernel_shape")?;
        let (rank, strides, pads) = (
            kernel.len(),
            wholes(operator, "strides")?,
            wholes(operator, "pads")?,
        );
        let pairs: Vec<String> = (0..rank)
            .map(|at| format!("({}, {})", pads[at], pads[at + rank]))
            .collect();
        let pairs = pairs.join(", ");
        let options = |kind: &str| {
            format!(
                "{kind}Options::new({kernel:?}).with_stride({strides:?}).with_padding_pairs([{pairs}])"
            )
        };
        match (operator.kind, rank) {
            ("MaxPool", 1 | 2) => Some(format!(
                "module::max_pool{rank}d({x}, {})",
                options("MaxPool")
            )),
            ("AveragePool", 1 | 2) => {
                let count = whole(operator, "count_include_pad").unwrap_or(1) == 1;
                let options = options("AvgPool");
                Some(format!(
                    "module::avg_pool{rank}d({x}, {options}.with_count_include_pad({count}))"
                ))
            }
            ("Conv", 1 | 2) => {
                let bias = operator.inputs.get(2).map_or_else(
                    || "None".to_owned(),
                    |bias| format!("Some({})", self.value(bias)),
                );
                let (dilations, groups) =
                    (wholes(operator, "dilations")?, whole(operator, "group")?);
                let padding: Vec<&i64> = pads[..rank].iter().collect();
                let weight = self.value(&operator.inputs[1]);
                let (x, padding) = if pads[..rank] == pads[rank..] {
                    (x, format!("{padding:?}"))
                } else {
                    (
                        format!("{x}.pad([{pairs}], 0.0_f32)"),
                        format!("{:?}", vec![0; rank]),
                    )
                };
                Some(format!(
                    "module::conv{rank}d({x}, {weight}, {bias}, ConvOptions::new({strides:?}, {padding}, {dilations:?}, {groups}))"
                ))
            }
            _ => None,
        }
    }

    fn layer_norm(&self, operator: &Operator) -> Option<String> {
        let (axis, eps) = (
            whole(operator, "axis")? as usize,
            number(operator, "epsilon")?,
        );
        let [x, weight, bias] = [0, 1, 2].map(|at| self.value(&operator.inputs[at]));
        // burn normalises the last dimension only.
        (axis + 1 == operator.rank)
            .then(|| format!("module::layer_norm({x}, {weight}, Some({bias}), {eps:?})"))
    }
}

/// What stands behind the rank in a value's type.
fn truth(operator: &Operator) -> &'static str {
    if operator.kind == "Greater" {
        ", Bool"
    } else {
        ""
    }
}

fn attribute<'a>(operator: &'a Operator, name: &str) -> Option<&'a Attribute> {
    let found = operator.attributes.iter().find(|(other, _)| *other == name);
    found.map(|(_, value)| value)
}

fn whole(operator: &Operator, name: &str) -> Option<i64> {
    match attribute(operator, name)? {
        Attribute::Whole(value) => Some(*value),
        _ => None,
    }
}

fn number(operator: &Operator, name: &str) -> Option<f64> {
    match attribute(operator, name)? {
        // By its shortest digits, so that 1e-5 reads as one.
        Attribute::Number(value) => value.to_string().parse().ok(),
        _ => None,
    }
}

fn word(operator: &Operator, name: &str) -> Option<&'static str> {
    match attribute(operator, name)? {
        Attribute::Word(value) => Some(value),
        _ => None,
    }
}

fn wholes<'a>(operator: &'a Operator, name: &str) -> Option<&'a Vec<i64>> {
    match attribute(operator, name)? {
        Attribute::Wholes(values) => Some(values),
        _ => None,
    }
}
