//! A network: parameters, buffers and the forward pass over the graph.

mod probe;

pub use probe::{Probe, ProbedLayer};

use super::plan::{Plan, Source, Step};
use crate::architecture::Architecture;
use crate::layers::{Activation, Forward, Init, Mode, Parameter, ParameterSpec, Shape};
use crate::random::Stream;
use burn::module::Module;
use burn::tensor::{Device, Int, Tensor, TensorData};

/// A network of one architecture: its parameters (a burn module) and its buffers.
#[derive(Clone, Debug)]
pub struct Network {
    input: Shape,
    plan: Plan,
    parameters: Vec<Parameter>,
    buffers: Vec<Tensor<1>>,
    device: Device,
}

impl Network {
    /// A network with initial weights drawn from `stream`, node by node in the architecture's order.
    /// On an autodiff device its parameters collect gradients.
    pub fn build(architecture: &Architecture, stream: &mut Stream, device: &Device) -> Self {
        let plan = Plan::of(architecture);
        let draw = |(_, spec): &(String, ParameterSpec)| {
            Parameter::from_data(initial_values(spec, stream), device)
        };
        let parameters = plan.parameters.iter().map(draw).collect();
        let plain = device.clone().inner();
        let start = |buffer: &crate::layers::Buffer| {
            Tensor::from_data(
                TensorData::new(vec![buffer.start; buffer.length], [buffer.length]),
                &plain,
            )
        };
        let buffers = plan
            .buffers
            .iter()
            .map(|(_, buffer)| start(buffer))
            .collect();
        Self {
            input: architecture.input(),
            plan,
            parameters,
            buffers,
            device: device.clone(),
        }
    }

    /// The shape of one input example.
    pub fn input(&self) -> Shape {
        self.input
    }

    /// Where its tensors live.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The trainable tensors in the architecture's order: a burn module, so that what burn knows of
    /// modules works on them.
    pub fn parameters(&self) -> &Vec<Parameter> {
        &self.parameters
    }

    /// The trainable tensors, to be changed in place.
    pub fn parameters_mut(&mut self) -> &mut Vec<Parameter> {
        &mut self.parameters
    }

    /// The tensors that training updates without gradients, in the architecture's order.
    pub fn buffers(&self) -> &[Tensor<1>] {
        &self.buffers
    }

    /// Its layers in the order of computing; layer `n` gives node `n + 1`.
    pub(super) fn steps(&self) -> &[Step] {
        &self.plan.steps
    }

    pub(super) fn replace_buffer(&mut self, index: usize, data: TensorData) {
        self.buffers[index] = Tensor::from_data(data, &self.device.clone().inner());
    }

    /// The full name of each parameter, such as `network/0/conv2d.weight`.
    pub fn parameter_names(&self) -> impl Iterator<Item = &str> {
        self.plan.parameters.iter().map(|(name, _)| name.as_str())
    }

    /// The full name of each buffer, such as `network/1/batch_norm.running_mean`.
    pub fn buffer_names(&self) -> impl Iterator<Item = &str> {
        self.plan.buffers.iter().map(|(name, _)| name.as_str())
    }

    /// The number of trainable values.
    pub fn parameter_count(&self) -> usize {
        self.parameters.num_params()
    }

    /// The same weights without gradients, for inference. Shares memory until one of them changes.
    #[must_use]
    pub fn without_gradients(&self) -> Self {
        let device = self.device.clone().inner();
        Self {
            parameters: self.parameters.valid(),
            device,
            ..self.clone()
        }
    }

    /// A batch of inputs for this network: `values` are row-major examples.
    ///
    /// # Panics
    /// When the values are not a whole number of examples.
    pub fn batch(&self, values: Vec<f32>) -> Activation {
        batch(self.input, values, &self.device)
    }

    /// The output for a batch. Training updates buffers.
    ///
    /// # Panics
    /// When the batch does not have the network's input shape.
    pub fn forward(&mut self, input: Activation, mode: Mode<'_>) -> Activation {
        self.forward_traced(input, mode, |_, _| {})
    }

    /// As [`forward`](Self::forward), showing each layer's output to `observe` with the number of
    /// its node.
    ///
    /// # Panics
    /// When the batch does not have the network's input shape.
    pub fn forward_traced(
        &mut self,
        input: Activation,
        mode: Mode<'_>,
        observe: impl FnMut(usize, &Activation),
    ) -> Activation {
        let tensors = (&self.parameters[..], &mut self.buffers[..]);
        walk(&self.plan.steps, tensors, input, mode, observe)
    }
}

