//! Architectures for people: a table of layers, and a mermaid flow chart.

use super::{Architecture, Node, Operation};
use std::fmt::Write;

/// A table of layers with inputs, output shapes, parameters and MACs, and the totals.
pub fn text(architecture: &Architecture) -> String {
    let mut rows = vec![["", "layer", "from", "output", "params", "macs"].map(str::to_owned)];
    for (index, node) in architecture.nodes().iter().enumerate() {
        rows.push(row(architecture, index, node));
    }
    let mut out = align(&rows);
    let total = architecture.metrics();
    let _ = writeln!(
        out,
        "{} params, {} MACs, {} bytes of activations an example, {} layers, depth {}",
        total.params, total.macs, total.activation_bytes, total.layers, total.depth
    );
    out
}

fn row(architecture: &Architecture, index: usize, node: &Node) -> [String; 6] {
    let label = label(node);
    let from = match node.inputs.as_slice() {
        [only] if only.0 + 1 == index => String::new(),
        inputs => inputs
            .iter()
            .map(|id| id.0.to_string())
            .collect::<Vec<_>>()
            .join(" "),
    };
    let (params, macs) = match node.layer() {
        None => (0, 0),
        Some(layer) => {
            let inputs = architecture.input_shapes(node);
            (
                layer.parameter_count(&inputs),
                layer.macs(&inputs, node.shape),
            )
        }
    };
    let number = |n: u64| if n == 0 { String::new() } else { n.to_string() };
    [
        index.to_string(),
        label,
        from,
        node.shape.to_string(),
        number(params),
        number(macs),
    ]
}

pub(super) fn label(node: &Node) -> String {
    match &node.operation {
        Operation::Input => "input".to_owned(),
        Operation::Layer(layer) => layer.to_string(),
    }
}

fn align(rows: &[[String; 6]]) -> String {
    let width = |column: usize| {
        rows.iter()
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..6).map(width).collect();
    let mut out = String::new();
    for row in rows {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let w = widths[column];
            let _ = match column {
                0 | 4 | 5 => write!(line, "{cell:>w$}  "),
                _ => write!(line, "{cell:<w$}  "),
            };
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// A mermaid flow chart, top to bottom.
pub fn mermaid(architecture: &Architecture) -> String {
    let mut out = String::from("flowchart TD\n");
    for (index, node) in architecture.nodes().iter().enumerate() {
        let _ = writeln!(out, "    n{index}[\"{}<br/>{}\"]", label(node), node.shape);
        for input in &node.inputs {
            let _ = writeln!(out, "    n{} --> n{index}", input.0);
        }
    }
    out
}
