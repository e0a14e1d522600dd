//! The burn half of a layer: tensors whose rank is known at run time, and what a forward pass needs.

use super::Parameter;
use crate::random::Stream;
use burn::tensor::{Int, Tensor};

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
    /// `[batch, length]` token numbers.
    Tokens(Tensor<2, Int>),
}

impl Activation {
    /// The sizes, the batch first.
    pub fn dims(&self) -> Vec<usize> {
        match self {
            Self::Vector(x) => x.dims().to_vec(),
            Self::Signal(x) | Self::Sequence(x) => x.dims().to_vec(),
            Self::Image(x) => x.dims().to_vec(),
            Self::Tokens(x) => x.dims().to_vec(),
        }
    }

    /// The image inside.
    ///
    /// # Panics
    /// When it is something else: the layer's shape rule would have refused it.
    pub fn image(self) -> Tensor<4> {
        match self {
            Self::Image(x) => x,
            other => panic!(
                "the shape rule lets only images here, not {:?}",
                other.dims()
            ),
        }
    }

    /// The vector inside.
    ///
    /// # Panics
    /// When it is something else: the layer's shape rule would have refused it.
    pub fn vector(self) -> Tensor<2> {
        match self {
            Self::Vector(x) => x,
            other => panic!(
                "the shape rule lets only vectors here, not {:?}",
                other.dims()
            ),
        }
    }
}

/// Applies an expression that fits any rank to the tensor inside.
macro_rules! map_activation {
    ($input:expr, $x:ident => $body:expr) => {
        match $input {
            $crate::layers::Activation::Vector($x) => $crate::layers::Activation::Vector($body),
            $crate::layers::Activation::Signal($x) => $crate::layers::Activation::Signal($body),
            $crate::layers::Activation::Sequence($x) => $crate::layers::Activation::Sequence($body),
            $crate::layers::Activation::Image($x) => $crate::layers::Activation::Image($body),
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
