//! Layers that read step by step.

use super::super::graph::{Attribute, Lowered, Lowering};
use crate::export::ExportError;

pub(super) fn recurrent(l: &mut Lowering<'_>) -> Option<Lowered> {
    // The places of ONNX's gates among PyTorch's, which are ours.
    let (kind, gates): (_, &[usize]) = match l.site.name() {
        "rnn" => ("RNN", &[0]),
        "gru" => ("GRU", &[1, 0, 2]),
        "lstm" => ("LSTM", &[0, 3, 1, 2]),
        _ => return None,
    };
    Some(read(l, kind, gates))
}

fn read(l: &mut Lowering<'_>, kind: &'static str, gates: &[usize]) -> Lowered {
    let both = l.site.flag("bidirectional");
    let (hidden, directions) = (l.site.int("hidden"), 1 + usize::from(both));
    let suffixes = &["", "_reverse"][..directions];
    let weight = stacked(l, "weight_ih_l0", suffixes, gates)?;
    let recurrence = stacked(l, "weight_hh_l0", suffixes, gates)?;
    let bias = biases(l, suffixes, gates)?;
    let mut attributes = vec![
        ("hidden_size", Attribute::Whole(hidden as i64)),
        (
            "direction",
            Attribute::Word(if both { "bidirectional" } else { "forward" }),
        ),
    ];
    match kind {
        "GRU" => attributes.push(("linear_before_reset", Attribute::Whole(1))),
        "RNN" => {
            let word = if l.site.is("nonlinearity", "relu") {
                "Relu"
            } else {
                "Tanh"
            };
            attributes.push(("activations", Attribute::Words(vec![word; directions])));
        }
        _ => {}
    }
    let x = l.x();
    let steps = l.transpose(&x, &[1, 0, 2]);
    let outputs = l.outputs(kind, &[&steps, &weight, &recurrence, &bias], &attributes, 2);
    let y = if l.site.is("output", "last") {
        l.transpose(&outputs[1], &[1, 0, 2])
    } else {
        l.transpose(&outputs[0], &[2, 0, 1, 3])
    };
    Ok(l.output_of(&y))
}

/// The gates of a vector of all of them, in ONNX's order.
fn ordered<T: Clone>(all: &[T], gates: &[usize]) -> Vec<T> {
    let size = all.len() / gates.len();
    let gate = |&place: &usize| all[place * size..(place + 1) * size].to_vec();
    gates.iter().flat_map(gate).collect()
}

/// `[directions, gates * hidden, from]`.
fn stacked(l: &mut Lowering<'_>, name: &str, suffixes: &[&str], gates: &[usize]) -> Lowered {
    let (mut values, mut shape) = (Vec::new(), Vec::new());
    for suffix in suffixes {
        let matrix = l.tensor(&format!("{name}{suffix}"))?.transposed();
        let rows: Vec<&[f32]> = matrix.values.chunks(matrix.shape[1]).collect();
        values.extend(ordered(&rows, gates).concat());
        shape = matrix.shape;
    }
    shape.insert(0, suffixes.len());
    Ok(l.floats(shape, values))
}

/// `[directions, 2 * gates * hidden]`.
fn biases(l: &mut Lowering<'_>, suffixes: &[&str], gates: &[usize]) -> Result<String, ExportError> {
    let mut values = Vec::new();
    for suffix in suffixes {
        for name in ["bias_ih_l0", "bias_hh_l0"] {
            let bias = l.tensor(&format!("{name}{suffix}"))?;
            values.extend(ordered(&bias.values, gates));
        }
    }
    let shape = vec![suffixes.len(), values.len() / suffixes.len()];
    Ok(l.floats(shape, values))
}
