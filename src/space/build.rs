//! Decoding: runs a program with every decision known and puts the network together.

use super::expression::Expr;
use super::genome::Finder;
use super::path::Path;
use super::program::{BodyIx, Node, NodeIx, Program, Step};
use super::state::{UNSET, copies, projection, resolve_layer};
use super::{DecodeError, Genome};
use crate::architecture::{Architecture, Builder, NodeId};
use crate::layers::{Layer, Shape, Value};
use std::collections::BTreeMap;

/// What the decisions of a genome come to.
pub(super) struct Built {
    pub architecture: Architecture,
    /// The values that constraints ask for.
    pub kept: Vec<Value>,
    /// How often each body was expanded.
    pub bodies: BTreeMap<Box<str>, u64>,
}

/// Runs `program` with the decisions of `genome`.
///
/// # Errors
/// When a decision is missing or the decisions lead out of the space.
pub(super) fn build(program: &Program, genome: &Genome) -> Result<Built, DecodeError> {
    let mut run = Run {
        program,
        genome: genome.finder(),
        builder: Builder::new(program.input),
        path: Path::default(),
        stack: vec![Builder::INPUT],
        carried: Vec::new(),
        slots: vec![UNSET; program.globals],
        depth: program.depth,
        kept: Vec::new(),
        bodies: BTreeMap::new(),
    };
    run.node(program.root)?;
    let last = run.top();
    let address = run.path.address("");
    let architecture = run
        .builder
        .finish(last, program.output)
        .map_err(|_| DecodeError::Invalid { address, option: 0 })?;
    Ok(Built {
        architecture,
        kept: run.kept,
        bodies: run.bodies,
    })
}

struct Run<'a> {
    program: &'a Program,
    genome: Finder<'a>,
    builder: Builder,
    path: Path,
    stack: Vec<NodeId>,
    carried: Vec<NodeId>,
    slots: Vec<Value>,
    depth: u16,
    kept: Vec<Value>,
    bodies: BTreeMap<Box<str>, u64>,
}

