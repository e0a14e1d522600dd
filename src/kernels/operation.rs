//! What a layer's kernels do in a training step.

use super::Pointwise;
use crate::random::Stream;
use std::fmt::Debug;

/// What an operation reads: values of all examples one after the other, channels last.
#[derive(Clone, Copy, Debug)]
pub struct Pass<'a> {
    /// How many examples there are.
    pub batch: usize,
    /// The values that come in.
    pub inputs: &'a [&'a [f32]],
    /// The operation's parameters, laid out as its layer has them.
    pub parameters: &'a [Vec<f32>],
}

/// What becomes of an operation's output and gradient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// It computes both.
    Computes,
    /// Its output is its input, value by value and in the same order.
    Same,
    /// The gradient of each input is the gradient of its output.
    Sums,
    /// Its output depends on no input.
    Constant,
}

/// A layer on batches of fixed shape, with what it keeps between the two directions.
pub trait Operation: Debug + Send {
    /// Fills `output`. In training there is `noise` to draw from, and buffers may change.
    fn forward(
        &mut self,
        pass: Pass<'_>,
        buffers: &mut [Vec<f32>],
        noise: Option<&mut Stream>,
        output: &mut [f32],
    );

    /// From the `gradient` of the `output` of the last forward pass to those of inputs (where somebody asks for
    /// them) and parameters. Fills each of them whole; may use up `gradient`.
    fn backward(
        &mut self,
        pass: Pass<'_>,
        output: &[f32],
        gradient: &mut [f32],
        inputs: &mut [Option<&mut [f32]>],
        parameters: &mut [Vec<f32>],
    );

    /// What becomes of its output and gradient.
    fn flow(&self) -> Flow {
        Flow::Computes
    }

    /// Whether it applies this function to its output from now on.
    fn absorb(&mut self, _function: Pointwise) -> bool {
        false
    }

    /// The function of each value that it is, if that is all.
    fn pointwise(&self) -> Option<Pointwise> {
        None
    }
}
