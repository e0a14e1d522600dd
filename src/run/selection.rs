//! Choosing among the trials of a run by more than their score: bounds, and the front of several
//! objectives. Trials at less than the highest fidelity are no answers, and are left out.

use super::error::RunError;
use super::figures::{ARCHITECTURE_FIGURES, figure};
use super::record::{Proposal, TrialFinished};
use super::reference::{Ends, Extent, extents};
use super::state::Outcome;
use super::summary::{RecordedRun, TrialRow};
use crate::search::{TrialId, pareto};
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
    /// The share that the front dominates of what lies between the reference point and the ideal point.
    pub hypervolume: f64,
    /// Those two points, objective by objective.
    pub extents: Vec<Extent>,
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
    pub(super) fn admits(&self, figure: f64) -> bool {
        match self.limit {
            Limit::Most(most) => figure <= most,
            Limit::Least(least) => figure >= least,
        }
    }

    /// By what share of the limit a figure is outside; 0 for one within.
    pub(super) fn misses_by(&self, figure: f64) -> f64 {
        let (limit, outside) = match self.limit {
            Limit::Most(most) => (most, figure - most),
            Limit::Least(least) => (least, least - figure),
        };
        match self.admits(figure) {
            true => 0.0,
            false if limit == 0.0 => outside,
            false => outside / limit.abs(),
        }
    }
}

/// An amount with a unit of thousands, as in `250`, `100k`, `2.5M` or `1G`.
///
/// # Errors
/// When it is none: in words.
pub fn amount(text: &str) -> Result<f64, String> {
    let (digits, unit) = match text.char_indices().last() {
        Some((at, 'k')) => (&text[..at], 1e3),
        Some((at, 'M')) => (&text[..at], 1e6),
        Some((at, 'G')) => (&text[..at], 1e9),
        _ => (text, 1.0),
    };
    let number: f64 = digits
        .parse()
        .map_err(|_| format!("`{text}` is no number such as `250`, `100k`, `2.5M` or `1G`"))?;
    Ok(number * unit)
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
        let mut fronts = fronts(&[self], further, &Ends::default())?;
        Ok(fronts.remove(0))
    }

    /// Every answer with its score and further figures.
    pub(super) fn scored(&self, further: &[String]) -> Result<Vec<FrontRow>, RunError> {
        let mut trials = Vec::new();
        for ((_, finished), mut figures) in self.answers(further)? {
            figures.insert(0, finished.score);
            let trial = finished.trial;
            trials.push(FrontRow { trial, figures });
        }
        Ok(trials)
    }

    /// Every trial that has a score at the highest fidelity, with its named figures.
    pub(super) fn answers(
        &self,
        names: &[String],
    ) -> Result<Vec<(Answer<'_>, Vec<f64>)>, RunError> {
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
pub(super) type Answer<'a> = (&'a Proposal, &'a TrialFinished);

pub(super) fn unknown(name: &str, evaluated: &BTreeMap<String, f64>) -> RunError {
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

/// The fronts of runs by `score` and further figures, with one reference point and one ideal point for all of them.
///
/// # Errors
/// When the trials of a run have no such figure, `ends` names another one or makes no sense, or a folder's space has
/// changed.
pub fn fronts(
    runs: &[&RecordedRun],
    further: &[String],
    ends: &Ends,
) -> Result<Vec<Front>, RunError> {
    let objectives = std::iter::once("score".to_owned()).chain(further.iter().cloned());
    let objectives: Vec<String> = objectives.collect();
    let scored = runs.iter().map(|run| run.scored(further));
    let scored: Vec<Vec<FrontRow>> = scored.collect::<Result<_, _>>()?;
    let extents = extents(runs, &objectives, &scored, ends)?;
    let front = |trials: &Vec<FrontRow>| front(&objectives, trials, &extents);
    Ok(scored.iter().map(front).collect())
}

fn front(objectives: &[String], trials: &[FrontRow], extents: &[Extent]) -> Front {
    let costs = |row: &FrontRow| -> Vec<f64> {
        let pairs = extents.iter().zip(&row.figures);
        pairs.map(|(extent, &figure)| extent.cost(figure)).collect()
    };
    let points: Vec<Vec<f64>> = trials.iter().map(costs).collect();
    let front = pareto::front(&points);
    let scale = |row: &FrontRow| -> Vec<f64> {
        let pairs = extents.iter().zip(&row.figures);
        pairs
            .map(|(extent, &figure)| extent.scaled(figure))
            .collect()
    };
    let scaled: Vec<Vec<f64>> = front.iter().map(|&at| scale(&trials[at])).collect();
    let on_front: Vec<Vec<f64>> = front.iter().map(|&at| points[at].clone()).collect();
    let knee = pareto::knee(&on_front).map(|at| trials[front[at]].trial);
    let mut rows: Vec<FrontRow> = front.iter().map(|&at| trials[at].clone()).collect();
    let cost = |row: &FrontRow| extents[0].cost(row.figures[0]);
    rows.sort_by(|a, b| cost(a).total_cmp(&cost(b)));
    Front {
        objectives: objectives.to_vec(),
        trials: rows,
        hypervolume: pareto::hypervolume(&scaled, &vec![1.0; objectives.len()]),
        extents: extents.to_vec(),
        knee,
    }
}
