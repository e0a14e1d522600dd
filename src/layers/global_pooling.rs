//! Summaries of everything, and of as many parts as asked for.

use super::convolution::{channels, grid_of};
use super::forward::{Activation, map_activation, one};
use super::window::MAX_WINDOW;
use super::{
    ArgType, Argument, Arguments, Category, Description, Forward, Init, LayerKind, ParameterSpec,
    Shape, ShapeError,
};
use crate::kernels::{self, GlobalAverage, GlobalMax, Operation};
use burn::tensor::{Tensor, activation};

/// What has positions to be summed up.
const WITH_POSITIONS: &[&str] = &["signal", "sequence", "image", "volume"];

/// `global_avg_pool`: the mean over all positions.
pub struct GlobalAvgPool;

static GLOBAL_AVG_POOL: Description = Description {
    name: "global_avg_pool",
    category: Category::Pooling,
    torch: "torch.nn.AdaptiveAvgPool2d(1) then torch.nn.Flatten; x.mean(1) for sequences",
    summary: "the mean of each channel over all positions, of each feature over time: a vector",
    equation: "y[c] = mean over i, j of x[c, i, j]",
    source: "Lin et al., Network in network, 2014",
    accepts: WITH_POSITIONS,
    ..Description::PLAIN
};

/// `global_max_pool`: the largest value over all positions.
pub struct GlobalMaxPool;

static GLOBAL_MAX_POOL: Description = Description {
    name: "global_max_pool",
    category: Category::Pooling,
    torch: "torch.nn.AdaptiveMaxPool2d(1) then torch.nn.Flatten; x.amax(1) for sequences",
    summary: "the largest value of each channel over all positions, of each feature over time: a vector",
    equation: "y[c] = max over i, j of x[c, i, j]",
    source: "Collobert et al., Natural language processing (almost) from scratch, 2011",
    accepts: WITH_POSITIONS,
    ..Description::PLAIN
};

/// A summary of all positions without parameters.
macro_rules! of_all_positions {
    ($kind:ident, $description:ident, |$x:ident| $body:expr, |$shape:ident| $operation:expr) => {
        impl LayerKind for $kind {
            fn describe(&self) -> &'static Description {
                &$description
            }

            fn shape(&self, _: &Arguments, inputs: &[Shape]) -> Result<Shape, ShapeError> {
                to_vector(self.describe().accept(inputs[0])?)
            }

            fn forward(
                &self,
                _arguments: &Arguments,
                _context: &mut Forward<'_>,
                inputs: Vec<Activation>,
            ) -> Activation {
                let $x = one(inputs).channels_first();
                Activation::Vector($body.squeeze_dim(2))
            }

            fn operation(&self, _: &Arguments, inputs: &[Shape]) -> Option<Box<dyn Operation>> {
                let $shape = inputs[0];
                Some(Box::new($operation))
            }
        }
    };
}

of_all_positions!(GlobalAvgPool, GLOBAL_AVG_POOL, |x| x.mean_dim(2), |shape| {
    GlobalAverage {
        channels: shape.features()?,
    }
});
of_all_positions!(GlobalMaxPool, GLOBAL_MAX_POOL, |x| x.max_dim(2), |shape| {
    GlobalMax::new(shape.positions(), shape.features()?)
});

fn to_vector(input: Shape) -> Result<Shape, ShapeError> {
    let features = input.features().unwrap_or(1);
    Ok(Shape::Vector { features })
}

/// `attention_pool`: a mean of all positions, weighed by what is there.
pub struct AttentionPool;

static ATTENTION_POOL: Description = Description {
    name: "attention_pool",
    category: Category::Pooling,
    torch: "(torch.softmax(x @ w, dim=1) * x).sum(1), w of [features, 1]",
    summary: "a mean over all positions, weighed by how well each agrees with a learned query",
    equation: "y = sum over i of a[i] x[i], a = softmax over i of x[i] w",
    source: "Lin et al., A structured self-attentive sentence embedding, 2017",
    accepts: WITH_POSITIONS,
    ..Description::PLAIN
};

impl LayerKind for AttentionPool {
    fn describe(&self) -> &'static Description {
        &ATTENTION_POOL
    }

    fn shape(&self, _: &Arguments, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        to_vector(self.describe().accept(inputs[0])?)
    }

    fn parameters(&self, _: &Arguments, inputs: &[Shape]) -> Vec<ParameterSpec> {
        let features = channels(inputs);
        let init = Init::fan_in(features);
        vec![ParameterSpec::new("weight", [features, 1], init)]
    }

    fn macs(&self, _: &Arguments, inputs: &[Shape], _output: Shape) -> u64 {
        2 * inputs[0].elements() as u64
    }

    fn forward(
        &self,
        _arguments: &Arguments,
        context: &mut Forward<'_>,
        inputs: Vec<Activation>,
    ) -> Activation {
        let x = one(inputs).channels_first();
        let query = context.parameters[0].matrix().swap_dims(0, 1);
        let scores = query.unsqueeze_dim::<3>(0).matmul(x.clone());
        let weights = activation::softmax(scores, 2).swap_dims(1, 2);
        Activation::Vector(x.matmul(weights).squeeze_dim(2))
    }

    fn operation(&self, _: &Arguments, inputs: &[Shape]) -> Option<Box<dyn Operation>> {
        let (positions, features) = (inputs[0].positions(), channels(inputs));
        Some(Box::new(kernels::AttentionPool::new(positions, features)))
    }
}

