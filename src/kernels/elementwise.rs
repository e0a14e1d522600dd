//! Operations on each value by itself, and those that only move values.

use super::columns::{affine, mask};
use super::functions::{self, Function, Pointwise, with_function};
use super::operation::{Flow, Keeps, Operation, Pass, Plain};
use super::simd::vectorised;
use super::sums::{add, add_to};
use crate::random::Stream;

/// A function of each value.
#[derive(Clone, Copy, Debug)]
pub struct Apply(pub Pointwise);

impl Operation for Apply {
    fn forward(
        &mut self,
        pass: Pass<'_>,
        _: &mut [Vec<f32>],
        _: Option<&mut Stream>,
        output: &mut [f32],
    ) {
        with_function!(self.0, f => map(pass.inputs[0], output, f));
    }

    fn backward(
        &mut self,
        pass: Pass<'_>,
        output: &[f32],
        gradient: &mut [f32],
        _inputs: &mut [Option<&mut [f32]>],
        _parameters: &mut [Vec<f32>],
    ) {
        match self.0 {
            Pointwise::Relu => mask(output, gradient),
            function => with_function!(function, f => slopes(pass.inputs[0], gradient, f)),
        }
    }

    fn flow(&self) -> Flow {
        Flow::InPlace
    }

    fn keeps(&self) -> Keeps {
        match self.0 {
            Pointwise::Relu => Keeps::Output,
            _ => Keeps::Inputs,
        }
    }

    fn pointwise(&self) -> Option<Pointwise> {
        Some(self.0)
    }

    fn preserves_zeros(&self) -> bool {
        let mut values = [0.0];
        with_function!(self.0, f => apply(&mut values, f));
        values == [0.0]
    }
}

vectorised! {
    /// `to = function(values)`.
    fn map<'a, F: Function>(m: impl Arithmetic, values: &'a [f32], to: &'a mut [f32], function: F) {
        for (to, &value) in to.iter_mut().zip(values) {
            *to = function.value(m, value);
        }
    }
}

vectorised! {
    /// `gradient = gradient function'(values)`.
    fn slopes<'a, F: Function>(m: impl Arithmetic, values: &'a [f32], gradient: &'a mut [f32], function: F) {
        for (gradient, &value) in gradient.iter_mut().zip(values) {
            *gradient *= function.slope(m, value);
        }
    }
}

/// The input itself, in another form.
#[derive(Clone, Copy, Debug)]
pub struct Same;

impl Plain for Same {
    fn values(&mut self, pass: Pass<'_>, output: &mut [f32]) {
        output.copy_from_slice(pass.inputs[0]);
    }

    fn gradients(
        &mut self,
        _pass: Pass<'_>,
        gradient: &mut [f32],
        inputs: &mut [Option<&mut [f32]>],
    ) {
        if let Some(target) = &mut inputs[0] {
            target.copy_from_slice(gradient);
        }
    }

    fn flow(&self) -> Flow {
        Flow::Same
    }

    fn preserves_zeros(&self) -> bool {
        true
    }
}

/// The sum of all inputs.
#[derive(Clone, Copy, Debug)]
pub struct Sum;

impl Plain for Sum {
    fn values(&mut self, pass: Pass<'_>, output: &mut [f32]) {
        match pass.inputs {
            [] => output.fill(0.0),
            [one] => output.copy_from_slice(one),
            [first, second, others @ ..] => {
                add(first, second, output);
                others.iter().for_each(|other| add_to(output, other));
            }
        }
    }

    fn gradients(
        &mut self,
        _pass: Pass<'_>,
        gradient: &mut [f32],
        inputs: &mut [Option<&mut [f32]>],
    ) {
        for target in inputs.iter_mut().flatten() {
            target.copy_from_slice(gradient);
        }
    }

    fn flow(&self) -> Flow {
        Flow::Sums
    }

    fn preserves_zeros(&self) -> bool {
        true
    }
}

/// Zeros.
#[derive(Clone, Copy, Debug)]
pub struct Zeros;

impl Plain for Zeros {
    fn values(&mut self, _: Pass<'_>, output: &mut [f32]) {
        output.fill(0.0);
    }

