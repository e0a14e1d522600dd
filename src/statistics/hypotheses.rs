//! Whether two samples differ, and by how much: tests by ranks, which assume no distribution.

use super::distributions::normal_above;
use super::ranks::{groups, ranks};

/// How a p-value was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// From all arrangements.
    Exact,
    /// By the normal approximation, corrected for ties and continuity.
    Normal,
}

/// The result of a two-sided test.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tested {
    /// The statistic: U of the first sample, or the sum of the positive ranks.
    pub statistic: f64,
    /// How probable a statistic at least as far out is if there is no difference.
    pub p: f64,
    /// How `p` was found.
    pub method: Method,
}

/// Samples up to this size are tested exactly, unless they have ties (as SciPy does).
const EXACT_RANK_SUM: usize = 8;
/// Pairs up to this many are tested exactly if they have no ties and no zeros (as SciPy does).
const EXACT_SIGNED: usize = 50;
/// Pairs up to this many are tested exactly whatever they hold (as SciPy does).
const EXACT_SIGNED_WITH_TIES: usize = 13;

/// The test of Mann and Whitney (1947): whether a value of `x` tends to be larger or smaller than one
/// of `y`. Exact where a sample has at most 8 values and none are equal. Nothing where a sample is empty.
pub fn mann_whitney(x: &[f64], y: &[f64]) -> Option<Tested> {
    if x.is_empty() || y.is_empty() {
        return None;
    }
    let all = [x, y].concat();
    let (n, m) = (x.len(), y.len());
    let sum: f64 = ranks(&all)[..n].iter().sum();
    let statistic = sum - (n * (n + 1)) as f64 / 2.0;
    let larger = statistic.max((n * m) as f64 - statistic);
    let ties = groups(&all);
    let exact = n.min(m) <= EXACT_RANK_SUM && ties.iter().all(|&size| size == 1);
    let (p, method) = if exact {
        let doubled: Vec<usize> = (1..=n + m).map(|rank| 2 * rank).collect();
        let least = 2 * (larger as usize + n * (n + 1) / 2);
        let share = share_of_choices(&doubled, n, least);
        (2.0 * share, Method::Exact)
    } else {
        let total = (n + m) as f64;
        let tied: f64 = ties.iter().map(|&size| cube_less_one(size)).sum();
        let variance = (n * m) as f64 / 12.0 * ((total + 1.0) - tied / (total * (total - 1.0)));
        let z = (larger - (n * m) as f64 / 2.0 - 0.5) / libm::sqrt(variance);
        let p = if variance > 0.0 { normal_above(z) } else { 0.5 };
        (2.0 * p, Method::Normal)
    };
    Some(Tested {
        statistic,
        p: p.min(1.0),
        method,
    })
}

/// The signed-rank test of Wilcoxon (1945) on pairs: whether their differences lie around zero. Pairs
/// without a difference are left out. Exact for up to 50 pairs, or up to 13 where differences are equal
/// or zero. Nothing where there are no pairs.
pub fn wilcoxon(x: &[f64], y: &[f64]) -> Option<Tested> {
    assert_eq!(x.len(), y.len(), "a signed-rank test is of pairs");
    let differences: Vec<f64> = x.iter().zip(y).map(|(a, b)| a - b).collect();
    if differences.is_empty() {
        return None;
    }
    let left: Vec<f64> = differences
        .iter()
        .copied()
        .filter(|&difference| difference != 0.0)
        .collect();
    let sizes: Vec<f64> = left.iter().map(|difference| difference.abs()).collect();
    let ranked = ranks(&sizes);
    let statistic: f64 = ranked
        .iter()
        .zip(&left)
        .filter(|&(_, &difference)| difference > 0.0)
        .map(|(rank, _)| rank)
        .sum();
    let ties = groups(&sizes);
    let plain = left.len() == differences.len() && ties.iter().all(|&size| size == 1);
    let most = if plain {
        EXACT_SIGNED
    } else {
        EXACT_SIGNED_WITH_TIES
    };
    let (p, method) = if differences.len() <= most {
        (signed_exact(&ranked, statistic), Method::Exact)
    } else {
        (signed_normal(left.len(), &ties, statistic), Method::Normal)
    };
    Some(Tested {
        statistic,
        p: p.min(1.0),
        method,
    })
}

fn signed_exact(ranked: &[f64], statistic: f64) -> f64 {
    let doubled: Vec<usize> = ranked.iter().map(|rank| (2.0 * rank) as usize).collect();
    let ways = subset_sums(&doubled);
    let at = (2.0 * statistic) as usize;
    let total: f64 = ways.iter().sum();
    let below: f64 = ways[..=at].iter().sum();
    let above: f64 = ways[at..].iter().sum();
    2.0 * below.min(above) / total
}

fn signed_normal(count: usize, ties: &[usize], statistic: f64) -> f64 {
    let n = count as f64;
    let tied: f64 = ties.iter().map(|&size| cube_less_one(size)).sum();
    let variance = (n * (n + 1.0) * (2.0 * n + 1.0) - tied / 2.0) / 24.0;
    if variance <= 0.0 {
        return 1.0;
    }
    let away = (statistic - n * (n + 1.0) / 4.0).abs();
    let continuity = if away == 0.0 { 0.0 } else { 0.5 };
    2.0 * normal_above((away - continuity) / libm::sqrt(variance))
}

fn cube_less_one(size: usize) -> f64 {
    let size = size as f64;
    size * size * size - size
}

/// In how many ways each sum comes out of a subset.
fn subset_sums(items: &[usize]) -> Vec<f64> {
    let mut ways = vec![0.0; items.iter().sum::<usize>() + 1];
    ways[0] = 1.0;
    for &item in items {
        for sum in (item..ways.len()).rev() {
            ways[sum] += ways[sum - item];
        }
    }
    ways
}

/// The share of the choices of `count` items whose sum is at least `least`.
fn share_of_choices(items: &[usize], count: usize, least: usize) -> f64 {
    let most: usize = items.iter().rev().take(count).sum();
    let mut ways = vec![vec![0.0; most + 1]; count + 1];
    ways[0][0] = 1.0;
    for &item in items {
        for chosen in (1..=count).rev() {
            let (fewer, more) = ways.split_at_mut(chosen);
            let (fewer, more) = (&fewer[chosen - 1], &mut more[0]);
            for sum in item..=most {
                more[sum] += fewer[sum - item];
            }
        }
    }
    let total: f64 = ways[count].iter().sum();
    ways[count][least.min(most + 1)..].iter().sum::<f64>() / total
}

/// p-values corrected for being several, in the order given: Holm's step-down method (1979). The chance
/// that any of them is below a level by accident is at most that level.
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    let mut corrected = vec![0.0; p_values.len()];
    let mut largest: f64 = 0.0;
    for (rank, &index) in order.iter().enumerate() {
        let scaled = p_values[index] * (p_values.len() - rank) as f64;
        largest = largest.max(scaled.min(1.0));
        corrected[index] = largest;
    }
    corrected
}

/// Vargha and Delaney's A12 (2000): the probability that a value of `x` is above one of `y`, equal ones
/// counted half. 0.5 means no difference; 0.56, 0.64 and 0.71 are called small, medium and large.
pub fn vargha_delaney(x: &[f64], y: &[f64]) -> Option<f64> {
    let statistic = mann_whitney(x, y)?.statistic;
    Some(statistic / (x.len() * y.len()) as f64)
}
