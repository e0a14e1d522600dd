//! Products of windows with a matrix: convolutions, linear maps and both of their gradients.
//!
//! A window is a few segments of equally many consecutive values: the rows under a kernel in an image whose
//! channels come last, or simply a vector. Nothing is unrolled into patches; a tile of six or eight windows by 16
//! outputs stays in registers while the segments are read where they lie. Each sum runs over the values of a
//! window in their order, so it does not depend on how windows are divided into tiles.

use pulp::{Simd, WithSimd};

/// Outputs that are computed together.
pub const BLOCK: usize = 16;

/// Windows whose gradients are summed up in registers before they are added to memory.
const RUN: usize = 128;

/// A matrix of `[values of a window, outputs]` in blocks of outputs, with what is added to the outputs.
#[derive(Clone, Debug, Default)]
pub struct Packed {
    values: Vec<f32>,
    bias: Vec<f32>,
    depth: usize,
    outputs: usize,
}

impl Packed {
    /// Takes `weights[offsets[k] + n * stride]` for value `k` of a window and output `n`.
    pub fn fill(&mut self, weights: &[f32], offsets: &[usize], stride: usize, outputs: usize) {
        self.depth = offsets.len();
        self.outputs = outputs;
        let blocks = outputs.div_ceil(BLOCK);
        self.values.resize(blocks * self.depth * BLOCK, 0.0);
        self.bias.clear();
        self.bias.resize(blocks * BLOCK, 0.0);
        let panels = self.values.chunks_exact_mut((self.depth * BLOCK).max(1));
        for (block, panel) in panels.enumerate() {
            let first = block * BLOCK;
            let width = BLOCK.min(outputs - first);
            for (row, &offset) in panel.chunks_exact_mut(BLOCK).zip(offsets) {
                let start = offset + first * stride;
                for (lane, value) in row[..width].iter_mut().enumerate() {
                    *value = weights[start + lane * stride];
                }
                row[width..].fill(0.0);
            }
        }
    }

    /// How many outputs there are.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Adds these to the outputs.
    pub fn set_bias(&mut self, bias: &[f32]) {
        self.bias[..bias.len()].copy_from_slice(bias);
    }
}

/// Where windows lie.
#[derive(Clone, Copy, Debug)]
pub struct Windows<'a> {
    /// What they look at.
    pub source: &'a [f32],
    /// Where each begins.
    pub starts: &'a [usize],
    /// Where its segments begin, from its own beginning.
    pub segments: &'a [usize],
    /// Values in a segment.
    pub length: usize,
}

/// Writes each window's product with `matrix` to `target`, at its place; adds it to what is there if `add`.
pub fn product(
    windows: Windows<'_>,
    matrix: &Packed,
    target: &mut [f32],
    places: &[usize],
    add: bool,
) {
    debug_assert_eq!(matrix.depth, windows.segments.len() * windows.length);
    debug_assert_eq!(windows.starts.len(), places.len());
    pulp::Arch::new().dispatch(Product {
        windows,
        matrix,
        target,
        places,
        add,
    });
}

struct Product<'a> {
    windows: Windows<'a>,
    matrix: &'a Packed,
    target: &'a mut [f32],
    places: &'a [usize],
    add: bool,
}

impl WithSimd for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        for block in 0..self.matrix.outputs.div_ceil(BLOCK) {
            let width = BLOCK.min(self.matrix.outputs - block * BLOCK);
            match S::F32_LANES {
                16 => self.block::<S, 12, 1>(simd, block, width),
                8 if width <= 8 => self.block::<S, 8, 1>(simd, block, width),
                8 => self.block::<S, 6, 2>(simd, block, width),
                4 => self.block::<S, 6, 4>(simd, block, width),
                _ => self.block::<S, 2, 16>(simd, block, width),
            }
        }
    }
}

impl Product<'_> {
    /// One block of outputs of all windows, `W` windows by `V` vectors at a time.
    #[inline(always)]
    fn block<S: Simd, const W: usize, const V: usize>(
        &mut self,
        simd: S,
        block: usize,
        width: usize,
    ) {
        let panel = self.matrix.depth * BLOCK;
        let (panel, _) = S::as_simd_f32s(&self.matrix.values[block * panel..(block + 1) * panel]);
        let (bias, _) = S::as_simd_f32s(&self.matrix.bias[block * BLOCK..(block + 1) * BLOCK]);
        let mut first = 0;
        while first < self.places.len() {
            let here = W.min(self.places.len() - first);
            let mut starts = [self.windows.starts[first]; W];
            starts[..here].copy_from_slice(&self.windows.starts[first..first + here]);
            let sums = tile::<S, W, V>(simd, &self.windows, &starts, panel, bias);
            for (window, sums) in sums.iter().enumerate().take(here) {
                let place = self.places[first + window] + block * BLOCK;
                let target = &mut self.target[place..place + width];
                store::<S, V>(simd, sums, target, self.add);
            }
            first += here;
        }
    }
}

#[inline(always)]
fn tile<S: Simd, const W: usize, const V: usize>(
    simd: S,
    windows: &Windows<'_>,
    starts: &[usize; W],
    panel: &[S::f32s],
    bias: &[S::f32s],
) -> [[S::f32s; V]; W] {
    let step = BLOCK / S::F32_LANES;
    let mut sums = [[simd.splat_f32s(0.0); V]; W];
    for window in &mut sums {
        window.copy_from_slice(&bias[..V]);
    }
    let rows = panel.chunks_exact((windows.length * step).max(1));
    for (&segment, row) in windows.segments.iter().zip(rows) {
        let mut values: [&[f32]; W] = [&[]; W];
        for (values, &start) in values.iter_mut().zip(starts) {
            *values = &windows.source[start + segment..start + segment + windows.length];
        }
        for (k, weights) in row.chunks_exact(step).enumerate() {
            for window in 0..W {
                let value = simd.splat_f32s(values[window][k]);
                for vector in 0..V {
                    sums[window][vector] =
                        simd.mul_add_e_f32s(value, weights[vector], sums[window][vector]);
                }
            }
        }
    }
    sums
}

