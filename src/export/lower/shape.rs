//! Changes of form, and several tensors into one.

use super::super::graph::{Attribute, Lowered, Lowering};
use super::dense::clip;
use super::pooling::rows;
use crate::layers::{Shape, Value};

pub(super) fn shape(l: &mut Lowering<'_>) -> Option<Lowered> {
    let layout = layout(l).or_else(|| resize(l)).or_else(|| merge(l));
    layout
        .map(Ok)
        .or_else(|| (l.site.name() == "gated_sum").then(|| gated_sum(l)))
}

fn layout(l: &mut Lowering<'_>) -> Option<String> {
    let x = l.x();
    let sizes = l.site.input().dimensions();
    let rank = sizes.len();
    Some(match (l.site.name(), l.site.input()) {
        ("flatten" | "reshape", _) => l.output_of(&x),
        ("to_sequence" | "to_signal", Shape::Vector { .. }) => l.output_of(&x),
        ("to_sequence", _) => rows(l),
        ("to_signal", Shape::Sequence { .. }) => l.transpose(&x, &[0, 2, 1]),
        ("to_signal", _) => l.output_of(&x),
        ("transpose", _) => {
            let mut order: Vec<usize> = (0..=rank).collect();
            order.swap(rank - 1, rank);
            l.transpose(&x, &order)
        }
        ("permute", _) => {
            let Value::Name(order) = l.site.value("order") else {
                return None;
            };
            let places = order
                .chars()
                .map(|letter| "chw".find(letter).unwrap_or(0) + 1);
            let order: Vec<usize> = std::iter::once(0).chain(places).collect();
            l.transpose(&x, &order)
        }
        ("select_position", _) => {
            let at = if l.site.is("position", "first") {
                0
            } else {
                sizes[0] - 1
            };
            let y = l.slice(&x, 1, at..at + 1, 1);
            l.output_of(&y)
        }
        ("flip", _) => {
            let axis = if l.site.is_sequence() { 1 } else { rank };
            l.slice(&x, axis, 0..sizes[axis - 1], -1)
        }
        ("crop", _) => {
            let margin = l.site.int("margin");
            let crop =
                |x: String, axis: usize| l.slice(&x, axis, margin..sizes[axis - 1] - margin, 1);
            (2..=rank).fold(x, crop)
        }
        ("zero", _) => {
            let stride = l.site.int("stride");
            let thin =
                |x: String, axis: usize| l.slice(&x, axis, 0..sizes[axis - 1], stride as i64);
            let y = if stride > 1 {
                (2..=rank).fold(x, thin)
            } else {
                x
            };
            clip(l, &y, 0.0, 0.0)
        }
        _ => return None,
    })
}

fn resize(l: &mut Lowering<'_>) -> Option<String> {
    let (x, sizes) = (l.x(), l.site.input().dimensions());
    let scale = |l: &Lowering<'_>| l.site.int("scale");
    Some(match l.site.name() {
        "upsample_nearest" => {
            let (mode, place) = ("nearest", "asymmetric");
            resized(l, &x, &[mode, place])
        }
        "upsample_bilinear" => resized(l, &x, &["linear", "half_pixel"]),
        "pad" => padded(l, &x),
        "channel_shuffle" => {
            let groups = l.site.int("groups");
            let positions = l.site.input().positions();
            let y = l.reshape(&x, &[groups, sizes[0] / groups, positions]);
            let y = l.transpose(&y, &[0, 2, 1, 3]);
            l.output_of(&y)
        }
        "pixel_shuffle" => {
            let scale = scale(l);
            let y = l.reshape(
                &x,
                &[sizes[0] / scale / scale, scale, scale, sizes[1], sizes[2]],
            );
            let y = l.transpose(&y, &[0, 1, 4, 2, 5, 3]);
            l.output_of(&y)
        }
        "pixel_unshuffle" => {
            let scale = scale(l);
            let y = l.reshape(
                &x,
                &[sizes[0], sizes[1] / scale, scale, sizes[2] / scale, scale],
            );
            let y = l.transpose(&y, &[0, 1, 3, 5, 2, 4]);
            l.output_of(&y)
        }
        _ => return None,
    })
}

