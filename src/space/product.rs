//! Spaces whose decisions do not depend on each other, as numbers: a genome is its index.
//!
//! What costs a walk over a plan in general is a division here. Every move draws from its stream what
//! [`SearchSpace`] draws, so the same stream gives the same genomes in either form.

use super::plan::Decide;
use super::{Genome, Sampling, SearchSpace};
use crate::random::Stream;
use num_bigint::BigUint;
use num_traits::{ToPrimitive, Zero};
use std::sync::Arc;

/// The largest space that is looked through to see whether it is a product.
const LARGEST: u64 = 1 << 20;

/// A space in which every genome makes the same decisions with the same options.
#[derive(Clone, Debug)]
pub struct ProductSpace {
    places: Vec<Place>,
    /// The places with more than one option.
    open: Vec<usize>,
    len: u64,
}

/// A genome of a [`ProductSpace`]: its index in the space it was made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProductGenome(pub u64);

#[derive(Clone, Debug)]
struct Place {
    address: Arc<str>,
    options: Vec<u32>,
    weights: Vec<f64>,
    /// By how much the index grows from one option to the next.
    stride: u64,
}

impl Place {
    fn len(&self) -> u64 {
        self.options.len() as u64
    }

    fn digit(&self, genome: ProductGenome) -> u64 {
        genome.0 / self.stride % self.len()
    }

    fn with(&self, genome: ProductGenome, digit: u64) -> ProductGenome {
        ProductGenome(genome.0 - self.digit(genome) * self.stride + digit * self.stride)
    }
}

impl ProductSpace {
    /// The space as a product, if it is one and has at most 2^20 genomes: all of them are looked at.
    pub fn of(space: &SearchSpace) -> Option<Self> {
        let len = space.indices().to_u64().filter(|&len| len <= LARGEST)?;
        let mut first = First::default();
        space.walk(&mut first);
        let mut places = first.places;
        let mut stride = 1u64;
        for place in places.iter_mut().rev() {
            place.stride = stride;
            stride = stride.checked_mul(place.len())?;
        }
        if stride != len {
            return None;
        }
        let open = (0..places.len()).filter(|&at| places[at].options.len() > 1);
        let open = open.collect();
        let product = Self { places, open, len };
        let mut number = 0;
        for genome in space.iter_from(&BigUint::zero()) {
            if !product.agrees(ProductGenome(number), &genome) {
                return None;
            }
            number += 1;
        }
        (number == len).then_some(product)
    }

    /// The number of genomes.
    #[expect(clippy::len_without_is_empty, reason = "no space is empty")]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// The genome with this index, if there is one.
    pub fn get(&self, index: u64) -> Option<ProductGenome> {
        (index < self.len).then_some(ProductGenome(index))
    }

    /// Draws a genome.
    pub fn sample(&self, sampling: Sampling, stream: &mut Stream) -> ProductGenome {
        if sampling == Sampling::Uniform {
            return ProductGenome(stream.below(self.len));
        }
        let mut index = 0;
        for &at in &self.open {
            let place = &self.places[at];
            index += stream.weighted(&place.weights) as u64 * place.stride;
        }
        ProductGenome(index)
    }

    /// A genome with `edits` decisions changed, one after the other.
    pub fn mutate(
        &self,
        genome: ProductGenome,
        edits: usize,
        stream: &mut Stream,
    ) -> ProductGenome {
        let mut genome = genome;
        for _ in 0..edits {
            if self.open.is_empty() {
                break;
            }
            let place = &self.places[self.open[stream.index(self.open.len())]];
            let other = stream.below(place.len() - 1);
            let skipped = u64::from(other >= place.digit(genome));
            genome = place.with(genome, other + skipped);
        }
        genome
    }

    /// A genome that takes each decision from either parent with the same probability.
    pub fn crossover(
        &self,
        a: ProductGenome,
        b: ProductGenome,
        stream: &mut Stream,
    ) -> ProductGenome {
        let mut index = 0;
        for place in &self.places {
            let parent = if stream.below(2) == 0 { a } else { b };
            index += place.digit(parent) * place.stride;
        }
        ProductGenome(index)
    }

    /// Every genome with one decision changed, in the order of decisions and options.
    pub fn neighbours(&self, genome: ProductGenome) -> Vec<ProductGenome> {
        let mut neighbours = Vec::new();
        for &at in &self.open {
            let place = &self.places[at];
            let others = (0..place.len()).filter(|&digit| digit != place.digit(genome));
            neighbours.extend(others.map(|digit| place.with(genome, digit)));
        }
        neighbours
    }

    /// Shows each decision: its address and the number of the option.
    pub fn decisions(&self, genome: ProductGenome, see: &mut dyn FnMut(&str, u32)) {
        for place in &self.places {
            see(&place.address, place.options[place.digit(genome) as usize]);
        }
    }

    fn agrees(&self, number: ProductGenome, genome: &Genome) -> bool {
        let mut decisions = genome.iter();
        let mut agrees = true;
        self.decisions(number, &mut |address, option| {
            agrees &= decisions.next() == Some((address, option));
        });
        agrees && decisions.next().is_none()
    }
}

/// Takes the first option everywhere and notes what was offered.
#[derive(Default)]
struct First {
    places: Vec<Place>,
    rehearsals: usize,
}

impl Decide for First {
    fn decide(&mut self, address: &Arc<str>, offered: &[u32], weights: &[f64]) -> usize {
        if self.rehearsals == 0 {
            self.places.push(Place {
                address: Arc::clone(address),
                options: offered.to_vec(),
                weights: weights.to_vec(),
                stride: 1,
            });
        }
        0
    }

    fn rehearse(&mut self, on: bool) {
        self.rehearsals = if on {
            self.rehearsals + 1
        } else {
            self.rehearsals - 1
        };
    }
}
