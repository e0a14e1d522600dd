//! Squeeze and excitation: channels scaled by a small network of their means.

use super::dense::Map;
use super::elementwise::{apply, scale_channels};
use super::functions;
use super::operation::{Operation, Pass};
use super::sums::{add_to, column_sums};
use crate::random::Stream;

/// Each channel times a gate from all channels' means, by two linear maps.
#[derive(Clone, Debug)]
pub struct SqueezeExcite {
    channels: usize,
    hidden: usize,
    maps: [Map; 2],
    means: Vec<f32>,
    inner: Vec<f32>,
    gates: Vec<f32>,
    zeros: Vec<f32>,
}

impl SqueezeExcite {
    /// With this many values between the maps.
    pub fn new(channels: usize, hidden: usize) -> Self {
        Self {
            channels,
            hidden,
            maps: [Map([channels, hidden]), Map([hidden, channels])],
            means: Vec::new(),
            inner: Vec::new(),
            gates: Vec::new(),
            zeros: vec![0.0; channels],
        }
    }
}

impl Operation for SqueezeExcite {
    fn forward(
        &mut self,
        pass: Pass<'_>,
        _: &mut [Vec<f32>],
        _: Option<&mut Stream>,
        output: &mut [f32],
    ) {
        let (channels, size) = (self.channels, output.len() / pass.batch);
        let share = channels as f32 / size as f32;
        self.means.clear();
        self.means.resize(pass.batch * channels, 0.0);
        for (values, mean) in pass.inputs[0]
            .chunks_exact(size)
            .zip(self.means.chunks_exact_mut(channels))
        {
            values
                .chunks_exact(channels)
                .for_each(|row| add_to(mean, row));
            mean.iter_mut().for_each(|value| *value *= share);
        }
        let [w1, b1, w2, b2] = pass.parameters else {
            unreachable!("two maps")
        };
        self.inner.resize(pass.batch * self.hidden, 0.0);
        self.gates.resize(pass.batch * channels, 0.0);
        self.maps[0].forward(&self.means, w1, Some(b1), &mut self.inner);
        apply(&mut self.inner, functions::Relu);
        self.maps[1].forward(&self.inner, w2, Some(b2), &mut self.gates);
        apply(&mut self.gates, functions::Sigmoid);
        let examples = pass.inputs[0]
            .chunks_exact(size)
            .zip(output.chunks_exact_mut(size));
        for ((values, output), gate) in examples.zip(self.gates.chunks_exact(channels)) {
            scale_channels(values, gate, &self.zeros, output);
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
        let (channels, size) = (self.channels, gradient.len() / pass.batch);
        let mut gates = vec![0.0f32; pass.batch * channels];
        let examples = pass.inputs[0]
            .chunks_exact(size)
            .zip(gradient.chunks_exact(size));
        for ((values, gradient), sums) in examples.zip(gates.chunks_exact_mut(channels)) {
            for (row, gradient) in values
                .chunks_exact(channels)
                .zip(gradient.chunks_exact(channels))
            {
                for (sum, (value, gradient)) in sums.iter_mut().zip(row.iter().zip(gradient)) {
                    *sum += value * gradient;
                }
            }
        }
        for (sum, gate) in gates.iter_mut().zip(&self.gates) {
            *sum *= gate * (1.0 - gate);
        }
        let [w1, _, w2, _] = pass.parameters else {
            unreachable!("two maps")
        };
        let [dw1, db1, dw2, db2] = parameters else {
            unreachable!("two maps")
        };
        let mut inner = vec![0.0; pass.batch * self.hidden];
        self.maps[1].weight_gradient(&self.inner, &gates, dw2);
        column_sums(&gates, db2);
        self.maps[1].input_gradient(&gates, w2, &mut inner);
        for (gradient, &value) in inner.iter_mut().zip(&self.inner) {
            *gradient = if value > 0.0 { *gradient } else { 0.0 };
        }
        self.maps[0].weight_gradient(&self.means, &inner, dw1);
        column_sums(&inner, db1);
        let Some(target) = &mut inputs[0] else { return };
        let means = &mut gates;
        self.maps[0].input_gradient(&inner, w1, means);
        let share = channels as f32 / size as f32;
        means.iter_mut().for_each(|value| *value *= share);
        let examples = gradient
            .chunks_exact(size)
            .zip(target.chunks_exact_mut(size));
        for ((gradient, target), (gate, mean)) in examples.zip(
            self.gates
                .chunks_exact(channels)
                .zip(means.chunks_exact(channels)),
        ) {
            for (row, target) in gradient
                .chunks_exact(channels)
                .zip(target.chunks_exact_mut(channels))
            {
                for (i, target) in target.iter_mut().enumerate() {
                    *target = row[i] * gate[i] + mean[i];
                }
            }
        }
    }
}
