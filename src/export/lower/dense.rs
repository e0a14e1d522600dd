//! Linear maps and element-wise functions.

use super::super::graph::{Attribute, Lowered, Lowering};

pub(super) fn fully_connected(l: &mut Lowering<'_>) -> Option<Lowered> {
    let x = l.x();
    let bias = |l: &Lowering<'_>, name: &'static str| l.site.flag("bias").then_some(name);
    Some(match l.site.name() {
        "linear" => l.linear(&x, "weight", bias(l, "bias")),
        "low_rank_linear" => {
            let down = l.linear(&x, "down.weight", None);
            down.and_then(|down| l.linear(&down, "up.weight", bias(l, "up.bias")))
        }
        "mixture_of_experts" => experts(l, &x),
        "maxout" => maxout(l, &x),
        "highway" => highway(l, &x),
        "bilinear" => bilinear(l),
        "identity"
        | "dropout"
        | "spatial_dropout"
        | "alpha_dropout"
        | "feature_alpha_dropout"
        | "drop_path"
        | "gaussian_noise"
        | "gaussian_dropout" => Ok(x),
        _ => return None,
    })
}

/// The output's dimensions with its features in two.
fn split(l: &Lowering<'_>, first: usize, second: usize) -> Vec<usize> {
    let mut sizes = l.site.output.dimensions();
    sizes.pop();
    sizes.extend([first, second]);
    sizes
}

fn experts(l: &mut Lowering<'_>, x: &str) -> Lowered {
    let (number, out) = (l.site.int("experts"), l.site.int("out"));
    let axis = l.site.output.dimensions().len();
    let gate = l.linear(x, "gate.weight", Some("gate.bias"))?;
    let gate = l.softmax(&gate, axis);
    let gate = l.reshape(&gate, &split(l, number, 1));
    let all = l.linear(x, "experts.weight", Some("experts.bias"))?;
    let all = l.reshape(&all, &split(l, number, out));
    let weighed = l.both("Mul", &all, &gate);
    let sum = l.reduce("ReduceSum", &weighed, &[axis]);
    Ok(l.output_of(&sum))
}

fn maxout(l: &mut Lowering<'_>, x: &str) -> Lowered {
    let axis = l.site.output.dimensions().len() + 1;
    let all = l.linear(x, "weight", Some("bias"))?;
    let all = l.reshape(&all, &split(l, l.site.int("out"), l.site.int("pieces")));
    let top = l.reduce("ReduceMax", &all, &[axis]);
    Ok(l.output_of(&top))
}

fn highway(l: &mut Lowering<'_>, x: &str) -> Lowered {
    let dense = l.linear(x, "weight", Some("bias"))?;
    let dense = l.op("Relu", &[&dense], &[]);
    let gate = l.linear(x, "gate.weight", Some("gate.bias"))?;
    let gate = l.op("Sigmoid", &[&gate], &[]);
    let change = l.both("Sub", &dense, x);
    let change = l.both("Mul", &gate, &change);
    Ok(l.both("Add", x, &change))
}

/// `x1 W` for all outputs at once, then products with `x2`.
fn bilinear(l: &mut Lowering<'_>) -> Lowered {
    let weight = l.tensor("weight")?;
    let [out, first, second] = weight.shape[..] else {
        return Err(l.site.unsupported("ONNX", ""));
    };
    let place = |index: usize| {
        let (a, rest) = (index / (out * second), index % (out * second));
        weight.values[(rest / second * first + a) * second + rest % second]
    };
    let values = (0..weight.values.len()).map(place).collect();
    let weight = l.floats(vec![first, out * second], values);
    let inputs = l.inputs();
    let all = l.both("MatMul", &inputs[0], &weight);
    let all = l.reshape(&all, &split(l, out, second));
    let other = l.reshape(&inputs[1], &split(l, 1, second));
    let products = l.both("Mul", &all, &other);
    let axis = l.site.output.dimensions().len() + 1;
    let sums = l.reduce("ReduceSum", &products, &[axis]);
    let sums = l.output_of(&sums);
    if !l.site.flag("bias") {
        return Ok(sums);
    }
    let bias = l.weight("bias")?;
    Ok(l.both("Add", &sums, &bias))
}

pub(super) fn activation(l: &mut Lowering<'_>) -> Option<Lowered> {
    let x = l.x();
    let one = |l: &mut Lowering<'_>, kind: &'static str| l.op(kind, &[&x], &[]);
    Some(Ok(match l.site.name() {
        "relu" => one(l, "Relu"),
        "selu" => one(l, "Selu"),
        "hard_swish" => one(l, "HardSwish"),
        "mish" => one(l, "Mish"),
        "sigmoid" => one(l, "Sigmoid"),
        "tanh" => one(l, "Tanh"),
        "softsign" => one(l, "Softsign"),
        "relu6" => clip(l, &x, 0.0, 6.0),
        "hardtanh" => clip(l, &x, l.site.float("min"), l.site.float("max")),
        "squared_relu" => {
            let y = one(l, "Relu");
            l.both("Mul", &y, &y)
        }
        "leaky_relu" => alpha(l, "LeakyRelu", l.site.float("slope")),
        "rrelu" => alpha(
            l,
            "LeakyRelu",
            (l.site.float("lower") + l.site.float("upper")) / 2.0,
        ),
        "elu" => alpha(l, "Elu", l.site.float("alpha")),
        "celu" => alpha(l, "Celu", l.site.float("alpha")),
        "prelu" => {
            let slope = match l.weight("weight") {
                Ok(slope) => slope,
                Err(error) => return Some(Err(error)),
            };
            l.both("PRelu", &x, &slope)
        }
        "silu" => silu(l, &x),
        "gelu" => {
            let word = if l.site.is("approximate", "tanh") {
                "tanh"
            } else {
                "none"
            };
            l.op("Gelu", &[&x], &[("approximate", Attribute::Word(word))])
        }
        _ => return curve(l, &x).map(Ok),
    }))
}

