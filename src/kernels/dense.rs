//! Linear maps of rows.

use super::operation::{Operation, Pass};
use super::room::{Room, with_room, zeros};
use super::sums::column_sums;
use super::windows::{Windows, outer_product, padded, product, rows};
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
        with_room(|room| {
            let (count, row) = (x.len() / inputs, padded(outputs));
            rows(&mut room.runs, count, [inputs, outputs]);
            zeros(&mut room.sums, inputs * row);
            outer_product(
                Windows::rows(x, inputs),
                gradient,
                (&room.runs, count),
                outputs,
                &mut room.sums,
            );
            let sums = room.sums.chunks_exact(row);
            for (to, from) in to.chunks_exact_mut(outputs).zip(sums) {
                to.copy_from_slice(&from[..outputs]);
            }
        });
    }
}

/// `to = x P`, rows of `inputs` values times the packed matrix.
fn multiply(room: &mut Room, x: &[f32], inputs: usize, to: &mut [f32]) {
    let count = x.len() / inputs;
    rows(&mut room.runs, count, [inputs, room.packed.outputs()]);
    let runs = (&room.runs[..], count);
    product(Windows::rows(x, inputs), runs, &room.packed, to, false);
}
