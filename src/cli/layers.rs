//! `strata layers`: the catalogue, as a table, a page or JSON.

use super::failure::Failure;
use super::table::{Side, Table};
use super::terminal::Terminal;
use crate::diagnostics::closest_name;
use crate::layers::{
    self, Argument, Arity, CATALOGUE, Counterpart, Default, Description, TORCH_CLASSES,
};
use serde_json::json;
use std::fmt::Write;

/// Arguments of `strata layers`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// One layer in full; without it, all in a table
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// As JSON
    #[arg(long, conflicts_with = "markdown")]
    json: bool,
    /// As a page of documentation
    #[arg(long)]
    markdown: bool,
}

/// Prints the catalogue or one entry of it.
pub fn run(args: &Args, terminal: &mut Terminal) -> Result<(), Failure> {
    let chosen = match &args.name {
        Some(name) => vec![find(name)?],
        None => by_category(),
    };
    if args.json {
        let entries: Vec<_> = chosen.into_iter().map(to_json).collect();
        return terminal.json(&entries);
    }
    if args.markdown {
        return terminal.data(&page(&chosen));
    }
    match args.name {
        Some(_) => terminal.data(&in_full(chosen[0])),
        None => terminal.data(&overview(&chosen)),
    }
}

/// The whole catalogue, the layers of a category together.
fn by_category() -> Vec<&'static Description> {
    let mut all: Vec<_> = CATALOGUE.iter().map(|kind| kind.describe()).collect();
    all.sort_by_key(|layer| layer.category);
    all
}

fn find(name: &str) -> Result<&'static Description, Failure> {
    if let Some(kind) = layers::find(name) {
        return Ok(kind.describe());
    }
    let known = CATALOGUE.iter().map(|kind| kind.describe().name);
    let hint = match closest_name(name, known) {
        Some(closest) => format!("did you mean `{closest}`?"),
        None => "`strata layers` lists them all".to_owned(),
    };
    Err(Failure::Input(format!(
        "no layer is called `{name}`; {hint}"
    )))
}

fn overview(chosen: &[&Description]) -> String {
    let mut table = Table::new(&[
        ("layer", Side::Left),
        ("category", Side::Left),
        ("", Side::Left),
    ]);
    for layer in chosen {
        let category = layer.category.name().to_owned();
        table.row([layer.name.to_owned(), category, layer.summary.to_owned()]);
    }
    table.render()
}

/// The call with every argument: `conv2d(out, kernel, stride: 1)`.
fn signature(layer: &Description) -> String {
    let arguments: Vec<String> = layer
        .arguments
        .iter()
        .map(|argument| match default(argument) {
            None => argument.name.to_owned(),
            Some(value) => format!("{}: {value}", argument.name),
        })
        .collect();
    if arguments.is_empty() {
        return layer.name.to_owned();
    }
    format!("{}({})", layer.name, arguments.join(", "))
}

fn default(argument: &Argument) -> Option<String> {
    match argument.default {
        Default::Required => None,
        Default::Value(value) => Some(value.to_string()),
        Default::SameAs(other) => Some(other.to_owned()),
    }
}

fn in_full(layer: &Description) -> String {
    let mut out = format!("{}\n    {}\n", signature(layer), layer.summary);
    let inputs = inputs(layer);
    let facts = [
        ("category", layer.category.name()),
        ("takes", inputs.as_str()),
        ("in training", noise(layer)),
        ("pytorch", layer.torch),
        ("equation", layer.equation),
        ("source", layer.source),
    ];
    for (name, fact) in facts.into_iter().filter(|(_, fact)| !fact.is_empty()) {
        let _ = writeln!(out, "    {name}: {fact}");
    }
    if !layer.arguments.is_empty() {
        let columns = [
            ("argument", Side::Left),
            ("takes", Side::Left),
            ("default", Side::Left),
        ];
        let mut table = Table::new(&[columns[0], columns[1], columns[2], ("", Side::Left)]);
        for argument in layer.arguments {
            let default = default(argument).unwrap_or_else(|| "required".to_owned());
            let cells = [
                argument.name,
                &argument.ty.to_string(),
                &default,
                argument.doc,
            ];
            table.row(cells.map(str::to_owned));
        }
        let _ = write!(out, "\n{}", table.render());
    }
    out
}

