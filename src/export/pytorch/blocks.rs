//! What the space repeated, as classes: iterations of a `repeat` that are alike but for their sizes
//! become one class with the sizes as parameters.

use super::scope::{Fragment, Graph, Scope, Unit};
use std::collections::BTreeMap;

/// The blocks of a network and their classes.
#[derive(Default)]
pub(super) struct Plan {
    pub blocks: Vec<Block>,
    pub classes: Vec<Class>,
    /// The network itself in layers and blocks.
    pub units: Vec<Unit>,
    /// How many of the network's units and blocks read a node.
    readers: BTreeMap<usize, usize>,
}

/// One iteration.
pub(super) struct Block {
    pub input: usize,
    pub output: usize,
    pub scope: Scope,
    /// Which class, and with which arguments.
    class: usize,
    arguments: Vec<String>,
}

/// Iterations that are alike.
pub(super) struct Class {
    pub name: String,
    pub parameters: Vec<String>,
    /// The attributes' text, parameters in place.
    pub attributes: String,
    pub forward: Vec<String>,
}

impl Plan {
    /// Finds the blocks of a network.
    pub fn of(graph: &Graph) -> Self {
        let mut plan = Self::default();
        let mut start = 0;
        while start < graph.nodes.len() {
            let end = stretch(graph, start);
            let (inputs, outputs) = ends(graph, start..end);
            let (&[input], &[output], true) = (&inputs[..], &outputs[..], end - start > 1) else {
                plan.units.extend((start..end).map(Unit::Layer));
                start = end;
                continue;
            };
            let units: Vec<Unit> = (start..end).map(Unit::Layer).collect();
            let scope = Scope::of(graph, &Self::default(), &units, input, output);
            plan.units.push(Unit::Block(plan.blocks.len()));
            plan.blocks.push(Block {
                input,
                output,
                scope,
                class: 0,
                arguments: Vec::new(),
            });
            start = end;
        }
        plan.count_readers(graph);
        plan.classify();
        plan
    }

    /// How many units read a node's output.
    pub fn readers(&self, graph: &Graph, id: usize) -> usize {
        if self.units.is_empty() {
            return graph.readers(id).len();
        }
        self.readers.get(&id).copied().unwrap_or(0)
    }

    /// The call that makes a block.
    pub fn call(&self, number: usize) -> String {
        let block = &self.blocks[number];
        let name = &self.classes[block.class].name;
        format!("{name}({})", block.arguments.join(", "))
    }

    fn count_readers(&mut self, graph: &Graph) {
        for unit in &self.units {
            let inputs = match unit {
                Unit::Layer(place) => graph.nodes[*place].inputs.clone(),
                Unit::Block(number) => vec![self.blocks[*number].input],
            };
            for input in inputs {
                *self.readers.entry(input).or_default() += 1;
            }
        }
    }

    fn classify(&mut self) {
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for number in 0..self.blocks.len() {
            let alike = |group: &&mut Vec<usize>| {
                is_alike(&self.blocks[group[0]].scope, &self.blocks[number].scope)
            };
            match groups.iter_mut().find(alike) {
                Some(group) => group.push(number),
                None => groups.push(vec![number]),
            }
        }
        let several = groups.len() > 1;
        for (index, group) in groups.iter().enumerate() {
            let name = if several {
                format!("Block{}", index + 1)
            } else {
                "Block".to_owned()
            };
            self.make_class(name, group);
        }
    }

    fn make_class(&mut self, name: String, group: &[usize]) {
        let scopes: Vec<&Scope> = group
            .iter()
            .map(|&number| &self.blocks[number].scope)
            .collect();
        let mut parameters: Vec<(String, Vec<String>)> = Vec::new();
        let mut attributes = String::new();
        for (place, fragment) in scopes[0].attributes.iter().enumerate() {
            match fragment {
                Fragment::Text(text) => attributes.push_str(text),
                Fragment::Argument { name, value } => {
                    let values: Vec<String> =
                        scopes.iter().map(|scope| value_at(scope, place)).collect();
                    if values.iter().all(|other| other == value) {
                        attributes.push_str(value);
                    } else {
                        attributes.push_str(&parameter(&mut parameters, name, values));
                    }
                }
            }
        }
        let forward = scopes[0].forward.clone();
        for (at, &number) in group.iter().enumerate() {
            self.blocks[number].class = self.classes.len();
            self.blocks[number].arguments = parameters
                .iter()
                .map(|(_, values)| values[at].clone())
                .collect();
        }
        self.classes.push(Class {
            name,
            parameters: parameters.into_iter().map(|(name, _)| name).collect(),
            attributes,
            forward,
        });
    }
}

/// The parameter that has these values, an old one or a new one.
fn parameter(
    parameters: &mut Vec<(String, Vec<String>)>,
    name: &str,
    values: Vec<String>,
) -> String {
    if let Some((known, _)) = parameters.iter().find(|(_, others)| *others == values) {
        return known.clone();
    }
    let is_free = |name: &String| parameters.iter().all(|(other, _)| other != name);
    let mut names = std::iter::once(name.to_owned()).chain((2..).map(|n| format!("{name}_{n}")));
    let name = names.find(is_free).expect("there are names without end");
    parameters.push((name.clone(), values));
    name
}

fn value_at(scope: &Scope, place: usize) -> String {
    match &scope.attributes[place] {
        Fragment::Argument { value, .. } => value.clone(),
        Fragment::Text(text) => text.clone(),
    }
}

/// Equal but for whole numbers.
fn is_alike(one: &Scope, other: &Scope) -> bool {
    let is_whole = |text: &str| text.parse::<u64>().is_ok();
    let mut pairs = one.attributes.iter().zip(&other.attributes);
    let fits = |(one, other): (&Fragment, &Fragment)| match (one, other) {
        (
            Fragment::Argument { name, value },
            Fragment::Argument {
                name: named,
                value: valued,
            },
        ) => name == named && (value == valued || is_whole(value) && is_whole(valued)),
        _ => one == other,
    };
    one.attributes.len() == other.attributes.len()
        && one.forward == other.forward
        && pairs.all(fits)
}

/// The end of the stretch of nodes that belong to one iteration with the node at `start`.
fn stretch(graph: &Graph, start: usize) -> usize {
    let Some(iteration) = iteration(&graph.nodes[start].address) else {
        return start + 1;
    };
    let rest = graph.nodes[start..].iter();
    start
        + rest
            .take_while(|node| self::iteration(&node.address) == Some(iteration))
            .count()
}

/// The address up to its last `repeat[…]`.
fn iteration(address: &str) -> Option<&str> {
    let from = address.rfind("repeat[")?;
    let length = address[from..].find(']')?;
    Some(&address[..from + length + 1])
}

/// What a stretch reads from outside, and what of it is read outside.
fn ends(graph: &Graph, range: std::ops::Range<usize>) -> (Vec<usize>, Vec<usize>) {
    let inside = &graph.nodes[range.clone()];
    let is_inside = |id: usize| inside.iter().any(|node| node.id == id);
    let mut inputs: Vec<usize> = inside.iter().flat_map(|node| node.inputs.clone()).collect();
    inputs.retain(|&id| !is_inside(id));
    inputs.sort_unstable();
    inputs.dedup();
    let is_read = |id: usize| {
        id == graph.last || graph.readers(id).iter().any(|place| !range.contains(place))
    };
    let outputs = inside.iter().map(|node| node.id).filter(|&id| is_read(id));
    (inputs, outputs.collect())
}
