//! The products at each point: small matrices by small matrices.

use pulp::Simd;

/// Columns of a panel.
pub const BLOCK: usize = 16;

/// `target = rows x panels` for rows of `depth` values, and panels of `depth` rows of 16 or, the last, 8 columns.
#[inline(always)]
pub fn product<S: Simd>(
    simd: S,
    rows: &[f32],
    depth: usize,
    panels: &[f32],
    target: &mut [f32],
    width: usize,
) {
    let (target, _) = S::as_mut_simd_f32s(target);
    let (panels, _) = S::as_simd_f32s(panels);
    let shape = [depth, width / S::F32_LANES];
    for first in (0..width).step_by(BLOCK) {
        let panel = &panels[first / S::F32_LANES * depth..];
        let first_vector = first / S::F32_LANES;
        match (S::F32_LANES, width - first) {
            (8, 8) => block::<S, 8, 1>(simd, rows, panel, target, shape, first_vector),
            (8, _) => block::<S, 6, 2>(simd, rows, panel, target, shape, first_vector),
            (4, 8) => block::<S, 8, 2>(simd, rows, panel, target, shape, first_vector),
            (4, _) => block::<S, 6, 4>(simd, rows, panel, target, shape, first_vector),
            (_, 8) => block::<S, 2, 8>(simd, rows, panel, target, shape, first_vector),
            _ => block::<S, 2, 16>(simd, rows, panel, target, shape, first_vector),
        }
    }
}

/// `W` rows by `V` vectors at a time.
#[inline(always)]
fn block<S: Simd, const W: usize, const V: usize>(
    simd: S,
    rows: &[f32],
    panel: &[S::f32s],
    target: &mut [S::f32s],
    [depth, width]: [usize; 2],
    first: usize,
) {
    let panel = &panel.as_chunks::<V>().0[..depth];
    for (rows, target) in rows.chunks(W * depth).zip(target.chunks_mut(W * width)) {
        let here = rows.len() / depth;
        let mut row: [&[f32]; W] = [&rows[..depth]; W];
        for w in 1..W {
            row[w] = &rows[w.min(here - 1) * depth..][..depth];
        }
        let mut sums = [[simd.splat_f32s(0.0); V]; W];
        for k in 0..depth {
            for w in 0..W {
                let value = simd.splat_f32s(row[w][k]);
                for v in 0..V {
                    sums[w][v] = simd.mul_add_e_f32s(value, panel[k][v], sums[w][v]);
                }
            }
        }
        for w in 0..W {
            if w < here {
                target[w * width + first..][..V].copy_from_slice(&sums[w]);
            }
        }
    }
}

/// `target += transposed left x right` for `left` of rows of `depth` and `right` of rows of `width` values.
#[inline(always)]
pub fn outer_product<S: Simd>(
    simd: S,
    left: &[f32],
    depth: usize,
    right: &[f32],
    width: usize,
    target: &mut [f32],
) {
    let (right, _) = S::as_simd_f32s(right);
    let (target, _) = S::as_mut_simd_f32s(target);
    for first in (0..width).step_by(BLOCK) {
        let at = [width / S::F32_LANES, first / S::F32_LANES];
        match (S::F32_LANES, width - first) {
            (8, 8) => columns::<S, 1>(simd, left, depth, right, target, at),
            (8, _) => columns::<S, 2>(simd, left, depth, right, target, at),
            (4, 8) => columns::<S, 2>(simd, left, depth, right, target, at),
            (4, _) => columns::<S, 4>(simd, left, depth, right, target, at),
            (_, 8) => columns::<S, 8>(simd, left, depth, right, target, at),
            _ => columns::<S, 16>(simd, left, depth, right, target, at),
        }
    }
}

#[inline(always)]
fn columns<S: Simd, const V: usize>(
    simd: S,
    left: &[f32],
    depth: usize,
    right: &[S::f32s],
    target: &mut [S::f32s],
    at: [usize; 2],
) {
    let mut row = 0;
    while row < depth {
        row += match depth - row {
            4 | 8 => sums::<S, 4, V>(simd, (left, depth, row), right, target, at),
            _ => sums::<S, 6, V>(simd, (left, depth, row), right, target, at),
        };
    }
}

#[inline(always)]
fn sums<S: Simd, const K: usize, const V: usize>(
    simd: S,
    (left, depth, row): (&[f32], usize, usize),
    right: &[S::f32s],
    target: &mut [S::f32s],
    [width, first]: [usize; 2],
) -> usize {
    let mut sums = [[simd.splat_f32s(0.0); V]; K];
    for (left, right) in left.chunks_exact(depth).zip(right.chunks_exact(width)) {
        let (left, right) = (&left[row..row + K], &right[first..first + V]);
        for k in 0..K {
            let value = simd.splat_f32s(left[k]);
            for v in 0..V {
                sums[k][v] = simd.mul_add_e_f32s(value, right[v], sums[k][v]);
            }
        }
    }
    for k in 0..K {
        let target = &mut target[(row + k) * width + first..][..V];
        for v in 0..V {
            target[v] = simd.add_f32s(target[v], sums[k][v]);
        }
    }
    K
}
