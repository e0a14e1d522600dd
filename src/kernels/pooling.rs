//! Pools over images and signals whose channels come last.

use super::operation::{Pass, Plain};
use super::simd::vectorised;
use super::sums::add_to;

/// Windows of a pool along rows and columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolWindows {
    /// Rows and columns that come in.
    pub input: [usize; 2],
    /// Rows and columns that come out.
    pub output: [usize; 2],
    /// Channels.
    pub channels: usize,
    /// Rows and columns of a window.
    pub kernel: [usize; 2],
    /// Distance between windows.
    pub stride: [usize; 2],
    /// What is added above and to the left.
    pub before: [usize; 2],
    /// What is added below and to the right.
    pub after: [usize; 2],
}

impl PoolWindows {
    /// The pixels of the input in the window of an output, and how many of the padded input.
    fn window(&self, output: usize) -> (Vec<usize>, usize) {
        let place = [output / self.output[1], output % self.output[1]];
        let range = |axis: usize| {
            let first = place[axis] * self.stride[axis];
            let inside =
                |i: &usize| *i >= self.before[axis] && *i < self.before[axis] + self.input[axis];
            let all = first..first + self.kernel[axis];
            let padded = self.before[axis] + self.input[axis] + self.after[axis];
            let count = all.clone().filter(|i| *i < padded).count();
            let real: Vec<usize> = all.filter(inside).map(|i| i - self.before[axis]).collect();
            (real, count)
        };
        let ((rows, height), (columns, width)) = (range(0), range(1));
        let pixels = rows.iter().flat_map(|row| {
            columns
                .iter()
                .map(move |column| row * self.input[1] + column)
        });
        (pixels.collect(), height * width)
    }

    fn windows(&self) -> Vec<(Vec<usize>, usize)> {
        (0..self.output[0] * self.output[1])
            .map(|output| self.window(output))
            .collect()
    }

    fn sizes(&self) -> (usize, usize) {
        let size = |grid: [usize; 2]| grid[0] * grid[1] * self.channels;
        (size(self.input), size(self.output))
    }
}

/// The mean of each window.
#[derive(Clone, Debug)]
pub struct AveragePool {
    pool: PoolWindows,
    windows: Vec<(Vec<usize>, f32)>,
}

impl AveragePool {
    /// `count_padding`: whether padding counts as zeros.
    pub fn new(pool: PoolWindows, count_padding: bool) -> Self {
        let share = |(pixels, padded): (Vec<usize>, usize)| {
            let count = if count_padding { padded } else { pixels.len() };
            (pixels, 1.0 / count as f32)
        };
        Self {
            windows: pool.windows().into_iter().map(share).collect(),
            pool,
        }
    }
}

impl Plain for AveragePool {
    fn values(&mut self, pass: Pass<'_>, output: &mut [f32]) {
        let ((input, out), channels) = (self.pool.sizes(), self.pool.channels);
        for (image, output) in pass.inputs[0]
            .chunks_exact(input)
            .zip(output.chunks_exact_mut(out))
        {
            average(image, output, &self.windows, channels);
        }
    }

    fn gradients(
        &mut self,
        _pass: Pass<'_>,
        gradient: &mut [f32],
        inputs: &mut [Option<&mut [f32]>],
    ) {
        let Some(target) = &mut inputs[0] else { return };
        let ((input, out), channels) = (self.pool.sizes(), self.pool.channels);
        for (image, gradient) in target
            .chunks_exact_mut(input)
            .zip(gradient.chunks_exact(out))
        {
            scatter_average(image, gradient, &self.windows, channels);
        }
    }

    fn preserves_zeros(&self) -> bool {
        true
    }
}

vectorised! {
    fn average<'a>(image: &'a [f32], output: &'a mut [f32], windows: &'a [(Vec<usize>, f32)], channels: usize) {
        for ((pixels, share), output) in windows.iter().zip(output.chunks_exact_mut(channels)) {
            output.fill(0.0);
            for pixel in pixels {
                let values = &image[pixel * channels..(pixel + 1) * channels];
                for (output, value) in output.iter_mut().zip(values) {
                    *output += value;
                }
            }
            for output in output.iter_mut() {
                *output *= share;
            }
        }
    }
}

vectorised! {
    fn scatter_average<'a>(
        image: &'a mut [f32], gradient: &'a [f32], windows: &'a [(Vec<usize>, f32)], channels: usize,
    ) {
        image.fill(0.0);
        for ((pixels, share), gradient) in windows.iter().zip(gradient.chunks_exact(channels)) {
            for pixel in pixels {
                let values = &mut image[pixel * channels..(pixel + 1) * channels];
                for (value, gradient) in values.iter_mut().zip(gradient) {
                    *value += gradient * share;
                }
            }
        }
    }
}

/// The largest value of each window; the first of equals has the gradient.
#[derive(Clone, Debug)]
pub struct MaxPool {
    pool: PoolWindows,
    windows: Vec<(Vec<usize>, usize)>,
    /// Which pixel of its window had it, as a number of the same width as the values.
    winners: Vec<f32>,
}

impl MaxPool {
    /// The largest value of each of these windows.
    pub fn new(pool: PoolWindows) -> Self {
        Self {
            windows: pool.windows(),
            pool,
            winners: Vec::new(),
        }
    }
}

