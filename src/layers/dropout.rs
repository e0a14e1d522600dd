//! Values, channels or whole branches dropped during training.

use super::forward::{Activation, constant, map_activation, one};
use super::{Argument, Arguments, Category, Description, Forward, LayerKind, Mode, Shape};
use crate::kernels::{Draws, Masked, Operation, Shared};
use crate::random::Stream;
use burn::tensor::{Tensor, TensorData};

/// `dropout`: random values become zero during training.
pub struct Dropout;

static DROPOUT: Description = Description {
    name: "dropout",
    category: Category::Dropout,
    torch: "torch.nn.Dropout",
    summary: "in training each value becomes zero with probability p, the others grow by 1 / (1 - p)",
    equation: "y = x m / (1 - p), m zero with probability p; y = x at inference",
    source: "Srivastava et al., Dropout, 2014",
    stochastic: true,
    arguments: &[Argument::float(
        "p",
        (0.0, 1.0),
        0.5,
        "the probability of a value to be dropped",
    )],
    ..Description::PLAIN
};

/// `spatial_dropout`: random channels become zero during training.
pub struct SpatialDropout;

static SPATIAL_DROPOUT: Description = Description {
    name: "spatial_dropout",
    category: Category::Dropout,
    torch: "torch.nn.Dropout1d, Dropout2d or Dropout3d",
    summary: "in training each channel or feature becomes zero at all positions with probability p, the \
              others grow by 1 / (1 - p)",
    equation: "y[c] = x[c] m[c] / (1 - p), m[c] zero with probability p; y = x at inference",
    source: "Tompson et al., Efficient object localization using convolutional networks, 2015",
    accepts: &["signal", "sequence", "image", "volume"],
    stochastic: true,
    arguments: &[Argument::float(
        "p",
        (0.0, 1.0),
        0.5,
        "the probability of a channel to be dropped",
    )],
    ..Description::PLAIN
};

/// `drop_path`: whole examples of a branch become zero during training.
pub struct DropPath;

static DROP_PATH: Description = Description {
    name: "drop_path",
    category: Category::Dropout,
    torch: "torchvision.ops.StochasticDepth(p, \"row\")",
    summary: "in training each example becomes zero with probability p, the others grow by 1 / (1 - p): \
              stochastic depth, at the end of a residual's body",
    equation: "y = x m / (1 - p), one m for each example; y = x at inference",
    source: "Huang et al., Deep networks with stochastic depth, 2016",
    stochastic: true,
    arguments: &[Argument::float(
        "p",
        (0.0, 1.0),
        0.1,
        "the probability of an example to be dropped",
    )],
    ..Description::PLAIN
};

/// A kind that draws a mask in training, whose shape broadcasts, and does something with it.
macro_rules! masked {
    ($kind:ident, $description:ident, $apply:ident, |$dims:ident| $shape:expr, $shared:expr) => {
        impl LayerKind for $kind {
            fn describe(&self) -> &'static Description {
                &$description
            }

            fn forward(
                &self,
                arguments: &Arguments,
                context: &mut Forward<'_>,
                inputs: Vec<Activation>,
            ) -> Activation {
                let input = one(inputs);
                let (p, Mode::Training(stream)) = (arguments.float(0), &mut context.mode) else {
                    return input;
                };
                if p == 0.0 {
                    return input;
                }
                input.map_channels(|x| {
                    let $dims = x.dims();
                    $apply(x, $shape, p, stream)
                })
            }

            fn operation(
                &self,
                arguments: &Arguments,
                inputs: &[Shape],
            ) -> Option<Box<dyn Operation>> {
                masked($shared?, arguments, inputs[0])
            }
        }
    };
}

masked!(
    SpatialDropout,
    SPATIAL_DROPOUT,
    dropped,
    |dims| [dims[0], dims[1], 1],
    Some(Shared::Positions)
);
masked!(
    DropPath,
    DROP_PATH,
    dropped,
    |dims| [dims[0], 1, 1],
    Some(Shared::Examples)
);

/// The tensor times a mask of this shape.
fn dropped<const D: usize>(
    x: Tensor<D>,
    shape: [usize; D],
    p: f64,
    stream: &mut Stream,
) -> Tensor<D> {
    let mask = mask(stream, shape.iter().product(), p);
    let options = (&x.device(), x.dtype());
    x * Tensor::from_data(TensorData::new(mask, shape), options)
}

fn masked(shared: Shared, arguments: &Arguments, input: Shape) -> Option<Box<dyn Operation>> {
    let draws = draws(shared, input, arguments.float(0), mask)?;
    Some(Box::new(Masked::new(draws)))
}

/// Draws of this amount for the values of an input.
pub(super) fn draws(
    shared: Shared,
    input: Shape,
    amount: f64,
    draw: fn(&mut Stream, usize, f64) -> Vec<f32>,
) -> Option<Draws> {
    // A sequence's values are drawn in the order in which they lie, as if places were channels.
    let (positions, channels) = match (shared, input) {
        (Shared::Nothing, Shape::Sequence { .. }) => (1, input.elements()),
        _ => (input.positions(), input.features()?),
    };
    Some(Draws {
        shared,
        positions,
        channels,
        amount,
        draw,
    })
}