    fn gradients(
        &mut self,
        _pass: Pass<'_>,
        _gradient: &mut [f32],
        inputs: &mut [Option<&mut [f32]>],
    ) {
        for target in inputs.iter_mut().flatten() {
            target.fill(0.0);
        }
    }

    fn flow(&self) -> Flow {
        Flow::Constant
    }
}

/// The channels of all inputs, position by position.
#[derive(Clone, Debug)]
pub struct Concatenate {
    /// Channels of each input.
    pub channels: Vec<usize>,
}

impl Plain for Concatenate {
    fn values(&mut self, pass: Pass<'_>, output: &mut [f32]) {
        let total: usize = self.channels.iter().sum();
        let mut first = 0;
        for (input, &channels) in pass.inputs.iter().zip(&self.channels) {
            for (row, values) in output
                .chunks_exact_mut(total)
                .zip(input.chunks_exact(channels))
            {
                row[first..first + channels].copy_from_slice(values);
            }
            first += channels;
        }
    }

    fn gradients(
        &mut self,
        _pass: Pass<'_>,
        gradient: &mut [f32],
        inputs: &mut [Option<&mut [f32]>],
    ) {
        let total: usize = self.channels.iter().sum();
        let mut first = 0;
        for (target, &channels) in inputs.iter_mut().zip(&self.channels) {
            if let Some(target) = target {
                for (row, values) in gradient
                    .chunks_exact(total)
                    .zip(target.chunks_exact_mut(channels))
                {
                    values.copy_from_slice(&row[first..first + channels]);
                }
            }
            first += channels;
        }
    }

    fn preserves_zeros(&self) -> bool {
        true
    }
}

/// Each example's rows as columns.
#[derive(Clone, Copy, Debug)]
pub struct Transpose {
    /// Rows that come in.
    pub rows: usize,
    /// Values of a row that comes in.
    pub columns: usize,
}

impl Plain for Transpose {
    fn values(&mut self, pass: Pass<'_>, output: &mut [f32]) {
        transpose(pass.inputs[0], output, self.rows, self.columns);
    }

    fn gradients(
        &mut self,
        _pass: Pass<'_>,
        gradient: &mut [f32],
        inputs: &mut [Option<&mut [f32]>],
    ) {
        if let Some(target) = &mut inputs[0] {
            transpose(gradient, target, self.columns, self.rows);
        }
    }

    fn flow(&self) -> Flow {
        match self.rows == 1 || self.columns == 1 {
            true => Flow::Same,
            false => Flow::Computes,
        }
    }

    fn preserves_zeros(&self) -> bool {
        true
    }
}

/// Transposes matrices of `rows` rows that lie one after the other.
pub fn transpose(from: &[f32], to: &mut [f32], rows: usize, columns: usize) {
    let size = (rows * columns).max(1);
    for (from, to) in from.chunks_exact(size).zip(to.chunks_exact_mut(size)) {
        for (column, to) in to.chunks_exact_mut(rows).enumerate() {
            for (to, row) in to.iter_mut().zip(from.chunks_exact(columns)) {
                *to = row[column];
            }
        }
    }
}

/// What shares a factor of a mask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shared {
    /// Nothing: each value has its own.
    Nothing,
    /// The positions of a channel.
    Positions,
    /// The values of an example.
    Examples,
}

/// Random numbers for the values of a batch.
#[derive(Clone, Debug)]
pub struct Draws {
    /// What has a number in common.
    pub shared: Shared,
    /// Positions of an example.
    pub positions: usize,
    /// Values of a position.
    pub channels: usize,
    /// A probability or a deviation; where it is zero, nothing is drawn.
    pub amount: f64,
    /// Gives this many numbers of this amount, channels before positions.
    pub draw: fn(&mut Stream, usize, f64) -> Vec<f32>,
}

