//! Convolutions over images and signals whose channels come last.

use super::depthwise::Depthwise;
use super::geometry::Geometry;
use super::operation::{Operation, Pass};
use super::pathway::Pathway;
use super::room::{Room, with_room, zeros};
use super::windows::padded;
use super::winograd::winograd;
use crate::random::Stream;

/// A convolution as its definition says it; weights are `[filters, channels of a group, rows, columns]`.
#[derive(Clone, Debug)]
pub struct Convolution {
    geometry: Geometry,
    biased: bool,
    forward: Pathway,
    backward: Pathway,
}

/// The operation for a geometry that is supported.
pub fn convolution(geometry: Geometry, biased: bool) -> Box<dyn Operation> {
    if geometry.groups > 1
        && geometry.groups == geometry.channels
        && geometry.filters == geometry.channels
    {
        return Box::new(Depthwise::new(geometry, biased));
    }
    winograd(geometry, biased).unwrap_or_else(|| Box::new(Convolution::new(geometry, biased)))
}

impl Convolution {
    pub(super) fn new(geometry: Geometry, biased: bool) -> Self {
        let (channels, filters) = (geometry.channels_of_group(), geometry.filters_of_group());
        let forward = Pathway::new(
            geometry.forward(),
            geometry.channels,
            channels,
            geometry.filters,
        );
        let backward = Pathway::new(
            geometry.backward(),
            geometry.filters,
            filters,
            geometry.channels,
        );
        Self {
            geometry,
            biased,
            forward,
            backward,
        }
    }

    /// Where the weights of a group begin.
    fn weights_of_group(&self, group: usize) -> usize {
        let g = &self.geometry;
        group * g.filters_of_group() * g.channels_of_group() * g.taps()
    }

    /// Where a window's weights lie in a filter, in the order of reading.
    fn offsets(&self) -> Vec<usize> {
        let (channels, taps) = (self.geometry.channels_of_group(), self.geometry.taps());
        let of_tap = |&tap: &usize| (0..channels).map(move |channel| channel * taps + tap);
        let class = &self.forward.reading.classes[0];
        class.taps.iter().flat_map(of_tap).collect()
    }

    fn input_gradient(
        &mut self,
        room: &mut Room,
        weights: &[f32],
        batch: usize,
        gradient: &[f32],
        target: &mut [f32],
    ) {
        let g = self.geometry;
        let (channels, filters, taps) = (g.channels_of_group(), g.filters_of_group(), g.taps());
        for group in 0..g.groups {
            for class in 0..self.backward.reading.classes.len() {
                let of_tap =
                    |&tap: &usize| (0..filters).map(move |filter| filter * channels * taps + tap);
                let kernel = &self.backward.reading.classes[class].taps;
                let offsets: Vec<usize> = kernel.iter().flat_map(of_tap).collect();
                let weights = &weights[self.weights_of_group(group)..];
                let offsets = offsets.into_iter();
                room.packed.fill(weights, offsets, taps, channels);
                self.backward
                    .product(room, (group, class), batch, gradient, target);
            }
        }
    }

    fn weight_gradient(
        &mut self,
        room: &mut Room,
        batch: usize,
        input: &[f32],
        gradient: &[f32],
        target: &mut [f32],
    ) {
        let g = self.geometry;
        let (channels, filters, taps) = (g.channels_of_group(), g.filters_of_group(), g.taps());
        let offsets = self.offsets();
        let row = padded(filters);
        for group in 0..g.groups {
            zeros(&mut room.sums, offsets.len() * row);
            self.forward
                .outer_product(room, group, batch, input, (gradient, filters));
            let target = &mut target[self.weights_of_group(group)..];
            for (&offset, row) in offsets.iter().zip(room.sums.chunks_exact(row)) {
                for (filter, &value) in row[..filters].iter().enumerate() {
                    target[filter * channels * taps + offset] = value;
                }
            }
        }
    }
}

impl Operation for Convolution {
    fn forward(
        &mut self,
        pass: Pass<'_>,
        _: &mut [Vec<f32>],
        _: Option<&mut Stream>,
        output: &mut [f32],
    ) {
        let g = self.geometry;
        let filters = g.filters_of_group();
        let offsets = self.offsets();
        let stride = g.channels_of_group() * g.taps();
        with_room(|room| {
            for group in 0..g.groups {
                let weights = &pass.parameters[0][self.weights_of_group(group)..];
                let offsets = offsets.iter().copied();
                room.packed.fill(weights, offsets, stride, filters);
                if self.biased {
                    let numbers = group * filters..(group + 1) * filters;
                    room.packed.set_bias(&pass.parameters[1][numbers]);
                }
                self.forward
                    .product(room, (group, 0), pass.batch, pass.inputs[0], output);
            }
        });
    }

    fn backward(
        &mut self,
        pass: Pass<'_>,
        _output: &[f32],
        gradient: &mut [f32],
        inputs: &mut [Option<&mut [f32]>],
        parameters: &mut [Vec<f32>],
    ) {
        let (batch, input) = (pass.batch, pass.inputs[0]);
        if self.biased {
            super::sums::column_sums(gradient, &mut parameters[1]);
        }
        with_room(|room| {
            self.weight_gradient(room, batch, input, gradient, &mut parameters[0]);
            if let Some(target) = &mut inputs[0] {
                self.input_gradient(room, &pass.parameters[0], batch, gradient, target);
            }
        });
    }

    fn preserves_zeros(&self) -> bool {
        !self.biased
    }
}
