//! Blocks of three convolutions with one name, as the residual networks of the literature stack them.
//! The short cut around them is the language's: `residual { bottleneck(64) }`.

use super::convolution::{OUT, channels, convolve, filters, grid_of};
use super::forward::{Activation, one};
use super::normalisation::{affine, batch_norm, running_statistics};
use super::window::{MAX_WINDOW, Window};
use super::{
    Argument, Arguments, Buffer, Category, Description, Forward, LayerKind, Mode, ParameterSpec,
    Shape, ShapeError, Value,
};
use burn::tensor::{Tensor, activation};

const KERNEL: Argument = Argument::int(
    "kernel",
    MAX_WINDOW,
    3,
    "rows and columns of the middle convolution",
);
const STRIDE: Argument = Argument::int(
    "stride",
    MAX_WINDOW,
    1,
    "distance between windows of the middle convolution",
);
const MOMENTUM: f64 = 0.1;
const EPS: f64 = 1e-5;

/// A convolution without bias, its batch normalisation, and what follows.
struct Stage {
    weight: &'static str,
    norm: [&'static str; 2],
    running: [&'static str; 2],
    inputs: usize,
    out: usize,
    window: Window,
    groups: usize,
    activation: fn(Tensor<4>) -> Tensor<4>,
}

const CONV1: ([&str; 3], [&str; 2]) = (
    ["conv1.weight", "bn1.weight", "bn1.bias"],
    ["bn1.running_mean", "bn1.running_var"],
);
const CONV2: ([&str; 3], [&str; 2]) = (
    ["conv2.weight", "bn2.weight", "bn2.bias"],
    ["bn2.running_mean", "bn2.running_var"],
);
const CONV3: ([&str; 3], [&str; 2]) = (
    ["conv3.weight", "bn3.weight", "bn3.bias"],
    ["bn3.running_mean", "bn3.running_var"],
);

impl Stage {
    fn pointwise(
        names: ([&'static str; 3], [&'static str; 2]),
        inputs: usize,
        out: usize,
        activation: fn(Tensor<4>) -> Tensor<4>,
    ) -> Self {
        let ([weight, scale, shift], running) = names;
        Self {
            weight,
            norm: [scale, shift],
            running,
            inputs,
            out,
            window: Window::new(1, 1, 1, Value::Int(0)),
            groups: 1,
            activation,
        }
    }

    /// The middle convolution: `kernel` and `stride` are the arguments at 1 and 2.
    fn middle(self, arguments: &Arguments, groups: usize) -> Self {
        let (kernel, stride) = (arguments.int(1), arguments.int(2));
        Self {
            window: Window::new(kernel, stride, 1, Value::Name("same")),
            groups,
            ..self
        }
    }

    fn filter_values(&self) -> usize {
        self.inputs / self.groups * self.window.kernel * self.window.kernel
    }

    fn parameters(&self) -> Vec<ParameterSpec> {
        let kernel = self.window.kernel;
        let shape = [self.out, self.inputs / self.groups, kernel, kernel];
        let mut specs = filters([self.weight, ""], shape, false);
        specs.extend(affine(self.norm, [self.out]));
        specs
    }
}

fn all_parameters(stages: &[Stage]) -> Vec<ParameterSpec> {
    stages.iter().flat_map(Stage::parameters).collect()
}

fn all_buffers(stages: &[Stage]) -> Vec<Buffer> {
    let buffers = |stage: &Stage| running_statistics(stage.running, stage.out);
    stages.iter().flat_map(buffers).collect()
}

fn all_macs(stages: &[Stage], input: Shape) -> u64 {
    let (mut grid, mut macs) = (input.grid(), 0);
    for stage in stages {
        let slid = stage.window.slide("", &grid);
        grid = slid.expect("a padded window fits everywhere");
        let pixels = grid.iter().product::<usize>() as u64;
        macs += pixels * (stage.out * stage.filter_values()) as u64;
    }
    macs
}

/// `same` padding keeps every size that no stride divides.
fn shape_after(stages: &[Stage], layer: &str, input: Shape) -> Result<Shape, ShapeError> {
    let mut shape = input;
    for stage in stages {
        let grid = stage.window.slide(layer, &shape.grid())?;
        shape = Shape::over_grid(stage.out, &grid);
    }
    Ok(shape)
}

fn run(stages: &[Stage], context: &mut Forward<'_>, input: Activation) -> Activation {
    let mut x = input;
    for (index, stage) in stages.iter().enumerate() {
        let [weight, scale, shift] = &context.parameters[3 * index..3 * index + 3] else {
            unreachable!("each stage has three parameters")
        };
        let training = matches!(context.mode, Mode::Training(_));
        let y = convolve(x, weight, None, stage.window, stage.groups).image();
        let affine = [scale.vector(), shift.vector()];
        let buffers = &mut context.buffers[2 * index..2 * index + 2];
        let y = batch_norm(y, affine, buffers, training, (MOMENTUM, EPS));
        x = Activation::Image((stage.activation)(y));
    }
    x
}

/// `bottleneck`: narrow, look around, widen.
pub struct Bottleneck;

static BOTTLENECK: Description = Description {
    name: "bottleneck",
    category: Category::Convolution,
    torch: "torchvision.models.resnet.Bottleneck without its short cut and last ReLU",
    summary: "channels narrowed pixel by pixel, a convolution among the few, channels widened again, each \
              with batch normalisation and a ReLU between",
    equation: "y = bn(conv1x1(relu(bn(conv(relu(bn(conv1x1(x)))))))), out / reduction channels inside",
    source: "He et al., Deep residual learning, 2016",
    accepts: grid_of(2),
    arguments: &[
        OUT,
        KERNEL,
        STRIDE,
        Argument::int(
            "reduction",
            1 << 16,
            4,
            "how many times narrower the inside is than the output",
        ),
    ],
    ..Description::PLAIN
};

impl Bottleneck {
    fn stages(arguments: &Arguments, channels: usize) -> Vec<Stage> {
        let out = arguments.int(0);
        let inside = (out / arguments.int(3)).max(1);
        let relu = activation::relu::<4>;
        vec![
            Stage::pointwise(CONV1, channels, inside, relu),
            Stage::pointwise(CONV2, inside, inside, relu).middle(arguments, 1),
            Stage::pointwise(CONV3, inside, out, |x| x),
        ]
    }
}

/// `inverted_bottleneck`: widen, look around channel by channel, narrow.
pub struct InvertedBottleneck;

static INVERTED_BOTTLENECK: Description = Description {
    name: "inverted_bottleneck",
    category: Category::Convolution,
    torch: "torchvision.models.mobilenetv2.InvertedResidual without its short cut",
    summary: "channels widened pixel by pixel, a filter for each of the many, channels narrowed again, each \
              with batch normalisation and a ReLU6 between",
    equation: "y = bn(conv1x1(relu6(bn(depthwise(relu6(bn(conv1x1(x)))))))), expand * in channels inside; \
               expand 1 leaves out the first convolution",
    source: "Sandler et al., MobileNetV2, 2018",
    accepts: grid_of(2),
    arguments: &[
        OUT,
        KERNEL,
        STRIDE,
        Argument::int(
            "expand",
            64,
            6,
            "how many times wider the inside is than the input",
        ),
    ],
    ..Description::PLAIN
};

impl InvertedBottleneck {
    fn stages(arguments: &Arguments, channels: usize) -> Vec<Stage> {
        let (out, expand) = (arguments.int(0), arguments.int(3));
        let inside = channels * expand;
        let relu6 = activation::relu6::<4>;
        let mut stages = vec![
            Stage::pointwise(CONV1, channels, inside, relu6),
            Stage::pointwise(CONV2, inside, inside, relu6).middle(arguments, inside),
            Stage::pointwise(CONV3, inside, out, |x| x),
        ];
        if expand == 1 {
            stages.remove(0);
        }
        stages
    }
}

/// A kind whose stages say everything.
macro_rules! staged {
    ($kind:ident, $description:ident) => {
        impl LayerKind for $kind {
            fn describe(&self) -> &'static Description {
                &$description
            }

            fn shape(&self, arguments: &Arguments, inputs: &[Shape]) -> Result<Shape, ShapeError> {
                let input = self.describe().accept(inputs[0])?;
                let stages = Self::stages(arguments, channels(inputs));
                shape_after(&stages, self.describe().name, input)
            }

            fn parameters(&self, arguments: &Arguments, inputs: &[Shape]) -> Vec<ParameterSpec> {
                all_parameters(&Self::stages(arguments, channels(inputs)))
            }

            fn buffers(&self, arguments: &Arguments, inputs: &[Shape]) -> Vec<Buffer> {
                all_buffers(&Self::stages(arguments, channels(inputs)))
            }

            fn macs(&self, arguments: &Arguments, inputs: &[Shape], _output: Shape) -> u64 {
                all_macs(&Self::stages(arguments, channels(inputs)), inputs[0])
            }

            fn forward(
                &self,
                arguments: &Arguments,
                context: &mut Forward<'_>,
                inputs: Vec<Activation>,
            ) -> Activation {
                let x = one(inputs);
                let stages = Self::stages(arguments, x.dims()[1]);
                run(&stages, context, x)
            }
        }
    };
}

staged!(Bottleneck, BOTTLENECK);
staged!(InvertedBottleneck, INVERTED_BOTTLENECK);