impl Plain for MaxPool {
    fn values(&mut self, pass: Pass<'_>, output: &mut [f32]) {
        let ((input, out), channels) = (self.pool.sizes(), self.pool.channels);
        self.winners.resize(output.len(), 0.0);
        let images = pass.inputs[0]
            .chunks_exact(input)
            .zip(output.chunks_exact_mut(out));
        for ((image, output), winners) in images.zip(self.winners.chunks_exact_mut(out)) {
            largest(image, output, winners, &self.windows, channels);
        }
    }

    fn gradients(
        &mut self,
        pass: Pass<'_>,
        gradient: &mut [f32],
        inputs: &mut [Option<&mut [f32]>],
    ) {
        let Some(target) = &mut inputs[0] else { return };
        let ((input, out), channels) = (self.pool.sizes(), self.pool.channels);
        debug_assert_eq!(target.len(), pass.batch * input);
        let images = target
            .chunks_exact_mut(input)
            .zip(gradient.chunks_exact(out));
        for ((image, gradient), winners) in images.zip(self.winners.chunks_exact(out)) {
            scatter_largest(image, gradient, winners, &self.windows, channels);
        }
    }

    fn preserves_zeros(&self) -> bool {
        true
    }
}

vectorised! {
    /// Winners are the numbers of pixels in their windows.
    fn largest<'a>(
        image: &'a [f32],
        output: &'a mut [f32],
        winners: &'a mut [f32],
        windows: &'a [(Vec<usize>, usize)],
        channels: usize,
    ) {
        let rows = output.chunks_exact_mut(channels).zip(winners.chunks_exact_mut(channels));
        for ((pixels, _), (output, winners)) in windows.iter().zip(rows) {
            output.fill(f32::NEG_INFINITY);
            winners.fill(0.0);
            for (number, &pixel) in pixels.iter().enumerate() {
                let values = &image[pixel * channels..(pixel + 1) * channels];
                let number = number as f32;
                for ((output, winner), &value) in output.iter_mut().zip(winners.iter_mut()).zip(values) {
                    let wins = value > *output || value.is_nan();
                    *winner = if wins { number } else { *winner };
                    *output = if wins { value } else { *output };
                }
            }
        }
    }
}

vectorised! {
    /// Gives each pixel the gradients of the windows that it won.
    fn scatter_largest<'a>(
        image: &'a mut [f32],
        gradient: &'a [f32],
        winners: &'a [f32],
        windows: &'a [(Vec<usize>, usize)],
        channels: usize,
    ) {
        image.fill(0.0);
        let rows = gradient.chunks_exact(channels).zip(winners.chunks_exact(channels));
        for ((pixels, _), (gradient, winners)) in windows.iter().zip(rows) {
            for (number, &pixel) in pixels.iter().enumerate() {
                let values = &mut image[pixel * channels..(pixel + 1) * channels];
                let number = number as f32;
                for ((value, gradient), &winner) in values.iter_mut().zip(gradient).zip(winners) {
                    *value += if winner == number { *gradient } else { 0.0 };
                }
            }
        }
    }
}

/// The mean of each channel over all positions.
#[derive(Clone, Copy, Debug)]
pub struct GlobalAverage {
    /// Channels of a position.
    pub channels: usize,
}

impl Plain for GlobalAverage {
    fn values(&mut self, pass: Pass<'_>, output: &mut [f32]) {
        let size = pass.inputs[0].len() / pass.batch;
        let share = self.channels as f32 / size as f32;
        for (values, output) in pass.inputs[0]
            .chunks_exact(size)
            .zip(output.chunks_exact_mut(self.channels))
        {
            output.fill(0.0);
            for row in values.chunks_exact(self.channels) {
                add_to(output, row);
            }
            output.iter_mut().for_each(|value| *value *= share);
        }
    }

    fn gradients(
        &mut self,
        pass: Pass<'_>,
        gradient: &mut [f32],
        inputs: &mut [Option<&mut [f32]>],
    ) {
        let Some(target) = &mut inputs[0] else { return };
        let size = target.len() / pass.batch;
        let share = self.channels as f32 / size as f32;
        for (target, gradient) in target
            .chunks_exact_mut(size)
            .zip(gradient.chunks_exact_mut(self.channels))
        {
            gradient.iter_mut().for_each(|value| *value *= share);
            for row in target.chunks_exact_mut(self.channels) {
                row.copy_from_slice(gradient);
            }
        }
    }

    fn preserves_zeros(&self) -> bool {
        true
    }
}

/// The largest value of each channel over all positions; the first of equals has the gradient.
#[derive(Clone, Debug)]
pub struct GlobalMax(MaxPool);

impl GlobalMax {
    /// Over `positions` positions of `channels` channels.
    pub fn new(positions: usize, channels: usize) -> Self {
        Self(MaxPool::new(PoolWindows {
            input: [1, positions],
            output: [1, 1],
            channels,
            kernel: [1, positions],
            stride: [1, 1],
            before: [0, 0],
            after: [0, 0],
        }))
    }
}

impl Plain for GlobalMax {
    fn values(&mut self, pass: Pass<'_>, output: &mut [f32]) {
        self.0.values(pass, output);
    }

    fn gradients(
        &mut self,
        pass: Pass<'_>,
        gradient: &mut [f32],
        inputs: &mut [Option<&mut [f32]>],
    ) {
        self.0.gradients(pass, gradient, inputs);
    }

    fn preserves_zeros(&self) -> bool {
        true
    }
}
