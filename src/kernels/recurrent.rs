//! Layers that read a sequence step by step, forward and back through time.
//!
//! What a step computes lies together, example after example, so that steps are contiguous whatever the length.

use super::dense::weight_gradient;
use super::functions::{sigmoid, tanh};
use super::operation::{Operation, Pass};
use super::room::{Room, with_room, zeros};
use super::simd::vectorised;
use super::sums::{add_to, column_sums};
use super::windows::{Packed, Run, Windows, product, rows};
use crate::random::Stream;
use std::ops::Range;

/// What a step does with its gates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell {
    /// Reset, update and new.
    Gru,
    /// Input, forget, memory and output.
    Lstm,
}

impl Cell {
    fn gates(self) -> usize {
        match self {
            Self::Gru => 3,
            Self::Lstm => 4,
        }
    }
}

/// A recurrent layer in one or both directions. Each has four parameters: of the input, of what is remembered,
/// and a bias for both.
#[derive(Clone, Debug)]
pub struct Recurrent {
    sizes: Sizes,
    last_only: bool,
    directions: Vec<Direction>,
}

#[derive(Clone, Copy, Debug)]
struct Sizes {
    cell: Cell,
    length: usize,
    features: usize,
    hidden: usize,
    /// Values of all gates of a position.
    wide: usize,
    /// Hidden values of a position, all directions together.
    shown: usize,
}

/// One direction, with what the backward pass needs of the forward one. Values are laid out by step, example and
/// number.
#[derive(Clone, Debug)]
struct Direction {
    sizes: Sizes,
    backwards: bool,
    /// Gates: from the forward pass what they let through, in the backward pass gradients.
    gates: Vec<f32>,
    /// What of the gates came from what was remembered (`gru` keeps it apart).
    remembered: Vec<f32>,
    hidden: Vec<f32>,
    memory: Vec<f32>,
    /// The state and the memory before the first step, and later the gradients of what a step leaves.
    zeros: Vec<f32>,
    left: [Vec<f32>; 2],
}

impl Recurrent {
    /// Over `length` positions of `features` values; all positions come out, or the state after the last.
    pub fn new(
        cell: Cell,
        [length, features, hidden]: [usize; 3],
        both_ways: bool,
        last_only: bool,
    ) -> Self {
        let ways = 1 + usize::from(both_ways);
        let sizes = Sizes {
            cell,
            length,
            features,
            hidden,
            wide: cell.gates() * hidden,
            shown: ways * hidden,
        };
        Self {
            sizes,
            last_only,
            directions: (0..ways)
                .map(|way| Direction::new(sizes, way == 1))
                .collect(),
        }
    }

    /// Which steps come out.
    fn shown(&self) -> Range<usize> {
        let first = if self.last_only {
            self.sizes.length - 1
        } else {
            0
        };
        first..self.sizes.length
    }
}

impl Operation for Recurrent {
    fn forward(
        &mut self,
        pass: Pass<'_>,
        _: &mut [Vec<f32>],
        _: Option<&mut Stream>,
        output: &mut [f32],
    ) {
        let shown = self.shown();
        for (index, direction) in self.directions.iter_mut().enumerate() {
            let parameters = &pass.parameters[4 * index..4 * index + 4];
            with_room(|room| direction.read(room, pass.batch, pass.inputs[0], parameters));
            let hidden = self.sizes.hidden;
            for step in shown.clone() {
                let first = step * pass.batch * hidden;
                let states = direction.hidden[first..].chunks_exact(hidden);
                for (example, state) in states.take(pass.batch).enumerate() {
                    let place = direction.place(&shown, step, example, index);
                    output[place..place + hidden].copy_from_slice(state);
                }
            }
        }
    }

    fn backward(
        &mut self,
        pass: Pass<'_>,
        _output: &[f32],
        gradient: &mut [f32],
        inputs: &mut [Option<&mut [f32]>],
        parameters: &mut [Vec<f32>],
    ) {
        let shown = self.shown();
        for (index, direction) in self.directions.iter_mut().enumerate() {
            let numbers = 4 * index..4 * index + 4;
            let own = &pass.parameters[numbers.clone()];
            let gradients = &mut parameters[numbers];
            with_room(|room| {
                direction.read_back(room, (&shown, index), pass.batch, &own[1], gradient);
                direction.parameter_gradients(room, pass.batch, pass.inputs[0], gradients);
                if let Some(target) = &mut inputs[0] {
                    direction.input_gradient(room, pass.batch, &own[0], target, index > 0);
                }
            });
        }
    }
}

impl Direction {
    fn new(sizes: Sizes, backwards: bool) -> Self {
        Self {
            sizes,
            backwards,
            gates: Vec::new(),
            remembered: Vec::new(),
            hidden: Vec::new(),
            memory: Vec::new(),
            zeros: Vec::new(),
            left: [Vec::new(), Vec::new()],
        }
    }

