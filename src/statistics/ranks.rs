//! Ranks, and how far two orders agree.

/// The rank of each value from 1 up; equal values share the mean of their ranks.
pub fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut from = 0;
    for group in order.chunk_by(|&a, &b| values[a] == values[b]) {
        let shared = from as f64 + (group.len() + 1) as f64 / 2.0;
        for &index in group {
            ranks[index] = shared;
        }
        from += group.len();
    }
    ranks
}

/// The sizes of the groups of equal values, those of one included.
pub(super) fn groups(values: &[f64]) -> Vec<usize> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.chunk_by(|a, b| a == b).map(<[f64]>::len).collect()
}

/// Spearman's correlation of two equally long samples, from -1 to 1; nothing where one of them is
/// constant or shorter than two.
pub fn spearman(x: &[f64], y: &[f64]) -> Option<f64> {
    assert_eq!(x.len(), y.len(), "correlations are of pairs");
    pearson(&ranks(x), &ranks(y))
}

fn pearson(x: &[f64], y: &[f64]) -> Option<f64> {
    let (x_mean, y_mean) = (super::mean(x)?, super::mean(y)?);
    let sum = |of: &dyn Fn(f64, f64) -> f64| -> f64 {
        let pairs = x.iter().zip(y);
        pairs.map(|(a, b)| of(a - x_mean, b - y_mean)).sum()
    };
    let spread = libm::sqrt(sum(&|a, _| a * a)) * libm::sqrt(sum(&|_, b| b * b));
    (spread > 0.0).then(|| (sum(&|a, b| a * b) / spread).clamp(-1.0, 1.0))
}

/// Kendall's tau-b of two equally long samples, from -1 to 1, corrected for ties; nothing where one of
/// them is constant or shorter than two.
pub fn kendall(x: &[f64], y: &[f64]) -> Option<f64> {
    assert_eq!(x.len(), y.len(), "correlations are of pairs");
    let (mut agree, mut x_differ, mut y_differ) = (0i64, 0i64, 0i64);
    for later in 1..x.len() {
        for earlier in 0..later {
            let a = sign(x[later], x[earlier]);
            let b = sign(y[later], y[earlier]);
            agree += a * b;
            x_differ += a * a;
            y_differ += b * b;
        }
    }
    let pairs = libm::sqrt(x_differ as f64) * libm::sqrt(y_differ as f64);
    (pairs > 0.0).then(|| (agree as f64 / pairs).clamp(-1.0, 1.0))
}

fn sign(a: f64, b: f64) -> i64 {
    i64::from(a > b) - i64::from(a < b)
}
