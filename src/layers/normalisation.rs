//! Rescaling by statistics.

use super::activation_functions::not_tokens;
use super::forward::{Activation, map_activation};
use super::{
    ArgType, Argument, Arguments, Arity, Buffer, Category, Description, Forward, Init, LayerKind,
    Mode, ParameterSpec, Shape, ShapeError,
};
use burn::tensor::{Tensor, module};

const EPS: Argument = Argument::float(
    "eps",
    (1e-12, 1.0),
    1e-5,
    "added to the variance before the square root",
);

/// `batch_norm`: each channel by its statistics over the batch.
pub struct BatchNorm;

static BATCH_NORM: Description = Description {
    name: "batch_norm",
    category: Category::Normalisation,
    torch: "torch.nn.BatchNorm2d (BatchNorm1d for signals and vectors)",
    summary: "each channel by its mean and variance: the batch's in training, running ones at inference",
    equation: "y = w (x - mean) / sqrt(var + eps) + b; running = (1 - momentum) running + momentum batch, \
               the running variance unbiased",
    source: "Ioffe and Szegedy, Batch normalization, 2015",
    arity: Arity::One,
    arguments: &[
        Argument::float(
            "momentum",
            (0.0, 1.0),
            0.1,
            "the newest batch's share in running statistics",
        ),
        EPS,
    ],
};

impl LayerKind for BatchNorm {
    fn describe(&self) -> &'static Description {
        &BATCH_NORM
    }

    fn shape(&self, _: &Arguments, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        match inputs[0] {
            Shape::Image { .. } | Shape::Signal { .. } | Shape::Vector { .. } => Ok(inputs[0]),
            other => Err(ShapeError::expected(
                "batch_norm",
                "an image, signal or vector",
                other,
            )),
        }
    }

    fn parameters(&self, _: &Arguments, inputs: &[Shape]) -> Vec<ParameterSpec> {
        affine([channels(inputs)])
    }

    fn buffers(&self, _: &Arguments, inputs: &[Shape]) -> Vec<Buffer> {
        let length = channels(inputs);
        vec![
            Buffer {
                name: "running_mean",
                length,
                start: 0.0,
            },
            Buffer {
                name: "running_var",
                length,
                start: 1.0,
            },
        ]
    }

    fn forward(
        &self,
        arguments: &Arguments,
        context: &mut Forward<'_>,
        inputs: Vec<Activation>,
    ) -> Activation {
        let input = inputs.into_iter().next().expect("one input");
        map_activation!(input, x => batch_norm(arguments, context, x))
    }
}

fn batch_norm<const D: usize>(
    arguments: &Arguments,
    context: &mut Forward<'_>,
    x: Tensor<D>,
) -> Tensor<D> {
    let (weight, bias) = (
        context.parameters[0].vector(),
        context.parameters[1].vector(),
    );
    let (momentum, eps) = (arguments.float(0), arguments.float(1));
    if matches!(context.mode, Mode::Inference) {
        // Buffers live without gradients; an operation wants all its tensors on one device.
        let mean = context.buffers[0].clone().to_device(&x.device());
        let variance = context.buffers[1].clone().to_device(&x.device());
        return module::batch_norm(x, weight, bias, mean, variance, eps);
    }
    let dims = x.dims();
    let values = (dims.iter().product::<usize>() / dims[1]) as f64;
    let batch = module::batch_norm_train(x, weight, bias, eps);
    let unbiased = batch.variance.inner() * (values / (values - 1.0).max(1.0));
    blend(&mut context.buffers[0], batch.mean.inner(), momentum);
    blend(&mut context.buffers[1], unbiased, momentum);
    batch.output
}

fn blend(running: &mut Tensor<1>, batch: Tensor<1>, momentum: f64) {
    *running = running.clone() * (1.0 - momentum) + batch * momentum;
}

/// `layer_norm`: each example by its own statistics.
pub struct LayerNorm;

static LAYER_NORM: Description = Description {
    name: "layer_norm",
    category: Category::Normalisation,
    torch: "torch.nn.LayerNorm over all but the batch (over the features of a sequence)",
    summary: "each example, or each position of a sequence, by its own mean and variance",
    equation: "y = w (x - mean) / sqrt(var + eps) + b, with a weight and bias for each value",
    source: "Ba et al., Layer normalization, 2016",
    arity: Arity::One,
    arguments: &[EPS],
};

