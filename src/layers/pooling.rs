//! Summaries of neighbourhoods or of everything.

use super::forward::Activation;
use super::window::{MAX_WINDOW, PADDING, Window, image_sizes};
use super::{
    ArgType, Argument, Arguments, Arity, Category, Default, Description, Forward, LayerKind, Shape,
    ShapeError, Value,
};
use burn::tensor::module;
use burn::tensor::ops::{AvgPoolOptions, MaxPoolOptions};

const KERNEL: Argument = Argument::required(
    "kernel",
    ArgType::Int {
        min: 1,
        max: MAX_WINDOW,
    },
    "rows and columns",
);
const STRIDE: Argument = Argument {
    name: "stride",
    ty: ArgType::Int {
        min: 1,
        max: MAX_WINDOW,
    },
    default: Default::SameAs("kernel"),
    doc: "distance between windows; the kernel's size unless given",
};
const PAD: Argument = Argument::with(
    "padding",
    PADDING,
    Value::Int(0),
    "rows and columns added on each side, at most half the kernel; `same`: output size is input size \
     divided by stride, rounded up",
);

/// `max_pool2d`: the largest value of each window.
pub struct MaxPool2d;

static MAX_POOL2D: Description = Description {
    name: "max_pool2d",
    category: Category::Pooling,
    torch: "torch.nn.MaxPool2d",
    summary: "the largest value of each window, channel by channel; padding never wins",
    equation: "y[c, i, j] = max over u, v of x[c, s i + u - p, s j + v - p]",
    source: "Ranzato et al., Unsupervised learning of invariant feature hierarchies, 2007",
    arity: Arity::One,
    arguments: &[KERNEL, STRIDE, PAD],
};

impl LayerKind for MaxPool2d {
    fn describe(&self) -> &'static Description {
        &MAX_POOL2D
    }

    fn shape(&self, arguments: &Arguments, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        pooled("max_pool2d", arguments, inputs[0])
    }

    fn forward(
        &self,
        arguments: &Arguments,
        _context: &mut Forward<'_>,
        inputs: Vec<Activation>,
    ) -> Activation {
        let x = inputs.into_iter().next().expect("one input").image();
        let window = pool_window(arguments);
        let options = MaxPoolOptions::new([window.kernel; 2])
            .with_stride([window.stride; 2])
            .with_padding_pairs(window.pairs());
        Activation::Image(module::max_pool2d(x, options))
    }
}

/// `avg_pool2d`: the mean of each window.
pub struct AvgPool2d;

static AVG_POOL2D: Description = Description {
    name: "avg_pool2d",
    category: Category::Pooling,
    torch: "torch.nn.AvgPool2d",
    summary: "the mean of each window, channel by channel",
    equation: "y[c, i, j] = mean over u, v of x[c, s i + u - p, s j + v - p]",
    source: "LeCun et al., Gradient-based learning applied to document recognition, 1998",
    arity: Arity::One,
    arguments: &[
        KERNEL,
        STRIDE,
        PAD,
        Argument::bool(
            "count_include_pad",
            true,
            "whether padding counts as zeros in the mean",
        ),
    ],
};

impl LayerKind for AvgPool2d {
    fn describe(&self) -> &'static Description {
        &AVG_POOL2D
    }

    fn shape(&self, arguments: &Arguments, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        pooled("avg_pool2d", arguments, inputs[0])
    }

    fn forward(
        &self,
        arguments: &Arguments,
        _context: &mut Forward<'_>,
        inputs: Vec<Activation>,
    ) -> Activation {
        let x = inputs.into_iter().next().expect("one input").image();
        let window = pool_window(arguments);
        let options = AvgPoolOptions::new([window.kernel; 2])
            .with_stride([window.stride; 2])
            .with_padding_pairs(window.pairs())
            .with_count_include_pad(arguments.bool(3));
        Activation::Image(module::avg_pool2d(x, options))
    }
}

/// `global_avg_pool`: the mean over all positions.
pub struct GlobalAvgPool;

