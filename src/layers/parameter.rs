//! Trainable tensors of any rank, part of burn's module tree.

use burn::module::{Module, Param};
use burn::tensor::{Device, Gradients, Tensor, TensorData};

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

/// The same expression for the tensor of whatever rank.
macro_rules! any_rank {
    ($parameter:expr, $x:ident => $body:expr) => {
        match $parameter {
            Parameter::Rank1($x) => $body,
            Parameter::Rank2($x) => $body,
            Parameter::Rank3($x) => $body,
            Parameter::Rank4($x) => $body,
            Parameter::Rank5($x) => $body,
        }
    };
}

impl Parameter {
    /// A parameter with these 32-bit values; it collects gradients on an autodiff device.
    ///
    /// # Panics
    /// When the rank is not 1 to 5: an error in the catalogue.
    pub fn from_data(data: TensorData, device: &Device) -> Self {
        match data.shape().len() {
            1 => Self::Rank1(Param::from_data(data, device)),
            2 => Self::Rank2(Param::from_data(data, device)),
            3 => Self::Rank3(Param::from_data(data, device)),
            4 => Self::Rank4(Param::from_data(data, device)),
            5 => Self::Rank5(Param::from_data(data, device)),
            rank => panic!("parameters have 1 to 5 dimensions, not {rank}"),
        }
    }

    /// As [`from_data`](Self::from_data), in the precision of the data.
    ///
    /// # Panics
    /// When the rank is not 1 to 5: an error in the catalogue.
    pub fn of_precision(data: TensorData, device: &Device) -> Self {
        let options = (device, data.dtype());
        match data.shape().len() {
            1 => Self::Rank1(Param::from_tensor(Tensor::from_data(data, options))),
            2 => Self::Rank2(Param::from_tensor(Tensor::from_data(data, options))),
            3 => Self::Rank3(Param::from_tensor(Tensor::from_data(data, options))),
            4 => Self::Rank4(Param::from_tensor(Tensor::from_data(data, options))),
            5 => Self::Rank5(Param::from_tensor(Tensor::from_data(data, options))),
            rank => panic!("parameters have 1 to 5 dimensions, not {rank}"),
        }
    }

    /// The sizes.
    pub fn dims(&self) -> Vec<usize> {
        any_rank!(self, x => x.dims().to_vec())
    }

    /// The values.
    pub fn to_data(&self) -> TensorData {
        any_rank!(self, x => x.val().inner().into_data())
    }

    /// Takes the gradient of this parameter out of a backward pass; `None` where the loss does not
    /// depend on it.
    pub fn take_gradient(&self, gradients: &mut Gradients) -> Option<TensorData> {
        any_rank!(self, x => x.grad_remove(gradients).map(Tensor::into_data))
    }

    /// Changes the values and starts a new graph from them. `update` works in place.
    #[must_use]
    pub fn update(self, update: impl FnOnce(&mut [f32])) -> Self {
        match self {
            Self::Rank1(x) => Self::Rank1(x.map(|tensor| updated(tensor, update))),
            Self::Rank2(x) => Self::Rank2(x.map(|tensor| updated(tensor, update))),
            Self::Rank3(x) => Self::Rank3(x.map(|tensor| updated(tensor, update))),
            Self::Rank4(x) => Self::Rank4(x.map(|tensor| updated(tensor, update))),
            Self::Rank5(x) => Self::Rank5(x.map(|tensor| updated(tensor, update))),
        }
    }

    /// The vector inside, part of the gradient's graph.
    ///
    /// # Panics
    /// When the rank differs from the layer's specification.
    pub fn vector(&self) -> Tensor<1> {
        match self {
            Self::Rank1(x) => x.val(),
            other => other.wrong_rank("a vector"),
        }
    }

    /// The matrix inside, part of the gradient's graph.
    ///
    /// # Panics
    /// When the rank differs from the layer's specification.
    pub fn matrix(&self) -> Tensor<2> {
        match self {
            Self::Rank2(x) => x.val(),
            other => other.wrong_rank("a matrix"),
        }
    }

    /// The kernel of one dimension inside, part of the gradient's graph.
    ///
    /// # Panics
    /// When the rank differs from the layer's specification.
    pub fn kernel1d(&self) -> Tensor<3> {
        match self {
            Self::Rank3(x) => x.val(),
            other => other.wrong_rank("a kernel of one dimension"),
        }
    }

    /// The kernel of two dimensions inside, part of the gradient's graph.
    ///
    /// # Panics
    /// When the rank differs from the layer's specification.
    pub fn kernel2d(&self) -> Tensor<4> {
        match self {
            Self::Rank4(x) => x.val(),
            other => other.wrong_rank("a kernel of two dimensions"),
        }
    }

    /// The kernel of three dimensions inside, part of the gradient's graph.
    ///
    /// # Panics
    /// When the rank differs from the layer's specification.
    pub fn kernel3d(&self) -> Tensor<5> {
        match self {
            Self::Rank5(x) => x.val(),
            other => other.wrong_rank("a kernel of three dimensions"),
        }
    }

    fn wrong_rank(&self, wanted: &str) -> ! {
        panic!("this parameter is {wanted}, not {:?}", self.dims())
    }

    /// The values in one row, whatever the rank; part of the gradient's graph.
    pub fn flat(&self) -> Tensor<1> {
        any_rank!(self, x => x.val().reshape([-1]))
    }
}

fn updated<const D: usize>(tensor: Tensor<D>, update: impl FnOnce(&mut [f32])) -> Tensor<D> {
    let device = tensor.device();
    let mut data = tensor.inner().into_data();
    update(data.as_mut_slice().expect("parameters are 32-bit floats"));
    let tensor = Tensor::from_data(data, &device);
    if device.is_autodiff() {
        tensor.require_grad()
    } else {
        tensor
    }
}
