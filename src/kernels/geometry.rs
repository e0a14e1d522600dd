//! Where the windows of a convolution lie, and those of its input gradient.

/// A convolution over rows and columns; a signal is an image of one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// Rows and columns that come in.
    pub input: [usize; 2],
    /// Rows and columns that come out.
    pub output: [usize; 2],
    /// Channels that come in.
    pub channels: usize,
    /// Channels that come out.
    pub filters: usize,
    /// Rows and columns of the kernel.
    pub kernel: [usize; 2],
    /// Distance between windows.
    pub stride: [usize; 2],
    /// Distance between a window's elements.
    pub dilation: [usize; 2],
    /// Zeros above and to the left.
    pub before: [usize; 2],
    /// Parts of the channels that don't see each other.
    pub groups: usize,
}

impl Geometry {
    /// Whether there are kernels for it: not for windows that are both strided and dilated.
    pub fn is_supported(&self) -> bool {
        (0..2).all(|axis| {
            self.stride[axis] == 1 || self.dilation[axis] == 1 || self.kernel[axis] == 1
        })
    }

    /// Channels that a group sees.
    pub fn channels_of_group(&self) -> usize {
        self.channels / self.groups
    }

    /// Channels that a group gives.
    pub fn filters_of_group(&self) -> usize {
        self.filters / self.groups
    }

    /// Elements of the kernel.
    pub fn taps(&self) -> usize {
        self.kernel[0] * self.kernel[1]
    }

    /// The windows of the forward pass.
    pub fn forward(&self) -> Reading {
        let axes = [0, 1].map(|axis| {
            let stride = self.stride[axis];
            let class = AxisClass {
                targets: (0..self.output[axis]).collect(),
                starts: (0..self.output[axis])
                    .map(|o| (o * stride) as isize - self.before[axis] as isize)
                    .collect(),
                taps: (0..self.kernel[axis]).collect(),
                step: self.dilation[axis],
            };
            vec![class]
        });
        Reading::new(axes, self.input, self.output, self.kernel[1])
    }

    /// The windows of the input gradient, which look at the gradient of the output.
    pub fn backward(&self) -> Reading {
        let axes = [0, 1].map(|axis| self.backward_axis(axis));
        Reading::new(axes, self.output, self.input, self.kernel[1])
    }

    /// Positions of the input along one axis by the remainder that decides which taps see them.
    fn backward_axis(&self, axis: usize) -> Vec<AxisClass> {
        let (kernel, stride) = (self.kernel[axis], self.stride[axis]);
        let dilation = if kernel == 1 { 1 } else { self.dilation[axis] };
        let shift = self.before[axis] as isize;
        let class = |remainder: usize| {
            let targets: Vec<usize> = (0..self.input[axis])
                .filter(|i| (i + self.before[axis]) % stride == remainder)
                .collect();
            // In the order in which the outputs ascend.
            let taps: Vec<usize> = (0..kernel)
                .rev()
                .filter(|t| stride == 1 || t % stride == remainder)
                .collect();
            let largest = taps.first().copied().unwrap_or(0) as isize;
            let start = |&i: &usize| {
                (i as isize + shift - largest * dilation as isize).div_euclid(stride as isize)
            };
            AxisClass {
                starts: targets.iter().map(start).collect(),
                targets,
                taps,
                step: dilation,
            }
        };
        (0..stride)
            .map(class)
            .filter(|class| !class.targets.is_empty())
            .collect()
    }
}

/// Positions along one axis that are seen by the same taps.
#[derive(Clone, Debug)]
struct AxisClass {
    /// What is written.
    targets: Vec<usize>,
    /// The first position that is read for each.
    starts: Vec<isize>,
    /// The kernel's elements, in the order of reading.
    taps: Vec<usize>,
    /// Distance between two that are read.
    step: usize,
}

/// Which windows read what, over a source with zeros around it.
#[derive(Clone, Debug)]
pub struct Reading {
    /// Rows and columns of the source.
    pub size: [usize; 2],
    /// Rows and columns with the zeros.
    pub padded: [usize; 2],
    /// Zeros above and to the left.
    pub before: [usize; 2],
    /// Windows by the taps that they see.
    pub classes: Vec<Class>,
    /// Pixels that are written.
    pub targets: usize,
}

