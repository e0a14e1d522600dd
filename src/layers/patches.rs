//! Images cut into patches, and channels traded for pixels.

use super::convolution::{BIAS, OUT, channels, convolve, filters};
use super::description::GRIDS;
use super::forward::{Activation, one};
use super::window::{MAX_WINDOW, Window};
use super::{
    ArgType, Argument, Arguments, Category, Description, Forward, LayerKind, ParameterSpec, Shape,
    ShapeError, Value,
};

/// `patch_embedding`: an image (or signal, or volume) as a sequence of embedded patches.
pub struct PatchEmbedding;

static PATCH_EMBEDDING: Description = Description {
    name: "patch_embedding",
    category: Category::Convolution,
    torch: "torch.nn.Conv2d(c, out, patch, stride=patch) then flatten(2).transpose(1, 2)",
    summary: "cut into patches that don't overlap, each mapped linearly to one position of a sequence",
    equation: "y[i] = b + W vec(patch i of x), patches in reading order",
    source: "Dosovitskiy et al., An image is worth 16x16 words, 2021",
    accepts: GRIDS,
    arguments: &[
        Argument {
            doc: "features of each position",
            ..OUT
        },
        Argument::required(
            "patch",
            ArgType::Int {
                min: 1,
                max: MAX_WINDOW,
            },
            "size of a patch along each dimension, which must divide the input's",
        ),
        BIAS,
    ],
    ..Description::PLAIN
};

impl LayerKind for PatchEmbedding {
    fn describe(&self) -> &'static Description {
        &PATCH_EMBEDDING
    }

    fn shape(&self, arguments: &Arguments, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let input = self.describe().accept(inputs[0])?;
        let patch = arguments.int(1);
        if let Some(size) = input.grid().into_iter().find(|size| size % patch != 0) {
            return Err(ShapeError(format!(
                "patch_embedding's patch of {patch} does not divide the input's {size} ({input}); use a \
                 divisor of every size"
            )));
        }
        let length = input.grid().iter().map(|size| size / patch).product();
        Ok(Shape::Sequence {
            length,
            features: arguments.int(0),
        })
    }

    fn parameters(&self, arguments: &Arguments, inputs: &[Shape]) -> Vec<ParameterSpec> {
        let mut shape = vec![arguments.int(0), channels(inputs)];
        shape.extend(inputs[0].grid().iter().map(|_| arguments.int(1)));
        filters(["weight", "bias"], shape, arguments.bool(2))
    }

    fn macs(&self, arguments: &Arguments, inputs: &[Shape], _output: Shape) -> u64 {
        inputs[0].elements() as u64 * arguments.int(0) as u64
    }

    fn forward(
        &self,
        arguments: &Arguments,
        context: &mut Forward<'_>,
        inputs: Vec<Activation>,
    ) -> Activation {
        let bias = arguments.bool(2).then(|| context.parameters[1].vector());
        let window = Window::new(arguments.int(1), arguments.int(1), 1, Value::Int(0));
        let y = convolve(one(inputs), &context.parameters[0], bias, window, 1);
        Activation::Sequence(y.channels_first().swap_dims(1, 2))
    }
}

/// `channel_shuffle`: channels of different groups side by side.
pub struct ChannelShuffle;

static CHANNEL_SHUFFLE: Description = Description {
    name: "channel_shuffle",
    category: Category::Convolution,
    torch: "torch.nn.ChannelShuffle",
    summary: "the first channel of each group, then the second of each: what a grouped convolution needs next",
    equation: "y[i g + j] = x[j (c / g) + i], g groups",
    source: "Zhang et al., ShuffleNet, 2018",
    accepts: GRIDS,
    arguments: &[Argument::required(
        "groups",
        ArgType::Int {
            min: 1,
            max: 1 << 16,
        },
        "how many groups; the channels must be a multiple",
    )],
    ..Description::PLAIN
};

impl LayerKind for ChannelShuffle {
    fn describe(&self) -> &'static Description {
        &CHANNEL_SHUFFLE
    }

    fn shape(&self, arguments: &Arguments, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let input = self.describe().accept(inputs[0])?;
        let (groups, channels) = (arguments.int(0), channels(inputs));
        if channels % groups != 0 {
            return Err(ShapeError(format!(
                "channel_shuffle's {groups} groups don't divide {channels} channels evenly"
            )));
        }
        Ok(input)
    }

    fn forward(
        &self,
        arguments: &Arguments,
        _context: &mut Forward<'_>,
        inputs: Vec<Activation>,
    ) -> Activation {
        let groups = arguments.int(0);
        one(inputs).map_channels(|x| {
            let [batch, channels, positions] = x.dims();
            x.reshape([batch, groups, channels / groups, positions])
                .swap_dims(1, 2)
                .reshape([batch, channels, positions])
        })
    }
}

