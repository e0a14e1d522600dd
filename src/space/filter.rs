//! Constraints beyond exact counting: the space is counted and walked without them, and what is drawn
//! is asked. A small space is listed once, so that its count is exact and draws stay inside by
//! construction; of a large one, the acceptance rate is measured first, and no draw goes on for ever.

use super::Genome;
use super::build::{self, Built};
use super::count::{Count, Estimate};
use super::plan::{Decide, Plan};
use super::program::{Cost, Program, Tracked};
use super::state::layer_cost;
use super::workshop::Workshops;
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
    admitted: Admitted,
    workshops: Workshops,
}

/// How often a draw from a listed space is made again before it is made another way.
const TRIES: u64 = 64;

/// What is known of them.
#[derive(Debug)]
enum Admitted {
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
            workshops: Workshops::default(),
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
            let genome = Genome::of(plan.unrank(BigUint::from(index)));
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
            let decisions = plan.unrank(stream.below_big(count));
            admitted += u64::from(self.admits(&Genome::of(decisions)));
        }
        (admitted > 0).then(|| {
            Admitted::Estimated(Estimate {
                unconstrained: count.clone(),
                drawn: DRAWS,
                admitted,
            })
        })
    }

    /// How many there are, for `recipes` combinations of training settings.
    pub fn count(&self, recipes: &BigUint) -> Count {
        match &self.admitted {
            Admitted::Listed(indices, _) => Count::Exact(recipes * indices.len()),
            Admitted::Estimated(estimate) => Count::Estimate(Estimate {
                unconstrained: &estimate.unconstrained * recipes,
                ..estimate.clone()
            }),
        }
    }

    /// How many indices of networks there are.
    pub fn indices(&self) -> BigUint {
        match &self.admitted {
            Admitted::Listed(indices, _) => BigUint::from(indices.len()),
            Admitted::Estimated(estimate) => estimate.unconstrained.clone(),
        }
    }

    /// Every network that meets the constraints, where they are listed.
    pub fn listed(&self) -> Option<&[Genome]> {
        match &self.admitted {
            Admitted::Listed(_, genomes) => Some(genomes),
            Admitted::Estimated(_) => None,
        }
    }

    /// The index in the unconstrained space of network number `index`.
    pub fn get(&self, index: BigUint) -> BigUint {
        match &self.admitted {
            Admitted::Listed(indices, _) => {
                let place = usize::try_from(&index);
                BigUint::from(indices[place.expect("the index is below the length of the list")])
            }
            Admitted::Estimated(_) => index,
        }
    }

    /// The number of the network that has this index in the unconstrained space; nothing if it does
    /// not meet the constraints.
    pub fn index_of(&self, index: BigUint, genome: &Genome) -> Option<BigUint> {
        match &self.admitted {
            Admitted::Listed(indices, _) => {
                let place = indices.binary_search_by(|known| BigUint::from(*known).cmp(&index));
                place.ok().map(BigUint::from)
            }
            Admitted::Estimated(_) => self.admits(genome).then_some(index),
        }
    }

    /// How many draws are made before an admitted one is looked for in another way. By the acceptance
    /// rate, so many misses in a row have a chance below e^-50.
    pub fn tries(&self) -> u64 {
        match &self.admitted {
            Admitted::Listed(..) => TRIES,
            Admitted::Estimated(estimate) => (50.0 / estimate.acceptance_rate()) as u64 + 1,
        }
    }

    /// Whether the network of a genome meets the constraints.
    pub fn admits(&self, genome: &Genome) -> bool {
        let built = self
            .workshops
            .with(|workshop| build::build(&self.conditions, genome, workshop));
        built.is_ok_and(|built| self.meets(&built))
    }

    fn meets(&self, built: &Built) -> bool {
        let tracked = self.conditions.tracked.iter();
        let total = |tracked: &Tracked| self.total(&tracked.cost, built);
        let totals: Vec<u64> = tracked.map(total).collect();
        let metrics = built.architecture.metrics();
        let mark = Mark {
            depth: u32::try_from(metrics.depth).unwrap_or(u32::MAX),
            reach: u32::try_from(metrics.receptive_field).unwrap_or(u32::MAX),
            jump: 1,
        };
        self.conditions.meets(&built.kept, &totals, mark)
    }

    fn total(&self, cost: &Cost, built: &Built) -> u64 {
        if let Cost::CountBody(name) = cost {
            let bodies = self.conditions.bodies.iter().zip(&built.bodies);
            let named = bodies.filter(|(body, _)| body.name == *name);
            return named.map(|(_, times)| times).sum();
        }
        let layers = built.architecture.nodes().iter().filter_map(|node| {
            let layer = node.layer()?;
            let inputs = Architecture::input_shapes(&built.architecture, node);
            Some(layer_cost(cost, layer, &inputs, node.shape))
        });
        layers.sum()
    }
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
