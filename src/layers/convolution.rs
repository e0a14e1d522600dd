//! Linear maps of neighbourhoods: one small map, slid over a signal, an image or a volume.

use super::forward::{Activation, one};
use super::window::{MAX_WINDOW, PADDING, Window};
use super::{
    ArgType, Argument, Arguments, Category, Description, Forward, Init, LayerKind, Parameter,
    ParameterSpec, Shape, ShapeError, Value,
};
use crate::kernels::{self, Geometry, Operation};
use burn::tensor::Tensor;
use burn::tensor::module::{conv1d, conv2d, conv3d};
use burn::tensor::ops::{ConvOptions, PadMode};

pub(super) const MAX_CHANNELS: i64 = 1 << 16;

pub(super) const OUT: Argument = Argument::required(
    "out",
    ArgType::Int {
        min: 1,
        max: MAX_CHANNELS,
    },
    "output channels",
);
pub(super) const KERNEL: Argument = Argument::required(
    "kernel",
    ArgType::Int {
        min: 1,
        max: MAX_WINDOW,
    },
    "size along each dimension",
);
pub(super) const STRIDE: Argument =
    Argument::int("stride", MAX_WINDOW, 1, "distance between windows");
pub(super) const NO_PADDING: Argument = padding(Value::Int(0));
pub(super) const SAME_PADDING: Argument = padding(Value::Name("same"));
pub(super) const DILATION: Argument = Argument::int(
    "dilation",
    MAX_WINDOW,
    1,
    "distance between the kernel's elements",
);
pub(super) const GROUPS: Argument = Argument::int(
    "groups",
    MAX_CHANNELS,
    1,
    "parts of the channels that don't see each other",
);
pub(super) const BIAS: Argument = Argument::bool(
    "bias",
    true,
    "whether a learned constant is added to each channel",
);

const fn padding(default: Value) -> Argument {
    Argument::with(
        "padding",
        PADDING,
        default,
        "zeros on each side; `same`: output size is input size divided by stride, rounded up",
    )
}

/// What grids of one, two and three dimensions are called.
pub(super) const fn grid_of(rank: usize) -> &'static [&'static str] {
    match rank {
        1 => &["signal"],
        2 => &["image"],
        _ => &["volume"],
    }
}

/// `conv1d`, `conv2d`, `conv3d`: a filter for each output channel, slid over `N` dimensions.
pub struct Conv<const N: usize>;

static CONV: [Description; 3] = [
    conv(
        1,
        "conv1d",
        "torch.nn.Conv1d",
        "a learned filter for each output channel, slid along a signal",
        "y[o, i] = b[o] + sum over c, u of W[o, c, u] x[c, s i + d u - p]",
        "Waibel et al., Phoneme recognition using time-delay neural networks, 1989",
    ),
    conv(
        2,
        "conv2d",
        "torch.nn.Conv2d",
        "a learned filter for each output channel, slid over rows and columns",
        "y[o, i, j] = b[o] + sum over c, u, v of W[o, c, u, v] x[c, s i + d u - p, s j + d v - p]",
        "LeCun et al., Gradient-based learning applied to document recognition, 1998",
    ),
    conv(
        3,
        "conv3d",
        "torch.nn.Conv3d",
        "a learned filter for each output channel, slid over slices, rows and columns",
        "y[o, i, j, k] = b[o] + sum over c, u, v, w of W[o, c, u, v, w] \
         x[c, s i + d u - p, s j + d v - p, s k + d w - p]",
        "Tran et al., Learning spatiotemporal features with 3D convolutional networks, 2015",
    ),
];

const fn conv(
    rank: usize,
    name: &'static str,
    torch: &'static str,
    summary: &'static str,
    equation: &'static str,
    source: &'static str,
) -> Description {
    Description {
        name,
        category: Category::Convolution,
        torch,
        summary,
        equation,
        source,
        accepts: grid_of(rank),
        arguments: &[OUT, KERNEL, STRIDE, NO_PADDING, DILATION, GROUPS, BIAS],
        ..Description::PLAIN
    }
}

