//! What is computed on burn: layers without kernels of our own, and whole networks on other devices.

use super::Network;
use super::network::{batch, walk};
use super::plan::Step;
use super::program::{turn, turn_back};
use crate::kernels::{Keeps, Operation, Pass};
use crate::layers::{Activation, Forward, Layer, Mode, Parameter, Shape};
use crate::random::Stream;
use burn::tensor::{Device, Gradients, Tensor, TensorData};

/// What burn computes and differentiates.
pub(super) struct Foreign {
    work: Work,
    device: Device,
    inputs: Vec<Shape>,
    output: Shape,
    parameters: Vec<Vec<usize>>,
    /// Whether a backward pass follows a forward one in training.
    learns: bool,
    ran: Option<Ran>,
}

enum Work {
    Layer(Layer),
    Network(Vec<Step>),
}

/// What the forward pass leaves for the backward one.
struct Ran {
    inputs: Vec<Activation>,
    parameters: Vec<Parameter>,
    output: Activation,
}

impl std::fmt::Debug for Foreign {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.work {
            Work::Layer(layer) => write!(f, "Foreign({layer})"),
            Work::Network(steps) => write!(f, "Foreign({} layers, {:?})", steps.len(), self.device),
        }
    }
}

impl Foreign {
    /// One layer, on the processor. Where nothing asks for gradients, burn doesn't track them: it would never let go of them.
    pub(super) fn layer(step: &Step, learns: bool) -> Self {
        Self {
            work: Work::Layer(step.layer.clone()),
            device: Device::flex(),
            inputs: step.shapes.clone(),
            output: step.shape,
            parameters: shapes(step),
            learns,
            ran: None,
        }
    }

    /// A whole network.
    pub(super) fn network(network: &Network, device: Device) -> Self {
        let steps = network.steps().to_vec();
        Self {
            device,
            inputs: vec![network.input()],
            output: steps.last().map_or(network.input(), |step| step.shape),
            parameters: steps.iter().flat_map(shapes).collect(),
            work: Work::Network(steps),
            learns: true,
            ran: None,
        }
    }

    fn compute(
        &self,
        tensors: (&[Parameter], &mut [Tensor<1>]),
        mut inputs: Vec<Activation>,
        mode: Mode<'_>,
    ) -> Activation {
        match &self.work {
            Work::Layer(layer) => {
                let (parameters, buffers) = tensors;
                let mut context = Forward {
                    parameters,
                    buffers,
                    mode,
                };
                layer.kind.forward(&layer.arguments, &mut context, inputs)
            }
            Work::Network(steps) => {
                let input = inputs.pop().expect("a network has an input");
                walk(steps, tensors, input, mode, |_, _| ())
            }
        }
    }
}

/// The shapes of a layer's parameters.
fn shapes(step: &Step) -> Vec<Vec<usize>> {
    let specs = step.layer.parameters(&step.shapes);
    specs.into_iter().map(|spec| spec.shape).collect()
}

impl Operation for Foreign {
    fn forward(
        &mut self,
        pass: Pass<'_>,
        buffers: &mut [Vec<f32>],
        noise: Option<&mut Stream>,
        output: &mut [f32],
    ) {
        let plain = self.device.clone();
        let tracks = noise.is_some() && self.learns;
        let device = match tracks {
            true => plain.clone().autodiff(),
            false => plain.clone(),
        };
        let inputs = self.inputs.iter().zip(pass.inputs).map(|(&shape, values)| {
            let mut turned = vec![0.0; values.len()];
            turn_back(shape, values, &mut turned);
            tracked(batch(shape, turned, &device), tracks)
        });
        let inputs: Vec<Activation> = inputs.collect();
        let parameters = self
            .parameters
            .iter()
            .zip(pass.parameters)
            .map(|(shape, values)| {
                Parameter::from_data(TensorData::new(values.clone(), shape.as_slice()), &device)
            });
        let parameters: Vec<Parameter> = parameters.collect();
        let mut kept: Vec<Tensor<1>> = buffers
            .iter()
            .map(|values| {
                Tensor::from_data(TensorData::new(values.clone(), [values.len()]), &plain)
            })
            .collect();
        let mode = noise.map_or(Mode::Inference, Mode::Training);
        let result = self.compute((&parameters, &mut kept), inputs.clone(), mode);
        turn(self.output, &floats(data(&result)), output);
        for (values, tensor) in buffers.iter_mut().zip(kept) {
            *values = floats(tensor.into_data());
        }
        self.ran = tracks.then_some(Ran {
            inputs,
            parameters,
            output: result,
        });
    }

