//! What each example contributes to a score: numbers whose mean is the score, so that a comparison knows
//! how much of it is the luck of the examples.
//!
//! A score that is a mean over examples has the examples' own figures. Of any other, the contribution of
//! example i is the jackknife's pseudo-value, `n * S - (n - 1) * S(-i)`, where S(-i) is the score without it (Tukey, 1958).
//! Examples that come in groups are left out group by group; n is then the number of groups. Leaving out costs
//! no more than the score itself: counts and sums lose what the examples gave, ranks are taken once.

use super::counts::{Confusion, LabelCounts};
use super::distances::{explained, finish, sizes, square};
use super::ranks::{Ranked, of_classes, of_labels, of_two_classes};
use super::{each, figure, mean, predicted};
use crate::architecture::Output;
use crate::data::Targets;
use crate::training::Score;
use std::collections::BTreeMap;

/// The contribution of each example to a score, in the order of the examples; of each group, in ascending
/// order of the groups' numbers, where `groups` has one for each example. Nothing where the score is not defined, or would not be
/// with one of them left out.
///
/// # Panics
/// When the score does not fit the output, or the targets or groups are not of the outputs.
pub fn contributions(
    score: Score,
    output: Output,
    outputs: &[f32],
    targets: &Targets,
    groups: Option<&[usize]>,
) -> Option<Vec<f64>> {
    if targets.is_empty() {
        return None;
    }
    let parts = match groups {
        None if score.is_mean() => return Some(each(score, output, outputs, targets)),
        None => (0..targets.len()).map(|example| vec![example]).collect(),
        Some(groups) => members(groups, targets.len()),
    };
    let whole = figure(score, output, outputs, targets)?;
    let count = parts.len() as f64;
    let left = left_out(score, output, outputs, targets, &parts);
    let pseudo = |without: Option<f64>| Some(count * whole - (count - 1.0) * without?);
    left.into_iter().map(pseudo).collect()
}

/// The examples of each group.
fn members(groups: &[usize], examples: usize) -> Vec<Vec<usize>> {
    assert_eq!(groups.len(), examples, "each example has a group");
    let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (example, &group) in groups.iter().enumerate() {
        members.entry(group).or_default().push(example);
    }
    members.into_values().collect()
}

/// The score without each of these parts of the examples.
fn left_out(
    score: Score,
    output: Output,
    outputs: &[f32],
    targets: &Targets,
    parts: &[Vec<usize>],
) -> Vec<Option<f64>> {
    if score.is_mean() && score != Score::Mae {
        let sizes = vec![each(score, output, outputs, targets)];
        return without(&Sums::new(&sizes, |mean| mean[0]), parts);
    }
    match (score, targets) {
        (Score::Auroc, Targets::Classes { labels, classes }) => {
            areas_without(&of_classes(output, outputs, labels, *classes), parts)
        }
        (Score::Auroc, Targets::Labels { flags, labels }) => {
            areas_without(&of_labels(outputs, flags, *labels), parts)
        }
        (Score::AveragePrecision, Targets::Classes { labels, classes }) => {
            precisions_without(&of_two_classes(output, outputs, labels, *classes), parts)
        }
        (_, Targets::Classes { labels, classes }) => {
            let predicted = predicted(output, outputs);
            let counts = OfClasses {
                counts: Confusion::of(&predicted, labels, *classes),
                score,
                predicted: &predicted,
                labels,
            };
            without(&counts, parts)
        }
        (_, Targets::Labels { flags, labels }) => {
            let counts = OfLabels {
                counts: LabelCounts::of(outputs, flags, *labels),
                outputs,
                flags,
                labels: *labels,
            };
            without(&counts, parts)
        }
        (_, Targets::Numbers { values, scale }) => {
            let width = scale.outputs();
            let columns = (0..width).map(|column| match score {
                Score::R2 => explained_without(outputs, values, column, width, parts),
                Score::MedianAbsoluteError => {
                    let sizes = sizes(score, outputs, values, column, width);
                    let medians = medians_without(&sizes, parts).into_iter();
                    let deviation = scale.deviation[column];
                    medians
                        .map(|median| Some(finish(score, median?, deviation)))
                        .collect()
                }
                _ => {
                    let sizes = [sizes(score, outputs, values, column, width)];
                    let deviation = scale.deviation[column];
                    without(
                        &Sums::new(&sizes, |mean| finish(score, mean[0], deviation)),
                        parts,
                    )
                }
            });
            means(&columns.collect::<Vec<_>>(), parts.len())
        }
    }
}

/// The mean over columns of what they give for each part, of those that give anything.
fn means(columns: &[Vec<Option<f64>>], parts: usize) -> Vec<Option<f64>> {
    let of = |part: usize| mean(columns.iter().filter_map(|column| column[part]));
    (0..parts).map(of).collect()
}

/// What a score is computed from, where examples can be taken out of it.
trait Removable: Clone {
    fn remove(&mut self, example: usize);
    fn figure(&self) -> Option<f64>;
}

