//! Architectures as pictures: an SVG drawing, and a Graphviz file for other tools.
//!
//! The layered placement comes from a library; the drawing is our own, so that it is small, readable in
//! light and dark, and the same on every machine.

use super::{Architecture, Node};
use crate::layers::Category;
use rust_sugiyama::configure::{Config, RankingType};
use std::collections::BTreeMap;
use std::fmt::Write;

/// The size of a letter in the drawing's font, about.
const LETTER: f64 = 7.2;

/// The height of a layer's box.
const HEIGHT: f64 = 38.0;

/// From one row to the next.
const ROW: f64 = 62.0;

/// Space around the whole.
const MARGIN: f64 = 12.0;

/// The width that a line takes where it passes a row.
const LINE: f64 = 16.0;

/// How each category is drawn: its class and colour.
const COLOURS: [(Category, &str); 11] = [
    (Category::FullyConnected, "#7aa6da"),
    (Category::Convolution, "#6fb98f"),
    (Category::Activation, "#e8b04b"),
    (Category::Pooling, "#c98bbd"),
    (Category::Normalisation, "#9aa5b1"),
    (Category::Dropout, "#b9a58c"),
    (Category::Attention, "#dd7f6b"),
    (Category::Recurrent, "#d98c5f"),
    (Category::Embedding, "#b3c55e"),
    (Category::Shape, "#8fc1c9"),
    (Category::Merge, "#a3a1d6"),
];

/// A drawing as a self-contained SVG file, the input on top.
pub fn svg(architecture: &Architecture) -> String {
    let placed = Placement::of(architecture);
    let right = (0..architecture.nodes().len()).map(|at| placed.x[at] + placed.widths[at] / 2.0);
    let right = placed.x.iter().copied().chain(right).fold(0.0, f64::max) + MARGIN;
    let rows = placed.rows.iter().max().copied().unwrap_or(0);
    let mut out = head(right, rows as f64 * ROW + HEIGHT + 2.0 * MARGIN);
    for line in &placed.lines {
        out.push_str(&placed.path(line));
    }
    for (at, node) in architecture.nodes().iter().enumerate() {
        let (width, x, y) = (placed.widths[at], placed.x[at], placed.y(at));
        let _ = writeln!(
            out,
            "<rect class=\"{}\" x=\"{:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{HEIGHT}\"/>\
             <text x=\"{x:.1}\" y=\"{:.1}\">{}</text>\
             <text class=\"s\" x=\"{x:.1}\" y=\"{:.1}\">{}</text>",
            class(node),
            x - width / 2.0,
            y + 16.0,
            escaped(&super::print::label(node)),
            y + 31.0,
            node.shape
        );
    }
    out.push_str("</svg>\n");
    out
}

/// Where nodes stand, and the bends of the lines between them.
struct Placement {
    /// The row of each node, then of each bend.
    rows: Vec<usize>,
    /// The middle of each.
    x: Vec<f64>,
    widths: Vec<f64>,
    /// From a node by bends to a node.
    lines: Vec<Vec<usize>>,
}

impl Placement {
    fn of(architecture: &Architecture) -> Self {
        let nodes = architecture.nodes();
        let (mut rows, mut widths, mut lines) = (Vec::new(), Vec::new(), Vec::new());
        for node in nodes {
            let above = node.inputs.iter().map(|input| rows[input.0] + 1).max();
            rows.push(above.unwrap_or(0));
            let (layer, shape) = (super::print::label(node), node.shape.to_string());
            let letters = layer.chars().count().max(shape.chars().count());
            widths.push(letters as f64 * LETTER + 20.0);
        }
        for (index, node) in nodes.iter().enumerate() {
            for input in &node.inputs {
                let mut line = vec![input.0];
                for row in rows[input.0] + 1..rows[index] {
                    line.push(rows.len());
                    rows.push(row);
                    widths.push(LINE);
                }
                line.push(index);
                lines.push(line);
            }
        }
        let x = columns(&widths, &lines);
        Self {
            rows,
            x,
            widths,
            lines,
        }
    }

    fn y(&self, at: usize) -> f64 {
        self.rows[at] as f64 * ROW + MARGIN
    }

