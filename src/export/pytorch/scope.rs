//! The body of one module: which attributes it has, and how its forward pass uses them.

use super::super::ExportError;
use super::super::site::Site;
use super::blocks::Plan;
use super::modules::{Call, Piece, Source, piece};
use crate::architecture::Architecture;
use std::collections::BTreeMap;

/// A network with its layers as PyTorch has them. What does nothing is left out.
pub(super) struct Graph {
    pub nodes: Vec<Node>,
    /// The node that the network's output comes from; 0 is the input.
    pub last: usize,
}

/// A layer in PyTorch.
pub(super) struct Node {
    /// Its number in the architecture.
    pub id: usize,
    pub inputs: Vec<usize>,
    pub piece: Piece,
    pub address: String,
}

impl Graph {
    /// # Errors
    /// When a layer has no counterpart.
    pub fn of(architecture: &Architecture) -> Result<Self, ExportError> {
        let mut stands_for: Vec<usize> = (0..architecture.nodes().len()).collect();
        let mut nodes = Vec::new();
        for (id, node, site) in Site::all(architecture) {
            let piece = piece(&site).ok_or_else(|| site.unsupported("PyTorch", ""))?;
            let inputs: Vec<usize> = node
                .inputs
                .iter()
                .map(|input| stands_for[input.0])
                .collect();
            if piece == Piece::Expression("{0}".to_owned()) {
                stands_for[id] = inputs[0];
                continue;
            }
            let address = node.address.to_string();
            nodes.push(Node {
                id,
                inputs,
                piece,
                address,
            });
        }
        let last = stands_for[architecture.nodes().len() - 1];
        Ok(Self { nodes, last })
    }

    /// The nodes that read `id`, by their places in `nodes`.
    pub fn readers(&self, id: usize) -> Vec<usize> {
        let reads = |place: &usize| self.nodes[*place].inputs.contains(&id);
        (0..self.nodes.len()).filter(reads).collect()
    }
}

/// A stretch of nodes that one line of a forward pass stands for.
#[derive(Clone, Debug)]
pub(super) enum Unit {
    /// A layer, by its place.
    Layer(usize),
    /// A block, by its number in the plan.
    Block(usize),
}

/// Text with the arguments that may become parameters of a class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fragment {
    Text(String),
    Argument { name: &'static str, value: String },
}

/// The body of a module's class.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    pub attributes: Vec<Fragment>,
    pub forward: Vec<String>,
    /// Name within the module, the layer's address, and what of it.
    pub tensors: Vec<(String, String, Source)>,
}

/// A line of a forward pass before it has its names.
struct Statement {
    inputs: Vec<usize>,
    output: usize,
    what: What,
}

enum What {
    /// Units one after the other, each with one input.
    Chain(Vec<Unit>),
    /// A module with several inputs.
    Many(usize),
    Expression(String),
}

impl Scope {
    /// The body that computes `last` from `input` by `units`.
    pub fn of(graph: &Graph, plan: &Plan, units: &[Unit], input: usize, last: usize) -> Self {
        let statements = statements(graph, plan, units, last);
        let names = attribute_names(graph, &statements);
        let mut scope = Self::default();
        let mut variables = Variables::new(input);
        for (at, statement) in statements.iter().enumerate() {
            let later = &statements[at + 1..];
            let is_read = |id: usize| id == last || later.iter().any(|s| s.inputs.contains(&id));
            let arguments: Vec<String> = statement
                .inputs
                .iter()
                .map(|&id| variables.of(id))
                .collect();
            variables.forget(is_read);
            let target = variables.name(statement.output);
            let value = match &statement.what {
                What::Expression(template) => fill(template, &arguments),
                _ => format!("self.{}({})", names[at], arguments.join(", ")),
            };
            scope.forward.push(format!("{target} = {value}"));
            scope.declare(graph, plan, &statement.what, &names[at]);
        }
        scope.forward.push(format!("return {}", variables.of(last)));
        scope
    }

