//! Linear maps of rows.

use super::operation::{Operation, Pass};
use super::room::{Room, with_room, zeros};
use super::sums::column_sums;
use super::windows::{Run, Windows, outer_product, padded, product, rows};
use crate::random::Stream;

/// Every output sees every input of its row; the weight is `[inputs, outputs]`.
#[derive(Clone, Debug)]
pub struct Linear {
    map: Map,
    biased: bool,
}

impl Linear {
    /// From rows of `inputs` to rows of `outputs` values.
    pub fn new(inputs: usize, outputs: usize, biased: bool) -> Self {
        Self {
            map: Map([inputs, outputs]),
            biased,
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
        self.map
            .forward(pass.inputs[0], &pass.parameters[0], bias, output);
    }

    fn backward(
        &mut self,
        pass: Pass<'_>,
        _output: &[f32],
        gradient: &mut [f32],
        inputs: &mut [Option<&mut [f32]>],
        parameters: &mut [Vec<f32>],
    ) {
        self.map
            .weight_gradient(pass.inputs[0], gradient, &mut parameters[0]);
        if self.biased {
            column_sums(gradient, &mut parameters[1]);
        }
        if let Some(target) = &mut inputs[0] {
            self.map
                .input_gradient(gradient, &pass.parameters[0], target);
        }
    }

    fn preserves_zeros(&self) -> bool {
        !self.biased
    }
}

/// A linear map: values of a row that comes in and of one that comes out.
#[derive(Clone, Copy, Debug)]
pub struct Map(pub [usize; 2]);

impl Map {
    /// `to = x W + b`.
    pub fn forward(self, x: &[f32], weight: &[f32], bias: Option<&[f32]>, to: &mut [f32]) {
        let Self([inputs, outputs]) = self;
        with_room(|room| {
            let offsets = (0..inputs).map(|k| k * outputs);
            room.packed.fill(weight, offsets, 1, outputs);
            if let Some(bias) = bias {
                room.packed.set_bias(bias);
            }
            multiply(room, x, inputs, to);
        });
    }

    /// `to = g W^T`.
    pub fn input_gradient(self, gradient: &[f32], weight: &[f32], to: &mut [f32]) {
        let Self([inputs, outputs]) = self;
        with_room(|room| {
            room.packed.fill(weight, 0..outputs, outputs, inputs);
            multiply(room, gradient, outputs, to);
        });
    }

    /// `to = x^T g`.
    pub fn weight_gradient(self, x: &[f32], gradient: &[f32], to: &mut [f32]) {
        let Self([inputs, outputs]) = self;
        with_room(|Room { runs, sums, .. }| {
            let count = x.len() / inputs;
            rows(runs, count, [inputs, outputs]);
            let windows = Windows::rows(x, inputs);
            weight_gradient(
                windows,
                gradient,
                (runs, count),
                sums,
                outputs,
                (to, outputs),
            );
        });
    }
}

/// The products of windows' values with their gradients of `outputs` values, summed up in `sums`: a row for each value,
/// written to rows that are so far apart.
pub fn weight_gradient(
    windows: Windows<'_>,
    gradient: &[f32],
    runs: (&[Run], usize),
    sums: &mut Vec<f32>,
    outputs: usize,
    (to, stride): (&mut [f32], usize),
) {
    let row = padded(outputs);
    zeros(sums, windows.length * row);
    outer_product(windows, gradient, runs, outputs, sums);
    for (to, sums) in to.chunks_mut(stride).zip(sums.chunks_exact(row)) {
        to[..outputs].copy_from_slice(&sums[..outputs]);
    }
}

/// `to = x P`, rows of `inputs` values times the packed matrix.
fn multiply(room: &mut Room, x: &[f32], inputs: usize, to: &mut [f32]) {
    let count = x.len() / inputs;
    rows(&mut room.runs, count, [inputs, room.packed.outputs()]);
    let runs = (&room.runs[..], count);
    product(Windows::rows(x, inputs), runs, &room.packed, to, false);
}
