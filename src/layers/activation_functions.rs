//! Element-wise non-linearities. Each keeps its input's shape and takes anything but tokens.

use super::forward::{Activation, map_activation, one};
use super::{
    ArgType, Argument, Arguments, Category, Description, Forward, Init, LayerKind, ParameterSpec,
    Shape, Value,
};
use crate::kernels::{Apply, Operation, Pointwise};
use burn::tensor::activation;

/// A non-linearity without parameters: its description and what it does to a tensor.
macro_rules! element_wise {
    (
        $(#[$doc:meta])* $kind:ident, $name:literal, $torch:literal,
        $summary:literal, $equation:literal, $source:literal,
        $arguments:expr, |$x:ident, $values:ident| $body:expr
        $(, $function:expr)?
    ) => {
        $(#[$doc])*
        pub struct $kind;

        impl LayerKind for $kind {
            fn describe(&self) -> &'static Description {
                static DESCRIPTION: Description = Description {
                    name: $name,
                    category: Category::Activation,
                    torch: $torch,
                    summary: $summary,
                    equation: $equation,
                    source: $source,
                    arguments: $arguments,
                    ..Description::PLAIN
                };
                &DESCRIPTION
            }

            fn forward(
                &self,
                $values: &Arguments,
                _context: &mut Forward<'_>,
                inputs: Vec<Activation>,
            ) -> Activation {
                let _ = $values;
                map_activation!(one(inputs), $x => $body)
            }

            $(
                fn operation(&self, $values: &Arguments, _: &[Shape]) -> Option<Box<dyn Operation>> {
                    let _ = $values;
                    Some(Box::new(Apply($function)))
                }
            )?
        }
    };
}

element_wise!(
    /// `relu`: negative values become zero.
    Relu, "relu", "torch.nn.ReLU",
    "negative values become zero",
    "y = max(x, 0)",
    "Nair and Hinton, Rectified linear units improve restricted Boltzmann machines, 2010",
    &[], |x, arguments| activation::relu(x),
    Pointwise::Relu
);

element_wise!(
    /// `relu6`: values kept between 0 and 6.
    Relu6, "relu6", "torch.nn.ReLU6",
    "values cut off below 0 and above 6",
    "y = min(max(x, 0), 6)",
    "Krizhevsky, Convolutional deep belief networks on CIFAR-10, 2010",
    &[], |x, arguments| activation::relu6(x),
    Pointwise::Relu6
);

element_wise!(
    /// `squared_relu`: the square of what is positive.
    SquaredRelu, "squared_relu", "torch.nn.ReLU then torch.square",
    "the square of positive values, zero for negative ones",
    "y = max(x, 0)^2",
    "So et al., Primer, 2021",
    &[], |x, arguments| activation::relu(x).square()
);

element_wise!(
    /// `leaky_relu`: negative values are scaled down.
    LeakyRelu, "leaky_relu", "torch.nn.LeakyReLU",
    "negative values are scaled by a small constant",
    "y = x if x > 0 else slope x",
    "Maas et al., Rectifier nonlinearities improve neural network acoustic models, 2013",
    &[Argument::float("slope", (0.0, 1.0), 0.01, "the factor of negative values")],
    |x, arguments| activation::leaky_relu(x, arguments.float(0)),
    Pointwise::LeakyRelu(arguments.float(0) as f32)
);

const ALPHA: Argument = Argument::float(
    "alpha",
    (0.01, 100.0),
    1.0,
    "minus the limit of very negative values",
);

element_wise!(
    /// `elu`: negative values approach a limit.
    Elu, "elu", "torch.nn.ELU",
    "negative values approach -alpha smoothly",
    "y = x if x > 0 else alpha (exp(x) - 1)",
    "Clevert et al., Fast and accurate deep network learning by exponential linear units, 2016",
    &[ALPHA], |x, arguments| activation::elu(x.clone().clamp_max(0.0), arguments.float(0)) + activation::relu(x),
    Pointwise::Elu(arguments.float(0) as f32, 1.0)
);

element_wise!(
    /// `celu`: an exponential linear unit without a kink.
    Celu, "celu", "torch.nn.CELU",
    "negative values approach -alpha, with slope 1 at zero for every alpha",
    "y = max(x, 0) + min(0, alpha (exp(x / alpha) - 1))",
    "Barron, Continuously differentiable exponential linear units, 2017",
    &[ALPHA], |x, arguments| activation::celu(x.clone().clamp_max(0.0), arguments.float(0)) + activation::relu(x)
);

element_wise!(
    /// `selu`: an exponential linear unit that keeps mean 0 and variance 1.
    Selu, "selu", "torch.nn.SELU",
    "an exponential linear unit scaled so that mean 0 and variance 1 are kept from layer to layer",
    "y = 1.0507 (x if x > 0 else 1.6733 (exp(x) - 1))",
    "Klambauer et al., Self-normalizing neural networks, 2017",
    &[], |x, arguments| {
        const GAMMA: f64 = 1.050_700_987_355_480_5;
        const ALPHA: f64 = 1.673_263_242_354_377_2;
        (activation::elu(x.clone().clamp_max(0.0), ALPHA) + activation::relu(x)) * GAMMA
    },
    Pointwise::Elu(1.673_263_2, 1.050_701)
);

element_wise!(
    /// `gelu`: values weighted by the chance that a normal number is below them.
    Gelu, "gelu", "torch.nn.GELU",
    "values weighted by the chance that a standard normal number is below them",
    "y = x (1 + erf(x / sqrt(2))) / 2, or with tanh: x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2",
    "Hendrycks and Gimpel, Gaussian error linear units, 2016",
    &[Argument::with(
        "approximate",
        ArgType::OneOf(&["none", "tanh"]),
        Value::Name("none"),
        "`none` for the error function, `tanh` for its usual stand-in",
    )],
    |x, arguments| match arguments.values()[0] {
        Value::Name("tanh") => activation::gelu_approximate(x),
        _ => activation::gelu(x),
    },
    match arguments.values()[0] {
        Value::Name("tanh") => Pointwise::GeluTanh,
        _ => Pointwise::Gelu,
    }
);

element_wise!(
    /// `silu`: values weighted by their own sigmoid.
    Silu, "silu", "torch.nn.SiLU",
    "values weighted by their own sigmoid; also called swish",
    "y = x / (1 + exp(-x))",
    "Elfwing et al., Sigmoid-weighted linear units, 2018",
    &[], |x, arguments| activation::silu(x),
    Pointwise::Silu
);

element_wise!(
    /// `hard_swish`: values weighted by a piecewise linear sigmoid.
    HardSwish, "hard_swish", "torch.nn.Hardswish",
    "values weighted by a piecewise linear stand-in for their sigmoid",
    "y = x min(max(x / 6 + 1/2, 0), 1)",
    "Howard et al., Searching for MobileNetV3, 2019",
    &[], |x, arguments| (x.clone() / 6.0 + 0.5).clamp(0.0, 1.0) * x,
    Pointwise::HardSwish
);

element_wise!(
    /// `mish`: values weighted by the tanh of their softplus.
    Mish, "mish", "torch.nn.Mish",
    "values weighted by the tanh of their softplus",
    "y = x tanh(log(1 + exp(x)))",
    "Misra, Mish, 2019",
    &[], |x, arguments| activation::mish(x),
    Pointwise::Mish
);

element_wise!(
    /// `sigmoid`: values squeezed into (0, 1).
    Sigmoid, "sigmoid", "torch.nn.Sigmoid",
    "values squeezed into (0, 1)",
    "y = 1 / (1 + exp(-x))",
    "Rumelhart et al., Learning representations by back-propagating errors, 1986",
    &[], |x, arguments| activation::sigmoid(x),
    Pointwise::Sigmoid
);

element_wise!(
    /// `hard_sigmoid`: a sigmoid of three straight lines.
    HardSigmoid, "hard_sigmoid", "torch.nn.Hardsigmoid",
    "a sigmoid of three straight lines",
    "y = min(max(x / 6 + 1/2, 0), 1)",
    "Courbariaux et al., BinaryConnect, 2015",
    &[], |x, arguments| (x / 6.0 + 0.5).clamp(0.0, 1.0),
    Pointwise::HardSigmoid
);

element_wise!(
    /// `log_sigmoid`: the logarithm of the sigmoid.
    LogSigmoid, "log_sigmoid", "torch.nn.LogSigmoid",
    "the logarithm of the sigmoid, without overflow",
    "y = -log(1 + exp(-x))",
    "",
    &[], |x, arguments| activation::log_sigmoid(x)
);

element_wise!(
    /// `tanh`: values squeezed into (-1, 1).
    Tanh, "tanh", "torch.nn.Tanh",
    "values squeezed into (-1, 1)",
    "y = (exp(x) - exp(-x)) / (exp(x) + exp(-x))",
    "LeCun et al., Efficient backprop, 1998",
    &[], |x, arguments| activation::tanh(x),
    Pointwise::Tanh
);

element_wise!(
    /// `hardtanh`: values cut off at both ends.
    Hardtanh, "hardtanh", "torch.nn.Hardtanh",
    "values cut off below `min` and above `max`",
    "y = min(max(x, low), high)",
    "Collobert, Large scale machine learning, 2004",
    &[
        Argument::float("min", (-1e6, 0.0), -1.0, "the smallest output"),
        Argument::float("max", (0.0, 1e6), 1.0, "the largest output"),
    ],
    |x, arguments| x.clamp(arguments.float(0), arguments.float(1))
);

element_wise!(
    /// `softplus`: a smooth `relu`.
    Softplus, "softplus", "torch.nn.Softplus",
    "a smooth form of relu; beyond 20 / beta the value itself",
    "y = log(1 + exp(beta x)) / beta",
    "Dugas et al., Incorporating second-order functional knowledge for better option pricing, 2001",
    &[Argument::float("beta", (0.01, 100.0), 1.0, "how sharp the bend is")],
    |x, arguments| activation::softplus(x, arguments.float(0))
);

element_wise!(
    /// `softsign`: values squeezed into (-1, 1), slowly.
    Softsign, "softsign", "torch.nn.Softsign",
    "values squeezed into (-1, 1), more slowly than tanh does",
    "y = x / (1 + |x|)",
    "Turian et al., Quadratic features and deep architectures for chunking, 2009",
    &[], |x, arguments| x.clone() / (x.abs() + 1.0)
);

const LAMBDA: Argument = Argument::float(
    "lambda",
    (0.0, 1e6),
    0.5,
    "values closer to zero become zero",
);

element_wise!(
    /// `softshrink`: values moved towards zero.
    Softshrink, "softshrink", "torch.nn.Softshrink",
    "values moved towards zero by lambda, smaller ones become zero",
    "y = x - lambda if x > lambda, x + lambda if x < -lambda, else 0",
    "Donoho, De-noising by soft-thresholding, 1995",
    &[LAMBDA],
    |x, arguments| activation::relu(x.clone() - arguments.float(0)) - activation::relu(-x - arguments.float(0))
);

element_wise!(
    /// `hardshrink`: small values become zero.
    Hardshrink, "hardshrink", "torch.nn.Hardshrink",
    "values no further than lambda from zero become zero",
    "y = x if |x| > lambda else 0",
    "Donoho and Johnstone, Ideal spatial adaptation by wavelet shrinkage, 1994",
    &[LAMBDA],
    |x, arguments| {
        let small = x.clone().abs().lower_equal_scalar(arguments.float(0));
        x.mask_fill(small, 0.0)
    }
);

element_wise!(
    /// `tanhshrink`: what tanh takes away.
    Tanhshrink, "tanhshrink", "torch.nn.Tanhshrink",
    "what tanh takes away from its input",
    "y = x - tanh(x)",
    "",
    &[], |x, arguments| x.clone() - x.tanh()
);

element_wise!(
    /// `threshold`: values at or below a threshold replaced.
    Threshold, "threshold", "torch.nn.Threshold",
    "values at or below a threshold are replaced by a constant",
    "y = x if x > threshold else value",
    "",
    &[
        Argument::float("threshold", (-1e6, 1e6), 0.0, "the largest value that is replaced"),
        Argument::float("value", (-1e6, 1e6), 0.0, "what it is replaced by"),
    ],
    |x, arguments| {
        let low = x.clone().lower_equal_scalar(arguments.float(0));
        x.mask_fill(low, arguments.float(1))
    }
);

element_wise!(
    /// `sine`: a periodic activation.
    Sine, "sine", "torch.sin",
    "a periodic activation",
    "y = sin(frequency x)",
    "Sitzmann et al., Implicit neural representations with periodic activation functions, 2020",
    &[Argument::float("frequency", (0.001, 1000.0), 1.0, "oscillations for each 2 pi of input")],
    |x, arguments| (x * arguments.float(0)).sin()
);

element_wise!(
    /// `step`: one or zero, learned by a straight-through estimate.
    Step, "step", "hard + s - s.detach(), hard = (x > 0).to(x.dtype), s = torch.nn.functional.hardtanh(x)",
    "one above zero and zero elsewhere; the gradient passes straight through where |x| is at most 1",
    "y = 1 if x > 0 else 0; dy/dx = 1 if |x| <= 1 else 0 by definition",
    "Bengio et al., Estimating or propagating gradients through stochastic neurons, 2013",
    &[],
    |x, arguments| {
        let hard = x.clone().detach().greater_scalar(0.0);
        let passed = x.clamp(-1.0, 1.0);
        let nothing = passed.clone() - passed.detach();
        // A sum with zeros: the value of the step, the slope of the line.
        let step = nothing.clone().detach().mask_fill(hard, 1.0);
        step + nothing
    }
);

/// `prelu`: negative values are scaled by one learned factor.
pub struct Prelu;

static PRELU: Description = Description {
    name: "prelu",
    category: Category::Activation,
    torch: "torch.nn.PReLU",
    summary: "negative values are scaled by one learned factor, which starts at 0.25",
    equation: "y = x if x > 0 else a x",
    source: "He et al., Delving deep into rectifiers, 2015",
    ..Description::PLAIN
};

impl LayerKind for Prelu {
    fn describe(&self) -> &'static Description {
        &PRELU
    }

    fn parameters(&self, _: &Arguments, _: &[Shape]) -> Vec<ParameterSpec> {
        vec![ParameterSpec::new("weight", [1], Init::Constant(0.25))]
    }

    fn forward(
        &self,
        _arguments: &Arguments,
        context: &mut Forward<'_>,
        inputs: Vec<Activation>,
    ) -> Activation {
        let slope = context.parameters[0].vector();
        map_activation!(one(inputs), x => activation::prelu(x, slope))
    }
}
