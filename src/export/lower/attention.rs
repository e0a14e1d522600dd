//! Attention and embeddings.

use super::super::graph::{Attribute, Lowered, Lowering};
use crate::layers::Shape;

pub(super) fn attention(l: &mut Lowering<'_>) -> Option<Lowered> {
    let x = l.x();
    Some(match l.site.name() {
        "embedding" => gather(l),
        "embedding_bag" => gather(l).map(|rows| {
            let mean = l.reduce("ReduceMean", &rows, &[1]);
            l.output_of(&mean)
        }),
        "learned_positions" => l.weight("weight").map(|weight| l.both("Add", &x, &weight)),
        "sinusoidal_positions" => Ok(waves(l, &x)),
        "rotary_positions" => {
            let (length, features) = sizes(l);
            Ok(rotated(l, &x, (length, features, 2), l.site.float("base")))
        }
        "class_token" => class_token(l, &x),
        "self_attention" => self_attention(l, &x),
        "cross_attention" => cross_attention(l),
        "squeeze_excite" => squeeze_excite(l, &x),
        "eca" => eca(l, &x),
        "spatial_attention" => spatial(l, &x),
        _ => return None,
    })
}

fn sizes(l: &Lowering<'_>) -> (usize, usize) {
    match l.site.input() {
        Shape::Sequence { length, features } => (length, features),
        other => (other.positions(), other.features().unwrap_or(1)),
    }
}

fn gather(l: &mut Lowering<'_>) -> Lowered {
    let (weight, x) = (l.weight("weight")?, l.x());
    Ok(l.op("Gather", &[&weight, &x], &[("axis", Attribute::Whole(0))]))
}

fn waves(l: &mut Lowering<'_>, x: &str) -> String {
    let ((length, features), base) = (sizes(l), l.site.float("base"));
    let wave = |index: usize| {
        let (place, feature) = (index / features, index % features);
        let power = 2.0 * (feature / 2) as f64 / features as f64;
        let angle = place as f64 / libm::pow(base, power);
        let wave = if feature % 2 == 0 {
            libm::sin(angle)
        } else {
            libm::cos(angle)
        };
        wave as f32
    };
    let values = (0..length * features).map(wave).collect();
    let waves = l.floats(vec![length, features], values);
    l.both("Add", x, &waves)
}

/// Pairs of features turned; `x` is `[…, length, features]`, with features at `axis`.
fn rotated(l: &mut Lowering<'_>, x: &str, sizes: (usize, usize, usize), base: f64) -> String {
    let (length, features, axis) = sizes;
    let half = features / 2;
    let angle = |index: usize| {
        let (place, pair) = (index / features, index % features % half);
        place as f64 / libm::pow(base, pair as f64 / half as f64)
    };
    let all = 0..length * features;
    let cos = all
        .clone()
        .map(|index| libm::cos(angle(index)) as f32)
        .collect();
    let sin = all.map(|index| libm::sin(angle(index)) as f32).collect();
    let shape = vec![length, features];
    let (cos, sin) = (l.floats(shape.clone(), cos), l.floats(shape, sin));
    let first = l.slice(x, axis, 0..half, 1);
    let second = l.slice(x, axis, half..features, 1);
    let second = l.op("Neg", &[&second], &[]);
    let turned = l.concat(&[second, first], axis);
    let straight = l.both("Mul", x, &cos);
    let turned = l.both("Mul", &turned, &sin);
    l.both("Add", &straight, &turned)
}

/// The first position, made zero, has the batch's size.
fn class_token(l: &mut Lowering<'_>, x: &str) -> Lowered {
    let first = l.slice(x, 1, 0..1, 1);
    let zeros = super::dense::clip(l, &first, 0.0, 0.0);
    let weight = l.weight("weight")?;
    let token = l.both("Add", &zeros, &weight);
    Ok(l.concat(&[token, x.to_owned()], 1))
}

/// `[length, heads * size]` as `[heads, length, size]`.
fn heads(l: &mut Lowering<'_>, x: &str, length: usize, heads: usize, size: usize) -> String {
    let x = l.reshape(x, &[length, heads, size]);
    l.transpose(&x, &[0, 2, 1, 3])
}

/// Queries against keys, and the mean of the values that follows.
fn attend(
    l: &mut Lowering<'_>,
    q: &str,
    k: &str,
    v: &str,
    size: usize,
    mask: Option<usize>,
) -> String {
    let k = l.transpose(k, &[0, 1, 3, 2]);
    let scores = l.both("MatMul", q, &k);
    let mut scores = l.with("Mul", &scores, 1.0 / libm::sqrt(size as f64));
    if let Some(length) = mask {
        let seen = |index: usize| {
            if index % length > index / length {
                f32::NEG_INFINITY
            } else {
                0.0
            }
        };
        let values = (0..length * length).map(seen).collect();
        let mask = l.floats(vec![length, length], values);
        scores = l.both("Add", &scores, &mask);
    }
    let shares = l.softmax(&scores, 3);
    l.both("MatMul", &shares, v)
}

fn leave(l: &mut Lowering<'_>, y: &str) -> Lowered {
    let y = l.transpose(y, &[0, 2, 1, 3]);
    let y = l.output_of(&y);
    let bias = l.site.flag("bias").then_some("out_proj.bias");
    l.linear(&y, "out_proj.weight", bias)
}

