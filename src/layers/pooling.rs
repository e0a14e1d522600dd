//! Summaries of neighbourhoods.

use super::convolution::grid_of;
use super::forward::{Activation, map_activation, one};
use super::window::{MAX_WINDOW, PADDING, Window};
use super::{
    ArgType, Argument, Arguments, Category, Default, Description, Forward, LayerKind, Shape,
    ShapeError, Value,
};
use crate::kernels::{self, Operation, PoolWindows};
use burn::tensor::ops::{AvgPoolOptions, MaxPoolOptions};
use burn::tensor::{Tensor, module};

const KERNEL: Argument = Argument::required(
    "kernel",
    ArgType::Int {
        min: 1,
        max: MAX_WINDOW,
    },
    "size along each dimension",
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
    "how much is added on each side, at most half the kernel; `same`: output size is input size divided \
     by stride, rounded up",
);

/// `max_pool1d`, `max_pool2d`, `max_pool3d`: the largest value of each window.
pub struct MaxPool<const N: usize>;

static MAX_POOL: [Description; 3] = [
    max_pool(
        1,
        "max_pool1d",
        "torch.nn.MaxPool1d",
        "y[c, i] = max over u of x[c, s i + u - p]",
    ),
    max_pool(
        2,
        "max_pool2d",
        "torch.nn.MaxPool2d",
        "y[c, i, j] = max over u, v of x[c, s i + u - p, s j + v - p]",
    ),
    max_pool(
        3,
        "max_pool3d",
        "torch.nn.MaxPool3d",
        "y[c, i, j, k] = max over u, v, w of x[c, s i + u - p, s j + v - p, s k + w - p]",
    ),
];

const fn max_pool(
    rank: usize,
    name: &'static str,
    torch: &'static str,
    equation: &'static str,
) -> Description {
    Description {
        name,
        category: Category::Pooling,
        torch,
        summary: "the largest value of each window, channel by channel; padding never wins",
        equation,
        source: "Ranzato et al., Unsupervised learning of invariant feature hierarchies, 2007",
        accepts: grid_of(rank),
        arguments: &[KERNEL, STRIDE, PAD],
        ..Description::PLAIN
    }
}

impl<const N: usize> LayerKind for MaxPool<N> {
    fn describe(&self) -> &'static Description {
        &MAX_POOL[N - 1]
    }

    fn shape(&self, arguments: &Arguments, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        pooled(self.describe(), arguments, inputs[0])
    }

    fn forward(
        &self,
        arguments: &Arguments,
        _context: &mut Forward<'_>,
        inputs: Vec<Activation>,
    ) -> Activation {
        let window = pool_window(arguments);
        match one(inputs) {
            Activation::Signal(x) => {
                let options = MaxPoolOptions::new([window.kernel])
                    .with_stride([window.stride])
                    .with_padding_pairs(window.pairs());
                Activation::Signal(module::max_pool1d(x, options))
            }
            Activation::Image(x) => Activation::Image(max_plane(x, Plane::square(window))),
            Activation::Volume(x) => Activation::Volume(by_planes(x, window, max_plane)),
            other => unreachable!("the shape rule refuses {:?}", other.dims()),
        }
    }

    fn operation(&self, arguments: &Arguments, inputs: &[Shape]) -> Option<Box<dyn Operation>> {
        let windows = pool_windows(arguments, inputs[0])?;
        Some(Box::new(kernels::MaxPool::new(windows)))
    }
}

fn max_plane(x: Tensor<4>, plane: Plane) -> Tensor<4> {
    let options = MaxPoolOptions::new(plane.kernel)
        .with_stride(plane.stride)
        .with_padding_pairs(plane.padding);
    module::max_pool2d(x, options)
}

/// `avg_pool1d`, `avg_pool2d`, `avg_pool3d`: the mean of each window.
pub struct AvgPool<const N: usize>;

