//! Convolutions of each channel by itself.

use super::geometry::{Class, Geometry};
use super::operation::{Operation, Pass};
use super::pathway::Pathway;
use crate::random::Stream;
use pulp::{Simd, WithSimd};

/// Windows whose sums are in registers together.
const WINDOWS: usize = 8;

/// Windows whose gradients are summed up in registers before they are added to memory.
const RUN: usize = 128;

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
            forward: Pathway::new(geometry.forward(), channels, channels, channels),
            backward: Pathway::new(geometry.backward(), channels, channels, channels),
            weights: Vec::new(),
        }
    }
}

/// Taps of a class and where they lie, in values from a window's beginning.
fn taps(class: &Class, channels: usize) -> (Vec<usize>, Vec<usize>) {
    let mut offsets = Vec::new();
    let mut kernel = Vec::new();
    for (start, taps) in &class.segments {
        offsets.extend((0..taps.len()).map(|index| (start + index) * channels));
        kernel.extend_from_slice(taps);
    }
    (kernel, offsets)
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
        let channels = self.geometry.channels;
        let bias: &[f32] = if self.biased {
            &pass.parameters[1]
        } else {
            &[]
        };
        let (kernel, offsets) = taps(&self.forward.reading.classes[0], channels);
        arrange(
            &pass.parameters[0],
            &kernel,
            self.geometry.taps(),
            &mut self.weights,
        );
        let filter = Filter {
            offsets: &offsets,
            weights: &self.weights,
            bias,
            channels,
        };
        filter_chunks(
            &mut self.forward,
            0,
            pass.batch,
            pass.inputs[0],
            filter,
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
        let channels = self.geometry.channels;
        let all = self.geometry.taps();
        let (kernel, offsets) = taps(&self.forward.reading.classes[0], channels);
        let mut sums = vec![0.0; all * channels];
        let image = self.forward.reading.targets * channels;
        self.forward.each_chunk(
            0,
            pass.batch,
            pass.inputs[0],
            |pathway, source, first, images| {
                let plan = &pathway.plans[0];
                let count = plan.starts.len() / pathway.images * images;
                pulp::Arch::new().dispatch(WeightGradient {
                    source,
                    starts: &plan.starts[..count],
                    places: &plan.places[..count],
                    offsets: &offsets,
                    gradient: &gradient[first * image..(first + images) * image],
                    channels,
                    sums: &mut sums,
                });
            },
        );
        for (&tap, row) in kernel.iter().zip(sums.chunks_exact(channels)) {
            for (channel, &sum) in row.iter().enumerate() {
                parameters[0][channel * all + tap] = sum;
            }
        }
        if self.biased {
            super::sums::column_sums(gradient, &mut parameters[1]);
        }
        let Some(target) = &mut inputs[0] else { return };
        if self
            .backward
            .reading
            .classes
            .iter()
            .any(|class| class.segments.is_empty())
        {
            target.fill(0.0);
        }
        for class in 0..self.backward.reading.classes.len() {
            let (kernel, offsets) = taps(&self.backward.reading.classes[class], channels);
            if kernel.is_empty() {
                continue;
            }
            arrange(&pass.parameters[0], &kernel, all, &mut self.weights);
            let filter = Filter {
                offsets: &offsets,
                weights: &self.weights,
                bias: &[],
                channels,
            };
            filter_chunks(
                &mut self.backward,
                class,
                pass.batch,
                gradient,
                filter,
                target,
            );
        }
    }
}

#[derive(Clone, Copy)]
struct Filter<'a> {
    offsets: &'a [usize],
    weights: &'a [f32],
    bias: &'a [f32],
    channels: usize,
}

fn filter_chunks(
    pathway: &mut Pathway,
    class: usize,
    batch: usize,
    source: &[f32],
    filter: Filter<'_>,
    target: &mut [f32],
) {
    let image = pathway.reading.targets * filter.channels;
    pathway.each_chunk(0, batch, source, |pathway, source, first, images| {
        let plan = &pathway.plans[class];
        let count = plan.starts.len() / pathway.images * images;
        pulp::Arch::new().dispatch(Filtering {
            filter,
            source,
            starts: &plan.starts[..count],
            places: &plan.places[..count],
            target: &mut target[first * image..(first + images) * image],
        });
    });
}

struct Filtering<'a> {
    filter: Filter<'a>,
    source: &'a [f32],
    starts: &'a [usize],
    places: &'a [usize],
    target: &'a mut [f32],
}