fn self_attention(l: &mut Lowering<'_>, x: &str) -> Lowered {
    let (length, features) = sizes(l);
    let (number, few) = (l.site.int("heads"), l.site.int("kv_heads"));
    let size = features / number;
    let bias = l.site.flag("bias").then_some("in_proj.bias");
    let all = l.linear(x, "in_proj.weight", bias)?;
    let (q, narrow) = (l.slice(&all, 2, 0..features, 1), size * few);
    let k = l.slice(&all, 2, features..features + narrow, 1);
    let v = l.slice(&all, 2, features + narrow..features + 2 * narrow, 1);
    let mut q = heads(l, &q, length, number, size);
    let mut k = heads(l, &k, length, few, size);
    let mut v = heads(l, &v, length, few, size);
    if l.site.flag("rotary") {
        q = rotated(l, &q, (length, size, 3), 10000.0);
        k = rotated(l, &k, (length, size, 3), 10000.0);
    }
    if few < number {
        // Each head of keys and values once for every query that shares it.
        let parts = |l: &mut Lowering<'_>, x: &str| {
            let head = |l: &mut Lowering<'_>, at: usize| l.slice(x, 1, at..at + 1, 1);
            let each: Vec<String> = (0..number).map(|q| head(l, q * few / number)).collect();
            l.concat(&each, 1)
        };
        (k, v) = (parts(l, &k), parts(l, &v));
    }
    let mask = l.site.flag("causal").then_some(length);
    let y = attend(l, &q, &k, &v, size, mask);
    leave(l, &y)
}

fn cross_attention(l: &mut Lowering<'_>) -> Lowered {
    let ((length, features), inputs) = (sizes(l), l.inputs());
    let (number, other) = (l.site.int("heads"), l.site.inputs[1].dimensions()[0]);
    let size = features / number;
    let mut parts = Vec::new();
    for (place, (name, from, length)) in [
        ("q_proj.weight", &inputs[0], length),
        ("k_proj.weight", &inputs[1], other),
        ("v_proj.weight", &inputs[1], other),
    ]
    .into_iter()
    .enumerate()
    {
        let mut part = l.linear(from, name, None)?;
        if l.site.flag("bias") {
            let bias = l.tensor("in_proj.bias")?;
            let own = bias.values[place * features..(place + 1) * features].to_vec();
            let bias = l.floats(vec![features], own);
            part = l.both("Add", &part, &bias);
        }
        parts.push(heads(l, &part, length, number, size));
    }
    let y = attend(l, &parts[0], &parts[1], &parts[2], size, None);
    leave(l, &y)
}

fn squeeze_excite(l: &mut Lowering<'_>, x: &str) -> Lowered {
    let channels = l.site.channels();
    let means = l.reduce("ReduceMean", x, &[2, 3]);
    let means = l.reshape(&means, &[channels]);
    let y = l.linear(&means, "fc1.weight", Some("fc1.bias"))?;
    let y = l.op("Relu", &[&y], &[]);
    let y = l.linear(&y, "fc2.weight", Some("fc2.bias"))?;
    let gate = l.op("Sigmoid", &[&y], &[]);
    let gate = l.reshape(&gate, &[channels, 1, 1]);
    Ok(l.both("Mul", x, &gate))
}

/// A convolution that leaves the sizes as they are.
fn small_conv(l: &mut Lowering<'_>, x: &str, rank: usize) -> Lowered {
    let (weight, kernel) = (l.weight("weight")?, l.site.int("kernel"));
    let pads = [
        vec![(kernel / 2) as i64; rank],
        vec![(kernel / 2) as i64; rank],
    ]
    .concat();
    let attributes = [
        ("kernel_shape", Attribute::Wholes(vec![kernel as i64; rank])),
        ("strides", Attribute::Wholes(vec![1; rank])),
        ("pads", Attribute::Wholes(pads)),
        ("dilations", Attribute::Wholes(vec![1; rank])),
        ("group", Attribute::Whole(1)),
    ];
    Ok(l.op("Conv", &[x, &weight], &attributes))
}

fn eca(l: &mut Lowering<'_>, x: &str) -> Lowered {
    let (channels, rank) = (l.site.channels(), l.site.grid().len());
    let axes: Vec<usize> = (2..2 + rank).collect();
    let means = l.reduce("ReduceMean", x, &axes);
    let row = l.reshape(&means, &[1, channels]);
    let y = small_conv(l, &row, 1)?;
    let gate = l.op("Sigmoid", &[&y], &[]);
    let mut shape = vec![channels];
    shape.extend(vec![1; rank]);
    let gate = l.reshape(&gate, &shape);
    Ok(l.both("Mul", x, &gate))
}

fn spatial(l: &mut Lowering<'_>, x: &str) -> Lowered {
    let mean = l.reduce("ReduceMean", x, &[1]);
    let top = l.reduce("ReduceMax", x, &[1]);
    let seen = l.concat(&[mean, top], 1);
    let y = small_conv(l, &seen, 2)?;
    let gate = l.op("Sigmoid", &[&y], &[]);
    Ok(l.both("Mul", x, &gate))
}
