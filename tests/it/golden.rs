//! What PyTorch computes for the layers of the catalogue (tests/golden/cases.py), and running it here.

use burn::module::Param;
use burn::tensor::{DType, Device, Tensor, TensorData};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::LazyLock;
use strata::layers::{
    Activation, Forward, Layer, Mode, Parameter, ParameterSpec, Shape, Value, find,
};
use strata::random::{Purpose, Seed};

/// The golden file.
#[derive(Deserialize)]
pub struct Golden {
    vocabulary: usize,
    pub torch_classes: Vec<String>,
    pub cases: Vec<Case>,
    pub starts: Vec<Start>,
}

/// How PyTorch starts the parameters of a module of its own.
#[derive(Deserialize)]
pub struct Start {
    pub layer: String,
    arguments: BTreeMap<String, serde_json::Value>,
    inputs: Vec<Input>,
    pub parameters: Vec<Spread>,
}

/// The largest value and the root mean square over many modules.
#[derive(Deserialize)]
pub struct Spread {
    pub largest: f64,
    pub rms: f64,
}

impl Start {
    /// How the layer says that its parameters start.
    pub fn specs(&self) -> Vec<ParameterSpec> {
        let shapes: Vec<Shape> = self.inputs.iter().map(Input::shape).collect();
        let layer = layer_of(&self.layer, &self.arguments);
        assert!(layer.shape(&shapes).is_ok());
        layer.parameters(&shapes)
    }
}

/// One layer with its arguments, inputs and parameters, and what PyTorch makes of them.
#[derive(Deserialize)]
pub struct Case {
    pub layer: String,
    arguments: BTreeMap<String, serde_json::Value>,
    pub training: bool,
    pub inputs: Vec<Input>,
    pub parameters: Vec<GoldenTensor>,
    pub buffers: Vec<GoldenBuffer>,
    pub weights: Vec<f64>,
    pub output: GoldenOutput,
}

#[derive(Deserialize)]
pub struct Input {
    pub kind: String,
    #[serde(flatten)]
    pub tensor: GoldenTensor,
}

#[derive(Deserialize)]
pub struct GoldenTensor {
    pub shape: Vec<usize>,
    pub values: Vec<f64>,
    pub gradient: Vec<f64>,
}

#[derive(Deserialize)]
pub struct GoldenBuffer {
    pub before: Vec<f64>,
    pub after: Vec<f64>,
}

#[derive(Deserialize)]
pub struct GoldenOutput {
    pub shape: Vec<usize>,
    pub values: Vec<f64>,
}

/// The golden file, read once.
pub static GOLDEN: LazyLock<Golden> = LazyLock::new(|| {
    let path = format!("{}/tests/golden/layers.json.gz", env!("CARGO_MANIFEST_DIR"));
    let file = std::fs::File::open(path).unwrap();
    serde_json::from_reader(flate2::read::GzDecoder::new(file)).unwrap()
});

/// The cases of one kind.
pub fn cases_of(kind: &str) -> impl Iterator<Item = &'static Case> {
    GOLDEN.cases.iter().filter(move |case| case.layer == kind)
}

impl Case {
    /// The layer with its arguments.
    pub fn layer(&self) -> Layer {
        layer_of(&self.layer, &self.arguments)
    }

    /// The shape of one example of each input.
    pub fn shapes(&self) -> Vec<Shape> {
        self.inputs.iter().map(Input::shape).collect()
    }

    /// The case in words.
    pub fn name(&self) -> String {
        let inputs: Vec<String> = self
            .inputs
            .iter()
            .map(|input| format!("{} {}", input.kind, input.shape()))
            .collect();
        format!("{} on {}", self.layer(), inputs.join(" and "))
    }

    /// The values of inputs and parameters as they stand in the file.
    pub fn values(&self) -> Values {
        let values = |tensors: &mut dyn Iterator<Item = &GoldenTensor>| {
            tensors.map(|tensor| tensor.values.clone()).collect()
        };
        Values {
            inputs: values(&mut self.inputs.iter().map(|input| &input.tensor)),
            parameters: values(&mut self.parameters.iter()),
        }
    }
}

