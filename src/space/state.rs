//! What a walk through a program remembers: shapes, values, costs, and promises of shared bodies.
//!
//! A [`State`] has one lane in the usual case. When the decisions of a shared body are settled, each
//! use of it is a lane of its own, and one decision moves them all.

use super::program::{BodyIx, COPIES, Cost, Program, Step, Tracked};
use crate::architecture::{Mark, metrics_of_layer};
use crate::layers::{Kind, Layer, Shape, Value};

/// The value of a slot that holds nothing.
pub(super) const UNSET: Value = Value::Bool(false);

/// A tensor as a walk sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Tensor {
    pub shape: Shape,
    /// How far it is from the input; always the same where no constraint asks.
    pub mark: Mark,
}

impl Tensor {
    pub fn input(shape: Shape) -> Self {
        let mark = Mark::START;
        Self { shape, mark }
    }
}

/// One context that is being walked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Lane {
    pub stack: Vec<Tensor>,
    pub carried: Vec<Tensor>,
    pub slots: Vec<Value>,
    /// Values that constraints ask for in the end.
    pub kept: Vec<Value>,
    pub depth: u16,
    pub cost: Vec<u64>,
}

/// The uses of one shared body so far: what came in, and what was promised to come out.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Record {
    pub body: BodyIx,
    pub uses: Vec<(Lane, Lane)>,
}

/// Everything that the future of a walk depends on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct State {
    pub lanes: Vec<Lane>,
    pub records: Vec<Record>,
}

impl State {
    pub fn record(&self, body: BodyIx) -> Option<&Record> {
        self.records.iter().find(|record| record.body == body)
    }

    pub fn without_record(&self, body: BodyIx) -> Self {
        let records = self
            .records
            .iter()
            .filter(|record| record.body != body)
            .cloned()
            .collect();
        Self {
            lanes: self.lanes.clone(),
            records,
        }
    }

    /// The promise made for `context`, if there is one.
    pub fn promised(&self, body: BodyIx, context: &Lane) -> Option<&Lane> {
        let uses = &self.record(body)?.uses;
        let at = uses
            .binary_search_by(|(known, _)| known.cmp(context))
            .ok()?;
        Some(&uses[at].1)
    }

    pub fn promise(&mut self, body: BodyIx, context: Lane, result: Lane) {
        let place = self
            .records
            .binary_search_by_key(&body, |record| record.body);
        let at = place.unwrap_or_else(|at| {
            self.records.insert(
                at,
                Record {
                    body,
                    uses: Vec::new(),
                },
            );
            at
        });
        let uses = &mut self.records[at].uses;
        if let Err(at) = uses.binary_search_by(|(known, _)| known.cmp(&context)) {
            uses.insert(at, (context, result));
        }
    }

    /// The records of `bodies` only.
    pub fn records_of(&self, bodies: &[BodyIx]) -> Vec<Record> {
        self.records
            .iter()
            .filter(|record| bodies.contains(&record.body))
            .cloned()
            .collect()
    }

    /// Takes over `records` in place of what was known of the same bodies.
    pub fn replace_records(&mut self, records: &[Record]) {
        for record in records {
            match self
                .records
                .binary_search_by_key(&record.body, |known| known.body)
            {
                Ok(at) => self.records[at] = record.clone(),
                Err(at) => self.records.insert(at, record.clone()),
            }
        }
    }
}

impl Lane {
    pub fn top(&self) -> Shape {
        self.top_tensor().shape
    }

    pub fn top_tensor(&self) -> Tensor {
        *self
            .stack
            .last()
            .expect("a program never empties its stack")
    }

    /// Replaces the top by what a body made of it, and adds what that cost. What the body returned
    /// is marked from the body's own input on, unless it sees carried outputs too.
    pub fn take_result(&mut self, program: &Program, body: BodyIx, result: &Lane) {
        let mut after = result.top_tensor();
        if program.marks && !program.body(body).carries {
            after.mark = self.top_tensor().mark.then(after.mark);
        }
        self.stack.pop();
        self.stack.push(after);
        for (total, part) in self.cost.iter_mut().zip(&result.cost) {
            *total = total.saturating_add(*part);
        }
    }

    /// What a slot holds; slots past the end hold nothing.
    pub fn get(&self, slot: usize) -> Value {
        self.slots.get(slot).copied().unwrap_or(UNSET)
    }

