//! The space as its users see it.

use super::count::Count;
use super::filter::{Filter, Within};
use super::plan::{Cursor, Decide, Plan, Prefer, Taken};
use super::program::{Origin, Program, RecipeDecision};
use super::transfer::{ENTRY_LIMIT, Engine, Point, TooLarge};
use super::workshop::Workshops;
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
    /// The address of each training setting.
    recipe: Vec<Arc<str>>,
    /// The indices of networks, before training settings.
    networks: BigUint,
    count: Count,
    /// Constraints that walks don't know of.
    filter: Option<Filter>,
    memo: Mutex<Memo>,
    workshops: Workshops,
}

#[derive(Debug)]
struct Memo {
    plan: Plan,
    /// How much the plan remembered when the program was solved.
    solved: usize,
    /// How often it was solved afresh.
    generation: u64,
}

impl Memo {
    /// Solves the whole program.
    fn new(program: &Arc<Program>, limit: usize) -> Result<Self, SpaceError> {
        let mut engine = Engine::new(Arc::clone(program), limit);
        let start = engine.start();
        let too_large = |error: TooLarge| SpaceError::TooLarge(error.to_string());
        let root = Point::at(program.root);
        let outcomes = engine.transfer(root, start).map_err(too_large)?;
        if !outcomes.iter().any(|(end, _)| engine.accepts_end(*end)) {
            if outcomes.iter().any(|(end, _)| engine.fits_end(*end)) {
                let reason = "no architecture meets the constraints, though shapes fit".to_owned();
                return Err(SpaceError::Unmet(reason));
            }
            let (origin, reason) = super::unsatisfiable::explain(&mut engine, root, start);
            return Err(SpaceError::Unsatisfiable { origin, reason });
        }
        // Walks may add to it without limit: it is made afresh when it has grown too much.
        engine.lift_limit();
        let plan = Plan::new(engine, start);
        let solved = plan.entries();
        Ok(Self {
            plan,
            solved,
            generation: 0,
        })
    }

    /// Whether walks have added so much that it is time to start afresh.
    fn is_overgrown(&self) -> bool {
        self.plan.entries() > self.solved + WALK_ENTRIES
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
    /// No architecture was found that meets the constraints: in words.
    Unmet(String),
}

impl SearchSpace {
    /// The space of a program's runs.
    ///
    /// Constraints are met by construction where the costs they ask for can be counted along the way.
    /// Where they can't, a small space is listed and a large one is measured by sampling: see
    /// [`Count`].
    ///
    /// # Errors
    /// When no run ends in the shape that the output asks for and meets the constraints, or there are
    /// too many different situations to count.
    pub fn new(program: Program) -> Result<Self, SpaceError> {
        let program = Arc::new(program);
        if !program.prunes || !program.is_constrained() {
            match Memo::new(&program, ENTRY_LIMIT) {
                Err(SpaceError::TooLarge(_)) if program.is_constrained() => {}
                other => return Ok(Self::solved(program, other?)),
            }
        }
        Self::filtered(program)
    }

    fn solved(program: Arc<Program>, mut memo: Memo) -> Self {
        let networks = memo.plan.count();
        let settings = program.recipe.iter();
        let recipe = settings.map(|decision| format!("recipe/{}", decision.name).into());
        Self {
            recipe: recipe.collect(),
            count: Count::Exact(&networks * recipes(&program)),
            networks,
            filter: None,
            memo: Mutex::new(memo),
            workshops: Workshops::default(),
            program,
        }
    }

    fn filtered(constrained: Arc<Program>) -> Result<Self, SpaceError> {
        let program = Arc::new(constrained.unconstrained());
        let mut memo = Memo::new(&program, ENTRY_LIMIT)?;
        let networks = memo.plan.count();
        let Some(filter) = Filter::new(constrained, &mut memo.plan, &networks) else {
            let problem = format!(
                "no architecture meets the constraints, as far as {networks} without them were looked at"
            );
            return Err(SpaceError::Unmet(problem));
        };
        let mut space = Self::solved(program, memo);
        space.networks = filter.indices();
        space.count = filter.count(&recipes(&space.program));
        space.filter = Some(filter);
        Ok(space)
    }

