//! What runs come to: figures for each controller, and tests between them.

use super::run::{Bench, CURVE, Point, Run};
use crate::statistics;
use serde::Serialize;

/// A comparison in figures.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// What it is called.
    pub name: String,
    /// Runs of each controller.
    pub seeds: u64,
    /// The controllers, as in the file.
    pub controllers: Vec<Row>,
    /// Every pair of controllers, each once.
    pub pairs: Vec<Pair>,
}

/// A controller in figures. Final scores are those of the trials with the best search score; runs
/// without one are left out.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// What it is called.
    pub name: String,
    /// Runs with a final score.
    pub runs: u64,
    /// Mean final score.
    pub mean: Option<f64>,
    /// Sample standard deviation of the final score.
    pub deviation: Option<f64>,
    /// Median final score.
    pub median: Option<f64>,
    /// Interquartile range of the final score.
    pub iqr: Option<f64>,
    /// Mean rank among the controllers by final score, over the seeds; 1 is the best.
    pub rank: f64,
    /// Mean trials of a run.
    pub trials: f64,
    /// Median trials until the best so far had the target; nothing where half of the runs never did.
    pub held: Option<f64>,
    /// Median trials until some trial had the target; nothing where half of the runs never did.
    pub met: Option<f64>,
    /// The share of runs whose best so far had the target.
    pub reached: f64,
    /// Runs that ended because nothing was left to try.
    pub exhausted: u64,
    /// Mean and quartiles of the best so far over the budget.
    pub curve: Vec<CurvePoint>,
}

/// The runs of a controller at some time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct CurvePoint {
    /// Simulated seconds or trials.
    pub at: f64,
    /// Mean of the final score of the best so far.
    pub mean: Option<f64>,
    /// First quartile.
    pub low: Option<f64>,
    /// Third quartile.
    pub high: Option<f64>,
}

/// Two controllers compared by their final scores.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Pair {
    /// One.
    pub a: String,
    /// The other.
    pub b: String,
    /// Mean of `a` minus mean of `b`.
    pub difference: f64,
    /// The probability that a run of `a` beats one of `b` (Vargha and Delaney's A12).
    pub a12: f64,
    /// Two-sided p-value of Mann and Whitney's test.
    pub p: f64,
    /// The same, corrected for the number of pairs (Holm).
    pub holm: f64,
}

impl Report {
    /// The figures of a comparison's runs.
    pub fn of(bench: &Bench, runs: &[Vec<Run>]) -> Self {
        let names = bench.file().controller.iter().map(|entry| &*entry.name);
        let ranks = mean_ranks(runs);
        let rows = names.clone().zip(runs).zip(ranks);
        let controllers = rows
            .map(|((name, runs), rank)| Row::of(name, runs, rank))
            .collect();
        let names: Vec<&str> = names.collect();
        Self {
            name: bench.file().name.clone(),
            seeds: bench.file().seeds,
            controllers,
            pairs: pairs(&names, runs),
        }
    }

    /// Every run as CSV.
    pub fn runs_csv(&self, runs: &[Vec<Run>]) -> String {
        let mut out = String::from(
            "controller,seed,trials,simulated_seconds,score,final,held_after,met_after,exhausted\n",
        );
        for (row, runs) in self.controllers.iter().zip(runs) {
            for run in runs {
                out.push_str(&format!(
                    "{},{},{},{},{},{},{},{},{}\n",
                    quoted(&row.name),
                    run.seed,
                    run.trials,
                    run.seconds,
                    cell(run.score),
                    cell(run.last),
                    cell(run.held),
                    cell(run.met),
                    run.exhausted
                ));
            }
        }
        out
    }

    /// The curves as CSV.
    pub fn curves_csv(&self) -> String {
        let mut out = String::from("controller,at,mean,low,high\n");
        for row in &self.controllers {
            for point in &row.curve {
                let (mean, low, high) = (cell(point.mean), cell(point.low), cell(point.high));
                out.push_str(&format!(
                    "{},{},{mean},{low},{high}\n",
                    quoted(&row.name),
                    point.at
                ));
            }
        }
        out
    }
}

