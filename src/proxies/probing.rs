//! The figures of one network.

use super::gradients::{Pass, Wanted};
use super::grasp::grasp;
use super::jacobian::jacob_cov;
use super::synflow::synflow;
use super::zen::zen;
use super::{Minibatch, Proxy};
use crate::architecture::Architecture;
use crate::data::Part;
use crate::model::Network;
use crate::random::{Purpose, Seed, Stream};
use crate::training::{Objective, Recipe};
use burn::tensor::Device;

/// One untrained network, asked for its proxies. It starts with the weights that a trial of the same
/// seed and number would be trained from.
#[derive(Debug)]
pub struct Probing<'a> {
    architecture: &'a Architecture,
    part: &'a Part,
    seed: Seed,
    trial: u64,
    network: Network,
    objective: Objective,
    wanted: Wanted,
    pass: Option<Pass>,
}

impl<'a> Probing<'a> {
    /// The network of `architecture` before training, to be asked for the `wanted` proxies on a
    /// minibatch that fits it.
    ///
    /// # Panics
    /// When the minibatch is of other inputs or targets.
    pub fn new(
        architecture: &'a Architecture,
        batch: &'a Minibatch,
        seed: Seed,
        trial: u64,
        wanted: &[Proxy],
    ) -> Self {
        let (part, output) = (batch.part(), architecture.output());
        assert!(
            part.shape == architecture.input() && part.targets.suits(output),
            "the minibatch is of the network's inputs and targets"
        );
        let objective = Objective::of(&Recipe::default(), output);
        let any = |proxies: &[Proxy]| proxies.iter().any(|proxy| wanted.contains(proxy));
        Self {
            architecture,
            part,
            seed,
            trial,
            network: started(architecture, seed, trial),
            objective: objective.expect("every output has a loss of its own"),
            wanted: Wanted {
                gradients: any(&[Proxy::GradNorm, Proxy::Snip]),
                fisher: any(&[Proxy::Fisher]),
                codes: any(&[Proxy::Naswot]),
            },
            pass: None,
        }
    }

    /// As it is, with other weights.
    #[cfg(test)]
    pub(super) fn with_network(self, network: Network) -> Self {
        Self { network, ..self }
    }

    /// One of the wanted figures. Infinite or not a number where the network has none: an input that
    /// changes nothing (jacob_cov), two inputs of one pattern (naswot), features that stand still (zen).
    pub fn value(&mut self, proxy: Proxy) -> f64 {
        let mut noise = self.stream(Purpose::Dropout);
        match proxy {
            Proxy::Params => self.architecture.metrics().params as f64,
            Proxy::Macs => self.architecture.metrics().macs as f64,
            Proxy::GradNorm => self.pass(&mut noise).grad_norm,
            Proxy::Snip => self.pass(&mut noise).snip,
            Proxy::Fisher => self.pass(&mut noise).fisher,
            Proxy::Naswot => self.pass(&mut noise).naswot,
            Proxy::Grasp => grasp(&self.network, self.part, &self.objective, &noise),
            Proxy::JacobCov => jacob_cov(&self.network, self.part, &mut noise),
            Proxy::Synflow => synflow(&self.network),
            Proxy::Zen => zen(&self.network, self.part, &mut self.stream(Purpose::Tool)),
        }
    }

    fn pass(&mut self, noise: &mut Stream) -> Pass {
        let (network, part, objective) = (&self.network, self.part, &self.objective);
        let pass = || Pass::of(network, part, objective, noise, self.wanted);
        *self.pass.get_or_insert_with(pass)
    }

    fn stream(&self, purpose: Purpose) -> Stream {
        let seed = self.seed.derive("proxies", 0);
        seed.stream(self.trial, purpose)
    }
}

/// The network before training.
fn started(architecture: &Architecture, seed: Seed, trial: u64) -> Network {
    let mut init = seed.stream(trial, Purpose::Init);
    Network::build(architecture, &mut init, &Device::flex().autodiff())
}
