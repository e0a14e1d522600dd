//! Random changes to training examples, drawn from the trial's own stream.

use super::recipe::{Recipe, RecipeError};
use crate::layers::Shape;
use crate::random::Stream;

/// What a recipe does to each training example before a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Augmentation {
    grid: Grid,
    crop_padding: usize,
    flip: bool,
    cutout: usize,
}

/// An example as planes of rows; a signal has rows of one.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Grid {
    planes: usize,
    height: usize,
    width: usize,
}

impl Augmentation {
    /// What the recipe asks for; nothing if it leaves examples as they are.
    ///
    /// # Errors
    /// When the change makes no sense for examples of this shape.
    pub fn of(recipe: &Recipe, shape: Shape) -> Result<Option<Self>, RecipeError> {
        let refuse = |name, expected: &str| {
            Err(RecipeError::Invalid {
                name,
                expected: expected.to_owned(),
                value: format!("for examples of {shape} ({})", shape.kind()),
            })
        };
        let grid = match shape {
            Shape::Image {
                channels,
                height,
                width,
            } => Some(Grid {
                planes: channels,
                height,
                width,
            }),
            Shape::Signal { channels, length } => Some(Grid {
                planes: channels,
                height: 1,
                width: length,
            }),
            _ => None,
        };
        if recipe.mixup.is_some() && matches!(shape, Shape::Tokens { .. }) {
            return refuse("mixup", "for numbers");
        }
        let wanted = Self {
            grid: grid.unwrap_or(Grid {
                planes: 1,
                height: 1,
                width: shape.elements(),
            }),
            crop_padding: recipe.crop_padding.unwrap_or(0),
            flip: recipe.flip.unwrap_or(false),
            cutout: recipe.cutout.unwrap_or(0),
        };
        let is_image = matches!(shape, Shape::Image { .. });
        match (wanted.crop_padding > 0, wanted.flip, wanted.cutout > 0) {
            (false, false, false) => Ok(None),
            (_, true, _) if !is_image => refuse("flip", "for images"),
            (true, ..) if grid.is_none() => refuse("crop_padding", "for images and signals"),
            (_, _, true) if grid.is_none() => refuse("cutout", "for images and signals"),
            _ => Ok(Some(wanted)),
        }
    }

    /// Changes one example in place. What comes in from outside is 0, the mean of normalised inputs.
    pub fn apply(&self, example: &mut [f32], stream: &mut Stream) {
        if self.crop_padding > 0 {
            self.crop(example, stream);
        }
        if self.flip && stream.below(2) == 1 {
            for row in example.chunks_mut(self.grid.width) {
                row.reverse();
            }
        }
        if self.cutout > 0 {
            self.cut(example, stream);
        }
    }

    /// Shifts by up to the padding, each way.
    fn crop(&self, example: &mut [f32], stream: &mut Stream) {
        let Grid {
            height,
            width,
            planes,
        } = self.grid;
        let mut shift = || {
            let places = 2 * self.crop_padding as u64 + 1;
            stream.below(places) as isize - self.crop_padding as isize
        };
        let right = shift();
        let down = if height > 1 { shift() } else { 0 };
        let before = example.to_vec();
        for plane in 0..planes {
            for y in 0..height {
                for x in 0..width {
                    let from = (y.checked_add_signed(down), x.checked_add_signed(right));
                    example[(plane * height + y) * width + x] = match from {
                        (Some(v), Some(u)) if v < height && u < width => {
                            before[(plane * height + v) * width + u]
                        }
                        _ => 0.0,
                    };
                }
            }
        }
    }

    /// Blanks a square around a random place (DeVries and Taylor, 2017); a stretch of a signal.
    fn cut(&self, example: &mut [f32], stream: &mut Stream) {
        let Grid {
            height,
            width,
            planes,
        } = self.grid;
        let (y, x) = (stream.index(height), stream.index(width));
        let range = |centre: usize, size: usize| {
            let start = centre.saturating_sub(self.cutout / 2);
            let end = (centre + self.cutout - self.cutout / 2).min(size);
            start..end
        };
        for plane in 0..planes {
            for y in range(y, height) {
                let row = (plane * height + y) * width;
                let columns = range(x, width);
                example[row + columns.start..row + columns.end].fill(0.0);
            }
        }
    }
}

/// The share of the first of two examples in their mixture: a draw of Beta(`alpha`, `alpha`), as
/// mixup has it (Zhang and others, 2018).
pub(super) fn mixing_share(alpha: f64, stream: &mut Stream) -> f64 {
    let (one, other) = (gamma(alpha, stream), gamma(alpha, stream));
    let sum = one + other;
    if sum > 0.0 { one / sum } else { 1.0 }
}

