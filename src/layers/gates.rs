//! Activations that look at all features of a position: gated linear units and the softmax family.

use super::forward::{Activation, one};
use super::{Arguments, Category, Description, Forward, LayerKind, Shape, ShapeError};
use crate::kernels::{Gated, Operation, Pointwise};
use burn::tensor::activation;

/// A gated linear unit: half of the features, each times a gate made of the other half.
macro_rules! gated {
    ($(#[$doc:meta])* $kind:ident, $name:literal, $torch:literal, $summary:literal, $equation:literal,
     $source:literal, |$a:ident, $b:ident| $body:expr, $gate:expr) => {
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
                    ..Description::PLAIN
                };
                &DESCRIPTION
            }

            fn shape(&self, _: &Arguments, inputs: &[Shape]) -> Result<Shape, ShapeError> {
                halved($name, self.describe().accept(inputs[0])?)
            }

            fn forward(
                &self,
                _arguments: &Arguments,
                _context: &mut Forward<'_>,
                inputs: Vec<Activation>,
            ) -> Activation {
                one(inputs).map_channels(|x| {
                    let half = x.dims()[1] / 2;
                    let ($a, $b) = (x.clone().narrow(1, 0, half), x.narrow(1, half, half));
                    $body
                })
            }

            fn operation(&self, _: &Arguments, inputs: &[Shape]) -> Option<Box<dyn Operation>> {
                Some(Box::new(Gated {
                    width: inputs[0].features()? / 2,
                    gate: $gate,
                }))
            }
        }
    };
}

gated!(
    /// `glu`: gated by a sigmoid.
    Glu, "glu", "torch.nn.GLU over channels (dim=1), over features for sequences (dim=2)",
    "the first half of the features, each gated by the sigmoid of one of the second half",
    "y = a sigmoid(b), x = [a; b]",
    "Dauphin et al., Language modeling with gated convolutional networks, 2017",
    |a, b| a * activation::sigmoid(b), Pointwise::Sigmoid
);
gated!(
    /// `reglu`: gated by a relu.
    Reglu, "reglu", "a * torch.relu(b), a and b the halves of x",
    "the first half of the features, each times the relu of one of the second half",
    "y = a max(b, 0), x = [a; b]",
    "Shazeer, GLU variants improve transformer, 2020",
    |a, b| a * activation::relu(b), Pointwise::Relu
);
gated!(
    /// `geglu`: gated by a gelu.
    Geglu, "geglu", "a * torch.nn.functional.gelu(b), a and b the halves of x",
    "the first half of the features, each times the gelu of one of the second half",
    "y = a gelu(b), x = [a; b]",
    "Shazeer, GLU variants improve transformer, 2020",
    |a, b| a * activation::gelu(b), Pointwise::Gelu
);
gated!(
    /// `swiglu`: gated by a silu.
    Swiglu, "swiglu", "a * torch.nn.functional.silu(b), a and b the halves of x",
    "the first half of the features, each times the silu of one of the second half",
    "y = a silu(b), x = [a; b]",
    "Shazeer, GLU variants improve transformer, 2020",
    |a, b| a * activation::silu(b), Pointwise::Silu
);

/// The shape with half the features, or why there is no half.
pub(super) fn halved(layer: &str, input: Shape) -> Result<Shape, ShapeError> {
    let features = input.features().unwrap_or(0);
    if !features.is_multiple_of(2) {
        return Err(ShapeError(format!(
            "{layer} halves its input's channels, and {features} is odd ({input}); make twice as many as \
             should come out"
        )));
    }
    Ok(input.with_features(features / 2))
}

/// A function of all features of a position that keeps the shape.
macro_rules! across_features {
    ($(#[$doc:meta])* $kind:ident, $name:literal, $torch:literal, $summary:literal, $equation:literal,
     $source:literal, |$x:ident| $body:expr) => {
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
                    ..Description::PLAIN
                };
                &DESCRIPTION
            }

            fn forward(
                &self,
                _arguments: &Arguments,
                _context: &mut Forward<'_>,
                inputs: Vec<Activation>,
            ) -> Activation {
                one(inputs).map_channels(|$x| $body)
            }
        }
    };
}

across_features!(
    /// `softmax`: shares that sum to one.
    Softmax, "softmax", "torch.nn.Softmax over channels (dim=1; Softmax2d), over features for sequences (dim=2)",
    "the channels (features) of each position as positive shares that sum to one",
    "y[c] = exp(x[c]) / sum over k of exp(x[k])",
    "Bridle, Training stochastic model recognition algorithms as networks, 1990",
    |x| activation::softmax(x, 1)
);
across_features!(
    /// `softmin`: shares that are largest where the input is smallest.
    Softmin, "softmin", "torch.nn.Softmin",
    "shares that sum to one and are largest where the input is smallest",
    "y[c] = exp(-x[c]) / sum over k of exp(-x[k])",
    "",
    |x| activation::softmax(-x, 1)
);
across_features!(
    /// `log_softmax`: the logarithm of `softmax`.
    LogSoftmax, "log_softmax", "torch.nn.LogSoftmax",
    "the logarithm of softmax, without overflow",
    "y[c] = x[c] - log(sum over k of exp(x[k]))",
    "",
    |x| activation::log_softmax(x, 1)
);
