//! Sums and affine functions of columns: what normalisations are made of.
//!
//! Rows are a few channels wide, too few for a loop over a row to be worth its beginning. So what belongs to
//! channels is written several times in a row, and several rows are gone through as one.

use super::functions::Function;
use super::simd::vectorised;

/// Values of a row that are worth a loop.
const WIDE: usize = 128;

/// Rows of that width whose sum is kept in 32 bits before it is added to one of 64.
const RUN: usize = 32;

/// How often `channels` channels are written in a row.
pub fn repeats(channels: usize) -> usize {
    WIDE.div_ceil(channels.max(1))
}

/// `values` as often in a row as they are repeated.
pub fn repeat(values: &[f32], to: &mut Vec<f32>) {
    to.clear();
    for _ in 0..repeats(values.len()) {
        to.extend_from_slice(values);
    }
}

/// Sums of two functions of each channel in 64 bits.
#[derive(Clone, Debug, Default)]
pub struct Sums {
    /// Of the first function, by channel.
    pub first: Vec<f64>,
    /// Of the second, by channel.
    pub second: Vec<f64>,
    parts: [Vec<f32>; 2],
}

impl Sums {
    fn clear(&mut self, channels: usize) {
        self.first.clear();
        self.first.resize(channels, 0.0);
        self.second.clear();
        self.second.resize(channels, 0.0);
    }

    /// Adds what `work` sums up of each run of values; both parts are `wide` values.
    fn runs(
        &mut self,
        channels: usize,
        length: usize,
        mut work: impl FnMut(std::ops::Range<usize>, &mut [f32], &mut [f32]),
    ) {
        self.clear(channels);
        let wide = channels * repeats(channels);
        let [mut first, mut second] = std::mem::take(&mut self.parts);
        for start in (0..length).step_by(RUN * wide) {
            for part in [&mut first, &mut second] {
                part.clear();
                part.resize(wide, 0.0);
            }
            work(
                start..(start + RUN * wide).min(length),
                &mut first,
                &mut second,
            );
            for (sums, part) in [(&mut self.first, &first), (&mut self.second, &second)] {
                for part in part.chunks_exact(channels) {
                    for (sum, &value) in sums.iter_mut().zip(part) {
                        *sum += f64::from(value);
                    }
                }
            }
        }
        self.parts = [first, second];
    }

    /// Of the values minus a pivot, and of their squares. `pivot` is repeated.
    pub fn moments(&mut self, channels: usize, values: &[f32], pivot: &[f32]) {
        self.runs(channels, values.len(), |range, first, second| {
            add_moments(&values[range], pivot, first, second);
        });
    }

    /// Of the gradients of normalised values, and of their products with the values' distances from the mean. The
    /// slope of a function that is dear becomes part of the gradients. Constants are repeated.
    pub(super) fn gradients<F: Function>(
        &mut self,
        channels: usize,
        values: &[f32],
        gradient: &mut [f32],
        constants: &Affine,
        function: F,
    ) {
        let c = constants;
        self.runs(channels, values.len(), |range, first, second| {
            let gradient = &mut gradient[range.clone()];
            let constants = [&c.scale[..], &c.shift, &c.mean];
            add_gradients(&values[range], gradient, constants, first, second, function);
        });
    }
}

/// What is known of each channel, repeated: `scale x + shift` is the normalised value with weight and bias.
#[derive(Clone, Debug, Default)]
pub struct Affine {
    /// The factor.
    pub scale: Vec<f32>,
    /// What is added.
    pub shift: Vec<f32>,
    /// The mean.
    pub mean: Vec<f32>,
}

vectorised! {
    fn add_moments<'a>(m: impl Arithmetic, values: &'a [f32], pivot: &'a [f32], first: &'a mut [f32], second: &'a mut [f32]) {
        for row in values.chunks(pivot.len()) {
            for ((x, p), (a, b)) in row.iter().zip(pivot).zip(first.iter_mut().zip(second.iter_mut())) {
                let x = x - p;
                *a += x;
                *b = m.add_product(x, x, *b);
            }
        }
    }
}

vectorised! {
    /// `to = function(scale x + shift)`; constants are repeated.
    pub(super) fn affine<'a, F: Function>(
        m: impl Arithmetic, values: &'a [f32], scale: &'a [f32], shift: &'a [f32], to: &'a mut [f32], function: F,
    ) {
        for (row, to) in values.chunks(scale.len()).zip(to.chunks_mut(scale.len())) {
            for ((x, y), (a, b)) in row.iter().zip(to).zip(scale.iter().zip(shift)) {
                *y = function.value(m, m.add_product(*x, *a, *b));
            }
        }
    }
}

