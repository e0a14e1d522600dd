//! The geometry of windows that slide over signals, images and volumes: convolutions and pools share it.

use super::{ArgType, Arguments, Shape, ShapeError, Value};

/// Largest kernel, stride or dilation.
pub(super) const MAX_WINDOW: i64 = 255;

/// What a padding argument accepts.
pub(super) const PADDING: ArgType = ArgType::NameOrInt {
    names: &["same", "valid"],
    max: MAX_WINDOW,
};

/// A window with the same size along every dimension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    /// Size along each dimension.
    pub kernel: usize,
    /// Distance between windows.
    pub stride: usize,
    /// Distance between the window's elements.
    pub dilation: usize,
    /// Rows (columns, samples) added before and after.
    pub padding: (usize, usize),
}

/// A window over rows and columns, and how many of each come in and out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Plane {
    pub input: [usize; 2],
    pub output: [usize; 2],
    pub kernel: [usize; 2],
    pub stride: [usize; 2],
    pub before: [usize; 2],
    pub after: [usize; 2],
}

impl Window {
    pub(super) fn new(kernel: usize, stride: usize, dilation: usize, padding: Value) -> Self {
        let padding = match padding {
            Value::Name("same") => halves(dilation * (kernel - 1)),
            Value::Int(each) => {
                let each = usize::try_from(each).expect("padding is not negative by its type");
                (each, each)
            }
            _ => (0, 0),
        };
        Self {
            kernel,
            stride,
            dilation,
            padding,
        }
    }

    /// A window from the arguments at `kernel`, `kernel + 1` (stride) and `kernel + 2` (padding).
    pub(super) fn from_arguments(arguments: &Arguments, kernel: usize, dilation: usize) -> Self {
        let padding = arguments.values()[kernel + 2];
        Self::new(
            arguments.int(kernel),
            arguments.int(kernel + 1),
            dilation,
            padding,
        )
    }

    /// The same window, padded before only, so that no output sees what comes after it.
    pub(super) fn causal(self) -> Self {
        Self {
            padding: (self.extent() - 1, 0),
            ..self
        }
    }

    /// The padding of each of `N` dimensions.
    pub(super) fn pairs<const N: usize>(self) -> [(usize, usize); N] {
        [self.padding; N]
    }

    /// How often the window fits along each dimension, or why it does not.
    pub(super) fn slide(self, layer: &str, sizes: &[usize]) -> Result<Vec<usize>, ShapeError> {
        let fitting: Option<Vec<usize>> = sizes.iter().map(|&size| self.positions(size)).collect();
        fitting.ok_or_else(|| self.too_large(layer, sizes))
    }

    fn positions(self, size: usize) -> Option<usize> {
        let padded = size + self.padding.0 + self.padding.1;
        Some(padded.checked_sub(self.extent())? / self.stride + 1)
    }

    /// The window over rows and columns; a signal has one row. `None` for other shapes.
    pub(super) fn plane(self, input: Shape) -> Option<Plane> {
        let over = |size: usize| Some((size, self.positions(size)?));
        let (before, after) = self.padding;
        Some(match input {
            Shape::Signal { length, .. } => {
                let (columns, out) = over(length)?;
                Plane {
                    input: [1, columns],
                    output: [1, out],
                    kernel: [1, self.kernel],
                    stride: [1, self.stride],
                    before: [0, before],
                    after: [0, after],
                }
            }
            Shape::Image { height, width, .. } => {
                let ((rows, rows_out), (columns, columns_out)) = (over(height)?, over(width)?);
                Plane {
                    input: [rows, columns],
                    output: [rows_out, columns_out],
                    kernel: [self.kernel; 2],
                    stride: [self.stride; 2],
                    before: [before; 2],
                    after: [after; 2],
                }
            }
            _ => return None,
        })
    }

    /// How much of a padded size lies behind the last window.
    pub(super) fn rest(self, size: usize) -> usize {
        let padded = size + self.padding.0 + self.padding.1;
        padded.saturating_sub(self.extent()) % self.stride
    }

    fn extent(self) -> usize {
        self.dilation * (self.kernel - 1) + 1
    }

    fn too_large(self, layer: &str, sizes: &[usize]) -> ShapeError {
        let by = |sizes: Vec<usize>| {
            let sizes: Vec<String> = sizes.iter().map(ToString::to_string).collect();
            sizes.join("x")
        };
        let window = by(vec![self.extent(); sizes.len()]);
        let padding = self.padding.0 + self.padding.1;
        let padded = by(sizes.iter().map(|size| size + padding).collect());
        ShapeError(format!(
            "{layer}'s window of {window} is larger than the padded input of {padded}; use a smaller \
             kernel or `padding: same`"
        ))
    }
}

fn halves(total: usize) -> (usize, usize) {
    (total / 2, total - total / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_padding_gives_the_input_divided_by_the_stride_rounded_up() {
        for (kernel, stride, dilation, size) in [
            (3, 1, 1, 8),
            (2, 1, 1, 7),
            (4, 2, 1, 9),
            (5, 3, 2, 10),
            (1, 2, 1, 5),
        ] {
            let window = Window::new(kernel, stride, dilation, Value::Name("same"));
            assert_eq!(window.positions(size), Some(size.div_ceil(stride)));
        }
    }

    #[test]
    fn even_kernels_are_padded_less_before_than_after() {
        assert_eq!(Window::new(4, 1, 1, Value::Name("same")).padding, (1, 2));
    }

    #[test]
    fn a_window_larger_than_the_input_has_no_position() {
        assert_eq!(
            Window::new(3, 1, 1, Value::Name("valid")).positions(2),
            None
        );
    }
}
