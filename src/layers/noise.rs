//! Noise during training that is added, multiplied or sampled with. Drawn from the trial's own stream.

use super::dropout::draws as drawn;
use super::forward::{Activation, constant, map_activation, one};
use super::gates::halved;
use super::{
    Argument, Arguments, Category, Description, Forward, LayerKind, Mode, Shape, ShapeError,
};
use crate::kernels::{Masked, Noisy, Operation, Shared};
use crate::random::Stream;
use burn::tensor::{Tensor, activation};

/// `gaussian_noise`: normal noise is added during training.
pub struct GaussianNoise;

static GAUSSIAN_NOISE: Description = Description {
    name: "gaussian_noise",
    category: Category::Dropout,
    torch: "x + std * torch.randn_like(x) in training",
    summary: "in training normal noise is added to each value",
    equation: "y = x + std n, n standard normal; y = x at inference",
    source: "Bishop, Training with noise is equivalent to Tikhonov regularization, 1995",
    stochastic: true,
    arguments: &[Argument::float(
        "std",
        (0.0, 100.0),
        0.1,
        "the noise's standard deviation",
    )],
    ..Description::PLAIN
};

/// `gaussian_dropout`: values are multiplied by normal noise around one during training.
pub struct GaussianDropout;

static GAUSSIAN_DROPOUT: Description = Description {
    name: "gaussian_dropout",
    category: Category::Dropout,
    torch: "x * (1 + (p / (1 - p)) ** 0.5 * torch.randn_like(x)) in training",
    summary: "in training each value is multiplied by normal noise around one, of the variance that dropout has",
    equation: "y = x (1 + sqrt(p / (1 - p)) n), n standard normal; y = x at inference",
    source: "Srivastava et al., Dropout, 2014, section 10",
    stochastic: true,
    arguments: &[Argument::float(
        "p",
        (0.0, 0.99),
        0.5,
        "the dropout whose variance the noise has",
    )],
    ..Description::PLAIN
};

/// A kind that meets each value with normal noise in training and does nothing at inference.
macro_rules! with_normal_noise {
    (
        $kind:ident, $description:ident, |$x:ident, $noise:ident, $argument:ident| $body:expr,
        |$drawn:ident, $amount:ident| $number:expr, $operation:expr
    ) => {
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
                let Mode::Training(stream) = &mut context.mode else {
                    return input;
                };
                let $argument = arguments.float(0);
                if $argument == 0.0 {
                    return input;
                }
                map_activation!(input, $x => {
                    let $noise = draws(stream, &$x, Stream::normal);
                    $body
                })
            }

            fn operation(
                &self,
                arguments: &Arguments,
                inputs: &[Shape],
            ) -> Option<Box<dyn Operation>> {
                let draw = |stream: &mut Stream, count: usize, $amount: f64| {
                    let number = |_| {
                        let $drawn = stream.normal() as f32;
                        $number
                    };
                    (0..count).map(number).collect()
                };
                let draws = drawn(Shared::Nothing, inputs[0], arguments.float(0), draw)?;
                Some(Box::new($operation(draws)))
            }
        }
    };
}

with_normal_noise!(
    GaussianNoise,
    GAUSSIAN_NOISE,
    |x, noise, std| x + noise * std,
    |number, std| number * std as f32,
    Noisy
);
with_normal_noise!(
    GaussianDropout,
    GAUSSIAN_DROPOUT,
    |x, noise, p| x * (noise * spread(p) + 1.0),
    |number, p| number * spread(p) as f32 + 1.0,
    Masked::new
);

/// The deviation of factors that have the variance of dropout.
fn spread(p: f64) -> f64 {
    libm::sqrt(p / (1.0 - p))
}

/// A value of `draw` for each of `x`.
fn draws<const D: usize>(
    stream: &mut Stream,
    x: &Tensor<D>,
    mut draw: impl FnMut(&mut Stream) -> f64,
) -> Tensor<D> {
    let dims = x.dims();
    let count = dims.iter().product::<usize>();
    let values = (0..count).map(|_| draw(stream)).collect();
    constant(values, dims, x)
}

/// `gaussian_sample`: a draw from the normal distribution that the input describes.
pub struct GaussianSample;

static GAUSSIAN_SAMPLE: Description = Description {
    name: "gaussian_sample",
    category: Category::Dropout,
    torch: "mean + torch.exp(log_var / 2) * torch.randn_like(mean), mean and log_var the halves of x",
    summary: "the first half of the features as means, the second as logarithms of variances: in training a \
              draw, at inference the mean",
    equation: "y = mean + exp(log_var / 2) n, x = [mean; log_var], n standard normal; y = mean at inference",
    source: "Kingma and Welling, Auto-encoding variational Bayes, 2014",
    stochastic: true,
    ..Description::PLAIN
};

