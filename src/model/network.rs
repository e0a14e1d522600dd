//! A network: parameters, buffers and the forward pass over the graph.

use super::plan::{Plan, Source};
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
        mut mode: Mode<'_>,
        mut observe: impl FnMut(usize, &Activation),
    ) -> Activation {
        let mut outputs = vec![Some(input)];
        for step in &self.plan.steps {
            let inputs = step
                .inputs
                .iter()
                .map(|&source| read(&mut outputs, source))
                .collect();
            let mut context = Forward {
                parameters: &self.parameters[step.parameters.clone()],
                buffers: &mut self.buffers[step.buffers.clone()],
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
        Init::Constant(value) => vec![value; count],
    };
    TensorData::new(values, spec.shape.as_slice())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::architecture::{Builder, Output};
    use crate::layers::{CATALOGUE, Layer, Value, find};
    use crate::random::{Purpose, Seed};

    const IMAGE: Shape = Shape::Image {
        channels: 4,
        height: 7,
        width: 6,
    };
    const SIGNAL: Shape = Shape::Signal {
        channels: 4,
        length: 6,
    };
    const SEQUENCE: Shape = Shape::Sequence {
        length: 5,
        features: 4,
    };
    const VECTOR: Shape = Shape::Vector { features: 4 };

    fn layer(text: &str) -> Layer {
        let (name, arguments) = text
            .trim_end_matches(')')
            .split_once('(')
            .unwrap_or((text, ""));
        let value = |word: &str| match word.parse::<i64>() {
            Ok(number) => Value::Int(number),
            Err(_) => word.parse().map(Value::Float).unwrap_or(match word {
                "true" | "false" => Value::Bool(word == "true"),
                _ => Value::Name(String::leak(word.to_owned())),
            }),
        };
        let given: Vec<(&str, Value)> = arguments
            .split_terminator(", ")
            .map(|pair| {
                pair.split_once(": ")
                    .map(|(name, word)| (name, value(word)))
                    .unwrap()
            })
            .collect();
        Layer::new(find(name).unwrap(), &given).unwrap()
    }

    /// Layers with shapes that they accept, several for each kind.
    fn examples() -> Vec<(&'static str, Vec<Shape>)> {
        let mut examples = vec![
            ("linear(out: 3)", vec![VECTOR]),
            ("linear(out: 3, bias: false)", vec![SEQUENCE]),
            ("conv2d(out: 6, kernel: 3)", vec![IMAGE]),
            (
                "conv2d(out: 6, kernel: 2, padding: same, stride: 2, groups: 2)",
                vec![IMAGE],
            ),
            (
                "conv2d(out: 4, kernel: 3, padding: 2, dilation: 2, bias: false)",
                vec![IMAGE],
            ),
            ("separable_conv2d(out: 6, kernel: 3)", vec![IMAGE]),
            (
                "separable_conv2d(out: 6, kernel: 4, stride: 2, bias: false)",
                vec![IMAGE],
            ),
            ("max_pool2d(kernel: 2)", vec![IMAGE]),
            (
                "max_pool2d(kernel: 2, stride: 1, padding: same)",
                vec![IMAGE],
            ),
            ("max_pool2d(kernel: 3, stride: 2, padding: 1)", vec![IMAGE]),
            ("avg_pool2d(kernel: 2)", vec![IMAGE]),
            (
                "avg_pool2d(kernel: 4, stride: 1, padding: same)",
                vec![IMAGE],
            ),
            (
                "avg_pool2d(kernel: 3, padding: 1, count_include_pad: false)",
                vec![IMAGE],
            ),
            ("squeeze_excite", vec![IMAGE]),
            ("squeeze_excite(channels: 4, reduction: 16)", vec![IMAGE]),
            ("zero(stride: 2)", vec![IMAGE]),
            ("gelu(approximate: tanh)", vec![IMAGE]),
            ("global_avg_pool", vec![IMAGE]),
            ("global_avg_pool", vec![SIGNAL]),
            ("global_avg_pool", vec![SEQUENCE]),
            ("batch_norm", vec![IMAGE]),
            ("batch_norm", vec![SIGNAL]),
            ("batch_norm", vec![VECTOR]),
            ("group_norm(groups: 2)", vec![IMAGE]),
            ("group_norm(groups: 2)", vec![SIGNAL]),
            ("group_norm(groups: 2)", vec![VECTOR]),
        ];
        for shape in [IMAGE, SIGNAL, SEQUENCE, VECTOR] {
            for name in ["add", "concat", "mul", "max"] {
                examples.push((name, vec![shape; 3]));
            }
            for name in [
                "identity",
                "relu",
                "leaky_relu",
                "prelu",
                "gelu",
                "silu",
                "sigmoid",
                "tanh",
                "zero",
                "dropout",
                "flatten",
                "layer_norm",
            ] {
                examples.push((name, vec![shape]));
            }
        }
        examples
    }

    fn values(count: usize, salt: u64) -> Vec<f32> {
        let mut stream = Seed(salt).stream(0, Purpose::Tool);
        (0..count).map(|_| stream.uniform_f32(-1.0, 1.0)).collect()
    }

    #[test]
    fn every_kind_of_the_catalogue_has_an_example() {
        let examples = examples();
        for kind in CATALOGUE {
            let name = kind.describe().name;
            assert!(
                examples
                    .iter()
                    .any(|(text, _)| layer(text).kind.name() == name),
                "{name}"
            );
        }
    }

    #[test]
    fn shapes_parameters_and_gradients_are_as_predicted() {
        for (text, shapes) in examples() {
            check_prediction(text, &shapes);
        }
    }

    fn check_prediction(text: &str, shapes: &[Shape]) {
        let (layer, device) = (layer(text), Device::flex().autodiff());
        let predicted = layer.shape(shapes).unwrap();
        let mut builder = Builder::new(shapes[0]);
        let node = builder.push(
            layer.clone(),
            vec![Builder::INPUT; shapes.len()],
            "x".to_owned(),
        );
        let flat = builder.push(
            super::tests::layer("flatten"),
            vec![node.unwrap()],
            "f".to_owned(),
        );
        let classes = predicted.elements();
        let architecture = builder
            .finish(flat.unwrap(), Output::Classes(classes))
            .unwrap();
        let mut stream = Seed(1).stream(0, Purpose::Init);
        let mut network = Network::build(&architecture, &mut stream, &device);
        assert_eq!(
            network.parameter_count() as u64,
            architecture.metrics().params,
            "{text}"
        );
        let input = network.batch(values(2 * shapes[0].elements(), 7));
        let mut dims = Vec::new();
        let output = network.forward_traced(input, Mode::Training(&mut stream), |node, output| {
            if node == 1 {
                dims = output.dims();
            }
        });
        assert_eq!(dims[1..], predicted.dimensions(), "{text}");
        if network.parameters.is_empty() {
            return;
        }
        let weights = Tensor::<1>::from_data(values(2 * classes, 9).as_slice(), &device);
        let loss = (output.vector() * weights.reshape([2, classes])).sum();
        let mut gradients = loss.backward();
        for (parameter, (name, _)) in network.parameters.iter().zip(&network.plan.parameters) {
            assert!(
                parameter.take_gradient(&mut gradients).is_some(),
                "{text}: {name}"
            );
        }
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