    /// The most that the space's constraints allow of a cost, as the language calls it; nothing if they say nothing.
    pub fn most(&self, cost: &str) -> Option<u64> {
        let named = |tracked: &&super::program::Tracked| tracked.cost.to_string() == cost;
        let tracked = self.program.tracked.iter().find(named)?;
        (tracked.max < u64::MAX).then_some(tracked.max)
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

    /// How many complete genomes there are.
    pub fn count(&self) -> &Count {
        &self.count
    }

    /// Indices are below this number: the count where that is exact. Where it is an estimate they are
    /// those of the space without its constraints, and not every index has a genome.
    pub fn indices(&self) -> BigUint {
        &self.networks * recipes(&self.program)
    }

    /// Whether the space holds a single architecture, as a hand-designed network does.
    pub fn is_single(&self) -> bool {
        self.count.is_one()
    }

    /// Draws a genome.
    pub fn sample(&self, sampling: Sampling, stream: &mut Stream) -> Genome {
        match (sampling, &self.filter) {
            (Sampling::Prior, None) => self.complete(&Genome::new(), stream),
            (Sampling::Prior, Some(filter)) => self.sample_filtered(filter, sampling, stream),
            (Sampling::Uniform, Some(filter)) if filter.listed().is_none() => {
                self.sample_filtered(filter, sampling, stream)
            }
            (Sampling::Uniform, _) => self.unranked(stream.below_big(&self.indices())),
        }
    }

    /// A complete genome that keeps what fits of a partial one and draws the rest by prior weight.
    /// Constraints that walks don't know of are not asked.
    pub(super) fn complete(&self, partial: &Genome, stream: &mut Stream) -> Genome {
        Genome::of_taken(self.walk(&mut Prefer::new(partial, stream)))
    }

    fn sample_filtered(&self, filter: &Filter, sampling: Sampling, stream: &mut Stream) -> Genome {
        if let Some(genomes) = filter.listed() {
            let nothing = Genome::new();
            for _ in 0..filter.tries() {
                let mut decider = Within::new(genomes, Prefer::new(&nothing, stream));
                let taken = self.walk_network(&mut decider);
                if decider.is_inside() {
                    return self.with_settings(taken, &mut decider.decider);
                }
            }
            return self.sample(Sampling::Uniform, stream);
        }
        for _ in 0..filter.tries() {
            let genome = match sampling {
                Sampling::Prior => self.complete(&Genome::new(), stream),
                Sampling::Uniform => self.unranked(stream.below_big(&self.indices())),
            };
            if filter.admits(&genome) {
                return genome;
            }
        }
        match sampling {
            // The prior may hardly ever meet the constraints where uniform draws do.
            Sampling::Prior => self.sample(Sampling::Uniform, stream),
            Sampling::Uniform => self.any_admitted(),
        }
    }

    fn any_admitted(&self) -> Genome {
        let mut all = self.iter_from(&BigUint::zero());
        all.next()
            .expect("a space under constraints has an architecture")
    }

    /// Constraints that walks don't know of.
    pub(super) fn filter(&self) -> Option<&Filter> {
        self.filter.as_ref()
    }

    /// The decisions of a complete genome in the order they are made.
    ///
    /// # Errors
    /// When a decision is missing or not in the space.
    pub fn decisions(&self, genome: &Genome) -> Result<Vec<Decision>, DecodeError> {
        let mut decider = Replay::of(genome);
        let taken = self.walk(&mut decider);
        if let Some(astray) = decider.astray {
            return Err(astray);
        }
        let memo = self.memo();
        let decision = |taken: Taken| {
            let options = match taken.point {
                Some(point) => memo.plan.option_names(point),
                None => self.settings(&taken.address),
            };
            let name = options.get(taken.option as usize).cloned();
            Decision {
                address: taken.address.to_string(),
                option: taken.option,
                name: name.unwrap_or_default(),
                offered: taken.offered.to_vec(),
                options,
            }
        };
        Ok(taken.into_iter().map(decision).collect())
    }

    /// The values of a training setting.
    fn settings(&self, address: &str) -> Vec<String> {
        let place = self.recipe.iter().position(|known| **known == *address);
        let values = place.map_or(&[] as &[_], |at| &self.program.recipe[at].options);
        values.iter().map(|(value, _)| value.to_string()).collect()
    }

    /// The network and settings a complete genome stands for.
    ///
    /// # Errors
    /// When a decision is missing or not in the space.
    pub fn decode(&self, genome: &Genome) -> Result<Candidate, DecodeError> {
        let built = self
            .workshops
            .with(|workshop| build::build(&self.program, genome, workshop))?;
        let mut recipe = BTreeMap::new();
        for (decision, address) in self.program.recipe.iter().zip(&self.recipe) {
            let option = recipe_option(decision, address, genome)?;
            let (value, _) = decision.options[option as usize];
            recipe.insert(decision.name.clone(), value);
        }
        Ok(Candidate {
            genome: genome.clone(),
            architecture: built.architecture,
            recipe,
        })
    }

    /// The genome with this index, below [`indices`](Self::indices). Indices follow the order of
    /// decisions, the first one foremost.
    pub fn get(&self, index: &BigUint) -> Option<Genome> {
        if *index >= self.indices() {
            return None;
        }
        let genome = self.unranked(index.clone());
        self.is_admitted(&genome).then_some(genome)
    }

    /// Whether a genome of an index meets the constraints that indices don't know of.
    fn is_admitted(&self, genome: &Genome) -> bool {
        let unsure = self.filter().filter(|filter| filter.listed().is_none());
        unsure.is_none_or(|filter| filter.admits(genome))
    }

    /// The genome with this index, whether it meets constraints or not.
    fn unranked(&self, index: BigUint) -> Genome {
        let (mut network, settings) = index.div_rem(&recipes(&self.program));
        if let Some(filter) = &self.filter {
            network = filter.get(network);
        }
        let mut genome = self.memo().plan.unrank(network);
        self.unrank_recipe(settings, &mut genome);
        Genome::of(genome)
    }

    fn unrank_recipe(&self, mut index: BigUint, genome: &mut Vec<(Arc<str>, u32)>) {
        let start = genome.len();
        for (decision, address) in self.program.recipe.iter().zip(&self.recipe).rev() {
            let (rest, option) = index.div_rem(&BigUint::from(decision.options.len()));
            let option = u32::try_from(option).expect("options are few");
            genome.push((Arc::clone(address), option));
            index = rest;
        }
        genome[start..].reverse();
    }

    /// The genomes from index `from` on, in the order of their indices. Each takes a few steps from
    /// the one before.
    pub fn iter_from(&self, from: &BigUint) -> impl Iterator<Item = Genome> + '_ {
        Genomes {
            space: self,
            next: from.clone(),
            place: None,
        }
    }

