//! Linear maps of whole vectors. A sequence is mapped position by position.

use super::convolution::channels;
use super::description::ROWS;
use super::forward::{Activation, one, two};
use super::{
    ArgType, Argument, Arguments, Arity, Category, Description, Forward, Init, LayerKind,
    ParameterSpec, Shape, ShapeError,
};
use crate::kernels::{self, Operation};
use burn::tensor::module;

const OUT: Argument = Argument::required(
    "out",
    ArgType::Int {
        min: 1,
        max: 1 << 20,
    },
    "output features",
);
const BIAS: Argument = Argument::bool(
    "bias",
    true,
    "whether a learned constant is added to each output",
);

/// `linear`: every output sees every input.
pub struct Linear;

static LINEAR: Description = Description {
    name: "linear",
    category: Category::FullyConnected,
    torch: "torch.nn.Linear",
    summary: "a weighted sum of all features for each output; a sequence is mapped position by position",
    equation: "y = x W + b, W of [in, out]",
    source: "Rosenblatt, The perceptron, 1958",
    accepts: ROWS,
    arguments: &[OUT, BIAS],
    ..Description::PLAIN
};

impl LayerKind for Linear {
    fn describe(&self) -> &'static Description {
        &LINEAR
    }

    fn shape(&self, arguments: &Arguments, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let input = self.describe().accept(inputs[0])?;
        Ok(input.with_features(arguments.int(0)))
    }

    fn parameters(&self, arguments: &Arguments, inputs: &[Shape]) -> Vec<ParameterSpec> {
        let (out, bias) = (arguments.int(0), arguments.bool(1));
        linear_parameters(["weight", "bias"], channels(inputs), out, bias)
    }

    fn macs(&self, _arguments: &Arguments, inputs: &[Shape], output: Shape) -> u64 {
        channels(inputs) as u64 * output.elements() as u64
    }

    fn forward(
        &self,
        arguments: &Arguments,
        context: &mut Forward<'_>,
        inputs: Vec<Activation>,
    ) -> Activation {
        let weight = context.parameters[0].matrix();
        let bias = arguments.bool(1).then(|| context.parameters[1].vector());
        match one(inputs) {
            Activation::Vector(x) => Activation::Vector(module::linear(x, weight, bias)),
            Activation::Sequence(x) => Activation::Sequence(module::linear(x, weight, bias)),
            other => unreachable!("the shape rule refuses {:?}", other.dims()),
        }
    }

    fn operation(&self, arguments: &Arguments, inputs: &[Shape]) -> Option<Box<dyn Operation>> {
        let (out, bias) = (arguments.int(0), arguments.bool(1));
        Some(Box::new(kernels::Linear::new(channels(inputs), out, bias)))
    }
}

/// `low_rank_linear`: a linear map through a narrow middle.
pub struct LowRankLinear;

static LOW_RANK_LINEAR: Description = Description {
    name: "low_rank_linear",
    category: Category::FullyConnected,
    torch: "torch.nn.Linear(in, rank, bias=False) then torch.nn.Linear(rank, out)",
    summary: "a linear map whose matrix is the product of two narrow ones",
    equation: "y = x A B + b, A of [in, rank], B of [rank, out]",
    source: "Denil et al., Predicting parameters in deep learning, 2013",
    accepts: ROWS,
    arguments: &[
        OUT,
        Argument::required(
            "rank",
            ArgType::Int {
                min: 1,
                max: 1 << 16,
            },
            "width of the middle",
        ),
        BIAS,
    ],
    ..Description::PLAIN
};