    /// Which position is read at a step.
    fn position(&self, step: usize) -> usize {
        if self.backwards {
            self.sizes.length - 1 - step
        } else {
            step
        }
    }

    /// Where the hidden values of an example come out.
    fn place(&self, shown: &Range<usize>, step: usize, example: usize, index: usize) -> usize {
        let (s, count) = (self.sizes, shown.len());
        let position = if count == 1 { 0 } else { self.position(step) };
        (example * count + position) * s.shown + index * s.hidden
    }

    /// The positions of all examples in the input, in the order of gates, and those.
    fn positions(&self, batch: usize) -> impl Iterator<Item = Run> {
        let s = self.sizes;
        (0..s.length).map(move |step| Run {
            count: batch,
            first: [self.position(step) * s.features, step * batch * s.wide],
            step: [s.length * s.features, s.wide],
        })
    }

    fn read(&mut self, room: &mut Room, batch: usize, input: &[f32], parameters: &[Vec<f32>]) {
        let [weight_x, weight_h, bias_x, bias_h] = parameters else {
            unreachable!("four parameters")
        };
        let s = self.sizes;
        let rows = batch * s.length;
        self.gates.resize(rows * s.wide, 0.0);
        self.hidden.resize(rows * s.hidden, 0.0);
        zeros(&mut self.zeros, batch * s.hidden);
        let mut bias = bias_x.clone();
        match s.cell {
            Cell::Lstm => {
                add_to(&mut bias, bias_h);
                self.memory.resize(rows * s.hidden, 0.0);
            }
            Cell::Gru => self.remembered.resize(rows * s.wide, 0.0),
        }
        room.runs.clear();
        room.runs.extend(self.positions(batch));
        let offsets = (0..s.features).map(|k| k * s.wide);
        room.packed.fill(weight_x, offsets, 1, s.wide);
        room.packed.set_bias(&bias);
        let windows = Windows::rows(input, s.features);
        let runs = (&room.runs[..], rows);
        product(windows, runs, &room.packed, &mut self.gates, false);
        let offsets = (0..s.hidden).map(|k| k * s.wide);
        room.packed.fill(weight_h, offsets, 1, s.wide);
        if s.cell == Cell::Gru {
            room.packed.set_bias(bias_h);
        }
        for step in 0..s.length {
            self.remember(&room.packed, batch, step, bias_h);
            self.advance(batch, step);
        }
    }

    /// What the state before a step adds to its gates.
    fn remember(&mut self, weight: &Packed, batch: usize, step: usize, bias: &[f32]) {
        let s = self.sizes;
        if step == 0 {
            if s.cell == Cell::Gru {
                let first = self.remembered[..batch * s.wide].chunks_exact_mut(s.wide);
                first.for_each(|row| row.copy_from_slice(bias));
            }
            return;
        }
        let run = Run {
            count: batch,
            first: [(step - 1) * batch * s.hidden, step * batch * s.wide],
            step: [s.hidden, s.wide],
        };
        let windows = Windows::rows(&self.hidden, s.hidden);
        let (target, add) = match s.cell {
            Cell::Lstm => (&mut self.gates, true),
            Cell::Gru => (&mut self.remembered, false),
        };
        product(windows, (&[run], batch), weight, target, add);
    }

    /// One step of all examples: from gates before their functions to those after, and to the new state.
    fn advance(&mut self, batch: usize, step: usize) {
        let s = self.sizes;
        let (row, wide) = (batch * s.hidden, batch * s.wide);
        let gates = &mut self.gates[step * wide..(step + 1) * wide];
        match s.cell {
            Cell::Lstm => {
                let (old, new) = turn(&mut self.memory, step, row, &self.zeros);
                let hidden = &mut self.hidden[step * row..(step + 1) * row];
                let states = new
                    .chunks_exact_mut(s.hidden)
                    .zip(hidden.chunks_exact_mut(s.hidden));
                let examples = gates
                    .chunks_exact_mut(s.wide)
                    .zip(old.chunks_exact(s.hidden));
                for ((gates, old), (memory, state)) in examples.zip(states) {
                    lstm(gates, old, memory, state);
                }
            }
            Cell::Gru => {
                let (old, new) = turn(&mut self.hidden, step, row, &self.zeros);
                let remembered = &self.remembered[step * wide..(step + 1) * wide];
                let states = old
                    .chunks_exact(s.hidden)
                    .zip(new.chunks_exact_mut(s.hidden));
                let examples = gates
                    .chunks_exact_mut(s.wide)
                    .zip(remembered.chunks_exact(s.wide));
                for ((gates, remembered), (old, state)) in examples.zip(states) {
                    gru(gates, remembered, old, state);
                }
            }
        }
    }