const SIZE: Argument = Argument::required(
    "size",
    ArgType::Int {
        min: 1,
        max: MAX_WINDOW,
    },
    "output size along each dimension",
);

/// `adaptive_avg_pool1d`, `adaptive_avg_pool2d`, `adaptive_avg_pool3d`: means of as many parts as asked for.
pub struct AdaptiveAvgPool<const N: usize>;

static ADAPTIVE_AVG_POOL: [Description; 3] = [
    adaptive(
        1,
        "adaptive_avg_pool1d",
        "torch.nn.AdaptiveAvgPool1d",
        "the mean of each of `size` parts, channel by channel, whatever the input's size",
        "y[c, i] = mean of x[c, floor(i n / size) .. ceil((i + 1) n / size)], likewise for each dimension",
    ),
    adaptive(
        2,
        "adaptive_avg_pool2d",
        "torch.nn.AdaptiveAvgPool2d",
        "the mean of each of size x size parts, channel by channel, whatever the input's size",
        "y[c, i] = mean of x[c, floor(i n / size) .. ceil((i + 1) n / size)], likewise for each dimension",
    ),
    adaptive(
        3,
        "adaptive_avg_pool3d",
        "torch.nn.AdaptiveAvgPool3d",
        "the mean of each of size x size x size parts, channel by channel, whatever the input's size",
        "y[c, i] = mean of x[c, floor(i n / size) .. ceil((i + 1) n / size)], likewise for each dimension",
    ),
];

/// `adaptive_max_pool1d`, `adaptive_max_pool2d`, `adaptive_max_pool3d`: the largest values of as many parts as asked for.
pub struct AdaptiveMaxPool<const N: usize>;

static ADAPTIVE_MAX_POOL: [Description; 3] = [
    adaptive(
        1,
        "adaptive_max_pool1d",
        "torch.nn.AdaptiveMaxPool1d",
        "the largest value of each of `size` parts, channel by channel, whatever the input's size",
        "y[c, i] = max of x[c, floor(i n / size) .. ceil((i + 1) n / size)], likewise for each dimension",
    ),
    adaptive(
        2,
        "adaptive_max_pool2d",
        "torch.nn.AdaptiveMaxPool2d",
        "the largest value of each of size x size parts, channel by channel, whatever the input's size",
        "y[c, i] = max of x[c, floor(i n / size) .. ceil((i + 1) n / size)], likewise for each dimension",
    ),
    adaptive(
        3,
        "adaptive_max_pool3d",
        "torch.nn.AdaptiveMaxPool3d",
        "the largest value of each of size x size x size parts, channel by channel, whatever the input's size",
        "y[c, i] = max of x[c, floor(i n / size) .. ceil((i + 1) n / size)], likewise for each dimension",
    ),
];

const fn adaptive(
    rank: usize,
    name: &'static str,
    torch: &'static str,
    summary: &'static str,
    equation: &'static str,
) -> Description {
    Description {
        name,
        category: Category::Pooling,
        torch,
        summary,
        equation,
        source: "He et al., Spatial pyramid pooling, 2014",
        accepts: grid_of(rank),
        arguments: &[SIZE],
        ..Description::PLAIN
    }
}

/// A pool whose parts divide whatever size there is.
macro_rules! of_parts {
    ($kind:ident, $descriptions:ident, |$part:ident, $dim:ident| $body:expr) => {
        impl<const N: usize> LayerKind for $kind<N> {
            fn describe(&self) -> &'static Description {
                &$descriptions[N - 1]
            }

            fn shape(&self, arguments: &Arguments, inputs: &[Shape]) -> Result<Shape, ShapeError> {
                let input = self.describe().accept(inputs[0])?;
                let channels = input.features().unwrap_or(1);
                Ok(Shape::over_grid(channels, &[arguments.int(0); N]))
            }

            fn forward(
                &self,
                arguments: &Arguments,
                _context: &mut Forward<'_>,
                inputs: Vec<Activation>,
            ) -> Activation {
                let size = arguments.int(0);
                map_activation!(one(inputs), x => (2..2 + N).fold(x, |x, dimension| {
                    in_parts(x, dimension, size, |$part, $dim| $body)
                }))
            }
        }
    };
}

of_parts!(AdaptiveAvgPool, ADAPTIVE_AVG_POOL, |x, dim| x.mean_dim(dim));
of_parts!(AdaptiveMaxPool, ADAPTIVE_MAX_POOL, |x, dim| x.max_dim(dim));

/// One summary for each of `size` parts along a dimension; parts overlap where `size` is no divisor.
fn in_parts<const D: usize>(
    x: Tensor<D>,
    dimension: usize,
    size: usize,
    summary: impl Fn(Tensor<D>, usize) -> Tensor<D>,
) -> Tensor<D> {
    let whole = x.dims()[dimension];
    let parts = (0..size).map(|index| {
        let (start, end) = (index * whole / size, ((index + 1) * whole).div_ceil(size));
        summary(x.clone().narrow(dimension, start, end - start), dimension)
    });
    Tensor::cat(parts.collect(), dimension)
}
