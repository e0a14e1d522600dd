//! The two points that a hypervolume lies between. They come from what does not depend on the trials that were seen,
//! as far as there is such a thing: two runs can be compared only by the same points.

use super::error::RunError;
use super::figures::ARCHITECTURE_FIGURES;
use super::selection::FrontRow;
use super::summary::RecordedRun;
use crate::evaluation::is_gain;
use crate::training::{Direction, Score};
use serde::Serialize;

/// Ends of objectives that somebody names.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ends {
    /// Figures that count for nothing, by the objective's name.
    pub reference: Vec<(String, f64)>,
    /// Figures that nothing is better than, by the objective's name.
    pub ideal: Vec<(String, f64)>,
}

/// One objective of the reference point and of the ideal point.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Extent {
    /// The objective.
    pub objective: String,
    /// The figure that counts for nothing.
    pub reference: f64,
    /// Where that is from.
    pub reference_by: EndBy,
    /// The figure that nothing is better than.
    pub ideal: f64,
    /// Where that is from.
    pub ideal_by: EndBy,
    /// The way in which the objective gets better.
    pub direction: Direction,
}

/// Where an end of an objective is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EndBy {
    /// Somebody named it.
    Given,
    /// What figures of this name can be: a share of right answers from 0 to 1, R2 from predicting the mean to
    /// predicting everything, a count from 0 on.
    Range,
    /// The space's `require`.
    Require,
    /// The worst or the best of the trials: another run has another one.
    Trials,
}

impl Extent {
    /// Whether other runs have the same ends.
    pub fn is_common(&self) -> bool {
        self.reference_by != EndBy::Trials && self.ideal_by != EndBy::Trials
    }

    /// A figure as what is to be small.
    pub(super) fn cost(&self, figure: f64) -> f64 {
        -self.direction.fitness(figure)
    }

    /// Where a figure lies: 0 is the ideal and 1 the reference.
    pub(super) fn scaled(&self, figure: f64) -> f64 {
        let (low, high) = (self.cost(self.ideal), self.cost(self.reference));
        match high > low {
            true => ((self.cost(figure) - low) / (high - low)).max(0.0),
            false => 0.0,
        }
    }
}

/// The ends of each objective for the answers of all these runs.
pub(super) fn extents(
    runs: &[&RecordedRun],
    objectives: &[String],
    scored: &[Vec<FrontRow>],
    ends: &Ends,
) -> Result<Vec<Extent>, RunError> {
    for (flag, given) in [("reference", &ends.reference), ("ideal", &ends.ideal)] {
        if let Some((name, _)) = given.iter().find(|(name, _)| !objectives.contains(name)) {
            let known = objectives.join("`, `");
            return Err(wrong(
                flag,
                format!("`{name}` is no objective here; they are `{known}`"),
            ));
        }
    }
    let each = objectives.iter().enumerate();
    each.map(|(at, name)| {
        let figures = scored.iter().flatten().map(|row| row.figures[at]);
        extent(runs, name, &figures.collect::<Vec<f64>>(), ends)
    })
    .collect()
}

fn extent(
    runs: &[&RecordedRun],
    name: &str,
    figures: &[f64],
    ends: &Ends,
) -> Result<Extent, RunError> {
    let given = |ends: &[(String, f64)]| {
        let found = ends.iter().find(|(given, _)| given == name);
        found.map(|(_, figure)| (*figure, EndBy::Given))
    };
    let range = range(runs, name)?;
    let direction = direction(runs, name);
    let reference = match (given(&ends.reference), range) {
        (Some(given), _) => given,
        (None, Some((worst, _))) => (worst, EndBy::Range),
        (None, None) => match required(runs, name)? {
            Some(most) => (most, EndBy::Require),
            None => (extreme(direction, figures, true), EndBy::Trials),
        },
    };
    let best = extreme(direction, figures, false);
    let ideal = match (given(&ends.ideal), range) {
        (Some(given), _) => given,
        (None, Some((_, best))) => (best, EndBy::Range),
        // Costs are counts, times and errors: none is below 0, unless the trials say otherwise.
        (None, None) if direction == Direction::Minimise && best >= 0.0 => (0.0, EndBy::Range),
        (None, None) => (best, EndBy::Trials),
    };
    let extent = Extent {
        objective: name.to_owned(),
        reference: reference.0,
        reference_by: reference.1,
        ideal: ideal.0,
        ideal_by: ideal.1,
        direction,
    };
    let is_backwards = extent.cost(extent.ideal) >= extent.cost(extent.reference);
    let is_named = [extent.reference_by, extent.ideal_by].contains(&EndBy::Given);
    if is_backwards && is_named {
        let (worst, best) = (extent.reference, extent.ideal);
        return Err(wrong(
            "reference",
            format!("`{name}={worst}` has to be worse than the ideal, {best}"),
        ));
    }
    Ok(extent)
}

/// The worst and the best that figures of this name can be, where every run's networks are trained.
fn range(runs: &[&RecordedRun], name: &str) -> Result<Option<(f64, f64)>, RunError> {
    for run in runs {
        let name = match name {
            "score" => run.score_name()?,
            other => other,
        };
        // What a table or a program calls an accuracy may be in percent.
        let trains = run.started().experiment.evaluator.info().trains;
        let has_range = Score::named(name).is_some_and(|score| score.info().range.1.is_finite());
        if !trains || !has_range {
            return Ok(None);
        }
    }
    // R2 and Matthews' correlation are 0 where nothing is learnt; what is below counts for nothing.
    Ok(Some((0.0, 1.0)))
}

/// The way in which an objective gets better; runs that are set side by side have one score.
fn direction(runs: &[&RecordedRun], name: &str) -> Direction {
    match (name, runs.first()) {
        ("score", Some(run)) => run.state().direction(),
        _ if is_gain(name) => Direction::Maximise,
        _ => Direction::Minimise,
    }
}

/// The most that the spaces of all runs allow of a cost.
fn required(runs: &[&RecordedRun], name: &str) -> Result<Option<f64>, RunError> {
    if !ARCHITECTURE_FIGURES.contains(&name) {
        return Ok(None);
    }
    let mut most: Option<f64> = None;
    for run in runs {
        let Some(bound) = run.space()?.most(name) else {
            return Ok(None);
        };
        most = Some(most.unwrap_or(0.0).max(bound as f64));
    }
    Ok(most)
}

/// The worst figure of the trials, or the best; 0 if there are none.
fn extreme(direction: Direction, figures: &[f64], worst: bool) -> f64 {
    let known = figures.iter().copied().filter(|figure| !figure.is_nan());
    let order = |a: &f64, b: &f64| direction.fitness(*b).total_cmp(&direction.fitness(*a));
    let found = match worst {
        true => known.max_by(order),
        false => known.min_by(order),
    };
    found.unwrap_or(0.0)
}

fn wrong(key: &str, message: String) -> RunError {
    RunError::Setting {
        key: key.to_owned(),
        message,
    }
}
