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
    pub fn fill(
        &mut self,
        weights: &[f32],
        offsets: impl ExactSizeIterator<Item = usize> + Clone,
        stride: usize,
        outputs: usize,
    ) {
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
            for (row, offset) in panel.chunks_exact_mut(BLOCK).zip(offsets.clone()) {
                let weights = &weights[offset + first * stride..];
                let (row, rest) = row.split_at_mut(width);
                match stride {
                    1 => row.copy_from_slice(&weights[..width]),
                    _ => row
                        .iter_mut()
                        .zip(weights.iter().step_by(stride))
                        .for_each(|(to, &weight)| *to = weight),
                }
                rest.fill(0.0);
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

/// What windows look at, wherever they begin.
#[derive(Clone, Copy, Debug)]
pub struct Windows<'a> {
    /// All values.
    pub source: &'a [f32],
    /// The parts of a window.
    pub segments: &'a [Segment],
    /// Values in a segment.
    pub length: usize,
}

/// Consecutive values of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Where they begin, from the window's own beginning.
    pub start: usize,
    /// Which row of the matrix the first of them is multiplied by.
    pub row: usize,
}

impl<'a> Windows<'a> {
    /// Vectors of `length` values.
    pub fn rows(source: &'a [f32], length: usize) -> Self {
        Self {
            source,
            segments: &[Segment { start: 0, row: 0 }],
            length,
        }
    }
}

/// Windows at equal distances, and the places of what comes of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// How many there are.
    pub count: usize,
    /// Where the first window and its place begin.
    pub first: [usize; 2],
    /// How far the next ones are.
    pub step: [usize; 2],
}

impl Run {
    /// From where it goes to where it comes from.
    pub fn turned(self) -> Self {
        Self {
            first: [self.first[1], self.first[0]],
            step: [self.step[1], self.step[0]],
            ..self
        }
    }
}

/// Where windows and their places begin, as few runs of at most [`RUN`] windows.
pub fn runs(windows: impl Iterator<Item = [usize; 2]>) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for [start, place] in windows {
        let fits = |run: &mut Run| {
            let [s, p] = [
                start.checked_sub(run.first[0])?,
                place.checked_sub(run.first[1])?,
            ];
            if run.count == 1 {
                run.step = [s, p];
            }
            let next = run.step.map(|step| step * run.count);
            (run.count < RUN && next == [s, p]).then(|| run.count += 1)
        };
        if runs.last_mut().and_then(fits).is_none() {
            runs.push(Run {
                count: 1,
                first: [start, place],
                step: [0, 0],
            });
        }
    }
    runs
}

/// `count` windows that begin `step` values apart, and likewise their places.
pub fn rows(to: &mut Vec<Run>, count: usize, step: [usize; 2]) {
    to.clear();
    to.extend((0..count).step_by(RUN).map(|first| Run {
        count: RUN.min(count - first),
        first: step.map(|step| step * first),
        step,
    }));
}

/// Writes the product of each window with `matrix` to `target`, at its place; adds it to what is there if `add`. Goes
/// through this many windows of the runs.
pub fn product(
    windows: Windows<'_>,
    runs: (&[Run], usize),
    matrix: &Packed,
    target: &mut [f32],
    add: bool,
) {
    pulp::Arch::new().dispatch(Product {
        windows,
        runs,
        matrix,
        target,
        add,
    });
}

struct Product<'a> {
    windows: Windows<'a>,
    runs: (&'a [Run], usize),
    matrix: &'a Packed,
    target: &'a mut [f32],
    add: bool,
}

/// Goes through the windows of runs.
struct Cursor<'a> {
    /// Windows of the run that are left, and the runs after it.
    left: usize,
    runs: std::slice::Iter<'a, Run>,
    at: [usize; 2],
    step: [usize; 2],
}

impl<'a> Cursor<'a> {
    fn new(runs: &'a [Run]) -> Self {
        Self {
            left: 0,
            runs: runs.iter(),
            at: [0; 2],
            step: [0; 2],
        }
    }