const SCALE: Argument = Argument::required(
    "scale",
    ArgType::Int { min: 1, max: 64 },
    "how many times rows and columns change",
);

/// `pixel_shuffle`: channels become pixels.
pub struct PixelShuffle;

static PIXEL_SHUFFLE: Description = Description {
    name: "pixel_shuffle",
    category: Category::Convolution,
    torch: "torch.nn.PixelShuffle",
    summary: "groups of channels laid out as squares of pixels: a larger image of fewer channels",
    equation: "y[c, s i + u, s j + v] = x[c s^2 + u s + v, i, j]",
    source: "Shi et al., Efficient sub-pixel convolution, 2016",
    accepts: &["image"],
    arguments: &[SCALE],
    ..Description::PLAIN
};

impl LayerKind for PixelShuffle {
    fn describe(&self) -> &'static Description {
        &PIXEL_SHUFFLE
    }

    fn shape(&self, arguments: &Arguments, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let input = self.describe().accept(inputs[0])?;
        let (scale, channels) = (arguments.int(0), channels(inputs));
        if channels % (scale * scale) != 0 {
            return Err(ShapeError(format!(
                "pixel_shuffle({scale}) takes channels in multiples of {}, not {channels}",
                scale * scale
            )));
        }
        let grid: Vec<usize> = input.grid().iter().map(|size| size * scale).collect();
        Ok(Shape::over_grid(channels / (scale * scale), &grid))
    }

    fn forward(
        &self,
        arguments: &Arguments,
        _context: &mut Forward<'_>,
        inputs: Vec<Activation>,
    ) -> Activation {
        let (scale, x) = (arguments.int(0), one(inputs).image());
        let [batch, channels, height, width] = x.dims();
        let left = channels / (scale * scale);
        let y = x
            .reshape([batch, left, scale, scale, height, width])
            .permute([0, 1, 4, 2, 5, 3]);
        Activation::Image(y.reshape([batch, left, height * scale, width * scale]))
    }
}

/// `pixel_unshuffle`: pixels become channels.
pub struct PixelUnshuffle;

static PIXEL_UNSHUFFLE: Description = Description {
    name: "pixel_unshuffle",
    category: Category::Convolution,
    torch: "torch.nn.PixelUnshuffle",
    summary: "squares of pixels laid out as channels: a smaller image of more channels; also called space to depth",
    equation: "y[c s^2 + u s + v, i, j] = x[c, s i + u, s j + v]",
    source: "Shi et al., Efficient sub-pixel convolution, 2016",
    accepts: &["image"],
    arguments: &[SCALE],
    ..Description::PLAIN
};

impl LayerKind for PixelUnshuffle {
    fn describe(&self) -> &'static Description {
        &PIXEL_UNSHUFFLE
    }

    fn shape(&self, arguments: &Arguments, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let input = self.describe().accept(inputs[0])?;
        let scale = arguments.int(0);
        if let Some(size) = input.grid().into_iter().find(|size| size % scale != 0) {
            return Err(ShapeError(format!(
                "pixel_unshuffle({scale}) takes heights and widths in multiples of {scale}, not {size}"
            )));
        }
        let grid: Vec<usize> = input.grid().iter().map(|size| size / scale).collect();
        Ok(Shape::over_grid(channels(inputs) * scale * scale, &grid))
    }

    fn forward(
        &self,
        arguments: &Arguments,
        _context: &mut Forward<'_>,
        inputs: Vec<Activation>,
    ) -> Activation {
        let (scale, x) = (arguments.int(0), one(inputs).image());
        let [batch, channels, height, width] = x.dims();
        let (rows, columns) = (height / scale, width / scale);
        let y = x
            .reshape([batch, channels, rows, scale, columns, scale])
            .permute([0, 1, 3, 5, 2, 4]);
        Activation::Image(y.reshape([batch, channels * scale * scale, rows, columns]))
    }
}