    pub fn set(&mut self, slot: usize, value: Value) {
        if self.slots.len() <= slot {
            self.slots.resize(slot + 1, UNSET);
        }
        self.slots[slot] = value;
    }

    /// Applies a step.
    ///
    /// # Errors
    /// When the step does not fit: why, in words.
    pub fn step(&mut self, program: &Program, step: &Step) -> Result<(), String> {
        match step {
            Step::Nothing => {}
            Step::Set(slot, value) => {
                let value = value.evaluate(&self.slots, self.top())?;
                self.set(*slot, value);
            }
            Step::Count(slot, value) => {
                let value = value.evaluate(&self.slots, self.top())?;
                self.set(*slot, copies(value)?);
            }
            Step::Wire { slot, sources, max } => self.wire(*slot, *sources, *max)?,
            Step::Wired { slot, sources } => self.wired(*slot, *sources)?,
            Step::Clear(slots) => {
                for &slot in slots {
                    if let Some(value) = self.slots.get_mut(slot) {
                        *value = UNSET;
                    }
                }
                while self.slots.len() > program.globals && self.slots.last() == Some(&UNSET) {
                    self.slots.pop();
                }
            }
            Step::Layer {
                kind,
                arguments,
                inputs,
            } => {
                let layer = resolve_layer(*kind, arguments, &self.slots, self.top())?;
                self.apply(program, &layer, *inputs)?;
            }
            Step::Pick(depth) => {
                let tensor = self.stack[self.stack.len() - 1 - depth];
                self.stack.push(tensor);
            }
            Step::Keep(slots) => self.kept = slots.iter().map(|&slot| self.get(slot)).collect(),
            Step::DropBelow(count) => {
                let top = self.top_tensor();
                self.stack.truncate(self.stack.len() - 1 - count);
                self.stack.push(top);
            }
            Step::Project => self.project(program)?,
            Step::BeginCarry(count) => self.carried = vec![self.top_tensor(); *count],
            Step::Carry => {
                self.carried.pop();
                self.carried.insert(0, self.top_tensor());
            }
            Step::PickCarried(ago) => {
                let carried = self.carried.get(*ago).copied();
                self.stack
                    .push(carried.unwrap_or_else(|| self.top_tensor()));
            }
            Step::Return => {
                self.stack = vec![self.top_tensor()];
                self.carried = Vec::new();
                self.slots = Vec::new();
                self.depth = 0;
            }
        }
        Ok(())
    }

    fn wire(&mut self, slot: usize, sources: u32, max: u32) -> Result<(), String> {
        let known = match self.get(slot) {
            Value::Int(known) => known,
            _ => 0,
        };
        let edges = (known >> 32) + i64::from(sources.count_ones());
        if edges > i64::from(max) {
            return Err(format!("the graph has more than {max} edges"));
        }
        self.set(
            slot,
            Value::Int((edges << 32) | (known & 0xffff_ffff) | i64::from(sources)),
        );
        Ok(())
    }

    fn wired(&self, slot: usize, sources: u32) -> Result<(), String> {
        match self.get(slot) {
            Value::Int(known) if known as u32 & sources == sources => Ok(()),
            _ => Err("a vertex leads nowhere".to_owned()),
        }
    }

    fn apply(&mut self, program: &Program, layer: &Layer, inputs: usize) -> Result<(), String> {
        let first = self.stack.len() - inputs;
        let shapes: Vec<Shape> = self.stack[first..]
            .iter()
            .map(|input| input.shape)
            .collect();
        let output = layer.shape(&shapes).map_err(|error| error.0)?;
        for (index, tracked) in program.tracked.iter().enumerate() {
            let cost = layer_cost(&tracked.cost, layer, &shapes, output);
            self.cost[index] = self.cost[index].saturating_add(cost);
            within(tracked, self.cost[index])?;
        }
        let mark = if program.marks {
            let before: Vec<Mark> = self.stack[first..].iter().map(|input| input.mark).collect();
            Mark::after(layer, &before, &shapes, output)
        } else {
            Mark::START
        };
        self.stack.truncate(first);
        self.stack.push(Tensor {
            shape: output,
            mark,
        });
        Ok(())
    }

    fn project(&mut self, program: &Program) -> Result<(), String> {
        let (body, skip) = (self.top(), self.stack[self.stack.len() - 2].shape);
        for layer in projection(skip, body)? {
            let top = self.stack.pop().expect("the body's tensor is on top");
            self.apply(program, &layer, 1)?;
            self.stack.push(top);
        }
        let fitted = self.stack[self.stack.len() - 2].shape;
        if fitted == body {
            Ok(())
        } else {
            Err(format!("no projection takes {skip} to {body}"))
        }
    }

