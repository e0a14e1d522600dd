//! Activations of any rank as leaves of a gradient's graph, and as plain numbers.

use crate::layers::Activation;
use burn::tensor::{DType, Gradients, Tensor, TensorData};

/// The same expression for the floats of whatever rank.
macro_rules! map {
    ($activation:expr, $x:ident => $body:expr, tokens => $tokens:expr) => {
        match $activation {
            Activation::Vector($x) => $body,
            Activation::Signal($x) => $body,
            Activation::Sequence($x) => $body,
            Activation::Image($x) => $body,
            Activation::Volume($x) => $body,
            Activation::Tokens(_) => $tokens,
        }
    };
}

/// As [`map`], with an activation of the same kind around it.
macro_rules! rewrap {
    ($activation:expr, $x:ident => $body:expr) => {
        match $activation {
            Activation::Vector($x) => Activation::Vector($body),
            Activation::Signal($x) => Activation::Signal($body),
            Activation::Sequence($x) => Activation::Sequence($body),
            Activation::Image($x) => Activation::Image($body),
            Activation::Volume($x) => Activation::Volume($body),
            tokens @ Activation::Tokens(_) => tokens,
        }
    };
}

/// The activation as a leaf that collects its gradient; tokens have none.
pub(super) fn leaf(activation: Activation) -> Activation {
    rewrap!(activation, x => x.require_grad())
}

/// The activation in 64 bits; tokens stay what they are.
pub(super) fn double(activation: Activation) -> Activation {
    rewrap!(activation, x => x.cast(DType::F64))
}

/// Zeros of the same form, as a leaf that collects a gradient, and the activation plus those: the
/// gradient of the leaf is the gradient of the activation.
pub(super) fn tapped(activation: Activation) -> (Activation, Activation) {
    let zeros = rewrap!(activation.clone(), x => {
        let zeros = TensorData::new(vec![0f32; x.dims().iter().product()], x.dims());
        Tensor::from_data(zeros, (&x.device(), x.dtype())).require_grad()
    });
    let sum = match (activation, zeros.clone()) {
        (Activation::Vector(x), Activation::Vector(z)) => Activation::Vector(x + z),
        (Activation::Signal(x), Activation::Signal(z)) => Activation::Signal(x + z),
        (Activation::Sequence(x), Activation::Sequence(z)) => Activation::Sequence(x + z),
        (Activation::Image(x), Activation::Image(z)) => Activation::Image(x + z),
        (Activation::Volume(x), Activation::Volume(z)) => Activation::Volume(x + z),
        (tokens, _) => tokens,
    };
    (zeros, sum)
}

/// The values, row-major; nothing for tokens.
pub(super) fn values(activation: &Activation) -> Vec<f64> {
    map!(activation.clone(), x => numbers(x.inner().into_data()), tokens => Vec::new())
}

/// The gradient of a leaf; nothing if the loss does not depend on it.
pub(super) fn gradient(leaf: &Activation, gradients: &Gradients) -> Option<Vec<f64>> {
    map!(leaf, x => x.grad(gradients).map(|grad| numbers(grad.into_data())), tokens => None)
}

/// Values as 64-bit numbers.
pub(super) fn numbers(data: TensorData) -> Vec<f64> {
    data.convert::<f64>()
        .try_into_vec()
        .expect("the data was converted")
}

/// What stands where in the values of an activation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    pub examples: usize,
    pub channels: usize,
    pub positions: usize,
    channels_last: bool,
}

impl Layout {
    pub fn of(activation: &Activation) -> Self {
        let dims = activation.dims();
        let channels_last = matches!(activation, Activation::Sequence(_));
        let (channels, positions) = if channels_last {
            (dims[2], dims[1])
        } else {
            (dims[1], dims[2..].iter().product())
        };
        Self {
            examples: dims[0],
            channels,
            positions,
            channels_last,
        }
    }

    /// Where the value of an example's channel at a position stands.
    pub fn index(self, example: usize, channel: usize, position: usize) -> usize {
        let first = example * self.channels * self.positions;
        first
            + if self.channels_last {
                position * self.channels + channel
            } else {
                channel * self.positions + position
            }
    }
}
