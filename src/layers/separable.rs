//! Convolutions taken apart: over positions channel by channel, and over channels position by position.

use super::convolution::{
    BIAS, DILATION, KERNEL, OUT, SAME_PADDING, STRIDE, channels, convolution, convolve, filters,
    grid_of, kernel_shape, window,
};
use super::description::GRIDS;
use super::forward::{Activation, one};
use super::window::Window;
use super::{
    Argument, Arguments, Category, Description, Forward, LayerKind, ParameterSpec, Shape,
    ShapeError, Value,
};
use crate::kernels::{Chain, Operation};

/// `depthwise_conv1d`, `depthwise_conv2d`: each channel filtered by itself.
pub struct DepthwiseConv<const N: usize>;

static DEPTHWISE: [Description; 2] = [
    depthwise(
        1,
        "depthwise_conv1d",
        "torch.nn.Conv1d(c, c * multiplier, kernel, groups=c)",
    ),
    depthwise(
        2,
        "depthwise_conv2d",
        "torch.nn.Conv2d(c, c * multiplier, kernel, groups=c)",
    ),
];

const DEPTHWISE_ARGUMENTS: &[Argument] = &[
    KERNEL,
    STRIDE,
    SAME_PADDING,
    DILATION,
    Argument::int("multiplier", 256, 1, "filters for each channel"),
    BIAS,
];

const fn depthwise(rank: usize, name: &'static str, torch: &'static str) -> Description {
    Description {
        name,
        category: Category::Convolution,
        torch,
        summary: "filters of its own for each channel; channels don't see each other",
        equation: "y[c m + r] = b[c m + r] + W[c m + r] * x[c], r from 0 to m - 1, * a convolution",
        source: "Sifre, Rigid-motion scattering for image classification, 2014",
        accepts: grid_of(rank),
        arguments: DEPTHWISE_ARGUMENTS,
        ..Description::PLAIN
    }
}

impl<const N: usize> LayerKind for DepthwiseConv<N> {
    fn describe(&self) -> &'static Description {
        &DEPTHWISE[N - 1]
    }

    fn shape(&self, arguments: &Arguments, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let input = self.describe().accept(inputs[0])?;
        let grid = depthwise_window(arguments).slide(self.describe().name, &input.grid())?;
        let out = channels(inputs) * arguments.int(4);
        Ok(Shape::over_grid(out, &grid))
    }

    fn parameters(&self, arguments: &Arguments, inputs: &[Shape]) -> Vec<ParameterSpec> {
        let out = channels(inputs) * arguments.int(4);
        let shape = kernel_shape::<N>(out, 1, arguments.int(0));
        filters(["weight", "bias"], shape, arguments.bool(5))
    }

    fn macs(&self, arguments: &Arguments, _inputs: &[Shape], output: Shape) -> u64 {
        output.elements() as u64 * arguments.int(0).pow(N as u32) as u64
    }

    fn forward(
        &self,
        arguments: &Arguments,
        context: &mut Forward<'_>,
        inputs: Vec<Activation>,
    ) -> Activation {
        let x = one(inputs);
        let channels = x.dims()[1];
        let bias = arguments.bool(5).then(|| context.parameters[1].vector());
        let window = depthwise_window(arguments);
        convolve(x, &context.parameters[0], bias, window, channels)
    }

    fn operation(&self, arguments: &Arguments, inputs: &[Shape]) -> Option<Box<dyn Operation>> {
        let (channels, window) = (channels(inputs), depthwise_window(arguments));
        let filters = channels * arguments.int(4);
        convolution(inputs[0], filters, window, channels, arguments.bool(5))
    }
}

fn depthwise_window(arguments: &Arguments) -> Window {
    Window::from_arguments(arguments, 0, arguments.int(3))
}

/// `pointwise_conv`: channels are mixed at each position by itself.
pub struct PointwiseConv;

static POINTWISE_CONV: Description = Description {
    name: "pointwise_conv",
    category: Category::Convolution,
    torch: "torch.nn.Conv1d, Conv2d or Conv3d with kernel_size=1",
    summary: "a linear map of the channels at each position",
    equation: "y[o, i] = b[o] + sum over c of W[o, c] x[c, i]",
    source: "Lin et al., Network in network, 2014",
    accepts: GRIDS,
    arguments: &[OUT, BIAS],
    ..Description::PLAIN
};

