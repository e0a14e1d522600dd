//! Normalisation by the statistics of a batch, of groups of channels or of each position, with the function that
//! follows.

use super::columns::{Affine, Sums, affine, affine_sum, mask, repeat, spread, spread_to};
use super::functions::{self, Function, Pointwise, with_function};
use super::operation::{Flow, Keeps, Operation, Pass};
use crate::random::Stream;

/// Each channel by its mean and variance over the batch; at inference by running ones.
#[derive(Clone, Debug)]
pub struct BatchNorm {
    channels: usize,
    momentum: f64,
    eps: f64,
    /// Whether a second input is added before the function.
    sums: bool,
    function: Pointwise,
    state: State,
}

/// What the backward pass needs of the forward one, and room for both.
#[derive(Clone, Debug, Default)]
struct State {
    mean: Vec<f64>,
    inverse: Vec<f64>,
    sums: Sums,
    affine: Affine,
    row: Vec<f32>,
    second: Vec<f32>,
    third: Vec<f32>,
    spread: [Vec<f32>; 3],
}

impl BatchNorm {
    /// With the newest batch's share in running statistics, and what is added to variances.
    pub fn new(channels: usize, momentum: f64, eps: f64) -> Self {
        Self {
            channels,
            momentum,
            eps,
            sums: false,
            function: Pointwise::Identity,
            state: State::default(),
        }
    }
}

impl Operation for BatchNorm {
    fn forward(
        &mut self,
        pass: Pass<'_>,
        buffers: &mut [Vec<f32>],
        noise: Option<&mut Stream>,
        output: &mut [f32],
    ) {
        let (values, state) = (pass.inputs[0], &mut self.state);
        if noise.is_some() {
            let rows = values.len() / self.channels;
            state.moments(values, self.channels, 1);
            let unbiased = rows as f64 / (rows as f64 - 1.0).max(1.0);
            let variances = state.sums.second.iter().map(|variance| variance * unbiased);
            blend(&mut buffers[0], state.mean.iter().copied(), self.momentum);
            blend(&mut buffers[1], variances, self.momentum);
        } else {
            let widened = |values: &[f32]| values.iter().map(|&value| f64::from(value)).collect();
            state.mean = widened(&buffers[0]);
            state.sums.second = widened(&buffers[1]);
        }
        state.invert(self.eps);
        state.write_affine(&pass.parameters[0], &pass.parameters[1]);
        let c = &state.affine;
        match (self.sums, self.function) {
            (false, function) => {
                with_function!(function, f => affine(values, &c.scale, &c.shift, output, f));
            }
            (true, Pointwise::Relu) => {
                affine_sum(values, pass.inputs[1], c, output, functions::Relu);
            }
            (true, _) => affine_sum(values, pass.inputs[1], c, output, functions::Identity),
        }
    }

    fn backward(
        &mut self,
        pass: Pass<'_>,
        output: &[f32],
        gradient: &mut [f32],
        inputs: &mut [Option<&mut [f32]>],
        parameters: &mut [Vec<f32>],
    ) {
        let (values, state) = (pass.inputs[0], &mut self.state);
        let (rows, weight) = (values.len() / self.channels, &pass.parameters[0]);
        if self.sums {
            if self.function == Pointwise::Relu {
                mask(output, gradient);
            }
            state.sum_gradients(values, gradient, functions::Identity);
            state.write_spread(weight, 1, rows);
            if let Some(target) = &mut inputs[0] {
                let [a, b, c] = &state.spread;
                spread_to(values, gradient, [a, b, c], &state.affine.mean, target);
            }
        } else {
            with_function!(self.function, f => state.turn(values, gradient, weight, 1, rows, f));
        }
        narrow(&state.sums.second, &mut parameters[0]);
        narrow(&state.sums.first, &mut parameters[1]);
    }

    fn flow(&self) -> Flow {
        match self.sums {
            true => Flow::Splits,
            false => Flow::InPlace,
        }
    }

    fn keeps(&self) -> Keeps {
        match self.sums && self.function == Pointwise::Relu {
            true => Keeps::Both,
            false => Keeps::Inputs,
        }
    }

    fn absorb(&mut self, function: Pointwise) -> bool {
        let free = self.function == Pointwise::Identity;
        let takes = free && (!self.sums || function == Pointwise::Relu);
        if takes {
            self.function = function;
        }
        takes
    }

