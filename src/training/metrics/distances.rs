//! Figures of how far numbers are from what they should be.

use super::mean;
use crate::data::TargetScale;
use crate::training::Score;

/// The figure of a score of numbers, the mean over outputs.
pub(super) fn figure(
    score: Score,
    outputs: &[f32],
    values: &[f32],
    scale: &TargetScale,
) -> Option<f64> {
    let width = scale.outputs();
    if score == Score::R2 {
        return mean((0..width).map(|column| r2(outputs, values, column, width)));
    }
    let of = |column: usize| {
        let sizes = sizes(score, outputs, values, column, width);
        let middle = match score {
            Score::MedianAbsoluteError => median(sizes),
            _ => mean(sizes.into_iter()),
        };
        finish(score, middle.unwrap_or(0.0), scale.deviation[column])
    };
    mean((0..width).map(of))
}

/// What each example gives to a mean of distances.
pub(super) fn each(score: Score, outputs: &[f32], values: &[f32], scale: &TargetScale) -> Vec<f64> {
    let width = scale.outputs();
    let rows = outputs.chunks_exact(width).zip(values.chunks_exact(width));
    let of = |(outputs, values): (&[f32], &[f32])| {
        let pairs = outputs.iter().zip(values).zip(&scale.deviation);
        let size = |((&x, &y), &deviation): ((&f32, &f32), &f64)| {
            finish(score, size(score, f64::from(x) - f64::from(y)), deviation)
        };
        pairs.map(size).sum::<f64>() / width as f64
    };
    rows.map(of).collect()
}

/// The sizes of one output's distances, as a score takes their mean or their median.
pub(super) fn sizes(
    score: Score,
    outputs: &[f32],
    values: &[f32],
    column: usize,
    width: usize,
) -> Vec<f64> {
    let pairs = outputs.iter().zip(values).skip(column).step_by(width);
    let sizes = pairs.map(|(&x, &y)| size(score, f64::from(x) - f64::from(y)));
    sizes.collect()
}

fn size(score: Score, distance: f64) -> f64 {
    match score {
        Score::Rmse | Score::Mse => square(distance),
        Score::Mae | Score::MedianAbsoluteError => distance.abs(),
        _ => panic!("`{score}` is no distance"),
    }
}

/// The score of an output from the mean or the median of its sizes, in the data's own units.
pub(super) fn finish(score: Score, middle: f64, deviation: f64) -> f64 {
    match score {
        Score::Rmse => libm::sqrt(middle) * deviation,
        Score::Mse => middle * square(deviation),
        _ => middle * deviation,
    }
}

fn median(mut sizes: Vec<f64>) -> Option<f64> {
    sizes.sort_by(f64::total_cmp);
    let half = sizes.len() / 2;
    match sizes.len() {
        0 => None,
        count if count % 2 == 1 => Some(sizes[half]),
        _ => Some(f64::midpoint(sizes[half - 1], sizes[half])),
    }
}

/// The share of an output's variance that is explained.
fn r2(outputs: &[f32], values: &[f32], column: usize, width: usize) -> f64 {
    let wanted = || {
        let column = values.iter().skip(column).step_by(width);
        column.map(|&value| f64::from(value))
    };
    let given = outputs.iter().skip(column).step_by(width);
    let mean = mean(wanted()).unwrap_or(0.0);
    let missed: f64 = given
        .zip(wanted())
        .map(|(&x, y)| square(f64::from(x) - y))
        .sum();
    let spread: f64 = wanted().map(|y| square(y - mean)).sum();
    explained(missed, spread)
}

/// The share of a spread that is not missed. Where there is none, 1 if nothing is missed and 0 otherwise.
pub(super) fn explained(missed: f64, spread: f64) -> f64 {
    match (spread > 0.0, missed > 0.0) {
        (true, _) => 1.0 - missed / spread,
        (false, true) => 0.0,
        (false, false) => 1.0,
    }
}

pub(super) fn square(x: f64) -> f64 {
    x * x
}
