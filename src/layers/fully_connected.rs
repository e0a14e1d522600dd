//! Linear maps of whole vectors.

use super::forward::Activation;
use super::{
    ArgType, Argument, Arguments, Arity, Category, Description, Forward, Init, LayerKind,
    ParameterSpec, Shape, ShapeError,
};
use burn::tensor::module;

/// `linear`: every output sees every input.
pub struct Linear;

static LINEAR: Description = Description {
    name: "linear",
    category: Category::FullyConnected,
    torch: "torch.nn.Linear",
    summary: "a weighted sum of all features for each output; a sequence is mapped position by position",
    equation: "y = x W + b, W of [in, out]",
    source: "Rosenblatt, The perceptron, 1958",
    arity: Arity::One,
    arguments: &[
        Argument::required(
            "out",
            ArgType::Int {
                min: 1,
                max: 1 << 20,
            },
            "output features",
        ),
        Argument::bool(
            "bias",
            true,
            "whether a learned constant is added to each output",
        ),
    ],
};

impl LayerKind for Linear {
    fn describe(&self) -> &'static Description {
        &LINEAR
    }

    fn shape(&self, arguments: &Arguments, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let features = arguments.int(0);
        match inputs[0] {
            Shape::Vector { .. } => Ok(Shape::Vector { features }),
            Shape::Sequence { length, .. } => Ok(Shape::Sequence { length, features }),
            other => Err(ShapeError::expected(
                "linear",
                "a vector or a sequence (`flatten` or `global_avg_pool` makes one)",
                other,
            )),
        }
    }

    fn parameters(&self, arguments: &Arguments, inputs: &[Shape]) -> Vec<ParameterSpec> {
        linear_parameters(
            ["weight", "bias"],
            in_features(inputs),
            arguments.int(0),
            arguments.bool(1),
        )
    }

    fn macs(&self, _arguments: &Arguments, inputs: &[Shape], output: Shape) -> u64 {
        in_features(inputs) as u64 * output.elements() as u64
    }

    fn forward(
        &self,
        arguments: &Arguments,
        context: &mut Forward<'_>,
        inputs: Vec<Activation>,
    ) -> Activation {
        let weight = context.parameters[0].matrix();
        let bias = arguments.bool(1).then(|| context.parameters[1].vector());
        match inputs.into_iter().next().expect("one input") {
            Activation::Vector(x) => Activation::Vector(module::linear(x, weight, bias)),
            Activation::Sequence(x) => Activation::Sequence(module::linear(x, weight, bias)),
            other => unreachable!("the shape rule refuses {:?}", other.dims()),
        }
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

fn in_features(inputs: &[Shape]) -> usize {
    inputs[0]
        .features()
        .expect("the shape rule accepts only shapes with features")
}
