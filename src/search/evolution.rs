//! Regularized evolution (Real, Aggarwal, Huang and Le, 2019).
//!
//! The population is the latest trials; the oldest dies, not the worst. A parent is the best of a
//! random sample, its child differs in one decision. A failed trial takes its place in the population
//! and ages with it, but is never a parent.

use super::{Controller, Fitness, Moves, Observed, Proposal, TrialId};
use crate::random::Stream;
use crate::space::Sampling;
use std::cmp::Ordering;
use std::collections::VecDeque;

/// How many attempts change one decision more than those before, when children keep turning out to
/// have been tried already.
pub(super) const ATTEMPTS_PER_EDIT: u32 = 8;

/// From this attempt on, a trial is drawn afresh: the neighbourhood is used up.
pub(super) const FRESH_FROM_ATTEMPT: u32 = 64;

/// What regularized evolution can be told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EvolutionSettings {
    /// How fresh architectures are drawn.
    pub sampling: Sampling,
    /// How many of the latest trials may be parents; at least 1.
    pub population: usize,
    /// How many of them compete to be a parent; at least 1.
    pub sample: usize,
    /// The probability that a child has two parents.
    pub crossover: f64,
    /// How many decisions of a child are changed.
    pub edits: usize,
    /// Whether the oldest dies; otherwise the worst does, of equals the oldest.
    pub aging: bool,
}

/// Regularized evolution over a space.
#[derive(Debug)]
pub struct Evolution<'s, M: Moves> {
    space: &'s M,
    settings: EvolutionSettings,
    population: VecDeque<Member<M::Genome>>,
    /// How many of the population failed.
    failed: usize,
}

#[derive(Debug)]
struct Member<G> {
    trial: TrialId,
    genome: G,
    fitness: Option<Fitness>,
}

impl<'s, M: Moves> Evolution<'s, M> {
    /// Evolution that has seen nothing yet.
    ///
    /// # Panics
    /// When the population or the sample is 0.
    pub fn new(space: &'s M, settings: EvolutionSettings) -> Self {
        assert!(
            settings.population > 0 && settings.sample > 0,
            "a tournament needs members"
        );
        Self {
            space,
            settings,
            population: VecDeque::with_capacity(settings.population + 1),
            failed: 0,
        }
    }

    fn fresh(&self, stream: &mut Stream) -> Proposal<M::Genome> {
        Proposal::fresh(self.space.sample(self.settings.sampling, stream))
    }

    /// The best of a random sample, drawn with replacement; of equals the first drawn. Nothing if no
    /// member has a result.
    fn tournament(&self, stream: &mut Stream) -> Option<&Member<M::Genome>> {
        let mut best = self.draw(stream)?;
        for _ in 1..self.settings.sample {
            let rival = self.draw(stream)?;
            if compare(rival, best).is_gt() {
                best = rival;
            }
        }
        Some(best)
    }

    /// A random member that has a result.
    fn draw(&self, stream: &mut Stream) -> Option<&Member<M::Genome>> {
        let able = self.population.len() - self.failed;
        if able == 0 {
            return None;
        }
        let place = stream.index(able);
        if self.failed == 0 {
            return self.population.get(place);
        }
        let mut members = self.population.iter();
        members
            .by_ref()
            .filter(|member| member.fitness.is_some())
            .nth(place)
    }

    fn child(&self, edits: usize, stream: &mut Stream) -> Option<Proposal<M::Genome>> {
        let first = self.tournament(stream)?;
        let mut parents = vec![first.trial];
        // Without crossover no draw is spent on it, so a run's trials don't depend on the feature.
        if self.settings.crossover > 0.0 && stream.unit() < self.settings.crossover {
            let second = self.tournament(stream)?;
            if second.trial != first.trial {
                parents.push(second.trial);
                let mixed = self.space.crossover(&first.genome, &second.genome, stream);
                let genome = self.space.mutate(&mixed, edits, stream);
                return Some(Proposal::child(genome, parents));
            }
        }
        let genome = self.space.mutate(&first.genome, edits, stream);
        Some(Proposal::child(genome, parents))
    }

    fn bury_one(&mut self) {
        let place = if self.settings.aging {
            0
        } else {
            let members = self.population.iter().enumerate();
            let worst = members.min_by(|(_, a), (_, b)| compare(a, b));
            worst.map_or(0, |(place, _)| place)
        };
        if let Some(dead) = self.population.remove(place) {
            self.failed -= usize::from(dead.fitness.is_none());
        }
    }
}

impl<M: Moves> Controller<M::Genome> for Evolution<'_, M> {
    fn ask(&mut self, trial: TrialId, attempt: u32, stream: &mut Stream) -> Proposal<M::Genome> {
        let initial = trial.0 < self.settings.population as u64;
        if initial || attempt >= FRESH_FROM_ATTEMPT {
            return self.fresh(stream);
        }
        let edits = self.settings.edits + (attempt / ATTEMPTS_PER_EDIT) as usize;
        self.child(edits, stream)
            .unwrap_or_else(|| self.fresh(stream))
    }

    fn may_be_parent(&self, trial: TrialId) -> bool {
        self.population.iter().any(|member| member.trial == trial)
    }

    fn draws(&self) -> bool {
        true
    }

    fn tell(&mut self, trial: TrialId, result: &Observed<M::Genome>) {
        let (genome, fitness) = (result.genome.clone(), result.fitness);
        self.failed += usize::from(fitness.is_none());
        self.population.push_back(Member {
            trial,
            genome,
            fitness,
        });
        if self.population.len() > self.settings.population {
            self.bury_one();
        }
    }
}

/// Better counts as greater; a failure is worse than any result.
fn compare<G>(a: &Member<G>, b: &Member<G>) -> Ordering {
    Fitness::compare_results(a.fitness.as_ref(), b.fitness.as_ref())
}