    fn absorb_sum(&mut self) -> bool {
        let free = !self.sums && self.function == Pointwise::Identity;
        self.sums |= free;
        free
    }
}

fn narrow(wide: &[f64], to: &mut [f32]) {
    for (to, &value) in to.iter_mut().zip(wide) {
        *to = value as f32;
    }
}

fn blend(running: &mut [f32], batch: impl Iterator<Item = f64>, momentum: f64) {
    for (running, batch) in running.iter_mut().zip(batch) {
        *running = (f64::from(*running) * (1.0 - momentum) + batch * momentum) as f32;
    }
}

impl State {
    /// Means, and variances in the second sums, of groups of this many channels.
    fn moments(&mut self, values: &[f32], channels: usize, group: usize) {
        // Near the values, so that squares of differences lose nothing.
        repeat(&values[..channels], &mut self.row);
        self.sums.moments(channels, values, &self.row);
        let rows = values.len() as f64 / channels as f64;
        self.mean.clear();
        let sums = self
            .sums
            .first
            .chunks_exact(group)
            .zip(self.sums.second.chunks_exact_mut(group));
        for (index, (first, second)) in sums.enumerate() {
            let pivots = &values[index * group..(index + 1) * group];
            let count = rows * group as f64;
            let mean = first
                .iter()
                .zip(pivots)
                .map(|(sum, &pivot)| sum / rows + f64::from(pivot))
                .sum::<f64>()
                / group as f64;
            // Of squares around the pivot to squares around the mean of the group.
            let squares =
                first
                    .iter()
                    .zip(second.iter())
                    .zip(pivots)
                    .map(|((first, second), &pivot)| {
                        let shift = f64::from(pivot) - mean;
                        second + 2.0 * shift * first + rows * shift * shift
                    });
            let variance = (squares.sum::<f64>() / count).max(0.0);
            second.fill(variance);
            self.mean.extend(std::iter::repeat_n(mean, group));
        }
    }

    /// One by the standard deviation.
    fn invert(&mut self, eps: f64) {
        let inverse = self
            .sums
            .second
            .iter()
            .map(|variance| 1.0 / (variance + eps).sqrt());
        self.inverse.clear();
        self.inverse.extend(inverse);
    }

    /// What values are multiplied by, what is added to them, and their means.
    fn write_affine(&mut self, weight: &[f32], bias: &[f32]) {
        let moments = || self.mean.iter().zip(&self.inverse);
        let scales = || {
            moments()
                .zip(weight)
                .map(|((_, inverse), &weight)| f64::from(weight) * inverse)
        };
        let shifts = scales().zip(&self.mean).zip(bias);
        let shifts = shifts.map(|((scale, mean), &bias)| f64::from(bias) - mean * scale);
        let row = &mut self.row;
        row.clear();
        row.extend(scales().map(|scale| scale as f32));
        repeat(row, &mut self.affine.scale);
        row.clear();
        row.extend(shifts.map(|shift| shift as f32));
        repeat(row, &mut self.affine.shift);
        row.clear();
        row.extend(self.mean.iter().map(|&mean| mean as f32));
        repeat(row, &mut self.affine.mean);
    }

    /// Sums up the gradients of biases and weights.
    fn sum_gradients<F: Function>(&mut self, values: &[f32], gradient: &mut [f32], function: F) {
        let channels = self.mean.len();
        self.sums
            .gradients(channels, values, gradient, &self.affine, function);
        for (second, inverse) in self.sums.second.iter_mut().zip(&self.inverse) {
            *second *= inverse;
        }
    }

    /// What becomes of gradients, from their sums, by groups of `group` channels over `rows` rows.
    fn write_spread(&mut self, weight: &[f32], group: usize, rows: usize) {
        let count = (rows * group) as f64;
        let mean = |sums: &[f64], channels: std::ops::Range<usize>| {
            let pairs = weight[channels.clone()].iter().zip(&sums[channels]);
            pairs
                .map(|(&weight, sum)| f64::from(weight) * sum)
                .sum::<f64>()
                / count
        };
        let mut rows = [&mut self.row, &mut self.second, &mut self.third];
        rows.iter_mut().for_each(|row| row.clear());
        for first in (0..weight.len()).step_by(group) {
            let channels = first..first + group;
            let sum = mean(&self.sums.first, channels.clone());
            let product = mean(&self.sums.second, channels.clone());
            for c in channels {
                let inverse = self.inverse[c];
                rows[0].push((f64::from(weight[c]) * inverse) as f32);
                rows[1].push((-product * inverse * inverse) as f32);
                rows[2].push((-sum * inverse) as f32);
            }
        }
        for (row, to) in rows.iter().zip(&mut self.spread) {
            repeat(row, to);
        }
    }