impl<const N: usize> LayerKind for Conv<N> {
    fn describe(&self) -> &'static Description {
        &CONV[N - 1]
    }

    fn shape(&self, arguments: &Arguments, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let (name, input) = (self.describe().name, self.describe().accept(inputs[0])?);
        divides(name, arguments.int(5), channels(inputs), arguments.int(0))?;
        let grid = window(arguments, 4).slide(name, &input.grid())?;
        Ok(Shape::over_grid(arguments.int(0), &grid))
    }

    fn parameters(&self, arguments: &Arguments, inputs: &[Shape]) -> Vec<ParameterSpec> {
        let per_group = channels(inputs) / arguments.int(5);
        let shape = kernel_shape::<N>(arguments.int(0), per_group, arguments.int(1));
        filters(["weight", "bias"], shape, arguments.bool(6))
    }

    fn macs(&self, arguments: &Arguments, inputs: &[Shape], output: Shape) -> u64 {
        let per_group = channels(inputs) / arguments.int(5);
        let each = per_group as u64 * arguments.int(1).pow(N as u32) as u64;
        (output.elements() as u64).saturating_mul(each)
    }

    fn forward(
        &self,
        arguments: &Arguments,
        context: &mut Forward<'_>,
        inputs: Vec<Activation>,
    ) -> Activation {
        let bias = arguments.bool(6).then(|| context.parameters[1].vector());
        convolve(
            one(inputs),
            &context.parameters[0],
            bias,
            window(arguments, 4),
            arguments.int(5),
        )
    }

    fn operation(&self, arguments: &Arguments, inputs: &[Shape]) -> Option<Box<dyn Operation>> {
        let window = window(arguments, 4);
        convolution(
            inputs[0],
            arguments.int(0),
            window,
            arguments.int(5),
            arguments.bool(6),
        )
    }
}

/// `causal_conv1d`: padded before only, so that an output sees nothing that comes after it.
pub struct CausalConv1d;

static CAUSAL_CONV1D: Description = Description {
    name: "causal_conv1d",
    category: Category::Convolution,
    torch: "torch.nn.functional.pad(x, (dilation * (kernel - 1), 0)) then torch.nn.Conv1d",
    summary: "a convolution along a signal that sees the present and the past only",
    equation: "y[o, i] = b[o] + sum over c, u of W[o, c, u] x[c, s i - d (k - 1 - u)]",
    source: "van den Oord et al., WaveNet, 2016",
    accepts: grid_of(1),
    arguments: &[OUT, KERNEL, STRIDE, DILATION, GROUPS, BIAS],
    ..Description::PLAIN
};

impl LayerKind for CausalConv1d {
    fn describe(&self) -> &'static Description {
        &CAUSAL_CONV1D
    }

    fn shape(&self, arguments: &Arguments, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let input = self.describe().accept(inputs[0])?;
        let (out, groups) = (arguments.int(0), arguments.int(4));
        divides("causal_conv1d", groups, channels(inputs), out)?;
        let grid = causal_window(arguments).slide("causal_conv1d", &input.grid())?;
        Ok(Shape::over_grid(out, &grid))
    }

    fn parameters(&self, arguments: &Arguments, inputs: &[Shape]) -> Vec<ParameterSpec> {
        let per_group = channels(inputs) / arguments.int(4);
        let shape = [arguments.int(0), per_group, arguments.int(1)];
        filters(["weight", "bias"], shape, arguments.bool(5))
    }

    fn macs(&self, arguments: &Arguments, inputs: &[Shape], output: Shape) -> u64 {
        let per_group = channels(inputs) / arguments.int(4);
        output.elements() as u64 * (per_group * arguments.int(1)) as u64
    }

    fn forward(
        &self,
        arguments: &Arguments,
        context: &mut Forward<'_>,
        inputs: Vec<Activation>,
    ) -> Activation {
        let bias = arguments.bool(5).then(|| context.parameters[1].vector());
        let window = causal_window(arguments);
        convolve(
            one(inputs),
            &context.parameters[0],
            bias,
            window,
            arguments.int(4),
        )
    }

    fn operation(&self, arguments: &Arguments, inputs: &[Shape]) -> Option<Box<dyn Operation>> {
        let window = causal_window(arguments);
        convolution(
            inputs[0],
            arguments.int(0),
            window,
            arguments.int(4),
            arguments.bool(5),
        )
    }
}