/// Windows that see the same taps; offsets are in pixels of the padded source.
#[derive(Clone, Debug)]
pub struct Class {
    /// Where windows begin.
    pub starts: Vec<usize>,
    /// Which pixels they write.
    pub targets: Vec<usize>,
    /// Runs of neighbouring pixels: where each begins, and its taps.
    pub segments: Vec<(usize, Vec<usize>)>,
}

impl Reading {
    fn new(
        axes: [Vec<AxisClass>; 2],
        size: [usize; 2],
        targets: [usize; 2],
        kernel_width: usize,
    ) -> Self {
        let bounds = [0, 1].map(|axis| bounds(&axes[axis], size[axis]));
        let before = bounds.map(|(before, _)| before);
        let padded = [0, 1].map(|axis| size[axis] + before[axis] + bounds[axis].1);
        let mut classes = Vec::new();
        for rows in &axes[0] {
            for columns in &axes[1] {
                classes.push(Class::new(
                    [rows, columns],
                    before,
                    padded[1],
                    targets[1],
                    kernel_width,
                ));
            }
        }
        Self {
            size,
            padded,
            before,
            classes,
            targets: targets[0] * targets[1],
        }
    }

    /// Whether the source needs no zeros around it.
    pub fn is_bare(&self) -> bool {
        self.padded == self.size
    }

    /// Pixels of one padded image.
    pub fn pixels(&self) -> usize {
        self.padded[0] * self.padded[1]
    }

    /// Copies `channels` channels from `first` on out of images of `all` channels, each with zeros around it.
    /// `to` has zeros where the source has nothing.
    pub fn pad(&self, images: &[f32], all: usize, first: usize, channels: usize, to: &mut [f32]) {
        let [height, width] = self.size;
        let padded = self.pixels() * channels;
        for (image, to) in images
            .chunks_exact(height * width * all)
            .zip(to.chunks_exact_mut(padded))
        {
            for (row, from) in image.chunks_exact(width * all).enumerate() {
                let place = ((row + self.before[0]) * self.padded[1] + self.before[1]) * channels;
                let to = &mut to[place..place + width * channels];
                if all == channels {
                    to.copy_from_slice(from);
                    continue;
                }
                for (to, from) in to.chunks_exact_mut(channels).zip(from.chunks_exact(all)) {
                    to.copy_from_slice(&from[first..first + channels]);
                }
            }
        }
    }
}

/// How many zeros are read before and after a source of this size.
fn bounds(classes: &[AxisClass], size: usize) -> (usize, usize) {
    let read = classes
        .iter()
        .filter(|class| !class.taps.is_empty())
        .flat_map(|class| {
            let last = ((class.taps.len() - 1) * class.step) as isize;
            class.starts.iter().map(move |&start| (start, start + last))
        });
    let (mut low, mut high) = (0, size as isize - 1);
    for (first, last) in read {
        (low, high) = (low.min(first), high.max(last));
    }
    (
        low.unsigned_abs(),
        (high - size as isize + 1).unsigned_abs(),
    )
}

impl Class {
    fn new(
        [rows, columns]: [&AxisClass; 2],
        before: [usize; 2],
        width: usize,
        targets: usize,
        kernel_width: usize,
    ) -> Self {
        let at = |y: isize, x: isize| {
            ((y + before[0] as isize) * width as isize + x + before[1] as isize) as usize
        };
        let sees = !rows.taps.is_empty() && !columns.taps.is_empty();
        let (mut starts, mut places) = (Vec::new(), Vec::new());
        for (&y, &row) in rows.starts.iter().zip(&rows.targets) {
            for (&x, &column) in columns.starts.iter().zip(&columns.targets) {
                starts.push(if sees { at(y, x) } else { 0 });
                places.push(row * targets + column);
            }
        }
        let mut segments = Vec::new();
        for (index, &row) in rows.taps.iter().enumerate() {
            let start = index * rows.step * width;
            let tap = |&column: &usize| row * kernel_width + column;
            if columns.step == 1 {
                let taps: Vec<usize> = columns.taps.iter().map(tap).collect();
                segments.extend((!taps.is_empty()).then_some((start, taps)));
                continue;
            }
            let single = columns.taps.iter().enumerate();
            segments.extend(
                single.map(|(place, column)| (start + place * columns.step, vec![tap(column)])),
            );
        }
        Self {
            starts,
            targets: places,
            segments,
        }
    }
}
