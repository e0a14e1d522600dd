//! Random spaces as trees, and their text.

use std::collections::BTreeSet;
use std::fmt::Write;
use strata::random::Stream;
use strata::space::Candidate;

/// A whole number in a space.
#[derive(Clone, Debug)]
pub enum Number {
    Is(usize),
    /// The parameter of the block around.
    Parameter,
    /// A top-level `let`.
    Let(usize),
    /// `in.channels`.
    Channels,
    /// Four times one more than the copy's number, in a `repeat … as i`.
    Copy,
}

#[derive(Clone, Debug)]
pub enum Wiring {
    All,
    Choose(usize),
    Subset(usize),
}

/// A cell.
#[derive(Clone, Debug)]
pub struct Cell {
    pub inputs: usize,
    pub nodes: (usize, usize),
    pub wiring: Wiring,
    pub edges: Option<Vec<Statement>>,
    pub node: Option<Vec<Statement>>,
    pub concatenates: bool,
}

#[derive(Clone, Debug)]
pub enum Statement {
    Convolution {
        out: Number,
        kernels: Vec<usize>,
        same: bool,
    },
    Activation(&'static str),
    Pool,
    Identity,
    Choice(Vec<Vec<Statement>>),
    Optional(Box<Statement>),
    Repeat {
        copies: (usize, usize),
        tied: bool,
        body: Vec<Statement>,
    },
    Residual {
        project: bool,
        body: Vec<Statement>,
    },
    Branch {
        merge: &'static str,
        paths: Vec<Vec<Statement>>,
    },
    /// `if in.channels > bound`.
    If {
        bound: usize,
        then: Vec<Statement>,
        otherwise: Vec<Statement>,
    },
    /// A `let` of this block or network, and its only use.
    Local(Vec<usize>),
    Block(usize, Number),
    Shared(usize, Number),
    Recursive,
    Cell(Cell),
    /// `repeat n carry 2 { dag { inputs 2 … } }`
    Carried(usize, Cell),
}

/// A condition on whole networks.
#[derive(Clone, Debug)]
pub enum Condition {
    AtMost(&'static str, u64),
    AtLeast(&'static str, u64),
    Either(Box<Condition>, Box<Condition>),
    Not(Box<Condition>),
    /// A top-level value is this.
    Value(usize, usize),
    /// params is at most this many times the first top-level value.
    Scaled(u64),
}

#[derive(Clone, Debug)]
pub struct Space {
    pub lets: Vec<Vec<usize>>,
    pub blocks: Vec<Vec<Statement>>,
    pub shared: Vec<Vec<Statement>>,
    pub recursive: Option<(usize, Vec<Vec<Statement>>)>,
    pub network: Vec<Statement>,
    pub conditions: Vec<Condition>,
}

pub const COSTS: [&str; 7] = [
    "params",
    "macs",
    "activation_bytes",
    "layers",
    "depth",
    "receptive_field",
    "count(conv2d)",
];

struct Maker<'a> {
    stream: &'a mut Stream,
    lets: usize,
    blocks: usize,
    shared: usize,
    recursive: bool,
    inside_block: bool,
}

impl Space {
    pub fn random(stream: &mut Stream) -> Self {
        let mut maker = Maker {
            lets: stream.index(3),
            blocks: 0,
            shared: 0,
            recursive: false,
            inside_block: true,
            stream,
        };
        let lets = (0..maker.lets)
            .map(|_| maker.some(&[2, 3, 4, 8], 2))
            .collect();
        let (mut blocks, mut shared) = (Vec::new(), Vec::new());
        for _ in 0..maker.stream.index(3) {
            blocks.push(maker.row(2, 2));
            maker.blocks += 1;
        }
        for _ in 0..maker.stream.index(3) {
            shared.push(maker.row(2, 2));
            maker.shared += 1;
        }
        maker.inside_block = false;
        let recursive = (maker.stream.index(4) == 0).then(|| maker.grammar());
        maker.recursive = recursive.is_some();
        let network = maker.row(4, 2);
        let conditions = (0..maker.stream.index(3))
            .map(|_| maker.condition(2))
            .collect();
        Self {
            lets,
            blocks,
            shared,
            recursive,
            network,
            conditions,
        }
    }

