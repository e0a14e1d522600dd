//! Layers, optimisers and losses against what PyTorch computes (tests/golden/layers.py).

use burn::tensor::{Device, Tensor, TensorData};
use serde::Deserialize;
use std::collections::BTreeMap;
use strata::architecture::{Builder, Output};
use strata::layers::{Activation, Layer, Mode, Parameter, Shape, Value, find};
use strata::model::Network;
use strata::random::{Purpose, Seed};
use strata::training::{Optimizer, Recipe, clip_gradients, cross_entropy};

/// Largest difference, as a share of the largest value of the tensor.
const TOLERANCE: f64 = 1e-5;

#[derive(Deserialize)]
struct Golden {
    layer: String,
    arguments: BTreeMap<String, serde_json::Value>,
    training: bool,
    kind: String,
    inputs: Vec<GoldenTensor>,
    parameters: Vec<GoldenTensor>,
    buffers: Vec<GoldenBuffer>,
    weights: Vec<f32>,
    output: GoldenOutput,
}

#[derive(Deserialize)]
struct GoldenTensor {
    shape: Vec<usize>,
    values: Vec<f32>,
    gradient: Vec<f32>,
}

#[derive(Deserialize)]
struct GoldenBuffer {
    before: Vec<f32>,
    after: Vec<f32>,
}

#[derive(Deserialize)]
struct GoldenOutput {
    shape: Vec<usize>,
    values: Vec<f32>,
}

