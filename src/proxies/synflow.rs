//! Synaptic flow (Tanaka et al., 2020, Pruning neural networks without any data by iteratively conserving
//! synaptic flow), as in Abdelfattah et al. (2021): every parameter by its absolute value, one input of
//! ones, no normalisation, the outputs summed. In 64 bits: deep networks of positive numbers grow
//! beyond 32.

use super::gradients::is_weight;
use super::tensors::{double, numbers};
use crate::layers::{Activation, Category, Layer, Mode};
use crate::model::{Network, Probe, ProbedLayer};
use burn::tensor::TensorData;

pub(super) fn synflow(network: &Network) -> f64 {
    let network = network.in_double();
    let mut network = network.with_parameters(|_, data| {
        let shape = data.shape().to_vec();
        let values: Vec<f64> = numbers(data).into_iter().map(f64::abs).collect();
        TensorData::new(values, shape)
    });
    let ones = vec![1.0; network.input().elements()];
    let input = double(network.batch(ones));
    // At inference nothing is drawn, and dropout passes everything.
    let output = network.forward_probed(input, Mode::Inference, &mut WithoutNorms);
    let output = output.vector().sum();
    if !output.is_tracked() {
        return 0.0;
    }
    let mut gradients = output.backward();
    let mut flow = 0.0;
    for parameter in network.parameters() {
        let gradient = parameter.take_gradient(&mut gradients);
        let (true, Some(gradient)) = (is_weight(&parameter.dims()), gradient) else {
            continue;
        };
        let weights = numbers(parameter.to_data());
        let pairs = weights.iter().zip(numbers(gradient));
        flow += pairs.map(|(w, g)| (w * g).abs()).sum::<f64>();
    }
    flow
}

struct WithoutNorms;

impl Probe for WithoutNorms {
    fn leaves_out(&self, layer: &Layer) -> bool {
        layer.kind.describe().category == Category::Normalisation
    }

    fn see(&mut self, _layer: &ProbedLayer<'_>, output: Activation) -> Activation {
        output
    }
}
