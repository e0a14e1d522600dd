//! Rescaling by the statistics of a batch, a layer or a group.

use super::convolution::channels;
use super::forward::{Activation, map_activation, one};
use super::{
    ArgType, Argument, Arguments, Buffer, Category, Description, Forward, Init, LayerKind, Mode,
    ParameterSpec, Shape, ShapeError,
};
use crate::kernels::{self, Operation};
use burn::tensor::{Tensor, module};

pub(super) const EPS: Argument = Argument::float(
    "eps",
    (1e-12, 1.0),
    1e-5,
    "added to the variance before the square root",
);

/// What has channels, or features that stand for them.
const WITH_CHANNELS: &[&str] = &["vector", "signal", "image", "volume"];

/// `batch_norm`: each channel by its statistics over the batch.
pub struct BatchNorm;

static BATCH_NORM: Description = Description {
    name: "batch_norm",
    category: Category::Normalisation,
    torch: "torch.nn.BatchNorm2d (BatchNorm1d for signals and vectors, BatchNorm3d for volumes)",
    summary: "each channel by its mean and variance: the batch's in training, running ones at inference",
    equation: "y = w (x - mean) / sqrt(var + eps) + b; running = (1 - momentum) running + momentum batch, \
               the running variance unbiased",
    source: "Ioffe and Szegedy, Batch normalization, 2015",
    accepts: WITH_CHANNELS,
    arguments: &[
        Argument::float(
            "momentum",
            (0.0, 1.0),
            0.1,
            "the newest batch's share in running statistics",
        ),
        EPS,
    ],
    ..Description::PLAIN
};

impl LayerKind for BatchNorm {
    fn describe(&self) -> &'static Description {
        &BATCH_NORM
    }

    fn parameters(&self, _: &Arguments, inputs: &[Shape]) -> Vec<ParameterSpec> {
        affine(["weight", "bias"], [channels(inputs)])
    }

    fn buffers(&self, _: &Arguments, inputs: &[Shape]) -> Vec<Buffer> {
        running_statistics(["running_mean", "running_var"], channels(inputs))
    }

    fn forward(
        &self,
        arguments: &Arguments,
        context: &mut Forward<'_>,
        inputs: Vec<Activation>,
    ) -> Activation {
        let affine = [
            context.parameters[0].vector(),
            context.parameters[1].vector(),
        ];
        let constants = (arguments.float(0), arguments.float(1));
        let training = matches!(context.mode, Mode::Training(_));
        let buffers = &mut *context.buffers;
        map_activation!(one(inputs), x => batch_norm(x, affine, buffers, training, constants))
    }

    fn operation(&self, arguments: &Arguments, inputs: &[Shape]) -> Option<Box<dyn Operation>> {
        let (momentum, eps) = (arguments.float(0), arguments.float(1));
        Some(Box::new(kernels::BatchNorm::new(
            channels(inputs),
            momentum,
            eps,
        )))
    }
}

/// Normalises by the batch, which moves the running statistics, or by the running statistics. The last
/// argument is momentum and eps.
pub(super) fn batch_norm<const D: usize>(
    x: Tensor<D>,
    [weight, bias]: [Tensor<1>; 2],
    running: &mut [Tensor<1>],
    training: bool,
    (momentum, eps): (f64, f64),
) -> Tensor<D> {
    if !training {
        // Buffers live without gradients; an operation wants all its tensors on one device.
        let mean = running[0].clone().to_device(&x.device());
        let variance = running[1].clone().to_device(&x.device());
        return module::batch_norm(x, weight, bias, mean, variance, eps);
    }
    let dims = x.dims();
    let values = (dims.iter().product::<usize>() / dims[1]) as f64;
    let batch = module::batch_norm_train(x, weight, bias, eps);
    let unbiased = batch.variance.inner() * (values / (values - 1.0).max(1.0));
    blend(&mut running[0], batch.mean.inner(), momentum);
    blend(&mut running[1], unbiased, momentum);
    batch.output
}

