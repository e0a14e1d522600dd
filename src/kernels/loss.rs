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

/// As [`cross_entropy`], where the examples of class `c` count `weights[c]`: the mean is divided by the weights of the
/// examples, and what smoothing spreads over the classes is weighed too, as in `torch.nn.CrossEntropyLoss`.
pub fn weighted_cross_entropy(
    logits: &[f32],
    labels: &[u32],
    (smoothing, weights): (f64, &[f64]),
    share: f64,
    gradient: &mut [f32],
) -> f64 {
    let classes = weights.len();
    let of_examples: f64 = labels.iter().map(|&label| weights[label as usize]).sum();
    let scale = share / of_examples;
    let spread = smoothing / classes as f64;
    let of_classes: f64 = weights.iter().sum();
    let rows = logits
        .chunks_exact(classes)
        .zip(gradient.chunks_exact_mut(classes));
    let mut total = 0.0;
    for ((row, gradient), &label) in rows.zip(labels) {
        let top = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let sum: f32 = row.iter().map(|&x| exp(Separate, x - top)).sum();
        let log_sum = f64::from(top) + libm::log(f64::from(sum));
        let peak = (1.0 - smoothing) * weights[label as usize];
        total += peak * (log_sum - f64::from(row[label as usize]));
        let factor = (scale * (peak + spread * of_classes) / f64::from(sum)) as f32;
        for ((gradient, &x), weight) in gradient.iter_mut().zip(row).zip(weights) {
            total += spread * weight * (log_sum - f64::from(x));
            *gradient += factor * exp(Separate, x - top) - (scale * spread * weight) as f32;
        }
        gradient[label as usize] -= (scale * peak) as f32;
    }
    total * scale
}
