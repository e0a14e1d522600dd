//! Linear maps that choose: between several maps, or between a map and the input itself.

use super::convolution::channels;
use super::description::ROWS;
use super::forward::{Activation, one};
use super::fully_connected::linear_parameters;
use super::{
    ArgType, Argument, Arguments, Category, Description, Forward, Init, LayerKind, ParameterSpec,
    Shape, ShapeError,
};
use burn::tensor::{activation, module};

/// `mixture_of_experts`: several linear maps, weighed by a gate that sees the input.
pub struct MixtureOfExperts;

static MIXTURE_OF_EXPERTS: Description = Description {
    name: "mixture_of_experts",
    category: Category::FullyConnected,
    torch: "softmax(torch.nn.Linear(in, experts)) weighing the outputs of that many torch.nn.Linear(in, out)",
    summary: "several linear maps, their outputs weighed by a learned gate that sees the input",
    equation: "y = sum over e of g[e] (x W[e] + b[e]), g = softmax(x G + c)",
    source: "Jacobs et al., Adaptive mixtures of local experts, 1991",
    accepts: ROWS,
    arguments: &[
        Argument::required(
            "out",
            ArgType::Int {
                min: 1,
                max: 1 << 16,
            },
            "output features",
        ),
        Argument::int("experts", 64, 4, "how many linear maps"),
    ],
    ..Description::PLAIN
};

impl LayerKind for MixtureOfExperts {
    fn describe(&self) -> &'static Description {
        &MIXTURE_OF_EXPERTS
    }

    fn shape(&self, arguments: &Arguments, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let input = self.describe().accept(inputs[0])?;
        Ok(input.with_features(arguments.int(0)))
    }

    fn parameters(&self, arguments: &Arguments, inputs: &[Shape]) -> Vec<ParameterSpec> {
        let (inputs, out, experts) = (channels(inputs), arguments.int(0), arguments.int(1));
        let mut specs = linear_parameters(["gate.weight", "gate.bias"], inputs, experts, true);
        let names = ["experts.weight", "experts.bias"];
        specs.extend(linear_parameters(names, inputs, experts * out, true));
        specs
    }

    fn macs(&self, arguments: &Arguments, inputs: &[Shape], output: Shape) -> u64 {
        let (out, experts) = (arguments.int(0), arguments.int(1));
        (output.positions() * channels(inputs) * experts * (out + 1)) as u64
    }

    fn forward(
        &self,
        arguments: &Arguments,
        context: &mut Forward<'_>,
        inputs: Vec<Activation>,
    ) -> Activation {
        let [gate, gate_bias, experts, bias] = context.parameters else {
            unreachable!("the specification has four parameters")
        };
        let (out, number) = (arguments.int(0), arguments.int(1));
        one(inputs).map_rows(|x| {
            let rows = x.dims()[0];
            let gate = module::linear(x.clone(), gate.matrix(), Some(gate_bias.vector()));
            let gate = activation::softmax(gate, 1).reshape([rows, number, 1]);
            let all = module::linear(x, experts.matrix(), Some(bias.vector()));
            (all.reshape([rows, number, out]) * gate)
                .sum_dim(1)
                .squeeze_dim(1)
        })
    }
}

/// `maxout`: the largest of several linear maps.
pub struct Maxout;

static MAXOUT: Description = Description {
    name: "maxout",
    category: Category::FullyConnected,
    torch: "torch.nn.Linear(in, out * pieces) then unflatten(-1, (out, pieces)).amax(-1)",
    summary: "each output the largest of several weighted sums: a learned convex activation",
    equation: "y[o] = max over k of x W[:, o, k] + b[o, k]",
    source: "Goodfellow et al., Maxout networks, 2013",
    accepts: ROWS,
    arguments: &[
        Argument::required(
            "out",
            ArgType::Int {
                min: 1,
                max: 1 << 16,
            },
            "output features",
        ),
        Argument::int("pieces", 64, 2, "weighted sums for each output"),
    ],
    ..Description::PLAIN
};

impl LayerKind for Maxout {
    fn describe(&self) -> &'static Description {
        &MAXOUT
    }

    fn shape(&self, arguments: &Arguments, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let input = self.describe().accept(inputs[0])?;
        Ok(input.with_features(arguments.int(0)))
    }

    fn parameters(&self, arguments: &Arguments, inputs: &[Shape]) -> Vec<ParameterSpec> {
        let outputs = arguments.int(0) * arguments.int(1);
        linear_parameters(["weight", "bias"], channels(inputs), outputs, true)
    }

    fn macs(&self, arguments: &Arguments, inputs: &[Shape], output: Shape) -> u64 {
        (channels(inputs) * output.elements() * arguments.int(1)) as u64
    }

    fn forward(
        &self,
        arguments: &Arguments,
        context: &mut Forward<'_>,
        inputs: Vec<Activation>,
    ) -> Activation {
        let (weight, bias) = (
            context.parameters[0].matrix(),
            context.parameters[1].vector(),
        );
        let (out, pieces) = (arguments.int(0), arguments.int(1));
        one(inputs).map_rows(|x| {
            let rows = x.dims()[0];
            module::linear(x, weight, Some(bias))
                .reshape([rows, out, pieces])
                .max_dim(2)
                .squeeze_dim(2)
        })
    }
}

/// `highway`: a gate between a dense layer and its input.
pub struct Highway;

static HIGHWAY: Description = Description {
    name: "highway",
    category: Category::FullyConnected,
    torch: "t * torch.relu(torch.nn.Linear(in, in)(x)) + (1 - t) * x, t = torch.sigmoid(torch.nn.Linear(in, in)(x))",
    summary: "a learned gate for each feature between a dense layer with relu and the input itself, which it prefers \
              at first",
    equation: "y = t max(x W + b, 0) + (1 - t) x, t = sigmoid(x G + c), c = -1 at first",
    source: "Srivastava et al., Highway networks, 2015",
    accepts: ROWS,
    ..Description::PLAIN
};

impl LayerKind for Highway {
    fn describe(&self) -> &'static Description {
        &HIGHWAY
    }

    fn parameters(&self, _: &Arguments, inputs: &[Shape]) -> Vec<ParameterSpec> {
        let features = channels(inputs);
        let mut specs = linear_parameters(["weight", "bias"], features, features, true);
        specs.extend(linear_parameters(
            ["gate.weight", ""],
            features,
            features,
            false,
        ));
        let closed = Init::Constant(-1.0);
        specs.push(ParameterSpec::new("gate.bias", [features], closed));
        specs
    }

    fn macs(&self, _: &Arguments, inputs: &[Shape], output: Shape) -> u64 {
        2 * (channels(inputs) * output.elements()) as u64
    }

    fn forward(
        &self,
        _arguments: &Arguments,
        context: &mut Forward<'_>,
        inputs: Vec<Activation>,
    ) -> Activation {
        let [weight, bias, gate, gate_bias] = context.parameters else {
            unreachable!("the specification has four parameters")
        };
        one(inputs).map_rows(|x| {
            let dense = module::linear(x.clone(), weight.matrix(), Some(bias.vector()));
            let gate = module::linear(x.clone(), gate.matrix(), Some(gate_bias.vector()));
            x.clone() + activation::sigmoid(gate) * (activation::relu(dense) - x)
        })
    }
}
