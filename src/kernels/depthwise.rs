//! Convolutions of each channel by itself.

use super::geometry::Geometry;
use super::operation::{Operation, Pass};
use super::pathway::{Pathway, Plan};
use super::room::{Room, with_room, zeros};
use super::windows::{Run, Segment};
use crate::random::Stream;
use pulp::{Simd, WithSimd};

/// Neighbouring windows whose sums are in registers together.
const TILE: usize = 4;

/// A filter for each channel; weights are `[channels, 1, rows, columns]`.
#[derive(Clone, Debug)]
pub struct Depthwise {
    geometry: Geometry,
    biased: bool,
    forward: Pathway,
    backward: Pathway,
    /// `[taps in the order of reading, channels]`.
    weights: Vec<f32>,
}

impl Depthwise {
    /// For as many groups as channels.
    pub fn new(geometry: Geometry, biased: bool) -> Self {
        let channels = geometry.channels;
        Self {
            geometry,
            biased,
            forward: Pathway::new(geometry.forward_padded(), channels, channels, channels),
            backward: Pathway::new(geometry.backward_padded(), channels, channels, channels),
            weights: Vec::new(),
        }
    }
}

/// Weights `[channels, taps]` as `[kernel, channels]`.
fn arrange(weights: &[f32], kernel: &[usize], all: usize, to: &mut Vec<f32>) {
    to.clear();
    for &tap in kernel {
        to.extend(weights.iter().skip(tap).step_by(all));
    }
}

impl Operation for Depthwise {
    fn forward(
        &mut self,
        pass: Pass<'_>,
        _: &mut [Vec<f32>],
        _: Option<&mut Stream>,
        output: &mut [f32],
    ) {
        let bias: &[f32] = if self.biased {
            &pass.parameters[1]
        } else {
            &[]
        };
        let kernel = &self.forward.reading.classes[0].taps;
        arrange(
            &pass.parameters[0],
            kernel,
            self.geometry.taps(),
            &mut self.weights,
        );
        filter_class(
            &mut self.forward,
            0,
            pass.batch,
            pass.inputs[0],
            [&self.weights, bias],
            output,
        );
    }

    fn backward(
        &mut self,
        pass: Pass<'_>,
        _output: &[f32],
        gradient: &mut [f32],
        inputs: &mut [Option<&mut [f32]>],
        parameters: &mut [Vec<f32>],
    ) {
        let (channels, all) = (self.geometry.channels, self.geometry.taps());
        let image = self.forward.reading.targets * channels;
        with_room(|Room { padded, sums, .. }| {
            zeros(sums, all * channels);
            let work = |pathway: &Pathway, source: &[f32], first: usize, images: usize| {
                let plan = &pathway.plans[0][0];
                pulp::Arch::new().dispatch(WeightGradient {
                    shape: Shape::new(plan, channels),
                    left: plan.windows * images,
                    source,
                    gradient: &gradient[first * image..(first + images) * image],
                    sums,
                });
            };
            self.forward
                .each_chunk(padded, 0, pass.batch, pass.inputs[0], work);
            let kernel = &self.forward.reading.classes[0].taps;
            for (&tap, row) in kernel.iter().zip(sums.chunks_exact(channels)) {
                for (channel, &sum) in row.iter().enumerate() {
                    parameters[0][channel * all + tap] = sum;
                }
            }
        });
        if self.biased {
            super::sums::column_sums(gradient, &mut parameters[1]);
        }
        let Some(target) = &mut inputs[0] else { return };
        for class in 0..self.backward.reading.classes.len() {
            let kernel = &self.backward.reading.classes[class].taps;
            arrange(&pass.parameters[0], kernel, all, &mut self.weights);
            filter_class(
                &mut self.backward,
                class,
                pass.batch,
                gradient,
                [&self.weights, &[]],
                target,
            );
        }
    }

    fn preserves_zeros(&self) -> bool {
        !self.biased
    }
}

/// Filters all windows of a class, chunk by chunk, by weights and a bias (or none).
fn filter_class(
    pathway: &mut Pathway,
    class: usize,
    batch: usize,
    source: &[f32],
    [weights, bias]: [&[f32]; 2],
    target: &mut [f32],
) {
    let channels = pathway.channels;
    let image = pathway.reading.targets * channels;
    let work = |pathway: &Pathway, source: &[f32], first: usize, images: usize| {
        let plan = &pathway.plans[class][0];
        pulp::Arch::new().dispatch(Filtering {
            shape: Shape::new(plan, channels),
            left: plan.windows * images,
            weights,
            bias,
            source,
            target: &mut target[first * image..(first + images) * image],
        });
    };
    with_room(|room| pathway.each_chunk(&mut room.padded, 0, batch, source, work));
}

