//! Decoding: runs a program with every decision known and puts the network together.

use super::expression::Expr;
use super::genome::Finder;
use super::program::{BodyIx, Node, NodeIx, Program, Step};
use super::state::{UNSET, copies};
use super::workshop::{PathId, Workshop};
use super::{DecodeError, Genome};
use crate::architecture::{Architecture, Builder, NodeId};
use crate::layers::{Shape, Value};
use std::rc::Rc;
use std::sync::Arc;

/// What the decisions of a genome come to.
pub(super) struct Built {
    pub architecture: Architecture,
    /// The values that constraints ask for.
    pub kept: Vec<Value>,
    /// How often each body was expanded.
    pub bodies: Vec<u64>,
}

/// Runs `program` with the decisions of `genome`.
///
/// # Errors
/// When a decision is missing or the decisions lead out of the space.
pub(super) fn build(
    program: &Program,
    genome: &Genome,
    workshop: &mut Workshop,
) -> Result<Built, DecodeError> {
    workshop.begin();
    let mut run = Run {
        program,
        genome: genome.finder(),
        workshop,
        builder: Builder::new(program.input),
        path: PathId::TOP,
        scopes: Vec::new(),
        stack: vec![Builder::INPUT],
        carried: Rc::default(),
        slots: vec![UNSET; program.globals],
        frame: 0,
        shapes: Vec::new(),
        depth: program.depth,
        kept: Vec::new(),
        bodies: vec![0; program.bodies.len()],
    };
    run.node(program.root)?;
    let last = run.top();
    let address = run.address();
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
    workshop: &'a mut Workshop,
    builder: Builder,
    path: PathId,
    /// Where the open shared bodies have their decisions.
    scopes: Vec<(BodyIx, PathId)>,
    stack: Vec<NodeId>,
    carried: Rc<Vec<NodeId>>,
    /// The slots of every running body, the innermost last, from `frame` on.
    slots: Vec<Value>,
    frame: usize,
    shapes: Vec<Shape>,
    depth: u16,
    kept: Vec<Value>,
    bodies: Vec<u64>,
}