impl WithSimd for Filtering<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        for channel in (0..self.filter.channels).step_by(S::F32_LANES) {
            let width = S::F32_LANES.min(self.filter.channels - channel);
            let mut first = 0;
            while first < self.starts.len() {
                let here = WINDOWS.min(self.starts.len() - first);
                if width == S::F32_LANES {
                    self.tile::<S, true>(simd, channel, width, first, here);
                } else {
                    self.tile::<S, false>(simd, channel, width, first, here);
                }
                first += here;
            }
        }
    }
}

#[inline(always)]
fn load<S: Simd, const WHOLE: bool>(simd: S, values: &[f32]) -> S::f32s {
    if WHOLE {
        S::as_simd_f32s(values).0[0]
    } else {
        simd.partial_load_f32s(values)
    }
}

impl Filtering<'_> {
    #[inline(always)]
    fn tile<S: Simd, const WHOLE: bool>(
        &mut self,
        simd: S,
        channel: usize,
        width: usize,
        first: usize,
        here: usize,
    ) {
        let filter = self.filter;
        let start = match filter.bias.is_empty() {
            true => simd.splat_f32s(0.0),
            false => load::<S, WHOLE>(simd, &filter.bias[channel..channel + width]),
        };
        let mut sums = [start; WINDOWS];
        let mut starts = [self.starts[first]; WINDOWS];
        starts[..here].copy_from_slice(&self.starts[first..first + here]);
        let rows = filter.weights.chunks_exact(filter.channels);
        for (&offset, row) in filter.offsets.iter().zip(rows) {
            let weight = load::<S, WHOLE>(simd, &row[channel..channel + width]);
            for window in 0..WINDOWS {
                let place = starts[window] + offset + channel;
                let value = load::<S, WHOLE>(simd, &self.source[place..place + width]);
                sums[window] = simd.mul_add_e_f32s(value, weight, sums[window]);
            }
        }
        for (window, &sum) in sums.iter().enumerate().take(here) {
            let place = self.places[first + window] + channel;
            let target = &mut self.target[place..place + width];
            if WHOLE {
                S::as_mut_simd_f32s(target).0[0] = sum;
            } else {
                simd.partial_store_f32s(target, sum);
            }
        }
    }
}

struct WeightGradient<'a> {
    source: &'a [f32],
    starts: &'a [usize],
    places: &'a [usize],
    offsets: &'a [usize],
    gradient: &'a [f32],
    channels: usize,
    sums: &'a mut [f32],
}

impl WithSimd for WeightGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        for first in (0..self.starts.len()).step_by(RUN) {
            let run = first..(first + RUN).min(self.starts.len());
            for channel in (0..self.channels).step_by(S::F32_LANES) {
                let width = S::F32_LANES.min(self.channels - channel);
                if width == S::F32_LANES {
                    self.channels::<S, true>(simd, channel, width, run.clone());
                } else {
                    self.channels::<S, false>(simd, channel, width, run.clone());
                }
            }
        }
    }
}

impl WeightGradient<'_> {
    #[inline(always)]
    fn channels<S: Simd, const WHOLE: bool>(
        &mut self,
        simd: S,
        channel: usize,
        width: usize,
        run: std::ops::Range<usize>,
    ) {
        let mut tap = 0;
        while tap < self.offsets.len() {
            let run = run.clone();
            tap += match self.offsets.len() - tap {
                9.. => self.taps::<S, 9, WHOLE>(simd, channel, width, run, tap),
                5..9 => self.taps::<S, 5, WHOLE>(simd, channel, width, run, tap),
                3 | 4 => self.taps::<S, 3, WHOLE>(simd, channel, width, run, tap),
                _ => self.taps::<S, 1, WHOLE>(simd, channel, width, run, tap),
            };
        }
    }

    #[inline(always)]
    fn taps<S: Simd, const T: usize, const WHOLE: bool>(
        &mut self,
        simd: S,
        channel: usize,
        width: usize,
        run: std::ops::Range<usize>,
        tap: usize,
    ) -> usize {
        let mut sums = [simd.splat_f32s(0.0); T];
        let mut offsets = [0; T];
        offsets.copy_from_slice(&self.offsets[tap..tap + T]);
        for (&start, &place) in self.starts[run.clone()].iter().zip(&self.places[run]) {
            let place = place + channel;
            let gradient = load::<S, WHOLE>(simd, &self.gradient[place..place + width]);
            for t in 0..T {
                let place = start + offsets[t] + channel;
                let value = load::<S, WHOLE>(simd, &self.source[place..place + width]);
                sums[t] = simd.mul_add_e_f32s(value, gradient, sums[t]);
            }
        }
        for (t, &sum) in sums.iter().enumerate() {
            let place = (tap + t) * self.channels + channel;
            let target = &mut self.sums[place..place + width];
            let sum = simd.add_f32s(load::<S, false>(simd, target), sum);
            simd.partial_store_f32s(target, sum);
        }
        T
    }
}