impl Row {
    fn of(name: &str, runs: &[Run], rank: f64) -> Self {
        let finals = finals(runs);
        let trials: Vec<f64> = runs.iter().map(|run| run.trials as f64).collect();
        let held: Vec<Option<u64>> = runs.iter().map(|run| run.held).collect();
        let met: Vec<Option<u64>> = runs.iter().map(|run| run.met).collect();
        let reached = held.iter().flatten().count();
        let curve = (0..CURVE).map(|place| curve_point(runs, place)).collect();
        Self {
            name: name.to_owned(),
            runs: finals.len() as u64,
            mean: statistics::mean(&finals),
            deviation: statistics::deviation(&finals),
            median: statistics::median(&finals),
            iqr: statistics::interquartile_range(&finals),
            rank,
            trials: statistics::mean(&trials).unwrap_or(0.0),
            held: median_of_reached(&held),
            met: median_of_reached(&met),
            reached: reached as f64 / runs.len().max(1) as f64,
            exhausted: runs.iter().filter(|run| run.exhausted).count() as u64,
            curve,
        }
    }
}

fn curve_point(runs: &[Run], place: usize) -> CurvePoint {
    let points: Vec<Point> = runs.iter().map(|run| run.curve[place]).collect();
    let known: Vec<f64> = points.iter().filter_map(|point| point.last).collect();
    CurvePoint {
        at: points.first().map_or(0.0, |point| point.at),
        mean: statistics::mean(&known),
        low: statistics::quantile(&known, 0.25),
        high: statistics::quantile(&known, 0.75),
    }
}

fn finals(runs: &[Run]) -> Vec<f64> {
    runs.iter().filter_map(|run| run.last).collect()
}

/// The median of how long it took, where never is longer than any; nothing if that is never.
fn median_of_reached(after: &[Option<u64>]) -> Option<f64> {
    let known = |after: &Option<u64>| after.map_or(f64::INFINITY, |after| after as f64);
    let after: Vec<f64> = after.iter().map(known).collect();
    statistics::median(&after).filter(|median| median.is_finite())
}

/// The mean rank of each controller over the seeds; a run without a final score is last.
fn mean_ranks(runs: &[Vec<Run>]) -> Vec<f64> {
    let seeds = runs.first().map_or(0, Vec::len);
    let mut totals = vec![0.0; runs.len()];
    for seed in 0..seeds {
        let worst = |run: &Run| -run.last.unwrap_or(f64::NEG_INFINITY);
        let row: Vec<f64> = runs.iter().map(|runs| worst(&runs[seed])).collect();
        for (total, rank) in totals.iter_mut().zip(statistics::ranks(&row)) {
            *total += rank;
        }
    }
    totals
        .iter()
        .map(|total| total / seeds.max(1) as f64)
        .collect()
}

fn pairs(names: &[&str], runs: &[Vec<Run>]) -> Vec<Pair> {
    let finals: Vec<Vec<f64>> = runs.iter().map(|runs| finals(runs)).collect();
    let mut pairs = Vec::new();
    for a in 0..finals.len() {
        for b in a + 1..finals.len() {
            let (x, y) = (&finals[a], &finals[b]);
            let tested = statistics::mann_whitney(x, y);
            let (Some(tested), Some(a12)) = (tested, statistics::vargha_delaney(x, y)) else {
                continue;
            };
            let mean = |values| statistics::mean(values).unwrap_or(f64::NAN);
            pairs.push(Pair {
                a: names[a].to_owned(),
                b: names[b].to_owned(),
                difference: mean(x) - mean(y),
                a12,
                p: tested.p,
                holm: f64::NAN,
            });
        }
    }
    let p_values: Vec<f64> = pairs.iter().map(|pair| pair.p).collect();
    for (pair, holm) in pairs.iter_mut().zip(statistics::holm(&p_values)) {
        pair.holm = holm;
    }
    pairs
}

fn cell<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

fn quoted(name: &str) -> String {
    if name.contains([',', '"', '\n']) {
        format!("\"{}\"", name.replace('"', "\"\""))
    } else {
        name.to_owned()
    }
}