    /// From the gradient of what came out to that of the gates.
    fn read_back(
        &mut self,
        room: &mut Room,
        (shown, index): (&Range<usize>, usize),
        batch: usize,
        weight_h: &[f32],
        gradient: &[f32],
    ) {
        let s = self.sizes;
        let (row, wide) = (batch * s.hidden, batch * s.wide);
        room.packed.fill(weight_h, 0..s.wide, s.wide, s.hidden);
        // Gradients of the state and of the memory that a step leaves.
        let [mut state, mut memory] = std::mem::take(&mut self.left);
        for left in [&mut state, &mut memory] {
            zeros(left, row);
        }
        for step in (0..s.length).rev() {
            if shown.contains(&step) {
                for (example, state) in state.chunks_exact_mut(s.hidden).enumerate() {
                    let place = self.place(shown, step, example, index);
                    add_to(state, &gradient[place..place + s.hidden]);
                }
            }
            let gates = &mut self.gates[step * wide..(step + 1) * wide];
            match s.cell {
                Cell::Lstm => {
                    let (old, left) = turn(&mut self.memory, step, row, &self.zeros);
                    let states = state
                        .chunks_exact(s.hidden)
                        .zip(memory.chunks_exact_mut(s.hidden));
                    let memories = old.chunks_exact(s.hidden).zip(left.chunks_exact(s.hidden));
                    let examples = gates.chunks_exact_mut(s.wide).zip(memories.zip(states));
                    for (gates, ((old, left), (state, memory))) in examples {
                        lstm_back(gates, old, left, state, memory);
                    }
                }
                Cell::Gru => {
                    let (old, _) = turn(&mut self.hidden, step, row, &self.zeros);
                    let remembered = &mut self.remembered[step * wide..(step + 1) * wide];
                    let states = old
                        .chunks_exact(s.hidden)
                        .zip(state.chunks_exact_mut(s.hidden));
                    let rows = gates
                        .chunks_exact_mut(s.wide)
                        .zip(remembered.chunks_exact_mut(s.wide));
                    for ((gates, remembered), (old, state)) in rows.zip(states) {
                        gru_back(gates, remembered, old, state);
                    }
                }
            }
            if step == 0 {
                break;
            }
            let run = Run {
                count: batch,
                first: [step * wide, 0],
                step: [s.wide, s.hidden],
            };
            let windows = Windows::rows(self.remembered_gates(), s.wide);
            // `gru` passes a part of the state on as it is.
            let add = s.cell == Cell::Gru;
            product(windows, (&[run], batch), &room.packed, &mut state, add);
        }
        self.left = [state, memory];
    }

    /// The gates' gradients as what was remembered sees them.
    fn remembered_gates(&self) -> &[f32] {
        match self.sizes.cell {
            Cell::Gru => &self.remembered,
            Cell::Lstm => &self.gates,
        }
    }

    fn parameter_gradients(
        &self,
        room: &mut Room,
        batch: usize,
        input: &[f32],
        gradients: &mut [Vec<f32>],
    ) {
        let [weight_x, weight_h, bias_x, bias_h] = gradients else {
            unreachable!("four parameters")
        };
        let s = self.sizes;
        let Room { runs, sums, .. } = room;
        runs.clear();
        runs.extend(self.positions(batch));
        let windows = Windows::rows(input, s.features);
        let whole = (&runs[..], s.length * batch);
        weight_gradient(
            windows,
            &self.gates,
            whole,
            sums,
            s.wide,
            (weight_x, s.wide),
        );
        column_sums(&self.gates, bias_x);
        column_sums(self.remembered_gates(), bias_h);
        // States with the gates of the step after them.
        let later = (s.length - 1) * batch;
        rows(runs, later, [s.hidden, s.wide]);
        let windows = Windows::rows(&self.hidden, s.hidden);
        let gates = &self.remembered_gates()[batch * s.wide..];
        weight_gradient(
            windows,
            gates,
            (runs, later),
            sums,
            s.wide,
            (weight_h, s.wide),
        );
    }

    fn input_gradient(
        &self,
        room: &mut Room,
        batch: usize,
        weight_x: &[f32],
        target: &mut [f32],
        add: bool,
    ) {
        let s = self.sizes;
        room.packed.fill(weight_x, 0..s.wide, s.wide, s.features);
        room.runs.clear();
        room.runs.extend(self.positions(batch).map(Run::turned));
        let windows = Windows::rows(&self.gates, s.wide);
        let runs = (&room.runs[..], s.length * batch);
        product(windows, runs, &room.packed, target, add);
    }
}