fn curve(l: &mut Lowering<'_>, x: &str) -> Option<String> {
    let number = Attribute::Number;
    Some(match l.site.name() {
        "hard_sigmoid" => {
            let attributes = [("alpha", number(1.0 / 6.0)), ("beta", number(0.5))];
            l.op("HardSigmoid", &[x], &attributes)
        }
        "log_sigmoid" => {
            let y = l.op("Neg", &[x], &[]);
            let y = l.op("Softplus", &[&y], &[]);
            l.op("Neg", &[&y], &[])
        }
        "softplus" => {
            let beta = l.site.float("beta");
            let y = l.with("Mul", x, beta);
            let y = l.op("Softplus", &[&y], &[]);
            l.with("Div", &y, beta)
        }
        name @ ("softshrink" | "hardshrink") => {
            let lambda = l.site.float("lambda") as f32;
            let bias = if name == "softshrink" { lambda } else { 0.0 };
            l.op(
                "Shrink",
                &[x],
                &[("lambd", number(lambda)), ("bias", number(bias))],
            )
        }
        "tanhshrink" => {
            let y = l.op("Tanh", &[x], &[]);
            l.both("Sub", x, &y)
        }
        "threshold" => {
            let (threshold, value) = (l.site.float("threshold"), l.site.float("value"));
            let above = l.with("Greater", x, threshold);
            let value = l.number(value);
            l.op("Where", &[&above, x, &value], &[])
        }
        "sine" => {
            let y = l.with("Mul", x, l.site.float("frequency"));
            l.op("Sin", &[&y], &[])
        }
        "step" => {
            let above = l.with("Greater", x, 0.0);
            let (one, zero) = (l.number(1.0), l.number(0.0));
            l.op("Where", &[&above, &one, &zero], &[])
        }
        _ => return None,
    })
}

pub(super) fn clip(l: &mut Lowering<'_>, x: &str, low: f64, high: f64) -> String {
    let (low, high) = (l.number(low), l.number(high));
    l.op("Clip", &[x, &low, &high], &[])
}

fn alpha(l: &mut Lowering<'_>, kind: &'static str, alpha: f64) -> String {
    let x = l.x();
    l.op(kind, &[&x], &[("alpha", Attribute::Number(alpha as f32))])
}

fn silu(l: &mut Lowering<'_>, x: &str) -> String {
    let gate = l.op("Sigmoid", &[x], &[]);
    l.both("Mul", x, &gate)
}

/// One for the largest and zero elsewhere.
fn choice(l: &mut Lowering<'_>, x: &str, axis: usize) -> String {
    let whole = |number: usize| Attribute::Whole(number as i64);
    let place = l.op(
        "ArgMax",
        &[x],
        &[("axis", whole(axis)), ("keepdims", whole(0))],
    );
    let depth = l.wholes(vec![l.site.channels() as i64]);
    let values = l.floats(vec![2], vec![0.0, 1.0]);
    l.op(
        "OneHot",
        &[&place, &depth, &values],
        &[("axis", whole(axis))],
    )
}

pub(super) fn gate(l: &mut Lowering<'_>) -> Option<Lowered> {
    let (x, axis) = (l.x(), l.site.feature_dim());
    let half = |l: &mut Lowering<'_>, second: usize| {
        let size = l.site.channels() / 2;
        l.slice(&x, axis, second * size..(second + 1) * size, 1)
    };
    Some(Ok(match l.site.name() {
        name @ ("glu" | "reglu" | "geglu" | "swiglu") => {
            let (value, gate) = (half(l, 0), half(l, 1));
            let gate = match name {
                "glu" => l.op("Sigmoid", &[&gate], &[]),
                "reglu" => l.op("Relu", &[&gate], &[]),
                "geglu" => l.op(
                    "Gelu",
                    &[&gate],
                    &[("approximate", Attribute::Word("none"))],
                ),
                _ => silu(l, &gate),
            };
            l.both("Mul", &value, &gate)
        }
        "gaussian_sample" => half(l, 0),
        "softmax" => l.softmax(&x, axis),
        "softmin" => {
            let y = l.op("Neg", &[&x], &[]);
            l.softmax(&y, axis)
        }
        "log_softmax" => l.op(
            "LogSoftmax",
            &[&x],
            &[("axis", Attribute::Whole(axis as i64))],
        ),
        "gumbel_softmax" => {
            let y = l.with("Div", &x, l.site.float("tau"));
            let y = l.softmax(&y, axis);
            if l.site.flag("hard") {
                choice(l, &y, axis)
            } else {
                y
            }
        }
        _ => return None,
    }))
}
