//! Transposed convolutions: the gradients of convolutions, used to make images and signals larger.

use super::convolution::{
    BIAS, DILATION, GROUPS, KERNEL, OUT, STRIDE, channels, divides, grid_of, kernel_shape,
};
use super::forward::{Activation, one};
use super::window::MAX_WINDOW;
use super::{
    ArgType, Argument, Arguments, Category, Description, Forward, Init, LayerKind, ParameterSpec,
    Shape, ShapeError, Value,
};
use burn::tensor::module::{conv_transpose1d, conv_transpose2d, conv_transpose3d};
use burn::tensor::ops::ConvTransposeOptions;

const UP_TO_WINDOW: ArgType = ArgType::Int {
    min: 0,
    max: MAX_WINDOW,
};

/// `conv_transpose1d`, `conv_transpose2d`, `conv_transpose3d`: each value adds a learned patch to the
/// output.
pub struct ConvTranspose<const N: usize>;

static CONV_TRANSPOSE: [Description; 3] = [
    conv_transpose(1, "conv_transpose1d", "torch.nn.ConvTranspose1d"),
    conv_transpose(2, "conv_transpose2d", "torch.nn.ConvTranspose2d"),
    conv_transpose(3, "conv_transpose3d", "torch.nn.ConvTranspose3d"),
];

const CONV_TRANSPOSE_ARGUMENTS: &[Argument] = &[
    OUT,
    KERNEL,
    STRIDE,
    Argument::with(
        "padding",
        UP_TO_WINDOW,
        Value::Int(0),
        "how much is cut off at each side of the output",
    ),
    Argument::with(
        "output_padding",
        UP_TO_WINDOW,
        Value::Int(0),
        "how much is added at the end of the output; less than stride or dilation",
    ),
    DILATION,
    GROUPS,
    BIAS,
];

const fn conv_transpose(rank: usize, name: &'static str, torch: &'static str) -> Description {
    Description {
        name,
        category: Category::Convolution,
        torch,
        summary: "each input value adds a learned patch to the output, `stride` apart: upsampling",
        equation: "y[o, s i + d u - p] += W[c, o, u] x[c, i], summed over c, i and u, likewise for each \
                   dimension; + b[o]",
        source: "Zeiler et al., Deconvolutional networks, 2010",
        accepts: grid_of(rank),
        arguments: CONV_TRANSPOSE_ARGUMENTS,
        ..Description::PLAIN
    }
}

impl<const N: usize> LayerKind for ConvTranspose<N> {
    fn describe(&self) -> &'static Description {
        &CONV_TRANSPOSE[N - 1]
    }

    fn shape(&self, arguments: &Arguments, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let (name, input) = (self.describe().name, self.describe().accept(inputs[0])?);
        divides(name, arguments.int(6), channels(inputs), arguments.int(0))?;
        let (added, stride, dilation) = (arguments.int(4), arguments.int(2), arguments.int(5));
        if added >= stride.max(dilation) {
            return Err(ShapeError(format!(
                "{name}'s output_padding of {added} is not below its stride of {stride} or dilation of \
                 {dilation}; make it smaller"
            )));
        }
        let grid: Result<Vec<usize>, ShapeError> = input
            .grid()
            .into_iter()
            .map(|size| enlarged(name, arguments, size))
            .collect();
        Ok(Shape::over_grid(arguments.int(0), &grid?))
    }

    fn parameters(&self, arguments: &Arguments, inputs: &[Shape]) -> Vec<ParameterSpec> {
        let (out, kernel) = (arguments.int(0), arguments.int(1));
        let shape = kernel_shape::<N>(channels(inputs), out / arguments.int(6), kernel);
        // PyTorch takes the second dimension for the fan-in here too, though it is the output's.
        let init = Init::fan_in(shape[1..].iter().product());
        let mut specs = vec![ParameterSpec::new("weight", shape, init)];
        if arguments.bool(7) {
            specs.push(ParameterSpec::new("bias", [out], init));
        }
        specs
    }

    fn macs(&self, arguments: &Arguments, inputs: &[Shape], _output: Shape) -> u64 {
        let per_group = arguments.int(0) / arguments.int(6);
        let each = per_group as u64 * arguments.int(1).pow(N as u32) as u64;
        (inputs[0].elements() as u64).saturating_mul(each)
    }

    fn forward(
        &self,
        arguments: &Arguments,
        context: &mut Forward<'_>,
        inputs: Vec<Activation>,
    ) -> Activation {
        let weight = &context.parameters[0];
        let bias = arguments.bool(7).then(|| context.parameters[1].vector());
        match one(inputs) {
            Activation::Signal(x) => {
                let weight = weight.kernel1d();
                Activation::Signal(conv_transpose1d(x, weight, bias, options(arguments)))
            }
            Activation::Image(x) => {
                let weight = weight.kernel2d();
                Activation::Image(conv_transpose2d(x, weight, bias, options(arguments)))
            }
            Activation::Volume(x) => {
                let weight = weight.kernel3d();
                Activation::Volume(conv_transpose3d(x, weight, bias, options(arguments)))
            }
            other => unreachable!("the shape rule refuses {:?}", other.dims()),
        }
    }
}

/// `(size - 1) stride - 2 padding + dilation (kernel - 1) + output_padding + 1`.
fn enlarged(layer: &str, arguments: &Arguments, size: usize) -> Result<usize, ShapeError> {
    let reach = arguments.int(5) * (arguments.int(1) - 1) + arguments.int(4) + 1;
    let full = (size - 1) * arguments.int(2) + reach;
    match full.checked_sub(2 * arguments.int(3)) {
        Some(rest) if rest > 0 => Ok(rest),
        _ => Err(ShapeError(format!(
            "{layer}'s padding of {} leaves nothing of an output of {full}; make it smaller",
            arguments.int(3)
        ))),
    }
}

fn options<const N: usize>(arguments: &Arguments) -> ConvTransposeOptions<N> {
    let all = |index| [arguments.int(index); N];
    ConvTransposeOptions::new(all(2), all(3), all(4), all(5), arguments.int(6))
}