fn without(whole: &impl Removable, parts: &[Vec<usize>]) -> Vec<Option<f64>> {
    let of = |part: &Vec<usize>| {
        let mut left = whole.clone();
        part.iter().for_each(|&example| left.remove(example));
        left.figure()
    };
    parts.iter().map(of).collect()
}

#[derive(Clone)]
struct OfClasses<'a> {
    counts: Confusion,
    score: Score,
    predicted: &'a [u32],
    labels: &'a [u32],
}

impl Removable for OfClasses<'_> {
    fn remove(&mut self, example: usize) {
        self.counts
            .remove(self.predicted[example], self.labels[example]);
    }
    fn figure(&self) -> Option<f64> {
        self.counts.figure(self.score)
    }
}

#[derive(Clone)]
struct OfLabels<'a> {
    counts: LabelCounts,
    outputs: &'a [f32],
    flags: &'a [bool],
    labels: usize,
}

impl Removable for OfLabels<'_> {
    fn remove(&mut self, example: usize) {
        let place = example * self.labels..(example + 1) * self.labels;
        self.counts
            .remove(&self.outputs[place.clone()], &self.flags[place]);
    }
    fn figure(&self) -> Option<f64> {
        self.counts.f1()
    }
}

/// Sums of numbers that examples have, and what follows from their means.
#[derive(Clone)]
struct Sums<'a, F> {
    of: &'a [Vec<f64>],
    sums: Vec<f64>,
    count: usize,
    figure: F,
}

impl<'a, F: Fn(&[f64]) -> f64 + Clone> Sums<'a, F> {
    fn new(of: &'a [Vec<f64>], figure: F) -> Self {
        Self {
            of,
            sums: of.iter().map(|values| values.iter().sum()).collect(),
            count: of[0].len(),
            figure,
        }
    }
}

impl<F: Fn(&[f64]) -> f64 + Clone> Removable for Sums<'_, F> {
    fn remove(&mut self, example: usize) {
        for (sum, values) in self.sums.iter_mut().zip(self.of) {
            *sum -= values[example];
        }
        self.count -= 1;
    }
    fn figure(&self) -> Option<f64> {
        let count = self.count as f64;
        // A sum that lost all it had may be left below 0 by rounding, which has no root.
        let means: Vec<f64> = self.sums.iter().map(|sum| (sum / count).max(0.0)).collect();
        (self.count > 0).then(|| (self.figure)(&means))
    }
}

/// R2 of one output without each part: about the mean of all, so that what is left of a sum of squares loses no digits.
fn explained_without(
    outputs: &[f32],
    values: &[f32],
    column: usize,
    width: usize,
    parts: &[Vec<usize>],
) -> Vec<Option<f64>> {
    let of = |numbers: &[f32]| -> Vec<f64> {
        let column = numbers.iter().skip(column).step_by(width);
        column.map(|&x| f64::from(x)).collect()
    };
    let (given, wanted) = (of(outputs), of(values));
    let middle = mean(wanted.iter().copied()).unwrap_or(0.0);
    let from_middle: Vec<f64> = wanted.iter().map(|y| y - middle).collect();
    let missed: Vec<f64> = given
        .iter()
        .zip(&wanted)
        .map(|(x, y)| square(x - y))
        .collect();
    let squares = |of: &[f64]| of.iter().map(|&x| square(x)).sum::<f64>();
    let (all_missed, all_spread) = (missed.iter().sum::<f64>(), squares(&from_middle));
    let sum: f64 = from_middle.iter().sum();
    let without = |part: &Vec<usize>| {
        let count = wanted.len() - part.len();
        if count == 0 {
            return None;
        }
        let of = |numbers: &[f64]| -> Vec<f64> { part.iter().map(|&at| numbers[at]).collect() };
        let gone = of(&from_middle);
        let left = sum - gone.iter().sum::<f64>();
        let spread = all_spread - squares(&gone) - square(left) / count as f64;
        let missed = all_missed - of(&missed).iter().sum::<f64>();
        // What rounding leaves of nothing is nothing.
        let kept = |left: f64, all: f64| if left <= 1e-12 * all { 0.0 } else { left };
        Some(explained(
            kept(missed, all_missed),
            kept(spread, all_spread),
        ))
    };
    parts.iter().map(without).collect()
}

/// The median without each part, which takes some places out of the sorted numbers.
fn medians_without(sizes: &[f64], parts: &[Vec<usize>]) -> Vec<Option<f64>> {
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    order.sort_by(|&a, &b| sizes[a].total_cmp(&sizes[b]));
    let mut place = vec![0; sizes.len()];
    for (at, &example) in order.iter().enumerate() {
        place[example] = at;
    }
    let without = |part: &Vec<usize>| {
        let mut gone: Vec<usize> = part.iter().map(|&example| place[example]).collect();
        gone.sort_unstable();
        let left = sizes.len() - gone.len();
        let nth = |n: usize| {
            let at = gone
                .iter()
                .fold(n, |at, &gone| at + usize::from(gone <= at));
            sizes[order[at]]
        };
        match left {
            0 => None,
            _ => Some(f64::midpoint(nth((left - 1) / 2), nth(left / 2))),
        }
    };
    parts.iter().map(without).collect()
}

