//! Layers that weigh their input by what they see in it.

use super::forward::Activation;
use super::fully_connected::linear_parameters;
use super::window::image_sizes;
use super::{
    ArgType, Argument, Arguments, Arity, Category, Description, Forward, LayerKind, ParameterSpec,
    Shape, ShapeError, Value,
};
use burn::tensor::{activation, module};

/// `squeeze_excite`: channels scaled by a small network that sees their means.
pub struct SqueezeExcite;

static SQUEEZE_EXCITE: Description = Description {
    name: "squeeze_excite",
    category: Category::Attention,
    torch: "torchvision.ops.SqueezeExcitation(channels, max(channels // reduction, 1))",
    summary: "each channel scaled by a gate in (0, 1) that a small network computes from all channel means",
    equation: "y = x * sigmoid(W2 relu(W1 mean(x) + b1) + b2), W1 of [c, max(c / r, 1)]",
    source: "Hu et al., Squeeze-and-excitation networks, 2018",
    arity: Arity::One,
    arguments: &[
        Argument::with(
            "channels",
            ArgType::NameOrInt {
                names: &["input"],
                max: 1 << 16,
            },
            Value::Name("input"),
            "the input's channels; a number is checked against them",
        ),
        Argument::int(
            "reduction",
            1 << 16,
            4,
            "how many times narrower the small network is",
        ),
    ],
};

impl LayerKind for SqueezeExcite {
    fn describe(&self) -> &'static Description {
        &SQUEEZE_EXCITE
    }

    fn shape(&self, arguments: &Arguments, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let (channels, ..) = image_sizes("squeeze_excite", inputs[0])?;
        match arguments.values()[0] {
            Value::Int(stated) if stated != channels as i64 => Err(ShapeError(format!(
                "squeeze_excite({stated}) meets an image of {channels} channels; it keeps the \
                 number of channels"
            ))),
            _ => Ok(inputs[0]),
        }
    }

    fn parameters(&self, arguments: &Arguments, inputs: &[Shape]) -> Vec<ParameterSpec> {
        let (channels, hidden) = widths(arguments, inputs[0]);
        let mut specs = linear_parameters(["fc1.weight", "fc1.bias"], channels, hidden, true);
        specs.extend(linear_parameters(
            ["fc2.weight", "fc2.bias"],
            hidden,
            channels,
            true,
        ));
        specs
    }

    fn macs(&self, arguments: &Arguments, inputs: &[Shape], _output: Shape) -> u64 {
        let (channels, hidden) = widths(arguments, inputs[0]);
        2 * channels as u64 * hidden as u64
    }

    fn forward(
        &self,
        _arguments: &Arguments,
        context: &mut Forward<'_>,
        inputs: Vec<Activation>,
    ) -> Activation {
        let x = inputs.into_iter().next().expect("one input").image();
        let [batch, channels, height, width] = x.dims();
        let means = x
            .clone()
            .reshape([batch, channels, height * width])
            .mean_dim(2);
        let [w1, b1, w2, b2] = context.parameters else {
            unreachable!("the specification has four parameters")
        };
        let hidden = means.reshape([batch, channels]);
        let hidden = activation::relu(module::linear(hidden, w1.matrix(), Some(b1.vector())));
        let gate = activation::sigmoid(module::linear(hidden, w2.matrix(), Some(b2.vector())));
        Activation::Image(x * gate.reshape([batch, channels, 1, 1]))
    }
}

fn widths(arguments: &Arguments, input: Shape) -> (usize, usize) {
    let channels = input
        .features()
        .expect("the shape rule accepts only images");
    (channels, (channels / arguments.int(1)).max(1))
}