    pub fn text(&self) -> String {
        let mut out = "space t\ninput image(channels: 2, height: 8, width: 8)\noutput classes(3)\n"
            .to_owned();
        if let Some((depth, _)) = &self.recursive {
            let _ = writeln!(out, "limit depth {depth}");
        }
        for (at, options) in self.lets.iter().enumerate() {
            let _ = writeln!(out, "let v{at} = {}", joined(options));
        }
        for (at, body) in self.blocks.iter().enumerate() {
            let _ = writeln!(out, "block b{at}(c) {{\n{}}}", row(body));
        }
        for (at, body) in self.shared.iter().enumerate() {
            let _ = writeln!(out, "let s{at}(c) {{\n{}}}", row(body));
        }
        if let Some((_, options)) = &self.recursive {
            let _ = writeln!(out, "block r {{\n{}\n}}", choice(options));
        }
        let end = "global_avg_pool\nlinear(classes)\n";
        let _ = writeln!(out, "network {{\n{}{end}}}", row(&self.network));
        for condition in &self.conditions {
            let _ = writeln!(out, "require {}", self::condition(condition));
        }
        out
    }

    /// Whether a decoded network meets the conditions, as its finished graph says.
    pub fn admits(&self, candidate: &Candidate) -> bool {
        let value = |at: usize| {
            let taken = candidate.genome.get(&format!("v{at}"));
            self.lets[at][taken.unwrap_or(0) as usize]
        };
        self.conditions
            .iter()
            .all(|condition| holds(condition, candidate, &value))
    }
}

fn holds(condition: &Condition, candidate: &Candidate, value: &dyn Fn(usize) -> usize) -> bool {
    let architecture = &candidate.architecture;
    let metrics = architecture.metrics();
    let cost = |name: &str| match name {
        "params" => metrics.params,
        "macs" => metrics.macs,
        "activation_bytes" => metrics.activation_bytes,
        "layers" => metrics.layers,
        "depth" => metrics.depth,
        "receptive_field" => metrics.receptive_field,
        _ => {
            let layers = architecture.nodes().iter().filter_map(|node| node.layer());
            layers.filter(|layer| layer.kind.name() == "conv2d").count() as u64
        }
    };
    match condition {
        Condition::AtMost(name, bound) => cost(name) <= *bound,
        Condition::AtLeast(name, bound) => cost(name) >= *bound,
        Condition::Either(a, b) => holds(a, candidate, value) || holds(b, candidate, value),
        Condition::Not(inner) => !holds(inner, candidate, value),
        Condition::Value(at, wanted) => value(*at) == *wanted,
        Condition::Scaled(times) => cost("params") <= times * value(0) as u64,
    }
}

impl Maker<'_> {
    fn some(&mut self, from: &[usize], most: usize) -> Vec<usize> {
        let mut kept = from.to_vec();
        self.stream.shuffle(&mut kept);
        kept.truncate(1 + self.stream.index(most));
        kept
    }

    fn row(&mut self, most: usize, depth: usize) -> Vec<Statement> {
        (0..=self.stream.index(most))
            .map(|_| self.statement(depth))
            .collect()
    }

    fn number(&mut self) -> Number {
        match self.stream.index(6) {
            0 if self.lets > 0 => Number::Let(self.stream.index(self.lets)),
            1 if self.inside_block => Number::Parameter,
            2 => Number::Channels,
            _ => Number::Is([2, 3, 4][self.stream.index(3)]),
        }
    }

    fn convolution(&mut self) -> Statement {
        Statement::Convolution {
            out: self.number(),
            kernels: self.some(&[1, 3, 5], 2),
            same: self.stream.index(3) > 0,
        }
    }

    fn simple(&mut self) -> Statement {
        match self.stream.index(6) {
            0 => Statement::Pool,
            1 => Statement::Identity,
            2 | 3 => Statement::Activation(["relu", "gelu", "tanh"][self.stream.index(3)]),
            _ => self.convolution(),
        }
    }