/// Which windows there are, and what each looks at.
#[derive(Clone, Copy)]
struct Shape<'a> {
    runs: &'a [Run],
    segments: &'a [Segment],
    /// Taps of a segment.
    taps: usize,
    channels: usize,
}

impl<'a> Shape<'a> {
    fn new(plan: &'a Plan, channels: usize) -> Self {
        Self {
            runs: &plan.runs,
            segments: &plan.segments,
            taps: plan.length / channels,
            channels,
        }
    }

    /// The windows of a run share all but one column with their neighbours.
    fn overlap(&self, run: &Run) -> bool {
        run.step == [self.channels; 2]
    }
}

struct Filtering<'a> {
    shape: Shape<'a>,
    /// Windows that are filtered.
    left: usize,
    weights: &'a [f32],
    bias: &'a [f32],
    source: &'a [f32],
    target: &'a mut [f32],
}

impl WithSimd for Filtering<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let shape = self.shape;
        for run in shape.runs {
            let count = run.count.min(self.left);
            self.left -= count;
            for first in (0..count).step_by(TILE) {
                let here = TILE.min(count - first);
                let at = [0, 1].map(|i| run.first[i] + first * run.step[i]);
                match (here, shape.overlap(run), shape.taps) {
                    (TILE, true, 3) => self.neighbours::<S, 3>(simd, at),
                    (TILE, true, 5) => self.neighbours::<S, 5>(simd, at),
                    _ => (0..here).for_each(|window| {
                        let at = [0, 1].map(|i| at[i] + window * run.step[i]);
                        self.window(simd, at);
                    }),
                }
            }
        }
    }
}

/// Runs the same for whole vectors of channels and for the rest: `$lanes` are those that there are.
macro_rules! by_channels {
    ($S:ty, $channels:expr, $channel:ident, $whole:ident, $lanes:ident => $body:expr) => {
        for $channel in (0..$channels).step_by(<$S>::F32_LANES) {
            let $lanes = <$S>::F32_LANES.min($channels - $channel);
            if $lanes == <$S>::F32_LANES {
                const $whole: bool = true;
                $body
            } else {
                const $whole: bool = false;
                $body
            }
        }
    };
}

#[inline(always)]
fn load<S: Simd, const WHOLE: bool>(
    simd: S,
    values: &[f32],
    place: usize,
    lanes: usize,
) -> S::f32s {
    if WHOLE {
        S::as_simd_f32s(&values[place..place + S::F32_LANES]).0[0]
    } else {
        simd.partial_load_f32s(&values[place..place + lanes])
    }
}

#[inline(always)]
fn save<S: Simd, const WHOLE: bool>(
    simd: S,
    to: &mut [f32],
    place: usize,
    lanes: usize,
    value: S::f32s,
) {
    if WHOLE {
        S::as_mut_simd_f32s(&mut to[place..place + S::F32_LANES]).0[0] = value;
    } else {
        simd.partial_store_f32s(&mut to[place..place + lanes], value);
    }
}

impl Filtering<'_> {
    /// A tile of windows next to each other: what several of them see is read once.
    #[inline(always)]
    fn neighbours<S: Simd, const TAPS: usize>(&mut self, simd: S, [start, place]: [usize; 2]) {
        let (shape, step) = (self.shape, self.shape.channels);
        by_channels!(S, step, channel, WHOLE, lanes => {
            let mut sums = [self.start::<S, WHOLE>(simd, channel, lanes); TILE];
            for segment in shape.segments {
                let weights = &self.weights[segment.row + channel..];
                let source = &self.source[start + segment.start + channel..];
                let mut taps = [simd.splat_f32s(0.0); TAPS];
                for (tap, weight) in taps.iter_mut().enumerate() {
                    *weight = load::<S, WHOLE>(simd, weights, tap * step, lanes);
                }
                for column in 0..TILE + TAPS - 1 {
                    let value = load::<S, WHOLE>(simd, source, column * step, lanes);
                    for tap in 0..TAPS {
                        if column >= tap && column - tap < TILE {
                            sums[column - tap] = simd.mul_add_e_f32s(value, taps[tap], sums[column - tap]);
                        }
                    }
                }
            }
            for (window, &sum) in sums.iter().enumerate() {
                save::<S, WHOLE>(simd, self.target, place + window * step + channel, lanes, sum);
            }
        });
    }

    #[inline(always)]
    fn window<S: Simd>(&mut self, simd: S, [start, place]: [usize; 2]) {
        let (shape, step) = (self.shape, self.shape.channels);
        by_channels!(S, step, channel, WHOLE, lanes => {
            let mut sum = self.start::<S, WHOLE>(simd, channel, lanes);
            for segment in shape.segments {
                let weights = &self.weights[segment.row + channel..];
                let source = &self.source[start + segment.start + channel..];
                for tap in 0..shape.taps {
                    let weight = load::<S, WHOLE>(simd, weights, tap * step, lanes);
                    let value = load::<S, WHOLE>(simd, source, tap * step, lanes);
                    sum = simd.mul_add_e_f32s(value, weight, sum);
                }
            }
            save::<S, WHOLE>(simd, self.target, place + channel, lanes, sum);
        });
    }

    /// What sums begin with.
    #[inline(always)]
    fn start<S: Simd, const WHOLE: bool>(&self, simd: S, channel: usize, lanes: usize) -> S::f32s {
        match self.bias {
            [] => simd.splat_f32s(0.0),
            bias => load::<S, WHOLE>(simd, bias, channel, lanes),
        }
    }
}