#[inline(always)]
fn store<S: Simd, const V: usize>(simd: S, sums: &[S::f32s; V], target: &mut [f32], add: bool) {
    let mut rest = target;
    for &sum in sums {
        let (here, after) = rest.split_at_mut(S::F32_LANES.min(rest.len()));
        rest = after;
        if here.is_empty() {
            continue;
        }
        let sum = match add {
            true => simd.add_f32s(sum, simd.partial_load_f32s(here)),
            false => sum,
        };
        match S::as_mut_simd_f32s(here).0 {
            [whole] => *whole = sum,
            _ => simd.partial_store_f32s(here, sum),
        }
    }
}

/// Adds to `target`, a row of [`padded`] outputs for each value of a window, the products of that value with
/// the window's gradient: `outputs` values at its place in `gradient`.
pub fn outer_product(
    windows: Windows<'_>,
    gradient: &[f32],
    places: &[usize],
    outputs: usize,
    target: &mut [f32],
) {
    pulp::Arch::new().dispatch(OuterProduct {
        windows,
        gradient,
        places,
        outputs,
        target,
    });
}

/// Outputs rounded up to whole blocks.
pub fn padded(outputs: usize) -> usize {
    outputs.next_multiple_of(BLOCK)
}

struct OuterProduct<'a> {
    windows: Windows<'a>,
    gradient: &'a [f32],
    places: &'a [usize],
    outputs: usize,
    target: &'a mut [f32],
}

impl WithSimd for OuterProduct<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        for first in (0..self.places.len()).step_by(RUN) {
            let run = first..(first + RUN).min(self.places.len());
            for block in 0..self.outputs.div_ceil(BLOCK) {
                let width = BLOCK.min(self.outputs - block * BLOCK);
                match (S::F32_LANES, width) {
                    (16, 16) => self.block::<S, 1, true>(simd, run.clone(), block),
                    (16, _) => self.block::<S, 1, false>(simd, run.clone(), block),
                    (8, 16) => self.block::<S, 2, true>(simd, run.clone(), block),
                    (8, 8) => self.block::<S, 1, true>(simd, run.clone(), block),
                    (8, 1..8) => self.block::<S, 1, false>(simd, run.clone(), block),
                    (8, _) => self.block::<S, 2, false>(simd, run.clone(), block),
                    (4, 16) => self.block::<S, 4, true>(simd, run.clone(), block),
                    (4, _) => self.block::<S, 4, false>(simd, run.clone(), block),
                    (_, 16) => self.block::<S, 16, true>(simd, run.clone(), block),
                    _ => self.block::<S, 16, false>(simd, run.clone(), block),
                }
            }
        }
    }
}

impl OuterProduct<'_> {
    #[inline(always)]
    fn block<S: Simd, const V: usize, const WHOLE: bool>(
        &mut self,
        simd: S,
        run: std::ops::Range<usize>,
        block: usize,
    ) {
        let length = self.windows.length;
        for segment in 0..self.windows.segments.len() {
            let mut first = 0;
            while first < length {
                let row = segment * length + first;
                let at = (self.windows.segments[segment] + first, row, block);
                let run = run.clone();
                first += match length - first {
                    1 => self.values::<S, 1, V, WHOLE>(simd, run, at),
                    2 => self.values::<S, 2, V, WHOLE>(simd, run, at),
                    3 => self.values::<S, 3, V, WHOLE>(simd, run, at),
                    4 | 5 | 8 => self.values::<S, 4, V, WHOLE>(simd, run, at),
                    _ => self.values::<S, 6, V, WHOLE>(simd, run, at),
                };
            }
        }
    }

    /// `K` values of all windows of a run by one block of outputs. `at` is the first value's offset in a window,
    /// its row in the target, and the block. Returns `K`.
    #[inline(always)]
    fn values<S: Simd, const K: usize, const V: usize, const WHOLE: bool>(
        &mut self,
        simd: S,
        run: std::ops::Range<usize>,
        (offset, row, block): (usize, usize, usize),
    ) -> usize {
        let lanes = S::F32_LANES;
        let mut sums = [[simd.splat_f32s(0.0); V]; K];
        let width = (V * lanes).min(self.outputs - block * BLOCK);
        let starts = self.windows.starts[run.clone()].iter();
        for (&start, &place) in starts.zip(&self.places[run]) {
            let values = &self.windows.source[start + offset..start + offset + K];
            let place = place + block * BLOCK;
            let gradient = &self.gradient[place..place + width];
            let mut vectors = [simd.splat_f32s(0.0); V];
            if WHOLE {
                vectors.copy_from_slice(&S::as_simd_f32s(gradient).0[..V]);
            } else {
                for (vector, part) in vectors.iter_mut().zip(gradient.chunks(lanes)) {
                    *vector = simd.partial_load_f32s(part);
                }
            }
            for k in 0..K {
                let value = simd.splat_f32s(values[k]);
                for v in 0..V {
                    sums[k][v] = simd.mul_add_e_f32s(value, vectors[v], sums[k][v]);
                }
            }
        }
        let stride = padded(self.outputs);
        for (k, sums) in sums.iter().enumerate() {
            let place = (row + k) * stride + block * BLOCK;
            let target = &mut self.target[place..place + V * lanes];
            for (target, &sum) in S::as_mut_simd_f32s(target).0.iter_mut().zip(sums) {
                *target = simd.add_f32s(*target, sum);
            }
        }
        K
    }
}
