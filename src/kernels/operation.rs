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
    /// It computes both, and turns the gradient of its output into that of its only input where it lies: it looks at
    /// no `inputs` of [`Operation::backward`].
    InPlace,
    /// It computes both: it turns the gradient of its output into that of its second input where it lies, and writes
    /// that of its first.
    Splits,
    /// Its output is its input, value by value and in the same order.
    Same,
    /// The gradient of each input is the gradient of its output.
    Sums,
    /// Its output depends on no input.
    Constant,
}

/// What the backward pass looks at of the values that went through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeps {
    /// Nothing.
    Nothing,
    /// What came in.
    Inputs,
    /// What came out.
    Output,
    /// Both.
    Both,
}

impl Keeps {
    /// Whether what came in is looked at.
    pub fn inputs(self) -> bool {
        matches!(self, Self::Inputs | Self::Both)
    }

    /// Whether what came out is looked at.
    pub fn output(self) -> bool {
        matches!(self, Self::Output | Self::Both)
    }
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

    /// What its backward pass looks at; the rest may be empty then.
    fn keeps(&self) -> Keeps {
        Keeps::Inputs
    }

    /// Whether it applies this function to its output from now on.
    fn absorb(&mut self, _function: Pointwise) -> bool {
        false
    }

    /// Whether it adds a second input to what it computes, before its function, from now on.
    fn absorb_sum(&mut self) -> bool {
        false
    }

    /// Whether it gives zeros where all that comes in is zeros, and does nothing else then: its parameters have no
    /// slopes there, and it draws nothing.
    fn preserves_zeros(&self) -> bool {
        false
    }

    /// The function of each value that it is, if that is all.
    fn pointwise(&self) -> Option<Pointwise> {
        None
    }
}

/// An operation without parameters, buffers and noise.
pub trait Plain: Debug + Send {
    /// Fills `output`.
    fn values(&mut self, pass: Pass<'_>, output: &mut [f32]);

    /// From the `gradient` of the output to those of inputs, where somebody asks for them.
    fn gradients(
        &mut self,
        pass: Pass<'_>,
        gradient: &mut [f32],
        inputs: &mut [Option<&mut [f32]>],
    );

    /// What becomes of its output and gradient.
    fn flow(&self) -> Flow {
        Flow::Computes
    }

    /// Whether the backward pass looks at what came in.
    fn keeps_inputs(&self) -> bool {
        false
    }

    /// Whether it gives zeros where all that comes in is zeros.
    fn preserves_zeros(&self) -> bool {
        false
    }
}

impl<P: Plain> Operation for P {
    fn forward(
        &mut self,
        pass: Pass<'_>,
        _: &mut [Vec<f32>],
        _: Option<&mut Stream>,
        output: &mut [f32],
    ) {
        self.values(pass, output);
    }

    fn backward(
        &mut self,
        pass: Pass<'_>,
        _output: &[f32],
        gradient: &mut [f32],
        inputs: &mut [Option<&mut [f32]>],
        _parameters: &mut [Vec<f32>],
    ) {
        self.gradients(pass, gradient, inputs);
    }

    fn flow(&self) -> Flow {
        Plain::flow(self)
    }

    fn keeps(&self) -> Keeps {
        match self.keeps_inputs() {
            true => Keeps::Inputs,
            false => Keeps::Nothing,
        }
    }

    fn preserves_zeros(&self) -> bool {
        Plain::preserves_zeros(self)
    }
}
