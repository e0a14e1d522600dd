//! Linear maps of neighbourhoods.

use super::forward::Activation;
use super::window::{MAX_WINDOW, PADDING, Window, image_sizes};
use super::{
    ArgType, Argument, Arguments, Arity, Category, Description, Forward, Init, LayerKind,
    ParameterSpec, Shape, ShapeError, Value,
};
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;

const MAX_CHANNELS: i64 = 1 << 16;

const OUT: Argument = Argument::required(
    "out",
    ArgType::Int {
        min: 1,
        max: MAX_CHANNELS,
    },
    "output channels",
);
const KERNEL: Argument = Argument::required(
    "kernel",
    ArgType::Int {
        min: 1,
        max: MAX_WINDOW,
    },
    "rows and columns",
);
const STRIDE: Argument = Argument::int("stride", MAX_WINDOW, 1, "distance between windows");
const DILATION: Argument = Argument::int(
    "dilation",
    MAX_WINDOW,
    1,
    "distance between the kernel's elements",
);
const BIAS: Argument = Argument::bool(
    "bias",
    true,
    "whether a learned constant is added to each channel",
);

/// `conv2d`: one small linear map, slid over an image.
pub struct Conv2d;

static CONV2D: Description = Description {
    name: "conv2d",
    category: Category::Convolution,
    torch: "torch.nn.Conv2d",
    summary: "a learned filter for each output channel, slid over rows and columns",
    equation: "y[o, i, j] = b[o] + sum over c, u, v of W[o, c, u, v] x[c, s i + d u - p, s j + d v - p]",
    source: "LeCun et al., Gradient-based learning applied to document recognition, 1998",
    arity: Arity::One,
    arguments: &[
        OUT,
        KERNEL,
        STRIDE,
        Argument::with(
            "padding",
            PADDING,
            Value::Int(0),
            "zeros on each side; `same`: output size is input size divided by stride, rounded up",
        ),
        DILATION,
        Argument::int(
            "groups",
            MAX_CHANNELS,
            1,
            "parts of the channels that don't see each other",
        ),
        BIAS,
    ],
};

impl LayerKind for Conv2d {
    fn describe(&self) -> &'static Description {
        &CONV2D
    }

    fn shape(&self, arguments: &Arguments, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let (channels, height, width) = image_sizes("conv2d", inputs[0])?;
        let (out, groups) = (arguments.int(0), arguments.int(5));
        if channels % groups != 0 || out % groups != 0 {
            return Err(ShapeError(format!(
                "conv2d's {groups} groups divide neither evenly: {channels} input and {out} output \
                 channels must both be multiples"
            )));
        }
        let (height, width) = conv_window(arguments).slide("conv2d", height, width)?;
        Ok(Shape::Image {
            channels: out,
            height,
            width,
        })
    }

    fn parameters(&self, arguments: &Arguments, inputs: &[Shape]) -> Vec<ParameterSpec> {
        let per_group = channels(inputs) / arguments.int(5);
        let (out, kernel) = (arguments.int(0), arguments.int(1));
        let init = Init::fan_in(per_group * kernel * kernel);
        let mut specs = vec![ParameterSpec::new(
            "weight",
            [out, per_group, kernel, kernel],
            init,
        )];
        if arguments.bool(6) {
            specs.push(ParameterSpec::new("bias", [out], init));
        }
        specs
    }

    fn macs(&self, arguments: &Arguments, inputs: &[Shape], output: Shape) -> u64 {
        let per_group = channels(inputs) / arguments.int(5);
        output.elements() as u64 * (per_group * arguments.int(1) * arguments.int(1)) as u64
    }

    fn forward(
        &self,
        arguments: &Arguments,
        context: &mut Forward<'_>,
        inputs: Vec<Activation>,
    ) -> Activation {
        let x = inputs.into_iter().next().expect("one input").image();
        let bias = arguments.bool(6).then(|| context.parameters[1].vector());
        let options = options(conv_window(arguments), arguments.int(5));
        Activation::Image(conv2d(x, context.parameters[0].kernel2d(), bias, options))
    }
}

/// `separable_conv2d`: each channel is filtered alone, then channels are mixed pixel by pixel.
pub struct SeparableConv2d;

static SEPARABLE_CONV2D: Description = Description {
    name: "separable_conv2d",
    category: Category::Convolution,
    torch: "torch.nn.Conv2d(c, c, kernel, groups=c, bias=False) then torch.nn.Conv2d(c, out, 1)",
    summary: "a filter for each input channel, then a linear map of the channels at each pixel",
    equation: "y = pointwise(depthwise(x)); only the pointwise part has a bias",
    source: "Chollet, Xception, 2017",
    arity: Arity::One,
    arguments: &[
        OUT,
        KERNEL,
        STRIDE,
        Argument::with(
            "padding",
            PADDING,
            Value::Name("same"),
            "zeros on each side; `same`: output size is input size divided by stride, rounded up",
        ),
        DILATION,
        BIAS,
    ],
};

impl LayerKind for SeparableConv2d {
    fn describe(&self) -> &'static Description {
        &SEPARABLE_CONV2D
    }

    fn shape(&self, arguments: &Arguments, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let (_, height, width) = image_sizes("separable_conv2d", inputs[0])?;
        let (height, width) = conv_window(arguments).slide("separable_conv2d", height, width)?;
        Ok(Shape::Image {
            channels: arguments.int(0),
            height,
            width,
        })
    }

    fn parameters(&self, arguments: &Arguments, inputs: &[Shape]) -> Vec<ParameterSpec> {
        let (channels, out, kernel) = (channels(inputs), arguments.int(0), arguments.int(1));
        let (depthwise, pointwise) = (Init::fan_in(kernel * kernel), Init::fan_in(channels));
        let mut specs = vec![
            ParameterSpec::new("depthwise.weight", [channels, 1, kernel, kernel], depthwise),
            ParameterSpec::new("pointwise.weight", [out, channels, 1, 1], pointwise),
        ];
        if arguments.bool(5) {
            specs.push(ParameterSpec::new("pointwise.bias", [out], pointwise));
        }
        specs
    }

    fn macs(&self, arguments: &Arguments, inputs: &[Shape], output: Shape) -> u64 {
        let (channels, out, kernel) = (channels(inputs), arguments.int(0), arguments.int(1));
        let pixels = output.elements() as u64 / out as u64;
        pixels * channels as u64 * (kernel * kernel + out) as u64
    }

    fn forward(
        &self,
        arguments: &Arguments,
        context: &mut Forward<'_>,
        inputs: Vec<Activation>,
    ) -> Activation {
        let x = inputs.into_iter().next().expect("one input").image();
        let channels = x.dims()[1];
        let bias = arguments.bool(5).then(|| context.parameters[2].vector());
        let depthwise = context.parameters[0].kernel2d();
        let x = conv2d(
            x,
            depthwise,
            None,
            options(conv_window(arguments), channels),
        );
        let pointwise = ConvOptions::new([1, 1], [0, 0], [1, 1], 1);
        Activation::Image(conv2d(x, context.parameters[1].kernel2d(), bias, pointwise))
    }
}

fn conv_window(arguments: &Arguments) -> Window {
    Window::from_arguments(arguments, 1, arguments.int(4))
}

fn options(window: Window, groups: usize) -> ConvOptions<2> {
    let (stride, dilation) = ([window.stride; 2], [window.dilation; 2]);
    ConvOptions::new_with_padding(stride, window.pairs(), dilation, groups)
}

fn channels(inputs: &[Shape]) -> usize {
    inputs[0]
        .features()
        .expect("the shape rule accepts only images")
}
