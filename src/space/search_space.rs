//! The space as its users see it.

use super::program::{Origin, Program};
use super::rank::{RankError, Ranking};
use super::resolve::{Allowed, Decide, Guide, Prefer, Walk};
use super::transfer::{ENTRY_LIMIT, Engine, Point, StateId, TooLarge};
use super::walk::Path;
use super::{Candidate, Decision, DecodeError, Genome, Sampling, build};
use crate::architecture::Output;
use crate::layers::Shape;
use crate::random::Stream;
use num_bigint::BigUint;
use num_integer::Integer;
use num_traits::{One, Zero};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

/// How many entries walks may add to the memo before it is solved afresh.
const WALK_ENTRIES: usize = 4_000_000;

/// A set of architectures and the mathematics over it.
///
/// Shared freely between threads; what one caller computes, the next one reuses.
#[derive(Debug)]
pub struct SearchSpace {
    program: Arc<Program>,
    count: BigUint,
    memo: Mutex<Memo>,
}

#[derive(Debug)]
struct Memo {
    engine: Engine,
    guide: Guide,
    start: StateId,
    ends: Vec<(StateId, BigUint)>,
    allowed: Allowed,
    /// The entries of the engine when the whole program was solved.
    solved: usize,
}

impl Memo {
    /// Solves the whole program.
    fn new(program: &Arc<Program>, limit: usize) -> Result<Self, SpaceError> {
        let mut engine = Engine::new(Arc::clone(program), limit);
        let start = engine.start();
        let too_large = |error: TooLarge| SpaceError::TooLarge(error.to_string());
        let root = Point::at(program.root);
        let outcomes = engine.transfer(root, start).map_err(too_large)?;
        let accepted = outcomes
            .iter()
            .filter(|(end, _)| accepts(program, &engine, *end));
        let ends: Vec<(StateId, BigUint)> = accepted.cloned().collect();
        if ends.is_empty() {
            let (origin, reason) = super::unsatisfiable::explain(&mut engine, root, start);
            return Err(SpaceError::Unsatisfiable { origin, reason });
        }
        let mut guide = Guide::default();
        let allowed = guide.only(ends.iter().map(|(end, _)| *end).collect());
        let solved = engine.entries();
        Ok(Self {
            engine,
            guide,
            start,
            ends,
            allowed,
            solved,
        })
    }

    /// Whether walks have added so much that it is time to start afresh.
    fn is_overgrown(&self) -> bool {
        self.engine.entries() > self.solved + WALK_ENTRIES
    }
}

/// Why a program is not a search space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SpaceError {
    /// No architecture is valid.
    Unsatisfiable {
        /// The first place that nothing passes.
        origin: Origin,
        /// Why, with the shapes that arrive there.
        reason: String,
    },
    /// Exact mathematics over it needs more memory than it may have.
    TooLarge(String),
}

impl SearchSpace {
    /// The space of a program's runs.
    ///
    /// # Errors
    /// When no run ends in the shape that the output asks for, or there are too many different
    /// situations to count.
    pub fn new(program: Program) -> Result<Self, SpaceError> {
        let program = Arc::new(program);
        let memo = Memo::new(&program, ENTRY_LIMIT)?;
        let networks: BigUint = memo.ends.iter().map(|(_, ways)| ways).sum();
        let count = networks * recipes(&program);
        let memo = Mutex::new(memo);
        Ok(Self {
            program,
            count,
            memo,
        })
    }

    /// The space's name.
    pub fn name(&self) -> &str {
        &self.program.name
    }

    /// The shape of one example.
    pub fn input(&self) -> Shape {
        self.program.input
    }

    /// What the networks' last tensor means.
    pub fn output(&self) -> Output {
        self.program.output
    }

    /// How many complete genomes there are, exactly.
    pub fn count(&self) -> &BigUint {
        &self.count
    }

    /// Draws a genome.
    pub fn sample(&self, sampling: Sampling, stream: &mut Stream) -> Genome {
        match sampling {
            Sampling::Prior => self.complete(&Genome::new(), stream),
            Sampling::Uniform => {
                let index = stream.below_big(&self.count);
                self.get(&index).expect("the index is below the count")
            }
        }
    }

    /// A complete genome that keeps what fits of a partial one and draws the rest by prior weight.
    pub fn complete(&self, partial: &Genome, stream: &mut Stream) -> Genome {
        let mut decider = Prefer::new(partial, stream);
        genome_of(&self.walk(&mut decider))
    }

    /// The decisions of a complete genome in the order they are made.
    ///
    /// # Errors
    /// When a decision is missing or not in the space.
    pub fn decisions(&self, genome: &Genome) -> Result<Vec<Decision>, DecodeError> {
        let mut decider = Replay {
            genome,
            astray: None,
        };
        let decisions = self.walk(&mut decider);
        decider.astray.map_or(Ok(decisions), Err)
    }