impl LayerKind for Dropout {
    fn describe(&self) -> &'static Description {
        &DROPOUT
    }

    fn forward(
        &self,
        arguments: &Arguments,
        context: &mut Forward<'_>,
        inputs: Vec<Activation>,
    ) -> Activation {
        let input = one(inputs);
        let (p, Mode::Training(stream)) = (arguments.float(0), &mut context.mode) else {
            return input;
        };
        if p == 0.0 {
            return input;
        }
        map_activation!(input, x => {
            let dims = x.dims();
            dropped(x, dims, p, stream)
        })
    }

    fn operation(&self, arguments: &Arguments, inputs: &[Shape]) -> Option<Box<dyn Operation>> {
        masked(Shared::Nothing, arguments, inputs[0])
    }
}

/// `alpha_dropout`: random values become the least that `selu` gives.
pub struct AlphaDropout;

static ALPHA_DROPOUT: Description = Description {
    name: "alpha_dropout",
    category: Category::Dropout,
    torch: "torch.nn.AlphaDropout",
    summary: "in training each value becomes selu's limit with probability p, then all are rescaled: mean 0 \
              and variance 1 stay as they are",
    equation: "y = a (x m + alpha (1 - m)) + b, alpha = -1.7581, m zero with probability p; y = x at inference",
    source: "Klambauer et al., Self-normalizing neural networks, 2017",
    stochastic: true,
    arguments: &[ALPHA_P],
    ..Description::PLAIN
};

/// `feature_alpha_dropout`: random channels become the least that `selu` gives.
pub struct FeatureAlphaDropout;

static FEATURE_ALPHA_DROPOUT: Description = Description {
    name: "feature_alpha_dropout",
    category: Category::Dropout,
    torch: "torch.nn.FeatureAlphaDropout",
    summary: "alpha dropout of whole channels or features",
    equation: "y[c] = a (x[c] m[c] + alpha (1 - m[c])) + b, m[c] zero with probability p; y = x at inference",
    source: "Klambauer et al., Self-normalizing neural networks, 2017",
    stochastic: true,
    arguments: &[ALPHA_P],
    ..Description::PLAIN
};

const ALPHA_P: Argument = Argument::float("p", (0.0, 0.99), 0.5, "the probability to be dropped");

/// The limit of `selu` for very negative values.
const SELU_LIMIT: f64 = -1.758_099_340_847_376_6;

masked!(
    AlphaDropout,
    ALPHA_DROPOUT,
    alpha_dropped,
    |dims| dims,
    None
);
masked!(
    FeatureAlphaDropout,
    FEATURE_ALPHA_DROPOUT,
    alpha_dropped,
    |dims| [dims[0], dims[1], 1],
    None
);

/// The tensor with the limit of `selu` where a mask of this shape drops it, rescaled.
fn alpha_dropped(x: Tensor<3>, shape: [usize; 3], p: f64, stream: &mut Stream) -> Tensor<3> {
    let scale = 1.0 / libm::sqrt((1.0 - p) * (1.0 + p * SELU_LIMIT * SELU_LIMIT));
    let offset = -scale * p * SELU_LIMIT;
    let kept: Vec<bool> = mask(stream, shape.iter().product(), p)
        .into_iter()
        .map(|value| value != 0.0)
        .collect();
    let pick = |kept: &bool, yes: f64, no: f64| if *kept { yes } else { no };
    let factors = kept.iter().map(|k| pick(k, scale, 0.0)).collect();
    let offsets = kept
        .iter()
        .map(|k| pick(k, offset, scale * SELU_LIMIT + offset));
    let offsets = constant(offsets.collect(), shape, &x);
    let factors = constant(factors, shape, &x);
    x * factors + offsets
}

/// Zeros with probability `p`, and `1 / (1 - p)` elsewhere. One draw of 64 bits decides two values.
fn mask(stream: &mut Stream, length: usize, p: f64) -> Vec<f32> {
    let dropped_below = libm::round(p * (1u64 << 32) as f64) as u64;
    let kept = if p < 1.0 {
        (1.0 / (1.0 - p)) as f32
    } else {
        0.0
    };
    let value = |half: u64| if half < dropped_below { 0.0 } else { kept };
    let mut mask = Vec::with_capacity(length + 1);
    while mask.len() < length {
        let bits = stream.bits();
        mask.push(value(bits >> 32));
        mask.push(value(bits & u64::from(u32::MAX)));
    }
    mask.truncate(length);
    mask
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Seed};

    #[test]
    fn the_share_of_zeros_is_p_and_the_mean_is_kept() {
        let mut stream = Seed(1).stream(0, Purpose::Dropout);
        let mask = mask(&mut stream, 99_999, 0.3);
        let zeros = mask.iter().filter(|&&value| value == 0.0).count() as f64 / 99_999.0;
        assert!((zeros - 0.3).abs() < 0.01, "{zeros}");
        assert!(mask.iter().all(|&value| value == 0.0 || value == 1.0 / 0.7));
    }

    #[test]
    fn dropping_everything_gives_zeros_not_infinities() {
        let mut stream = Seed(1).stream(0, Purpose::Dropout);
        assert_eq!(mask(&mut stream, 3, 1.0), [0.0; 3]);
    }
}
