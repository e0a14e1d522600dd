//! The Zen-score (Lin et al., 2021, Zen-NAS: A zero-shot NAS for high-performance deep image recognition,
//! algorithm 1), with one draw of weights.
//!
//! Weights are standard normal, biases and norms as they start. Features are what stands before the
//! positions are summed up: the last tensor that has any, else what the last layer with weights takes.
//! Batch norm keeps them from exploding; the logarithm of each one's mean deviation over the batch is
//! added to undo it.

use super::gradients::is_weight;
use super::tensors::{self, Layout};
use crate::data::Part;
use crate::layers::{Activation, Category, Mode};
use crate::model::{Network, Probe, ProbedLayer};
use crate::random::Stream;
use burn::tensor::TensorData;

/// How far the second input lies from the first, in standard deviations.
const DISTANCE: f64 = 1e-2;

/// A function of the stream and the number of examples: no data is looked at.
pub(super) fn zen(network: &Network, part: &Part, draws: &mut Stream) -> f64 {
    let network = network.without_gradients();
    let network = network.with_parameters(|_, data| {
        let shape = data.shape().to_vec();
        if !is_weight(&shape) {
            return data;
        }
        let count = shape.iter().product();
        let normal: Vec<f32> = (0..count).map(|_| draws.normal() as f32).collect();
        TensorData::new(normal, shape)
    });
    let mut normal = || -> Vec<f64> {
        let count = part.inputs.len();
        (0..count).map(|_| draws.normal()).collect()
    };
    let (first, shift) = (normal(), normal());
    let pairs = first.iter().zip(&shift);
    let second: Vec<f64> = pairs.map(|(x, shift)| x + DISTANCE * shift).collect();
    let inputs = [first, second].map(|input| input.iter().map(|&value| value as f32).collect());
    score(&network, inputs, draws)
}

/// The score of a network as it stands, by how far its features move between two batches.
pub(super) fn score(network: &Network, inputs: [Vec<f32>; 2], draws: &Stream) -> f64 {
    let examples = inputs[0].len() / network.input().elements().max(1);
    let [before, after] = inputs.map(|input| features(network, input, draws));
    let pairs = before.values.iter().zip(&after.values);
    let moved: f64 = pairs.map(|(a, b)| (a - b).abs()).sum();
    libm::log(moved / examples as f64) + before.log_deviations
}

fn features(network: &Network, input: Vec<f32>, draws: &Stream) -> Features {
    let mut network = network.clone();
    let dims = network
        .parameters()
        .iter()
        .map(|parameter| is_weight(&parameter.dims()));
    let mut probe = Look {
        weights: dims.collect(),
        last: None,
        has_positions: false,
        log_deviations: 0.0,
    };
    let input = network.batch(input);
    probe.keep_positions(&input);
    let mode = Mode::Training(&mut draws.clone());
    network.forward_probed(input, mode, &mut probe);
    Features {
        values: probe.last.as_ref().map(tensors::values).unwrap_or_default(),
        log_deviations: probe.log_deviations,
    }
}

struct Features {
    values: Vec<f64>,
    /// The sum of the logarithms of the norms' deviations.
    log_deviations: f64,
}

struct Look {
    weights: Vec<bool>,
    last: Option<Activation>,
    has_positions: bool,
    log_deviations: f64,
}

impl Look {
    fn keep_positions(&mut self, tensor: &Activation) {
        if Layout::of(tensor).positions > 1 {
            self.has_positions = true;
            self.last = Some(tensor.clone());
        }
    }
}

impl Probe for Look {
    fn before(&mut self, layer: &ProbedLayer<'_>, inputs: &[Activation]) {
        let has_weights = self.weights[layer.parameters.clone()].contains(&true);
        if has_weights && !self.has_positions {
            self.last = inputs.first().cloned();
        }
        let category = layer.layer.kind.describe().category;
        if category == Category::Normalisation && !layer.buffers.is_empty() {
            self.log_deviations += log_deviation(&inputs[0]);
        }
    }

    fn see(&mut self, _layer: &ProbedLayer<'_>, output: Activation) -> Activation {
        self.keep_positions(&output);
        output
    }
}

/// Half the logarithm of the mean over channels of the variance over the batch.
fn log_deviation(input: &Activation) -> f64 {
    let (values, layout) = (tensors::values(input), Layout::of(input));
    let count = (layout.examples * layout.positions) as f64;
    let variance = |channel: usize| {
        let of = |example| (0..layout.positions).map(move |at| layout.index(example, channel, at));
        let all = || (0..layout.examples).flat_map(of).map(|at| values[at]);
        let mean = all().sum::<f64>() / count;
        all()
            .map(|value| (value - mean) * (value - mean))
            .sum::<f64>()
            / count
    };
    let total: f64 = (0..layout.channels).map(variance).sum();
    0.5 * libm::log(total / layout.channels as f64)
}
