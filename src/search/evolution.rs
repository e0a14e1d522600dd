//! Regularized evolution (Real, Aggarwal, Huang and Le, 2019).
//!
//! The population is the latest trials; the oldest dies, not the worst. A parent is the best of a
//! random sample, its child differs in one decision. A failed trial takes its place in the population
//! and ages with it, but is never a parent.

use super::{Controller, ControllerSettings, Fitness, Observed, Proposal, TrialId};
use crate::random::Stream;
use crate::space::{Genome, SearchSpace};
use std::collections::VecDeque;

/// How many attempts change one decision more than those before, when children keep turning out to
/// have been tried already.
const ATTEMPTS_PER_EDIT: u32 = 8;

/// From this attempt on, a trial is drawn afresh: the neighbourhood is used up.
const FRESH_FROM_ATTEMPT: u32 = 64;

/// Regularized evolution over a space.
#[derive(Debug)]
pub struct Evolution<'s> {
    space: &'s SearchSpace,
    settings: ControllerSettings,
    population: VecDeque<Member>,
}

#[derive(Debug)]
struct Member {
    trial: TrialId,
    genome: Genome,
    fitness: Option<Fitness>,
}

impl<'s> Evolution<'s> {
    /// Evolution that has seen nothing yet.
    ///
    /// # Panics
    /// When the population or the sample is 0.
    pub fn new(space: &'s SearchSpace, settings: ControllerSettings) -> Self {
        assert!(
            settings.population > 0 && settings.sample > 0,
            "a tournament needs members"
        );
        Self {
            space,
            settings,
            population: VecDeque::new(),
        }
    }

    fn fresh(&self, stream: &mut Stream) -> Proposal {
        let genome = self.space.sample(self.settings.sampling, stream);
        Proposal::fresh(genome)
    }

    /// The best of a random sample, drawn with replacement; of equals the first drawn. Nothing if no
    /// member has a result.
    fn tournament(&self, stream: &mut Stream) -> Option<&Member> {
        let able: Vec<(&Member, Fitness)> = self
            .population
            .iter()
            .filter_map(|member| Some((member, member.fitness?)))
            .collect();
        if able.is_empty() {
            return None;
        }
        let mut best = able[stream.index(able.len())];
        for _ in 1..self.settings.sample {
            let rival = able[stream.index(able.len())];
            if rival.1.compare(&best.1).is_gt() {
                best = rival;
            }
        }
        Some(best.0)
    }

    fn child(&self, edits: usize, stream: &mut Stream) -> Option<Proposal> {
        let first = self.tournament(stream)?;
        let mut parents = vec![first.trial];
        let mut genome = first.genome.clone();
        // Without crossover no draw is spent on it, so a run's trials don't depend on the feature.
        if self.settings.crossover > 0.0 && stream.unit() < self.settings.crossover {
            let second = self.tournament(stream)?;
            if second.trial != first.trial {
                parents.push(second.trial);
                genome = self.space.crossover(&genome, &second.genome, stream);
            }
        }
        let genome = self.space.mutate(&genome, edits, stream);
        Some(Proposal::child(genome, parents))
    }
}

impl Controller for Evolution<'_> {
    fn ask(&mut self, trial: TrialId, attempt: u32, stream: &mut Stream) -> Proposal {
        let initial = trial.0 < self.settings.population as u64;
        if initial || attempt >= FRESH_FROM_ATTEMPT {
            return self.fresh(stream);
        }
        let edits = 1 + (attempt / ATTEMPTS_PER_EDIT) as usize;
        self.child(edits, stream)
            .unwrap_or_else(|| self.fresh(stream))
    }

    fn tell(&mut self, trial: TrialId, result: &Observed) {
        let (genome, fitness) = (result.genome.clone(), result.fitness);
        self.population.push_back(Member {
            trial,
            genome,
            fitness,
        });
        if self.population.len() > self.settings.population {
            self.population.pop_front();
        }
    }
}
