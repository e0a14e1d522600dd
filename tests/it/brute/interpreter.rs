//! Every sequence of choices, one after the other.

use super::tree::{Cell, Condition, Number, Space, Statement, Wiring};
use std::collections::BTreeMap;
use strata::layers::{Layer, Shape, Value, find};

/// What became of all the sequences of choices.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    pub valid: usize,
    /// Shapes did not fit.
    pub misfits: usize,
    /// Shapes fit, and a condition was not met.
    pub refused: usize,
}

enum Failed {
    Shape,
}

/// Runs the space for every sequence of choices; nothing if there are more than `most`.
pub fn tally(space: &Space, most: usize) -> Option<Tally> {
    let mut tally = Tally::default();
    let mut script: Vec<usize> = Vec::new();
    for _ in 0..most {
        let mut run = Run::new(space, script);
        match run.network() {
            Err(Failed::Shape) => tally.misfits += 1,
            Ok(last) if run.meets(last) => tally.valid += 1,
            Ok(_) => tally.refused += 1,
        }
        let (mut taken, sizes) = (run.script, run.sizes);
        taken.truncate(run.position);
        // The next sequence: the last choice that has another option takes it.
        loop {
            match taken.pop() {
                None => return Some(tally),
                Some(option) if option + 1 < sizes[taken.len()] => {
                    taken.push(option + 1);
                    break;
                }
                Some(_) => {}
            }
        }
        script = taken;
    }
    None
}

type Tensor = usize;

struct Node {
    layer: Option<Layer>,
    inputs: Vec<Tensor>,
    shape: Shape,
}

struct Run<'a> {
    space: &'a Space,
    script: Vec<usize>,
    sizes: Vec<usize>,
    position: usize,
    decided: BTreeMap<Vec<usize>, usize>,
    path: Vec<usize>,
    nodes: Vec<Node>,
    lets: Vec<usize>,
    parameter: usize,
    copy: usize,
    depth: usize,
}

impl<'a> Run<'a> {
    fn new(space: &'a Space, script: Vec<usize>) -> Self {
        let shape = Shape::Image {
            channels: 2,
            height: 8,
            width: 8,
        };
        let input = Node {
            layer: None,
            inputs: Vec::new(),
            shape,
        };
        Self {
            space,
            script,
            sizes: Vec::new(),
            position: 0,
            decided: BTreeMap::new(),
            path: Vec::new(),
            nodes: vec![input],
            lets: Vec::new(),
            parameter: 0,
            copy: 0,
            depth: space.recursive.as_ref().map_or(0, |(depth, _)| *depth),
        }
    }

    /// Decides something at the current path, unless it was decided there before.
    fn decide(&mut self, options: usize) -> usize {
        if options == 1 {
            return 0;
        }
        if let Some(&known) = self.decided.get(&self.path) {
            return known;
        }
        if self.position == self.script.len() {
            self.script.push(0);
        }
        let taken = self.script[self.position];
        self.sizes.truncate(self.position);
        self.sizes.push(options);
        self.position += 1;
        self.decided.insert(self.path.clone(), taken);
        taken
    }

    fn below<T>(&mut self, part: usize, inner: impl FnOnce(&mut Self) -> T) -> T {
        self.path.push(part);
        let result = inner(self);
        self.path.pop();
        result
    }

    fn network(&mut self) -> Result<Tensor, Failed> {
        let space = self.space;
        for (at, options) in space.lets.iter().enumerate() {
            let taken = self.below(1_000 + at, |run| run.decide(options.len()));
            self.lets.push(options[taken]);
        }
        let last = self.below(1, |run| run.row(&space.network, 0))?;
        let pooled = self.layer("global_avg_pool", &[], vec![last])?;
        self.layer("linear", &[("out", 3)], vec![pooled])
    }

    fn layer(
        &mut self,
        name: &str,
        given: &[(&str, i64)],
        inputs: Vec<Tensor>,
    ) -> Result<Tensor, Failed> {
        let given: Vec<(&str, Value)> = given
            .iter()
            .map(|&(name, value)| (name, Value::Int(value)))
            .collect();
        let layer = Layer::new(find(name).unwrap(), &given).unwrap();
        self.push(layer, inputs)
    }