impl LayerKind for LayerNorm {
    fn describe(&self) -> &'static Description {
        &LAYER_NORM
    }

    fn shape(&self, _: &Arguments, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        not_tokens("layer_norm", inputs[0])
    }

    fn parameters(&self, _: &Arguments, inputs: &[Shape]) -> Vec<ParameterSpec> {
        match inputs[0] {
            Shape::Sequence { features, .. } => affine([features]),
            other => affine(other.dimensions()),
        }
    }

    fn forward(
        &self,
        arguments: &Arguments,
        context: &mut Forward<'_>,
        inputs: Vec<Activation>,
    ) -> Activation {
        let (weight, bias) = (context.parameters[0].flat(), context.parameters[1].flat());
        let (eps, normalised) = (arguments.float(0), weight.dims()[0]);
        let input = inputs.into_iter().next().expect("one input");
        map_activation!(input, x => {
            let dims = x.dims();
            let rows: Tensor<2> = x.reshape([dims.iter().product::<usize>() / normalised, normalised]);
            module::layer_norm(rows, weight, Some(bias), eps).reshape(dims)
        })
    }
}

/// `group_norm`: groups of channels by each example's own statistics.
pub struct GroupNorm;

static GROUP_NORM: Description = Description {
    name: "group_norm",
    category: Category::Normalisation,
    torch: "torch.nn.GroupNorm",
    summary: "groups of an example's channels, each by its own mean and variance",
    equation: "y = w (x - mean) / sqrt(var + eps) + b, mean and var over each group's channels and positions",
    source: "Wu and He, Group normalization, 2018",
    arity: Arity::One,
    arguments: &[
        Argument::required(
            "groups",
            ArgType::Int {
                min: 1,
                max: 1 << 16,
            },
            "how many groups; the channels must be a multiple",
        ),
        EPS,
    ],
};

impl LayerKind for GroupNorm {
    fn describe(&self) -> &'static Description {
        &GROUP_NORM
    }

    fn shape(&self, arguments: &Arguments, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let (channels, groups) = match inputs[0] {
            Shape::Image { channels, .. }
            | Shape::Signal { channels, .. }
            | Shape::Vector { features: channels } => (channels, arguments.int(0)),
            other => {
                return Err(ShapeError::expected(
                    "group_norm",
                    "an image, signal or vector",
                    other,
                ));
            }
        };
        if channels % groups != 0 {
            return Err(ShapeError(format!(
                "group_norm's {groups} groups don't divide {channels} channels evenly"
            )));
        }
        Ok(inputs[0])
    }

    fn parameters(&self, _: &Arguments, inputs: &[Shape]) -> Vec<ParameterSpec> {
        affine([channels(inputs)])
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
        let (groups, eps) = (arguments.int(0), arguments.float(1));
        let input = inputs.into_iter().next().expect("one input");
        map_activation!(input, x => group_norm(x, groups, eps, weight, bias))
    }
}

fn group_norm<const D: usize>(
    x: Tensor<D>,
    groups: usize,
    eps: f64,
    weight: Tensor<1>,
    bias: Tensor<1>,
) -> Tensor<D> {
    let dims = x.dims();
    let (batch, channels) = (dims[0], dims[1]);
    let size = dims.iter().product::<usize>() / (batch * groups);
    let ones = Tensor::ones([size], &x.device());
    let rows: Tensor<2> = x.reshape([batch * groups, size]);
    let normalised: Tensor<D> = module::layer_norm(rows, ones, None, eps).reshape(dims);
    let mut along_channels = [1; D];
    along_channels[1] = channels;
    normalised * weight.reshape(along_channels) + bias.reshape(along_channels)
}

fn affine(shape: impl Into<Vec<usize>>) -> Vec<ParameterSpec> {
    let shape = shape.into();
    vec![
        ParameterSpec::new("weight", shape.clone(), Init::Constant(1.0)),
        ParameterSpec::new("bias", shape, Init::Constant(0.0)),
    ]
}

fn channels(inputs: &[Shape]) -> usize {
    inputs[0]
        .features()
        .expect("the shape rule accepts only shapes with channels")
}