static AVG_POOL: [Description; 3] = [
    avg_pool(
        1,
        "avg_pool1d",
        "torch.nn.AvgPool1d",
        "y[c, i] = mean over u of x[c, s i + u - p]",
    ),
    avg_pool(
        2,
        "avg_pool2d",
        "torch.nn.AvgPool2d",
        "y[c, i, j] = mean over u, v of x[c, s i + u - p, s j + v - p]",
    ),
    avg_pool(
        3,
        "avg_pool3d",
        "torch.nn.AvgPool3d",
        "y[c, i, j, k] = mean over u, v, w of x[c, s i + u - p, s j + v - p, s k + w - p]",
    ),
];

const AVG_POOL_ARGUMENTS: &[Argument] = &[
    KERNEL,
    STRIDE,
    PAD,
    Argument::bool(
        "count_include_pad",
        true,
        "whether padding counts as zeros in the mean",
    ),
];

const fn avg_pool(
    rank: usize,
    name: &'static str,
    torch: &'static str,
    equation: &'static str,
) -> Description {
    Description {
        name,
        category: Category::Pooling,
        torch,
        summary: "the mean of each window, channel by channel",
        equation,
        source: "LeCun et al., Gradient-based learning applied to document recognition, 1998",
        accepts: grid_of(rank),
        arguments: AVG_POOL_ARGUMENTS,
        ..Description::PLAIN
    }
}

impl<const N: usize> LayerKind for AvgPool<N> {
    fn describe(&self) -> &'static Description {
        &AVG_POOL[N - 1]
    }

    fn shape(&self, arguments: &Arguments, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        pooled(self.describe(), arguments, inputs[0])
    }

    fn forward(
        &self,
        arguments: &Arguments,
        _context: &mut Forward<'_>,
        inputs: Vec<Activation>,
    ) -> Activation {
        let count_padding = arguments.bool(3);
        average(one(inputs), pool_window(arguments), count_padding)
    }

    fn operation(&self, arguments: &Arguments, inputs: &[Shape]) -> Option<Box<dyn Operation>> {
        let windows = pool_windows(arguments, inputs[0])?;
        Some(Box::new(kernels::AveragePool::new(
            windows,
            arguments.bool(3),
        )))
    }
}

fn average(x: Activation, window: Window, count_padding: bool) -> Activation {
    let image = |x: Tensor<4>, plane: Plane| {
        let options = AvgPoolOptions::new(plane.kernel)
            .with_stride(plane.stride)
            .with_padding_pairs(plane.padding)
            .with_count_include_pad(count_padding);
        module::avg_pool2d(x, options)
    };
    match x {
        Activation::Signal(x) => {
            let options = AvgPoolOptions::new([window.kernel])
                .with_stride([window.stride])
                .with_padding_pairs(window.pairs())
                .with_count_include_pad(count_padding);
            Activation::Signal(module::avg_pool1d(x, options))
        }
        Activation::Image(x) => Activation::Image(image(x, Plane::square(window))),
        Activation::Volume(x) => Activation::Volume(by_planes(x, window, image)),
        other => unreachable!("the shape rule refuses {:?}", other.dims()),
    }
}

/// A window over rows and columns that may differ between the two.
#[derive(Clone, Copy)]
struct Plane {
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: [(usize, usize); 2],
}

impl Plane {
    fn square(window: Window) -> Self {
        Self {
            kernel: [window.kernel; 2],
            stride: [window.stride; 2],
            padding: window.pairs(),
        }
    }

    fn rows_only(window: Window) -> Self {
        Self {
            kernel: [window.kernel, 1],
            stride: [window.stride, 1],
            padding: [window.padding, (0, 0)],
        }
    }
}

/// Pools a volume: rows and columns of each slice, then slices. burn has no pools of volumes, and both the
/// largest and the mean of a box come out the same in two steps.
fn by_planes(
    x: Tensor<5>,
    window: Window,
    pool: impl Fn(Tensor<4>, Plane) -> Tensor<4>,
) -> Tensor<5> {
    let [batch, channels, depth, height, width] = x.dims();
    let slices = x.reshape([batch, channels * depth, height, width]);
    let slices = pool(slices, Plane::square(window));
    let [_, _, height, width] = slices.dims();
    let pixels = slices.reshape([batch, channels, depth, height * width]);
    let pooled = pool(pixels, Plane::rows_only(window));
    let depth = pooled.dims()[2];
    pooled.reshape([batch, channels, depth, height, width])
}