    /// The network and settings a complete genome stands for.
    ///
    /// # Errors
    /// When a decision is missing or not in the space.
    pub fn decode(&self, genome: &Genome) -> Result<Candidate, DecodeError> {
        let architecture = build::build(&self.program, genome)?;
        let mut recipe = BTreeMap::new();
        for decision in &self.program.recipe {
            let address = format!("recipe/{}", decision.name);
            let taken = genome.get(&address);
            let taken = taken.ok_or_else(|| DecodeError::Missing(address.clone()))?;
            let option = decision.options.get(taken as usize);
            let (value, _) = option.ok_or(DecodeError::Invalid {
                address,
                option: taken,
            })?;
            recipe.insert(decision.name.clone(), *value);
        }
        Ok(Candidate {
            genome: genome.clone(),
            architecture,
            recipe,
        })
    }

    /// The genome with this index in `0..count`.
    pub fn get(&self, index: &BigUint) -> Option<Genome> {
        if *index >= self.count {
            return None;
        }
        let (mut network, recipe) = index.div_rem(&recipes(&self.program));
        let mut memo = self.memo();
        let Memo {
            engine,
            start,
            ends,
            ..
        } = &mut *memo;
        let mut target = None;
        for (end, ways) in ends.iter() {
            if &network < ways {
                target = Some(*end);
                break;
            }
            network -= ways;
        }
        let target = target.expect("the ends' ways add up to the count");
        let mut ranking = Ranking {
            engine,
            path: Path::default(),
            genome: Genome::new(),
        };
        let root = Point::at(self.program.root);
        ranking
            .unrank(root, *start, target, network)
            .expect("what was counted when the space was made is in the memo");
        let mut genome = ranking.genome;
        drop(memo);
        self.unrank_recipe(recipe, &mut genome);
        Some(genome)
    }

    fn unrank_recipe(&self, mut index: BigUint, genome: &mut Genome) {
        for decision in self.program.recipe.iter().rev() {
            let (rest, option) = index.div_rem(&BigUint::from(decision.options.len()));
            let option = u32::try_from(option).expect("options are few");
            genome.insert(format!("recipe/{}", decision.name), option);
            index = rest;
        }
    }

    /// The index of a complete genome.
    ///
    /// # Errors
    /// When a decision is missing or not in the space.
    pub fn index_of(&self, genome: &Genome) -> Result<BigUint, DecodeError> {
        let mut memo = self.memo();
        let Memo {
            engine,
            start,
            ends,
            ..
        } = &mut *memo;
        let mut ranking = Ranking {
            engine,
            path: Path::default(),
            genome: genome.clone(),
        };
        let root = Point::at(self.program.root);
        let (end, mut index) = ranking.rank(root, *start).map_err(|error| match error {
            RankError::Genome(error) => error,
            RankError::TooLarge => unreachable!("the space was counted when it was made"),
        })?;
        let mut known = false;
        for (other, ways) in ends.iter() {
            known |= *other == end;
            if known {
                break;
            }
            index += ways;
        }
        drop(memo);
        if !known {
            return Err(DecodeError::Invalid {
                address: "network".to_owned(),
                option: 0,
            });
        }
        for decision in &self.program.recipe {
            let address = format!("recipe/{}", decision.name);
            let taken = genome.get(&address);
            let taken = taken.ok_or_else(|| DecodeError::Missing(address.clone()))?;
            if taken as usize >= decision.options.len() {
                return Err(DecodeError::Invalid {
                    address,
                    option: taken,
                });
            }
            index = index * decision.options.len() + taken;
        }
        Ok(index)
    }

    /// Walks the whole space with `decider`, training settings last.
    fn walk<D: Decide>(&self, decider: &mut D) -> Vec<Decision> {
        let mut memo = self.memo();
        let Memo {
            engine,
            guide,
            start,
            allowed,
            ..
        } = &mut *memo;
        let path = Path::default();
        let mut walk = Walk {
            engine,
            guide,
            decider,
            path,
            decisions: Vec::new(),
        };
        let root = Point::at(self.program.root);
        walk.go(root, *start, *allowed)
            .expect("what was counted when the space was made is in the memo");
        let mut decisions = walk.decisions;
        for decision in &self.program.recipe {
            decisions.push(decide_recipe(decision, decider));
        }
        decisions
    }

    /// The memo, solved afresh where walks have filled it with what they will not need again.
    fn memo(&self) -> MutexGuard<'_, Memo> {
        let mut memo = self
            .memo
            .lock()
            .expect("no walk panics while it holds the memo");
        if memo.is_overgrown() {
            *memo = Memo::new(&self.program, usize::MAX).expect("the space was solved before");
        }
        // Walks may add to it without limit until then.
        memo.engine.lift_limit();
        memo
    }
}

fn decide_recipe<D: Decide>(
    decision: &super::program::RecipeDecision,
    decider: &mut D,
) -> Decision {
    let address = format!("recipe/{}", decision.name);
    let offered: Vec<u32> = (0..decision.options.len() as u32).collect();
    let weight = |option: u32| decision.options[option as usize].1;
    let option = decider.decide(&address, &offered, &weight);
    let name = decision.options[option as usize].0.to_string();
    Decision {
        address,
        option,
        name,
        offered,
    }
}

