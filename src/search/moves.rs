//! What controllers do with a space, so that the same controller works on any of its forms.

use crate::random::{Purpose, Seed, Stream};
use crate::space::{Genome, ProductGenome, ProductSpace, Sampling, SearchSpace};
use num_bigint::BigUint;
use num_traits::ToPrimitive;
use std::fmt;

/// A space as controllers see it: genomes, and moves from one to another. A genome is known by its
/// decisions alone, each an address with the number of an option.
pub trait Moves: fmt::Debug + Sync {
    /// One member of the space.
    type Genome: Clone + PartialEq + fmt::Debug + Send + Sync;

    /// Draws a genome.
    fn sample(&self, sampling: Sampling, stream: &mut Stream) -> Self::Genome;

    /// A genome with `edits` decisions changed, one after the other.
    fn mutate(&self, genome: &Self::Genome, edits: usize, stream: &mut Stream) -> Self::Genome;

    /// A genome that takes each decision from either parent.
    fn crossover(&self, a: &Self::Genome, b: &Self::Genome, stream: &mut Stream) -> Self::Genome;

    /// Every genome with one decision changed, in the order of decisions and options.
    fn neighbours(&self, genome: &Self::Genome, stream: &mut Stream) -> Vec<Self::Genome>;

    /// How many options the decision at `address` has, if every genome makes it.
    fn options(&self, address: &str) -> Option<u32>;

    /// The genome with another option at `address`, if that is one of the space.
    fn with(&self, genome: &Self::Genome, address: &str, option: u32) -> Option<Self::Genome>;

    /// Indices are below this number.
    fn indices(&self) -> BigUint;

    /// The genome with this index. Not every index needs to have one.
    fn at(&self, index: &BigUint) -> Option<Self::Genome>;

    /// Shows each decision of a genome: its address and the number of the option.
    fn decisions(&self, genome: &Self::Genome, see: &mut dyn FnMut(&str, u32));
}

impl Moves for SearchSpace {
    type Genome = Genome;

    fn sample(&self, sampling: Sampling, stream: &mut Stream) -> Genome {
        Self::sample(self, sampling, stream)
    }

    fn mutate(&self, genome: &Genome, edits: usize, stream: &mut Stream) -> Genome {
        Self::mutate(self, genome, edits, stream)
    }

    fn crossover(&self, a: &Genome, b: &Genome, stream: &mut Stream) -> Genome {
        Self::crossover(self, a, b, stream)
    }

    fn neighbours(&self, genome: &Genome, stream: &mut Stream) -> Vec<Genome> {
        Self::neighbours(self, genome, stream)
    }

    fn options(&self, address: &str) -> Option<u32> {
        let mut stream = Seed(0).stream(0, Purpose::Tool);
        let genome = Self::sample(self, Sampling::Prior, &mut stream);
        let decisions = Self::decisions(self, &genome).ok()?;
        let found = decisions.into_iter().find(|it| it.address == address)?;
        found.offered.into_iter().max().map(|last| last + 1)
    }

    fn with(&self, genome: &Genome, address: &str, option: u32) -> Option<Genome> {
        let mut changed = genome.clone();
        changed.insert(address, option);
        self.decode(&changed).is_ok().then_some(changed)
    }

    fn indices(&self) -> BigUint {
        Self::indices(self)
    }

    fn at(&self, index: &BigUint) -> Option<Genome> {
        self.get(index)
    }

    fn decisions(&self, genome: &Genome, see: &mut dyn FnMut(&str, u32)) {
        genome
            .iter()
            .for_each(|(address, option)| see(address, option));
    }
}

impl Moves for ProductSpace {
    type Genome = ProductGenome;

    fn sample(&self, sampling: Sampling, stream: &mut Stream) -> ProductGenome {
        Self::sample(self, sampling, stream)
    }

    fn mutate(&self, genome: &ProductGenome, edits: usize, stream: &mut Stream) -> ProductGenome {
        Self::mutate(self, *genome, edits, stream)
    }

    fn crossover(
        &self,
        a: &ProductGenome,
        b: &ProductGenome,
        stream: &mut Stream,
    ) -> ProductGenome {
        Self::crossover(self, *a, *b, stream)
    }

    fn neighbours(&self, genome: &ProductGenome, _: &mut Stream) -> Vec<ProductGenome> {
        Self::neighbours(self, *genome)
    }

    fn options(&self, _: &str) -> Option<u32> {
        None
    }

    fn with(&self, _: &ProductGenome, _: &str, _: u32) -> Option<ProductGenome> {
        None
    }

    fn indices(&self) -> BigUint {
        BigUint::from(self.len())
    }

    fn at(&self, index: &BigUint) -> Option<ProductGenome> {
        self.get(index.to_u64()?)
    }

    fn decisions(&self, genome: &ProductGenome, see: &mut dyn FnMut(&str, u32)) {
        Self::decisions(self, *genome, see);
    }
}