/// A draw of the gamma distribution (Marsaglia and Tsang, 2000).
fn gamma(shape: f64, stream: &mut Stream) -> f64 {
    if shape < 1.0 {
        let boost = libm::pow(1.0 - stream.unit(), 1.0 / shape);
        return gamma(shape + 1.0, stream) * boost;
    }
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / libm::sqrt(9.0 * d);
    loop {
        let x = stream.normal();
        let root = 1.0 + c * x;
        if root <= 0.0 {
            continue;
        }
        let v = root * root * root;
        let u = 1.0 - stream.unit();
        if libm::log(u) < 0.5 * x * x + d - d * v + d * libm::log(v) {
            return d * v;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Seed};

    const IMAGE: Shape = Shape::Image {
        channels: 2,
        height: 4,
        width: 3,
    };

    fn stream(seed: u64) -> Stream {
        Seed(seed).stream(0, Purpose::Augment)
    }

    fn changed(recipe: &Recipe, seed: u64) -> Vec<f32> {
        let mut example: Vec<f32> = (1..=24).map(|value| value as f32).collect();
        let augmentation = Augmentation::of(recipe, IMAGE).unwrap().unwrap();
        augmentation.apply(&mut example, &mut stream(seed));
        example
    }

    #[test]
    fn a_flip_reverses_every_row_or_none() {
        let recipe = Recipe {
            flip: Some(true),
            ..Recipe::default()
        };
        let seen: Vec<f32> = (0..20).map(|seed| changed(&recipe, seed)[0]).collect();
        assert!(seen.contains(&1.0) && seen.contains(&3.0));
        let mut flipped = (0..20).map(|seed| changed(&recipe, seed));
        let flipped = flipped.find(|example| example[0] == 3.0).unwrap();
        assert_eq!(flipped[..6], [3.0, 2.0, 1.0, 6.0, 5.0, 4.0]);
        assert_eq!(flipped[21..], [24.0, 23.0, 22.0]);
    }

    #[test]
    fn a_crop_shifts_all_planes_alike_and_fills_with_zeros() {
        let recipe = Recipe {
            crop_padding: Some(1),
            ..Recipe::default()
        };
        let mut shifts = std::collections::BTreeSet::new();
        for seed in 0..60 {
            let example = changed(&recipe, seed);
            let middle = example[4];
            shifts.insert(middle as i64);
            assert_eq!(example[4 + 12], middle + 12.0);
        }
        assert_eq!(shifts.len(), 9);
    }

    #[test]
    fn a_cutout_blanks_a_square_in_every_plane() {
        let recipe = Recipe {
            cutout: Some(2),
            ..Recipe::default()
        };
        for seed in 0..20 {
            let example = changed(&recipe, seed);
            let blank = |plane: &[f32]| plane.iter().filter(|&&value| value == 0.0).count();
            let count = blank(&example[..12]);
            assert!((1..=4).contains(&count));
            assert_eq!(blank(&example[12..]), count);
        }
    }

    #[test]
    fn the_same_stream_gives_the_same_change() {
        let recipe = Recipe {
            crop_padding: Some(2),
            flip: Some(true),
            cutout: Some(1),
            ..Recipe::default()
        };
        assert_eq!(changed(&recipe, 3), changed(&recipe, 3));
        assert_ne!(changed(&recipe, 3), changed(&recipe, 4));
    }

    #[test]
    fn shares_of_mixtures_have_the_mean_and_spread_of_beta() {
        for alpha in [0.2, 1.0, 4.0] {
            let mut stream = stream(1);
            let draws: Vec<f64> = (0..20_000)
                .map(|_| mixing_share(alpha, &mut stream))
                .collect();
            let mean = draws.iter().sum::<f64>() / 2e4;
            let variance = draws.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / 2e4;
            let wanted = 1.0 / (4.0 * (2.0 * alpha + 1.0));
            assert!((mean - 0.5).abs() < 0.01, "{alpha}: {mean}");
            assert!(
                (variance - wanted).abs() < 0.005,
                "{alpha}: {variance} {wanted}"
            );
        }
    }

    #[test]
    fn a_change_that_makes_no_sense_for_the_examples_is_refused() {
        let flip = Recipe {
            flip: Some(true),
            ..Recipe::default()
        };
        let error = Augmentation::of(&flip, Shape::Vector { features: 4 }).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the recipe's `flip` is for images, not for examples of 4 (vector)"
        );
    }
}
