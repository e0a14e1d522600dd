//! A network looked into and varied: what proxies without training need of it.

use super::{Network, read};
use crate::layers::{Activation, Forward, Layer, Mode, Parameter};
use burn::tensor::{DType, TensorData};
use std::ops::Range;

/// One layer of a network while a batch passes.
#[derive(Clone, Debug)]
pub struct ProbedLayer<'a> {
    /// The number of its node in the architecture.
    pub node: usize,
    /// The layer.
    pub layer: &'a Layer,
    /// Which of the network's parameters are its own.
    pub parameters: Range<usize>,
    /// Which of the network's buffers are its own.
    pub buffers: Range<usize>,
}

/// Who looks into a forward pass, and may change what passes.
pub trait Probe {
    /// Whether a layer is left out, so that its first input passes unchanged. Only for layers whose
    /// output has the shape of their input.
    fn leaves_out(&self, _layer: &Layer) -> bool {
        false
    }

    /// Looks at what a layer takes.
    fn before(&mut self, _layer: &ProbedLayer<'_>, _inputs: &[Activation]) {}

    /// Takes a layer's output and gives what passes on.
    fn see(&mut self, layer: &ProbedLayer<'_>, output: Activation) -> Activation;
}

impl Network {
    /// As [`forward`](Self::forward), through a probe.
    ///
    /// # Panics
    /// When the batch does not have the network's input shape.
    pub fn forward_probed(
        &mut self,
        input: Activation,
        mut mode: Mode<'_>,
        probe: &mut dyn Probe,
    ) -> Activation {
        let mut outputs = vec![Some(input)];
        for step in &self.plan.steps {
            let sources = step.inputs.iter();
            let mut inputs: Vec<Activation> =
                sources.map(|&source| read(&mut outputs, source)).collect();
            let layer = ProbedLayer {
                node: outputs.len(),
                layer: &step.layer,
                parameters: step.parameters.clone(),
                buffers: step.buffers.clone(),
            };
            probe.before(&layer, &inputs);
            let output = if probe.leaves_out(&step.layer) {
                inputs.swap_remove(0)
            } else {
                let mut context = Forward {
                    parameters: &self.parameters[step.parameters.clone()],
                    buffers: &mut self.buffers[step.buffers.clone()],
                    mode: mode.reborrow(),
                };
                let Layer { kind, arguments } = &step.layer;
                kind.forward(arguments, &mut context, inputs)
            };
            outputs.push(Some(probe.see(&layer, output)));
        }
        let last = outputs.pop().flatten();
        last.expect("nobody reads the last node's output")
    }

    /// The same network with other values of its parameters: `change` gets each one's number and
    /// values, and gives as many, in the precision that the parameter is to have.
    #[must_use]
    pub fn with_parameters(&self, mut change: impl FnMut(usize, TensorData) -> TensorData) -> Self {
        let parameters = self.parameters.iter().enumerate();
        let parameters = parameters.map(|(index, parameter)| {
            Parameter::of_precision(change(index, parameter.to_data()), &self.device)
        });
        Self {
            parameters: parameters.collect(),
            ..self.clone()
        }
    }

    /// The same network in 64-bit floats; it takes batches in 64 bits.
    #[must_use]
    pub fn in_double(&self) -> Self {
        let mut double = self.with_parameters(|_, data| data.convert::<f64>());
        for buffer in &mut double.buffers {
            *buffer = buffer.clone().cast(DType::F64);
        }
        double
    }
}
