//! Gates in (0, 1) for channels and for positions.

use super::convolution::channels;
use super::description::GRIDS;
use super::forward::{Activation, one};
use super::fully_connected::linear_parameters;
use super::window::Window;
use super::{
    ArgType, Argument, Arguments, Category, Description, Forward, Init, LayerKind, ParameterSpec,
    Shape, ShapeError, Value,
};
use crate::kernels::{self, Operation};
use burn::tensor::module::{conv1d, conv2d};
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Tensor, activation, module};

/// `squeeze_excite`: channels scaled by a small network that sees their means.
pub struct SqueezeExcite;

static SQUEEZE_EXCITE: Description = Description {
    name: "squeeze_excite",
    category: Category::Attention,
    torch: "torchvision.ops.SqueezeExcitation(channels, max(channels // reduction, 1))",
    summary: "each channel scaled by a gate in (0, 1) that a small network computes from all channel means",
    equation: "y = x * sigmoid(W2 relu(W1 mean(x) + b1) + b2), W1 of [c, max(c / r, 1)]",
    source: "Hu et al., Squeeze-and-excitation networks, 2018",
    accepts: &["image"],
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
    ..Description::PLAIN
};

impl LayerKind for SqueezeExcite {
    fn describe(&self) -> &'static Description {
        &SQUEEZE_EXCITE
    }

    fn shape(&self, arguments: &Arguments, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let input = self.describe().accept(inputs[0])?;
        let channels = channels(inputs);
        match arguments.values()[0] {
            Value::Int(stated) if stated != channels as i64 => Err(ShapeError(format!(
                "squeeze_excite({stated}) meets an image of {channels} channels; it keeps the \
                 number of channels"
            ))),
            _ => Ok(input),
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
        let x = one(inputs).image();
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

    fn operation(&self, arguments: &Arguments, inputs: &[Shape]) -> Option<Box<dyn Operation>> {
        let (channels, hidden) = widths(arguments, inputs[0]);
        Some(Box::new(kernels::SqueezeExcite::new(channels, hidden)))
    }
}

fn widths(arguments: &Arguments, input: Shape) -> (usize, usize) {
    let channels = input
        .features()
        .expect("the shape rule accepts only images");
    (channels, (channels / arguments.int(1)).max(1))
}

/// `eca`: channels scaled by a gate that sees neighbouring channels' means.
pub struct Eca;

static ECA: Description = Description {
    name: "eca",
    category: Category::Attention,
    torch: "x * torch.sigmoid(torch.nn.Conv1d(1, 1, kernel, padding=kernel // 2, bias=False)(means))",
    summary: "each channel scaled by a gate in (0, 1) that a small filter computes from the means of the \
              channels around it: efficient channel attention",
    equation: "y[c] = x[c] sigmoid(sum over u of W[u] mean(x[c + u - kernel / 2]))",
    source: "Wang et al., ECA-Net, 2020",
    accepts: GRIDS,
    arguments: &[Argument::int(
        "kernel",
        255,
        3,
        "how many channels a gate sees, an odd number",
    )],
    ..Description::PLAIN
};

impl LayerKind for Eca {
    fn describe(&self) -> &'static Description {
        &ECA
    }

    fn shape(&self, arguments: &Arguments, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        odd("eca", arguments.int(0))?;
        self.describe().accept(inputs[0])
    }

    fn parameters(&self, arguments: &Arguments, _inputs: &[Shape]) -> Vec<ParameterSpec> {
        let kernel = arguments.int(0);
        let init = Init::fan_in(kernel);
        vec![ParameterSpec::new("weight", [1, 1, kernel], init)]
    }

    fn macs(&self, arguments: &Arguments, inputs: &[Shape], _output: Shape) -> u64 {
        (channels(inputs) * arguments.int(0)) as u64
    }

    fn forward(
        &self,
        arguments: &Arguments,
        context: &mut Forward<'_>,
        inputs: Vec<Activation>,
    ) -> Activation {
        let weight = context.parameters[0].kernel1d();
        let options = ConvOptions::new([1], [arguments.int(0) / 2], [1], 1);
        one(inputs).map_channels(|x| {
            let means = x.clone().mean_dim(2).swap_dims(1, 2);
            let gate = activation::sigmoid(conv1d(means, weight, None, options));
            x * gate.swap_dims(1, 2)
        })
    }
}

fn odd(layer: &str, kernel: usize) -> Result<(), ShapeError> {
    if kernel % 2 == 1 {
        return Ok(());
    }
    Err(ShapeError(format!(
        "{layer}'s kernel of {kernel} has no middle; use an odd one"
    )))
}

/// `spatial_attention`: pixels scaled by a gate that sees what the channels have there.
pub struct SpatialAttention;

static SPATIAL_ATTENTION: Description = Description {
    name: "spatial_attention",
    category: Category::Attention,
    torch: "x * torch.sigmoid(torch.nn.Conv2d(2, 1, kernel, padding=kernel // 2, bias=False)(torch.cat([x.mean(1, \
            True), x.amax(1, True)], 1)))",
    summary: "each pixel scaled by a gate in (0, 1) that a filter computes from the mean and the largest of the \
              channels around it",
    equation: "y = x sigmoid(conv([mean over c of x; max over c of x]))",
    source: "Woo et al., CBAM, 2018",
    accepts: &["image"],
    arguments: &[Argument::int(
        "kernel",
        255,
        7,
        "rows and columns of the filter, an odd number",
    )],
    ..Description::PLAIN
};

impl LayerKind for SpatialAttention {
    fn describe(&self) -> &'static Description {
        &SPATIAL_ATTENTION
    }

    fn shape(&self, arguments: &Arguments, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        odd("spatial_attention", arguments.int(0))?;
        self.describe().accept(inputs[0])
    }

    fn parameters(&self, arguments: &Arguments, _inputs: &[Shape]) -> Vec<ParameterSpec> {
        let kernel = arguments.int(0);
        let init = Init::fan_in(2 * kernel * kernel);
        vec![ParameterSpec::new("weight", [1, 2, kernel, kernel], init)]
    }

    fn macs(&self, arguments: &Arguments, inputs: &[Shape], _output: Shape) -> u64 {
        let kernel = arguments.int(0);
        (inputs[0].positions() * 2 * kernel * kernel) as u64
    }

    fn forward(
        &self,
        arguments: &Arguments,
        context: &mut Forward<'_>,
        inputs: Vec<Activation>,
    ) -> Activation {
        let x = one(inputs).image();
        let window = Window::new(arguments.int(0), 1, 1, Value::Name("same"));
        let seen = vec![x.clone().mean_dim(1), x.clone().max_dim(1)];
        let options = ConvOptions::new_with_padding([1; 2], window.pairs(), [1; 2], 1);
        let weight = context.parameters[0].kernel2d();
        let gate = conv2d(Tensor::cat(seen, 1), weight, None, options);
        Activation::Image(x * activation::sigmoid(gate))
    }
}