    /// A line that runs straight through rows and bends between them.
    fn path(&self, line: &[usize]) -> String {
        let start = line[0];
        let (mut x, mut y) = (self.x[start], self.y(start) + HEIGHT);
        let mut out = format!("<path d=\"M{x:.1} {y:.1}");
        for (place, &next) in line.iter().enumerate().skip(1) {
            let (to, top) = (self.x[next], self.y(next));
            let half = f64::midpoint(y, top);
            let _ = write!(out, "C{x:.1} {half:.1} {to:.1} {half:.1} {to:.1} {top:.1}");
            (x, y) = (to, top);
            if place + 1 < line.len() {
                y += HEIGHT;
                let _ = write!(out, "V{y:.1}");
            }
        }
        out.push_str("\"/>\n");
        out
    }
}

/// The middle of each vertex. Every line goes from one row to the next, so the library has no rows to
/// choose.
fn columns(widths: &[f64], lines: &[Vec<usize>]) -> Vec<f64> {
    let number = |at: usize| u32::try_from(at).expect("drawings are small");
    let vertices: Vec<(u32, (f64, f64))> = widths
        .iter()
        .enumerate()
        .map(|(at, &width)| (number(at), (width, HEIGHT)))
        .collect();
    let mut edges: Vec<(u32, u32)> = lines
        .iter()
        .flat_map(|line| {
            line.windows(2)
                .map(|pair| (number(pair[0]), number(pair[1])))
        })
        .collect();
    edges.sort_unstable();
    edges.dedup();
    let config = Config {
        vertex_spacing: 14.0,
        dummy_vertices: false,
        ranking_type: RankingType::Up,
        transpose: false,
        ..Config::default()
    };
    let mut x = vec![MARGIN; widths.len()];
    let mut offset = 0.0;
    for (placed, width, _) in rust_sugiyama::from_vertices_and_edges(&vertices, &edges, &config) {
        let placed: BTreeMap<usize, (f64, f64)> = placed.into_iter().collect();
        let left = placed
            .iter()
            .map(|(&at, (middle, _))| middle - widths[at] / 2.0)
            .fold(f64::INFINITY, f64::min);
        for (at, (middle, _)) in placed {
            x[at] = middle - left + MARGIN + offset;
        }
        offset += width + MARGIN;
    }
    x
}

fn head(width: f64, height: f64) -> String {
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
         viewBox=\"0 0 {width:.0} {height:.0}\" font-family=\"ui-monospace, Menlo, Consolas, \
         monospace\" font-size=\"12\" text-anchor=\"middle\">\n<style>\n"
    );
    out.push_str(
        "rect{rx:5px;stroke-width:1.2;fill-opacity:.22;fill:#999;stroke:#999}\n\
         text{fill:#1c1c1c}.s{fill:#666;font-size:10.5px}\n\
         path{fill:none;stroke:#777;stroke-width:1.3;marker-end:url(#a)}\n\
         #a path{fill:#777;stroke:none;marker-end:none}\n",
    );
    for (at, (_, colour)) in COLOURS.iter().enumerate() {
        let _ = writeln!(out, ".c{at}{{fill:{colour};stroke:{colour}}}");
    }
    out.push_str(
        "@media (prefers-color-scheme:dark){text{fill:#eee}.s{fill:#aaa}path{stroke:#999}}\n\
         </style>\n<defs><marker id=\"a\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" \
         markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\"><path d=\"M0 0L8 4L0 8Z\"/>\
         </marker></defs>\n",
    );
    out
}

fn category(node: &Node) -> Option<usize> {
    let category = node.layer()?.kind.describe().category;
    COLOURS.iter().position(|(known, _)| *known == category)
}

fn class(node: &Node) -> String {
    category(node).map_or_else(|| "c".to_owned(), |at| format!("c{at}"))
}

fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;");
    text.replace('<', "&lt;").replace('>', "&gt;")
}

/// A file for Graphviz, the input on top.
pub fn dot(architecture: &Architecture) -> String {
    let mut out = String::from(
        "digraph architecture {\n    node [shape=box, style=\"rounded,filled\", fontname=\"monospace\"];\n",
    );
    for (index, node) in architecture.nodes().iter().enumerate() {
        let label = super::print::label(node).replace('"', "\\\"");
        let colour = category(node).map_or("#dddddd", |at| COLOURS[at].1);
        let _ = writeln!(
            out,
            "    n{index} [label=\"{label}\\n{}\", color=\"{colour}\", fillcolor=\"{colour}40\"];",
            node.shape
        );
        for input in &node.inputs {
            let _ = writeln!(out, "    n{} -> n{index};", input.0);
        }
    }
    out.push_str("}\n");
    out
}
