//! What one pass forwards and backwards tells: grad_norm, snip and fisher, and the codes on the way.
//!
//! As in Abdelfattah et al. (2021, Zero-cost proxies for lightweight NAS): batch norm by the batch's
//! statistics, weights that are matrices or kernels and no others, sums over all layers.

use super::codes::{Codes, has_code};
use super::tensors::{self, Layout, numbers};
use crate::data::Part;
use crate::layers::{Activation, Mode, Parameter};
use crate::model::{Network, Probe, ProbedLayer};
use crate::random::Stream;
use crate::training::Objective;
use burn::tensor::Gradients;

/// What is wanted of the pass; what is not wanted costs nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    pub gradients: bool,
    pub fisher: bool,
    pub codes: bool,
}

/// What the pass gave; nothing where it was not wanted.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pass {
    pub grad_norm: f64,
    pub snip: f64,
    pub fisher: f64,
    pub naswot: f64,
}

/// The parameters that are weights: matrices, kernels and tables, but no biases, scales or shifts.
pub(super) fn is_weight(dims: &[usize]) -> bool {
    dims.len() >= 2
}

impl Pass {
    pub fn of(
        network: &Network,
        part: &Part,
        objective: &Objective,
        noise: &mut Stream,
        wanted: Wanted,
    ) -> Self {
        let mut network = network.clone();
        let mut probe = Tap {
            wanted,
            weights: weights_of(&network),
            taps: Vec::new(),
            codes: Codes::new(part.len()),
        };
        let input = network.batch(part.inputs.clone());
        let output = network.forward_probed(input, Mode::Training(noise), &mut probe);
        let mut pass = Self::default();
        if wanted.gradients || wanted.fisher {
            let loss = objective.loss(output.vector(), &part.targets);
            if loss.is_tracked() {
                pass.look_back(&network, &probe.taps, loss.backward());
            }
        }
        if wanted.codes {
            pass.naswot = probe.codes.score();
        }
        pass
    }

    fn look_back(&mut self, network: &Network, taps: &[Tapped], mut gradients: Gradients) {
        self.fisher = taps.iter().map(|tap| tap.fisher(&gradients)).sum();
        for parameter in network.parameters() {
            let gradient = parameter.take_gradient(&mut gradients);
            let (true, Some(gradient)) = (is_weight(&parameter.dims()), gradient) else {
                continue;
            };
            let gradient = numbers(gradient);
            let weights = numbers(parameter.to_data());
            self.grad_norm += libm::sqrt(gradient.iter().map(|g| g * g).sum());
            let pairs = weights.iter().zip(&gradient);
            self.snip += pairs.map(|(w, g)| (w * g).abs()).sum::<f64>();
        }
    }
}

/// How many values of weights each parameter of a network has.
fn weights_of(network: &Network) -> Vec<usize> {
    let dims = network.parameters().iter().map(Parameter::dims);
    dims.map(|dims| {
        if is_weight(&dims) {
            dims.iter().product()
        } else {
            0
        }
    })
    .collect()
}

/// The output of a layer with weights.
struct Tapped {
    output: Vec<f64>,
    layout: Layout,
    leaf: Activation,
    weights: usize,
}

impl Tapped {
    /// Half the mean square over examples of activation times gradient, summed over positions, then
    /// over channels, each as often as it has weights. Fewer weights than channels count as one each.
    fn fisher(&self, gradients: &Gradients) -> f64 {
        let Some(gradient) = tensors::gradient(&self.leaf, gradients) else {
            return 0.0;
        };
        let layout = self.layout;
        let mut sum = 0.0;
        for channel in 0..layout.channels {
            for example in 0..layout.examples {
                let at = (0..layout.positions).map(|at| layout.index(example, channel, at));
                let saliency: f64 = at.map(|at| self.output[at] * gradient[at]).sum();
                sum += saliency * saliency;
            }
        }
        let weights = (self.weights / layout.channels.max(1)).max(1);
        0.5 * sum / layout.examples as f64 * weights as f64
    }
}

struct Tap {
    wanted: Wanted,
    weights: Vec<usize>,
    taps: Vec<Tapped>,
    codes: Codes,
}

impl Probe for Tap {
    fn see(&mut self, layer: &ProbedLayer<'_>, output: Activation) -> Activation {
        if self.wanted.codes && has_code(layer.layer) {
            self.codes.add(&output);
        }
        let weights = self.weights[layer.parameters.clone()].iter().sum();
        if !self.wanted.fisher || weights == 0 {
            return output;
        }
        let (values, layout) = (tensors::values(&output), Layout::of(&output));
        let (leaf, output) = tensors::tapped(output);
        self.taps.push(Tapped {
            output: values,
            layout,
            leaf,
            weights,
        });
        output
    }
}
