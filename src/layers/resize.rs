//! Signals, images and volumes made larger.

use super::description::GRIDS;
use super::forward::{Activation, constant, map_activation, one};
use super::window::MAX_WINDOW;
use super::{
    ArgType, Argument, Arguments, Category, Description, Forward, LayerKind, Shape, ShapeError,
    Value,
};
use burn::tensor::{Int, Tensor, TensorData};

const SCALE: Argument = Argument::required(
    "scale",
    ArgType::Int { min: 1, max: 16 },
    "how many times larger each size becomes",
);

/// `upsample_nearest`: every value repeated.
pub struct UpsampleNearest;

static UPSAMPLE_NEAREST: Description = Description {
    name: "upsample_nearest",
    category: Category::Shape,
    torch: "torch.nn.Upsample(scale_factor=scale, mode=\"nearest\")",
    summary: "each value repeated along every dimension of a signal, image or volume",
    equation: "y[c, i] = x[c, floor(i / scale)], likewise for each dimension",
    accepts: GRIDS,
    arguments: &[SCALE],
    ..Description::PLAIN
};

/// `upsample_bilinear`: lines drawn between values.
pub struct UpsampleBilinear;

static UPSAMPLE_BILINEAR: Description = Description {
    name: "upsample_bilinear",
    category: Category::Shape,
    torch: "torch.nn.Upsample(scale_factor=scale, mode=\"bilinear\"), \"linear\" for signals, \"trilinear\" for volumes",
    summary: "straight lines between neighbouring values along every dimension of a signal, image or volume",
    equation: "y[c, i] = x[c, .] interpolated at (i + 1/2) / scale - 1/2, at least 0, likewise for each dimension",
    accepts: GRIDS,
    arguments: &[SCALE],
    ..Description::PLAIN
};

/// A kind that does the same along each dimension of the grid.
macro_rules! upsample {
    ($kind:ident, $description:ident, $along:ident) => {
        impl LayerKind for $kind {
            fn describe(&self) -> &'static Description {
                &$description
            }

            fn shape(&self, arguments: &Arguments, inputs: &[Shape]) -> Result<Shape, ShapeError> {
                let input = self.describe().accept(inputs[0])?;
                let scale = arguments.int(0);
                let grid: Vec<usize> = input.grid().iter().map(|size| size * scale).collect();
                Ok(Shape::over_grid(input.features().unwrap_or(1), &grid))
            }

            fn forward(
                &self,
                arguments: &Arguments,
                _context: &mut Forward<'_>,
                inputs: Vec<Activation>,
            ) -> Activation {
                let scale = arguments.int(0);
                map_activation!(one(inputs), x => {
                    let rank = x.dims().len();
                    (2..rank).fold(x, |x, dimension| $along(x, dimension, scale))
                })
            }
        }
    };
}

upsample!(UpsampleNearest, UPSAMPLE_NEAREST, repeated);
upsample!(UpsampleBilinear, UPSAMPLE_BILINEAR, interpolated);

/// Each value `scale` times along a dimension.
fn repeated<const D: usize>(x: Tensor<D>, dimension: usize, scale: usize) -> Tensor<D> {
    let x = x.swap_dims(dimension, D - 1);
    let mut dims = x.dims();
    let values = dims.iter().product::<usize>();
    dims[D - 1] *= scale;
    x.reshape([values, 1])
        .expand([values, scale])
        .reshape(dims)
        .swap_dims(dimension, D - 1)
}

/// Straight lines between the middles of neighbouring values, level beyond the outer ones.
fn interpolated<const D: usize>(x: Tensor<D>, dimension: usize, scale: usize) -> Tensor<D> {
    let size = x.dims()[dimension];
    let place = |to: usize| ((to as f64 + 0.5) / scale as f64 - 0.5).max(0.0);
    let low = |to: usize| (place(to) as usize).min(size - 1);
    let count = size * scale;
    let below = (0..count).map(low).collect();
    let above = (0..count).map(|to| (low(to) + 1).min(size - 1)).collect();
    let share = (0..count).map(|to| place(to) - low(to) as f64).collect();
    let mut along = [1; D];
    along[dimension] = count;
    let share = constant(share, [count], &x).reshape(along);
    let below = chosen(x.clone(), dimension, below);
    let above = chosen(x, dimension, above);
    below.clone() + (above - below) * share
}