    fn declare(&mut self, graph: &Graph, plan: &Plan, what: &What, name: &str) {
        let elements = match what {
            What::Expression(_) => return,
            What::Many(place) => elements(graph, plan, &[Unit::Layer(*place)]),
            What::Chain(units) => elements(graph, plan, units),
        };
        self.text(&format!("        self.{name} = "));
        if let [only] = &elements[..] {
            self.element(only, name);
            self.text("\n");
            return;
        }
        self.text("nn.Sequential(\n");
        let mut at = 0;
        while at < elements.len() {
            let same = elements[at..]
                .iter()
                .take_while(|other| other.is_like(&elements[at]));
            // A repeated activation is clearer written twice; a repeated block is a loop.
            let count = if elements[at].is_block {
                same.count()
            } else {
                1
            };
            self.text(if count > 1 {
                "            *("
            } else {
                "            "
            });
            self.fragments(&elements[at].fragments);
            self.text(&if count > 1 {
                format!(" for _ in range({count})),\n")
            } else {
                ",\n".to_owned()
            });
            for (offset, element) in elements[at..at + count].iter().enumerate() {
                self.own(element, &format!("{name}.{}", at + offset));
            }
            at += count;
        }
        self.text("        )\n");
    }

    fn element(&mut self, element: &Element, name: &str) {
        self.fragments(&element.fragments);
        self.own(element, name);
    }

    fn own(&mut self, element: &Element, prefix: &str) {
        for (torch, address, source) in &element.tensors {
            let full = format!("{prefix}.{torch}");
            self.tensors.push((full, address.clone(), source.clone()));
        }
    }

    fn text(&mut self, text: &str) {
        if let Some(Fragment::Text(last)) = self.attributes.last_mut() {
            last.push_str(text);
        } else {
            self.attributes.push(Fragment::Text(text.to_owned()));
        }
    }

    fn fragments(&mut self, fragments: &[Fragment]) {
        for fragment in fragments {
            match fragment {
                Fragment::Text(text) => self.text(text),
                argument @ Fragment::Argument { .. } => self.attributes.push(argument.clone()),
            }
        }
    }
}

/// One module of a sequence.
struct Element {
    is_block: bool,
    fragments: Vec<Fragment>,
    tensors: Vec<(String, String, Source)>,
}

impl Element {
    fn is_like(&self, other: &Self) -> bool {
        self.is_block == other.is_block && self.fragments == other.fragments
    }

    fn of_call(call: &Call, address: &str) -> Self {
        let mut fragments = vec![Fragment::Text(format!("{}(", call.class))];
        for (index, argument) in call.arguments.iter().enumerate() {
            let comma = if index > 0 { ", " } else { "" };
            let keyword = if argument.keyword {
                format!("{}=", argument.name)
            } else {
                String::new()
            };
            fragments.push(Fragment::Text(format!("{comma}{keyword}")));
            fragments.push(Fragment::Argument {
                name: argument.name,
                value: argument.value.clone(),
            });
        }
        fragments.push(Fragment::Text(")".to_owned()));
        let tensor = |source: &Source| (source.torch.clone(), address.to_owned(), source.clone());
        Self {
            is_block: false,
            fragments,
            tensors: call.tensors.iter().map(tensor).collect(),
        }
    }
}

fn elements(graph: &Graph, plan: &Plan, units: &[Unit]) -> Vec<Element> {
    let mut elements = Vec::new();
    for unit in units {
        match unit {
            Unit::Layer(place) => {
                let node = &graph.nodes[*place];
                if let Piece::Modules(calls) = &node.piece {
                    elements.extend(
                        calls
                            .iter()
                            .map(|call| Element::of_call(call, &node.address)),
                    );
                }
            }
            Unit::Block(number) => elements.push(Element {
                is_block: true,
                fragments: vec![Fragment::Text(plan.call(*number))],
                tensors: plan.blocks[*number].scope.tensors.clone(),
            }),
        }
    }
    elements
}

