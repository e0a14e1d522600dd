//! Local search with restarts (den Ottelander, Dushatskiy, Virgolin and Bosman, 2021; White, Nolen and
//! Savani, 2021): all architectures one decision away from the centre are tried, the centre moves to a
//! better one, and where there is none it starts anew elsewhere.
//!
//! A proposal may be due before the results of its forerunners are in. Fresh draws stand in then; each
//! may be the next centre.

use super::evolution::FRESH_FROM_ATTEMPT;
use super::{Controller, Fitness, Moves, Observed, Proposal, TrialId};
use crate::random::Stream;
use crate::space::Sampling;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// When the centre moves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// To the first neighbour that is better.
    #[default]
    First,
    /// To the best neighbour, once all are known.
    Best,
}

/// What local search can be told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LocalSettings {
    /// How fresh architectures are drawn.
    pub sampling: Sampling,
    /// When the centre moves.
    pub step: Step,
    /// How many draws are made before each climb, which begins at the best of them; at least 1.
    pub initial: usize,
}

/// Local search over a space.
#[derive(Debug)]
pub struct LocalSearch<'s, M: Moves> {
    space: &'s M,
    settings: LocalSettings,
    centre: Option<Known<M::Genome>>,
    /// The centre's neighbours that were not proposed yet; nothing until they are asked for.
    neighbours: Option<Vec<M::Genome>>,
    /// Proposed neighbours of the centre without a result.
    pending: BTreeSet<TrialId>,
    /// Better than the centre, and not moved to yet.
    better: Option<Known<M::Genome>>,
    /// Results since the last climb ended.
    starts: usize,
}

#[derive(Clone, Debug)]
struct Known<G> {
    trial: TrialId,
    genome: G,
    fitness: Fitness,
}

impl<'s, M: Moves> LocalSearch<'s, M> {
    /// Local search that has seen nothing yet.
    pub fn new(space: &'s M, settings: LocalSettings) -> Self {
        Self {
            space,
            settings,
            centre: None,
            neighbours: None,
            pending: BTreeSet::new(),
            better: None,
            starts: 0,
        }
    }

    fn fresh(&self, stream: &mut Stream) -> Proposal<M::Genome> {
        Proposal::fresh(self.space.sample(self.settings.sampling, stream))
    }

    /// The next neighbour of the centre, if there is a centre and it has one left.
    fn next_neighbour(&mut self, stream: &mut Stream) -> Option<Proposal<M::Genome>> {
        let centre = self.centre.as_ref()?;
        let neighbours = self.neighbours.get_or_insert_with(|| {
            let mut all = self.space.neighbours(&centre.genome, stream);
            stream.shuffle(&mut all);
            all
        });
        let genome = neighbours.pop()?;
        Some(Proposal::child(genome, vec![centre.trial]))
    }

    fn move_to(&mut self, centre: Option<Known<M::Genome>>) {
        self.centre = centre;
        self.neighbours = None;
        self.better = None;
        self.pending.clear();
        self.starts = 0;
    }

    /// Takes note of a result while no climb is on.
    fn consider_start(&mut self) {
        self.starts += 1;
        if self.starts >= self.settings.initial && self.better.is_some() {
            let start = self.better.take();
            self.move_to(start);
        }
    }
}

impl<M: Moves> Controller<M::Genome> for LocalSearch<'_, M> {
    fn ask(&mut self, trial: TrialId, attempt: u32, stream: &mut Stream) -> Proposal<M::Genome> {
        self.pending.remove(&trial);
        if attempt >= FRESH_FROM_ATTEMPT {
            return self.fresh(stream);
        }
        if let Some(proposal) = self.next_neighbour(stream) {
            self.pending.insert(trial);
            return proposal;
        }
        if self.centre.is_some() && self.pending.is_empty() {
            let next = self.better.take();
            self.move_to(next);
            if let Some(proposal) = self.next_neighbour(stream) {
                self.pending.insert(trial);
                return proposal;
            }
        }
        self.fresh(stream)
    }

    fn tell(&mut self, trial: TrialId, result: &Observed<M::Genome>) {
        self.pending.remove(&trial);
        if let Some(fitness) = result.fitness {
            let held = self.better.as_ref().or(self.centre.as_ref());
            if held.is_none_or(|held| fitness.is_better_than(&held.fitness)) {
                let genome = result.genome.clone();
                self.better = Some(Known {
                    trial,
                    genome,
                    fitness,
                });
            }
        }
        if self.centre.is_none() {
            self.consider_start();
        } else if self.settings.step == Step::First && self.better.is_some() {
            let better = self.better.take();
            self.move_to(better);
        }
    }
}
