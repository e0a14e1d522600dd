//! Linear maps of rows.

use super::operation::{Operation, Pass};
use super::sums::column_sums;
use super::windows::{Packed, Run, Windows, outer_product, padded, product, rows};
use crate::random::Stream;

/// Every output sees every input of its row; the weight is `[inputs, outputs]`.
#[derive(Clone, Debug, Default)]
pub struct Linear {
    /// Values of a row.
    inputs: usize,
    outputs: usize,
    biased: bool,
    map: Map,
}

impl Linear {
    /// From rows of `inputs` to rows of `outputs` values.
    pub fn new(inputs: usize, outputs: usize, biased: bool) -> Self {
        Self {
            inputs,
            outputs,
            biased,
            map: Map::default(),
        }
    }
}

impl Operation for Linear {
    fn forward(
        &mut self,
        pass: Pass<'_>,
        _: &mut [Vec<f32>],
        _: Option<&mut Stream>,
        output: &mut [f32],
    ) {
        let bias = self.biased.then(|| &pass.parameters[1][..]);
        let sizes = [self.inputs, self.outputs];
        self.map
            .forward(sizes, pass.inputs[0], &pass.parameters[0], bias, output);
    }

    fn backward(
        &mut self,
        pass: Pass<'_>,
        _output: &[f32],
        gradient: &mut [f32],
        inputs: &mut [Option<&mut [f32]>],
        parameters: &mut [Vec<f32>],
    ) {
        let sizes = [self.inputs, self.outputs];
        self.map
            .weight_gradient(sizes, pass.inputs[0], gradient, &mut parameters[0]);
        if self.biased {
            column_sums(gradient, &mut parameters[1]);
        }
        if let Some(target) = &mut inputs[0] {
            self.map
                .input_gradient(sizes, gradient, &pass.parameters[0], target);
        }
    }
}

/// A linear map with room to work in; sizes are those of a row that comes in and one that comes out.
#[derive(Clone, Debug, Default)]
pub struct Map {
    packed: Packed,
    offsets: Vec<usize>,
    starts: Vec<usize>,
    places: Vec<usize>,
    runs: Vec<Run>,
    gradient: Vec<f32>,
}

impl Map {
    /// `to = x W + b`.
    pub fn forward(
        &mut self,
        [inputs, outputs]: [usize; 2],
        x: &[f32],
        weight: &[f32],
        bias: Option<&[f32]>,
        to: &mut [f32],
    ) {
        fill(&mut self.offsets, inputs, outputs);
        self.packed.fill(weight, &self.offsets, 1, outputs);
        if let Some(bias) = bias {
            self.packed.set_bias(bias);
        }
        self.multiply(x, inputs, to, outputs);
    }

    /// `to = g W^T`.
    pub fn input_gradient(
        &mut self,
        [inputs, outputs]: [usize; 2],
        gradient: &[f32],
        weight: &[f32],
        to: &mut [f32],
    ) {
        fill(&mut self.offsets, outputs, 1);
        self.packed.fill(weight, &self.offsets, outputs, inputs);
        self.multiply(gradient, outputs, to, inputs);
    }

    /// `to = x^T g`.
    pub fn weight_gradient(
        &mut self,
        [inputs, outputs]: [usize; 2],
        x: &[f32],
        gradient: &[f32],
        to: &mut [f32],
    ) {
        let count = x.len() / inputs;
        rows(&mut self.runs, count, [inputs, outputs]);
        let row = padded(outputs);
        self.gradient.clear();
        self.gradient.resize(inputs * row, 0.0);
        outer_product(
            Windows::rows(x, inputs),
            gradient,
            (&self.runs, count),
            outputs,
            &mut self.gradient,
        );
        for (to, from) in to
            .chunks_exact_mut(outputs)
            .zip(self.gradient.chunks_exact(row))
        {
            to.copy_from_slice(&from[..outputs]);
        }
    }

    fn multiply(&mut self, x: &[f32], inputs: usize, to: &mut [f32], outputs: usize) {
        let rows = x.len() / inputs;
        fill(&mut self.starts, rows, inputs);
        fill(&mut self.places, rows, outputs);
        product(
            Windows::rows(x, inputs),
            &self.starts,
            &self.packed,
            to,
            &self.places,
            false,
        );
    }
}

fn fill(to: &mut Vec<usize>, count: usize, step: usize) {
    to.clear();
    to.extend((0..count).map(|index| index * step));
}