    /// From the gradient of what came out to that of what came in.
    fn turn<F: Function>(
        &mut self,
        values: &[f32],
        gradient: &mut [f32],
        weight: &[f32],
        group: usize,
        rows: usize,
        function: F,
    ) {
        self.sum_gradients(values, gradient, function);
        self.write_spread(weight, group, rows);
        let [a, b, c] = &self.spread;
        spread(values, gradient, [a, b, c], &self.affine, function);
    }
}

/// Groups of channels, each by its mean and variance over an example's positions.
#[derive(Clone, Debug)]
pub struct GroupNorm {
    channels: usize,
    groups: usize,
    eps: f64,
    function: Pointwise,
    /// Of all examples.
    means: Vec<f64>,
    inverses: Vec<f64>,
    totals: [Vec<f64>; 2],
    state: State,
}

impl GroupNorm {
    /// With what is added to variances.
    pub fn new(channels: usize, groups: usize, eps: f64) -> Self {
        Self {
            channels,
            groups,
            eps,
            function: Pointwise::Identity,
            means: Vec::new(),
            inverses: Vec::new(),
            totals: [Vec::new(), Vec::new()],
            state: State::default(),
        }
    }
}

impl Operation for GroupNorm {
    fn forward(
        &mut self,
        pass: Pass<'_>,
        _: &mut [Vec<f32>],
        _: Option<&mut Stream>,
        output: &mut [f32],
    ) {
        let size = output.len() / pass.batch;
        let group = self.channels / self.groups;
        self.means.clear();
        self.inverses.clear();
        for (values, output) in pass.inputs[0]
            .chunks_exact(size)
            .zip(output.chunks_exact_mut(size))
        {
            let state = &mut self.state;
            state.moments(values, self.channels, group);
            state.invert(self.eps);
            state.write_affine(&pass.parameters[0], &pass.parameters[1]);
            let constants = &state.affine;
            with_function!(self.function, f => affine(values, &constants.scale, &constants.shift, output, f));
            self.means.extend_from_slice(&state.mean);
            self.inverses.extend_from_slice(&state.inverse);
        }
    }

    fn backward(
        &mut self,
        pass: Pass<'_>,
        _output: &[f32],
        gradient: &mut [f32],
        _inputs: &mut [Option<&mut [f32]>],
        parameters: &mut [Vec<f32>],
    ) {
        let (size, channels) = (gradient.len() / pass.batch, self.channels);
        let (group, weight) = (channels / self.groups, &pass.parameters[0]);
        for total in &mut self.totals {
            total.clear();
            total.resize(channels, 0.0);
        }
        let examples = pass.inputs[0]
            .chunks_exact(size)
            .zip(gradient.chunks_exact_mut(size));
        let kept = self
            .means
            .chunks_exact(channels)
            .zip(self.inverses.chunks_exact(channels));
        for ((values, gradient), (means, inverses)) in examples.zip(kept) {
            let state = &mut self.state;
            state.mean.copy_from_slice(means);
            state.inverse.copy_from_slice(inverses);
            state.write_affine(weight, &pass.parameters[1]);
            let rows = size / channels;
            with_function!(self.function, f => state.turn(values, gradient, weight, group, rows, f));
            let sums = [&state.sums.second, &state.sums.first];
            for (total, sums) in self.totals.iter_mut().zip(sums) {
                for (total, sum) in total.iter_mut().zip(sums) {
                    *total += sum;
                }
            }
        }
        for (total, parameter) in self.totals.iter().zip(parameters) {
            narrow(total, parameter);
        }
    }

    fn flow(&self) -> Flow {
        Flow::InPlace
    }

    fn absorb(&mut self, function: Pointwise) -> bool {
        let free = self.function == Pointwise::Identity;
        if free {
            self.function = function;
        }
        free
    }
}