    /// The index of a complete genome.
    ///
    /// # Errors
    /// When a decision is missing or not in the space.
    pub fn index_of(&self, genome: &Genome) -> Result<BigUint, DecodeError> {
        let mut decider = Replay::of(genome);
        let ranked = self.memo().plan.rank(&mut decider);
        if let Some(astray) = decider.astray {
            return Err(astray);
        }
        let mut index = ranked.ok_or(DecodeError::Outside)?;
        if let Some(filter) = &self.filter {
            let number = filter.index_of(index, genome);
            index = number.ok_or(DecodeError::Outside)?;
        }
        for (decision, address) in self.program.recipe.iter().zip(&self.recipe) {
            index = index * decision.options.len() + recipe_option(decision, address, genome)?;
        }
        Ok(index)
    }

    /// Walks the whole space with `decider`, training settings last.
    pub(super) fn walk<D: Decide>(&self, decider: &mut D) -> Vec<Taken> {
        let mut taken = self.walk_network(decider);
        self.decide_settings(&mut taken, decider);
        taken
    }

    fn walk_network<D: Decide>(&self, decider: &mut D) -> Vec<Taken> {
        self.memo().plan.walk(decider)
    }

    fn with_settings<D: Decide>(&self, mut taken: Vec<Taken>, decider: &mut D) -> Genome {
        self.decide_settings(&mut taken, decider);
        Genome::of_taken(taken)
    }

