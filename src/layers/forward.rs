//! The burn half of a layer: tensors whose rank is known at run time, and what a forward pass needs.

use crate::random::Stream;
use burn::module::{Module, Param};
use burn::tensor::{Int, Tensor};

/// A batch of examples between layers.
#[derive(Clone, Debug)]
pub enum Activation {
    /// `[batch, features]`.
    Vector(Tensor<2>),
    /// `[batch, channels, length]` or `[batch, length, features]`.
    Sequence(Tensor<3>),
    /// `[batch, channels, height, width]`.
    Image(Tensor<4>),
    /// `[batch, length]` token numbers.
    Tokens(Tensor<2, Int>),
}

/// A trainable tensor of any rank.
#[derive(Module, Debug)]
pub enum Parameter {
    /// A vector.
    Rank1(Param<Tensor<1>>),
    /// A matrix.
    Rank2(Param<Tensor<2>>),
    /// A kernel of one dimension.
    Rank3(Param<Tensor<3>>),
    /// A kernel of two dimensions.
    Rank4(Param<Tensor<4>>),
    /// A kernel of three dimensions.
    Rank5(Param<Tensor<5>>),
}

/// Whether noise and batch statistics apply.
pub enum Mode<'a> {
    /// Training: noise is drawn from the trial's own stream.
    Training(&'a mut Stream),
    /// Inference: no noise, running statistics.
    Inference,
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