    fn push(&mut self, layer: Layer, inputs: Vec<Tensor>) -> Result<Tensor, Failed> {
        let shapes: Vec<Shape> = inputs
            .iter()
            .map(|&input| self.nodes[input].shape)
            .collect();
        let shape = layer.shape(&shapes).map_err(|_| Failed::Shape)?;
        self.nodes.push(Node {
            layer: Some(layer),
            inputs,
            shape,
        });
        Ok(self.nodes.len() - 1)
    }

    fn merge(&mut self, name: &str, inputs: Vec<Tensor>) -> Result<Tensor, Failed> {
        if let [only] = inputs.as_slice() {
            return Ok(*only);
        }
        self.push(Layer::plain(find(name).unwrap()).unwrap(), inputs)
    }

    fn channels(&self, tensor: Tensor) -> usize {
        self.nodes[tensor].shape.features().unwrap()
    }

    fn number(&self, number: &Number, input: Tensor) -> usize {
        match number {
            Number::Is(value) => *value,
            Number::Parameter => self.parameter,
            Number::Let(at) => self.lets[*at],
            Number::Channels => self.channels(input),
            Number::Copy => 4 * (self.copy + 1),
        }
    }

    fn row(&mut self, body: &[Statement], mut tensor: Tensor) -> Result<Tensor, Failed> {
        for (at, statement) in body.iter().enumerate() {
            tensor = self.below(at, |run| run.statement(statement, tensor))?;
        }
        Ok(tensor)
    }

    fn statement(&mut self, statement: &Statement, input: Tensor) -> Result<Tensor, Failed> {
        let space = self.space;
        match statement {
            Statement::Convolution { out, kernels, same } => {
                let kernel = kernels[self.decide(kernels.len())];
                let out = self.number(out, input);
                self.convolution(out, kernel, *same, input)
            }
            Statement::Activation(name) => self.layer(name, &[], vec![input]),
            Statement::Pool => self.layer("max_pool2d", &[("kernel", 2)], vec![input]),
            Statement::Identity => self.layer("identity", &[], vec![input]),
            Statement::Choice(options) => {
                let taken = self.decide(options.len());
                self.below(taken, |run| run.row(&options[taken], input))
            }
            Statement::Optional(inner) => match self.decide(2) {
                0 => self.below(0, |run| run.statement(inner, input)),
                _ => Ok(input),
            },
            Statement::Repeat { copies, tied, body } => {
                let (low, high) = *copies;
                let count = low + self.decide(high - low + 1);
                let (outer, mut tensor) = (self.copy, input);
                for copy in 0..count {
                    self.copy = copy;
                    let part = if *tied { 0 } else { copy };
                    tensor = self.below(part, |run| run.row(body, tensor))?;
                }
                self.copy = outer;
                Ok(tensor)
            }
            Statement::Residual { project, body } => {
                let end = self.row(body, input)?;
                let mut short = input;
                if *project && self.nodes[input].shape != self.nodes[end].shape {
                    short = self.projected(input, end)?;
                }
                self.merge("add", vec![end, short])
            }
            Statement::Branch { merge, paths } => {
                let mut ends = Vec::new();
                for (at, path) in paths.iter().enumerate() {
                    ends.push(self.below(at, |run| run.row(path, input))?);
                }
                self.merge(merge, ends)
            }
            Statement::If {
                bound,
                then,
                otherwise,
            } => {
                if self.channels(input) > *bound {
                    self.below(0, |run| run.row(then, input))
                } else {
                    self.below(1, |run| run.row(otherwise, input))
                }
            }
            Statement::Local(options) => {
                let out = options[self.decide(options.len())];
                let tensor = self.convolution(out, 1, false, input)?;
                let tensor = self.layer("relu", &[], vec![tensor])?;
                self.convolution(out, 1, false, tensor)
            }
            Statement::Block(at, argument) => {
                let argument = self.number(argument, input);
                self.called(argument, |run| run.row(&space.blocks[*at], input))
            }
            Statement::Shared(at, argument) => {
                let argument = self.number(argument, input);
                let path = std::mem::replace(&mut self.path, vec![100_000 + at]);
                let end = self.called(argument, |run| run.row(&space.shared[*at], input));
                self.path = path;
                end
            }
            Statement::Recursive => self.grow(input),
            Statement::Cell(cell) => self.cell(cell, &[input]),
            Statement::Carried(copies, cell) => {
                let (mut before, mut last) = (input, input);
                for copy in 0..*copies {
                    let next = self.below(copy, |run| run.cell(cell, &[before, last]))?;
                    (before, last) = (last, next);
                }
                Ok(last)
            }
        }
    }