impl LayerKind for GaussianSample {
    fn describe(&self) -> &'static Description {
        &GAUSSIAN_SAMPLE
    }

    fn shape(&self, _: &Arguments, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        halved("gaussian_sample", self.describe().accept(inputs[0])?)
    }

    fn forward(
        &self,
        _arguments: &Arguments,
        context: &mut Forward<'_>,
        inputs: Vec<Activation>,
    ) -> Activation {
        one(inputs).map_channels(|x| {
            let half = x.dims()[1] / 2;
            let mean = x.clone().narrow(1, 0, half);
            let Mode::Training(stream) = &mut context.mode else {
                return mean;
            };
            let deviation = (x.narrow(1, half, half) / 2.0).exp();
            let noise = draws(stream, &mean, Stream::normal);
            mean + deviation * noise
        })
    }
}

/// `gumbel_softmax`: a draw of one feature, smooth enough to learn from.
pub struct GumbelSoftmax;

static GUMBEL_SOFTMAX: Description = Description {
    name: "gumbel_softmax",
    category: Category::Dropout,
    torch: "torch.nn.functional.gumbel_softmax over channels (dim=1), over features for sequences (dim=2); \
            without noise at inference",
    summary: "in training a smooth draw of one feature with the softmax's probabilities; at inference the softmax",
    equation: "y = softmax((x + g) / tau), g = -log(-log(u)), u uniform; g = 0 at inference",
    source: "Jang et al., Categorical reparameterization with Gumbel-softmax, 2017",
    stochastic: true,
    arguments: &[
        Argument::float(
            "tau",
            (0.01, 100.0),
            1.0,
            "small values come close to one choice",
        ),
        Argument::bool(
            "hard",
            false,
            "whether the output is exactly one choice, with the smooth one's gradient",
        ),
    ],
    ..Description::PLAIN
};

impl LayerKind for GumbelSoftmax {
    fn describe(&self) -> &'static Description {
        &GUMBEL_SOFTMAX
    }

    fn forward(
        &self,
        arguments: &Arguments,
        context: &mut Forward<'_>,
        inputs: Vec<Activation>,
    ) -> Activation {
        one(inputs).map_channels(|x| {
            let x = match &mut context.mode {
                Mode::Training(stream) => {
                    let noise = draws(stream, &x, gumbel);
                    x + noise
                }
                Mode::Inference => x,
            };
            let soft = activation::softmax(x / arguments.float(0), 1);
            if arguments.bool(1) { hard(soft) } else { soft }
        })
    }
}

/// `-log(-log(u))`, u uniform above 0.
fn gumbel(stream: &mut Stream) -> f64 {
    let u = 1.0 - stream.unit();
    // 1 - u is at least 2^-53 away from u = 1, where the inner logarithm would be zero.
    -libm::log(-libm::log(u.min(1.0 - f64::EPSILON / 2.0)))
}

/// One for the largest feature and zero elsewhere, with the gradient of `soft`.
fn hard(soft: Tensor<3>) -> Tensor<3> {
    let largest = soft.clone().detach().argmax(1);
    let nothing = soft.clone() - soft.clone().detach();
    let ones = Tensor::ones(largest.dims(), (&soft.device(), soft.dtype()));
    let choice =
        soft.detach()
            .zeros_like()
            .scatter(1, largest, ones, burn::tensor::IndexingUpdateOp::Add);
    choice + nothing
}

/// `rrelu`: negative values scaled by a random factor during training.
pub struct Rrelu;

static RRELU: Description = Description {
    name: "rrelu",
    category: Category::Activation,
    torch: "torch.nn.RReLU",
    summary: "negative values are scaled: in training by a random factor for each, at inference by the mean factor",
    equation: "y = x if x > 0 else a x, a uniform in [lower, upper); a = (lower + upper) / 2 at inference",
    source: "Xu et al., Empirical evaluation of rectified activations in convolutional network, 2015",
    stochastic: true,
    arguments: &[
        Argument::float("lower", (0.0, 1.0), 0.125, "the smallest factor"),
        Argument::float("upper", (0.0, 1.0), 1.0 / 3.0, "the largest factor"),
    ],
    ..Description::PLAIN
};

impl LayerKind for Rrelu {
    fn describe(&self) -> &'static Description {
        &RRELU
    }

    fn shape(&self, arguments: &Arguments, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let (lower, upper) = (arguments.float(0), arguments.float(1));
        if lower > upper {
            return Err(ShapeError(format!(
                "rrelu's lower factor of {lower} is above its upper factor of {upper}; exchange them"
            )));
        }
        self.describe().accept(inputs[0])
    }

    fn forward(
        &self,
        arguments: &Arguments,
        context: &mut Forward<'_>,
        inputs: Vec<Activation>,
    ) -> Activation {
        let (lower, upper) = (arguments.float(0), arguments.float(1));
        let input = one(inputs);
        let Mode::Training(stream) = &mut context.mode else {
            return map_activation!(input, x => activation::leaky_relu(x, (lower + upper) / 2.0));
        };
        map_activation!(input, x => {
            let factors = draws(stream, &x, |stream| lower + (upper - lower) * stream.unit());
            activation::relu(x.clone()) - activation::relu(-x) * factors
        })
    }
}