    /// Counts an expansion of the body called `name`.
    pub fn count_body(&mut self, program: &Program, name: &str) -> Result<(), String> {
        for (index, tracked) in program.tracked.iter().enumerate() {
            if matches!(&tracked.cost, Cost::CountBody(counted) if **counted == *name) {
                self.cost[index] += 1;
                within(tracked, self.cost[index])?;
            }
        }
        Ok(())
    }
}

/// The value as a number of copies.
///
/// # Errors
/// When it is not a whole number from 0 to [`COPIES`]: in words.
pub(super) fn copies(value: Value) -> Result<Value, String> {
    match value {
        Value::Int(0..=COPIES) => Ok(value),
        other => Err(format!(
            "a number of copies is a whole number from 0 to {COPIES}, not {other}"
        )),
    }
}

/// Why a step is not possible after which a network would cost more than it may.
pub(super) const BOUND_PASSED: &str = "a constraint's bound is passed";

pub(super) fn within(tracked: &Tracked, total: u64) -> Result<(), String> {
    if total <= tracked.max {
        Ok(())
    } else {
        Err(BOUND_PASSED.to_owned())
    }
}

pub(super) fn layer_cost(cost: &Cost, layer: &Layer, inputs: &[Shape], output: Shape) -> u64 {
    let metrics = metrics_of_layer(layer, inputs, output);
    match cost {
        Cost::Params => metrics.params,
        Cost::Macs => metrics.macs,
        Cost::ActivationBytes => metrics.activation_bytes,
        Cost::Layers => metrics.layers,
        Cost::CountLayer(kind) => u64::from(layer.kind == *kind),
        Cost::CountBody(_) => 0,
    }
}

/// The layer with its arguments computed.
///
/// # Errors
/// When an argument can't be computed or does not fit the kind: why, in words.
pub(super) fn resolve_layer(
    kind: Kind,
    arguments: &[(usize, super::expression::Expr)],
    slots: &[Value],
    incoming: Shape,
) -> Result<Layer, String> {
    let specs = kind.describe().arguments;
    let mut given = Vec::with_capacity(arguments.len());
    for (position, expression) in arguments {
        given.push((specs[*position].name, expression.evaluate(slots, incoming)?));
    }
    Layer::new(kind, &given).map_err(|error| format!("{}: {error}", kind.name()))
}

/// The layers that take `from` to `to` on a residual's short cut: none where they agree.
pub(super) fn projection(from: Shape, to: Shape) -> Result<Vec<Layer>, String> {
    if from == to {
        return Ok(Vec::new());
    }
    let layer = |name: &str, given: &[(&str, Value)]| {
        let kind = crate::layers::find(name).expect("the catalogue has it");
        Layer::new(kind, given).map_err(|error| format!("projection: {error}"))
    };
    let int = |number: usize| Value::Int(number as i64);
    let norm = layer("batch_norm", &[])?;
    let bias = ("bias", Value::Bool(false));
    let strided = |conv: &str, (size, smaller): (usize, usize), channels: usize| {
        let stride = int(size.div_ceil(smaller.max(1)));
        let given = [
            ("out", int(channels)),
            ("kernel", int(1)),
            ("stride", stride),
            bias,
        ];
        layer(conv, &given)
    };
    let linear = |features: usize| layer("linear", &[("out", int(features)), bias]);
    match (from, to) {
        (
            Shape::Image { height, .. },
            Shape::Image {
                channels,
                height: rows,
                ..
            },
        ) => Ok(vec![strided("conv2d", (height, rows), channels)?, norm]),
        (
            Shape::Volume { height, .. },
            Shape::Volume {
                channels,
                height: rows,
                ..
            },
        ) => Ok(vec![strided("conv3d", (height, rows), channels)?, norm]),
        (
            Shape::Signal { length, .. },
            Shape::Signal {
                channels,
                length: samples,
            },
        ) => Ok(vec![strided("conv1d", (length, samples), channels)?, norm]),
        (Shape::Vector { .. }, Shape::Vector { features }) => Ok(vec![linear(features)?, norm]),
        (Shape::Sequence { .. }, Shape::Sequence { features, .. }) => {
            Ok(vec![linear(features)?, layer("layer_norm", &[])?])
        }
        _ => Err(format!("no projection takes {from} to {to}")),
    }
}
