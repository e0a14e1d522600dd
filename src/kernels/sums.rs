//! Sums over rows, in an order that depends on nothing but the number of rows.

use super::simd::vectorised;

/// Rows whose sum is kept in 32 bits before it is added to one of 64.
const RUN: usize = 64;

/// The sum of each column of `rows`, whose width is that of `sums`.
pub fn column_sums(rows: &[f32], sums: &mut [f32]) {
    let width = sums.len();
    let mut totals = vec![0.0f64; width];
    let mut part = vec![0.0f32; width];
    for run in rows.chunks(RUN * width.max(1)) {
        part.fill(0.0);
        add_rows(run, &mut part);
        for (total, &part) in totals.iter_mut().zip(&part) {
            *total += f64::from(part);
        }
    }
    for (sum, total) in sums.iter_mut().zip(totals) {
        *sum = total as f32;
    }
}

vectorised! {
    fn add_rows<'a>(rows: &'a [f32], sums: &'a mut [f32]) {
        let width = sums.len();
        let mut fours = rows.chunks_exact(4 * width);
        for four in &mut fours {
            let (ab, cd) = four.split_at(2 * width);
            let ((a, b), (c, d)) = (ab.split_at(width), cd.split_at(width));
            for (sum, ((a, b), (c, d))) in sums.iter_mut().zip(a.iter().zip(b).zip(c.iter().zip(d))) {
                *sum += (a + b) + (c + d);
            }
        }
        for row in fours.remainder().chunks_exact(width) {
            for (sum, value) in sums.iter_mut().zip(row) {
                *sum += value;
            }
        }
    }
}

vectorised! {
    /// `to += values`.
    pub fn add_to<'a>(to: &'a mut [f32], values: &'a [f32]) {
        for (to, value) in to.iter_mut().zip(values) {
            *to += value;
        }
    }
}

vectorised! {
    /// `to = a + b`.
    pub fn add<'a>(a: &'a [f32], b: &'a [f32], to: &'a mut [f32]) {
        for (to, (a, b)) in to.iter_mut().zip(a.iter().zip(b)) {
            *to = a + b;
        }
    }
}
