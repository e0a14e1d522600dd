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

    /// The windows of the forward pass, over a source with zeros around it.
    pub fn forward_padded(&self) -> Reading {
        self.reading(Direction::Forward, false)
    }

    /// The windows of the input gradient, which look at the gradient of the output, with zeros around it.
    pub fn backward_padded(&self) -> Reading {
        self.reading(Direction::Backward, false)
    }

    /// The windows of the forward pass, those at the edges without what lies outside.
    pub fn forward(&self) -> Reading {
        self.reading(Direction::Forward, true)
    }

    /// The windows of the input gradient, likewise.
    pub fn backward(&self) -> Reading {
        self.reading(Direction::Backward, true)
    }

    fn reading(&self, direction: Direction, cut: bool) -> Reading {
        let (size, targets) = match direction {
            Direction::Forward => (self.input, self.output),
            Direction::Backward => (self.output, self.input),
        };
        let axes = [0, 1].map(|axis| {
            let classes = match direction {
                Direction::Forward => vec![self.forward_axis(axis)],
                Direction::Backward => self.backward_axis(axis),
            };
            let part = |class: AxisClass| match cut {
                true => class.cut(size[axis]),
                false => class.whole(),
            };
            classes.into_iter().map(part).collect()
        });
        Reading::new(axes, size, targets, self.kernel[1])
    }

    fn forward_axis(&self, axis: usize) -> AxisClass {
        let (stride, before) = (self.stride[axis], self.before[axis]);
        AxisClass {
            targets: (0..self.output[axis]).collect(),
            starts: (0..self.output[axis])
                .map(|o| (o * stride) as isize - before as isize)
                .collect(),
            taps: (0..self.kernel[axis]).collect(),
            step: self.dilation[axis],
        }
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

#[derive(Clone, Copy)]
enum Direction {
    Forward,
    Backward,
}

/// Positions along one axis that are seen by the same taps.
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

/// The same, in stretches that see the same of the taps.
struct Axis {
    taps: Vec<usize>,
    step: usize,
    stretches: Vec<Stretch>,
}

/// Positions that see `count` taps from number `skipped` on.
struct Stretch {
    targets: Vec<usize>,
    starts: Vec<isize>,
    skipped: usize,
    count: usize,
}

impl AxisClass {
    /// As if there were zeros around what is read.
    fn whole(self) -> Axis {
        let stretch = Stretch {
            targets: self.targets,
            starts: self.starts,
            skipped: 0,
            count: self.taps.len(),
        };
        Axis {
            taps: self.taps,
            step: self.step,
            stretches: vec![stretch],
        }
    }

    /// Without the taps that see nothing of the `size` positions that are read.
    fn cut(self, size: usize) -> Axis {
        let mut stretches: Vec<Stretch> = Vec::new();
        for (&target, &start) in self.targets.iter().zip(&self.starts) {
            let place = |tap: usize| start + (tap * self.step) as isize;
            let inside = |tap: &usize| (0..size as isize).contains(&place(*tap));
            let skipped = (0..self.taps.len()).find(inside).unwrap_or(0);
            let count = (skipped..self.taps.len()).take_while(inside).count();
            let first = if count == 0 { 0 } else { place(skipped) };
            let same =
                |stretch: &&mut Stretch| (stretch.skipped, stretch.count) == (skipped, count);
            if let Some(stretch) = stretches.iter_mut().find(same) {
                stretch.targets.push(target);
                stretch.starts.push(first);
            } else {
                stretches.push(Stretch {
                    targets: vec![target],
                    starts: vec![first],
                    skipped,
                    count,
                });
            }
        }
        Axis {
            taps: self.taps,
            step: self.step,
            stretches,
        }
    }
}

/// Which windows read what.
#[derive(Clone, Debug)]
pub struct Reading {
    /// Rows and columns of the source.
    pub size: [usize; 2],
    /// Rows and columns with the zeros around it.
    pub padded: [usize; 2],
    /// Zeros above and to the left.
    pub before: [usize; 2],
    /// Windows by the taps that they see.
    pub classes: Vec<Class>,
    /// Pixels that are written.
    pub targets: usize,
}

/// Windows that are multiplied by the same taps.
#[derive(Clone, Debug)]
pub struct Class {
    /// The kernel's elements in the order of reading.
    pub taps: Vec<usize>,
    /// The windows, by how many of the taps they see.
    pub regions: Vec<Region>,
}

/// Windows of the same extent; offsets are in pixels of the source with its zeros.
#[derive(Clone, Debug)]
pub struct Region {
    /// Where windows begin.
    pub starts: Vec<usize>,
    /// Which pixels they write.
    pub targets: Vec<usize>,
    /// Runs of neighbouring pixels: where each begins, and which number its first tap has in the class.
    pub segments: Vec<(usize, usize)>,
    /// Pixels of each run.
    pub length: usize,
}

impl Reading {
    fn new(
        axes: [Vec<Axis>; 2],
        size: [usize; 2],
        targets: [usize; 2],
        kernel_width: usize,
    ) -> Self {
        let bounds = [0, 1].map(|axis| bounds(&axes[axis], size[axis]));
        let before = bounds.map(|(before, _)| before);
        let padded = [0, 1].map(|axis| size[axis] + before[axis] + bounds[axis].1);
        let grid = Grid {
            before,
            width: padded[1],
            targets: targets[1],
        };
        let mut classes = Vec::new();
        for rows in &axes[0] {
            for columns in &axes[1] {
                let taps = rows.taps.iter();
                classes.push(Class {
                    taps: taps
                        .flat_map(|row| {
                            columns.taps.iter().map(move |tap| row * kernel_width + tap)
                        })
                        .collect(),
                    regions: grid.regions(rows, columns),
                });
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
    pub fn pad(
        &self,
        images: &[f32],
        (all, first, channels): (usize, usize, usize),
        to: &mut [f32],
    ) {
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
fn bounds(axes: &[Axis], size: usize) -> (usize, usize) {
    let (mut low, mut high) = (0, size as isize - 1);
    for axis in axes {
        for stretch in axis.stretches.iter().filter(|stretch| stretch.count > 0) {
            let extent = ((stretch.count - 1) * axis.step) as isize;
            for &start in &stretch.starts {
                (low, high) = (low.min(start), high.max(start + extent));
            }
        }
    }
    (
        low.unsigned_abs(),
        (high - size as isize + 1).unsigned_abs(),
    )
}

/// How pixels are numbered.
struct Grid {
    before: [usize; 2],
    /// Columns of the source with its zeros.
    width: usize,
    /// Columns that are written.
    targets: usize,
}

impl Grid {
    fn regions(&self, rows: &Axis, columns: &Axis) -> Vec<Region> {
        let pairs = rows.stretches.iter().flat_map(|down| {
            let of_row = move |across| (down, across);
            columns.stretches.iter().map(of_row)
        });
        pairs
            .map(|(down, across)| self.region((rows, down), (columns, across)))
            .collect()
    }

    fn region(
        &self,
        (rows, down): (&Axis, &Stretch),
        (columns, across): (&Axis, &Stretch),
    ) -> Region {
        let at = |y: isize, x: isize| {
            ((y + self.before[0] as isize) * self.width as isize + x + self.before[1] as isize)
                as usize
        };
        let sees = down.count > 0 && across.count > 0;
        let (mut starts, mut targets) = (Vec::new(), Vec::new());
        for (&y, &row) in down.starts.iter().zip(&down.targets) {
            for (&x, &column) in across.starts.iter().zip(&across.targets) {
                starts.push(if sees { at(y, x) } else { 0 });
                targets.push(row * self.targets + column);
            }
        }
        // Neighbouring taps that read neighbouring pixels are one run.
        let length = if columns.step == 1 { across.count } else { 1 };
        let mut segments = Vec::new();
        for row in 0..if sees { down.count } else { 0 } {
            for column in (0..across.count).step_by(length) {
                let place = row * rows.step * self.width + column * columns.step;
                let tap = (down.skipped + row) * columns.taps.len() + across.skipped + column;
                segments.push((place, tap));
            }
        }
        Region {
            starts,
            targets,
            segments,
            length,
        }
    }
}