impl Input {
    pub fn shape(&self) -> Shape {
        match (self.kind.as_str(), &self.tensor.shape[1..]) {
            ("image", &[channels, height, width]) => Shape::Image {
                channels,
                height,
                width,
            },
            ("volume", &[channels, depth, height, width]) => Shape::Volume {
                channels,
                depth,
                height,
                width,
            },
            ("signal", &[channels, length]) => Shape::Signal { channels, length },
            ("sequence", &[length, features]) => Shape::Sequence { length, features },
            ("vector", &[features]) => Shape::Vector { features },
            ("tokens", &[length]) => Shape::Tokens {
                length,
                vocabulary: GOLDEN.vocabulary,
            },
            other => panic!("{other:?} is no shape"),
        }
    }
}

/// Values for the inputs and the parameters of a case.
#[derive(Clone)]
pub struct Values {
    pub inputs: Vec<Vec<f64>>,
    pub parameters: Vec<Vec<f64>>,
}

/// What came of running a case.
pub struct Ran {
    pub inputs: Vec<Activation>,
    pub parameters: Vec<Parameter>,
    pub buffers: Vec<Vec<f64>>,
    pub dims: Vec<usize>,
    pub output: Tensor<1>,
}

impl Ran {
    /// The output's values.
    pub fn values(&self) -> Vec<f64> {
        numbers(self.output.clone().inner().into_data())
    }

    /// The gradients of the sum of outputs, each times its weight, with respect to inputs (none for
    /// tokens) and parameters.
    pub fn gradients(&self, weights: &[f64]) -> Values {
        let options = (&self.output.device(), self.output.dtype());
        let weights =
            Tensor::<1>::from_data(TensorData::new(weights.to_vec(), [weights.len()]), options);
        let mut gradients = (self.output.clone() * weights).sum().backward();
        let parameter = |x: &Parameter| x.take_gradient(&mut gradients).map(numbers);
        let parameters = self.parameters.iter().map(parameter);
        let parameters = parameters
            .collect::<Option<_>>()
            .expect("a gradient for each parameter");
        let input = |x: &Activation| match x {
            Activation::Vector(x) => x.grad(&gradients).map(Tensor::into_data),
            Activation::Signal(x) | Activation::Sequence(x) => {
                x.grad(&gradients).map(Tensor::into_data)
            }
            Activation::Image(x) => x.grad(&gradients).map(Tensor::into_data),
            Activation::Volume(x) => x.grad(&gradients).map(Tensor::into_data),
            Activation::Tokens(_) => None,
        };
        let inputs = self
            .inputs
            .iter()
            .map(|x| input(x).map(numbers).unwrap_or_default());
        Values {
            inputs: inputs.collect(),
            parameters,
        }
    }
}

/// Runs a case in a precision: in training with the noise of a seed, or at inference.
pub fn run(case: &Case, values: &Values, precision: DType, noise: Option<u64>) -> Ran {
    let device = Device::flex().autodiff();
    let inputs: Vec<Activation> = case
        .inputs
        .iter()
        .zip(&values.inputs)
        .map(|(input, values)| activation(input, values.clone(), precision, &device))
        .collect();
    let parameters: Vec<Parameter> = case
        .parameters
        .iter()
        .zip(&values.parameters)
        .map(|(parameter, values)| {
            parameter_of(&parameter.shape, values.clone(), precision, &device)
        })
        .collect();
    let plain = device.clone().inner();
    let mut buffers: Vec<Tensor<1>> = case
        .buffers
        .iter()
        .map(|b| {
            Tensor::from_data(
                TensorData::new(b.before.clone(), [b.before.len()]),
                (&plain, precision),
            )
        })
        .collect();
    let mut stream = Seed(noise.unwrap_or(0)).stream(0, Purpose::Dropout);
    let mut context = Forward {
        parameters: &parameters,
        buffers: &mut buffers,
        mode: match noise {
            Some(_) => Mode::Training(&mut stream),
            None => Mode::Inference,
        },
    };
    let layer = case.layer();
    let output = layer
        .kind
        .forward(&layer.arguments, &mut context, inputs.clone());
    Ran {
        dims: output.dims(),
        output: flat(output),
        buffers: buffers
            .into_iter()
            .map(|b| numbers(b.into_data()))
            .collect(),
        inputs,
        parameters,
    }
}

