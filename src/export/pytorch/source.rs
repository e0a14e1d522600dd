//! The text of the Python file.

use super::blocks::{Class, Plan};
use super::modules::Source;
use super::scope::{Fragment, Graph, Scope};
use crate::architecture::{Architecture, Output};
use crate::layers::Shape;
use std::fmt::Write;

/// The classes that PyTorch does not have, each written out where a network uses it.
const LAYERS: &str = include_str!("layers.py");

/// A tensor's name in the module, its layer's address, and what of it.
type Tensors = Vec<(String, String, Source)>;

/// The file, and the tensors of the module that it defines.
pub(super) fn write(
    architecture: &Architecture,
    graph: &Graph,
    plan: &Plan,
    name: &str,
) -> (String, Tensors) {
    let scope = Scope::of(graph, plan, &plan.units, 0, graph.last);
    let network = class_name(name);
    let attributes: String = scope.attributes.iter().map(text_of).collect();
    let mut classes: Vec<String> = plan.classes.iter().map(block).collect();
    let doc = format!(
        "{}, to {}.",
        batch_of(architecture.input()),
        outputs(architecture.output())
    );
    classes.push(class(&network, &doc, &[], &attributes, &scope.forward));
    let body = classes.join("\n\n\n");
    let helpers = helpers(&body);
    let code = format!("{helpers}{body}");
    (
        format!("{}{code}\n\n\n{}", head(&code, &network), foot(&network)),
        scope.tensors,
    )
}

fn head(code: &str, network: &str) -> String {
    let mut head = format!(
        "\"\"\"{network}, a network found by strata. The weights lie beside this file, under its name.\n\n    \
         model = load()\n    outputs = model(inputs)\n\"\"\"\nfrom pathlib import Path\n\n"
    );
    if code.contains("torch.") {
        head.push_str("import torch\n");
    }
    if code.contains("F.") {
        head.push_str("import torch.nn.functional as F\n");
    }
    head.push_str("from safetensors.torch import load_file\nfrom torch import nn\n\n\n");
    head
}

fn foot(network: &str) -> String {
    format!(
        "def load(path=Path(__file__).with_suffix(\".safetensors\")):\n    \
         \"\"\"The network with its weights, ready for inference.\"\"\"\n    \
         model = {network}()\n    model.load_state_dict(load_file(path))\n    return model.eval()\n"
    )
}

fn block(class_of: &Class) -> String {
    let doc = "A stretch of layers that the network repeats.";
    class(
        &class_of.name,
        doc,
        &class_of.parameters,
        &class_of.attributes,
        &class_of.forward,
    )
}

fn class(
    name: &str,
    doc: &str,
    parameters: &[String],
    attributes: &str,
    forward: &[String],
) -> String {
    let mut text = format!("class {name}(nn.Module):\n    \"\"\"{doc}\"\"\"\n\n");
    if !attributes.is_empty() {
        let parameters: String = parameters.iter().map(|name| format!(", {name}")).collect();
        let _ = writeln!(
            text,
            "    def __init__(self{parameters}):\n        super().__init__()"
        );
        let _ = writeln!(text, "{attributes}");
    }
    let _ = write!(
        text,
        "    def forward(self, x):\n        {}",
        forward.join("\n        ")
    );
    text
}

fn text_of(fragment: &Fragment) -> &str {
    match fragment {
        Fragment::Text(text) => text,
        Fragment::Argument { value, .. } => value,
    }
}

/// The definitions that `body` uses, and those that they use.
fn helpers(body: &str) -> String {
    let definitions: Vec<&str> = LAYERS.trim().split("\n\n\n").collect();
    let mut used = vec![false; definitions.len()];
    // A definition only uses those before it.
    for index in (0..definitions.len()).rev() {
        let call = format!("{}(", defined(definitions[index]));
        let later = definitions.iter().zip(&used).skip(index + 1);
        let by_helper = later
            .filter(|(_, used)| **used)
            .any(|(text, _)| calls(text, &call));
        used[index] = by_helper || calls(body, &call);
    }
    let kept = definitions.iter().zip(&used).filter(|(_, used)| **used);
    kept.map(|(text, _)| format!("{text}\n\n\n")).collect()
}

fn defined(definition: &str) -> &str {
    let after = definition.split_once(' ').map_or("", |(_, rest)| rest);
    after.split(['(', ':']).next().unwrap_or(after)
}

/// Whether the name stands there by itself.
fn calls(text: &str, call: &str) -> bool {
    let alone = |(at, _): (usize, &str)| {
        let before = text[..at].chars().next_back();
        !before.is_some_and(|letter| letter.is_alphanumeric() || "._".contains(letter))
    };
    text.match_indices(call).any(alone)
}

/// `digits_cnn` as `DigitsCnn`, and never the name of another class of the file.
fn class_name(name: &str) -> String {
    let words = name.split(|letter: char| !letter.is_ascii_alphanumeric());
    let capital = |word: &str| {
        let mut letters = word.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    };
    let camel: String = words.map(capital).collect();
    let taken = camel.starts_with("Block") || LAYERS.contains(&format!("class {camel}("));
    let fits = camel.starts_with(|letter: char| letter.is_ascii_alphabetic());
    match (fits, taken || ["Path", "F"].contains(&camel.as_str())) {
        (false, _) => format!("Network{camel}"),
        (true, true) => format!("{camel}Network"),
        (true, false) => camel,
    }
}

fn batch_of(shape: Shape) -> String {
    match shape {
        Shape::Tokens { length, vocabulary } => {
            format!("From batches of {length} whole numbers below {vocabulary}")
        }
        Shape::Vector { features } => format!("From batches of {features} numbers"),
        other => format!("From batches of {other} ({})", other.kind()),
    }
}

fn outputs(output: Output) -> String {
    match output {
        Output::Classes(count) => format!("logits of {count} classes"),
        Output::Binary => "the logit of the second class".to_owned(),
        Output::Labels(count) => format!("logits of {count} labels"),
        Output::Regression(count) => format!("{count} numbers"),
    }
}
