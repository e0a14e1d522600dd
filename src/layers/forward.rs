//! The burn half of a layer: tensors whose rank is known at run time, and what a forward pass needs.

use super::{Parameter, Shape};
use crate::random::Stream;
use burn::tensor::{Int, Tensor, TensorData};

/// A batch of examples between layers.
#[derive(Clone, Debug)]
pub enum Activation {
    /// `[batch, features]`.
    Vector(Tensor<2>),
    /// `[batch, channels, length]`.
    Signal(Tensor<3>),
    /// `[batch, length, features]`.
    Sequence(Tensor<3>),
    /// `[batch, channels, height, width]`.
    Image(Tensor<4>),
    /// `[batch, channels, depth, height, width]`.
    Volume(Tensor<5>),
    /// `[batch, length]` token numbers.
    Tokens(Tensor<2, Int>),
}

/// The tensor of one variant; anything else the layer's shape rule would have refused.
macro_rules! only {
    ($(#[$doc:meta])* $name:ident, $variant:ident, $tensor:ty) => {
        $(#[$doc])*
        ///
        /// # Panics
        /// When it is something else: the layer's shape rule would have refused it.
        pub fn $name(self) -> $tensor {
            match self {
                Self::$variant(x) => x,
                other => panic!(
                    concat!("the shape rule lets only ", stringify!($name), "s here, not {:?}"),
                    other.dims()
                ),
            }
        }
    };
}

impl Activation {
    /// The sizes, the batch first.
    pub fn dims(&self) -> Vec<usize> {
        match self {
            Self::Vector(x) => x.dims().to_vec(),
            Self::Signal(x) | Self::Sequence(x) => x.dims().to_vec(),
            Self::Image(x) => x.dims().to_vec(),
            Self::Volume(x) => x.dims().to_vec(),
            Self::Tokens(x) => x.dims().to_vec(),
        }
    }

    only!(
        /// The image inside.
        image, Image, Tensor<4>
    );
    only!(
        /// The signal inside.
        signal, Signal, Tensor<3>
    );
    only!(
        /// The sequence inside.
        sequence, Sequence, Tensor<3>
    );
    only!(
        /// The vector inside.
        vector, Vector, Tensor<2>
    );
    only!(
        /// The token numbers inside.
        token, Tokens, Tensor<2, Int>
    );

    /// All values of each example in a row: `[batch, values]`.
    pub(super) fn rows(self) -> Tensor<2> {
        match self {
            Self::Vector(x) => x,
            Self::Signal(x) | Self::Sequence(x) => x.flatten(1, 2),
            Self::Image(x) => x.flatten(1, 3),
            Self::Volume(x) => x.flatten(1, 4),
            Self::Tokens(_) => unreachable!("the shape rule refuses tokens"),
        }
    }

    /// `[batch, channels, positions]`, whatever the layout; the features of sequences and vectors are
    /// their channels.
    pub(super) fn channels_first(self) -> Tensor<3> {
        match self {
            Self::Vector(x) => x.unsqueeze_dim(2),
            Self::Signal(x) => x,
            Self::Sequence(x) => x.swap_dims(1, 2),
            Self::Image(x) => x.flatten(2, 3),
            Self::Volume(x) => x.flatten(2, 4),
            Self::Tokens(_) => unreachable!("the shape rule refuses tokens"),
        }
    }

    /// The same layout around what `f` makes of `[batch, channels, positions]`; it may change the number
    /// of channels.
    pub(super) fn map_channels(self, f: impl FnOnce(Tensor<3>) -> Tensor<3>) -> Self {
        let dims = self.dims();
        match self {
            Self::Vector(_) => Self::Vector(f(self.channels_first()).squeeze_dim(2)),
            Self::Sequence(_) => Self::Sequence(f(self.channels_first()).swap_dims(1, 2)),
            _ => {
                let y = f(self.channels_first());
                let channels = y.dims()[1];
                over_grid(y, channels, &dims[2..])
            }
        }
    }

    /// The same layout around what `f` makes of `[rows, features]`: vectors, or all positions of all
    /// sequences. It may change the number of features.
    pub(super) fn map_rows(self, f: impl FnOnce(Tensor<2>) -> Tensor<2>) -> Self {
        match self {
            Self::Vector(x) => Self::Vector(f(x)),
            Self::Sequence(x) => {
                let [batch, length, _] = x.dims();
                let y = f(x.flatten(0, 1));
                let features = y.dims()[1];
                Self::Sequence(y.reshape([batch, length, features]))
            }
            other => unreachable!("the shape rule refuses {:?}", other.dims()),
        }
    }

    /// A batch of examples of `shape` from their values in rows.
    pub(super) fn from_rows(x: Tensor<2>, shape: Shape) -> Self {
        let batch = x.dims()[0];
        match shape {
            Shape::Vector { .. } => Self::Vector(x),
            Shape::Sequence { length, features } => {
                Self::Sequence(x.reshape([batch, length, features]))
            }
            Shape::Tokens { .. } => unreachable!("the shape rule refuses tokens"),
            grid => {
                let channels = grid.features().expect("grids have channels");
                over_grid(
                    x.reshape([batch, channels, grid.positions()]),
                    channels,
                    &grid.grid(),
                )
            }
        }
    }
}

/// `[batch, channels, positions]` as a signal, image or volume with this grid.
fn over_grid(x: Tensor<3>, channels: usize, grid: &[usize]) -> Activation {
    let batch = x.dims()[0];
    match *grid {
        [_] => Activation::Signal(x),
        [height, width] => Activation::Image(x.reshape([batch, channels, height, width])),
        [depth, height, width] => {
            Activation::Volume(x.reshape([batch, channels, depth, height, width]))
        }
        _ => unreachable!("a grid has one to three dimensions"),
    }
}

/// The only input of a layer of arity one.
pub(super) fn one(inputs: Vec<Activation>) -> Activation {
    inputs.into_iter().next().expect("one input")
}

/// The two inputs of a layer of arity two.
pub(super) fn two(inputs: Vec<Activation>) -> (Activation, Activation) {
    let mut inputs = inputs.into_iter();
    let first = inputs.next().expect("two inputs");
    (first, inputs.next().expect("two inputs"))
}

/// A constant of the precision and on the device of `x`.
pub(super) fn constant<const D: usize, const E: usize>(
    values: Vec<f64>,
    dims: [usize; E],
    x: &Tensor<D>,
) -> Tensor<E> {
    Tensor::from_data(TensorData::new(values, dims), (&x.device(), x.dtype()))
}

/// Applies an expression that fits any rank to the tensor inside.
macro_rules! map_activation {
    ($input:expr, $x:ident => $body:expr) => {
        match $input {
            $crate::layers::Activation::Vector($x) => $crate::layers::Activation::Vector($body),
            $crate::layers::Activation::Signal($x) => $crate::layers::Activation::Signal($body),
            $crate::layers::Activation::Sequence($x) => $crate::layers::Activation::Sequence($body),
            $crate::layers::Activation::Image($x) => $crate::layers::Activation::Image($body),
            $crate::layers::Activation::Volume($x) => $crate::layers::Activation::Volume($body),
            $crate::layers::Activation::Tokens(_) => {
                unreachable!("the shape rule refuses tokens")
            }
        }
    };
}
pub(super) use map_activation;

/// Whether noise and batch statistics apply.
pub enum Mode<'a> {
    /// Training: noise is drawn from the trial's own stream.
    Training(&'a mut Stream),
    /// Inference: no noise, running statistics.
    Inference,
}

impl Mode<'_> {
    /// The same mode for a shorter while, as one layer after the other borrows the stream.
    pub fn reborrow(&mut self) -> Mode<'_> {
        match self {
            Self::Training(stream) => Mode::Training(stream),
            Self::Inference => Mode::Inference,
        }
    }
}

/// What one layer's forward pass may read and update.
pub struct Forward<'a> {
    /// The layer's parameters, in the order of its specification.
    pub parameters: &'a [Parameter],
    /// The layer's buffers, in the order of its specification.
    pub buffers: &'a mut [Tensor<1>],
    /// Training or inference.
    pub mode: Mode<'a>,
}
