//! Layers that read a sequence step by step, forward and back through time.

use super::dense::Map;
use super::functions::{sigmoid, tanh};
use super::operation::{Operation, Pass};
use super::simd::vectorised;
use super::sums::{add_to, column_sums};
use super::windows::{Packed, Windows, outer_product, padded, product};
use crate::random::Stream;

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
    cell: Cell,
    last_only: bool,
    directions: Vec<Direction>,
    room: Vec<f32>,
}

#[derive(Clone, Copy, Debug)]
struct Sizes {
    length: usize,
    features: usize,
    hidden: usize,
}

/// One direction, with what the backward pass needs of the forward one.
#[derive(Clone, Debug, Default)]
struct Direction {
    backwards: bool,
    map: Map,
    packed: Packed,
    /// Gates of each position; from the forward pass what they let through, in the backward pass gradients.
    gates: Vec<f32>,
    /// What of the gates came from what was remembered (`gru` keeps it apart).
    remembered: Vec<f32>,
    hidden: Vec<f32>,
    memory: Vec<f32>,
}

impl Recurrent {
    /// Over `length` positions of `features` values; all positions come out, or the state after the last.
    pub fn new(
        cell: Cell,
        [length, features, hidden]: [usize; 3],
        both_ways: bool,
        last_only: bool,
    ) -> Self {
        let direction = |backwards| Direction {
            backwards,
            ..Direction::default()
        };
        Self {
            sizes: Sizes {
                length,
                features,
                hidden,
            },
            cell,
            last_only,
            directions: [false, true][..=usize::from(both_ways)]
                .iter()
                .map(|&b| direction(b))
                .collect(),
            room: Vec::new(),
        }
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
        let s = self.sizes;
        let wide = self.directions.len() * s.hidden;
        for (index, direction) in self.directions.iter_mut().enumerate() {
            let parameters = &pass.parameters[4 * index..4 * index + 4];
            direction.read(self.cell, s, pass.batch, pass.inputs[0], parameters);
            let last = direction.position(s.length - 1, s.length);
            let shown = if self.last_only {
                last..last + 1
            } else {
                0..s.length
            };
            let count = shown.len();
            for example in 0..pass.batch {
                for (place, position) in shown.clone().enumerate() {
                    let from = (example * s.length + position) * s.hidden;
                    let to = (example * count + place) * wide + index * s.hidden;
                    output[to..to + s.hidden]
                        .copy_from_slice(&direction.hidden[from..from + s.hidden]);
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
        let s = self.sizes;
        let wide = self.directions.len() * s.hidden;
        for index in 0..self.directions.len() {
            let direction = &mut self.directions[index];
            let numbers = 4 * index..4 * index + 4;
            let own = &pass.parameters[numbers.clone()];
            let shown = |step: usize, position: usize, example: usize| {
                let first = index * s.hidden;
                match self.last_only {
                    true => (step == s.length - 1).then_some(example * wide + first),
                    false => Some((example * s.length + position) * wide + first),
                }
            };
            direction.read_back(self.cell, s, pass.batch, &own[1], gradient, shown);
            direction.parameter_gradients(
                self.cell,
                s,
                pass.batch,
                pass.inputs[0],
                &mut parameters[numbers],
            );
            let Some(target) = &mut inputs[0] else {
                continue;
            };
            let sizes = [s.features, self.cell.gates() * s.hidden];
            if index == 0 {
                direction
                    .map
                    .input_gradient(sizes, &direction.gates, &own[0], target);
            } else {
                self.room.resize(target.len(), 0.0);
                direction
                    .map
                    .input_gradient(sizes, &direction.gates, &own[0], &mut self.room);
                add_to(target, &self.room);
            }
        }
    }
}

impl Direction {
    /// Which position is read at a step.
    fn position(&self, step: usize, length: usize) -> usize {
        if self.backwards {
            length - 1 - step
        } else {
            step
        }
    }

    fn read(&mut self, cell: Cell, s: Sizes, batch: usize, input: &[f32], parameters: &[Vec<f32>]) {
        let [weight_x, weight_h, bias_x, bias_h] = parameters else {
            unreachable!("four parameters")
        };
        let wide = cell.gates() * s.hidden;
        let positions = batch * s.length;
        self.gates.resize(positions * wide, 0.0);
        self.hidden.resize(positions * s.hidden, 0.0);
        self.memory.resize(positions * s.hidden, 0.0);
        let mut bias = bias_x.clone();
        if cell == Cell::Lstm {
            add_to(&mut bias, bias_h);
        } else {
            self.remembered.resize(positions * wide, 0.0);
        }
        self.map.forward(
            [s.features, wide],
            input,
            weight_x,
            Some(&bias),
            &mut self.gates,
        );
        let offsets: Vec<usize> = (0..s.hidden).map(|k| k * wide).collect();
        self.packed.fill(weight_h, &offsets, 1, wide);
        if cell == Cell::Gru {
            self.packed.set_bias(bias_h);
        }
        for step in 0..s.length {
            self.remember(cell, s, batch, step, bias_h);
            let position = self.position(step, s.length);
            let before = (step > 0).then(|| self.position(step - 1, s.length));
            for example in 0..batch {
                let row = example * s.length + position;
                let before = before.map(|before| (example * s.length + before) * s.hidden);
                self.advance(cell, s.hidden, row, before);
            }
        }
    }

    /// What the state before a step adds to its gates.
    fn remember(&mut self, cell: Cell, s: Sizes, batch: usize, step: usize, bias: &[f32]) {
        let wide = cell.gates() * s.hidden;
        let rows = |position: usize, width: usize| -> Vec<usize> {
            (0..batch)
                .map(|example| (example * s.length + position) * width)
                .collect()
        };
        let places = rows(self.position(step, s.length), wide);
        if step == 0 {
            if cell == Cell::Gru {
                places
                    .iter()
                    .for_each(|&place| self.remembered[place..place + wide].copy_from_slice(bias));
            }
            return;
        }
        let windows = Windows {
            source: &self.hidden,
            starts: &rows(self.position(step - 1, s.length), s.hidden),
            segments: &[0],
            length: s.hidden,
        };
        match cell {
            Cell::Lstm => product(windows, &self.packed, &mut self.gates, &places, true),
            Cell::Gru => product(windows, &self.packed, &mut self.remembered, &places, false),
        }
    }

    /// One example's step: from gates before their functions to those after, and to the new state.
    fn advance(&mut self, cell: Cell, hidden: usize, row: usize, before: Option<usize>) {
        let wide = cell.gates() * hidden;
        let gates = &mut self.gates[row * wide..(row + 1) * wide];
        let place = row * hidden;
        match cell {
            Cell::Lstm => {
                let zeros = vec![0.0; if before.is_some() { 0 } else { hidden }];
                let (old, new) = state(&mut self.memory, before, place, hidden, &zeros);
                lstm(gates, old, new, &mut self.hidden[place..place + hidden]);
            }
            Cell::Gru => {
                let zeros = vec![0.0; if before.is_some() { 0 } else { hidden }];
                let (old, new) = state(&mut self.hidden, before, place, hidden, &zeros);
                gru(
                    gates,
                    &self.remembered[row * wide..(row + 1) * wide],
                    old,
                    new,
                );
            }
        }
    }

    /// From the gradient of what was shown to that of the gates. `shown` says where a step's part of an example's
    /// gradient is, if there is one.
    fn read_back(
        &mut self,
        cell: Cell,
        s: Sizes,
        batch: usize,
        weight_h: &[f32],
        gradient: &[f32],
        shown: impl Fn(usize, usize, usize) -> Option<usize>,
    ) {
        let (hidden, wide) = (s.hidden, cell.gates() * s.hidden);
        let offsets: Vec<usize> = (0..wide).collect();
        self.packed.fill(weight_h, &offsets, wide, hidden);
        // Gradients of the state and of the memory that a step leaves.
        let (mut state, mut memory) = (vec![0.0; batch * hidden], vec![0.0; batch * hidden]);
        let places: Vec<usize> = (0..batch).map(|example| example * hidden).collect();
        let zeros = vec![0.0; hidden];
        for step in (0..s.length).rev() {
            let position = self.position(step, s.length);
            let before = (step > 0).then(|| self.position(step - 1, s.length));
            for example in 0..batch {
                let row = example * s.length + position;
                let state = &mut state[example * hidden..(example + 1) * hidden];
                if let Some(place) = shown(step, position, example) {
                    add_to(state, &gradient[place..place + hidden]);
                }
                let before = before.map(|before| (example * s.length + before) * hidden);
                let of =
                    |values| before.map_or(&zeros[..], |place: usize| slice(values, place, hidden));
                let gates = &mut self.gates[row * wide..(row + 1) * wide];
                match cell {
                    Cell::Lstm => {
                        let memory = &mut memory[example * hidden..(example + 1) * hidden];
                        lstm_back(
                            gates,
                            of(&self.memory),
                            slice(&self.memory, row * hidden, hidden),
                            state,
                            memory,
                        );
                    }
                    Cell::Gru => {
                        let remembered = &mut self.remembered[row * wide..(row + 1) * wide];
                        gru_back(gates, remembered, of(&self.hidden), state);
                    }
                }
            }
            if before.is_none() {
                break;
            }
            let starts: Vec<usize> = (0..batch)
                .map(|example| (example * s.length + position) * wide)
                .collect();
            let source = if cell == Cell::Gru {
                &self.remembered
            } else {
                &self.gates
            };
            let windows = Windows {
                source,
                starts: &starts,
                segments: &[0],
                length: wide,
            };
            // `gru` passes a part of the state on as it is.
            product(
                windows,
                &self.packed,
                &mut state,
                &places,
                cell == Cell::Gru,
            );
        }
    }

    fn parameter_gradients(
        &mut self,
        cell: Cell,
        s: Sizes,
        batch: usize,
        input: &[f32],
        gradients: &mut [Vec<f32>],
    ) {
        let [weight_x, weight_h, bias_x, bias_h] = gradients else {
            unreachable!("four parameters")
        };
        let wide = cell.gates() * s.hidden;
        self.map
            .weight_gradient([s.features, wide], input, &self.gates, weight_x);
        column_sums(&self.gates, bias_x);
        let remembered = if cell == Cell::Gru {
            &self.remembered
        } else {
            &self.gates
        };
        column_sums(remembered, bias_h);
        let pairs = (0..batch).flat_map(|example| (1..s.length).map(move |step| (example, step)));
        let pairs = pairs.map(|(example, step)| {
            let row = |step| example * s.length + self.position(step, s.length);
            (row(step - 1) * s.hidden, row(step) * wide)
        });
        let (starts, places): (Vec<usize>, Vec<usize>) = pairs.unzip();
        let windows = Windows {
            source: &self.hidden,
            starts: &starts,
            segments: &[0],
            length: s.hidden,
        };
        let mut sums = vec![0.0; s.hidden * padded(wide)];
        outer_product(windows, remembered, &places, wide, &mut sums);
        for (to, from) in weight_h
            .chunks_exact_mut(wide)
            .zip(sums.chunks_exact(padded(wide)))
        {
            to.copy_from_slice(&from[..wide]);
        }
    }
}

fn slice(values: &[f32], place: usize, length: usize) -> &[f32] {
    &values[place..place + length]
}

/// What a state was before (`zeros` at first), and room for what it becomes.
fn state<'a>(
    all: &'a mut [f32],
    before: Option<usize>,
    place: usize,
    hidden: usize,
    zeros: &'a [f32],
) -> (&'a [f32], &'a mut [f32]) {
    match before {
        None => (zeros, &mut all[place..place + hidden]),
        Some(before) if before < place => {
            let (left, right) = all.split_at_mut(place);
            (&left[before..before + hidden], &mut right[..hidden])
        }
        Some(before) => {
            let (left, right) = all.split_at_mut(before);
            (&right[..hidden], &mut left[place..place + hidden])
        }
    }
}

vectorised! {
    fn lstm<'a>(gates: &'a mut [f32], old: &'a [f32], memory: &'a mut [f32], state: &'a mut [f32]) {
        let hidden = state.len();
        let (input, rest) = gates.split_at_mut(hidden);
        let (forget, rest) = rest.split_at_mut(hidden);
        let (new, output) = rest.split_at_mut(hidden);
        let (old, memory, output) = (&old[..hidden], &mut memory[..hidden], &mut output[..hidden]);
        for i in 0..hidden {
            let (a, b, c, d) = (sigmoid(input[i]), sigmoid(forget[i]), tanh(new[i]), sigmoid(output[i]));
            (input[i], forget[i], new[i], output[i]) = (a, b, c, d);
            memory[i] = b * old[i] + a * c;
            state[i] = d * tanh(memory[i]);
        }
    }
}

vectorised! {
    /// `state` and `memory` are gradients of what the step left; `memory` becomes that of what was there before.
    fn lstm_back<'a>(
        gates: &'a mut [f32], old: &'a [f32], left: &'a [f32], state: &'a [f32], memory: &'a mut [f32],
    ) {
        let hidden = state.len();
        let (input, rest) = gates.split_at_mut(hidden);
        let (forget, rest) = rest.split_at_mut(hidden);
        let (new, output) = rest.split_at_mut(hidden);
        let (old, left, memory, output) = (&old[..hidden], &left[..hidden], &mut memory[..hidden], &mut output[..hidden]);
        for i in 0..hidden {
            let (a, b, c, d, t) = (input[i], forget[i], new[i], output[i], tanh(left[i]));
            let m = memory[i] + state[i] * d * (1.0 - t * t);
            output[i] = state[i] * t * d * (1.0 - d);
            input[i] = m * c * a * (1.0 - a);
            forget[i] = m * old[i] * b * (1.0 - b);
            new[i] = m * a * (1.0 - c * c);
            memory[i] = m * b;
        }
    }
}

vectorised! {
    fn gru<'a>(gates: &'a mut [f32], remembered: &'a [f32], old: &'a [f32], state: &'a mut [f32]) {
        let hidden = state.len();
        let (reset, rest) = gates.split_at_mut(hidden);
        let (update, new) = rest.split_at_mut(hidden);
        let (reset_h, rest) = remembered.split_at(hidden);
        let (update_h, new_h) = rest.split_at(hidden);
        let (old, new, new_h) = (&old[..hidden], &mut new[..hidden], &new_h[..hidden]);
        for i in 0..hidden {
            let (r, z) = (sigmoid(reset[i] + reset_h[i]), sigmoid(update[i] + update_h[i]));
            let n = tanh(new[i] + r * new_h[i]);
            (reset[i], update[i], new[i]) = (r, z, n);
            state[i] = n + z * (old[i] - n);
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
