//! Changes of form without arithmetic, and doing nothing.

use super::description::GRIDS;
use super::embedding::sequence;
use super::forward::{Activation, map_activation, one};
use super::window::MAX_WINDOW;
use super::{
    ArgType, Argument, Arguments, Category, Description, Forward, LayerKind, Shape, ShapeError,
    Value,
};
use crate::kernels::{self, Operation, Same, Zeros};
use burn::tensor::Tensor;

/// `identity`: the input itself.
pub struct Identity;

static IDENTITY: Description = Description {
    name: "identity",
    category: Category::Shape,
    torch: "torch.nn.Identity",
    summary: "the input itself",
    equation: "y = x",
    accepts: &["vector", "signal", "sequence", "image", "volume", "tokens"],
    ..Description::PLAIN
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
        one(inputs)
    }

    fn operation(&self, _: &Arguments, _: &[Shape]) -> Option<Box<dyn Operation>> {
        Some(Box::new(Same))
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
    arguments: &[Argument::int(
        "stride",
        MAX_WINDOW,
        1,
        "how many times smaller the sizes of an image, signal or volume become, rounded up",
    )],
    ..Description::PLAIN
};

impl LayerKind for Zero {
    fn describe(&self) -> &'static Description {
        &ZERO
    }

    fn shape(&self, arguments: &Arguments, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let (stride, input) = (arguments.int(0), self.describe().accept(inputs[0])?);
        match input {
            _ if stride == 1 => Ok(input),
            Shape::Image { channels, .. }
            | Shape::Signal { channels, .. }
            | Shape::Volume { channels, .. } => {
                let strided = input
                    .grid()
                    .iter()
                    .map(|size| size.div_ceil(stride))
                    .collect();
                let grid: Vec<usize> = strided;
                Ok(Shape::over_grid(channels, &grid))
            }
            other => Err(ShapeError::expected(
                "zero with a stride",
                "an image, signal or volume",
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
        let (stride, input) = (arguments.int(0), one(inputs));
        // A product with zero would keep NaN alive; zeros don't.
        map_activation!(input, x => {
            let mut dims = x.dims();
            for size in dims.iter_mut().skip(2) {
                *size = size.div_ceil(stride);
            }
            Tensor::zeros(dims, (&x.device(), x.dtype()))
        })
    }

    fn operation(&self, _: &Arguments, _: &[Shape]) -> Option<Box<dyn Operation>> {
        Some(Box::new(Zeros))
    }
}

/// A change of layout: its description, its shape rule and what it does to a batch, given the shape of one
/// example of the output.
macro_rules! layout {
    ($(#[$doc:meta])* $kind:ident, $name:literal, $torch:literal, $summary:literal, $equation:literal,
     $accepts:expr, $arguments:expr, |$values:ident, $input:ident| $shape:expr,
     |$x:ident, $given:ident| $body:expr $(, |$incoming:ident| $operation:expr)?) => {
        $(#[$doc])*
        pub struct $kind;

        impl LayerKind for $kind {
            fn describe(&self) -> &'static Description {
                static DESCRIPTION: Description = Description {
                    name: $name,
                    category: Category::Shape,
                    torch: $torch,
                    summary: $summary,
                    equation: $equation,
                    accepts: $accepts,
                    arguments: $arguments,
                    ..Description::PLAIN
                };
                &DESCRIPTION
            }

            fn shape(&self, $values: &Arguments, inputs: &[Shape]) -> Result<Shape, ShapeError> {
                let _ = $values;
                let $input = self.describe().accept(inputs[0])?;
                $shape
            }

            fn forward(
                &self,
                $given: &Arguments,
                _context: &mut Forward<'_>,
                inputs: Vec<Activation>,
            ) -> Activation {
                let _ = $given;
                let $x = one(inputs);
                $body
            }

            $(
                fn operation(&self, _: &Arguments, inputs: &[Shape]) -> Option<Box<dyn Operation>> {
                    let $incoming = inputs[0];
                    $operation
                }
            )?
        }
    };
}

layout!(
    /// `flatten`: all values in one row.
    Flatten, "flatten", "torch.nn.Flatten",
    "all values of an example in one vector, in memory order",
    "y[(c h + i) w + j] = x[c, i, j]",
    super::description::NUMBERS, &[],
    |arguments, input| Ok(Shape::Vector { features: input.elements() }),
    |x, arguments| Activation::Vector(x.rows()),
    |input| Some(match input {
        Shape::Sequence { .. } => Box::new(Same),
        other => Box::new(kernels::Transpose {
            rows: other.positions(),
            columns: other.features()?,
        }),
    })
);

const UP_TO_65536: ArgType = ArgType::Int {
    min: 1,
    max: 1 << 16,
};

layout!(
    /// `reshape`: the same values as an image of given sizes.
    Reshape, "reshape", "torch.nn.Unflatten(1, (channels, height, width)) after torch.nn.Flatten",
    "the same values in memory order as an image of these sizes",
    "y[c, i, j] = x[(c h + i) w + j]",
    super::description::NUMBERS,
    &[
        Argument::required("channels", UP_TO_65536, "channels of the image"),
        Argument::required("height", UP_TO_65536, "rows of the image"),
        Argument::required("width", UP_TO_65536, "columns of the image"),
    ],
    |arguments, input| reshaped(arguments, input),
    |x, arguments| {
        let (channels, height, width) = (arguments.int(0), arguments.int(1), arguments.int(2));
        Activation::from_rows(x.rows(), Shape::Image { channels, height, width })
    }
);

fn reshaped(arguments: &Arguments, input: Shape) -> Result<Shape, ShapeError> {
    let (channels, height, width) = (arguments.int(0), arguments.int(1), arguments.int(2));
    let image = Shape::Image {
        channels,
        height,
        width,
    };
    if image.elements() == input.elements() {
        return Ok(image);
    }
    Err(ShapeError(format!(
        "reshape to {image} needs {} values, and {input} has {}; choose sizes whose product agrees",
        image.elements(),
        input.elements()
    )))
}

layout!(
    /// `to_sequence`: every position of a signal, image or volume as a place of a sequence.
    ToSequence, "to_sequence", "x.flatten(2).transpose(1, 2); x.unsqueeze(2) for vectors",
    "each position of a signal, image or volume, in reading order, as a place of a sequence with the channels as \
     its features; each value of a vector as a place with one feature",
    "y[i, c] = x[c, i]",
    &["vector", "signal", "image", "volume"], &[],
    |arguments, input| Ok(match input {
        Shape::Vector { features } => Shape::Sequence { length: features, features: 1 },
        grid => Shape::Sequence {
            length: grid.positions(),
            features: grid.features().unwrap_or(1),
        },
    }),
    |x, arguments| Activation::Sequence(match x {
        Activation::Vector(x) => x.unsqueeze_dim(2),
        grid => grid.channels_first().swap_dims(1, 2),
    }),
    |input| {
        let _ = input;
        Some(Box::new(Same))
    }
);

layout!(
    /// `to_signal`: a sequence's features, or an image's rows, along one dimension.
    ToSignal, "to_signal", "x.transpose(1, 2) for sequences, x.flatten(2) for images, x.unsqueeze(1) for vectors",
    "a sequence's features as channels of a signal; an image's or volume's positions in reading order; a vector as \
     one channel",
    "y[c, i] = x[i, c]",
    &["vector", "sequence", "image", "volume"], &[],
    |arguments, input| Ok(match input {
        Shape::Vector { features } => Shape::Signal { channels: 1, length: features },
        other => Shape::Signal {
            channels: other.features().unwrap_or(1),
            length: other.positions(),
        },
    }),
    |x, arguments| Activation::Signal(match x {
        Activation::Vector(x) => x.unsqueeze_dim(1),
        other => other.channels_first(),
    }),
    |input| {
        let _ = input;
        Some(Box::new(Same))
    }
);

layout!(
    /// `transpose`: the last two dimensions exchanged.
    Transpose, "transpose", "x.transpose(-2, -1)",
    "the last two dimensions exchanged: places and features of a sequence, channels and samples of a signal, rows \
     and columns of an image",
    "y[i, j] = x[j, i]",
    &["signal", "sequence", "image"], &[],
    |arguments, input| Ok(match input {
        Shape::Sequence { length, features } => Shape::Sequence {
            length: features,
            features: length,
        },
        Shape::Signal { channels, length } => Shape::Signal {
            channels: length,
            length: channels,
        },
        Shape::Image { channels, height, width } => Shape::Image {
            channels,
            height: width,
            width: height,
        },
        other => other,
    }),
    |x, arguments| match x {
        Activation::Sequence(x) => Activation::Sequence(x.swap_dims(1, 2)),
        Activation::Signal(x) => Activation::Signal(x.swap_dims(1, 2)),
        Activation::Image(x) => Activation::Image(x.swap_dims(2, 3)),
        other => unreachable!("the shape rule refuses {:?}", other.dims()),
    }
);

const ORDERS: &[&str] = &["cwh", "hcw", "hwc", "wch", "whc"];

layout!(
    /// `permute`: channels, rows and columns in another order.
    Permute, "permute", "torch.permute",
    "channels (c), rows (h) and columns (w) of an image in another order",
    "hwc: y[i, j, c] = x[c, i, j], and so on",
    &["image"],
    &[Argument::required(
        "order",
        ArgType::OneOf(ORDERS),
        "which dimension comes first, second and third",
    )],
    |arguments, input| {
        let sizes = input.dimensions();
        let [channels, height, width] = order(arguments).map(|dimension| sizes[dimension]);
        Ok(Shape::Image { channels, height, width })
    },
    |x, arguments| {
        let [a, b, c] = order(arguments);
        Activation::Image(x.image().permute([0, a + 1, b + 1, c + 1]))
    }
);

fn order(arguments: &Arguments) -> [usize; 3] {
    let Value::Name(word) = arguments.values()[0] else {
        unreachable!("`order` is a word by its type")
    };
    let place = |index: usize| "chw".find(word.as_bytes()[index] as char).unwrap_or(0);
    [place(0), place(1), place(2)]
}

layout!(
    /// `select_position`: one place of a sequence.
    SelectPosition, "select_position", "x[:, 0] or x[:, -1]",
    "what the sequence has at its first or last place: the class token, or the end of what was read",
    "y = x[0] or x[length - 1]",
    &["sequence"],
    &[Argument::with(
        "position",
        ArgType::OneOf(&["first", "last"]),
        Value::Name("first"),
        "which place",
    )],
    |arguments, input| {
        let (_, features) = sequence(input);
        Ok(Shape::Vector { features })
    },
    |x, arguments| {
        let x = x.sequence();
        let place = match arguments.values()[0] {
            Value::Name("last") => x.dims()[1] - 1,
            _ => 0,
        };
        Activation::Vector(x.narrow(1, place, 1).squeeze_dim(1))
    }
);

layout!(
    /// `flip`: back to front.
    Flip, "flip", "torch.flip",
    "a sequence from its end to its start, a signal's samples likewise, an image's columns from right to left",
    "y[i] = x[n - 1 - i]",
    &["signal", "sequence", "image"], &[],
    |arguments, input| Ok(input),
    |x, arguments| match x {
        Activation::Sequence(x) => Activation::Sequence(x.flip([1])),
        Activation::Signal(x) => Activation::Signal(x.flip([2])),
        Activation::Image(x) => Activation::Image(x.flip([3])),
        other => unreachable!("the shape rule refuses {:?}", other.dims()),
    }
);

const MARGIN: Argument = Argument::required(
    "margin",
    ArgType::Int {
        min: 1,
        max: MAX_WINDOW,
    },
    "how much is cut off at each end of each dimension",
);

layout!(
    /// `crop`: the middle.
    Crop, "crop", "x[..., margin:-margin]",
    "the middle: the same margin cut off at each end of each dimension of a signal, image or volume",
    "y[c, i] = x[c, i + margin]",
    GRIDS, &[MARGIN],
    |arguments, input| cropped(arguments.int(0), input),
    |x, arguments| {
        let margin = arguments.int(0);
        map_activation!(x, x => {
            let dims = x.dims();
            dims.iter().enumerate().skip(2).fold(x, |x, (dimension, size)| {
                x.narrow(dimension, margin, size - 2 * margin)
            })
        })
    }
);

fn cropped(margin: usize, input: Shape) -> Result<Shape, ShapeError> {
    let grid: Option<Vec<usize>> = input
        .grid()
        .iter()
        .map(|size| size.checked_sub(2 * margin).filter(|&rest| rest > 0))
        .collect();
    match grid {
        Some(grid) => Ok(Shape::over_grid(input.features().unwrap_or(1), &grid)),
        None => Err(ShapeError(format!(
            "crop's margin of {margin} at each end leaves nothing of {input}; use a smaller one"
        ))),
    }
}
