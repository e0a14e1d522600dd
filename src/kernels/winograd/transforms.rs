//! Tiles at their points, and back: a matrix from the left and its transpose from the right, of vectors of channels.

use super::matrices::{Matrix, pairs};
use pulp::Simd;

/// `values` at the points of `M`.
#[expect(
    clippy::needless_range_loop,
    reason = "indices are constants once it is unrolled"
)]
#[inline(always)]
pub fn spread<S: Simd, M: Matrix<P, V>, const P: usize, const V: usize>(
    simd: S,
    values: &[S::f32s; V],
) -> [S::f32s; P] {
    let mut points = [simd.splat_f32s(0.0); P];
    for pair in 0..pairs(P) {
        let (plus, minus) = (&M::ROWS[2 * pair], &M::ROWS[2 * pair + 1]);
        // What both rows have, and what has the other sign in the second.
        let (mut same, mut other) = (None, None);
        for column in 0..V {
            let to = if plus[column] == minus[column] {
                &mut same
            } else {
                &mut other
            };
            add::<S>(simd, to, plus[column], values[column]);
        }
        let zero = simd.splat_f32s(0.0);
        let (same, other) = (same.unwrap_or(zero), other.unwrap_or(zero));
        points[2 * pair] = simd.add_f32s(same, other);
        points[2 * pair + 1] = simd.sub_f32s(same, other);
    }
    for point in 2 * pairs(P)..P {
        let mut sum = None;
        for column in 0..V {
            add::<S>(simd, &mut sum, M::ROWS[point][column], values[column]);
        }
        points[point] = sum.unwrap_or(points[point]);
    }
    points
}

/// The transpose: what values at points add to each value.
#[expect(
    clippy::needless_range_loop,
    reason = "indices are constants once it is unrolled"
)]
#[inline(always)]
pub fn collect<S: Simd, M: Matrix<P, V>, const P: usize, const V: usize>(
    simd: S,
    points: &[S::f32s; P],
) -> [S::f32s; V] {
    let mut sums = [None; V];
    for pair in 0..pairs(P) {
        let (plus, minus) = (&M::ROWS[2 * pair], &M::ROWS[2 * pair + 1]);
        let same = simd.add_f32s(points[2 * pair], points[2 * pair + 1]);
        let other = simd.sub_f32s(points[2 * pair], points[2 * pair + 1]);
        for column in 0..V {
            let value = if plus[column] == minus[column] {
                same
            } else {
                other
            };
            add::<S>(simd, &mut sums[column], plus[column], value);
        }
    }
    for point in 2 * pairs(P)..P {
        for column in 0..V {
            add::<S>(
                simd,
                &mut sums[column],
                M::ROWS[point][column],
                points[point],
            );
        }
    }
    let mut values = [simd.splat_f32s(0.0); V];
    for column in 0..V {
        values[column] = sums[column].unwrap_or(values[column]);
    }
    values
}

/// Adds `factor` times `value`, where the factor is known when this is compiled.
#[inline(always)]
fn add<S: Simd>(simd: S, sum: &mut Option<S::f32s>, factor: f32, value: S::f32s) {
    if factor == 0.0 {
        return;
    }
    *sum = Some(match *sum {
        None if factor == 1.0 => value,
        None => simd.mul_f32s(simd.splat_f32s(factor), value),
        Some(sum) if factor == 1.0 => simd.add_f32s(sum, value),
        Some(sum) if factor == -1.0 => simd.sub_f32s(sum, value),
        Some(sum) => simd.mul_add_e_f32s(simd.splat_f32s(factor), value, sum),
    });
}