/// The mean area under the curves without each part. Pairs of a positive and a negative are counted; those within a
/// part are taken away twice, and given back once.
fn areas_without(all: &[Ranked], parts: &[Vec<usize>]) -> Vec<Option<f64>> {
    let of = |ranked: &Ranked| -> Vec<Option<f64>> {
        let won = won_pairs(ranked);
        let (positives, negatives) = ranked.counts();
        let total: f64 = halved(&won);
        let without = |part: &Vec<usize>| {
            let inner = ranked.select(part);
            let (less_positives, less_negatives) = inner.counts();
            let within = match part.len() {
                1 => 0.0,
                _ => halved(&won_pairs(&inner)),
            };
            let lost: f64 = part.iter().map(|&example| won[example]).sum();
            let pairs = (positives - less_positives) * (negatives - less_negatives);
            (pairs > 0).then(|| (total - lost + within) / pairs as f64)
        };
        parts.iter().map(without).collect()
    };
    let areas: Vec<_> = all.iter().map(of).collect();
    means(&areas, parts.len())
}

/// Each pair is counted by both of its examples.
fn halved(won: &[f64]) -> f64 {
    won.iter().sum::<f64>() / 2.0
}

/// For each example the pairs that it is part of and in which the positive scores higher; ties count half.
fn won_pairs(ranked: &Ranked) -> Vec<f64> {
    let order = ranked.order();
    let (positives, _) = ranked.counts();
    let (mut positives_below, mut negatives_below) = (0, 0);
    let mut won = vec![0.0; order.len()];
    for tied in ranked.ties(&order) {
        let hits = tied
            .iter()
            .filter(|&&example| ranked.positive[example])
            .count();
        let misses = tied.len() - hits;
        for &example in tied {
            won[example] = if ranked.positive[example] {
                negatives_below as f64 + misses as f64 / 2.0
            } else {
                (positives - positives_below - hits) as f64 + hits as f64 / 2.0
            };
        }
        positives_below += hits;
        negatives_below += misses;
    }
    won
}

/// The average precision without each part: by sums from the end where a part is one example, and anew for
/// a group.
fn precisions_without(ranked: &Ranked, parts: &[Vec<usize>]) -> Vec<Option<f64>> {
    let singles = parts.iter().all(|part| part.len() == 1);
    if singles {
        let all = precisions_without_one(ranked);
        return parts.iter().map(|part| all[part[0]]).collect();
    }
    let mut kept = vec![true; ranked.scores.len()];
    let without = |part: &Vec<usize>| {
        part.iter().for_each(|&example| kept[example] = false);
        let left: Vec<usize> = (0..kept.len()).filter(|&example| kept[example]).collect();
        part.iter().for_each(|&example| kept[example] = true);
        ranked.select(&left).average_precision()
    };
    parts.iter().map(without).collect()
}

/// The average precision without each single example. A threshold above the example is as it was; one below has an
/// example less, and a hit less if that was one.
fn precisions_without_one(ranked: &Ranked) -> Vec<Option<f64>> {
    let mut order = ranked.order();
    order.reverse();
    let (positives, _) = ranked.counts();
    // Of each threshold: hits gained there, hits and examples up to it.
    let (mut hits, mut seen) = (0usize, 0usize);
    let thresholds = ranked.ties(&order).map(|tied| {
        let gained = tied
            .iter()
            .filter(|&&example| ranked.positive[example])
            .count();
        hits += gained;
        seen += tied.len();
        (gained, hits, seen)
    });
    let thresholds: Vec<(usize, usize, usize)> = thresholds.collect();
    let term = |gained: usize, hits: usize, seen: usize| match gained {
        0 => 0.0,
        _ => gained as f64 * hits as f64 / seen as f64,
    };
    let mut below = vec![(0.0, 0.0); thresholds.len() + 1];
    for (at, &(gained, hits, seen)) in thresholds.iter().enumerate().rev() {
        let (hit_less, miss_less) = below[at + 1];
        let hit_gone = term(gained, hits.saturating_sub(1), seen - 1);
        below[at] = (
            hit_less + hit_gone,
            miss_less + term(gained, hits, seen - 1),
        );
    }
    let mut without = vec![None; order.len()];
    let mut above = 0.0;
    for (at, tied) in ranked.ties(&order).enumerate() {
        let (gained, hits, seen) = thresholds[at];
        for &example in tied {
            let (sum, left) = if ranked.positive[example] {
                (
                    term(gained - 1, hits - 1, seen - 1) + below[at + 1].0,
                    positives - 1,
                )
            } else {
                (term(gained, hits, seen - 1) + below[at + 1].1, positives)
            };
            without[example] = (left > 0).then(|| (above + sum) / left as f64);
        }
        above += term(gained, hits, seen);
    }
    without
}
