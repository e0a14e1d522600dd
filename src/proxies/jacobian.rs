//! How different the gradients by the inputs are (jacob_cov: Mellor et al., first version, 2020, as in
//! Abdelfattah et al., 2021): the network's outputs are summed, so each input has one gradient.

use super::matrix::{correlations, spread_of_eigenvalues};
use super::tensors;
use crate::data::Part;
use crate::layers::Mode;
use crate::model::Network;
use crate::random::Stream;

/// Added to the eigenvalues.
const K: f64 = 1e-5;

/// Not a number where an input changes nothing.
pub(super) fn jacob_cov(network: &Network, part: &Part, noise: &mut Stream) -> f64 {
    let mut network = network.clone();
    let input = tensors::leaf(network.batch(part.inputs.clone()));
    let output = network.forward(input.clone(), Mode::Training(noise));
    let sum = output.vector().sum();
    if !sum.is_tracked() {
        return f64::NAN;
    }
    let gradients = sum.backward();
    let Some(jacobian) = tensors::gradient(&input, &gradients) else {
        return f64::NAN;
    };
    let matrix = correlations(&jacobian, part.len());
    spread_of_eigenvalues(matrix, part.len(), K)
}