impl Run<'_> {
    fn node(&mut self, node: NodeIx) -> Result<(), DecodeError> {
        stacker::maybe_grow(128 << 10, 4 << 20, || self.node_on(node))
    }

    fn node_on(&mut self, node: NodeIx) -> Result<(), DecodeError> {
        let program = self.program;
        match program.node(node) {
            Node::Then(first, second) => {
                self.node(*first)?;
                self.node(*second)
            }
            Node::Label(segment, inner) => self.below(segment, *inner),
            Node::Choice { segment, options } => {
                let address = self.path.address(segment);
                let taken = self.genome.find(&address);
                let taken = taken.ok_or_else(|| DecodeError::Missing(address.clone()))?;
                let option = options.get(taken as usize).ok_or(DecodeError::Invalid {
                    address,
                    option: taken,
                })?;
                self.below(segment, option.node)
            }
            Node::Guard {
                slot,
                expected,
                node,
            } => {
                if self.get(*slot) == Value::Bool(*expected) {
                    self.node(*node)
                } else {
                    Ok(())
                }
            }
            Node::Loop {
                count,
                index,
                segment,
                node,
            } => {
                let Value::Int(copies) = self.get(*count) else {
                    return Err(self.astray());
                };
                for copy in 0..copies {
                    self.set(*index, Value::Int(copy));
                    self.below(&format!("{segment}[{copy}]"), *node)?;
                }
                Ok(())
            }
            Node::Call {
                body,
                arguments,
                segment,
            } => {
                let before = self.path.enter(segment);
                self.call(*body, arguments)?;
                self.path.leave(before);
                Ok(())
            }
            Node::Shared { body, arguments } => {
                let text = self.path.visit(*body);
                self.call(*body, arguments)?;
                self.path.come_back(text);
                Ok(())
            }
            Node::Open(body) => {
                self.path.open(*body, &program.body(*body).name);
                Ok(())
            }
            Node::Close(body) => {
                self.path.close(*body);
                Ok(())
            }
            Node::Step(step) => self.step(step),
        }
    }

    fn below(&mut self, segment: &str, node: NodeIx) -> Result<(), DecodeError> {
        let before = self.path.enter(segment);
        self.node(node)?;
        self.path.leave(before);
        Ok(())
    }

    fn call(&mut self, body: BodyIx, arguments: &[Expr]) -> Result<(), DecodeError> {
        let body = self.program.body(body);
        if self.program.is_constrained() {
            *self.bodies.entry(body.name.clone()).or_default() += 1;
        }
        let mut slots = self.slots[..self.program.globals.min(self.slots.len())].to_vec();
        slots.resize(self.program.globals, UNSET);
        for argument in arguments {
            slots.push(self.evaluate(argument)?);
        }
        let depth = self.depth;
        if body.recursive {
            self.depth = depth.checked_sub(1).ok_or_else(|| self.astray())?;
        }
        let outer_slots = std::mem::replace(&mut self.slots, slots);
        let top = self.top();
        let outer_stack = std::mem::replace(&mut self.stack, vec![top]);
        let outer_carried = self.carried.clone();
        self.node(body.node)?;
        let result = self.top();
        self.slots = outer_slots;
        self.stack = outer_stack;
        self.carried = outer_carried;
        self.depth = depth;
        *self
            .stack
            .last_mut()
            .expect("a program never empties its stack") = result;
        Ok(())
    }

    fn step(&mut self, step: &Step) -> Result<(), DecodeError> {
        match step {
            Step::Nothing
            | Step::Clear(_)
            | Step::Wire { .. }
            | Step::Wired { .. }
            | Step::Return => {}
            Step::Keep(slots) => self.kept = slots.iter().map(|&slot| self.get(slot)).collect(),
            Step::Count(slot, value) => {
                let value = copies(self.evaluate(value)?).map_err(|_| self.astray())?;
                self.set(*slot, value);
            }
            Step::Set(slot, value) => {
                let value = self.evaluate(value)?;
                self.set(*slot, value);
            }
            Step::Layer {
                kind,
                arguments,
                inputs,
            } => {
                let layer = resolve_layer(*kind, arguments, &self.slots, self.shape());
                let layer = layer.map_err(|_| self.astray())?;
                let first = self.stack.len() - inputs;
                let inputs = self.stack.split_off(first);
                self.push(layer, inputs)?;
            }
            Step::Pick(depth) => self.stack.push(self.stack[self.stack.len() - 1 - depth]),
            Step::DropBelow(count) => {
                let top = self.top();
                self.stack.truncate(self.stack.len() - 1 - count);
                self.stack.push(top);
            }
            Step::Project => self.project()?,
            Step::BeginCarry(count) => self.carried = vec![self.top(); *count],
            Step::Carry => {
                self.carried.pop();
                self.carried.insert(0, self.top());
            }
            Step::PickCarried(ago) => {
                let node = self
                    .carried
                    .get(*ago)
                    .copied()
                    .unwrap_or_else(|| self.top());
                self.stack.push(node);
            }
        }
        Ok(())
    }

    fn project(&mut self) -> Result<(), DecodeError> {
        let body = self.stack.pop().expect("the body's tensor is on top");
        let layers = projection(self.shape(), self.builder.shape(body));
        let before = self.path.enter("project");
        for layer in layers.map_err(|_| self.astray())? {
            let input = self.stack.pop().expect("the short cut is below the body");
            self.push(layer, vec![input])?;
        }
        self.path.leave(before);
        self.stack.push(body);
        Ok(())
    }

    fn push(&mut self, layer: Layer, inputs: Vec<NodeId>) -> Result<(), DecodeError> {
        let address = self.path.address_of(layer.kind.name());
        let node = self.builder.push(layer, inputs, address);
        self.stack.push(node.map_err(|_| self.astray())?);
        Ok(())
    }

    fn top(&self) -> NodeId {
        *self
            .stack
            .last()
            .expect("a program never empties its stack")
    }

    fn shape(&self) -> Shape {
        self.builder.shape(self.top())
    }

    fn evaluate(&self, expression: &Expr) -> Result<Value, DecodeError> {
        expression
            .evaluate(&self.slots, self.shape())
            .map_err(|_| self.astray())
    }

    fn get(&self, slot: usize) -> Value {
        self.slots.get(slot).copied().unwrap_or(UNSET)
    }

    fn set(&mut self, slot: usize, value: Value) {
        if self.slots.len() <= slot {
            self.slots.resize(slot + 1, UNSET);
        }
        self.slots[slot] = value;
    }

    fn astray(&self) -> DecodeError {
        let address = self.path.address("");
        let option = self.genome.peek(&address).unwrap_or_default();
        DecodeError::Invalid { address, option }
    }
}
