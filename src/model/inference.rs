//! Networks that are only asked: no gradients, no noise.

use super::{Network, WeightsError};
use crate::architecture::Architecture;
use crate::layers::Mode;
use crate::random::{Purpose, Seed};
use burn::tensor::Device;

/// How many examples go through a network together.
const BATCH: usize = 256;

impl Network {
    /// A network for inference, with weights as they start under a seed.
    pub fn untrained(architecture: &Architecture, seed: Seed) -> Self {
        let mut stream = seed.stream(0, Purpose::Init);
        Self::build(architecture, &mut stream, &Device::flex())
    }

    /// A network for inference, with the weights of [`save`](Self::save).
    ///
    /// # Errors
    /// When the bytes are damaged or of another architecture.
    pub fn trained(architecture: &Architecture, weights: &[u8]) -> Result<Self, WeightsError> {
        let mut network = Self::untrained(architecture, Seed(0));
        network.load(weights)?;
        Ok(network)
    }

    /// The outputs for row-major examples, one after the other.
    ///
    /// # Panics
    /// When the values are not a whole number of examples.
    pub fn outputs(&mut self, inputs: &[f32]) -> Vec<f32> {
        let size = self.input().elements().max(1);
        assert!(inputs.len().is_multiple_of(size), "whole examples");
        let mut outputs = Vec::new();
        for values in inputs.chunks(BATCH * size) {
            let batch = self.batch(values.to_vec());
            let data = self.forward(batch, Mode::Inference).vector().into_data();
            let values = data.as_slice::<f32>();
            outputs.extend_from_slice(values.expect("networks compute in 32-bit floats"));
        }
        outputs
    }
}