impl LayerKind for PointwiseConv {
    fn describe(&self) -> &'static Description {
        &POINTWISE_CONV
    }

    fn shape(&self, arguments: &Arguments, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let input = self.describe().accept(inputs[0])?;
        Ok(input.with_features(arguments.int(0)))
    }

    fn parameters(&self, arguments: &Arguments, inputs: &[Shape]) -> Vec<ParameterSpec> {
        let mut shape = vec![arguments.int(0), channels(inputs)];
        shape.extend(inputs[0].grid().iter().map(|_| 1));
        filters(["weight", "bias"], shape, arguments.bool(1))
    }

    fn macs(&self, _arguments: &Arguments, inputs: &[Shape], output: Shape) -> u64 {
        output.elements() as u64 * channels(inputs) as u64
    }

    fn forward(
        &self,
        arguments: &Arguments,
        context: &mut Forward<'_>,
        inputs: Vec<Activation>,
    ) -> Activation {
        let bias = arguments.bool(1).then(|| context.parameters[1].vector());
        let window = Window::new(1, 1, 1, Value::Int(0));
        convolve(one(inputs), &context.parameters[0], bias, window, 1)
    }

    fn operation(&self, arguments: &Arguments, inputs: &[Shape]) -> Option<Box<dyn Operation>> {
        let window = Window::new(1, 1, 1, Value::Int(0));
        convolution(inputs[0], arguments.int(0), window, 1, arguments.bool(1))
    }
}

/// `separable_conv1d`, `separable_conv2d`: each channel is filtered alone, then channels are mixed
/// position by position.
pub struct SeparableConv<const N: usize>;

static SEPARABLE: [Description; 2] = [
    separable(
        1,
        "separable_conv1d",
        "torch.nn.Conv1d(c, c, kernel, groups=c, bias=False) then torch.nn.Conv1d(c, out, 1)",
        "a filter for each input channel, then a linear map of the channels at each sample",
    ),
    separable(
        2,
        "separable_conv2d",
        "torch.nn.Conv2d(c, c, kernel, groups=c, bias=False) then torch.nn.Conv2d(c, out, 1)",
        "a filter for each input channel, then a linear map of the channels at each pixel",
    ),
];

const fn separable(
    rank: usize,
    name: &'static str,
    torch: &'static str,
    summary: &'static str,
) -> Description {
    Description {
        name,
        category: Category::Convolution,
        torch,
        summary,
        equation: "y = pointwise(depthwise(x)); only the pointwise part has a bias",
        source: "Chollet, Xception, 2017",
        accepts: grid_of(rank),
        arguments: &[OUT, KERNEL, STRIDE, SAME_PADDING, DILATION, BIAS],
        ..Description::PLAIN
    }
}

impl<const N: usize> LayerKind for SeparableConv<N> {
    fn describe(&self) -> &'static Description {
        &SEPARABLE[N - 1]
    }

    fn shape(&self, arguments: &Arguments, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let input = self.describe().accept(inputs[0])?;
        let grid = window(arguments, 4).slide(self.describe().name, &input.grid())?;
        Ok(Shape::over_grid(arguments.int(0), &grid))
    }

    fn parameters(&self, arguments: &Arguments, inputs: &[Shape]) -> Vec<ParameterSpec> {
        let (channels, out, kernel) = (channels(inputs), arguments.int(0), arguments.int(1));
        let depthwise = kernel_shape::<N>(channels, 1, kernel);
        let pointwise = kernel_shape::<N>(out, channels, 1);
        let mut specs = filters(["depthwise.weight", ""], depthwise, false);
        let names = ["pointwise.weight", "pointwise.bias"];
        specs.extend(filters(names, pointwise, arguments.bool(5)));
        specs
    }

    fn macs(&self, arguments: &Arguments, inputs: &[Shape], output: Shape) -> u64 {
        let kernel = arguments.int(1).pow(N as u32);
        let each = channels(inputs) * (kernel + arguments.int(0));
        (output.positions() * each) as u64
    }

    fn forward(
        &self,
        arguments: &Arguments,
        context: &mut Forward<'_>,
        inputs: Vec<Activation>,
    ) -> Activation {
        let x = one(inputs);
        let channels = x.dims()[1];
        let bias = arguments.bool(5).then(|| context.parameters[2].vector());
        let [depthwise, pointwise, ..] = context.parameters else {
            unreachable!("the specification has two kernels")
        };
        let x = convolve(x, depthwise, None, window(arguments, 4), channels);
        let window = Window::new(1, 1, 1, Value::Int(0));
        convolve(x, pointwise, bias, window, 1)
    }

    fn operation(&self, arguments: &Arguments, inputs: &[Shape]) -> Option<Box<dyn Operation>> {
        let (channels, bias) = (channels(inputs), arguments.bool(5));
        let output = self.shape(arguments, inputs).ok()?;
        let middle = output.with_features(channels);
        let depthwise = convolution(inputs[0], channels, window(arguments, 4), channels, false)?;
        let each = Window::new(1, 1, 1, Value::Int(0));
        let pointwise = convolution(middle, arguments.int(0), each, 1, bias)?;
        let links = vec![
            (depthwise, 1, middle.elements()),
            (pointwise, 1 + usize::from(bias), output.elements()),
        ];
        Some(Box::new(Chain::new(links)))
    }
}