impl LayerKind for LowRankLinear {
    fn describe(&self) -> &'static Description {
        &LOW_RANK_LINEAR
    }

    fn shape(&self, arguments: &Arguments, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let input = self.describe().accept(inputs[0])?;
        Ok(input.with_features(arguments.int(0)))
    }

    fn parameters(&self, arguments: &Arguments, inputs: &[Shape]) -> Vec<ParameterSpec> {
        let (out, rank, bias) = (arguments.int(0), arguments.int(1), arguments.bool(2));
        let mut specs = linear_parameters(["down.weight", ""], channels(inputs), rank, false);
        specs.extend(linear_parameters(["up.weight", "up.bias"], rank, out, bias));
        specs
    }

    fn macs(&self, arguments: &Arguments, inputs: &[Shape], output: Shape) -> u64 {
        let both = channels(inputs) + arguments.int(0);
        (output.positions() * arguments.int(1) * both) as u64
    }

    fn forward(
        &self,
        arguments: &Arguments,
        context: &mut Forward<'_>,
        inputs: Vec<Activation>,
    ) -> Activation {
        let (down, up) = (
            context.parameters[0].matrix(),
            context.parameters[1].matrix(),
        );
        let bias = arguments.bool(2).then(|| context.parameters[2].vector());
        one(inputs).map_rows(|x| module::linear(module::linear(x, down, None), up, bias))
    }
}

/// `bilinear`: every output sees every product of one value of each input.
pub struct Bilinear;

static BILINEAR: Description = Description {
    name: "bilinear",
    category: Category::FullyConnected,
    torch: "torch.nn.Bilinear",
    summary: "a weighted sum of all products of a feature of the first and one of the second input",
    equation: "y[o] = x1^T W[o] x2 + b[o], W of [out, in1, in2]",
    source: "Tenenbaum and Freeman, Separating style and content with bilinear models, 2000",
    arity: Arity::Two,
    accepts: ROWS,
    arguments: &[
        Argument::required("out", ArgType::Int { min: 1, max: 4096 }, "output features"),
        BIAS,
    ],
    ..Description::PLAIN
};

impl LayerKind for Bilinear {
    fn describe(&self) -> &'static Description {
        &BILINEAR
    }

    fn shape(&self, arguments: &Arguments, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let first = self.describe().accept(inputs[0])?;
        let second = self.describe().accept(inputs[1])?;
        if first.with_features(1) != second.with_features(1) {
            return Err(ShapeError(format!(
                "bilinear takes two vectors, or two sequences of one length: {first} meets {second}"
            )));
        }
        Ok(first.with_features(arguments.int(0)))
    }

    fn parameters(&self, arguments: &Arguments, inputs: &[Shape]) -> Vec<ParameterSpec> {
        let (out, init) = (arguments.int(0), Init::fan_in(channels(inputs)));
        let shape = [out, channels(inputs), channels(&inputs[1..])];
        let mut specs = vec![ParameterSpec::new("weight", shape, init)];
        if arguments.bool(1) {
            specs.push(ParameterSpec::new("bias", [out], init));
        }
        specs
    }

    fn macs(&self, arguments: &Arguments, inputs: &[Shape], output: Shape) -> u64 {
        let second = channels(&inputs[1..]);
        (output.positions() * arguments.int(0) * second * (channels(inputs) + 1)) as u64
    }

    fn forward(
        &self,
        arguments: &Arguments,
        context: &mut Forward<'_>,
        inputs: Vec<Activation>,
    ) -> Activation {
        let weight = context.parameters[0].kernel1d();
        let bias = arguments.bool(1).then(|| context.parameters[1].vector());
        let [out, first, second] = weight.dims();
        let (x1, x2) = two(inputs);
        let x2 = match x2 {
            Activation::Vector(x) => x,
            Activation::Sequence(x) => x.flatten(0, 1),
            other => unreachable!("the shape rule refuses {:?}", other.dims()),
        };
        x1.map_rows(|x1| {
            let rows = x1.dims()[0];
            let by_first = weight.swap_dims(0, 1).reshape([first, out * second]);
            let products = x1.matmul(by_first).reshape([rows, out, second]);
            let y = products.matmul(x2.unsqueeze_dim(2)).squeeze_dim(2);
            match bias {
                Some(bias) => y + bias.unsqueeze_dim(0),
                None => y,
            }
        })
    }
}

/// Weight `[inputs, outputs]` and bias of a linear map, with PyTorch's default start.
pub(super) fn linear_parameters(
    [weight, bias]: [&'static str; 2],
    inputs: usize,
    outputs: usize,
    with_bias: bool,
) -> Vec<ParameterSpec> {
    let init = Init::fan_in(inputs);
    let mut specs = vec![ParameterSpec::new(weight, [inputs, outputs], init)];
    if with_bias {
        specs.push(ParameterSpec::new(bias, [outputs], init));
    }
    specs
}