static GLOBAL_AVG_POOL: Description = Description {
    name: "global_avg_pool",
    category: Category::Pooling,
    torch: "torch.nn.AdaptiveAvgPool2d(1) then torch.nn.Flatten",
    summary: "the mean of each channel over all positions: an image, signal or sequence to a vector",
    equation: "y[c] = mean over i, j of x[c, i, j]",
    source: "Lin et al., Network in network, 2014",
    arity: Arity::One,
    arguments: &[],
};

impl LayerKind for GlobalAvgPool {
    fn describe(&self) -> &'static Description {
        &GLOBAL_AVG_POOL
    }

    fn shape(&self, _: &Arguments, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        match inputs[0] {
            Shape::Image {
                channels: features, ..
            }
            | Shape::Signal {
                channels: features, ..
            }
            | Shape::Sequence { features, .. } => Ok(Shape::Vector { features }),
            other => Err(ShapeError::expected(
                "global_avg_pool",
                "an image, signal or sequence",
                other,
            )),
        }
    }

    fn forward(
        &self,
        _arguments: &Arguments,
        _context: &mut Forward<'_>,
        inputs: Vec<Activation>,
    ) -> Activation {
        let (means, channels) = match inputs.into_iter().next().expect("one input") {
            Activation::Image(x) => {
                let [batch, channels, height, width] = x.dims();
                (
                    x.reshape([batch, channels, height * width]).mean_dim(2),
                    channels,
                )
            }
            Activation::Signal(x) => {
                let channels = x.dims()[1];
                (x.mean_dim(2), channels)
            }
            Activation::Sequence(x) => {
                let features = x.dims()[2];
                (x.mean_dim(1), features)
            }
            other => unreachable!("the shape rule refuses {:?}", other.dims()),
        };
        let batch = means.dims()[0];
        Activation::Vector(means.reshape([batch, channels]))
    }
}

fn pool_window(arguments: &Arguments) -> Window {
    Window::from_arguments(arguments, 0, 1)
}

fn pooled(layer: &str, arguments: &Arguments, input: Shape) -> Result<Shape, ShapeError> {
    let (channels, height, width) = image_sizes(layer, input)?;
    let window = pool_window(arguments);
    // A window made of padding alone has no largest value, so PyTorch's limit holds here too.
    if matches!(arguments.values()[2], Value::Int(_)) && window.padding.0 > window.kernel / 2 {
        return Err(ShapeError(format!(
            "{layer}'s padding of {} is more than half its kernel of {}",
            window.padding.0, window.kernel
        )));
    }
    let (height, width) = window.slide(layer, height, width)?;
    Ok(Shape::Image {
        channels,
        height,
        width,
    })
}

#[cfg(test)]
mod tests {
    use crate::layers::{Layer, Shape, Value, find};

    fn pool(given: &[(&str, Value)], size: usize) -> Result<Shape, String> {
        let layer = Layer::new(find("max_pool2d").unwrap(), given).unwrap();
        let input = Shape::Image {
            channels: 2,
            height: size,
            width: size,
        };
        layer.shape(&[input]).map_err(|error| error.0)
    }

    #[test]
    fn pooling_below_one_pixel_is_refused() {
        let error = pool(&[("kernel", Value::Int(2))], 1).unwrap_err();
        assert!(
            error.starts_with("max_pool2d's window of 2x2 is larger"),
            "{error}"
        );
    }

    #[test]
    fn padding_over_half_the_kernel_is_refused_as_in_torch() {
        let error = pool(&[("kernel", Value::Int(3)), ("padding", Value::Int(2))], 8).unwrap_err();
        assert!(error.contains("more than half"), "{error}");
    }

    #[test]
    fn the_stride_of_a_pool_is_its_kernel_unless_given() {
        let halved = Shape::Image {
            channels: 2,
            height: 4,
            width: 4,
        };
        assert_eq!(pool(&[("kernel", Value::Int(2))], 8), Ok(halved));
        let kept = Shape::Image {
            channels: 2,
            height: 8,
            width: 8,
        };
        let same = [
            ("kernel", Value::Int(2)),
            ("stride", Value::Int(1)),
            ("padding", Value::Name("same")),
        ];
        assert_eq!(pool(&same, 8), Ok(kept));
    }
}