fn read<T: for<'de> Deserialize<'de>>(name: &str) -> Vec<T> {
    let path = format!("{}/tests/golden/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn assert_close(what: &str, found: &[f32], golden: &[f32]) {
    assert_eq!(found.len(), golden.len(), "{what}: number of values");
    let scale = golden
        .iter()
        .fold(1e-3, |top: f64, value| top.max(f64::from(value.abs())));
    for (index, (a, b)) in found.iter().zip(golden).enumerate() {
        let difference = (f64::from(*a) - f64::from(*b)).abs();
        assert!(
            difference <= TOLERANCE * scale,
            "{what}[{index}]: {a}, PyTorch {b}"
        );
    }
}

impl Golden {
    fn layer(&self) -> Layer {
        let value = |json: &serde_json::Value| match json {
            serde_json::Value::Bool(value) => Value::Bool(*value),
            serde_json::Value::String(word) => Value::Name(String::leak(word.clone())),
            number => number
                .as_i64()
                .map_or_else(|| Value::Float(number.as_f64().unwrap()), Value::Int),
        };
        let given: Vec<(&str, Value)> = self
            .arguments
            .iter()
            .map(|(name, json)| (name.as_str(), value(json)))
            .collect();
        Layer::new(find(&self.layer).unwrap(), &given).unwrap()
    }

    fn shape(&self) -> Shape {
        match (self.kind.as_str(), &self.inputs[0].shape[1..]) {
            ("image", &[channels, height, width]) => Shape::Image {
                channels,
                height,
                width,
            },
            ("signal", &[channels, length]) => Shape::Signal { channels, length },
            ("sequence", &[length, features]) => Shape::Sequence { length, features },
            ("vector", &[features]) => Shape::Vector { features },
            other => panic!("{other:?} is no shape"),
        }
    }

    /// The layer alone, followed by `flatten`, with the golden parameters and buffers.
    fn network(&self, device: &Device) -> Network {
        let shape = self.shape();
        let mut builder = Builder::new(shape);
        let inputs = vec![Builder::INPUT; self.inputs.len()];
        let layer = builder
            .push(self.layer(), inputs, "layer".to_owned())
            .unwrap();
        let flatten = Layer::plain(find("flatten").unwrap()).unwrap();
        let last = builder
            .push(flatten, vec![layer], "flatten".to_owned())
            .unwrap();
        let classes = builder.shape(layer).elements();
        let architecture = builder.finish(last, Output::Classes(classes)).unwrap();
        let mut stream = Seed(0).stream(0, Purpose::Init);
        let mut network = Network::build(&architecture, &mut stream, device);
        let shapes: Vec<_> = network.parameters().iter().map(Parameter::dims).collect();
        let golden: Vec<_> = self.parameters.iter().map(|p| p.shape.clone()).collect();
        assert_eq!(shapes, golden, "{}: shapes of parameters", self.layer);
        *network.parameters_mut() = self
            .parameters
            .iter()
            .map(|p| {
                Parameter::from_data(TensorData::new(p.values.clone(), p.shape.clone()), device)
            })
            .collect();
        network
    }

    fn check(&self) {
        let device = Device::flex().autodiff();
        let what = format!("{}{:?} on {}", self.layer, self.arguments, self.kind);
        let network = self.network(&device);
        let layer = self.layer();
        let inputs: Vec<Activation> = self
            .inputs
            .iter()
            .map(|x| {
                tracked(strata::model::batch(
                    self.shape(),
                    x.values.clone(),
                    &device,
                ))
            })
            .collect();
        let mut buffers: Vec<Tensor<1>> = self
            .buffers
            .iter()
            .map(|b| Tensor::from_data(b.before.as_slice(), &device.clone().inner()))
            .collect();
        let mut stream = Seed(0).stream(0, Purpose::Dropout);
        let mode = if self.training {
            Mode::Training(&mut stream)
        } else {
            Mode::Inference
        };
        let mut context = strata::layers::Forward {
            parameters: network.parameters(),
            buffers: &mut buffers,
            mode,
        };
        let output = layer
            .kind
            .forward(&layer.arguments, &mut context, inputs.clone());
        assert_eq!(output.dims(), self.output.shape, "{what}: output");
        let flat = flat(output);
        assert_close(&what, &values(flat.clone().inner()), &self.output.values);
        for (buffer, golden) in buffers.iter().zip(&self.buffers) {
            assert_close(
                &format!("{what}: buffer"),
                &values(buffer.clone()),
                &golden.after,
            );
        }
        if flat.is_tracked() {
            self.check_gradients(&what, flat, &network, &inputs, &device);
        }
    }

    fn check_gradients(
        &self,
        what: &str,
        flat: Tensor<1>,
        network: &Network,
        inputs: &[Activation],
        device: &Device,
    ) {
        let mut gradients = (flat * Tensor::from_data(self.weights.as_slice(), device))
            .sum()
            .backward();
        for (index, (x, golden)) in inputs.iter().zip(&self.inputs).enumerate() {
            let found = match x {
                Activation::Vector(x) => values(x.grad(&gradients).unwrap().reshape([-1])),
                Activation::Signal(x) | Activation::Sequence(x) => {
                    values(x.grad(&gradients).unwrap().reshape([-1]))
                }
                Activation::Image(x) => values(x.grad(&gradients).unwrap().reshape([-1])),
                Activation::Tokens(_) => unreachable!("no golden layer takes tokens"),
            };
            assert_close(
                &format!("{what}: gradient of input {index}"),
                &found,
                &golden.gradient,
            );
        }
        for (index, (p, golden)) in network
            .parameters()
            .iter()
            .zip(&self.parameters)
            .enumerate()
        {
            let found = p
                .take_gradient(&mut gradients)
                .unwrap()
                .try_into_vec::<f32>()
                .unwrap();
            assert_close(
                &format!("{what}: gradient of parameter {index}"),
                &found,
                &golden.gradient,
            );
        }
    }
}

fn tracked(input: Activation) -> Activation {
    match input {
        Activation::Vector(x) => Activation::Vector(x.require_grad()),
        Activation::Signal(x) => Activation::Signal(x.require_grad()),
        Activation::Sequence(x) => Activation::Sequence(x.require_grad()),
        Activation::Image(x) => Activation::Image(x.require_grad()),
        tokens @ Activation::Tokens(_) => tokens,
    }
}

fn flat(output: Activation) -> Tensor<1> {
    match output {
        Activation::Vector(x) => x.reshape([-1]),
        Activation::Signal(x) | Activation::Sequence(x) => x.reshape([-1]),
        Activation::Image(x) => x.reshape([-1]),
        Activation::Tokens(_) => unreachable!("no golden layer gives tokens"),
    }
}

fn values(tensor: Tensor<1>) -> Vec<f32> {
    tensor.into_data().try_into_vec().unwrap()
}

#[test]
fn layers_compute_what_pytorch_computes_in_both_directions() {
    let golden: Vec<Golden> = read("layers.json");
    assert!(golden.len() > 50);
    golden.iter().for_each(Golden::check);
}

#[test]
fn every_layer_kind_but_dropout_is_compared_with_pytorch() {
    let golden: Vec<Golden> = read("layers.json");
    let compared = |name: &str| golden.iter().any(|case| case.layer == name);
    let missing: Vec<&str> = strata::layers::kinds()
        .map(strata::layers::Kind::name)
        .filter(|name| !compared(name))
        .collect();
    assert_eq!(missing, ["dropout"]);
}

#[derive(Deserialize)]
struct Trajectory {
    name: String,
    recipe: Recipe,
    rates: Vec<f64>,
    shapes: Vec<Vec<usize>>,
    start: Vec<Vec<f32>>,
    gradients: Vec<Vec<Vec<f32>>>,
    norms: Vec<f64>,
    after: Vec<Vec<Vec<f32>>>,
}

#[test]
fn optimizers_step_as_pytorch_does() {
    for case in read::<Trajectory>("optimizers.json") {
        let data = |values: &[Vec<f32>]| -> Vec<TensorData> {
            let pairs = values.iter().zip(&case.shapes);
            pairs
                .map(|(values, shape)| TensorData::new(values.clone(), shape.clone()))
                .collect()
        };
        let device = Device::flex().autodiff();
        let mut parameters: Vec<Parameter> = data(&case.start)
            .into_iter()
            .map(|data| Parameter::from_data(data, &device))
            .collect();
        let mut optimizer = Optimizer::new(&case.recipe, parameters.len());
        for (step, rate) in case.rates.iter().enumerate() {
            let mut gradients: Vec<_> = data(&case.gradients[step]).into_iter().map(Some).collect();
            if let Some(limit) = case.recipe.gradient_clip_norm {
                let norm = clip_gradients(&mut gradients, limit);
                assert!(
                    (norm - case.norms[step]).abs() < 1e-5 * norm,
                    "{}: norm",
                    case.name
                );
            }
            optimizer.step(&mut parameters, &gradients, *rate);
            for (parameter, golden) in parameters.iter().zip(&case.after[step]) {
                let found = parameter.to_data().try_into_vec::<f32>().unwrap();
                assert_close(&format!("{} after step {step}", case.name), &found, golden);
            }
        }
    }
}

#[derive(Deserialize)]
struct GoldenLoss {
    smoothing: f64,
    logits: Vec<f32>,
    labels: Vec<u32>,
    loss: f32,
    gradient: Vec<f32>,
}

#[test]
fn cross_entropy_with_smoothing_is_pytorchs() {
    for case in read::<GoldenLoss>("losses.json") {
        let device = Device::flex().autodiff();
        let batch = case.labels.len();
        let data = TensorData::new(case.logits.clone(), [batch, case.logits.len() / batch]);
        let logits = Tensor::<2>::from_data(data, &device).require_grad();
        let loss = cross_entropy(logits.clone(), &case.labels, case.smoothing);
        let gradients = loss.backward();
        assert_close("loss", &values(loss.inner()), &[case.loss]);
        let gradient = logits.grad(&gradients).unwrap().reshape([-1]);
        assert_close("gradient of the logits", &values(gradient), &case.gradient);
    }
}
