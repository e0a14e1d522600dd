//! Changes of form without arithmetic, and doing nothing.

use super::activation_functions::not_tokens;
use super::forward::{Activation, map_activation};
use super::window::MAX_WINDOW;
use super::{
    Argument, Arguments, Arity, Category, Description, Forward, LayerKind, Shape, ShapeError,
};

/// `identity`: the input itself.
pub struct Identity;

static IDENTITY: Description = Description {
    name: "identity",
    category: Category::Shape,
    torch: "torch.nn.Identity",
    summary: "the input itself",
    equation: "y = x",
    source: "",
    arity: Arity::One,
    arguments: &[],
};

impl LayerKind for Identity {
    fn describe(&self) -> &'static Description {
        &IDENTITY
    }

    fn shape(&self, _: &Arguments, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        Ok(inputs[0])
    }

    fn forward(
        &self,
        _arguments: &Arguments,
        _context: &mut Forward<'_>,
        inputs: Vec<Activation>,
    ) -> Activation {
        inputs.into_iter().next().expect("one input")
    }
}

/// `flatten`: all values in one row.
pub struct Flatten;

static FLATTEN: Description = Description {
    name: "flatten",
    category: Category::Shape,
    torch: "torch.nn.Flatten",
    summary: "all values of an example in one vector, in memory order",
    equation: "y[(c h + i) w + j] = x[c, i, j]",
    source: "",
    arity: Arity::One,
    arguments: &[],
};

impl LayerKind for Flatten {
    fn describe(&self) -> &'static Description {
        &FLATTEN
    }

    fn shape(&self, _: &Arguments, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let features = not_tokens("flatten", inputs[0])?.elements();
        Ok(Shape::Vector { features })
    }

    fn forward(
        &self,
        _arguments: &Arguments,
        _context: &mut Forward<'_>,
        inputs: Vec<Activation>,
    ) -> Activation {
        Activation::Vector(match inputs.into_iter().next().expect("one input") {
            Activation::Vector(x) => x,
            Activation::Signal(x) | Activation::Sequence(x) => x.flatten(1, 2),
            Activation::Image(x) => x.flatten(1, 3),
            Activation::Tokens(_) => unreachable!("the shape rule refuses tokens"),
        })
    }
}

/// `zero`: nothing passes.
pub struct Zero;

static ZERO: Description = Description {
    name: "zero",
    category: Category::Shape,
    torch: "torch.zeros_like; with a stride of x[:, :, ::stride, ::stride]",
    summary: "all zeros in the input's shape: a missing edge of a cell",
    equation: "y = 0",
    source: "Dong and Yang, NAS-Bench-201, 2020",
    arity: Arity::One,
    arguments: &[Argument::int(
        "stride",
        MAX_WINDOW,
        1,
        "how many times smaller an image's height and width become, rounded up",
    )],
};

impl LayerKind for Zero {
    fn describe(&self) -> &'static Description {
        &ZERO
    }

    fn shape(&self, arguments: &Arguments, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        match (arguments.int(0), inputs[0]) {
            (1, input) => not_tokens("zero", input),
            (
                stride,
                Shape::Image {
                    channels,
                    height,
                    width,
                },
            ) => Ok(Shape::Image {
                channels,
                height: height.div_ceil(stride),
                width: width.div_ceil(stride),
            }),
            (_, other) => Err(ShapeError::expected(
                "zero with a stride",
                "an image",
                other,
            )),
        }
    }

    fn forward(
        &self,
        arguments: &Arguments,
        _context: &mut Forward<'_>,
        inputs: Vec<Activation>,
    ) -> Activation {
        let stride = arguments.int(0);
        match inputs.into_iter().next().expect("one input") {
            Activation::Image(x) => {
                let [batch, channels, height, width] = x.dims();
                let dims = [
                    batch,
                    channels,
                    height.div_ceil(stride),
                    width.div_ceil(stride),
                ];
                Activation::Image(burn::tensor::Tensor::zeros(dims, &x.device()))
            }
            // A product with zero would keep NaN alive; zeros don't.
            other => map_activation!(other, x => x.zeros_like()),
        }
    }
}
