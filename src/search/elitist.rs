//! Evolution with survival of the fittest: mu + lambda (Schwefel, 1981) and NSGA-II (Deb, Pratap,
//! Agarwal and Meyarivan, 2002).
//!
//! Both draw parents by tournament, and after every lambda results let the best mu of parents and
//! offspring survive. They differ in what is best: the score alone, or non-dominated rank and crowding
//! over several objectives.

use super::evolution::{ATTEMPTS_PER_EDIT, FRESH_FROM_ATTEMPT};
use super::{Controller, Fitness, Moves, Observed, Proposal, TrialId, pareto};
use crate::random::Stream;
use crate::space::Sampling;

/// What is best.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Survival {
    /// The score.
    Score,
    /// Non-dominated rank by score and costs, then the distance to the neighbours on the front.
    Pareto,
}

/// What elitist evolution can be told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ElitistSettings {
    /// How fresh architectures are drawn.
    pub sampling: Sampling,
    /// Who survives.
    pub survival: Survival,
    /// Mu, how many survive; at least 1.
    pub population: usize,
    /// Lambda, after how many results survivors are chosen; at least 1.
    pub offspring: usize,
    /// How many survivors compete to be a parent; at least 1.
    pub sample: usize,
    /// The probability that a child has two parents.
    pub crossover: f64,
    /// How many decisions of a child are changed.
    pub edits: usize,
}

/// Elitist evolution over a space.
#[derive(Debug)]
pub struct Elitist<'s, M: Moves> {
    space: &'s M,
    settings: ElitistSettings,
    /// The survivors, the best first.
    parents: Vec<Member<M::Genome>>,
    offspring: Vec<Member<M::Genome>>,
    /// Results since survivors were chosen, failed trials included.
    told: usize,
}

#[derive(Clone, Debug)]
struct Member<G> {
    trial: TrialId,
    genome: G,
    fitness: Fitness,
    costs: Vec<f64>,
}

impl<G> Member<G> {
    /// What is to be small.
    fn objectives(&self) -> Vec<f64> {
        let mut objectives = vec![-self.fitness.score];
        objectives.extend(&self.costs);
        objectives
    }
}

impl<'s, M: Moves> Elitist<'s, M> {
    /// Elitist evolution that has seen nothing yet.
    ///
    /// # Panics
    /// When the population, the offspring or the sample is 0.
    pub fn new(space: &'s M, settings: ElitistSettings) -> Self {
        assert!(
            settings.population > 0 && settings.offspring > 0 && settings.sample > 0,
            "a tournament needs members"
        );
        Self {
            space,
            settings,
            parents: Vec::new(),
            offspring: Vec::new(),
            told: 0,
        }
    }

    fn fresh(&self, stream: &mut Stream) -> Proposal<M::Genome> {
        Proposal::fresh(self.space.sample(self.settings.sampling, stream))
    }

    /// The best of a random sample, drawn with replacement.
    fn tournament(&self, stream: &mut Stream) -> &Member<M::Genome> {
        let mut place = stream.index(self.parents.len());
        for _ in 1..self.settings.sample {
            place = place.min(stream.index(self.parents.len()));
        }
        &self.parents[place]
    }

    fn child(&self, edits: usize, stream: &mut Stream) -> Proposal<M::Genome> {
        let first = self.tournament(stream);
        let mut parents = vec![first.trial];
        let mut genome = first.genome.clone();
        if self.settings.crossover > 0.0 && stream.unit() < self.settings.crossover {
            let second = self.tournament(stream);
            if second.trial != first.trial {
                parents.push(second.trial);
                genome = self.space.crossover(&genome, &second.genome, stream);
            }
        }
        Proposal::child(self.space.mutate(&genome, edits, stream), parents)
    }

    fn select(&mut self) {
        self.told = 0;
        self.parents.append(&mut self.offspring);
        self.sort();
        if self.parents.len() > self.settings.population {
            self.parents.truncate(self.settings.population);
            if self.settings.survival == Survival::Pareto {
                // Crowding is a matter of who is left.
                self.sort();
            }
        }
    }

    /// The best first; of equals the earlier.
    fn sort(&mut self) {
        match self.settings.survival {
            Survival::Score => {
                let by_fitness = |a: &Member<_>, b: &Member<_>| b.fitness.compare(&a.fitness);
                self.parents.sort_by(by_fitness);
            }
            Survival::Pareto => {
                let points: Vec<Vec<f64>> = self.parents.iter().map(Member::objectives).collect();
                let order = pareto::order(&points);
                let sorted = order.into_iter().map(|place| self.parents[place].clone());
                self.parents = sorted.collect();
            }
        }
    }
}

impl<M: Moves> Controller<M::Genome> for Elitist<'_, M> {
    fn ask(&mut self, trial: TrialId, attempt: u32, stream: &mut Stream) -> Proposal<M::Genome> {
        let initial = trial.0 < self.settings.population as u64;
        if initial || attempt >= FRESH_FROM_ATTEMPT || self.parents.is_empty() {
            return self.fresh(stream);
        }
        self.child(
            self.settings.edits + (attempt / ATTEMPTS_PER_EDIT) as usize,
            stream,
        )
    }

    fn draws(&self) -> bool {
        true
    }

    fn tell(&mut self, trial: TrialId, result: &Observed<M::Genome>) {
        if let Some(fitness) = result.fitness {
            self.offspring.push(Member {
                trial,
                genome: result.genome.clone(),
                fitness,
                costs: result.costs.clone(),
            });
        }
        self.told += 1;
        let filling = self.parents.len() < self.settings.population;
        if filling || self.told >= self.settings.offspring {
            self.select();
        }
    }
}