fn tensor<const D: usize>(
    shape: &[usize],
    values: Vec<f64>,
    precision: DType,
    device: &Device,
) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values, shape), (device, precision))
}

fn activation(input: &Input, values: Vec<f64>, precision: DType, device: &Device) -> Activation {
    let dims = &input.tensor.shape;
    match input.kind.as_str() {
        "image" => Activation::Image(tensor(dims, values, precision, device).require_grad()),
        "volume" => Activation::Volume(tensor(dims, values, precision, device).require_grad()),
        "signal" => Activation::Signal(tensor(dims, values, precision, device).require_grad()),
        "sequence" => Activation::Sequence(tensor(dims, values, precision, device).require_grad()),
        "vector" => Activation::Vector(tensor(dims, values, precision, device).require_grad()),
        _ => {
            let numbers = values.into_iter().map(|value| value as f32).collect();
            strata::model::batch(input.shape(), numbers, device)
        }
    }
}

fn parameter_of(shape: &[usize], values: Vec<f64>, precision: DType, device: &Device) -> Parameter {
    match shape.len() {
        1 => Parameter::Rank1(Param::from_tensor(tensor(shape, values, precision, device))),
        2 => Parameter::Rank2(Param::from_tensor(tensor(shape, values, precision, device))),
        3 => Parameter::Rank3(Param::from_tensor(tensor(shape, values, precision, device))),
        4 => Parameter::Rank4(Param::from_tensor(tensor(shape, values, precision, device))),
        5 => Parameter::Rank5(Param::from_tensor(tensor(shape, values, precision, device))),
        rank => panic!("no parameter has {rank} dimensions"),
    }
}

fn flat(output: Activation) -> Tensor<1> {
    match output {
        Activation::Vector(x) => x.reshape([-1]),
        Activation::Signal(x) | Activation::Sequence(x) => x.reshape([-1]),
        Activation::Image(x) => x.reshape([-1]),
        Activation::Volume(x) => x.reshape([-1]),
        Activation::Tokens(_) => unreachable!("no golden layer gives tokens"),
    }
}

/// The values as 64-bit numbers.
pub fn numbers(data: TensorData) -> Vec<f64> {
    data.convert::<f64>().try_into_vec().unwrap()
}

/// Runs `check` on every case; what went wrong, a line for each that did.
pub fn failures<'a>(
    cases: impl IntoIterator<Item = &'a Case>,
    check: impl Fn(&Case),
) -> Vec<String> {
    let mut failed = Vec::new();
    for case in cases {
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(case)));
        if let Err(payload) = outcome {
            let text = payload.downcast_ref::<String>().cloned();
            let text = text.or_else(|| {
                payload
                    .downcast_ref::<&str>()
                    .map(|text| (*text).to_owned())
            });
            failed.push(format!("{}: {}", case.name(), text.unwrap_or_default()));
        }
    }
    failed
}

fn layer_of(name: &str, arguments: &BTreeMap<String, serde_json::Value>) -> Layer {
    let value = |json: &serde_json::Value| match json {
        serde_json::Value::Bool(value) => Value::Bool(*value),
        serde_json::Value::String(word) => Value::Name(String::leak(word.clone())),
        number => number
            .as_i64()
            .map_or_else(|| Value::Float(number.as_f64().unwrap()), Value::Int),
    };
    let given: Vec<(&str, Value)> = arguments
        .iter()
        .map(|(name, json)| (name.as_str(), value(json)))
        .collect();
    Layer::new(find(name).unwrap(), &given).unwrap()
}
