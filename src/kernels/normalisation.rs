//! Normalisation by the statistics of a batch, of groups of channels or of each position, with the function that
//! follows.

use super::columns::{Affine, Sums, affine, repeat, spread};
use super::functions::{self, Function, Pointwise, with_function};
use super::operation::{Operation, Pass};
use crate::random::Stream;

/// Each channel by its mean and variance over the batch; at inference by running ones.
#[derive(Clone, Debug)]
pub struct BatchNorm {
    channels: usize,
    momentum: f64,
    eps: f64,
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
    spread: [Vec<f32>; 3],
}

impl BatchNorm {
    /// With the newest batch's share in running statistics, and what is added to variances.
    pub fn new(channels: usize, momentum: f64, eps: f64) -> Self {
        Self {
            channels,
            momentum,
            eps,
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
        let constants = &state.affine;
        with_function!(self.function, f => affine(values, &constants.scale, &constants.shift, output, f));
    }

    fn backward(
        &mut self,
        pass: Pass<'_>,
        _output: &[f32],
        gradient: &mut [f32],
        inputs: &mut [Option<&mut [f32]>],
        parameters: &mut [Vec<f32>],
    ) {
        let (values, state) = (pass.inputs[0], &mut self.state);
        with_function!(self.function, f => state.gradients(values, gradient, self.channels, f));
        let [weight, bias] = parameters else {
            unreachable!("a weight and a bias")
        };
        narrow(&state.sums.second, weight);
        narrow(&state.sums.first, bias);
        if let Some(target) = &mut inputs[0] {
            let rows = values.len() / self.channels;
            state.spread(values, gradient, &pass.parameters[0], 1, rows, target);
        }
    }

    fn absorb(&mut self, function: Pointwise) -> bool {
        let free = self.function == Pointwise::Identity;
        if free {
            self.function = function;
        }
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

    fn write_affine(&mut self, weight: &[f32], bias: &[f32]) {
        let mut row = std::mem::take(&mut self.row);
        let mut write = |to: &mut Vec<f32>, value: &dyn Fn(usize) -> f64| {
            row.clear();
            row.extend((0..weight.len()).map(|channel| value(channel) as f32));
            repeat(&row, to);
        };
        let (mean, inverse) = (&self.mean, &self.inverse);
        let scale = |c: usize| f64::from(weight[c]) * inverse[c];
        write(&mut self.affine.scale, &scale);
        write(&mut self.affine.shift, &|c| {
            f64::from(bias[c]) - mean[c] * scale(c)
        });
        write(&mut self.affine.mean, &|c| mean[c]);
        write(&mut self.affine.inverse, &|c| inverse[c]);
        self.row = row;
    }

    fn gradients<F: Function>(
        &mut self,
        values: &[f32],
        gradient: &mut [f32],
        channels: usize,
        function: F,
    ) {
        self.sums
            .gradients(channels, values, gradient, &self.affine, function);
    }

    /// The gradient of the values, normalised by groups of `group` channels over `rows` rows.
    fn spread(
        &mut self,
        values: &[f32],
        gradient: &[f32],
        weight: &[f32],
        group: usize,
        rows: usize,
        target: &mut [f32],
    ) {
        let count = (rows * group) as f64;
        let mut constants = [Vec::new(), Vec::new(), Vec::new()];
        for first in (0..weight.len()).step_by(group) {
            let channels = first..first + group;
            let sum = |sums: &[f64]| {
                channels
                    .clone()
                    .map(|c| f64::from(weight[c]) * sums[c])
                    .sum::<f64>()
                    / count
            };
            let (mean, product) = (sum(&self.sums.first), sum(&self.sums.second));
            for c in channels.clone() {
                let inverse = self.inverse[c];
                constants[0].push((f64::from(weight[c]) * inverse) as f32);
                constants[1].push((-product * inverse * inverse) as f32);
                constants[2].push((-mean * inverse) as f32);
            }
        }
        for (constant, to) in constants.iter().zip(&mut self.spread) {
            repeat(constant, to);
        }
        let [a, b, c] = &self.spread;
        spread(values, gradient, [a, b, c, &self.affine.mean], target);
    }
}

/// Groups of channels, each by its mean and variance over an example's positions.
#[derive(Clone, Debug)]
pub struct GroupNorm {
    channels: usize,
    groups: usize,
    eps: f64,
    function: Pointwise,
    examples: Vec<(Vec<f64>, Vec<f64>)>,
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
            examples: Vec::new(),
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
        self.examples.clear();
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
            self.examples
                .push((state.mean.clone(), state.inverse.clone()));
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
        let size = gradient.len() / pass.batch;
        let group = self.channels / self.groups;
        let mut totals = [vec![0.0; self.channels], vec![0.0; self.channels]];
        let examples = pass.inputs[0]
            .chunks_exact(size)
            .zip(gradient.chunks_exact_mut(size));
        for (index, (values, gradient)) in examples.enumerate() {
            let state = &mut self.state;
            (state.mean, state.inverse) = std::mem::take(&mut self.examples[index]);
            state.write_affine(&pass.parameters[0], &pass.parameters[1]);
            with_function!(self.function, f => state.gradients(values, gradient, self.channels, f));
            for (total, sums) in totals
                .iter_mut()
                .zip([&state.sums.second, &state.sums.first])
            {
                for (total, sum) in total.iter_mut().zip(sums) {
                    *total += sum;
                }
            }
            if let Some(target) = &mut inputs[0] {
                let target = &mut target[index * size..(index + 1) * size];
                state.spread(
                    values,
                    gradient,
                    &pass.parameters[0],
                    group,
                    size / self.channels,
                    target,
                );
            }
        }
        for (total, parameter) in totals.iter().zip(parameters) {
            narrow(total, parameter);
        }
    }

    fn absorb(&mut self, function: Pointwise) -> bool {
        let free = self.function == Pointwise::Identity;
        if free {
            self.function = function;
        }
        free
    }
}
