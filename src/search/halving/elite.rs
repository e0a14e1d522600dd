//! The candidates that came highest: the parents of a guided search.

use crate::random::Stream;
use crate::search::{Fitness, TrialId};

/// A candidate at the highest level that it reached.
#[derive(Clone, Debug)]
pub(super) struct Elite<G> {
    pub trial: TrialId,
    pub genome: G,
    level: usize,
    fitness: Fitness,
}

/// The best candidates, the best first: by level, then by fitness there, then by age.
#[derive(Clone, Debug)]
pub(super) struct Elites<G> {
    most: usize,
    members: Vec<Elite<G>>,
}

impl<G: PartialEq> Elites<G> {
    /// Keeps up to `most`.
    pub fn new(most: usize) -> Self {
        let members = Vec::new();
        Self { most, members }
    }

    pub fn len(&self) -> usize {
        self.members.len()
    }

    pub fn contains(&self, trial: TrialId) -> bool {
        self.members.iter().any(|elite| elite.trial == trial)
    }

    /// A candidate has a result at a level; it takes the place of one on a lower level.
    pub fn add(&mut self, trial: TrialId, genome: G, level: usize, fitness: Fitness) {
        self.members
            .retain(|elite| elite.genome != genome || elite.level > level);
        if self.members.iter().any(|elite| elite.genome == genome) {
            return;
        }
        self.members.push(Elite {
            trial,
            genome,
            level,
            fitness,
        });
        self.members.sort_by(|a, b| {
            let by_level = b.level.cmp(&a.level);
            by_level.then_with(|| b.fitness.compare(&a.fitness))
        });
        self.members.truncate(self.most);
    }

    /// The best of a random sample, drawn with replacement.
    ///
    /// # Panics
    /// When there is none.
    pub fn tournament(&self, sample: usize, stream: &mut Stream) -> &Elite<G> {
        let drawn = (0..sample.max(1)).map(|_| stream.index(self.members.len()));
        let best = drawn.min().expect("a tournament has members");
        &self.members[best]
    }
}
