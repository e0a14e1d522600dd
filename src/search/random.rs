//! Random search: every trial an independent draw (Bergstra and Bengio, 2012).

use super::{Controller, Moves, Observed, Proposal, TrialId};
use crate::random::Stream;
use crate::space::Sampling;

/// Independent draws from a space.
#[derive(Debug)]
pub struct RandomSearch<'s, M> {
    space: &'s M,
    sampling: Sampling,
}

impl<'s, M: Moves> RandomSearch<'s, M> {
    /// Random search over `space`.
    pub fn new(space: &'s M, sampling: Sampling) -> Self {
        Self { space, sampling }
    }
}

impl<M: Moves> Controller<M::Genome> for RandomSearch<'_, M> {
    fn ask(&mut self, _: TrialId, _: u32, stream: &mut Stream) -> Proposal<M::Genome> {
        Proposal::fresh(self.space.sample(self.sampling, stream))
    }

    fn draws(&self) -> bool {
        true
    }

    fn tell(&mut self, _: TrialId, _: &Observed<M::Genome>) {}
}
