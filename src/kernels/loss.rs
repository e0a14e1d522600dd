//! Losses and their gradients at once.

use super::functions::exp;
use super::simd::Separate;

/// Adds `share` of the mean softmax cross-entropy's gradient to `gradient`, and returns that share of it. With
/// smoothing `s` the target is `1 - s` on the class plus `s / classes` everywhere.
pub fn cross_entropy(
    logits: &[f32],
    labels: &[u32],
    smoothing: f64,
    share: f64,
    gradient: &mut [f32],
) -> f64 {
    let classes = logits.len() / labels.len().max(1);
    let scale = share / labels.len().max(1) as f64;
    let spread = smoothing / classes as f64;
    let rows = logits
        .chunks_exact(classes.max(1))
        .zip(gradient.chunks_exact_mut(classes.max(1)));
    let mut total = 0.0;
    for ((row, gradient), &label) in rows.zip(labels) {
        let top = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let sum: f32 = row.iter().map(|&x| exp(Separate, x - top)).sum();
        let log_sum = f64::from(top) + libm::log(f64::from(sum));
        let mean_logit: f64 = row.iter().map(|&x| f64::from(x)).sum::<f64>() / classes as f64;
        let hit = f64::from(row[label as usize]);
        total += log_sum - (1.0 - smoothing) * hit - smoothing * mean_logit;
        let factor = (scale / f64::from(sum)) as f32;
        for (gradient, &x) in gradient.iter_mut().zip(row) {
            *gradient += factor * exp(Separate, x - top) - (scale * spread) as f32;
        }
        gradient[label as usize] -= (scale * (1.0 - smoothing)) as f32;
    }
    total * scale
}