    fn decide_settings<D: Decide>(&self, taken: &mut Vec<Taken>, decider: &mut D) {
        for (decision, address) in self.program.recipe.iter().zip(&self.recipe) {
            let offered: Vec<u32> = (0..decision.options.len() as u32).collect();
            let weights: Vec<f64> = decision.options.iter().map(|(_, weight)| *weight).collect();
            let place = decider.decide(address, &offered, &weights);
            taken.push(Taken {
                address: Arc::clone(address),
                option: offered[place],
                offered: offered.into(),
                point: None,
            });
        }
    }

    /// The memo, solved afresh where walks have filled it with what they will not need again.
    fn memo(&self) -> MutexGuard<'_, Memo> {
        let mut memo = self
            .memo
            .lock()
            .expect("no walk panics while it holds the memo");
        if memo.is_overgrown() {
            let generation = memo.generation + 1;
            let fresh = Memo::new(&self.program, usize::MAX).expect("the space was solved before");
            *memo = Memo {
                generation,
                ..fresh
            };
        }
        memo
    }
}

/// The option that a genome takes for a training setting.
fn recipe_option(
    decision: &RecipeDecision,
    address: &str,
    genome: &Genome,
) -> Result<u32, DecodeError> {
    let option = genome.get(address);
    let option = option.ok_or_else(|| DecodeError::Missing(address.to_owned()))?;
    if (option as usize) < decision.options.len() {
        return Ok(option);
    }
    let address = address.to_owned();
    Err(DecodeError::Invalid { address, option })
}

/// The number of combinations of training settings.
fn recipes(program: &Program) -> BigUint {
    let sizes = program.recipe.iter().map(|decision| decision.options.len());
    sizes.fold(BigUint::one(), |product, size| product * size)
}

/// Genomes in the order of their indices.
struct Genomes<'a> {
    space: &'a SearchSpace,
    next: BigUint,
    /// Where the network of the last one is, and in which generation of the memo.
    place: Option<(Cursor, u64)>,
}

impl Iterator for Genomes<'_> {
    type Item = Genome;

    fn next(&mut self) -> Option<Genome> {
        loop {
            let listed = self.space.filter().and_then(Filter::listed);
            let genome = match listed {
                Some(_) => self.space.get(&self.next)?,
                None => self.step()?,
            };
            self.next += 1u8;
            if self.space.is_admitted(&genome) {
                return Some(genome);
            }
        }
    }
}

impl Genomes<'_> {
    /// The genome at `next`, a few steps from the one before.
    fn step(&mut self) -> Option<Genome> {
        if self.next >= self.space.indices() {
            return None;
        }
        let (network, settings) = self.next.div_rem(&recipes(&self.space.program));
        let mut memo = self.space.memo();
        let generation = memo.generation;
        let current = self.place.take().filter(|(_, made)| *made == generation);
        let cursor = match current {
            None => Cursor::at(&mut memo.plan, network),
            Some((mut cursor, _)) => {
                if settings.is_zero() {
                    cursor.advance(&mut memo.plan);
                }
                cursor
            }
        };
        let mut decisions = cursor.decisions(&memo.plan);
        drop(memo);
        self.place = Some((cursor, generation));
        self.space.unrank_recipe(settings, &mut decisions);
        Some(Genome::of(decisions))
    }
}

/// Follows a genome and notes where it leads out of the space.
struct Replay<'a> {
    genome: super::genome::Finder<'a>,
    astray: Option<DecodeError>,
}

impl<'a> Replay<'a> {
    fn of(genome: &'a Genome) -> Self {
        Self {
            genome: genome.finder(),
            astray: None,
        }
    }
}

impl Decide for Replay<'_> {
    fn decide(&mut self, address: &Arc<str>, offered: &[u32], _: &[f64]) -> usize {
        let known = self.genome.find(address);
        let place = known.and_then(|known| offered.iter().position(|&option| option == known));
        place.unwrap_or_else(|| {
            let address = address.to_string();
            self.astray.get_or_insert(match known {
                None => DecodeError::Missing(address),
                Some(option) => DecodeError::Invalid { address, option },
            });
            0
        })
    }
}
