//! Gradient signal preservation (grasp: Wang et al., 2020, Picking winning tickets before training by
//! preserving gradient flow), with the sign and the batch of Abdelfattah et al. (2021).
//!
//! burn does not differentiate twice. The product of Hessian and gradient is the derivative of the
//! gradient along itself: the difference of two gradients in 64 bits, [`STEP`] of the weights' norm
//! apart. The second derivative leaves kinks out, and a unit that crosses its own on the way counts as much as all the
//! others together: with the ten million units of a batch in a benchmark's network, a step of 1e-8 meets some, and one
//! of 1e-10 none, while seven digits are left. The tests hold it against PyTorch's double backward pass to 1e-4.

use super::gradients::is_weight;
use super::tensors::{double, numbers};
use crate::data::Part;
use crate::layers::Mode;
use crate::model::Network;
use crate::random::Stream;
use crate::training::Objective;
use burn::tensor::TensorData;

/// The length of the step along the gradient, as a share of the weights' norm.
const STEP: f64 = 1e-10;

pub(super) fn grasp(network: &Network, part: &Part, objective: &Objective, noise: &Stream) -> f64 {
    let network = network.in_double();
    let Some(gradient) = gradients(&network, part, objective, noise) else {
        return 0.0;
    };
    let weights: Vec<Vec<f64>> = network
        .parameters()
        .iter()
        .map(|parameter| numbers(parameter.to_data()))
        .collect();
    let norms = [&weights, &gradient].map(|all| norm(all, &network));
    if norms[1] == 0.0 {
        return 0.0;
    }
    let step = STEP * norms[0] / norms[1];
    let moved = network.with_parameters(|index, data| {
        let shape = data.shape().to_vec();
        let mut values = numbers(data);
        if is_weight(&shape) {
            let along = values.iter_mut().zip(&gradient[index]);
            along.for_each(|(value, slope)| *value += step * slope);
        }
        TensorData::new(values, shape)
    });
    let Some(after) = gradients(&moved, part, objective, noise) else {
        return 0.0;
    };
    let mut sum = 0.0;
    for (index, parameter) in network.parameters().iter().enumerate() {
        if is_weight(&parameter.dims()) {
            let pairs = weights[index]
                .iter()
                .zip(&gradient[index])
                .zip(&after[index]);
            sum -= pairs.map(|((w, g), h)| w * (h - g) / step).sum::<f64>();
        }
    }
    sum
}

/// The loss's gradient by each parameter, zeros where it does not depend on one; nothing if it depends
/// on none.
fn gradients(
    network: &Network,
    part: &Part,
    objective: &Objective,
    noise: &Stream,
) -> Option<Vec<Vec<f64>>> {
    let mut network = network.clone();
    let input = double(network.batch(part.inputs.clone()));
    let output = network.forward(input, Mode::Training(&mut noise.clone()));
    let loss = objective.loss(output.vector(), &part.targets);
    if !loss.is_tracked() {
        return None;
    }
    let mut gradients = loss.backward();
    let of = |parameter: &crate::layers::Parameter| {
        let zeros = || vec![0.0; parameter.dims().iter().product()];
        let found = parameter.take_gradient(&mut gradients);
        found.map_or_else(zeros, numbers)
    };
    Some(network.parameters().iter().map(of).collect())
}

/// The norm of the weights' part.
fn norm(all: &[Vec<f64>], network: &Network) -> f64 {
    let of_weights = all.iter().zip(network.parameters());
    let of_weights = of_weights.filter(|(_, parameter)| is_weight(&parameter.dims()));
    let squares = of_weights
        .flat_map(|(values, _)| values)
        .map(|value| value * value);
    libm::sqrt(squares.sum())
}