fn statements(graph: &Graph, plan: &Plan, units: &[Unit], last: usize) -> Vec<Statement> {
    let mut statements: Vec<Statement> = Vec::new();
    for unit in units {
        let (inputs, output, what) = match unit {
            Unit::Block(number) => {
                let block = &plan.blocks[*number];
                (
                    vec![block.input],
                    block.output,
                    What::Chain(vec![unit.clone()]),
                )
            }
            Unit::Layer(place) => {
                let node = &graph.nodes[*place];
                let what = match &node.piece {
                    Piece::Expression(template) => What::Expression(template.clone()),
                    Piece::Modules(_) if node.inputs.len() > 1 => What::Many(*place),
                    Piece::Modules(_) => What::Chain(vec![unit.clone()]),
                };
                (node.inputs.clone(), node.id, what)
            }
        };
        let follows = statements.last_mut().filter(|before| {
            before.output != last
                && inputs == [before.output]
                && plan.readers(graph, before.output) == 1
        });
        match (follows, what) {
            (
                Some(Statement {
                    what: What::Chain(chain),
                    output: end,
                    ..
                }),
                What::Chain(more),
            ) => {
                chain.extend(more);
                *end = output;
            }
            (_, what) => statements.push(Statement {
                inputs,
                output,
                what,
            }),
        }
    }
    statements
}

/// A name for each statement's module: what it is, numbered where there are several.
fn attribute_names(graph: &Graph, statements: &[Statement]) -> Vec<String> {
    let words: Vec<String> = statements
        .iter()
        .map(|statement| word(graph, statement))
        .collect();
    let mut seen = BTreeMap::<&str, usize>::new();
    let mut names = Vec::new();
    for word in &words {
        let count = seen.entry(word).or_default();
        *count += 1;
        let alone = words.iter().filter(|other| *other == word).count() == 1;
        names.push(if alone {
            word.clone()
        } else {
            format!("{word}{count}")
        });
    }
    names
}

fn word(graph: &Graph, statement: &Statement) -> String {
    let class_of = |place: usize| match &graph.nodes[place].piece {
        Piece::Modules(calls) if calls.len() == 1 => snake(&calls[0].class),
        _ => "layers".to_owned(),
    };
    match &statement.what {
        What::Expression(_) => String::new(),
        What::Many(place) => class_of(*place),
        What::Chain(units) => match units[..] {
            [Unit::Layer(place)] => class_of(place),
            [Unit::Block(_)] => "block".to_owned(),
            _ if units.iter().any(|unit| matches!(unit, Unit::Block(_))) => "blocks".to_owned(),
            _ => "layers".to_owned(),
        },
    }
}

/// `nn.Conv2d` as `conv`, `SelfAttention` as `self_attention`.
fn snake(class: &str) -> String {
    if let Some(class) = class.strip_prefix("nn.") {
        let ranked = ["1d", "2d", "3d"]
            .into_iter()
            .find_map(|rank| class.strip_suffix(rank));
        return ranked.unwrap_or(class).to_lowercase();
    }
    let mut word = String::new();
    let mut before_was_small = false;
    for letter in class.chars() {
        if letter.is_ascii_uppercase() && before_was_small {
            word.push('_');
        }
        before_was_small = letter.is_ascii_lowercase();
        word.push(letter.to_ascii_lowercase());
    }
    word
}

fn fill(template: &str, arguments: &[String]) -> String {
    let mut text = template.to_owned();
    for (place, argument) in arguments.iter().enumerate() {
        text = text.replace(&format!("{{{place}}}"), argument);
    }
    text
}

/// Which name holds which node's output.
struct Variables(Vec<(String, usize)>);

impl Variables {
    fn new(input: usize) -> Self {
        Self(vec![("x".to_owned(), input)])
    }

    fn of(&self, id: usize) -> String {
        let found = self.0.iter().find(|(_, held)| *held == id);
        found.expect("a value is kept until its last use").0.clone()
    }

    fn forget(&mut self, is_read: impl Fn(usize) -> bool) {
        self.0.retain(|(_, id)| is_read(*id));
    }

    fn name(&mut self, id: usize) -> String {
        let short = ["x", "y", "z", "u", "v", "w"]
            .map(str::to_owned)
            .into_iter();
        let mut names = short.chain((1..).map(|number| format!("h{number}")));
        let taken = |name: &String| self.0.iter().any(|(held, _)| held == name);
        let name = names
            .find(|name| !taken(name))
            .expect("there are names without end");
        self.0.push((name.clone(), id));
        name
    }
}
