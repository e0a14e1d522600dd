//! Element-wise non-linearities. Each keeps its input's shape and takes anything but tokens.

use super::forward::{Activation, map_activation};
use super::{
    ArgType, Argument, Arguments, Arity, Category, Description, Forward, Init, LayerKind,
    ParameterSpec, Shape, ShapeError, Value,
};
use burn::tensor::activation;

/// A non-linearity without parameters: its description and what it does to a tensor.
macro_rules! element_wise {
    (
        $(#[$doc:meta])* $kind:ident, $name:literal, $torch:literal,
        $summary:literal, $equation:literal, $source:literal,
        $arguments:expr, |$x:ident, $values:ident| $body:expr
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
                    arity: Arity::One,
                    arguments: $arguments,
                };
                &DESCRIPTION
            }

            fn shape(&self, _: &Arguments, inputs: &[Shape]) -> Result<Shape, ShapeError> {
                not_tokens($name, inputs[0])
            }

            fn forward(
                &self,
                $values: &Arguments,
                _context: &mut Forward<'_>,
                inputs: Vec<Activation>,
            ) -> Activation {
                let _ = $values;
                let input = inputs.into_iter().next().expect("one input");
                map_activation!(input, $x => $body)
            }
        }
    };
}

element_wise!(
    /// `relu`: negative values become zero.
    Relu, "relu", "torch.nn.ReLU",
    "negative values become zero",
    "y = max(x, 0)",
    "Nair and Hinton, Rectified linear units improve restricted Boltzmann machines, 2010",
    &[], |x, arguments| activation::relu(x)
);

element_wise!(
    /// `leaky_relu`: negative values are scaled down.
    LeakyRelu, "leaky_relu", "torch.nn.LeakyReLU",
    "negative values are scaled by a small constant",
    "y = x if x > 0 else slope x",
    "Maas et al., Rectifier nonlinearities improve neural network acoustic models, 2013",
    &[Argument::float("slope", (0.0, 1.0), 0.01, "the factor of negative values")],
    |x, arguments| activation::leaky_relu(x, arguments.float(0))
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
    }
);

element_wise!(
    /// `silu`: values weighted by their own sigmoid.
    Silu, "silu", "torch.nn.SiLU",
    "values weighted by their own sigmoid; also called swish",
    "y = x / (1 + exp(-x))",
    "Elfwing et al., Sigmoid-weighted linear units, 2018",
    &[], |x, arguments| activation::silu(x)
);

element_wise!(
    /// `sigmoid`: values squeezed into (0, 1).
    Sigmoid, "sigmoid", "torch.nn.Sigmoid",
    "values squeezed into (0, 1)",
    "y = 1 / (1 + exp(-x))",
    "Rumelhart et al., Learning representations by back-propagating errors, 1986",
    &[], |x, arguments| activation::sigmoid(x)
);

element_wise!(
    /// `tanh`: values squeezed into (-1, 1).
    Tanh, "tanh", "torch.nn.Tanh",
    "values squeezed into (-1, 1)",
    "y = (exp(x) - exp(-x)) / (exp(x) + exp(-x))",
    "LeCun et al., Efficient backprop, 1998",
    &[], |x, arguments| activation::tanh(x)
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
    arity: Arity::One,
    arguments: &[],
};

impl LayerKind for Prelu {
    fn describe(&self) -> &'static Description {
        &PRELU
    }

    fn shape(&self, _: &Arguments, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        not_tokens("prelu", inputs[0])
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
        let input = inputs.into_iter().next().expect("one input");
        map_activation!(input, x => activation::prelu(x, slope))
    }
}

/// The shape itself, unless it is of tokens: numbers that mean names can't be computed with.
pub(super) fn not_tokens(layer: &str, input: Shape) -> Result<Shape, ShapeError> {
    match input {
        Shape::Tokens { .. } => Err(ShapeError::expected(
            layer,
            "an image, signal, sequence or vector",
            input,
        )),
        other => Ok(other),
    }
}
