//! Summaries and rescaling.

use super::super::graph::{Attribute, Lowered, Lowering};
use super::convolution::batch_norm;

pub(super) fn pooling(l: &mut Lowering<'_>) -> Option<Lowered> {
    let name = l.site.name();
    let is = |stem: &str| name.strip_prefix(stem).is_some_and(|rest| rest.len() == 2);
    Some(Ok(match name {
        "global_avg_pool" => global(l, "ReduceMean"),
        "global_max_pool" => global(l, "ReduceMax"),
        "attention_pool" => return Some(weighed(l)),
        _ if is("max_pool") => {
            let x = l.x();
            let (kernel, padding) = (
                l.site.int("kernel"),
                l.site.padding(l.site.int("kernel"), 1),
            );
            let attributes = window(l, kernel, l.site.int("stride"), padding);
            l.op("MaxPool", &[&x], &attributes)
        }
        _ if is("avg_pool") => {
            let x = l.x();
            let (kernel, padding) = (
                l.site.int("kernel"),
                l.site.padding(l.site.int("kernel"), 1),
            );
            let mut attributes = window(l, kernel, l.site.int("stride"), padding);
            let count = i64::from(l.site.flag("count_include_pad"));
            attributes.push(("count_include_pad", Attribute::Whole(count)));
            l.op("AveragePool", &[&x], &attributes)
        }
        _ if is("lp_pool") => powers(l),
        _ if is("adaptive_avg_pool") => adaptive(l, "ReduceMean"),
        _ if is("adaptive_max_pool") => adaptive(l, "ReduceMax"),
        _ => return None,
    }))
}

fn window(
    l: &Lowering<'_>,
    kernel: usize,
    stride: usize,
    padding: (usize, usize),
) -> Vec<(&'static str, Attribute)> {
    let rank = l.site.grid().len();
    let pads = [vec![padding.0 as i64; rank], vec![padding.1 as i64; rank]].concat();
    vec![
        ("kernel_shape", Attribute::Wholes(vec![kernel as i64; rank])),
        ("strides", Attribute::Wholes(vec![stride as i64; rank])),
        ("pads", Attribute::Wholes(pads)),
    ]
}

/// By means of powers: runtimes differ in how they take roots of sums.
fn powers(l: &mut Lowering<'_>) -> String {
    let (p, kernel, x) = (l.site.int("p") as f64, l.site.int("kernel"), l.x());
    let x = l.op("Abs", &[&x], &[]);
    let x = l.with("Pow", &x, p);
    let attributes = window(l, kernel, l.site.int("stride"), (0, 0));
    let x = l.op("AveragePool", &[&x], &attributes);
    let values = kernel.pow(l.site.grid().len() as u32);
    let x = l.with("Mul", &x, values as f64);
    l.with("Pow", &x, 1.0 / p)
}

/// Along one dimension after the other, each output from its own stretch.
fn adaptive(l: &mut Lowering<'_>, kind: &'static str) -> String {
    let (sizes, size) = (l.site.grid(), l.site.int("size"));
    let mut x = l.x();
    for (axis, &from) in sizes.iter().enumerate() {
        let mut parts = Vec::new();
        for place in 0..size {
            let range = place * from / size..((place + 1) * from).div_ceil(size);
            let part = l.slice(&x, axis + 2, range, 1);
            parts.push(l.reduce(kind, &part, &[axis + 2]));
        }
        x = if parts.len() == 1 {
            parts.remove(0)
        } else {
            l.concat(&parts, axis + 2)
        };
    }
    x
}

fn global(l: &mut Lowering<'_>, kind: &'static str) -> String {
    let x = l.x();
    let axes: Vec<usize> = if l.site.is_sequence() {
        vec![1]
    } else {
        (2..2 + l.site.grid().len()).collect()
    };
    let y = l.reduce(kind, &x, &axes);
    l.output_of(&y)
}

fn weighed(l: &mut Lowering<'_>) -> Lowered {
    let rows = rows(l);
    let scores = l.linear(&rows, "weight", None)?;
    let shares = l.softmax(&scores, 1);
    let y = l.both("Mul", &rows, &shares);
    let y = l.reduce("ReduceSum", &y, &[1]);
    Ok(l.output_of(&y))
}

/// The input as a sequence of positions.
pub(super) fn rows(l: &mut Lowering<'_>) -> String {
    let x = l.x();
    if l.site.is_sequence() {
        return x;
    }
    let (channels, positions) = (l.site.channels(), l.site.input().positions());
    let y = l.reshape(&x, &[channels, positions]);
    l.transpose(&y, &[0, 2, 1])
}

pub(super) fn normalisation(l: &mut Lowering<'_>) -> Option<Lowered> {
    let x = l.x();
    Some(match l.site.name() {
        "batch_norm" => batch_norm(l, &x, "", l.site.float("eps")),
        "layer_norm" => layer_norm(l, &x, if l.site.is_sequence() { 2 } else { 1 }),
        "layer_norm2d" => channel_norm(l, &x),
        "rms_norm" => rms_norm(l, &x),
        "group_norm" => grouped(l, l.site.int("groups"), true),
        "instance_norm" => grouped(l, l.site.channels(), l.site.flag("affine")),
        "local_response_norm" => Ok(local_response(l, &x)),
        "global_response_norm" => global_response(l, &x),
        "layer_scale" => {
            let shape = per_channel(l);
            l.vector("weight", shape)
                .map(|weight| l.both("Mul", &x, &weight))
        }
        _ => return None,
    })
}