    fn statement(&mut self, depth: usize) -> Statement {
        if depth == 0 {
            return self.simple();
        }
        let inner = depth - 1;
        match self.stream.index(16) {
            0 | 1 => {
                let count = 2 + self.stream.index(2);
                let mut options: Vec<_> = (0..count).map(|_| self.row(1, inner)).collect();
                let mut seen = BTreeSet::new();
                options.retain(|option| seen.insert(row(option)));
                Statement::Choice(options)
            }
            2 => Statement::Optional(Box::new(self.convolution())),
            3 | 4 => Statement::Repeat {
                copies: [(0, 1), (1, 2), (2, 2), (0, 2)][self.stream.index(4)],
                tied: self.stream.index(2) == 0,
                body: self.row(2, inner),
            },
            5 => Statement::Residual {
                project: self.stream.index(2) == 0,
                body: self.row(2, inner),
            },
            6 => Statement::Branch {
                merge: ["add", "concat", "mul", "max"][self.stream.index(4)],
                paths: (0..2).map(|_| self.row(1, inner)).collect(),
            },
            7 => Statement::If {
                bound: 2 + self.stream.index(3),
                then: self.row(1, inner),
                otherwise: self.row(1, inner),
            },
            8 => Statement::Local(self.some(&[2, 3, 4], 3)),
            9 if self.blocks > 0 => Statement::Block(self.stream.index(self.blocks), self.number()),
            10 | 11 if self.shared > 0 => {
                Statement::Shared(self.stream.index(self.shared), self.number())
            }
            12 if self.recursive => Statement::Recursive,
            13 => Statement::Cell(self.cell(1)),
            14 => Statement::Carried(1 + self.stream.index(2), self.cell(2)),
            15 => Statement::Repeat {
                copies: (2, 2),
                tied: false,
                body: vec![Statement::Convolution {
                    out: Number::Copy,
                    kernels: vec![1],
                    same: true,
                }],
            },
            _ => self.simple(),
        }
    }

    fn cell(&mut self, inputs: usize) -> Cell {
        let wiring = match self.stream.index(3) {
            0 => Wiring::All,
            1 if inputs == 1 => Wiring::Subset(2 + self.stream.index(3)),
            _ => Wiring::Choose(1 + self.stream.index(2)),
        };
        let least = match wiring {
            Wiring::All => inputs + 1,
            Wiring::Choose(_) => 1,
            Wiring::Subset(_) => 2,
        };
        let operations = |maker: &mut Self| {
            let convolution = Statement::Convolution {
                out: Number::Channels,
                kernels: vec![3],
                same: true,
            };
            let mut all = vec![
                Statement::Identity,
                convolution,
                Statement::Activation("relu"),
            ];
            all.truncate(1 + maker.stream.index(3));
            all
        };
        let on_nodes = matches!(wiring, Wiring::Subset(_)) || self.stream.index(3) == 0;
        Cell {
            inputs,
            nodes: (least, least + self.stream.index(2)),
            edges: (!on_nodes).then(|| operations(self)),
            node: on_nodes.then(|| operations(self)),
            concatenates: self.stream.index(3) == 0,
            wiring,
        }
    }

    fn grammar(&mut self) -> (usize, Vec<Vec<Statement>>) {
        let options = match self.stream.index(3) {
            0 => vec![
                vec![self.simple()],
                vec![self.convolution(), Statement::Recursive],
            ],
            1 => vec![
                vec![Statement::Activation("relu")],
                vec![Statement::Recursive, Statement::Recursive],
            ],
            _ => vec![
                vec![Statement::Activation("relu")],
                vec![Statement::Residual {
                    project: false,
                    body: vec![self.simple(), Statement::Recursive],
                }],
            ],
        };
        (2 + self.stream.index(2), options)
    }