    fn backward(
        &mut self,
        _pass: Pass<'_>,
        _output: &[f32],
        gradient: &mut [f32],
        inputs: &mut [Option<&mut [f32]>],
        parameters: &mut [Vec<f32>],
    ) {
        let ran = self
            .ran
            .take()
            .expect("a forward pass in training comes first");
        let mut turned = vec![0.0; gradient.len()];
        turn_back(self.output, gradient, &mut turned);
        let mut gradients = pull(ran.output, turned);
        for (parameter, to) in ran.parameters.iter().zip(parameters) {
            let found = gradients
                .as_mut()
                .and_then(|gradients| parameter.take_gradient(gradients));
            match found {
                Some(found) => *to = floats(found),
                None => to.fill(0.0),
            }
        }
        let wanted = ran.inputs.iter().zip(&self.inputs).zip(inputs);
        for ((input, &shape), to) in wanted {
            let Some(to) = to else { continue };
            match gradients
                .as_ref()
                .and_then(|gradients| gradient_of(input, gradients))
            {
                Some(found) => turn(shape, &floats(found), to),
                None => to.fill(0.0),
            }
        }
    }

    fn keeps(&self) -> Keeps {
        // burn has what it needs.
        Keeps::Nothing
    }
}

/// The same expression for the tensor of whatever rank; what tokens give instead.
macro_rules! any {
    ($activation:expr, $x:ident => $body:expr, $tokens:expr) => {
        match $activation {
            Activation::Vector($x) => $body,
            Activation::Signal($x) | Activation::Sequence($x) => $body,
            Activation::Image($x) => $body,
            Activation::Volume($x) => $body,
            Activation::Tokens(_) => $tokens,
        }
    };
}

fn tracked(input: Activation, track: bool) -> Activation {
    if !track {
        return input;
    }
    match input {
        Activation::Vector(x) => Activation::Vector(x.require_grad()),
        Activation::Signal(x) => Activation::Signal(x.require_grad()),
        Activation::Sequence(x) => Activation::Sequence(x.require_grad()),
        Activation::Image(x) => Activation::Image(x.require_grad()),
        Activation::Volume(x) => Activation::Volume(x.require_grad()),
        tokens => tokens,
    }
}

fn data(output: &Activation) -> TensorData {
    any!(output, x => x.to_data(), unreachable!("nothing that burn computes here gives tokens"))
}

/// Gradients of the output's products with `gradient`; `None` where it depends on nothing.
fn pull(output: Activation, gradient: Vec<f32>) -> Option<Gradients> {
    any!(output, x => {
        let weights = Tensor::from_data(TensorData::new(gradient, x.dims()), &x.device());
        x.is_tracked().then(|| (x * weights).sum().backward())
    }, None)
}

fn gradient_of(input: &Activation, gradients: &Gradients) -> Option<TensorData> {
    any!(input, x => x.grad(gradients).map(Tensor::into_data), None)
}

fn floats(data: TensorData) -> Vec<f32> {
    data.try_into_vec()
        .expect("networks compute in 32-bit floats")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language;
    use crate::random::{Purpose, Seed};
    use crate::space::Sampling;

    #[test]
    fn burn_keeps_nothing_where_nobody_asks_for_gradients() {
        let text = "space s\ninput vector(features: 4)\noutput classes(2)\nnetwork { alpha_dropout(0.5) linear(classes) }";
        let space = language::compile(text).unwrap().space;
        let mut stream = Seed(1).stream(0, Purpose::Init);
        let genome = space.sample(Sampling::Prior, &mut stream);
        let architecture = space.decode(&genome).unwrap().architecture;
        let network = Network::build(&architecture, &mut stream, &Device::flex());
        for learns in [false, true] {
            let mut layer = Foreign::layer(&network.steps()[0], learns);
            let pass = Pass {
                batch: 3,
                inputs: &[&[1.0; 12]],
                parameters: &[],
            };
            let mut output = [0.0; 12];
            layer.forward(pass, &mut [], Some(&mut stream), &mut output);
            assert_eq!(layer.ran.is_some(), learns);
        }
    }
}