struct WeightGradient<'a> {
    shape: Shape<'a>,
    /// Windows that are gone through.
    left: usize,
    source: &'a [f32],
    gradient: &'a [f32],
    /// `[taps in the order of reading, channels]`.
    sums: &'a mut [f32],
}

impl WithSimd for WeightGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let shape = self.shape;
        for run in shape.runs {
            let count = run.count.min(self.left);
            self.left -= count;
            if count == 0 {
                break;
            }
            let run = Run { count, ..*run };
            for segment in shape.segments {
                let mut tap = 0;
                while tap < shape.taps {
                    let at = Segment {
                        start: segment.start + tap * shape.channels,
                        row: segment.row + tap * shape.channels,
                    };
                    let tiles = if shape.overlap(&run) { count / TILE } else { 0 };
                    tap += match shape.taps - tap {
                        5.. => self.taps::<S, 5>(simd, run, tiles, at),
                        3 | 4 => self.taps::<S, 3>(simd, run, tiles, at),
                        _ => self.taps::<S, 1>(simd, run, tiles, at),
                    };
                }
            }
        }
    }
}

impl WeightGradient<'_> {
    /// `TAPS` taps of a segment over a run, the first `tiles` tiles with what neighbours share. Returns `TAPS`.
    #[inline(always)]
    fn taps<S: Simd, const TAPS: usize>(
        &mut self,
        simd: S,
        run: Run,
        tiles: usize,
        at: Segment,
    ) -> usize {
        let step = self.shape.channels;
        by_channels!(S, step, channel, WHOLE, lanes => {
            // Windows in turn have sums of their own: one waits while the other adds.
            let mut sums = [[simd.splat_f32s(0.0); 2]; TAPS];
            let source = &self.source[run.first[0] + at.start + channel..];
            let gradient = &self.gradient[run.first[1] + channel..];
            for tile in 0..tiles {
                let first = tile * TILE * step;
                let mut slopes = [simd.splat_f32s(0.0); TILE];
                for (window, slope) in slopes.iter_mut().enumerate() {
                    *slope = load::<S, WHOLE>(simd, gradient, first + window * step, lanes);
                }
                for column in 0..TILE + TAPS - 1 {
                    let value = load::<S, WHOLE>(simd, source, first + column * step, lanes);
                    for (tap, sums) in sums.iter_mut().enumerate() {
                        if column >= tap && column - tap < TILE {
                            let window = column - tap;
                            let sum = &mut sums[window % 2];
                            *sum = simd.mul_add_e_f32s(value, slopes[window], *sum);
                        }
                    }
                }
            }
            for window in tiles * TILE..run.count {
                let slope = load::<S, WHOLE>(simd, gradient, window * run.step[1], lanes);
                for (tap, [sum, _]) in sums.iter_mut().enumerate() {
                    let place = window * run.step[0] + tap * step;
                    let value = load::<S, WHOLE>(simd, source, place, lanes);
                    *sum = simd.mul_add_e_f32s(value, slope, *sum);
                }
            }
            for (tap, &[even, odd]) in sums.iter().enumerate() {
                let place = at.row + tap * step + channel;
                let before = load::<S, WHOLE>(simd, self.sums, place, lanes);
                let all = simd.add_f32s(before, simd.add_f32s(even, odd));
                save::<S, WHOLE>(simd, self.sums, place, lanes, all);
            }
        });
        TAPS
    }
}
