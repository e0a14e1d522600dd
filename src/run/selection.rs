//! Choosing among the trials of a run by more than their score: bounds, and the front of several
//! objectives. Trials at less than the highest fidelity are no answers, and are left out.

use super::error::RunError;
use super::figures::{ARCHITECTURE_FIGURES, figure};
use super::record::{Proposal, TrialFinished};
use super::state::Outcome;
use super::summary::{RecordedRun, TrialRow};
use crate::evaluation::as_cost;
use crate::search::{TrialId, pareto};
use crate::training::Direction;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;

/// Figures of trials that no other trial beats in all of them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Front {
    /// The objectives, the score first. The score has a direction of its own; quality is to be large and costs are to be small: see [`is_gain`](crate::evaluation::is_gain).
    pub objectives: Vec<String>,
    /// The trials on the front, the best score first.
    pub trials: Vec<FrontRow>,
    /// The volume that the front dominates, each objective scaled so that all scored trials lie between
    /// 0 and 1: 1 would be a trial that is the best in everything.
    pub hypervolume: f64,
    /// The trial at the front's knee.
    pub knee: Option<TrialId>,
}

/// A trial on a front.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FrontRow {
    /// The trial.
    pub trial: TrialId,
    /// Its figures, in the order of the objectives.
    pub figures: Vec<f64>,
}

/// A bound on a figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Bound {
    /// The figure.
    pub name: String,
    /// How far it may go.
    pub limit: Limit,
}

/// How far a figure may go.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Limit {
    /// So much, or less.
    Most(f64),
    /// So much, or more.
    Least(f64),
}

impl Bound {
    fn admits(&self, figure: f64) -> bool {
        match self.limit {
            Limit::Most(most) => figure <= most,
            Limit::Least(least) => figure >= least,
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.limit {
            Limit::Most(most) => write!(f, "{} <= {most}", self.name),
            Limit::Least(least) => write!(f, "{} >= {least}", self.name),
        }
    }
}

impl RecordedRun {
    /// The best trial whose figures are within bounds; nothing if there is none.
    ///
    /// # Errors
    /// When the trials have no such figure, or the folder's space has changed.
    pub fn best_within(&self, bounds: &[Bound]) -> Result<Option<TrialRow>, RunError> {
        let names: Vec<String> = bounds.iter().map(|bound| bound.name.clone()).collect();
        let mut best: Option<(&Proposal, &TrialFinished)> = None;
        for (answer, figures) in self.answers(&names)? {
            let within = |(figure, bound): (&f64, &Bound)| bound.admits(*figure);
            let fits = figures.iter().zip(bounds).all(within);
            if fits && best.is_none_or(|held| self.state().is_better(answer, held)) {
                best = Some(answer);
            }
        }
        let mut rows = self.trials();
        Ok(best.map(|(proposal, _)| rows.swap_remove(proposal.trial.0 as usize)))
    }

    /// The front of the trials by `score`, in its direction, and further figures: costs, and quality that is to be large.
    ///
    /// # Errors
    /// When the trials have no such figure, or the folder's space has changed.
    pub fn front(&self, further: &[String]) -> Result<Front, RunError> {
        let mut trials = Vec::new();
        for ((_, finished), mut figures) in self.answers(further)? {
            figures.insert(0, finished.score);
            let trial = finished.trial;
            trials.push(FrontRow { trial, figures });
        }
        let objectives = std::iter::once("score".to_owned()).chain(further.iter().cloned());
        let objectives: Vec<String> = objectives.collect();
        let direction = self.state().direction();
        let costs = |row: &FrontRow| costs(direction, &objectives, &row.figures);
        let points: Vec<Vec<f64>> = trials.iter().map(costs).collect();
        let scaled = scaled(&points);
        let front = pareto::front(&points);
        let of_front: Vec<Vec<f64>> = front.iter().map(|&at| scaled[at].clone()).collect();
        let reference = vec![1.0; objectives.len()];
        let knee = pareto::knee(&of_front).map(|at| trials[front[at]].trial);
        let mut rows: Vec<FrontRow> = front.iter().map(|&at| trials[at].clone()).collect();
        let fitness = |row: &FrontRow| direction.fitness(row.figures[0]);
        rows.sort_by(|a, b| fitness(b).total_cmp(&fitness(a)));
        Ok(Front {
            objectives,
            trials: rows,
            hypervolume: pareto::hypervolume(&of_front, &reference),
            knee,
        })
    }

    /// Every trial that has a score at the highest fidelity, with its named figures.
    fn answers(&self, names: &[String]) -> Result<Vec<(Answer<'_>, Vec<f64>)>, RunError> {
        let state = self.state();
        let highest = state.best().map(|(proposal, _)| proposal.fidelity());
        let setup = self.setup()?;
        let mut answers = Vec::new();
        for (proposal, outcome) in state.proposals.iter().zip(&state.outcomes) {
            let Outcome::Finished(finished) = outcome else {
                continue;
            };
            if highest != Some(proposal.fidelity()) {
                continue;
            }
            let candidate = setup.space.decode(&proposal.genome);
            let candidate = candidate.expect("a trial's genome is in the space");
            let metrics = candidate.architecture.metrics();
            let named = |name: &String| {
                let found = figure(name, &metrics, &finished.metrics);
                found.ok_or_else(|| unknown(name, &finished.metrics))
            };
            let figures = names.iter().map(named).collect::<Result<_, _>>()?;
            answers.push(((proposal, finished), figures));
        }
        Ok(answers)
    }
}

/// A trial that may be chosen.
type Answer<'a> = (&'a Proposal, &'a TrialFinished);

fn unknown(name: &str, evaluated: &BTreeMap<String, f64>) -> RunError {
    let known: Vec<&str> = ARCHITECTURE_FIGURES
        .into_iter()
        .chain(evaluated.keys().map(String::as_str))
        .collect();
    let message = format!(
        "the trials have no figure of this name; they have `{}`",
        known.join("`, `")
    );
    let key = name.to_owned();
    RunError::Setting { key, message }
}

/// Figures by their names, as what is to be small; the first is the score, which gets better in this direction.
fn costs(direction: Direction, names: &[String], figures: &[f64]) -> Vec<f64> {
    let further = names.iter().zip(figures).skip(1);
    let score = -direction.fitness(figures[0]);
    let further = further.map(|(name, &figure)| as_cost(name, figure));
    std::iter::once(score).chain(further).collect()
}

/// Points with each objective scaled to the range from 0 to 1.
fn scaled(points: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let objectives = points.first().map_or(0, Vec::len);
    let range = |objective: usize| {
        let column = || points.iter().map(|point| point[objective]);
        let low = column().fold(f64::INFINITY, f64::min);
        (low, column().fold(f64::NEG_INFINITY, f64::max))
    };
    let ranges: Vec<(f64, f64)> = (0..objectives).map(range).collect();
    let scale = |(value, (low, high)): (&f64, &(f64, f64))| {
        if high > low {
            (value - low) / (high - low)
        } else {
            0.0
        }
    };
    let point = |point: &Vec<f64>| point.iter().zip(&ranges).map(scale).collect();
    points.iter().map(point).collect()
}
