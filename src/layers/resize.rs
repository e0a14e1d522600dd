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

/// A kind that maps each dimension by a constant matrix `[from, to]`.
macro_rules! upsample {
    ($kind:ident, $description:ident, $weight:ident) => {
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
                    (2..rank).fold(x, |x, dimension| {
                        let size = x.dims()[dimension];
                        let weight = |index: usize| {
                            $weight(index / (size * scale), index % (size * scale), size, scale)
                        };
                        let matrix = (0..size * size * scale).map(weight).collect();
                        along(x, dimension, matrix, size * scale)
                    })
                })
            }
        }
    };
}

upsample!(UpsampleNearest, UPSAMPLE_NEAREST, nearest);
upsample!(UpsampleBilinear, UPSAMPLE_BILINEAR, linear);

/// How much of value `from` value `to` has.
fn nearest(from: usize, to: usize, _size: usize, scale: usize) -> f64 {
    if to / scale == from { 1.0 } else { 0.0 }
}

fn linear(from: usize, to: usize, size: usize, scale: usize) -> f64 {
    let place = ((to as f64 + 0.5) / scale as f64 - 0.5).max(0.0);
    let low = (place as usize).min(size - 1);
    let high = (low + 1).min(size - 1);
    let share = place - low as f64;
    let part = |at: usize, share: f64| if at == from { share } else { 0.0 };
    part(low, 1.0 - share) + part(high, share)
}

/// The matrix `[size, to]` applied to one dimension. One product on the whole is fast for the sizes that
/// networks have, and its gradient is exact.
fn along<const D: usize>(x: Tensor<D>, dimension: usize, matrix: Vec<f64>, to: usize) -> Tensor<D> {
    let matrix = constant(matrix, [x.dims()[dimension], to], &x);
    let x = x.swap_dims(dimension, D - 1);
    let mut dims = x.dims();
    let rows = dims.iter().product::<usize>() / dims[D - 1];
    let y = x.reshape([rows, dims[D - 1]]).matmul(matrix);
    dims[D - 1] = to;
    y.reshape(dims).swap_dims(dimension, D - 1)
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
        match mode {
            Value::Name("reflect") if place > last => 2 * last - place,
            Value::Name("reflect") => place.abs(),
            Value::Name("circular") => place.rem_euclid(size as i64),
            _ => place.clamp(0, last),
        }
    };
    let places: Vec<i64> = (0..size + 2 * margin).map(inside).collect();
    let count = places.len();
    let places = Tensor::<1, Int>::from_data(TensorData::new(places, [count]), &x.device());
    x.select(dimension, places)
}