fn genome_of(decisions: &[Decision]) -> Genome {
    decisions
        .iter()
        .map(|decision| (decision.address.clone(), decision.option))
        .collect()
}

/// The number of combinations of training settings.
fn recipes(program: &Program) -> BigUint {
    let sizes = program.recipe.iter().map(|decision| decision.options.len());
    sizes.fold(BigUint::one(), |product, size| product * size)
}

fn accepts(program: &Program, engine: &Engine, end: StateId) -> bool {
    let state = engine.state(end);
    let lane = &state.lanes[0];
    let above = lane
        .cost
        .iter()
        .zip(&program.tracked)
        .all(|(&cost, bound)| cost >= bound.min);
    lane.top() == program.output.shape() && above
}

/// Follows a genome and notes where it leads out of the space.
struct Replay<'a> {
    genome: &'a Genome,
    astray: Option<DecodeError>,
}

impl Decide for Replay<'_> {
    fn decide(&mut self, address: &str, offered: &[u32], _: &dyn Fn(u32) -> f64) -> u32 {
        let known = self.genome.get(address);
        if let Some(option) = known.filter(|option| offered.contains(option)) {
            return option;
        }
        self.astray.get_or_insert_with(|| match known {
            None => DecodeError::Missing(address.to_owned()),
            Some(option) => DecodeError::Invalid {
                address: address.to_owned(),
                option,
            },
        });
        offered[0]
    }
}

impl SearchSpace {
    /// A genome with `edits` decisions changed, and what no longer fits drawn afresh. A space of one
    /// returns it unchanged.
    pub fn mutate(&self, genome: &Genome, edits: usize, stream: &mut Stream) -> Genome {
        let mut current = genome.clone();
        for _ in 0..edits {
            let mut decider = Prefer::new(&current, stream);
            let decisions = self.walk(&mut decider);
            let open: Vec<&Decision> = decisions
                .iter()
                .filter(|decision| decision.offered.len() > 1)
                .collect();
            if open.is_empty() {
                break;
            }
            let place = open[stream.index(open.len())];
            let others: Vec<u32> = place
                .offered
                .iter()
                .copied()
                .filter(|&option| option != place.option)
                .collect();
            let mut edited = genome_of(&decisions);
            edited.insert(place.address.clone(), others[stream.index(others.len())]);
            current = self.complete(&edited, stream);
        }
        current
    }

    /// A genome with every decision at or below a random decision's address drawn afresh.
    pub fn resample_subtree(&self, genome: &Genome, stream: &mut Stream) -> Genome {
        let Some(prefix) = self.random_address(genome, stream) else {
            return genome.clone();
        };
        let kept = genome
            .iter()
            .filter(|(address, _)| !is_below(address, &prefix));
        let kept: Genome = kept
            .map(|(address, option)| (address.to_owned(), option))
            .collect();
        self.complete(&kept, stream)
    }

    /// A genome that takes each decision from either parent with the same probability.
    pub fn crossover(&self, a: &Genome, b: &Genome, stream: &mut Stream) -> Genome {
        let mut mixed = b.clone();
        for (address, option) in a.iter() {
            if b.get(address).is_none() || stream.below(2) == 0 {
                mixed.insert(address, option);
            }
        }
        self.complete(&mixed, stream)
    }

    /// The first parent with everything at or below a random decision's address taken from the
    /// second.
    pub fn crossover_subtree(&self, a: &Genome, b: &Genome, stream: &mut Stream) -> Genome {
        let Some(prefix) = self.random_address(a, stream) else {
            return a.clone();
        };
        let kept = a.iter().filter(|(address, _)| !is_below(address, &prefix));
        let taken = b.iter().filter(|(address, _)| is_below(address, &prefix));
        let mixed: Genome = kept
            .chain(taken)
            .map(|(address, option)| (address.to_owned(), option))
            .collect();
        self.complete(&mixed, stream)
    }

    fn random_address(&self, genome: &Genome, stream: &mut Stream) -> Option<String> {
        let decisions = self.walk(&mut Prefer::new(genome, stream));
        let open: Vec<Decision> = decisions
            .into_iter()
            .filter(|decision| decision.offered.len() > 1)
            .collect();
        if open.is_empty() {
            return None;
        }
        let place = stream.index(open.len());
        open.into_iter().nth(place).map(|decision| decision.address)
    }

    /// Whether the space holds a single architecture, as a hand-designed network does.
    pub fn is_single(&self) -> bool {
        self.count.is_one()
    }

    /// Whether `index` names an architecture.
    pub fn contains_index(&self, index: &BigUint) -> bool {
        index < &self.count && !self.count.is_zero()
    }
}

fn is_below(address: &str, prefix: &str) -> bool {
    address
        .strip_prefix(prefix)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '[']))
}