    fn condition(&mut self, depth: usize) -> Condition {
        let cost = COSTS[self.stream.index(COSTS.len())];
        let bound = match cost {
            "params" => [40, 80, 150][self.stream.index(3)],
            "macs" => [1_000, 4_000, 12_000][self.stream.index(3)],
            "activation_bytes" => [1_500, 4_000][self.stream.index(2)],
            "count(conv2d)" => self.stream.below(3) + 1,
            _ => self.stream.below(5) + 3,
        };
        match self.stream.index(8) {
            0 if depth > 0 => Condition::Either(
                Box::new(self.condition(depth - 1)),
                Box::new(self.condition(depth - 1)),
            ),
            1 if depth > 0 => Condition::Not(Box::new(self.condition(depth - 1))),
            2 if self.lets > 0 => Condition::Value(
                self.stream.index(self.lets),
                [2, 3, 4, 8][self.stream.index(4)],
            ),
            3 if self.lets > 0 => Condition::Scaled([20, 40][self.stream.index(2)]),
            4 => Condition::AtLeast(cost, bound),
            _ => Condition::AtMost(cost, bound),
        }
    }
}

fn joined(options: &[usize]) -> String {
    let options: Vec<String> = options.iter().map(usize::to_string).collect();
    options.join(" | ")
}

fn row(body: &[Statement]) -> String {
    body.iter().fold(String::new(), |mut out, statement| {
        let _ = writeln!(out, "{}", self::statement(statement));
        out
    })
}

fn choice(options: &[Vec<Statement>]) -> String {
    let options: Vec<String> = options
        .iter()
        .map(|option| format!("{{\n{}}}", row(option)))
        .collect();
    options.join(" | ")
}

fn number(number: &Number) -> String {
    match number {
        Number::Is(value) => value.to_string(),
        Number::Parameter => "c".to_owned(),
        Number::Let(at) => format!("v{at}"),
        Number::Channels => "in.channels".to_owned(),
        Number::Copy => "4 * (i + 1)".to_owned(),
    }
}

fn statement(of: &Statement) -> String {
    match of {
        Statement::Convolution { out, kernels, same } => {
            let padding = if *same { "same" } else { "valid" };
            format!(
                "conv2d({}, kernel: {}, padding: {padding})",
                number(out),
                joined(kernels)
            )
        }
        Statement::Activation(name) => (*name).to_owned(),
        Statement::Pool => "max_pool2d(2)".to_owned(),
        Statement::Identity => "identity".to_owned(),
        Statement::Choice(options) => choice(options),
        Statement::Optional(inner) => format!("{}?", statement(inner)),
        Statement::Repeat { copies, tied, body } => {
            let (low, high) = copies;
            let range = if low == high {
                low.to_string()
            } else {
                format!("{low}..{high}")
            };
            let tied = if *tied { " tied" } else { "" };
            let counts = matches!(
                body.as_slice(),
                [Statement::Convolution {
                    out: Number::Copy,
                    ..
                }]
            );
            let index = if counts { " as i" } else { "" };
            format!("repeat {range}{index}{tied} {{\n{}}}", row(body))
        }
        Statement::Residual { project, body } => {
            let project = if *project { "(project: true)" } else { "" };
            format!("residual{project} {{\n{}}}", row(body))
        }
        Statement::Branch { merge, paths } => {
            let paths: String = paths
                .iter()
                .map(|path| format!("{{\n{}}}\n", row(path)))
                .collect();
            format!("branch(merge: {merge}) {{\n{paths}}}")
        }
        Statement::If {
            bound,
            then,
            otherwise,
        } => format!(
            "if in.channels > {bound} {{\n{}}} else {{\n{}}}",
            row(then),
            row(otherwise)
        ),
        Statement::Local(options) => format!(
            "{{\nlet w = {}\nconv2d(w, kernel: 1)\nrelu\nconv2d(w, kernel: 1)\n}}",
            joined(options)
        ),
        Statement::Block(at, argument) => format!("b{at}({})", number(argument)),
        Statement::Shared(at, argument) => format!("s{at}({})", number(argument)),
        Statement::Recursive => "r".to_owned(),
        Statement::Cell(cell) => self::cell(cell),
        Statement::Carried(copies, cell) => {
            format!("repeat {copies} carry 2 {{\n{}\n}}", self::cell(cell))
        }
    }
}

fn cell(cell: &Cell) -> String {
    let (low, high) = cell.nodes;
    let wiring = match cell.wiring {
        Wiring::All => "all".to_owned(),
        Wiring::Choose(count) => format!("choose({count})"),
        Wiring::Subset(most) => format!("subset(max: {most})"),
    };
    let nodes = if low == high {
        low.to_string()
    } else {
        format!("{low}..{high}")
    };
    let mut out = format!(
        "dag {{\ninputs {}\nnodes {nodes}\nedges {wiring}\n",
        cell.inputs
    );
    let operations = |all: &[Statement]| {
        let all: Vec<String> = all.iter().map(statement).collect();
        all.join(" | ")
    };
    if let Some(edges) = &cell.edges {
        let _ = writeln!(out, "edge {}", operations(edges));
    }
    if let Some(node) = &cell.node {
        let _ = writeln!(out, "node {}", operations(node));
    }
    let output = if cell.concatenates { "concat" } else { "last" };
    let _ = write!(out, "merge add\noutput {output}\n}}");
    out
}

fn condition(of: &Condition) -> String {
    match of {
        Condition::AtMost(cost, bound) => format!("{cost} <= {bound}"),
        Condition::AtLeast(cost, bound) => format!("{cost} >= {bound}"),
        Condition::Either(a, b) => format!("({}) or ({})", condition(a), condition(b)),
        Condition::Not(inner) => format!("not ({})", condition(inner)),
        Condition::Value(at, value) => format!("v{at} in ({value}, 99)"),
        Condition::Scaled(times) => format!("params <= {times} * v0"),
    }
}