/// A vector over channels, to be stretched over everything else.
fn per_channel(l: &Lowering<'_>) -> Vec<usize> {
    let mut shape = vec![l.site.channels()];
    if !l.site.is_sequence() {
        shape.extend(l.site.grid().iter().map(|_| 1));
    }
    shape
}

fn layer_norm(l: &mut Lowering<'_>, x: &str, axis: i64) -> Lowered {
    let (weight, bias) = (l.weight("weight")?, l.weight("bias")?);
    let eps = Attribute::Number(l.site.float("eps") as f32);
    let attributes = [("axis", Attribute::Whole(axis)), ("epsilon", eps)];
    Ok(l.op("LayerNormalization", &[x, &weight, &bias], &attributes))
}

fn channel_norm(l: &mut Lowering<'_>, x: &str) -> Lowered {
    let rank = l.site.grid().len() + 2;
    let mut there: Vec<usize> = (0..rank).filter(|&axis| axis != 1).collect();
    there.push(1);
    let mut back: Vec<usize> = (1..rank - 1).collect();
    back.splice(0..0, [0, rank - 1]);
    let x = l.transpose(x, &there);
    let y = layer_norm(l, &x, rank as i64 - 1)?;
    Ok(l.transpose(&y, &back))
}

fn rms_norm(l: &mut Lowering<'_>, x: &str) -> Lowered {
    let rank = l.site.input().dimensions().len() + 1;
    let axes: Vec<usize> = (if l.site.is_sequence() { 2 } else { 1 }..rank).collect();
    let squares = l.both("Mul", x, x);
    let mean = l.reduce("ReduceMean", &squares, &axes);
    let mean = l.with("Add", &mean, l.site.float("eps"));
    let root = l.op("Sqrt", &[&mean], &[]);
    let y = l.both("Div", x, &root);
    let weight = l.weight("weight")?;
    Ok(l.both("Mul", &y, &weight))
}

fn grouped(l: &mut Lowering<'_>, groups: usize, affine: bool) -> Lowered {
    let sizes = l.site.input().dimensions();
    let values: usize = sizes.iter().product();
    let x = l.x();
    let x = l.reshape(&x, &[groups, values / groups]);
    let mean = l.reduce("ReduceMean", &x, &[2]);
    let x = l.both("Sub", &x, &mean);
    let squares = l.both("Mul", &x, &x);
    let variance = l.reduce("ReduceMean", &squares, &[2]);
    let variance = l.with("Add", &variance, l.site.float("eps"));
    let root = l.op("Sqrt", &[&variance], &[]);
    let y = l.both("Div", &x, &root);
    let y = l.reshape(&y, &sizes);
    if !affine {
        return Ok(y);
    }
    let shape = per_channel(l);
    let (weight, bias) = (l.vector("weight", shape.clone())?, l.vector("bias", shape)?);
    let y = l.both("Mul", &y, &weight);
    Ok(l.both("Add", &y, &bias))
}

/// ONNX's own operator looks one channel to the other side where `size` is even.
fn local_response(l: &mut Lowering<'_>, x: &str) -> String {
    let (size, positions) = (l.site.int("size"), l.site.input().positions());
    let squares = l.both("Mul", x, x);
    let plane = l.reshape(&squares, &[1, l.site.channels(), positions]);
    let (low, high) = ((size / 2) as i64, ((size - 1) / 2) as i64);
    let pads = l.wholes(vec![0, 0, low, 0, 0, 0, high, 0]);
    let zero = l.number(0.0);
    let plane = l.op(
        "Pad",
        &[&plane, &pads, &zero],
        &[("mode", Attribute::Word("constant"))],
    );
    let attributes = [
        ("kernel_shape", Attribute::Wholes(vec![size as i64, 1])),
        ("strides", Attribute::Wholes(vec![1, 1])),
        ("pads", Attribute::Wholes(vec![0; 4])),
    ];
    let means = l.op("AveragePool", &[&plane], &attributes);
    let means = l.output_of(&means);
    let scaled = l.with("Mul", &means, l.site.float("alpha"));
    let scaled = l.with("Add", &scaled, l.site.float("k"));
    let power = l.with("Pow", &scaled, l.site.float("beta"));
    l.both("Div", x, &power)
}

fn global_response(l: &mut Lowering<'_>, x: &str) -> Lowered {
    let channels = l.site.channels();
    let rows = l.reshape(x, &[channels, l.site.input().positions()]);
    let squares = l.both("Mul", &rows, &rows);
    let sums = l.reduce("ReduceSum", &squares, &[2]);
    let strength = l.op("Sqrt", &[&sums], &[]);
    let mean = l.reduce("ReduceMean", &strength, &[1]);
    let mean = l.with("Add", &mean, l.site.float("eps"));
    let share = l.both("Div", &strength, &mean);
    let weight = l.vector("weight", vec![channels, 1])?;
    let bias = l.vector("bias", vec![channels, 1])?;
    let y = l.both("Mul", &rows, &share);
    let y = l.both("Mul", &y, &weight);
    let y = l.both("Add", &rows, &y);
    let y = l.both("Add", &y, &bias);
    Ok(l.output_of(&y))
}