/// What it takes, in words: `an image`, `two vectors or two sequences`.
fn inputs(layer: &Description) -> String {
    let each: Vec<String> = layer
        .accepts
        .iter()
        .map(|kind| counted(layer.arity, kind))
        .collect();
    match each.as_slice() {
        [some @ .., last] if !some.is_empty() => format!("{} or {last}", some.join(", ")),
        _ => each.join(""),
    }
}

fn counted(arity: Arity, kind: &str) -> String {
    let plural = if kind == "tokens" {
        kind.to_owned()
    } else {
        format!("{kind}s")
    };
    match arity {
        Arity::One if kind == "tokens" => plural,
        Arity::One if kind.starts_with("im") => format!("an {kind}"),
        Arity::One => format!("a {kind}"),
        Arity::Two => format!("two {plural}"),
        Arity::Many => format!("several {plural}"),
    }
}

fn noise(layer: &Description) -> &'static str {
    if layer.stochastic {
        "draws from the trial's own stream"
    } else {
        ""
    }
}

/// A page of documentation: a section a category, an entry a layer.
fn page(chosen: &[&Description]) -> String {
    let mut out = String::from("# Layers\n\n");
    out.push_str("Made by `strata layers --markdown` from the catalogue; don't edit it by hand.\n");
    let mut category = None;
    for layer in chosen {
        if category != Some(layer.category) {
            category = Some(layer.category);
            let _ = write!(out, "\n## {}\n", capital(layer.category.name()));
        }
        entry(layer, &mut out);
    }
    torch_classes(&mut out);
    out
}

/// Every layer class of `torch.nn`, with what stands for it here.
fn torch_classes(out: &mut String) {
    out.push_str("\n## Where the classes of `torch.nn` are\n\n");
    out.push_str("Every class that PyTorch counts as a module, and what stands for it here, or why nothing does.\n");
    out.push_str("\n| `torch.nn` | here |\n| --- | --- |\n");
    for class in TORCH_CLASSES {
        let here = match class.counterpart {
            Counterpart::Kinds(names) => {
                let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
                names.join(", ")
            }
            Counterpart::Absent(why) => format!("— {why}"),
        };
        let _ = writeln!(out, "| `{}` | {here} |", class.name);
    }
}

fn entry(layer: &Description, out: &mut String) {
    let _ = write!(
        out,
        "\n### `{}`\n\n{}.\n\n",
        signature(layer),
        capital(layer.summary)
    );
    if !layer.equation.is_empty() {
        let _ = write!(out, "```text\n{}\n```\n\n", layer.equation);
    }
    let _ = write!(out, "Takes {}. ", inputs(layer));
    if layer.stochastic {
        out.push_str("Draws from the trial's own stream in training. ");
    }
    let _ = write!(out, "PyTorch: `{}`.", layer.torch);
    if !layer.source.is_empty() {
        let _ = write!(out, " Source: {}.", layer.source.trim_end_matches('.'));
    }
    out.push('\n');
    if layer.arguments.is_empty() {
        return;
    }
    out.push_str("\n| argument | takes | default | meaning |\n| --- | --- | --- | --- |\n");
    for argument in layer.arguments {
        let default = default(argument).map_or("required".to_owned(), |value| format!("`{value}`"));
        let (name, ty, doc) = (argument.name, argument.ty, argument.doc);
        let _ = writeln!(out, "| `{name}` | {ty} | {default} | {doc} |");
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

fn to_json(layer: &Description) -> serde_json::Value {
    let arguments: Vec<serde_json::Value> = layer
        .arguments
        .iter()
        .map(|argument| {
            json!({
                "name": argument.name,
                "takes": argument.ty.to_string(),
                "default": default(argument),
                "meaning": argument.doc,
            })
        })
        .collect();
    json!({
        "name": layer.name,
        "category": layer.category.name(),
        "takes": layer.accepts,
        "inputs": match layer.arity {
            Arity::One => "one",
            Arity::Two => "two",
            Arity::Many => "several",
        },
        "stochastic": layer.stochastic,
        "torch": layer.torch,
        "summary": layer.summary,
        "equation": layer.equation,
        "source": layer.source,
        "arguments": arguments,
    })
}
