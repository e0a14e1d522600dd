//! Search by a model of the scores, in the manner of BANANAS (White, Neiswanger and Savani, 2021).
//!
//! After some draws, a [forest](forest) learns from all results what scores decisions lead to. It judges
//! a few dozen candidates, most of them children of the best so far, and the most promising is tried.
//! The trees disagree where little is known; the upper end of their guesses, or independent Thompson
//! sampling, turns that into curiosity.

mod encoding;
mod forest;

pub use encoding::Encoding;

use super::{Controller, Fitness, Moves, Observed, Proposal, TrialId};
use crate::random::Stream;
use crate::space::Sampling;
use encoding::Columns;
use forest::{Forest, Row};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// The most results that are learnt from, the latest.
const MEMORY: usize = 1024;

/// Of so many candidates one is a fresh draw, the others are children.
const FRESH_SHARE: usize = 4;

/// How a guess and its uncertainty become one figure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Acquisition {
    /// A draw from the normal distribution that the guess describes, independent for each candidate.
    Thompson,
    /// The guess alone.
    Mean,
    /// The guess and one standard deviation.
    #[default]
    Upper,
}

/// What predictor-guided search can be told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PredictorSettings {
    /// How fresh architectures are drawn.
    pub sampling: Sampling,
    /// How many draws come first; at least 1.
    pub initial: usize,
    /// How many of the best results have children among the candidates; at least 1.
    pub population: usize,
    /// How many candidates are judged for a trial; at least 1.
    pub candidates: usize,
    /// How many trees there are; at least 1.
    pub members: usize,
    /// After how many results the model is made anew; at least 1.
    pub refit: usize,
    /// What the model sees of a genome.
    pub encoding: Encoding,
    /// How a candidate is judged.
    pub acquisition: Acquisition,
}

/// Predictor-guided search over a space.
#[derive(Debug)]
pub struct Predictor<'s, M: Moves> {
    space: &'s M,
    settings: PredictorSettings,
    columns: Columns,
    rows: VecDeque<(Row, f64)>,
    /// The best results, the best first.
    best: Vec<(TrialId, M::Genome, Fitness)>,
    forest: Option<Forest>,
    /// Results since the forest was grown.
    told: usize,
    /// The candidates for the trial that was asked for last, the most promising last.
    ranking: Vec<(M::Genome, Option<TrialId>)>,
}

impl<'s, M: Moves> Predictor<'s, M> {
    /// Predictor-guided search that has seen nothing yet.
    pub fn new(space: &'s M, settings: PredictorSettings) -> Self {
        Self {
            space,
            settings,
            columns: Columns::new(settings.encoding),
            rows: VecDeque::new(),
            best: Vec::new(),
            forest: None,
            told: 0,
            ranking: Vec::new(),
        }
    }

    fn refit(&mut self, stream: &mut Stream) {
        if self.forest.is_some() && self.told < self.settings.refit {
            return;
        }
        self.told = 0;
        let rows: Vec<Row> = self.rows.iter().map(|(row, _)| row.clone()).collect();
        let scores: Vec<f64> = self.rows.iter().map(|(_, score)| *score).collect();
        let targets = targets(&scores);
        self.forest = Some(Forest::grow(&rows, &targets, self.settings.members, stream));
    }

    /// Candidates, the most promising last.
    fn rank(&mut self, stream: &mut Stream) {
        self.refit(stream);
        let candidates: Vec<_> = (0..self.settings.candidates)
            .map(|number| self.candidate(number, stream))
            .collect();
        let forest = self.forest.as_ref().expect("it was grown just now");
        let mut judged = Vec::with_capacity(candidates.len());
        for (genome, parent) in candidates {
            let row = self.columns.row(self.space, &genome);
            let (mean, deviation) = forest.guess(&row);
            let promise = match self.settings.acquisition {
                Acquisition::Thompson => mean + deviation * stream.normal(),
                Acquisition::Mean => mean,
                Acquisition::Upper => mean + deviation,
            };
            judged.push((promise, genome, parent));
        }
        judged.sort_by(|a, b| a.0.total_cmp(&b.0));
        let ranking = judged
            .into_iter()
            .map(|(_, genome, parent)| (genome, parent));
        self.ranking = ranking.collect();
    }

    fn candidate(&self, number: usize, stream: &mut Stream) -> (M::Genome, Option<TrialId>) {
        if number.is_multiple_of(FRESH_SHARE) {
            return (self.space.sample(self.settings.sampling, stream), None);
        }
        let (trial, genome, _) = &self.best[stream.index(self.best.len())];
        let edits = 1 + stream.index(2);
        (self.space.mutate(genome, edits, stream), Some(*trial))
    }
}

impl<M: Moves> Controller<M::Genome> for Predictor<'_, M> {
    fn ask(&mut self, trial: TrialId, attempt: u32, stream: &mut Stream) -> Proposal<M::Genome> {
        if trial.0 < self.settings.initial as u64 || self.best.is_empty() {
            return Proposal::fresh(self.space.sample(self.settings.sampling, stream));
        }
        if attempt == 0 {
            self.rank(stream);
        }
        match self.ranking.pop() {
            Some((genome, parent)) => Proposal::child(genome, parent.into_iter().collect()),
            None => Proposal::fresh(self.space.sample(self.settings.sampling, stream)),
        }
    }

    fn tell(&mut self, trial: TrialId, result: &Observed<M::Genome>) {
        let known = |fitness: &Fitness| fitness.score.is_finite();
        let Some(fitness) = result.fitness.filter(known) else {
            return;
        };
        let row = self.columns.learn(self.space, &result.genome);
        self.rows.push_back((row, fitness.score));
        if self.rows.len() > MEMORY {
            self.rows.pop_front();
        }
        self.told += 1;
        let better = |held: &(_, _, Fitness)| held.2.compare(&fitness).is_ge();
        let place = self.best.partition_point(better);
        self.best
            .insert(place, (trial, result.genome.clone(), fitness));
        self.best.truncate(self.settings.population);
    }
}

/// What the model learns of scores: only their order, and the more of it the higher they are. Scores of
/// networks that fail to learn would otherwise drown the differences that matter.
fn targets(scores: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[a].total_cmp(&scores[b]));
    let mut targets = vec![0.0; scores.len()];
    let total = scores.len() as f64;
    let mut start = 0;
    while start < order.len() {
        let equal = |&&at: &&usize| scores[at] == scores[order[start]];
        let end = start + order[start..].iter().take_while(equal).count();
        let middle = (start + end) as f64 / 2.0;
        for &at in &order[start..end] {
            targets[at] = -libm::log(1.0 - middle / (total + 0.5));
        }
        start = end;
    }
    targets
}

#[cfg(test)]
mod tests {
    use super::targets;

    #[test]
    fn targets_keep_the_order_and_give_equals_the_same() {
        let targets = targets(&[3.0, 1.0, 2.0, 2.0, 1e9]);
        assert!(targets[1] < targets[2] && targets[2] == targets[3]);
        assert!(targets[3] < targets[0] && targets[0] < targets[4]);
    }
}