    /// Where the next window and its place begin.
    #[inline(always)]
    fn advance(&mut self) -> [usize; 2] {
        if self.left == 0 {
            let run = self.runs.next().expect("no more windows than runs have");
            (self.left, self.at, self.step) = (run.count, run.first, run.step);
        }
        let at = self.at;
        self.left -= 1;
        self.at = [at[0] + self.step[0], at[1] + self.step[1]];
        at
    }
}

impl WithSimd for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        for block in 0..self.matrix.outputs.div_ceil(BLOCK) {
            let width = BLOCK.min(self.matrix.outputs - block * BLOCK);
            match (S::F32_LANES, width) {
                (8, 16) => self.block::<S, 6, 2, true>(simd, block, width),
                (8, 8) => self.block::<S, 8, 1, true>(simd, block, width),
                (8, 1..8) => self.block::<S, 8, 1, false>(simd, block, width),
                (8, _) => self.block::<S, 6, 2, false>(simd, block, width),
                (4, _) => self.block::<S, 6, 4, false>(simd, block, width),
                _ => self.block::<S, 2, 16, false>(simd, block, width),
            }
        }
    }
}

impl Product<'_> {
    /// One block of outputs of all windows, `W` windows by `V` vectors at a time, which are `WHOLE` or not.
    #[inline(always)]
    fn block<S: Simd, const W: usize, const V: usize, const WHOLE: bool>(
        &mut self,
        simd: S,
        block: usize,
        width: usize,
    ) {
        let panel = self.matrix.depth * BLOCK;
        let (panel, _) = S::as_simd_f32s(&self.matrix.values[block * panel..(block + 1) * panel]);
        let (bias, _) = S::as_simd_f32s(&self.matrix.bias[block * BLOCK..(block + 1) * BLOCK]);
        let (runs, mut left) = self.runs;
        let mut cursor = Cursor::new(runs);
        while left > 0 {
            let here = W.min(left);
            let (mut starts, mut places) = ([0; W], [0; W]);
            for window in 0..W {
                // What is left over looks where the last one does.
                [starts[window], places[window]] = match window < here {
                    true => cursor.advance(),
                    false => [starts[window - 1], places[window - 1]],
                };
            }
            let sums = tile::<S, W, V>(simd, &self.windows, &starts, panel, bias);
            // Every index is a constant, so that sums stay in registers.
            for window in 0..W {
                if window < here {
                    let place = places[window] + block * BLOCK;
                    let target = &mut self.target[place..place + width];
                    store::<S, V, WHOLE>(simd, &sums[window], target, self.add);
                }
            }
            left -= here;
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
    for segment in windows.segments {
        let mut values: [&[f32]; W] = [&[]; W];
        for (values, &start) in values.iter_mut().zip(starts) {
            let start = start + segment.start;
            *values = &windows.source[start..start + windows.length];
        }
        let rows = &panel[segment.row * step..(segment.row + windows.length) * step];
        for (k, weights) in rows.chunks_exact(step).enumerate() {
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
fn store<S: Simd, const V: usize, const WHOLE: bool>(
    simd: S,
    sums: &[S::f32s; V],
    target: &mut [f32],
    add: bool,
) {
    if WHOLE {
        let to = &mut S::as_mut_simd_f32s(target).0[..V];
        for vector in 0..V {
            to[vector] = match add {
                true => simd.add_f32s(sums[vector], to[vector]),
                false => sums[vector],
            };
        }
        return;
    }
    for (to, &sum) in target.chunks_mut(S::F32_LANES).zip(sums) {
        let sum = match add {
            true => simd.add_f32s(sum, simd.partial_load_f32s(to)),
            false => sum,
        };
        match S::as_mut_simd_f32s(to).0 {
            [whole] => *whole = sum,
            _ => simd.partial_store_f32s(to, sum),
        }
    }
}

/// Adds to `target`, a row of [`padded`] outputs for each value of a window, the products of that value with the
/// window's gradient, `outputs` values. Goes through this many windows of the runs.
pub fn outer_product(
    windows: Windows<'_>,
    gradient: &[f32],
    runs: (&[Run], usize),
    outputs: usize,
    target: &mut [f32],
) {
    pulp::Arch::new().dispatch(OuterProduct {
        windows,
        gradient,
        runs,
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
    runs: (&'a [Run], usize),
    outputs: usize,
    target: &'a mut [f32],
}

impl WithSimd for OuterProduct<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let (mut runs, mut left) = self.runs;
        while left > 0 {
            // Runs that are at most so many windows together.
            let (mut number, mut windows) = (0, 0);
            for run in runs {
                if windows > 0 && windows + run.count > RUN || windows >= left {
                    break;
                }
                (number, windows) = (number + 1, windows + run.count);
            }
            let group = (&runs[..number], windows.min(left));
            (runs, left) = (&runs[number..], left - group.1);
            for block in 0..self.outputs.div_ceil(BLOCK) {
                let width = BLOCK.min(self.outputs - block * BLOCK);
                match (S::F32_LANES, width) {
                    (8, 16) => self.block::<S, 2, true>(simd, group, block),
                    (8, 8) => self.block::<S, 1, true>(simd, group, block),
                    (8, 1..8) => self.block::<S, 1, false>(simd, group, block),
                    (8, _) => self.block::<S, 2, false>(simd, group, block),
                    (4, _) => self.block::<S, 4, false>(simd, group, block),
                    _ => self.block::<S, 16, false>(simd, group, block),
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
        runs: (&[Run], usize),
        block: usize,
    ) {
        let length = self.windows.length;
        for segment in self.windows.segments {
            let mut first = 0;
            while first < length {
                let at = (segment.start + first, segment.row + first, block);
                first += match length - first {
                    1 => self.values::<S, 1, V, WHOLE>(simd, runs, at),
                    2 => self.values::<S, 2, V, WHOLE>(simd, runs, at),
                    3 => self.values::<S, 3, V, WHOLE>(simd, runs, at),
                    4 | 5 | 8 => self.values::<S, 4, V, WHOLE>(simd, runs, at),
                    _ => self.values::<S, 6, V, WHOLE>(simd, runs, at),
                };
            }
        }
    }

    /// `K` values of all windows of some runs by one block of outputs. `at` is the first value's offset in a window,
    /// its row in the target, and the block. Returns `K`.
    #[inline(always)]
    fn values<S: Simd, const K: usize, const V: usize, const WHOLE: bool>(
        &mut self,
        simd: S,
        (runs, mut left): (&[Run], usize),
        (offset, row, block): (usize, usize, usize),
    ) -> usize {
        let lanes = S::F32_LANES;
        let mut sums = [[simd.splat_f32s(0.0); V]; K];
        let width = (V * lanes).min(self.outputs - block * BLOCK);
        for run in runs {
            let count = run.count.min(left);
            left -= count;
            let values = &self.windows.source[run.first[0] + offset..];
            let gradient = &self.gradient[run.first[1] + block * BLOCK..];
            // Whole steps are cut off without looking where they end; the last window may end before its step does.
            let apart = run.step[0] >= K && run.step[1] >= width;
            let whole = if apart { count - 1 } else { 0 };
            let [s, p] = run.step.map(|step| step.max(1));
            let steps = values[..whole * s]
                .chunks_exact(s)
                .zip(gradient[..whole * p].chunks_exact(p));
            for (values, gradient) in steps {
                accumulate::<S, K, V, WHOLE>(simd, &mut sums, &values[..K], &gradient[..width]);
            }
            for window in whole..count {
                let [s, p] = run.step.map(|step| step * window);
                let (values, gradient) = (&values[s..s + K], &gradient[p..p + width]);
                accumulate::<S, K, V, WHOLE>(simd, &mut sums, values, gradient);
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

#[inline(always)]
fn accumulate<S: Simd, const K: usize, const V: usize, const WHOLE: bool>(
    simd: S,
    sums: &mut [[S::f32s; V]; K],
    values: &[f32],
    gradient: &[f32],
) {
    let mut vectors = [simd.splat_f32s(0.0); V];
    if WHOLE {
        vectors.copy_from_slice(&S::as_simd_f32s(gradient).0[..V]);
    } else {
        for (vector, part) in vectors.iter_mut().zip(gradient.chunks(S::F32_LANES)) {
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
