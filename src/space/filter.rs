//! Constraints beyond exact counting: the space is counted and walked without them, and what is drawn
//! is asked. A small space is listed once, so that its count is exact and draws stay inside by
//! construction; of a large one, the acceptance rate is measured first, and no draw goes on for ever.

use super::Genome;
use super::build::{self, Built};
use super::count::Estimate;
use super::plan::{Decide, Plan};
use super::program::{Cost, Program};
use super::state::layer_cost;
use crate::architecture::{Architecture, Mark};
use crate::random::{Purpose, Seed};
use num_bigint::BigUint;
use std::sync::Arc;

/// The largest number of architectures that are all decoded to see which meet the constraints.
const LISTED: u64 = 1 << 15;

/// How many draws the acceptance rate is estimated from.
const DRAWS: u64 = 10_000;

/// Which networks of an unconstrained space meet the constraints.
#[derive(Debug)]
pub(super) struct Filter {
    conditions: Arc<Program>,
    pub admitted: Admitted,
}

/// What is known of them.
#[derive(Debug)]
pub(super) enum Admitted {
    /// All of them: indices in the unconstrained space in order, and their decisions.
    Listed(Vec<u64>, Vec<Genome>),
    /// How many draws met the constraints.
    Estimated(Estimate),
}

impl Filter {
    /// Looks at the networks of `plan`, of which there are `count`; nothing if none was found that
    /// meets the constraints.
    pub fn new(conditions: Arc<Program>, plan: &mut Plan, count: &BigUint) -> Option<Self> {
        let mut filter = Self {
            conditions,
            admitted: Admitted::Listed(Vec::new(), Vec::new()),
        };
        filter.admitted = match u64::try_from(count) {
            Ok(count) if count <= LISTED => filter.list(plan, count)?,
            _ => filter.estimate(plan, count)?,
        };
        Some(filter)
    }

    fn list(&self, plan: &mut Plan, count: u64) -> Option<Admitted> {
        let (mut indices, mut genomes) = (Vec::new(), Vec::new());
        for index in 0..count {
            let genome = Genome::of_taken(plan.unrank(BigUint::from(index)));
            if self.admits(&genome) {
                indices.push(index);
                genomes.push(genome);
            }
        }
        (!indices.is_empty()).then_some(Admitted::Listed(indices, genomes))
    }

    fn estimate(&self, plan: &mut Plan, count: &BigUint) -> Option<Admitted> {
        // The same draws whoever counts: the estimate belongs to the space.
        let mut stream = Seed(0).stream(0, Purpose::Tool);
        let mut admitted = 0;
        for _ in 0..DRAWS {
            let taken = plan.unrank(stream.below_big(count));
            admitted += u64::from(self.admits(&Genome::of_taken(taken)));
        }
        (admitted > 0).then(|| {
            Admitted::Estimated(Estimate {
                unconstrained: count.clone(),
                drawn: DRAWS,
                admitted,
            })
        })
    }

    /// Whether the network of a genome meets the constraints.
    pub fn admits(&self, genome: &Genome) -> bool {
        build::build(&self.conditions, genome).is_ok_and(|built| self.meets(&built))
    }

    fn meets(&self, built: &Built) -> bool {
        let tracked = self.conditions.tracked.iter();
        let totals: Vec<u64> = tracked.map(|tracked| total(&tracked.cost, built)).collect();
        let metrics = built.architecture.metrics();
        let mark = Mark {
            depth: u32::try_from(metrics.depth).unwrap_or(u32::MAX),
            reach: u32::try_from(metrics.receptive_field).unwrap_or(u32::MAX),
            jump: 1,
        };
        self.conditions.meets(&built.kept, &totals, mark)
    }
}

fn total(cost: &Cost, built: &Built) -> u64 {
    if let Cost::CountBody(name) = cost {
        return built.bodies.get(name).copied().unwrap_or(0);
    }
    let layers = built.architecture.nodes().iter().filter_map(|node| {
        let layer = node.layer()?;
        let inputs = Architecture::input_shapes(&built.architecture, node);
        Some(layer_cost(cost, layer, &inputs, node.shape))
    });
    layers.sum()
}

/// Offers only options that some listed genome takes after what was decided before.
pub(super) struct Within<'a, D> {
    pub decider: D,
    left: Vec<&'a [(Arc<str>, u32)]>,
    decided: usize,
    rehearsals: usize,
}

impl<'a, D: Decide> Within<'a, D> {
    pub fn new(genomes: &'a [Genome], decider: D) -> Self {
        Self {
            decider,
            left: genomes.iter().map(Genome::entries).collect(),
            decided: 0,
            rehearsals: 0,
        }
    }

    /// Whether the decisions are those of a listed genome.
    pub fn is_inside(&self) -> bool {
        !self.left.is_empty()
    }
}

impl<D: Decide> Decide for Within<'_, D> {
    fn decide(&mut self, address: &Arc<str>, offered: &[u32], weights: &[f64]) -> usize {
        let at = self.decided;
        let takes = |genome: &&[(Arc<str>, u32)], option: u32| {
            genome
                .get(at)
                .is_some_and(|(known, taken)| known == address && *taken == option)
        };
        let fits = |&place: &usize| self.left.iter().any(|genome| takes(genome, offered[place]));
        let fitting: Vec<usize> = (0..offered.len()).filter(fits).collect();
        if self.rehearsals > 0 || fitting.is_empty() {
            if self.rehearsals == 0 {
                self.left.clear();
            }
            return self.decider.decide(address, offered, weights);
        }
        let options: Vec<u32> = fitting.iter().map(|&place| offered[place]).collect();
        let shares: Vec<f64> = fitting.iter().map(|&place| weights[place]).collect();
        let place = fitting[self.decider.decide(address, &options, &shares)];
        self.left.retain(|genome| takes(genome, offered[place]));
        self.decided += 1;
        place
    }

    fn rehearse(&mut self, on: bool) {
        self.rehearsals = if on {
            self.rehearsals + 1
        } else {
            self.rehearsals - 1
        };
        self.decider.rehearse(on);
    }
}