vectorised! {
    fn add_gradients<'a, F: Function>(
        m: impl Arithmetic,
        values: &'a [f32],
        gradient: &'a mut [f32],
        constants: [&'a [f32]; 3],
        first: &'a mut [f32],
        second: &'a mut [f32],
        function: F,
    ) {
        let [scale, shift, mean] = constants;
        let wide = scale.len();
        let (shift, mean) = (&shift[..wide], &mean[..wide]);
        let (first, second) = (&mut first[..wide], &mut second[..wide]);
        for (row, gradient) in values.chunks(wide).zip(gradient.chunks_mut(wide)) {
            let gradient = &mut gradient[..row.len()];
            for i in 0..row.len() {
                let x = row[i];
                let g = gradient[i] * function.slope(m, m.add_product(x, scale[i], shift[i]));
                if !F::CHEAP {
                    gradient[i] = g;
                }
                first[i] += g;
                second[i] = m.add_product(g, x - mean[i], second[i]);
            }
        }
    }
}

vectorised! {
    /// `gradient = a gradient + b (values - mean) + c`, by the slope of a function that is cheap; constants are
    /// repeated.
    pub(super) fn spread<'a, F: Function>(
        m: impl Arithmetic,
        values: &'a [f32],
        gradient: &'a mut [f32],
        constants: [&'a [f32]; 3],
        affine: &'a Affine,
        function: F,
    ) {
        let [a, b, c] = constants;
        let wide = a.len();
        let (b, c, mean) = (&b[..wide], &c[..wide], &affine.mean[..wide]);
        let (scale, shift) = (&affine.scale[..wide], &affine.shift[..wide]);
        for (row, gradient) in values.chunks(wide).zip(gradient.chunks_mut(wide)) {
            let gradient = &mut gradient[..row.len()];
            for i in 0..row.len() {
                let x = row[i];
                let g = match F::CHEAP {
                    true => gradient[i] * function.slope(m, m.add_product(x, scale[i], shift[i])),
                    false => gradient[i],
                };
                gradient[i] = m.add_product(a[i], g, m.add_product(b[i], x - mean[i], c[i]));
            }
        }
    }
}

vectorised! {
    /// `to = function(scale x + shift + other)`; constants are repeated.
    pub(super) fn affine_sum<'a, F: Function>(
        m: impl Arithmetic,
        values: &'a [f32],
        other: &'a [f32],
        constants: &'a Affine,
        to: &'a mut [f32],
        function: F,
    ) {
        let wide = constants.scale.len();
        let (scale, shift) = (&constants.scale[..wide], &constants.shift[..wide]);
        let rows = values.chunks(wide).zip(other.chunks(wide)).zip(to.chunks_mut(wide));
        for ((row, other), to) in rows {
            let (other, to) = (&other[..row.len()], &mut to[..row.len()]);
            for i in 0..row.len() {
                to[i] = function.value(m, m.add_product(row[i], scale[i], shift[i]) + other[i]);
            }
        }
    }
}

vectorised! {
    /// `gradient = 0` where nothing came out.
    pub(super) fn mask<'a>(output: &'a [f32], gradient: &'a mut [f32]) {
        for (gradient, &output) in gradient.iter_mut().zip(output) {
            *gradient = if output > 0.0 { *gradient } else { 0.0 };
        }
    }
}

vectorised! {
    /// `to = a gradient + b (values - mean) + c`; constants are repeated.
    pub(super) fn spread_to<'a>(
        m: impl Arithmetic,
        values: &'a [f32],
        gradient: &'a [f32],
        constants: [&'a [f32]; 3],
        mean: &'a [f32],
        to: &'a mut [f32],
    ) {
        let [a, b, c] = constants;
        let wide = a.len();
        let (b, c, mean) = (&b[..wide], &c[..wide], &mean[..wide]);
        for ((row, gradient), to) in values.chunks(wide).zip(gradient.chunks(wide)).zip(to.chunks_mut(wide)) {
            let (gradient, to) = (&gradient[..row.len()], &mut to[..row.len()]);
            for i in 0..row.len() {
                to[i] = m.add_product(a[i], gradient[i], m.add_product(b[i], row[i] - mean[i], c[i]));
            }
        }
    }
}