/// Computes one layer after the other, each with its own among the parameters and buffers, and shows each output to
/// `observe`.
pub(super) fn walk(
    steps: &[Step],
    (parameters, buffers): (&[Parameter], &mut [Tensor<1>]),
    input: Activation,
    mut mode: Mode<'_>,
    mut observe: impl FnMut(usize, &Activation),
) -> Activation {
    let mut outputs = vec![Some(input)];
    for step in steps {
        let inputs = step
            .inputs
            .iter()
            .map(|&source| read(&mut outputs, source))
            .collect();
        let mut context = Forward {
            parameters: &parameters[step.parameters.clone()],
            buffers: &mut buffers[step.buffers.clone()],
            mode: mode.reborrow(),
        };
        let output = step
            .layer
            .kind
            .forward(&step.layer.arguments, &mut context, inputs);
        observe(outputs.len(), &output);
        outputs.push(Some(output));
    }
    outputs
        .pop()
        .flatten()
        .expect("nobody reads the last node's output")
}

/// A batch of row-major examples of `shape`.
///
/// # Panics
/// When the values are not a whole number of examples.
pub fn batch(shape: Shape, values: Vec<f32>, device: &Device) -> Activation {
    let examples = values.len() / shape.elements().max(1);
    match shape {
        Shape::Vector { features } => {
            Activation::Vector(tensor(values, [examples, features], device))
        }
        Shape::Signal { channels, length } => {
            Activation::Signal(tensor(values, [examples, channels, length], device))
        }
        Shape::Sequence { length, features } => {
            Activation::Sequence(tensor(values, [examples, length, features], device))
        }
        Shape::Image {
            channels,
            height,
            width,
        } => Activation::Image(tensor(values, [examples, channels, height, width], device)),
        Shape::Volume {
            channels,
            depth,
            height,
            width,
        } => {
            let dims = [examples, channels, depth, height, width];
            Activation::Volume(tensor(values, dims, device))
        }
        Shape::Tokens { length, .. } => {
            let numbers: Vec<i32> = values.into_iter().map(|value| value as i32).collect();
            let data = TensorData::new(numbers, [examples, length]);
            Activation::Tokens(Tensor::<2, Int>::from_data(data, device))
        }
    }
}

fn tensor<const D: usize>(values: Vec<f32>, dims: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values, dims), device)
}

fn read(outputs: &mut [Option<Activation>], source: Source) -> Activation {
    let slot = &mut outputs[source.node];
    let value = if source.last_use {
        slot.take()
    } else {
        slot.clone()
    };
    value.expect("a tensor is kept until its last use")
}

fn initial_values(spec: &ParameterSpec, stream: &mut Stream) -> TensorData {
    let count = spec.shape.iter().product();
    let values: Vec<f32> = match spec.init {
        Init::Uniform { bound } => (0..count)
            .map(|_| stream.uniform_f32(-bound, bound))
            .collect(),
        Init::Normal { std } => (0..count).map(|_| stream.normal() as f32 * std).collect(),
        Init::Constant(value) => vec![value; count],
    };
    TensorData::new(values, spec.shape.as_slice())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::architecture::{Builder, Output};
    use crate::layers::{Layer, find};
    use crate::random::{Purpose, Seed};

    const VECTOR: Shape = Shape::Vector { features: 4 };

    fn layer(name: &str) -> Layer {
        Layer::plain(find(name).unwrap()).unwrap()
    }

    fn values(count: usize, salt: u64) -> Vec<f32> {
        let mut stream = Seed(salt).stream(0, Purpose::Tool);
        (0..count).map(|_| stream.uniform_f32(-1.0, 1.0)).collect()
    }

    #[test]
    fn inference_has_no_noise_and_leaves_buffers_alone() {
        let mut builder = Builder::new(VECTOR);
        let dropped = builder
            .push(layer("dropout"), vec![Builder::INPUT], "d".to_owned())
            .unwrap();
        let last = builder
            .push(layer("batch_norm"), vec![dropped], "b".to_owned())
            .unwrap();
        let architecture = builder.finish(last, Output::Classes(4)).unwrap();
        let mut stream = Seed(1).stream(0, Purpose::Init);
        let mut network = Network::build(&architecture, &mut stream, &Device::flex());
        let before = network.save();
        let output = network
            .forward(network.batch(values(8, 3)), Mode::Inference)
            .vector();
        let expected: Vec<f32> = values(8, 3)
            .iter()
            .map(|x| x / (1.0f32 + 1e-5).sqrt())
            .collect();
        let output = output.into_data().try_to_vec::<f32>().unwrap();
        assert!(
            output
                .iter()
                .zip(&expected)
                .all(|(a, b)| (a - b).abs() < 1e-6)
        );
        assert_eq!(network.save(), before);
        network.forward(network.batch(values(8, 3)), Mode::Training(&mut stream));
        assert_ne!(network.save(), before);
    }
}
