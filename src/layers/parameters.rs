//! The tensors a layer owns: trainable parameters and running statistics.

/// How a parameter starts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Init {
    /// Uniform in `[-bound, bound)`.
    Uniform {
        /// The bound.
        bound: f32,
    },
    /// Normal around zero.
    Normal {
        /// The standard deviation.
        std: f32,
    },
    /// Every value the same.
    Constant(f32),
}

impl Init {
    /// PyTorch's default for linear and convolution, weights and biases alike: uniform within
    /// `1 / sqrt(fan_in)`.
    pub fn fan_in(fan_in: usize) -> Self {
        Self::Uniform {
            bound: libm::sqrt(1.0 / fan_in.max(1) as f64) as f32,
        }
    }

    /// Glorot and Bengio's start, which PyTorch gives to attention: uniform within
    /// `sqrt(6 / (inputs + outputs))`.
    pub fn xavier(inputs: usize, outputs: usize) -> Self {
        Self::Uniform {
            bound: libm::sqrt(6.0 / (inputs + outputs).max(1) as f64) as f32,
        }
    }
}

/// A trainable tensor: its name within the layer, shape and start.
#[derive(Clone, Debug, PartialEq)]
pub struct ParameterSpec {
    /// Its name within the layer, such as `weight`.
    pub name: &'static str,
    /// Its sizes.
    pub shape: Vec<usize>,
    /// Its start.
    pub init: Init,
}

impl ParameterSpec {
    /// A parameter of that name, shape and start.
    pub fn new(name: &'static str, shape: impl Into<Vec<usize>>, init: Init) -> Self {
        Self {
            name,
            shape: shape.into(),
            init,
        }
    }

    /// The number of values.
    pub fn count(&self) -> u64 {
        self.shape.iter().map(|&size| size as u64).product()
    }
}

/// A vector that training updates without gradients.
#[derive(Clone, Debug, PartialEq)]
pub struct Buffer {
    /// Its name within the layer, such as `running_mean`.
    pub name: &'static str,
    /// Its length.
    pub length: usize,
    /// The value every element starts at.
    pub start: f32,
}
