//! `strata diff`: two networks side by side.

use super::failure::Failure;
use super::table::{Side, Table};
use super::terminal::Terminal;
use super::{chosen, numbers};
use crate::architecture::{Architecture, Metrics};
use serde::Serialize;
use similar::{Algorithm, capture_diff_slices};

/// Arguments of `strata diff`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A network as JSON, a space of one, or SPACE#INDEX
    #[arg(value_name = "A")]
    a: String,
    /// The other network
    #[arg(value_name = "B")]
    b: String,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// One line of the comparison; a side is missing where only the other network has the layer.
#[derive(Serialize)]
struct Line {
    a: Option<String>,
    b: Option<String>,
}

#[derive(Serialize)]
struct Comparison {
    same_network: bool,
    same_function: bool,
    a: Metrics,
    b: Metrics,
    layers: Vec<Line>,
}

/// Prints both networks, layers in common beside each other.
pub fn run(args: &Args, terminal: &mut Terminal) -> Result<(), Failure> {
    let (a, b) = (chosen::network(&args.a)?, chosen::network(&args.b)?);
    let comparison = Comparison {
        same_network: a.canonical() == b.canonical(),
        same_function: a.functional() == b.functional(),
        a: a.metrics(),
        b: b.metrics(),
        layers: lines(&a, &b),
    };
    if args.json {
        return terminal.json(&comparison);
    }
    terminal.data(&table(args, &comparison))?;
    terminal.line(match (comparison.same_network, comparison.same_function) {
        (true, _) => "the same network",
        (false, true) => "different graphs that compute the same functions",
        (false, false) => "different networks",
    })
}

/// The layers of a network, each with its shape and where its inputs come from, as far back as they
/// are written.
fn layers(architecture: &Architecture) -> Vec<String> {
    let nodes = architecture.nodes().iter().enumerate();
    let line = |(index, node): (usize, &crate::architecture::Node)| {
        let layer = node
            .layer()
            .map_or_else(|| "input".to_owned(), ToString::to_string);
        let back: Vec<String> = node
            .inputs
            .iter()
            .map(|input| format!("-{}", index - input.0))
            .collect();
        match back.as_slice() {
            [] => format!("{layer}  {}", node.shape),
            [only] if only == "-1" => format!("{layer}  {}", node.shape),
            _ => format!("{layer} of {}  {}", back.join(" "), node.shape),
        }
    };
    nodes.map(line).collect()
}

fn lines(a: &Architecture, b: &Architecture) -> Vec<Line> {
    let (a, b) = (layers(a), layers(b));
    let mut lines = Vec::new();
    for operation in capture_diff_slices(Algorithm::Myers, &a, &b) {
        let (left, right) = (&a[operation.old_range()], &b[operation.new_range()]);
        // A changed stretch is shown row beside row.
        lines.extend((0..left.len().max(right.len())).map(|row| Line {
            a: left.get(row).cloned(),
            b: right.get(row).cloned(),
        }));
    }
    lines
}

fn table(args: &Args, comparison: &Comparison) -> String {
    let mut table = Table::new(&[
        (&args.a, Side::Left),
        ("", Side::Left),
        (&args.b, Side::Left),
    ]);
    for line in &comparison.layers {
        let mark = match (&line.a, &line.b) {
            (Some(a), Some(b)) if a == b => "",
            (Some(_), Some(_)) => "|",
            (Some(_), None) => "<",
            _ => ">",
        };
        let side = |side: &Option<String>| side.clone().unwrap_or_default();
        table.row([side(&line.a), mark.to_owned(), side(&line.b)]);
    }
    for (name, cost) in COSTS {
        let (a, b) = (cost(&comparison.a), cost(&comparison.b));
        let mark = if a == b { "" } else { "|" };
        let cell = |cost: u64| format!("{} {name}", numbers::grouped(cost));
        table.row([cell(a), mark.to_owned(), cell(b)]);
    }
    table.render()
}

type Cost = fn(&Metrics) -> u64;

const COSTS: [(&str, Cost); 6] = [
    ("params", |metrics| metrics.params),
    ("MACs", |metrics| metrics.macs),
    ("bytes of activations", |metrics| metrics.activation_bytes),
    ("layers", |metrics| metrics.layers),
    ("deep", |metrics| metrics.depth),
    ("of the input seen by a value", |metrics| {
        metrics.receptive_field
    }),
];