    fn called<T>(&mut self, argument: usize, inner: impl FnOnce(&mut Self) -> T) -> T {
        let outer = std::mem::replace(&mut self.parameter, argument);
        let result = inner(self);
        self.parameter = outer;
        result
    }

    fn grow(&mut self, input: Tensor) -> Result<Tensor, Failed> {
        let (_, options) = self.space.recursive.as_ref().unwrap();
        if self.depth == 0 {
            return Err(Failed::Shape);
        }
        self.depth -= 1;
        let taken = self.decide(options.len());
        let end = self.below(taken, |run| run.row(&options[taken], input));
        self.depth += 1;
        end
    }

    fn convolution(
        &mut self,
        out: usize,
        kernel: usize,
        same: bool,
        input: Tensor,
    ) -> Result<Tensor, Failed> {
        let padding = Value::Name(if same { "same" } else { "valid" });
        let int = |value: usize| Value::Int(value as i64);
        let given = [
            ("out", int(out)),
            ("kernel", int(kernel)),
            ("padding", padding),
        ];
        self.push(
            Layer::new(find("conv2d").unwrap(), &given).unwrap(),
            vec![input],
        )
    }

    /// The 1x1 convolution and norm of a short cut.
    fn projected(&mut self, from: Tensor, to: Tensor) -> Result<Tensor, Failed> {
        let (
            Shape::Image { height, .. },
            Shape::Image {
                channels,
                height: rows,
                ..
            },
        ) = (self.nodes[from].shape, self.nodes[to].shape)
        else {
            return Err(Failed::Shape);
        };
        let int = |value: usize| Value::Int(value as i64);
        let given = [
            ("out", int(channels)),
            ("kernel", Value::Int(1)),
            ("stride", int(height.div_ceil(rows))),
            ("bias", Value::Bool(false)),
        ];
        let fitted = self.push(
            Layer::new(find("conv2d").unwrap(), &given).unwrap(),
            vec![from],
        )?;
        self.layer("batch_norm", &[], vec![fitted])
    }

    fn cell(&mut self, cell: &Cell, inputs: &[Tensor]) -> Result<Tensor, Failed> {
        let (low, high) = cell.nodes;
        let count = low + self.below(900, |run| run.decide(high - low + 1));
        let subset = matches!(cell.wiring, Wiring::Subset(_));
        let vertices = match cell.wiring {
            Wiring::Choose(_) => inputs.len() + count,
            _ => count,
        };
        let sources = self.sources(cell, inputs.len(), vertices);
        if let Wiring::Subset(most) = cell.wiring {
            let edges: usize = sources.iter().map(Vec::len).sum();
            let leads_on = |v: usize| sources.iter().any(|sources| sources.contains(&v));
            if edges > most || !(0..vertices - 1).all(leads_on) {
                return Err(Failed::Shape);
            }
        }
        let mut made: Vec<Tensor> = inputs.to_vec();
        for (vertex, read) in sources.iter().enumerate().skip(inputs.len()) {
            let is_output = subset && vertex + 1 == vertices;
            let merge = if is_output && cell.concatenates {
                "concat"
            } else {
                "add"
            };
            let mut parts = Vec::new();
            for &source in read {
                let part = match &cell.edges {
                    Some(edges) => self.below(vertex * 20 + source, |run| {
                        let taken = run.decide(edges.len());
                        run.below(taken, |run| run.statement(&edges[taken], made[source]))
                    })?,
                    None => made[source],
                };
                parts.push(part);
            }
            let mut tensor = self.merge(merge, parts)?;
            if let (Some(node), false) = (&cell.node, is_output) {
                tensor = self.below(vertex * 20 + 19, |run| {
                    let taken = run.decide(node.len());
                    run.below(taken, |run| run.statement(&node[taken], tensor))
                })?;
            }
            made.push(tensor);
        }
        if cell.concatenates && !subset {
            return self.merge("concat", made[inputs.len()..].to_vec());
        }
        Ok(made[made.len() - 1])
    }