/// What there was before a step (`zeros` before the first), and what the step leaves.
fn turn<'a>(
    all: &'a mut [f32],
    step: usize,
    row: usize,
    zeros: &'a [f32],
) -> (&'a [f32], &'a mut [f32]) {
    let (before, now) = all.split_at_mut(step * row);
    let old = if step == 0 {
        zeros
    } else {
        &before[(step - 1) * row..]
    };
    (old, &mut now[..row])
}

vectorised! {
    fn lstm<'a>(
        m: impl Arithmetic, gates: &'a mut [f32], old: &'a [f32], memory: &'a mut [f32], state: &'a mut [f32],
    ) {
        let hidden = state.len();
        let (input, rest) = gates.split_at_mut(hidden);
        let (forget, rest) = rest.split_at_mut(hidden);
        let (new, output) = rest.split_at_mut(hidden);
        let (old, memory, output) = (&old[..hidden], &mut memory[..hidden], &mut output[..hidden]);
        for i in 0..hidden {
            let (a, b) = (sigmoid(m, input[i]), sigmoid(m, forget[i]));
            let (c, d) = (tanh(m, new[i]), sigmoid(m, output[i]));
            (input[i], forget[i], new[i], output[i]) = (a, b, c, d);
            memory[i] = m.add_product(b, old[i], a * c);
            state[i] = d * tanh(m, memory[i]);
        }
    }
}

vectorised! {
    /// `state` and `memory` are gradients of what the step left; `memory` becomes that of what was there before.
    fn lstm_back<'a>(
        m: impl Arithmetic,
        gates: &'a mut [f32],
        old: &'a [f32],
        left: &'a [f32],
        state: &'a [f32],
        memory: &'a mut [f32],
    ) {
        let hidden = state.len();
        let (input, rest) = gates.split_at_mut(hidden);
        let (forget, rest) = rest.split_at_mut(hidden);
        let (new, output) = rest.split_at_mut(hidden);
        let (old, left) = (&old[..hidden], &left[..hidden]);
        let (memory, output) = (&mut memory[..hidden], &mut output[..hidden]);
        for i in 0..hidden {
            let (a, b, c, d, t) = (input[i], forget[i], new[i], output[i], tanh(m, left[i]));
            let g = m.add_product(state[i] * d, 1.0 - t * t, memory[i]);
            output[i] = state[i] * t * d * (1.0 - d);
            input[i] = g * c * a * (1.0 - a);
            forget[i] = g * old[i] * b * (1.0 - b);
            new[i] = g * a * (1.0 - c * c);
            memory[i] = g * b;
        }
    }
}

vectorised! {
    fn gru<'a>(m: impl Arithmetic, gates: &'a mut [f32], remembered: &'a [f32], old: &'a [f32], state: &'a mut [f32]) {
        let hidden = state.len();
        let (reset, rest) = gates.split_at_mut(hidden);
        let (update, new) = rest.split_at_mut(hidden);
        let (reset_h, rest) = remembered.split_at(hidden);
        let (update_h, new_h) = rest.split_at(hidden);
        let (old, new, new_h) = (&old[..hidden], &mut new[..hidden], &new_h[..hidden]);
        for i in 0..hidden {
            let (r, z) = (sigmoid(m, reset[i] + reset_h[i]), sigmoid(m, update[i] + update_h[i]));
            let n = tanh(m, m.add_product(r, new_h[i], new[i]));
            (reset[i], update[i], new[i]) = (r, z, n);
            state[i] = m.add_product(z, old[i] - n, n);
        }
    }
}

vectorised! {
    /// Gates become gradients of the input's part, `remembered` those of its own; `state` is the gradient of what the
    /// step left and becomes what it passes on directly.
    fn gru_back<'a>(gates: &'a mut [f32], remembered: &'a mut [f32], old: &'a [f32], state: &'a mut [f32]) {
        let hidden = state.len();
        let (reset, rest) = gates.split_at_mut(hidden);
        let (update, new) = rest.split_at_mut(hidden);
        let (reset_h, rest) = remembered.split_at_mut(hidden);
        let (update_h, new_h) = rest.split_at_mut(hidden);
        let (old, new, new_h) = (&old[..hidden], &mut new[..hidden], &mut new_h[..hidden]);
        for i in 0..hidden {
            let (r, z, n, g) = (reset[i], update[i], new[i], state[i]);
            let dn = g * (1.0 - z) * (1.0 - n * n);
            let dz = g * (old[i] - n) * z * (1.0 - z);
            let dr = dn * new_h[i] * r * (1.0 - r);
            (reset[i], update[i], new[i]) = (dr, dz, dn);
            (reset_h[i], update_h[i], new_h[i]) = (dr, dz, dn * r);
            state[i] = g * z;
        }
    }
}
