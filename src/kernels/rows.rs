//! Operations on the features of a row: normalisation, gates, positions.

use super::functions::{self, Function, Pointwise, with_function};
use super::operation::{Flow, Keeps, Operation, Pass, Plain};
use super::simd::vectorised;
use super::sums::add_to;
use crate::random::Stream;

/// Values that are summed up side by side.
const LANES: usize = 16;

/// Rows whose gradients are summed up in 32 bits before they are added to 64.
const RUN: usize = 64;

/// The sum of a function of `count` indices, in an order that depends on nothing but their number.
#[inline(always)]
pub(super) fn sum_over(count: usize, value: impl Fn(usize) -> f32) -> f32 {
    let mut lanes = [0.0f32; LANES];
    let whole = count / LANES * LANES;
    let mut first = 0;
    while first < whole {
        for (lane, sum) in lanes.iter_mut().enumerate() {
            *sum += value(first + lane);
        }
        first += LANES;
    }
    for (lane, sum) in lanes.iter_mut().enumerate().take(count - whole) {
        *sum += value(whole + lane);
    }
    let mut half = LANES / 2;
    while half > 0 {
        for lane in 0..half {
            lanes[lane] += lanes[lane + half];
        }
        half /= 2;
    }
    lanes[0]
}

/// Each row by its own mean and variance.
#[derive(Clone, Debug)]
pub struct LayerNorm {
    width: usize,
    eps: f64,
    /// Mean and one by the standard deviation of each row.
    rows: Vec<[f32; 2]>,
    totals: [Vec<f64>; 2],
}

impl LayerNorm {
    /// Of rows of `width` values, with what is added to variances.
    pub fn new(width: usize, eps: f64) -> Self {
        Self {
            width,
            eps,
            rows: Vec::new(),
            totals: [Vec::new(), Vec::new()],
        }
    }
}

impl Operation for LayerNorm {
    fn forward(
        &mut self,
        pass: Pass<'_>,
        _: &mut [Vec<f32>],
        _: Option<&mut Stream>,
        output: &mut [f32],
    ) {
        self.rows.resize(output.len() / self.width, [0.0; 2]);
        let affine = [&pass.parameters[0][..], &pass.parameters[1]];
        normalise(
            pass.inputs[0],
            affine,
            self.eps as f32,
            &mut self.rows,
            output,
        );
    }

    fn backward(
        &mut self,
        pass: Pass<'_>,
        _output: &[f32],
        gradient: &mut [f32],
        _inputs: &mut [Option<&mut [f32]>],
        parameters: &mut [Vec<f32>],
    ) {
        let width = self.width;
        for total in &mut self.totals {
            total.clear();
            total.resize(width, 0.0);
        }
        let mut parts = [vec![0.0f32; width], vec![0.0f32; width]];
        let runs = pass.inputs[0]
            .chunks(RUN * width)
            .zip(gradient.chunks(RUN * width));
        for ((values, gradient), rows) in runs.zip(self.rows.chunks(RUN)) {
            parts.iter_mut().for_each(|part| part.fill(0.0));
            let [weight, bias] = &mut parts;
            affine_gradients(values, gradient, rows, weight, bias);
            for (total, part) in self.totals.iter_mut().zip(&parts) {
                for (total, &part) in total.iter_mut().zip(part) {
                    *total += f64::from(part);
                }
            }
        }
        for (parameter, total) in parameters.iter_mut().zip(&self.totals) {
            for (to, &total) in parameter.iter_mut().zip(total) {
                *to = total as f32;
            }
        }
        normalise_back(pass.inputs[0], gradient, &pass.parameters[0], &self.rows);
    }

    fn flow(&self) -> Flow {
        Flow::InPlace
    }
}

vectorised! {
    fn normalise<'a>(
        values: &'a [f32], affine: [&'a [f32]; 2], eps: f32, rows: &'a mut [[f32; 2]], to: &'a mut [f32],
    ) {
        let [weight, bias] = affine;
        let width = weight.len();
        let bias = &bias[..width];
        for ((row, to), kept) in values.chunks_exact(width).zip(to.chunks_exact_mut(width)).zip(rows) {
            let mean = sum_over(width, |i| row[i]) / width as f32;
            let variance = sum_over(width, |i| (row[i] - mean) * (row[i] - mean)) / width as f32;
            let inverse = 1.0 / (variance + eps).sqrt();
            *kept = [mean, inverse];
            for i in 0..width {
                to[i] = (row[i] - mean) * inverse * weight[i] + bias[i];
            }
        }
    }
}

vectorised! {
    fn affine_gradients<'a>(
        values: &'a [f32], gradient: &'a [f32], rows: &'a [[f32; 2]], weight: &'a mut [f32], bias: &'a mut [f32],
    ) {
        let width = weight.len();
        let bias = &mut bias[..width];
        let pairs = values.chunks_exact(width).zip(gradient.chunks_exact(width));
        for ((row, gradient), &[mean, inverse]) in pairs.zip(rows) {
            for i in 0..width {
                weight[i] += gradient[i] * (row[i] - mean) * inverse;
                bias[i] += gradient[i];
            }
        }
    }
}

