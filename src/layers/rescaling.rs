//! Rescaling of each example by itself, and by learned factors.

use super::convolution::channels;
use super::description::GRIDS;
use super::forward::{Activation, map_activation, one};
use super::normalisation::{EPS, affine, over_rows};
use super::{
    ArgType, Argument, Arguments, Category, Description, Forward, Init, LayerKind, ParameterSpec,
    Shape, ShapeError,
};
use crate::kernels::{self, Operation};
use burn::tensor::{Tensor, module};

/// `rms_norm`: each example by its root mean square.
pub struct RmsNorm;

static RMS_NORM: Description = Description {
    name: "rms_norm",
    category: Category::Normalisation,
    torch: "torch.nn.RMSNorm over all but the batch (over the features of a sequence)",
    summary: "each example, or each position of a sequence, by its own root mean square",
    equation: "y = w x / sqrt(mean(x^2) + eps), with a weight for each value",
    source: "Zhang and Sennrich, Root mean square layer normalization, 2019",
    arguments: &[EPS],
    ..Description::PLAIN
};

impl LayerKind for RmsNorm {
    fn describe(&self) -> &'static Description {
        &RMS_NORM
    }

    fn parameters(&self, _: &Arguments, inputs: &[Shape]) -> Vec<ParameterSpec> {
        let shape = match inputs[0] {
            Shape::Sequence { features, .. } => vec![features],
            other => other.dimensions(),
        };
        vec![ParameterSpec::new("weight", shape, Init::Constant(1.0))]
    }

    fn forward(
        &self,
        arguments: &Arguments,
        context: &mut Forward<'_>,
        inputs: Vec<Activation>,
    ) -> Activation {
        let (weight, eps) = (context.parameters[0].flat(), arguments.float(0));
        let normalised = weight.dims()[0];
        map_activation!(one(inputs), x => over_rows(x, normalised, |rows| {
            let square = rows.clone().square().mean_dim(1);
            rows / (square + eps).sqrt() * weight.unsqueeze_dim(0)
        }))
    }
}

/// `layer_norm2d`: each position by the statistics of its channels.
pub struct LayerNorm2d;

static LAYER_NORM2D: Description = Description {
    name: "layer_norm2d",
    category: Category::Normalisation,
    torch: "torchvision.ops.LayerNorm2d: torch.nn.LayerNorm over the channels of each position",
    summary: "the channels of each position by their own mean and variance",
    equation: "y = w[c] (x - mean) / sqrt(var + eps) + b[c], mean and var over the channels of a position",
    source: "Liu et al., A ConvNet for the 2020s, 2022",
    accepts: GRIDS,
    arguments: &[EPS],
    ..Description::PLAIN
};

impl LayerKind for LayerNorm2d {
    fn describe(&self) -> &'static Description {
        &LAYER_NORM2D
    }

    fn parameters(&self, _: &Arguments, inputs: &[Shape]) -> Vec<ParameterSpec> {
        affine(["weight", "bias"], [channels(inputs)])
    }

    fn forward(
        &self,
        arguments: &Arguments,
        context: &mut Forward<'_>,
        inputs: Vec<Activation>,
    ) -> Activation {
        let (weight, bias) = (
            context.parameters[0].vector(),
            context.parameters[1].vector(),
        );
        let eps = arguments.float(0);
        one(inputs).map_channels(|x| {
            module::layer_norm(x.swap_dims(1, 2), weight, Some(bias), eps).swap_dims(1, 2)
        })
    }

    fn operation(&self, arguments: &Arguments, inputs: &[Shape]) -> Option<Box<dyn Operation>> {
        let (width, eps) = (channels(inputs), arguments.float(0));
        Some(Box::new(kernels::LayerNorm::new(width, eps)))
    }
}

/// `instance_norm`: each channel of each example by its own statistics.
pub struct InstanceNorm;

static INSTANCE_NORM: Description = Description {
    name: "instance_norm",
    category: Category::Normalisation,
    torch: "torch.nn.InstanceNorm1d, InstanceNorm2d or InstanceNorm3d",
    summary: "each channel of each example by its own mean and variance",
    equation: "y = (x - mean) / sqrt(var + eps), times w[c] plus b[c] where affine; mean and var over positions",
    source: "Ulyanov et al., Instance normalization, 2016",
    accepts: GRIDS,
    arguments: &[
        Argument::bool(
            "affine",
            false,
            "whether each channel has a learned factor and offset",
        ),
        EPS,
    ],
    ..Description::PLAIN
};

impl LayerKind for InstanceNorm {
    fn describe(&self) -> &'static Description {
        &INSTANCE_NORM
    }

    fn shape(&self, _: &Arguments, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let input = self.describe().accept(inputs[0])?;
        if input.positions() == 1 {
            return Err(ShapeError(format!(
                "instance_norm of a single position ({input}) is always zero; use it where there are more"
            )));
        }
        Ok(input)
    }

    fn parameters(&self, arguments: &Arguments, inputs: &[Shape]) -> Vec<ParameterSpec> {
        if arguments.bool(0) {
            affine(["weight", "bias"], [channels(inputs)])
        } else {
            Vec::new()
        }
    }

    fn forward(
        &self,
        arguments: &Arguments,
        context: &mut Forward<'_>,
        inputs: Vec<Activation>,
    ) -> Activation {
        let (with_affine, eps) = (arguments.bool(0), arguments.float(1));
        let parameters = context.parameters;
        one(inputs).map_channels(|x| {
            let ones = Tensor::ones([x.dims()[2]], (&x.device(), x.dtype()));
            let y = module::layer_norm(x, ones, None, eps);
            if with_affine {
                y * by_channel(parameters[0].vector()) + by_channel(parameters[1].vector())
            } else {
                y
            }
        })
    }
}

