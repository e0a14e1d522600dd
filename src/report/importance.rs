//! Which decisions mattered: the mean score of each option, and the share of the scores' variance that a
//! decision explains by itself.
//!
//! The shares are those of a functional analysis of variance over a random forest (Hutter, Hoos and
//! Leyton-Brown 2014): trees are fitted to the trials, and the variance of a tree over the whole space is
//! divided exactly, since a tree is constant on boxes. That a decision was not made, because another left
//! it out, counts as an option of its own.

mod forest;

use crate::random::Seed;
use crate::run::{RecordedRun, RunError};
use crate::statistics;
use crate::training::Direction;
use forest::Forest;
use serde::Serialize;
use std::collections::BTreeMap;

/// The fewest trials that anything is said of.
pub const FEWEST: usize = 8;

/// Which decisions mattered in the trials of some runs over one space.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Importance {
    /// Trials with a score.
    pub trials: usize,
    /// The share of the variance of scores that the forest explains in trials it was not fitted to;
    /// below 0 it explains nothing.
    pub explained: f64,
    /// The decisions, the most important first.
    pub decisions: Vec<DecisionEffect>,
}

/// What a decision does to scores.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DecisionEffect {
    /// Its address.
    pub address: String,
    /// The share of the variance that it explains by itself.
    pub share: f64,
    /// Its options, the best first.
    pub options: Vec<OptionEffect>,
}

/// What the trials with an option scored.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OptionEffect {
    /// The option for people; nothing where the decision was not made.
    pub name: Option<String>,
    /// Trials with it.
    pub trials: usize,
    /// Their mean score.
    pub mean: f64,
    /// Their standard deviation.
    pub deviation: Option<f64>,
}

/// A trial: what was decided, and its score.
struct Observation {
    /// Option and its name by address.
    decisions: BTreeMap<String, (u32, String)>,
    score: f64,
}

impl Importance {
    /// The decisions of all trials of `runs`, which search the same space. Nothing where there are too
    /// few trials, or all score the same.
    ///
    /// # Errors
    /// When a run's space has changed.
    pub fn of(runs: &[&RecordedRun]) -> Result<Option<Self>, RunError> {
        let mut observations = Vec::new();
        for run in runs {
            let space = run.space()?;
            for row in run.trials() {
                // A network that is not in the space can't have been tried.
                // A shorter training is no measure of a full one.
                let score = row.score.filter(|_| row.fidelity.is_none());
                let (Some(score), Ok(decisions)) = (score, space.decisions(&row.genome)) else {
                    continue;
                };
                let named = decisions.into_iter();
                let decisions = named
                    .map(|decision| (decision.address, (decision.option, decision.name)))
                    .collect();
                observations.push(Observation { decisions, score });
            }
        }
        let seed = runs
            .first()
            .map_or(Seed(0), |run| run.started().experiment.seed);
        let direction = runs.first().map(|run| run.state().direction());
        let direction = direction.unwrap_or_default();
        Ok(Self::of_observations(&observations, direction, seed))
    }

    fn of_observations(
        observations: &[Observation],
        direction: Direction,
        seed: Seed,
    ) -> Option<Self> {
        let scores: Vec<f64> = observations.iter().map(|trial| trial.score).collect();
        if scores.len() < FEWEST || statistics::deviation(&scores)? == 0.0 {
            return None;
        }
        let mut addresses: Vec<&String> = Vec::new();
        for address in observations.iter().flat_map(|trial| trial.decisions.keys()) {
            addresses.push(address);
        }
        addresses.sort();
        addresses.dedup();
        let columns: Vec<Column> = addresses
            .into_iter()
            .map(|address| Column::of(address, observations))
            .filter(|column| column.options.len() > 1)
            .collect();
        let table: Vec<&[usize]> = columns
            .iter()
            .map(|column| column.values.as_slice())
            .collect();
        let sizes: Vec<usize> = columns.iter().map(|column| column.options.len()).collect();
        let forest = Forest::fit(&table, &sizes, &scores, seed.derive("importance", 0));
        let shares = forest.main_effects(&sizes);
        let effect = |(column, share): (&Column, f64)| column.effect(share, &scores, direction);
        let mut decisions: Vec<DecisionEffect> = columns.iter().zip(shares).map(effect).collect();
        decisions.sort_by(|a, b| {
            let by_share = b.share.total_cmp(&a.share);
            by_share.then_with(|| a.address.cmp(&b.address))
        });
        Some(Self {
            trials: scores.len(),
            explained: forest.explained(&table, &scores),
            decisions,
        })
    }
}

