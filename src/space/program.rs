//! What a search space is once names and syntax are gone: a small stack program with choices.
//!
//! A program is a graph of [`Node`]s in an arena. Running it moves shapes (or, when building, tensors)
//! over a stack and values through slots; a [`Node::Choice`] is where architectures part. Decisions
//! made anew at each use are [`Node::Call`]s, decisions made once are [`Node::Shared`] calls whose
//! body is settled for all of its uses together by [`Node::Close`].

use super::expression::Expr;
use crate::architecture::{Mark, Output};
use crate::layers::{Kind, Shape, Value};
use std::fmt;

/// The most copies that one `repeat` may make.
pub const COPIES: i64 = 4096;

/// The position of a node in [`Program::nodes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeIx(pub u32);

/// The position of a body in [`Program::bodies`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BodyIx(pub u32);

/// A slot for a value: the globals first, then parameters and locals of the running body.
pub type Slot = usize;

/// A place in the source that a node came from, as its front end numbers them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

/// One step of a program.
#[derive(Clone, Debug)]
pub enum Node {
    /// The first, then the second.
    Then(NodeIx, NodeIx),
    /// The node, its decisions addressed below `segment`.
    Label(Box<str>, NodeIx),
    /// Exactly one of the options, decided at address `segment` (empty: the current address).
    Choice {
        /// The last part of the decision's address.
        segment: Box<str>,
        /// The options in order.
        options: Vec<Alternative>,
    },
    /// The node, where the slot holds `expected`; nothing elsewhere.
    Guard {
        /// The slot of a truth value.
        slot: Slot,
        /// What it has to be.
        expected: bool,
        /// What then happens.
        node: NodeIx,
    },
    /// The body as often as slot `count` says, the copy's number in slot `index`.
    Loop {
        /// The slot of the number of copies.
        count: Slot,
        /// The slot that holds the copy's number, from 0.
        index: Slot,
        /// The address part of each copy, followed by `[number]`.
        segment: Box<str>,
        /// One copy.
        node: NodeIx,
    },
    /// A body, decided anew.
    Call {
        /// Which.
        body: BodyIx,
        /// Its parameters' values.
        arguments: Vec<Expr>,
        /// The address part, usually the body's name.
        segment: Box<str>,
    },
    /// A body whose decisions every use shares; they are settled by [`Node::Close`].
    Shared {
        /// Which.
        body: BodyIx,
        /// Its parameters' values.
        arguments: Vec<Expr>,
    },
    /// Begins the scope of a shared body: its decisions are addressed below this place.
    Open(BodyIx),
    /// Settles the decisions of a shared body for all uses since its scope began.
    Close(BodyIx),
    /// A step without decisions.
    Step(Step),
}

/// One option of a choice.
#[derive(Clone, Debug)]
pub struct Alternative {
    /// What it does.
    pub node: NodeIx,
    /// Its weight in prior sampling: positive.
    pub weight: f64,
    /// Its name, for people.
    pub name: Box<str>,
}

/// A step without decisions. It applies to every lane, or fails and with it the path.
#[derive(Clone, Debug)]
pub enum Step {
    /// Nothing.
    Nothing,
    /// Sets a slot.
    Set(Slot, Expr),
    /// Sets a slot to a number of copies: a whole number from 0 to [`COPIES`].
    Count(Slot, Expr),
    /// Notes in a slot that a vertex of a graph reads the vertices in `sources` (a bit each); fails
    /// where that makes more than `max` edges.
    Wire {
        /// The slot: sources used so far in the low 32 bits, edges above.
        slot: Slot,
        /// The vertices read, a bit each.
        sources: u32,
        /// The most edges allowed.
        max: u32,
    },
    /// Fails unless every vertex in `sources` was read.
    Wired {
        /// The slot that [`Step::Wire`] wrote.
        slot: Slot,
        /// The vertices that must be read, a bit each.
        sources: u32,
    },
    /// Forgets slots that nothing reads any more, so that equal futures look equal.
    Clear(Vec<Slot>),
    /// Pops `inputs` tensors, pushes one.
    Layer {
        /// The kind.
        kind: Kind,
        /// Arguments by position in the kind's list; the rest are at their defaults.
        arguments: Vec<(usize, Expr)>,
        /// How many tensors it takes.
        inputs: usize,
    },
    /// Pushes a copy of the tensor `depth` below the top.
    Pick(usize),
    /// Notes what these slots hold, for [`Program::require`].
    Keep(Vec<Slot>),
    /// Drops this many tensors from just below the top.
    DropBelow(usize),
    /// Fits the tensor below the top to the top's shape by a 1x1 convolution or a linear map with
    /// batch norm, where they differ.
    Project,
    /// Starts a row of copies that see the outputs of the last `n`: all stand for the top now.
    BeginCarry(usize),
    /// Puts the top in front of the carried outputs and drops the oldest.
    Carry,
    /// Pushes the output of `n` copies ago, or the top where nothing is carried; 0 is the latest.
    PickCarried(usize),
    /// Ends a body: keeps the top and forgets everything else of the body's own.
    Return,
}

