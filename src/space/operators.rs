//! Moves among the genomes of a space. All are edits of the map of decisions, so they work on every
//! space; a walk repairs what no longer fits, so every genome they give is complete and valid.

use super::plan::Prefer;
use super::{Genome, SearchSpace};
use crate::random::Stream;
use std::sync::Arc;

impl SearchSpace {
    /// A genome with `edits` decisions changed, one after the other, and what no longer fits drawn
    /// afresh. A space of one returns it unchanged.
    pub fn mutate(&self, genome: &Genome, edits: usize, stream: &mut Stream) -> Genome {
        self.admitted(genome, stream, |stream| {
            let mut current = genome.clone();
            for _ in 0..edits {
                match self.edit(&current, stream) {
                    Some(edited) => current = edited,
                    None => break,
                }
            }
            current
        })
    }

    /// The first of several draws that meets constraints that walks don't know of, or `genome`.
    fn admitted(
        &self,
        genome: &Genome,
        stream: &mut Stream,
        mut draw: impl FnMut(&mut Stream) -> Genome,
    ) -> Genome {
        let Some(filter) = self.filter() else {
            return draw(stream);
        };
        for _ in 0..filter.tries() {
            let drawn = draw(stream);
            if filter.admits(&drawn) {
                return drawn;
            }
        }
        genome.clone()
    }

    /// The genome with one decision changed, if any can be.
    fn edit(&self, genome: &Genome, stream: &mut Stream) -> Option<Genome> {
        let mut taken = self.walk(&mut Prefer::new(genome, stream));
        let is_open = |at: &usize| taken[*at].offered.len() > 1;
        let open: Vec<usize> = (0..taken.len()).filter(is_open).collect();
        if open.is_empty() {
            return None;
        }
        let place = &mut taken[open[stream.index(open.len())]];
        let others: Vec<u32> = place
            .offered
            .iter()
            .copied()
            .filter(|&option| option != place.option)
            .collect();
        place.option = others[stream.index(others.len())];
        Some(self.complete(&Genome::of_taken(taken), stream))
    }

    /// Every genome with one decision changed, in the order of decisions and options; what no longer
    /// fits is drawn afresh. Those that constraints forbid are left out.
    pub fn neighbours(&self, genome: &Genome, stream: &mut Stream) -> Vec<Genome> {
        let taken = self.walk(&mut Prefer::new(genome, stream));
        let decided: Vec<(Arc<str>, u32)> = taken
            .iter()
            .map(|taken| (Arc::clone(&taken.address), taken.option))
            .collect();
        let mut neighbours = Vec::new();
        for (at, place) in taken.iter().enumerate() {
            for &option in place
                .offered
                .iter()
                .filter(|&&option| option != place.option)
            {
                let mut edited = decided.clone();
                edited[at].1 = option;
                let neighbour = self.complete(&Genome::of(edited), stream);
                let fits = self.filter().is_none_or(|filter| filter.admits(&neighbour));
                if fits {
                    neighbours.push(neighbour);
                }
            }
        }
        neighbours
    }

    /// A genome with every decision at or below a random decision's address drawn afresh.
    pub fn resample_subtree(&self, genome: &Genome, stream: &mut Stream) -> Genome {
        self.admitted(genome, stream, |stream| self.resampled(genome, stream))
    }

    fn resampled(&self, genome: &Genome, stream: &mut Stream) -> Genome {
        let Some(prefix) = self.random_address(genome, stream) else {
            return genome.clone();
        };
        let kept = genome
            .iter()
            .filter(|(address, _)| !is_below(address, &prefix));
        self.complete(&kept.collect(), stream)
    }

    /// A genome that takes each decision from either parent with the same probability.
    pub fn crossover(&self, a: &Genome, b: &Genome, stream: &mut Stream) -> Genome {
        self.admitted(a, stream, |stream| self.mixed(a, b, stream))
    }

    fn mixed(&self, a: &Genome, b: &Genome, stream: &mut Stream) -> Genome {
        let mut theirs = b.finder();
        let mut from_a = Vec::new();
        for (address, option) in a.iter() {
            if theirs.find(address).is_none() || stream.below(2) == 0 {
                from_a.push((address, option));
            }
        }
        self.complete(&b.iter().chain(from_a).collect(), stream)
    }

    /// The first parent with everything at or below a random decision's address taken from the
    /// second.
    pub fn crossover_subtree(&self, a: &Genome, b: &Genome, stream: &mut Stream) -> Genome {
        self.admitted(a, stream, |stream| self.grafted(a, b, stream))
    }

    fn grafted(&self, a: &Genome, b: &Genome, stream: &mut Stream) -> Genome {
        let Some(prefix) = self.random_address(a, stream) else {
            return a.clone();
        };
        let kept = a.iter().filter(|(address, _)| !is_below(address, &prefix));
        let taken = b.iter().filter(|(address, _)| is_below(address, &prefix));
        self.complete(&kept.chain(taken).collect(), stream)
    }

    fn random_address(&self, genome: &Genome, stream: &mut Stream) -> Option<Arc<str>> {
        let taken = self.walk(&mut Prefer::new(genome, stream));
        let is_open = |at: &usize| taken[*at].offered.len() > 1;
        let open: Vec<usize> = (0..taken.len()).filter(is_open).collect();
        if open.is_empty() {
            return None;
        }
        Some(Arc::clone(&taken[open[stream.index(open.len())]].address))
    }
}

fn is_below(address: &str, prefix: &str) -> bool {
    address
        .strip_prefix(prefix)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '[']))
}