/// A decision over all trials: the options that were taken, by number.
struct Column {
    address: String,
    /// The name of each option; nothing for not being made.
    options: Vec<Option<String>>,
    /// The option of each trial, as an index.
    values: Vec<usize>,
}

impl Column {
    fn of(address: &str, observations: &[Observation]) -> Self {
        let taken = |trial: &Observation| trial.decisions.get(address).cloned();
        let mut known: BTreeMap<Option<u32>, (usize, Option<String>)> = BTreeMap::new();
        for trial in observations {
            let (option, name) = taken(trial).unzip();
            known.entry(option).or_insert((0, name));
        }
        for (index, (place, _)) in known.values_mut().enumerate() {
            *place = index;
        }
        let value = |trial: &Observation| known[&taken(trial).map(|(option, _)| option)].0;
        Self {
            address: address.to_owned(),
            values: observations.iter().map(value).collect(),
            options: known.into_values().map(|(_, name)| name).collect(),
        }
    }

    fn effect(&self, share: f64, scores: &[f64], direction: Direction) -> DecisionEffect {
        let option = |(index, name): (usize, &Option<String>)| {
            let of = self.values.iter().zip(scores);
            let of = of.filter(|(value, _)| **value == index);
            let scores: Vec<f64> = of.map(|(_, score)| *score).collect();
            OptionEffect {
                name: name.clone(),
                trials: scores.len(),
                mean: statistics::mean(&scores)
                    .expect("an option is there because a trial took it"),
                deviation: statistics::deviation(&scores),
            }
        };
        let mut options: Vec<OptionEffect> = self.options.iter().enumerate().map(option).collect();
        let fitness = |option: &OptionEffect| direction.fitness(option.mean);
        options.sort_by(|a, b| fitness(b).total_cmp(&fitness(a)));
        DecisionEffect {
            address: self.address.clone(),
            share,
            options,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Stream};

    fn trials(count: u64, score: impl Fn(&[u32], &mut Stream) -> f64) -> Vec<Observation> {
        let mut stream = Seed(3).stream(0, Purpose::Tool);
        let one = |_| {
            let taken: Vec<u32> = (0..4).map(|_| stream.below(3) as u32).collect();
            let score = score(&taken, &mut stream);
            let decisions = taken.iter().enumerate();
            let decisions = decisions
                .map(|(at, option)| (format!("d{at}"), (*option, format!("o{option}"))))
                .collect();
            Observation { decisions, score }
        };
        (0..count).map(one).collect()
    }

    #[test]
    fn the_decision_that_makes_the_score_has_nearly_all_of_the_variance() {
        let all = trials(300, |taken, _| f64::from(taken[2]));
        let found = Importance::of_observations(&all, Direction::Maximise, Seed(1)).unwrap();
        let first = &found.decisions[0];
        assert_eq!(first.address, "d2");
        assert!(first.share > 0.85 && found.explained > 0.95, "{found:?}");
        assert_eq!(first.options[0].name.as_deref(), Some("o2"));
        assert_eq!(first.options[0].mean, 2.0);
    }

    #[test]
    fn two_decisions_share_the_variance_as_they_make_it() {
        // Uniform over 0, 1, 2: the variances are 4 to 1.
        let all = trials(600, |taken, _| {
            2.0 * f64::from(taken[0]) + f64::from(taken[3])
        });
        let found = Importance::of_observations(&all, Direction::Maximise, Seed(1)).unwrap();
        let share = |address: &str| {
            let of = found
                .decisions
                .iter()
                .find(|effect| effect.address == address);
            of.unwrap().share
        };
        assert!((share("d0") - 0.8).abs() < 0.08, "{}", share("d0"));
        assert!((share("d3") - 0.2).abs() < 0.08, "{}", share("d3"));
        assert!(share("d1") < 0.03 && share("d2") < 0.03);
    }

    #[test]
    fn noise_is_not_explained() {
        let all = trials(200, |_, stream| stream.normal());
        let found = Importance::of_observations(&all, Direction::Maximise, Seed(1)).unwrap();
        assert!(found.explained < 0.1, "{}", found.explained);
        assert!(Importance::of_observations(&all[..4], Direction::Maximise, Seed(1)).is_none());
    }
}