fn causal_window(arguments: &Arguments) -> Window {
    Window::new(
        arguments.int(1),
        arguments.int(2),
        arguments.int(3),
        Value::Int(0),
    )
    .causal()
}

/// `ws_conv2d`: a convolution whose filters are standardised at every use.
pub struct WsConv2d;

static WS_CONV2D: Description = Description {
    name: "ws_conv2d",
    category: Category::Convolution,
    torch: "torch.nn.functional.conv2d with a weight standardised over each filter",
    summary: "a convolution whose filters have mean 0 and variance 1: weight standardisation",
    equation: "y = conv2d(x, (W - mean(W)) / sqrt(var(W) + eps)), mean and variance of each output channel's filter",
    source: "Qiao et al., Weight standardization, 2019",
    accepts: grid_of(2),
    arguments: &[
        OUT,
        KERNEL,
        STRIDE,
        NO_PADDING,
        DILATION,
        GROUPS,
        BIAS,
        Argument::float(
            "eps",
            (1e-12, 1.0),
            1e-5,
            "added to the variance before the square root",
        ),
    ],
    ..Description::PLAIN
};

impl LayerKind for WsConv2d {
    fn describe(&self) -> &'static Description {
        &WS_CONV2D
    }

    fn shape(&self, arguments: &Arguments, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let input = self.describe().accept(inputs[0])?;
        let (out, groups) = (arguments.int(0), arguments.int(5));
        divides("ws_conv2d", groups, channels(inputs), out)?;
        let grid = window(arguments, 4).slide("ws_conv2d", &input.grid())?;
        Ok(Shape::over_grid(out, &grid))
    }

    fn parameters(&self, arguments: &Arguments, inputs: &[Shape]) -> Vec<ParameterSpec> {
        Conv::<2>.parameters(arguments, inputs)
    }

    fn macs(&self, arguments: &Arguments, inputs: &[Shape], output: Shape) -> u64 {
        Conv::<2>.macs(arguments, inputs, output)
    }

    fn forward(
        &self,
        arguments: &Arguments,
        context: &mut Forward<'_>,
        inputs: Vec<Activation>,
    ) -> Activation {
        let bias = arguments.bool(6).then(|| context.parameters[1].vector());
        let weight = standardised(context.parameters[0].kernel2d(), arguments.float(7));
        let options = options(window(arguments, 4), arguments.int(5));
        Activation::Image(conv2d(one(inputs).image(), weight, bias, options))
    }
}

fn standardised(weight: Tensor<4>, eps: f64) -> Tensor<4> {
    let dims = weight.dims();
    let filters: Tensor<2> = weight.flatten(1, 3);
    let centred = filters.clone() - filters.mean_dim(1);
    let variance = centred.clone().square().mean_dim(1);
    (centred / (variance + eps).sqrt()).reshape(dims)
}

/// A window from the arguments kernel, stride and padding at 1, 2 and 3, and a dilation elsewhere.
pub(super) fn window(arguments: &Arguments, dilation: usize) -> Window {
    Window::from_arguments(arguments, 1, arguments.int(dilation))
}

