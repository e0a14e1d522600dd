//! The geometry of windows that slide over images: convolutions and pools share it.

use super::{ArgType, Arguments, Shape, ShapeError, Value};

/// Largest kernel, stride or dilation.
pub(super) const MAX_WINDOW: i64 = 255;

/// What a padding argument accepts.
pub(super) const PADDING: ArgType = ArgType::NameOrInt {
    names: &["same", "valid"],
    max: MAX_WINDOW,
};

/// A square window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    /// Rows and columns of the window.
    pub kernel: usize,
    /// Distance between windows.
    pub stride: usize,
    /// Distance between the window's elements.
    pub dilation: usize,
    /// Rows (columns) added before and after.
    pub padding: (usize, usize),
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

    /// The padding of rows and of columns.
    pub(super) fn pairs(self) -> [(usize, usize); 2] {
        [self.padding; 2]
    }

    /// Output height and width, or why no window fits.
    pub(super) fn slide(
        self,
        layer: &str,
        height: usize,
        width: usize,
    ) -> Result<(usize, usize), ShapeError> {
        match (self.positions(height), self.positions(width)) {
            (Some(height), Some(width)) => Ok((height, width)),
            _ => Err(self.too_large(layer, height, width)),
        }
    }

    fn positions(self, size: usize) -> Option<usize> {
        let padded = size + self.padding.0 + self.padding.1;
        Some(padded.checked_sub(self.extent())? / self.stride + 1)
    }

    fn extent(self) -> usize {
        self.dilation * (self.kernel - 1) + 1
    }

    fn too_large(self, layer: &str, height: usize, width: usize) -> ShapeError {
        let extent = self.extent();
        ShapeError(format!(
            "{layer}'s window of {extent}x{extent} is larger than the padded input of {}x{}; use a \
             smaller kernel or `padding: same`",
            height + self.padding.0 + self.padding.1,
            width + self.padding.0 + self.padding.1,
        ))
    }
}

/// The sizes of an image, or the error that it is none.
pub(super) fn image_sizes(layer: &str, input: Shape) -> Result<(usize, usize, usize), ShapeError> {
    match input {
        Shape::Image {
            channels,
            height,
            width,
        } => Ok((channels, height, width)),
        other => Err(ShapeError::expected(layer, "an image", other)),
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