    /// The vertices that each vertex reads.
    fn sources(&mut self, cell: &Cell, inputs: usize, vertices: usize) -> Vec<Vec<usize>> {
        let mut all = vec![Vec::new(); vertices];
        for (vertex, sources) in all.iter_mut().enumerate().skip(inputs) {
            let sets: Vec<Vec<usize>> = match cell.wiring {
                Wiring::All => vec![(0..vertex).collect()],
                Wiring::Choose(count) => subsets(vertex)
                    .filter(|set| set.len() == count.min(vertex))
                    .collect(),
                Wiring::Subset(_) => subsets(vertex).filter(|set| !set.is_empty()).collect(),
            };
            let taken = self.below(800 + vertex, |run| run.decide(sets.len()));
            sources.clone_from(&sets[taken]);
        }
        all
    }

    /// Whether the network that ends in `last` meets every condition.
    fn meets(&self, last: Tensor) -> bool {
        let mut needed = vec![false; self.nodes.len()];
        needed[last] = true;
        for at in (0..=last).rev() {
            if needed[at] {
                self.nodes[at]
                    .inputs
                    .iter()
                    .for_each(|&input| needed[input] = true);
            }
        }
        let kept: Vec<usize> = (0..self.nodes.len()).filter(|&at| needed[at]).collect();
        self.space
            .conditions
            .iter()
            .all(|condition| self.holds(condition, &kept, last))
    }

    fn holds(&self, condition: &Condition, kept: &[usize], last: Tensor) -> bool {
        let cost = |name: &str| self.cost(name, kept, last);
        match condition {
            Condition::AtMost(name, bound) => cost(name) <= *bound,
            Condition::AtLeast(name, bound) => cost(name) >= *bound,
            Condition::Either(a, b) => self.holds(a, kept, last) || self.holds(b, kept, last),
            Condition::Not(inner) => !self.holds(inner, kept, last),
            Condition::Value(at, value) => self.lets[*at] == *value || self.lets[*at] == 99,
            Condition::Scaled(times) => cost("params") <= times * self.lets[0] as u64,
        }
    }

    fn cost(&self, name: &str, kept: &[usize], last: Tensor) -> u64 {
        let layers = kept.iter().filter_map(|&at| {
            let node = &self.nodes[at];
            let inputs: Vec<Shape> = node
                .inputs
                .iter()
                .map(|&input| self.nodes[input].shape)
                .collect();
            node.layer.as_ref().map(|layer| (layer, inputs, node.shape))
        });
        match name {
            "params" => layers
                .map(|(layer, inputs, _)| layer.parameter_count(&inputs))
                .sum(),
            "macs" => layers
                .map(|(layer, inputs, output)| layer.macs(&inputs, output))
                .sum(),
            "activation_bytes" => layers
                .map(|(.., output)| 4 * output.elements() as u64)
                .sum(),
            "layers" => layers.filter(|(layer, ..)| is_counted(layer)).count() as u64,
            "count(conv2d)" => layers
                .filter(|(layer, ..)| layer.kind.name() == "conv2d")
                .count() as u64,
            "depth" => self.depths()[last],
            // The network ends in a global pool, so every value of the output sees everything.
            _ => 8,
        }
    }

    fn depths(&self) -> Vec<u64> {
        let mut depths: Vec<u64> = Vec::new();
        for node in &self.nodes {
            let before = node
                .inputs
                .iter()
                .map(|&input| depths[input])
                .max()
                .unwrap_or(0);
            let own = node.layer.as_ref().is_some_and(is_counted);
            depths.push(before + u64::from(own));
        }
        depths
    }
}

fn is_counted(layer: &Layer) -> bool {
    !matches!(
        layer.kind.name(),
        "identity" | "add" | "concat" | "mul" | "max"
    )
}

/// Every set of numbers below `count`.
fn subsets(count: usize) -> impl Iterator<Item = Vec<usize>> {
    (0..1usize << count).map(move |bits| (0..count).filter(|at| bits >> at & 1 == 1).collect())
}