/// A running mean that starts at 0 and a running variance that starts at 1.
pub(super) fn running_statistics(
    [mean, variance]: [&'static str; 2],
    length: usize,
) -> Vec<Buffer> {
    let buffer = |name, start| Buffer {
        name,
        length,
        start,
    };
    vec![buffer(mean, 0.0), buffer(variance, 1.0)]
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
    arguments: &[EPS],
    ..Description::PLAIN
};

impl LayerKind for LayerNorm {
    fn describe(&self) -> &'static Description {
        &LAYER_NORM
    }

    fn parameters(&self, _: &Arguments, inputs: &[Shape]) -> Vec<ParameterSpec> {
        match inputs[0] {
            Shape::Sequence { features, .. } => affine(["weight", "bias"], [features]),
            other => affine(["weight", "bias"], other.dimensions()),
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
        map_activation!(one(inputs), x => over_rows(x, normalised, |rows| {
            module::layer_norm(rows, weight, Some(bias), eps)
        }))
    }

    fn operation(&self, arguments: &Arguments, inputs: &[Shape]) -> Option<Box<dyn Operation>> {
        // Elsewhere weights for each value lie with their channels first.
        let rows = matches!(inputs[0], Shape::Sequence { .. } | Shape::Vector { .. });
        let operation = || kernels::LayerNorm::new(channels(inputs), arguments.float(0));
        rows.then(|| Box::new(operation()) as Box<dyn Operation>)
    }
}

/// What `f` makes of the values in rows of `length`, in the layout they came in.
pub(super) fn over_rows<const D: usize>(
    x: Tensor<D>,
    length: usize,
    f: impl FnOnce(Tensor<2>) -> Tensor<2>,
) -> Tensor<D> {
    let dims = x.dims();
    let rows = dims.iter().product::<usize>() / length;
    f(x.reshape([rows, length])).reshape(dims)
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
    accepts: WITH_CHANNELS,
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
    ..Description::PLAIN
};

impl LayerKind for GroupNorm {
    fn describe(&self) -> &'static Description {
        &GROUP_NORM
    }

    fn shape(&self, arguments: &Arguments, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let input = self.describe().accept(inputs[0])?;
        let (channels, groups) = (channels(inputs), arguments.int(0));
        if channels % groups != 0 {
            return Err(ShapeError(format!(
                "group_norm's {groups} groups don't divide {channels} channels evenly"
            )));
        }
        Ok(input)
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
        let (groups, eps) = (arguments.int(0), arguments.float(1));
        map_activation!(one(inputs), x => group_norm(x, groups, eps, weight, bias))
    }

    fn operation(&self, arguments: &Arguments, inputs: &[Shape]) -> Option<Box<dyn Operation>> {
        let (groups, eps) = (arguments.int(0), arguments.float(1));
        Some(Box::new(kernels::GroupNorm::new(
            channels(inputs),
            groups,
            eps,
        )))
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
    let ones = Tensor::ones([size], (&x.device(), x.dtype()));
    let rows: Tensor<2> = x.reshape([batch * groups, size]);
    let normalised: Tensor<D> = module::layer_norm(rows, ones, None, eps).reshape(dims);
    let mut along_channels = [1; D];
    along_channels[1] = channels;
    normalised * weight.reshape(along_channels) + bias.reshape(along_channels)
}

/// A factor for each value that starts at 1, and an offset that starts at 0.
pub(super) fn affine(
    [weight, bias]: [&'static str; 2],
    shape: impl Into<Vec<usize>>,
) -> Vec<ParameterSpec> {
    let shape = shape.into();
    vec![
        ParameterSpec::new(weight, shape.clone(), Init::Constant(1.0)),
        ParameterSpec::new(bias, shape, Init::Constant(0.0)),
    ]
}