impl Draws {
    /// A number for each value, as values lie.
    fn fill(&self, batch: usize, stream: &mut Stream, to: &mut Vec<f32>) {
        let size = self.positions * self.channels;
        to.clear();
        match self.shared {
            Shared::Nothing => {
                let drawn = (self.draw)(stream, batch * size, self.amount);
                to.resize(drawn.len(), 0.0);
                transpose(&drawn, to, self.channels, self.positions);
            }
            Shared::Positions => {
                let drawn = (self.draw)(stream, batch * self.channels, self.amount);
                for example in drawn.chunks_exact(self.channels) {
                    (0..self.positions).for_each(|_| to.extend_from_slice(example));
                }
            }
            Shared::Examples => {
                for number in (self.draw)(stream, batch, self.amount) {
                    to.extend(std::iter::repeat_n(number, size));
                }
            }
        }
    }
}

/// Values times random factors, in training.
#[derive(Clone, Debug)]
pub struct Masked {
    draws: Draws,
    /// Factors as values lie; empty where nothing was drawn.
    mask: Vec<f32>,
}

impl Masked {
    /// By these factors.
    pub fn new(draws: Draws) -> Self {
        Self {
            draws,
            mask: Vec::new(),
        }
    }
}

impl Operation for Masked {
    fn forward(
        &mut self,
        pass: Pass<'_>,
        _: &mut [Vec<f32>],
        noise: Option<&mut Stream>,
        output: &mut [f32],
    ) {
        self.mask.clear();
        match noise {
            Some(stream) if self.draws.amount != 0.0 => {
                self.draws.fill(pass.batch, stream, &mut self.mask);
                multiply(pass.inputs[0], &self.mask, output);
            }
            _ => output.copy_from_slice(pass.inputs[0]),
        }
    }

    fn backward(
        &mut self,
        _pass: Pass<'_>,
        _output: &[f32],
        gradient: &mut [f32],
        _inputs: &mut [Option<&mut [f32]>],
        _parameters: &mut [Vec<f32>],
    ) {
        if !self.mask.is_empty() {
            multiply_by(gradient, &self.mask);
        }
    }

    fn keeps(&self) -> Keeps {
        Keeps::Nothing
    }

    fn flow(&self) -> Flow {
        Flow::InPlace
    }
}

/// Values plus random numbers, in training.
#[derive(Clone, Debug)]
pub struct Noisy(pub Draws);

impl Operation for Noisy {
    fn forward(
        &mut self,
        pass: Pass<'_>,
        _: &mut [Vec<f32>],
        noise: Option<&mut Stream>,
        output: &mut [f32],
    ) {
        match noise {
            Some(stream) if self.0.amount != 0.0 => {
                let mut drawn = Vec::new();
                self.0.fill(pass.batch, stream, &mut drawn);
                add(pass.inputs[0], &drawn, output);
            }
            _ => output.copy_from_slice(pass.inputs[0]),
        }
    }

    fn backward(
        &mut self,
        _pass: Pass<'_>,
        _output: &[f32],
        _gradient: &mut [f32],
        _inputs: &mut [Option<&mut [f32]>],
        _parameters: &mut [Vec<f32>],
    ) {
        // The gradient stays as it is.
    }

    fn keeps(&self) -> Keeps {
        Keeps::Nothing
    }

    fn flow(&self) -> Flow {
        Flow::InPlace
    }
}

vectorised! {
    /// `to = a b`.
    fn multiply<'a>(a: &'a [f32], b: &'a [f32], to: &'a mut [f32]) {
        for (to, (a, b)) in to.iter_mut().zip(a.iter().zip(b)) {
            *to = a * b;
        }
    }
}

vectorised! {
    /// `to *= factors`.
    fn multiply_by<'a>(to: &'a mut [f32], factors: &'a [f32]) {
        for (to, factor) in to.iter_mut().zip(factors) {
            *to *= factor;
        }
    }
}

vectorised! {
    /// `values = function(values)`.
    pub(super) fn apply<'a, F: Function>(m: impl Arithmetic, values: &'a mut [f32], function: F) {
        for value in values {
            *value = function.value(m, *value);
        }
    }
}

/// `to = values` times a factor for each channel.
pub(super) fn scale_channels(values: &[f32], factors: &[f32], zeros: &[f32], to: &mut [f32]) {
    affine(values, factors, zeros, to, functions::Identity);
}
