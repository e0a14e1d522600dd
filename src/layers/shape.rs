//! The shape of one example, without the batch dimension.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The shape of one example as it flows through a network. The batch dimension is not part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// A picture or feature map, laid out channels, height, width.
    Image {
        /// Feature maps.
        channels: usize,
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
    },
    /// A stack of pictures or a body in space, laid out channels, depth, height, width.
    Volume {
        /// Feature maps.
        channels: usize,
        /// Slices.
        depth: usize,
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
    },
    /// A one-dimensional signal, laid out channels, length.
    Signal {
        /// Feature maps.
        channels: usize,
        /// Samples.
        length: usize,
    },
    /// A sequence of feature vectors, laid out length, features.
    Sequence {
        /// Positions.
        length: usize,
        /// Values at each position.
        features: usize,
    },
    /// A sequence of token numbers below `vocabulary`.
    Tokens {
        /// Positions.
        length: usize,
        /// Number of different tokens.
        vocabulary: usize,
    },
    /// A plain vector.
    Vector {
        /// Values.
        features: usize,
    },
}

/// The largest size along a dimension, which is also the largest that an input can have.
const LARGEST_SIZE: usize = 1 << 24;

/// The most values in one example.
const MOST_VALUES: usize = 1 << 36;

impl Shape {
    /// The number of values in one example; the largest there is where it is larger.
    pub fn elements(self) -> usize {
        self.dimensions().into_iter().fold(1, usize::saturating_mul)
    }

    /// Whether every size and the number of values are such that costs can be computed with: far more than
    /// any memory holds.
    pub(super) fn is_sane(self) -> bool {
        let small = |&size: &usize| size <= LARGEST_SIZE;
        self.dimensions().iter().all(small) && self.elements() <= MOST_VALUES
    }

    /// The sizes in memory order, without the batch dimension.
    pub fn dimensions(self) -> Vec<usize> {
        match self {
            Self::Image {
                channels,
                height,
                width,
            } => vec![channels, height, width],
            Self::Volume {
                channels,
                depth,
                height,
                width,
            } => vec![channels, depth, height, width],
            Self::Signal { channels, length } => vec![channels, length],
            Self::Sequence { length, features } => vec![length, features],
            Self::Tokens { length, .. } => vec![length],
            Self::Vector { features } => vec![features],
        }
    }

    /// Channels of images, volumes and signals, features of sequences and vectors: what a weight mixes.
    pub fn features(self) -> Option<usize> {
        match self {
            Self::Image { channels, .. }
            | Self::Volume { channels, .. }
            | Self::Signal { channels, .. } => Some(channels),
            Self::Sequence { features, .. } | Self::Vector { features } => Some(features),
            Self::Tokens { .. } => None,
        }
    }

    /// The number of positions that share weights: pixels, samples, places of a sequence; 1 of a vector.
    pub fn positions(self) -> usize {
        match self {
            Self::Tokens { length, .. } => length,
            other => other.elements() / other.features().unwrap_or(1),
        }
    }

    /// The same shape with another number of channels or features; tokens stay as they are.
    #[must_use]
    pub fn with_features(self, number: usize) -> Self {
        let mut shape = self;
        match &mut shape {
            Self::Image { channels, .. }
            | Self::Volume { channels, .. }
            | Self::Signal { channels, .. } => *channels = number,
            Self::Sequence { features, .. } | Self::Vector { features } => *features = number,
            Self::Tokens { .. } => {}
        }
        shape
    }

    /// Sizes of the grid under the channels: the length of a signal, height and width of an image, depth,
    /// height and width of a volume.
    pub(super) fn grid(self) -> Vec<usize> {
        self.dimensions().split_off(1)
    }

    /// Channels over a grid of one, two or three dimensions: a signal, an image, a volume.
    pub(super) fn over_grid(channels: usize, grid: &[usize]) -> Self {
        match *grid {
            [length] => Self::Signal { channels, length },
            [height, width] => Self::Image {
                channels,
                height,
                width,
            },
            [depth, height, width] => Self::Volume {
                channels,
                depth,
                height,
                width,
            },
            _ => unreachable!("a grid has one to three dimensions"),
        }
    }

    /// As a space declares it: `vector(features: 11)`.
    pub fn declaration(self) -> String {
        let sizes: &[&str] = match self {
            Self::Image { .. } => &["channels", "height", "width"],
            Self::Volume { .. } => &["channels", "depth", "height", "width"],
            Self::Signal { .. } => &["channels", "length"],
            Self::Sequence { .. } => &["length", "features"],
            Self::Vector { .. } => &["features"],
            Self::Tokens { length, vocabulary } => {
                return format!("tokens(length: {length}, vocabulary: {vocabulary})");
            }
        };
        let pairs = sizes.iter().zip(self.dimensions());
        let named: Vec<String> = pairs
            .map(|(name, size)| format!("{name}: {size}"))
            .collect();
        format!("{}({})", self.kind(), named.join(", "))
    }

    /// The kind of shape in a word: `image`, `vector`, …
    pub fn kind(self) -> &'static str {
        match self {
            Self::Image { .. } => "image",
            Self::Volume { .. } => "volume",
            Self::Signal { .. } => "signal",
            Self::Sequence { .. } => "sequence",
            Self::Tokens { .. } => "tokens",
            Self::Vector { .. } => "vector",
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Image {
                channels,
                height,
                width,
            } => write!(f, "{channels}x{height}x{width}"),
            Self::Volume {
                channels,
                depth,
                height,
                width,
            } => write!(f, "{channels}x{depth}x{height}x{width}"),
            Self::Signal { channels, length } => write!(f, "{channels}x{length}"),
            Self::Sequence { length, features } => write!(f, "{length} of {features}"),
            Self::Tokens { length, vocabulary } => write!(f, "{length} tokens of {vocabulary}"),
            Self::Vector { features } => write!(f, "{features}"),
        }
    }
}

/// Why a layer does not accept a shape: a lower-case fragment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ShapeError(pub String);

impl ShapeError {
    /// "`layer` takes an image, not a vector".
    pub fn expected(layer: &str, wanted: &str, got: Shape) -> Self {
        Self(format!(
            "{layer} takes {wanted}, not {} ({got})",
            article(got.kind())
        ))
    }

    /// "`layer` needs all sizes to agree: 3x4 meets 3x5".
    pub fn disagree(layer: &str, what: &str, first: Shape, other: Shape) -> Self {
        Self(format!(
            "{layer} needs {what} to agree: {first} meets {other}"
        ))
    }
}

/// The noun with its article; tokens come in the plural.
pub(super) fn article(noun: &str) -> String {
    match noun {
        "tokens" => noun.to_owned(),
        _ if noun.starts_with(['a', 'e', 'i', 'o', 'u']) => format!("an {noun}"),
        _ => format!("a {noun}"),
    }
}