/// The values at these places of a dimension.
fn chosen<const D: usize>(x: Tensor<D>, dimension: usize, places: Vec<usize>) -> Tensor<D> {
    let places: Vec<i64> = places.into_iter().map(|place| place as i64).collect();
    let count = places.len();
    let places = Tensor::<1, Int>::from_data(TensorData::new(places, [count]), &x.device());
    x.select(dimension, places)
}

/// `pad`: a margin around everything.
pub struct Pad;

static PAD: Description = Description {
    name: "pad",
    category: Category::Shape,
    torch: "torch.nn.ZeroPad2d, ReflectionPad2d, ReplicationPad2d, CircularPad2d and their kin of 1 and 3 dimensions",
    summary: "a margin around a signal, image or volume: of zeros, or of what lies inside",
    equation: "y[c, i] = x[c, i - margin] inside; outside 0, the mirror image, the edge, or the other end",
    accepts: GRIDS,
    arguments: &[
        Argument::required(
            "margin",
            ArgType::Int {
                min: 1,
                max: MAX_WINDOW,
            },
            "how much is added at each end of each dimension",
        ),
        Argument::with(
            "mode",
            ArgType::OneOf(&["zeros", "reflect", "replicate", "circular"]),
            Value::Name("zeros"),
            "what the margin is made of",
        ),
    ],
    ..Description::PLAIN
};

impl LayerKind for Pad {
    fn describe(&self) -> &'static Description {
        &PAD
    }

    fn shape(&self, arguments: &Arguments, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let input = self.describe().accept(inputs[0])?;
        let margin = arguments.int(0);
        let most = |size: usize| match arguments.values()[1] {
            Value::Name("reflect") => size - 1,
            Value::Name("circular") => size,
            _ => usize::MAX,
        };
        if let Some(size) = input.grid().into_iter().find(|&size| margin > most(size)) {
            return Err(ShapeError(format!(
                "pad's margin of {margin} is more than there is to copy of a size of {size} ({input}); make it \
                 smaller or use `mode: replicate`"
            )));
        }
        let grid: Vec<usize> = input.grid().iter().map(|size| size + 2 * margin).collect();
        Ok(Shape::over_grid(input.features().unwrap_or(1), &grid))
    }

    fn forward(
        &self,
        arguments: &Arguments,
        _context: &mut Forward<'_>,
        inputs: Vec<Activation>,
    ) -> Activation {
        let (margin, mode) = (arguments.int(0), arguments.values()[1]);
        map_activation!(one(inputs), x => {
            let rank = x.dims().len();
            (2..rank).fold(x, |x, dimension| padded(x, dimension, margin, mode))
        })
    }
}

fn padded<const D: usize>(x: Tensor<D>, dimension: usize, margin: usize, mode: Value) -> Tensor<D> {
    let (mut dims, size) = (x.dims(), x.dims()[dimension]);
    if mode == Value::Name("zeros") {
        dims[dimension] = margin;
        let zeros = Tensor::zeros(dims, (&x.device(), x.dtype()));
        return Tensor::cat(vec![zeros.clone(), x, zeros], dimension);
    }
    let inside = |place: usize| {
        let (last, place) = (size as i64 - 1, place as i64 - margin as i64);
        let place = match mode {
            Value::Name("reflect") if place > last => 2 * last - place,
            Value::Name("reflect") => place.abs(),
            Value::Name("circular") => place.rem_euclid(size as i64),
            _ => place.clamp(0, last),
        };
        place as usize
    };
    chosen(x, dimension, (0..size + 2 * margin).map(inside).collect())
}