impl Run<'_> {
    fn node(&mut self, node: NodeIx) -> Result<(), DecodeError> {
        stacker::maybe_grow(128 << 10, 4 << 20, || self.node_on(node))
    }

    fn node_on(&mut self, mut at: NodeIx) -> Result<(), DecodeError> {
        let program = self.program;
        loop {
            match program.node(at) {
                Node::Then(first, second) => {
                    match program.node(*first) {
                        Node::Step(step) => self.step(*first, step)?,
                        _ => self.node(*first)?,
                    }
                    at = *second;
                }
                Node::Guard {
                    slot,
                    expected,
                    node,
                } => {
                    if self.get(*slot) != Value::Bool(*expected) {
                        return Ok(());
                    }
                    at = *node;
                }
                Node::Step(step) => return self.step(at, step),
                inner => return self.enter(at, inner),
            }
        }
    }

    /// Runs a node that has an address or a scope of its own.
    fn enter(&mut self, at: NodeIx, node: &Node) -> Result<(), DecodeError> {
        let before = self.path;
        match node {
            Node::Label(segment, inner) => {
                self.path = self.below(at, 0, || segment.to_string());
                self.node(*inner)?;
            }
            Node::Choice { segment, options } => {
                self.path = self.below(at, 0, || segment.to_string());
                let genome = &mut self.genome;
                let taken = self
                    .workshop
                    .decided(self.path, |address| genome.find(address));
                let taken = taken.ok_or_else(|| DecodeError::Missing(self.address()))?;
                let option = options.get(taken as usize);
                let option = option.ok_or_else(|| DecodeError::Invalid {
                    address: self.address(),
                    option: taken,
                })?;
                self.node(option.node)?;
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
                    self.path = before;
                    self.path = self.below(at, copy as u32, || format!("{segment}[{copy}]"));
                    self.node(*node)?;
                }
            }
            Node::Call {
                body,
                arguments,
                segment,
            } => {
                self.path = self.below(at, 0, || segment.to_string());
                self.call(*body, arguments)?;
            }
            Node::Shared { body, arguments } => {
                let scope = self.scopes.iter().rfind(|(known, _)| known == body);
                self.path = scope.map_or(PathId::TOP, |(_, path)| *path);
                self.call(*body, arguments)?;
            }
            Node::Open(body) => {
                let name = &self.program.body(*body).name;
                let there = self.below(at, 0, || name.to_string());
                self.scopes.push((*body, there));
            }
            Node::Close(body) => {
                if let Some(last) = self.scopes.iter().rposition(|(known, _)| known == body) {
                    self.scopes.remove(last);
                }
            }
            Node::Then(..) | Node::Guard { .. } | Node::Step(_) => return self.node_on(at),
        }
        self.path = before;
        Ok(())
    }

    fn below(&mut self, at: NodeIx, copy: u32, segment: impl FnOnce() -> String) -> PathId {
        self.workshop.below(self.path, (at, copy), segment)
    }

    fn call(&mut self, body_ix: BodyIx, arguments: &[Expr]) -> Result<(), DecodeError> {
        let body = self.program.body(body_ix);
        self.bodies[body_ix.0 as usize] += 1;
        let (outer_frame, outer_depth) = (self.frame, self.depth);
        let frame = self.slots.len();
        for slot in 0..self.program.globals {
            self.slots.push(self.get(slot));
        }
        for argument in arguments {
            let value = argument.evaluate(&self.slots[outer_frame..frame], self.shape());
            let value = value.map_err(|_| self.astray())?;
            self.slots.push(value);
        }
        if body.recursive {
            self.depth = outer_depth.checked_sub(1).ok_or_else(|| self.astray())?;
        }
        self.frame = frame;
        let below = self.stack.len();
        self.stack.push(self.top());
        let carried = Rc::clone(&self.carried);
        self.node(body.node)?;
        let result = self.top();
        self.slots.truncate(frame);
        self.frame = outer_frame;
        self.depth = outer_depth;
        self.carried = carried;
        self.stack.truncate(below);
        self.replace_top(result);
        Ok(())
    }

    fn step(&mut self, at: NodeIx, step: &Step) -> Result<(), DecodeError> {
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
                let first = self.stack.len() - inputs;
                self.shapes.clear();
                let shapes = self.stack[first..].iter().map(|&id| self.builder.shape(id));
                self.shapes.extend(shapes);
                let slots = &self.slots[self.frame..];
                let made = (at, *kind, arguments.as_slice());
                let layer = self.workshop.layer(made, slots, &self.shapes);
                let (layer, shape) = layer.ok_or_else(|| self.astray())?;
                let address = self.workshop.layer_address(self.path, at, *kind);
                let inputs = self.stack.split_off(first);
                let node = self.builder.push_known(layer, shape, inputs, address);
                self.stack.push(node);
            }
            Step::Pick(depth) => self.stack.push(self.stack[self.stack.len() - 1 - depth]),
            Step::DropBelow(count) => {
                let top = self.top();
                self.stack.truncate(self.stack.len() - count);
                self.replace_top(top);
            }
            Step::Project => self.project()?,
            Step::BeginCarry(count) => self.carried = Rc::new(vec![self.top(); *count]),
            Step::Carry => {
                let top = self.top();
                let carried = Rc::make_mut(&mut self.carried);
                carried.pop();
                carried.insert(0, top);
            }
            Step::PickCarried(ago) => {
                let carried = self.carried.get(*ago).copied();
                self.stack.push(carried.unwrap_or_else(|| self.top()));
            }
        }
        Ok(())
    }

    fn project(&mut self) -> Result<(), DecodeError> {
        let body = self.stack.pop().expect("the body's tensor is on top");
        let layers = self
            .workshop
            .projection(self.shape(), self.builder.shape(body));
        let layers = layers.ok_or_else(|| self.astray())?;
        let path = self.workshop.named(self.path, "project");
        for layer in layers {
            let address = self.workshop.layer_path(path, layer.kind);
            let address = self.workshop.address(address);
            let node = self.builder.push(layer, vec![self.top()], address);
            let node = node.map_err(|_| self.astray())?;
            self.replace_top(node);
        }
        self.stack.push(body);
        Ok(())
    }

    fn top(&self) -> NodeId {
        *self
            .stack
            .last()
            .expect("a program never empties its stack")
    }

    fn replace_top(&mut self, node: NodeId) {
        *self
            .stack
            .last_mut()
            .expect("a program never empties its stack") = node;
    }

    fn shape(&self) -> Shape {
        self.builder.shape(self.top())
    }

    fn evaluate(&self, expression: &Expr) -> Result<Value, DecodeError> {
        expression
            .evaluate(&self.slots[self.frame..], self.shape())
            .map_err(|_| self.astray())
    }

    fn get(&self, slot: usize) -> Value {
        let value = self.slots.get(self.frame + slot);
        value.copied().unwrap_or(UNSET)
    }

    fn set(&mut self, slot: usize, value: Value) {
        let at = self.frame + slot;
        if self.slots.len() <= at {
            self.slots.resize(at + 1, UNSET);
        }
        self.slots[at] = value;
    }

    fn address(&self) -> String {
        let address: Arc<str> = self.workshop.address(self.path);
        address.to_string()
    }

    fn astray(&self) -> DecodeError {
        let address = self.address();
        let option = self.genome.peek(&address).unwrap_or_default();
        DecodeError::Invalid { address, option }
    }
}