fn resized(l: &mut Lowering<'_>, x: &str, words: &[&'static str; 2]) -> String {
    let mut scales = vec![1.0, 1.0];
    scales.extend(l.site.grid().iter().map(|_| l.site.int("scale") as f32));
    let scales = l.floats(vec![scales.len()], scales);
    let attributes = [
        ("mode", Attribute::Word(words[0])),
        ("coordinate_transformation_mode", Attribute::Word(words[1])),
        ("nearest_mode", Attribute::Word("floor")),
    ];
    l.op("Resize", &[x, "", &scales], &attributes)
}

fn padded(l: &mut Lowering<'_>, x: &str) -> String {
    let (margin, rank) = (l.site.int("margin") as i64, l.site.grid().len());
    let one_side = [vec![0, 0], vec![margin; rank]].concat();
    let pads = l.wholes([one_side.clone(), one_side].concat());
    let mode = match l.site.value("mode") {
        Value::Name("reflect") => "reflect",
        Value::Name("replicate") => "edge",
        Value::Name("circular") => "wrap",
        _ => "constant",
    };
    l.op("Pad", &[x, &pads], &[("mode", Attribute::Word(mode))])
}

fn merge(l: &mut Lowering<'_>) -> Option<String> {
    let inputs = l.inputs();
    let fold = |l: &mut Lowering<'_>, kind: &'static str| {
        let (first, rest) = inputs.split_first().expect("a layer has an input");
        rest.iter()
            .fold(first.clone(), |so_far, next| l.both(kind, &so_far, next))
    };
    Some(match l.site.name() {
        "add" => fold(l, "Add"),
        "mul" => fold(l, "Mul"),
        "max" => fold(l, "Max"),
        "mean" => {
            let sum = fold(l, "Add");
            l.with("Div", &sum, inputs.len() as f64)
        }
        "concat" => {
            let axis = l.site.feature_dim();
            l.concat(&inputs, axis)
        }
        "cosine_similarity" => cosine(l, &inputs),
        "pairwise_distance" => {
            let apart = l.both("Sub", &inputs[0], &inputs[1]);
            let apart = l.with("Add", &apart, l.site.float("eps"));
            norm(l, &apart)
        }
        _ => return None,
    })
}

/// The length of each row of features.
fn norm(l: &mut Lowering<'_>, x: &str) -> String {
    let squares = l.both("Mul", x, x);
    let axis = l.site.output.dimensions().len();
    let sum = l.reduce("ReduceSum", &squares, &[axis]);
    l.op("Sqrt", &[&sum], &[])
}

fn cosine(l: &mut Lowering<'_>, inputs: &[String]) -> String {
    let axis = l.site.output.dimensions().len();
    let products = l.both("Mul", &inputs[0], &inputs[1]);
    let product = l.reduce("ReduceSum", &products, &[axis]);
    let eps = l.site.float("eps");
    let mut y = product;
    for input in inputs {
        let length = norm(l, input);
        let length = l.with("Max", &length, eps);
        y = l.both("Div", &y, &length);
    }
    y
}

/// The weights don't change any more, so their shares are numbers.
fn gated_sum(l: &mut Lowering<'_>) -> Lowered {
    let gates = l.tensor("weight")?.values.clone();
    let top = gates.iter().copied().fold(f32::MIN, f32::max);
    let powers = gates.iter().map(|&gate| libm::exp(f64::from(gate - top)));
    let powers: Vec<f64> = powers.collect();
    let total: f64 = powers.iter().sum();
    let parts: Vec<String> = l
        .inputs()
        .iter()
        .zip(powers)
        .map(|(input, power)| l.with("Mul", input, power / total))
        .collect();
    let sum = parts
        .into_iter()
        .reduce(|so_far, part| l.both("Add", &so_far, &part));
    Ok(sum.expect("a layer has an input"))
}