/// `local_response_norm`: each channel held down by its neighbours.
pub struct LocalResponseNorm;

static LOCAL_RESPONSE_NORM: Description = Description {
    name: "local_response_norm",
    category: Category::Normalisation,
    torch: "torch.nn.LocalResponseNorm",
    summary: "each value held down by the squares of the neighbouring channels at its position",
    equation: "y[c] = x[c] / (k + alpha / size sum over the size channels around c of x^2)^beta",
    source: "Krizhevsky et al., ImageNet classification with deep convolutional networks, 2012",
    accepts: GRIDS,
    arguments: &[
        Argument::required(
            "size",
            ArgType::Int { min: 1, max: 255 },
            "how many channels count as neighbours",
        ),
        Argument::float("alpha", (0.0, 1000.0), 1e-4, "the neighbours' influence"),
        Argument::float("beta", (0.0, 10.0), 0.75, "the exponent"),
        Argument::float(
            "k",
            (1e-3, 1000.0),
            1.0,
            "added to the neighbours' mean square",
        ),
    ],
    ..Description::PLAIN
};

impl LayerKind for LocalResponseNorm {
    fn describe(&self) -> &'static Description {
        &LOCAL_RESPONSE_NORM
    }

    fn forward(
        &self,
        arguments: &Arguments,
        _context: &mut Forward<'_>,
        inputs: Vec<Activation>,
    ) -> Activation {
        let (size, k) = (arguments.int(0), arguments.float(3));
        let (alpha, beta) = (arguments.float(1), arguments.float(2));
        one(inputs).map_channels(|x| {
            let [_, channels, _] = x.dims();
            let padding = [(size / 2, (size - 1) / 2), (0, 0)];
            let squares = x.clone().square().pad(padding, 0.0);
            let sum = (0..size)
                .map(|shift| squares.clone().narrow(1, shift, channels))
                .reduce(|a, b| a + b)
                .expect("the size is at least 1");
            x / (sum * (alpha / size as f64) + k).powf_scalar(beta)
        })
    }
}

/// `global_response_norm`: channels compete by their strength over all positions.
pub struct GlobalResponseNorm;

static GLOBAL_RESPONSE_NORM: Description = Description {
    name: "global_response_norm",
    category: Category::Normalisation,
    torch: "x + w * x * n + b, g = x.norm(dim=(2, 3)), n = g / (g.mean(1) + eps)",
    summary: "channels amplified by how strong each is among all; starts as the identity",
    equation: "y = x + w[c] x g[c] / (mean(g) + eps) + b[c], g[c] the root of channel c's sum of squares",
    source: "Woo et al., ConvNeXt V2, 2023",
    accepts: GRIDS,
    arguments: &[EPS],
    ..Description::PLAIN
};

impl LayerKind for GlobalResponseNorm {
    fn describe(&self) -> &'static Description {
        &GLOBAL_RESPONSE_NORM
    }

    fn parameters(&self, _: &Arguments, inputs: &[Shape]) -> Vec<ParameterSpec> {
        let zeros = |name| ParameterSpec::new(name, [channels(inputs)], Init::Constant(0.0));
        vec![zeros("weight"), zeros("bias")]
    }

    fn forward(
        &self,
        arguments: &Arguments,
        context: &mut Forward<'_>,
        inputs: Vec<Activation>,
    ) -> Activation {
        let (weight, bias) = (
            context.parameters[0].vector(),
            context.parameters[1].vector(),
        );
        let eps = arguments.float(0);
        one(inputs).map_channels(|x| {
            // The root has no slope at zero, where a channel is dead: it is kept just above.
            let strength = x.clone().square().sum_dim(2).clamp_min(1e-12).sqrt();
            let share = strength.clone() / (strength.mean_dim(1) + eps);
            x.clone() + x * share * by_channel(weight) + by_channel(bias)
        })
    }
}

/// `layer_scale`: a learned factor for each channel.
pub struct LayerScale;

static LAYER_SCALE: Description = Description {
    name: "layer_scale",
    category: Category::Normalisation,
    torch: "x * torch.nn.Parameter(torch.full((channels,), start))",
    summary: "a learned factor for each channel or feature, small at first: what tames a deep residual",
    equation: "y[c] = w[c] x[c]",
    source: "Touvron et al., Going deeper with image transformers, 2021",
    arguments: &[Argument::float(
        "start",
        (0.0, 10.0),
        1e-4,
        "every factor's first value",
    )],
    ..Description::PLAIN
};

impl LayerKind for LayerScale {
    fn describe(&self) -> &'static Description {
        &LAYER_SCALE
    }

    fn parameters(&self, arguments: &Arguments, inputs: &[Shape]) -> Vec<ParameterSpec> {
        let start = Init::Constant(arguments.float(0) as f32);
        vec![ParameterSpec::new("weight", [channels(inputs)], start)]
    }

    fn forward(
        &self,
        _arguments: &Arguments,
        context: &mut Forward<'_>,
        inputs: Vec<Activation>,
    ) -> Activation {
        let weight = context.parameters[0].vector();
        one(inputs).map_channels(|x| x * by_channel(weight))
    }
}

/// A value for each channel against `[batch, channels, positions]`.
pub(super) fn by_channel(x: Tensor<1>) -> Tensor<3> {
    let channels = x.dims()[0];
    x.reshape([1, channels, 1])
}