/// A part of a program that is entered by a call.
#[derive(Clone, Debug)]
pub struct Body {
    /// Its name, for addresses and constraints.
    pub name: Box<str>,
    /// What it does.
    pub node: NodeIx,
    /// Which globals it reads, itself or through what it calls.
    pub globals: Vec<bool>,
    /// Which shared bodies of outer scopes it calls, itself or through what it calls.
    pub shared: Vec<BodyIx>,
    /// Whether it can reach itself, so that a call uses up depth.
    pub recursive: bool,
    /// Whether it can reach a recursive body.
    pub deep: bool,
    /// Whether it reads carried outputs, itself or through what it calls.
    pub carries: bool,
}

/// A training setting that belongs to the genome: decided once.
#[derive(Clone, Debug, PartialEq)]
pub struct RecipeDecision {
    /// The recipe's setting.
    pub name: String,
    /// Its values and their prior weights, at least one.
    pub options: Vec<(Value, f64)>,
}

/// A whole search space.
#[derive(Clone, Debug)]
pub struct Program {
    /// The space's name.
    pub name: String,
    /// The shape of one example.
    pub input: Shape,
    /// What the last tensor means.
    pub output: Output,
    /// The arena of nodes.
    pub nodes: Vec<Node>,
    /// Where each node came from; as long as `nodes`.
    pub origins: Vec<Origin>,
    /// What can be called.
    pub bodies: Vec<Body>,
    /// Where running starts.
    pub root: NodeIx,
    /// How many slots are global.
    pub globals: usize,
    /// How deep a recursive body may be nested.
    pub depth: u16,
    /// Training settings.
    pub recipe: Vec<RecipeDecision>,
    /// Costs that constraints bound or ask for, added up along the way.
    pub tracked: Vec<Tracked>,
    /// Further constraints. Their slots are the values that [`Step::Keep`] noted, then the totals of
    /// `tracked`, then depth and receptive field.
    pub require: Vec<Expr>,
    /// How many values [`Step::Keep`] notes.
    pub kept: usize,
    /// Whether constraints ask for depth or receptive field.
    pub marks: bool,
    /// Whether layers may lead nowhere, so that what was added up along the way is more than what the
    /// network costs.
    pub prunes: bool,
}

/// An additive cost with its largest allowed value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tracked {
    /// What is added up.
    pub cost: Cost,
    /// Smallest allowed total.
    pub min: u64,
    /// Largest allowed total.
    pub max: u64,
}

/// A cost that is a sum over layers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cost {
    /// Trainable values.
    Params,
    /// Multiply-accumulates of one example.
    Macs,
    /// Bytes of every layer's output.
    ActivationBytes,
    /// Layers, without merges and identity.
    Layers,
    /// Layers of one kind.
    CountLayer(Kind),
    /// Expansions of one body, by name.
    CountBody(Box<str>),
}

impl fmt::Display for Cost {
    /// As the language writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Params => f.write_str("params"),
            Self::Macs => f.write_str("macs"),
            Self::ActivationBytes => f.write_str("activation_bytes"),
            Self::Layers => f.write_str("layers"),
            Self::CountLayer(kind) => write!(f, "count({})", kind.name()),
            Self::CountBody(name) => write!(f, "count({name})"),
        }
    }
}

impl Program {
    /// The node at `ix`.
    pub fn node(&self, ix: NodeIx) -> &Node {
        &self.nodes[ix.0 as usize]
    }

    /// The body at `ix`.
    pub fn body(&self, ix: BodyIx) -> &Body {
        &self.bodies[ix.0 as usize]
    }

    /// Whether constraints only say how much a network may cost at most.
    pub fn bounds_only_above(&self) -> bool {
        let totals = self.kept..self.kept + self.tracked.len();
        let mut reads_costs = false;
        for constraint in &self.require {
            constraint.slots(&mut |slot| reads_costs |= totals.contains(&slot));
        }
        !reads_costs && self.tracked.iter().all(|tracked| tracked.min == 0)
    }

    /// The program without its constraints.
    #[must_use]
    pub fn unconstrained(&self) -> Self {
        Self {
            tracked: Vec::new(),
            require: Vec::new(),
            marks: false,
            ..self.clone()
        }
    }

    /// Whether there are constraints.
    pub fn is_constrained(&self) -> bool {
        !self.tracked.is_empty() || !self.require.is_empty()
    }

    /// Whether a network with these kept values, totals and this mark meets every constraint.
    pub fn meets(&self, kept: &[Value], totals: &[u64], mark: Mark) -> bool {
        let fits = |(&total, bound): (&u64, &Tracked)| (bound.min..=bound.max).contains(&total);
        if !totals.iter().zip(&self.tracked).all(fits) {
            return false;
        }
        if self.require.is_empty() {
            return true;
        }
        let whole = |number: u64| Value::Int(i64::try_from(number).unwrap_or(i64::MAX));
        let mut slots = kept.to_vec();
        slots.extend(totals.iter().map(|&total| whole(total)));
        slots.push(Value::Int(i64::from(mark.depth)));
        slots.push(whole(mark.receptive_field(self.input)));
        let holds = |expression: &Expr| expression.evaluate(&slots, self.input);
        self.require
            .iter()
            .all(|constraint| holds(constraint) == Ok(Value::Bool(true)))
    }

    /// Adds a node that came from `origin`.
    pub fn add(&mut self, node: Node, origin: Origin) -> NodeIx {
        self.nodes.push(node);
        self.origins.push(origin);
        NodeIx(u32::try_from(self.nodes.len() - 1).expect("the checker limits a space's size"))
    }
}
