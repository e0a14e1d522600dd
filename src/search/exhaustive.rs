//! Exhaustive search: every architecture in the order of indices.

use super::{Controller, Moves, Observed, Proposal, TrialId};
use crate::random::Stream;
use crate::space::Sampling;
use num_bigint::BigUint;
use num_traits::{ToPrimitive, Zero};

/// How many indices without a genome are passed over before one is drawn instead. Only spaces whose
/// constraints can't be counted have such indices.
const GAPS: usize = 1 << 16;

/// One architecture after the other.
#[derive(Debug)]
pub struct Exhaustive<'s, M> {
    space: &'s M,
    next: BigUint,
}

impl<'s, M: Moves> Exhaustive<'s, M> {
    /// Exhaustive search over `space`, from its first architecture on.
    pub fn new(space: &'s M) -> Self {
        let next = BigUint::zero();
        Self { space, next }
    }
}

impl<M: Moves> Controller<M::Genome> for Exhaustive<'_, M> {
    /// After the last architecture comes the first.
    fn ask(&mut self, _: TrialId, _: u32, stream: &mut Stream) -> Proposal<M::Genome> {
        for _ in 0..GAPS {
            if self.next >= self.space.indices() {
                self.next = BigUint::zero();
            }
            let found = self.space.at(&self.next);
            self.next += 1u8;
            if let Some(genome) = found {
                return Proposal::fresh(genome);
            }
        }
        Proposal::fresh(self.space.sample(Sampling::Uniform, stream))
    }

    fn tell(&mut self, _: TrialId, _: &Observed<M::Genome>) {}

    /// Different architectures may be the same network, many in a row.
    fn patience(&self) -> u32 {
        self.space.indices().to_u32().unwrap_or(u32::MAX)
    }
}