vectorised! {
    fn normalise_back<'a>(
        values: &'a [f32], gradient: &'a mut [f32], weight: &'a [f32], rows: &'a [[f32; 2]],
    ) {
        let width = weight.len();
        let pairs = values.chunks_exact(width).zip(gradient.chunks_exact_mut(width));
        for ((row, gradient), &[mean, inverse]) in pairs.zip(rows) {
            for i in 0..width {
                gradient[i] *= weight[i];
            }
            let first = sum_over(width, |i| gradient[i]) / width as f32;
            let second = sum_over(width, |i| gradient[i] * (row[i] - mean)) * inverse / width as f32;
            for i in 0..width {
                gradient[i] = inverse * (gradient[i] - first - (row[i] - mean) * inverse * second);
            }
        }
    }
}

/// The first half of each row, times a function of the second.
#[derive(Clone, Copy, Debug)]
pub struct Gated {
    /// Values of a row that comes out.
    pub width: usize,
    /// The function.
    pub gate: Pointwise,
}

impl Plain for Gated {
    fn values(&mut self, pass: Pass<'_>, output: &mut [f32]) {
        with_function!(self.gate, f => gate(pass.inputs[0], self.width, output, f));
    }

    fn gradients(
        &mut self,
        pass: Pass<'_>,
        gradient: &mut [f32],
        inputs: &mut [Option<&mut [f32]>],
    ) {
        if let Some(target) = &mut inputs[0] {
            with_function!(self.gate, f => gate_back(pass.inputs[0], self.width, gradient, target, f));
        }
    }

    fn keeps_inputs(&self) -> bool {
        true
    }
}

vectorised! {
    fn gate<'a, F: Function>(m: impl Arithmetic, values: &'a [f32], width: usize, to: &'a mut [f32], function: F) {
        for (row, to) in values.chunks_exact(2 * width).zip(to.chunks_exact_mut(width)) {
            let (a, b) = row.split_at(width);
            for (to, (a, b)) in to.iter_mut().zip(a.iter().zip(b)) {
                *to = a * function.value(m, *b);
            }
        }
    }
}

vectorised! {
    fn gate_back<'a, F: Function>(
        m: impl Arithmetic,
        values: &'a [f32],
        width: usize,
        gradient: &'a [f32],
        to: &'a mut [f32],
        function: F,
    ) {
        let rows = values.chunks_exact(2 * width).zip(gradient.chunks_exact(width));
        for ((row, gradient), to) in rows.zip(to.chunks_exact_mut(2 * width)) {
            let (a, b) = row.split_at(width);
            let (da, db) = to.split_at_mut(width);
            for i in 0..width {
                da[i] = gradient[i] * function.value(m, b[i]);
                db[i] = gradient[i] * a[i] * function.slope(m, b[i]);
            }
        }
    }
}

/// What is added to every example: a parameter, or a constant.
#[derive(Clone, Debug)]
pub struct AddToExamples {
    /// The constant; the first parameter where there is none.
    pub constant: Option<Vec<f32>>,
}

impl Operation for AddToExamples {
    fn forward(
        &mut self,
        pass: Pass<'_>,
        _: &mut [Vec<f32>],
        _: Option<&mut Stream>,
        output: &mut [f32],
    ) {
        let added = self
            .constant
            .as_ref()
            .unwrap_or_else(|| &pass.parameters[0]);
        output.copy_from_slice(pass.inputs[0]);
        output
            .chunks_exact_mut(added.len())
            .for_each(|example| add_to(example, added));
    }

    fn backward(
        &mut self,
        _pass: Pass<'_>,
        _output: &[f32],
        gradient: &mut [f32],
        _inputs: &mut [Option<&mut [f32]>],
        parameters: &mut [Vec<f32>],
    ) {
        if let [parameter] = parameters {
            parameter.fill(0.0);
            let size = parameter.len();
            gradient
                .chunks_exact(size)
                .for_each(|example| add_to(parameter, example));
        }
    }

    fn keeps(&self) -> Keeps {
        Keeps::Nothing
    }

    fn flow(&self) -> Flow {
        Flow::InPlace
    }
}

/// A learned vector for each token.
#[derive(Clone, Copy, Debug)]
pub struct Embedding {
    /// Values of a vector.
    pub width: usize,
}

impl Operation for Embedding {
    fn forward(
        &mut self,
        pass: Pass<'_>,
        _: &mut [Vec<f32>],
        _: Option<&mut Stream>,
        output: &mut [f32],
    ) {
        for (row, &token) in output.chunks_exact_mut(self.width).zip(pass.inputs[0]) {
            let first = token as usize * self.width;
            row.copy_from_slice(&pass.parameters[0][first..first + self.width]);
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
        parameters[0].fill(0.0);
        for (row, &token) in gradient.chunks_exact(self.width).zip(pass.inputs[0]) {
            let first = token as usize * self.width;
            for (to, value) in parameters[0][first..first + self.width].iter_mut().zip(row) {
                *to += value;
            }
        }
    }
}
