//! Two figures of small square matrices, in 64 bits.

/// The logarithm of the absolute value of the determinant of a row-major `size` by `size` matrix, by
/// elimination with partial pivoting; minus infinity if it is singular.
pub(super) fn log_determinant(mut matrix: Vec<f64>, size: usize) -> f64 {
    let mut sum = 0.0;
    for column in 0..size {
        let largest = |a: &usize, b: &usize| {
            let at = |row: usize| matrix[row * size + column].abs();
            at(*a).total_cmp(&at(*b))
        };
        let pivot = (column..size).max_by(largest).expect("a row is left");
        for at in 0..size {
            matrix.swap(pivot * size + at, column * size + at);
        }
        let value = matrix[column * size + column];
        if value == 0.0 || !value.is_finite() {
            return if value == 0.0 {
                f64::NEG_INFINITY
            } else {
                f64::NAN
            };
        }
        sum += libm::log(value.abs());
        for row in column + 1..size {
            let factor = matrix[row * size + column] / value;
            for at in column..size {
                matrix[row * size + at] -= factor * matrix[column * size + at];
            }
        }
    }
    sum
}

/// `-sum(log(v + k) + 1 / (v + k))` over the eigenvalues `v` of a symmetric matrix that has none below
/// zero. It is minus the log-determinant and minus the trace of the inverse of the matrix plus `k` on
/// its diagonal, so no eigenvalue is computed. Not a number if one is below `-k`.
pub(super) fn spread_of_eigenvalues(mut matrix: Vec<f64>, size: usize, k: f64) -> f64 {
    for at in 0..size {
        matrix[at * size + at] += k;
    }
    let Some(root) = cholesky(&matrix, size) else {
        return f64::NAN;
    };
    let mut score = 0.0;
    for at in 0..size {
        score -= 2.0 * libm::log(root[at * size + at]);
    }
    // The trace of the inverse is the sum of squares of the inverse of the root.
    for column in 0..size {
        let mut solved = vec![0.0; size];
        for row in column..size {
            let unit = f64::from(u8::from(row == column));
            let known: f64 = (column..row)
                .map(|at| root[row * size + at] * solved[at])
                .sum();
            solved[row] = (unit - known) / root[row * size + row];
            score -= solved[row] * solved[row];
        }
    }
    score
}

/// The lower triangle whose product with its transpose is the matrix.
fn cholesky(matrix: &[f64], size: usize) -> Option<Vec<f64>> {
    let mut root = vec![0.0; size * size];
    for row in 0..size {
        for column in 0..=row {
            let known: f64 = (0..column)
                .map(|at| root[row * size + at] * root[column * size + at])
                .sum();
            let rest = matrix[row * size + column] - known;
            root[row * size + column] = if row == column {
                if rest.is_nan() || rest <= 0.0 {
                    return None;
                }
                libm::sqrt(rest)
            } else {
                rest / root[column * size + column]
            };
        }
    }
    Some(root)
}

/// The correlations of `rows` rows of equal length; not a number where a row is constant.
pub(super) fn correlations(values: &[f64], rows: usize) -> Vec<f64> {
    let length = values.len() / rows.max(1);
    let centred: Vec<Vec<f64>> = values
        .chunks_exact(length)
        .map(|row| {
            let mean = row.iter().sum::<f64>() / length as f64;
            let row: Vec<f64> = row.iter().map(|value| value - mean).collect();
            let norm = libm::sqrt(row.iter().map(|value| value * value).sum());
            row.into_iter().map(|value| value / norm).collect()
        })
        .collect();
    let dot = |a: &[f64], b: &[f64]| -> f64 { a.iter().zip(b).map(|(a, b)| a * b).sum() };
    let mut matrix = vec![0.0; rows * rows];
    for (at, row) in centred.iter().enumerate() {
        for (other, column) in centred.iter().enumerate().take(at + 1) {
            let correlation = if at == other && row[0].is_finite() {
                1.0
            } else {
                dot(row, column)
            };
            matrix[at * rows + other] = correlation;
            matrix[other * rows + at] = correlation;
        }
    }
    matrix
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn determinants_of_known_matrices() {
        let found = log_determinant(vec![0.0, 2.0, 3.0, 1.0], 2);
        assert!((found - libm::log(6.0)).abs() < 1e-15);
        let singular = log_determinant(vec![1.0, 2.0, 2.0, 4.0], 2);
        assert_eq!(singular, f64::NEG_INFINITY);
    }

    #[test]
    fn the_spread_is_that_of_the_eigenvalues() {
        // Eigenvalues 3 and 1.
        let found = spread_of_eigenvalues(vec![2.0, 1.0, 1.0, 2.0], 2, 0.5);
        let expected = -(libm::log(3.5) + 1.0 / 3.5 + libm::log(1.5) + 1.0 / 1.5);
        assert!((found - expected).abs() < 1e-14, "{found} {expected}");
    }

    #[test]
    fn a_constant_row_correlates_with_nothing() {
        let found = correlations(&[1.0, 1.0, 1.0, 2.0, 3.0, 5.0], 2);
        assert!(found[0].is_nan());
        let score = spread_of_eigenvalues(found, 2, 1e-5);
        assert!(score.is_nan());
    }
}