/// `lp_pool1d`, `lp_pool2d`, `lp_pool3d`: the p-norm of each window.
pub struct LpPool<const N: usize>;

static LP_POOL: [Description; 3] = [
    lp_pool(1, "lp_pool1d", "torch.nn.LPPool1d of the absolute values"),
    lp_pool(2, "lp_pool2d", "torch.nn.LPPool2d of the absolute values"),
    lp_pool(3, "lp_pool3d", "torch.nn.LPPool3d of the absolute values"),
];

const LP_POOL_ARGUMENTS: &[Argument] = &[
    KERNEL,
    STRIDE,
    Argument::int("p", 16, 2, "the exponent of the norm"),
];

const fn lp_pool(rank: usize, name: &'static str, torch: &'static str) -> Description {
    Description {
        name,
        category: Category::Pooling,
        torch,
        summary: "the p-norm of each window, channel by channel: between the sum (1) and the largest (large p)",
        equation: "y = (sum over the window of |x|^p)^(1/p); 0 with a gradient of 0 where the sum is below 1e-36",
        source: "Gulcehre et al., Learned-norm pooling, 2014",
        accepts: grid_of(rank),
        arguments: LP_POOL_ARGUMENTS,
        ..Description::PLAIN
    }
}

impl<const N: usize> LayerKind for LpPool<N> {
    fn describe(&self) -> &'static Description {
        &LP_POOL[N - 1]
    }

    fn shape(&self, arguments: &Arguments, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let input = self.describe().accept(inputs[0])?;
        let grid = lp_window(arguments).slide(self.describe().name, &input.grid())?;
        Ok(Shape::over_grid(input.features().unwrap_or(1), &grid))
    }

    fn forward(
        &self,
        arguments: &Arguments,
        _context: &mut Forward<'_>,
        inputs: Vec<Activation>,
    ) -> Activation {
        let (window, p) = (lp_window(arguments), arguments.int(2));
        let values = window.kernel.pow(N as u32) as f64;
        let powers = map_activation!(one(inputs), x => x.abs().powi_scalar(p as i64));
        let means = average(powers, window, true);
        map_activation!(means, x => {
            let sum = x * values;
            // The root of zero has no slope, and near it one that no number holds.
            let nothing = sum.clone().lower_elem(1e-36);
            let root = sum.mask_fill(nothing.clone(), 1.0).powf_scalar(1.0 / p as f64);
            root.mask_fill(nothing, 0.0)
        })
    }
}

fn lp_window(arguments: &Arguments) -> Window {
    Window::new(arguments.int(0), arguments.int(1), 1, Value::Int(0))
}

fn pool_window(arguments: &Arguments) -> Window {
    Window::from_arguments(arguments, 0, 1)
}

fn pool_windows(arguments: &Arguments, input: Shape) -> Option<PoolWindows> {
    let plane = pool_window(arguments).plane(input)?;
    Some(PoolWindows {
        input: plane.input,
        output: plane.output,
        channels: input.features()?,
        kernel: plane.kernel,
        stride: plane.stride,
        before: plane.before,
        after: plane.after,
    })
}

fn pooled(
    description: &Description,
    arguments: &Arguments,
    input: Shape,
) -> Result<Shape, ShapeError> {
    let (layer, input) = (description.name, description.accept(input)?);
    let window = pool_window(arguments);
    // A window made of padding alone has no largest value, so PyTorch's limit holds here too.
    if matches!(arguments.values()[2], Value::Int(_)) && window.padding.0 > window.kernel / 2 {
        return Err(ShapeError(format!(
            "{layer}'s padding of {} is more than half its kernel of {}",
            window.padding.0, window.kernel
        )));
    }
    let grid = window.slide(layer, &input.grid())?;
    Ok(Shape::over_grid(input.features().unwrap_or(1), &grid))
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