/// The convolution with `weight` as PyTorch lays it out, over as many dimensions as `x` has.
pub(super) fn convolve(
    x: Activation,
    weight: &Parameter,
    bias: Option<Tensor<1>>,
    window: Window,
    groups: usize,
) -> Activation {
    match x {
        Activation::Signal(x) => {
            let (x, window) = without_rest(x, window);
            Activation::Signal(conv1d(x, weight.kernel1d(), bias, options(window, groups)))
        }
        Activation::Image(x) => {
            Activation::Image(conv2d(x, weight.kernel2d(), bias, options(window, groups)))
        }
        Activation::Volume(x) => {
            // burn's convolution of volumes pads both sides alike, which `same` does not.
            let x = match window.padding {
                (0, 0) => x,
                _ => x.pad(window.pairs::<3>(), PadMode::Constant(0.0)),
            };
            let (stride, dilation) = ([window.stride; 3], [window.dilation; 3]);
            let options = ConvOptions::new(stride, [0; 3], dilation, groups);
            Activation::Volume(conv3d(x, weight.kernel3d(), bias, options))
        }
        other => unreachable!("the shape rule refuses {:?}", other.dims()),
    }
}

/// The signal without the samples at its end that no window reaches, and the window without the padding
/// there: burn's gradient of a grouped convolution's weight takes them for more weights.
fn without_rest(x: Tensor<3>, mut window: Window) -> (Tensor<3>, Window) {
    let length = x.dims()[2];
    let rest = window.rest(length);
    let (before, after) = window.padding;
    window.padding = (before, after.saturating_sub(rest));
    (x.narrow(2, 0, length - rest.saturating_sub(after)), window)
}

fn options<const N: usize>(window: Window, groups: usize) -> ConvOptions<N> {
    let (stride, dilation) = ([window.stride; N], [window.dilation; N]);
    ConvOptions::new_with_padding(stride, window.pairs(), dilation, groups)
}

/// The sizes of `out` filters over `channels` and `N` dimensions.
pub(super) fn kernel_shape<const N: usize>(
    out: usize,
    channels: usize,
    kernel: usize,
) -> Vec<usize> {
    let mut shape = vec![out, channels];
    shape.extend([kernel; N]);
    shape
}

/// Filters `[out, channels, …]` and their bias, with PyTorch's default start.
pub(super) fn filters(
    [weight, bias]: [&'static str; 2],
    shape: impl Into<Vec<usize>>,
    with_bias: bool,
) -> Vec<ParameterSpec> {
    let shape = shape.into();
    let (out, init) = (shape[0], Init::fan_in(shape[1..].iter().product()));
    let mut specs = vec![ParameterSpec::new(weight, shape, init)];
    if with_bias {
        specs.push(ParameterSpec::new(bias, [out], init));
    }
    specs
}

/// That `groups` divide the channels on both sides, or that they don't.
pub(super) fn divides(
    layer: &str,
    groups: usize,
    channels: usize,
    out: usize,
) -> Result<(), ShapeError> {
    if channels.is_multiple_of(groups) && out.is_multiple_of(groups) {
        return Ok(());
    }
    Err(ShapeError(format!(
        "{layer}'s {groups} groups divide neither evenly: {channels} input and {out} output channels \
         must both be multiples"
    )))
}

pub(super) fn channels(inputs: &[Shape]) -> usize {
    inputs[0]
        .features()
        .expect("the shape rule accepts only shapes with channels")
}

/// The kernels of [`convolve`], for signals and images; `None` where there are none.
pub(super) fn convolution(
    input: Shape,
    filters: usize,
    window: Window,
    groups: usize,
    bias: bool,
) -> Option<Box<dyn Operation>> {
    let geometry = geometry(input, filters, window, groups)?;
    geometry
        .is_supported()
        .then(|| kernels::convolution(geometry, bias))
}

fn geometry(input: Shape, filters: usize, window: Window, groups: usize) -> Option<Geometry> {
    let plane = window.plane(input)?;
    Some(Geometry {
        input: plane.input,
        output: plane.output,
        channels: input.features()?,
        filters,
        kernel: plane.kernel,
        stride: plane.stride,
        dilation: [window.dilation; 2],
        before: plane.before,
        groups,
    })
}
