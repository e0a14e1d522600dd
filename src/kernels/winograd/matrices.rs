//! The matrices of Cook and Toom: products of polynomials by their values at a few points.
//!
//! A correlation of values `d` with taps `g` is, for every `y`, the trilinear form of all `y[i] g[k] d[i + k]`: the
//! coefficients of the product of two of the three polynomials, each times one of the third. The two are evaluated at
//! points, and their products turned back into coefficients by Lagrange's polynomials, whose transpose turns the third.
//! Each of the three directions of a convolution then multiplies two of the three at every point and turns the
//! products back by the transpose of the third's own matrix.
//!
//! Rows of points `p` and `-p` share their sums, so they come in pairs. Points whose inverse is not far from another point,
//! and that have few binary digits, lose the fewest digits of the values: with `1`, `-1`, `2`, `-2` and `0` errors are four times
//! as large as with those of 3x3 kernels here.

/// What values become at points, a row each: first pairs of rows that differ in the signs of some columns only (those
/// of the points `p` and `-p`), then at most two rows of their own.
pub trait Matrix<const POINTS: usize, const VALUES: usize> {
    /// The matrix.
    const ROWS: [[f32; VALUES]; POINTS];
}

/// Pairs of rows of a matrix.
pub const fn pairs(points: usize) -> usize {
    (points - 1) / 2
}

/// Powers of the points; at infinity only the highest counts.
pub const fn powers<const POINTS: usize, const VALUES: usize>(
    points: &[f64],
) -> [[f32; VALUES]; POINTS] {
    let mut rows = [[0.0; VALUES]; POINTS];
    let mut row = 0;
    while row < POINTS {
        let (mut power, mut column) = (1.0, 0);
        while column < VALUES && row < points.len() {
            rows[row][column] = power as f32;
            power *= points[row];
            column += 1;
        }
        if row == points.len() {
            rows[row][VALUES - 1] = 1.0;
        }
        row += 1;
    }
    rows
}

/// Coefficients, from number `first` on, of the polynomials that are zero at all finite points but the row's own, and in
/// the last row at all of them.
pub const fn lagrange<const POINTS: usize, const VALUES: usize>(
    points: &[f64],
    first: usize,
) -> [[f32; VALUES]; POINTS] {
    let mut rows = [[0.0; VALUES]; POINTS];
    let mut row = 0;
    while row < POINTS {
        let mut polynomial = [0.0; POINTS];
        polynomial[0] = 1.0;
        let mut factor = 0;
        while factor < points.len() {
            if factor != row {
                let mut i = POINTS;
                while i > 0 {
                    i -= 1;
                    let below = if i > 0 { polynomial[i - 1] } else { 0.0 };
                    polynomial[i] = below - points[factor] * polynomial[i];
                }
            }
            factor += 1;
        }
        let mut column = 0;
        while column < VALUES {
            rows[row][column] = polynomial[first + column] as f32;
            column += 1;
        }
        row += 1;
    }
    rows
}

/// Each row divided by the value of its Lagrange polynomial at its own point.
pub const fn normalised<const POINTS: usize, const VALUES: usize>(
    points: &[f64],
    mut rows: [[f32; VALUES]; POINTS],
) -> [[f32; VALUES]; POINTS] {
    let mut row = 0;
    while row < points.len() {
        let (mut value, mut other) = (1.0, 0);
        while other < points.len() {
            if other != row {
                value *= points[row] - points[other];
            }
            other += 1;
        }
        let mut column = 0;
        while column < VALUES {
            rows[row][column] = (rows[row][column] as f64 / value) as f32;
            column += 1;
        }
        row += 1;
    }
    rows
}

/// Each row from its end.
pub const fn reversed<const POINTS: usize, const VALUES: usize>(
    rows: [[f32; VALUES]; POINTS],
) -> [[f32; VALUES]; POINTS] {
    let mut turned = rows;
    let mut row = 0;
    while row < POINTS {
        let mut column = 0;
        while column < VALUES {
            turned[row][column] = rows[row][VALUES - 1 - column];
            column += 1;
        }
        row += 1;
    }
    turned
}
