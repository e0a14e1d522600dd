//! Random search: every trial an independent draw (Bergstra and Bengio, 2012).

use super::{Controller, Observed, Proposal, TrialId};
use crate::random::Stream;
use crate::space::{Sampling, SearchSpace};

/// Independent draws from a space.
#[derive(Debug)]
pub struct RandomSearch<'s> {
    space: &'s SearchSpace,
    sampling: Sampling,
}

impl<'s> RandomSearch<'s> {
    /// Random search over `space`.
    pub fn new(space: &'s SearchSpace, sampling: Sampling) -> Self {
        Self { space, sampling }
    }
}

impl Controller for RandomSearch<'_> {
    fn ask(&mut self, _trial: TrialId, _attempt: u32, stream: &mut Stream) -> Proposal {
        let genome = self.space.sample(self.sampling, stream);
        Proposal::fresh(genome)
    }

    fn tell(&mut self, _trial: TrialId, _result: &Observed) {}
}
