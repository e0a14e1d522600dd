//! A controller at work: proposals in order, none of them twice.

use super::{Controller, Fidelity, Fitness, Observed, Prefilter, Proposal, TrialId};
use crate::random::{Purpose, Seed, Stream};
use crate::space::{Candidate, Genome, SearchSpace};
use num_bigint::BigUint;
use num_traits::{One, ToPrimitive, Zero};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// How often most controllers may propose for one trial what was tried before.
pub const MAX_ATTEMPTS: u32 = 100;

/// Spaces up to this size are walked in search of what is left before they are called exhausted.
const WALKED: u64 = 20_000;

/// What a trial will try.
#[derive(Clone, Debug)]
pub struct Proposed {
    /// Its number.
    pub trial: TrialId,
    /// The network and its settings.
    pub candidate: Candidate,
    /// The trials it was made from.
    pub parents: Vec<TrialId>,
    /// How much of a full evaluation it is to be.
    pub fidelity: Fidelity,
    /// The trial that it goes on from.
    pub continues: Option<TrialId>,
    /// The number that its random streams are drawn by: its own, or that of the first trial it goes
    /// on from, so that going on and training through are the same.
    pub stream: u64,
}

/// Asks a controller for one trial after the other and drops what was tried before.
///
/// What was tried is a pair of a network with its settings and a fidelity.
/// All earlier proposals are a fixed past: they do not depend on which trials have finished, so
/// neither does what counts as tried.
pub struct Proposer<'s> {
    space: &'s SearchSpace,
    controller: Box<dyn Controller + 's>,
    seed: Seed,
    duplicates: bool,
    prefilter: Option<Prefilter<'s>>,
    tried: BTreeSet<Key>,
    /// How many of those were tried in full.
    tried_in_full: usize,
    proposed: u64,
    told: u64,
    /// The trials that the controller has not been told of, in order.
    untold: VecDeque<Trial>,
    /// The streams of the trials that go on from others.
    streams: BTreeMap<TrialId, u64>,
}

/// What must not be tried twice: [`key`].
type Key = [u8; 32];

/// What a controller proposed that was not tried before.
struct Fresh {
    candidate: Candidate,
    proposal: Proposal,
    /// Nothing where it makes no difference what was tried.
    key: Option<Key>,
}

/// What is remembered of a proposal until the controller is told of its result.
struct Trial {
    genome: Genome,
    fidelity: Fidelity,
}

impl<'s> Proposer<'s> {
    /// A proposer that has proposed nothing yet.
    pub fn new(space: &'s SearchSpace, controller: Box<dyn Controller + 's>, seed: Seed) -> Self {
        Self {
            space,
            controller,
            seed,
            duplicates: false,
            prefilter: None,
            tried: BTreeSet::new(),
            tried_in_full: 0,
            proposed: 0,
            told: 0,
            untold: VecDeque::new(),
            streams: BTreeMap::new(),
        }
    }

    /// Whether networks may be proposed that were proposed before. By default they are dropped, and
    /// others are asked for.
    #[must_use]
    pub fn with_duplicates(self, duplicates: bool) -> Self {
        Self { duplicates, ..self }
    }

    /// Draws several proposals for each trial and tries the most promising.
    ///
    /// # Panics
    /// When the controller does not [draw](Controller::draws).
    #[must_use]
    pub fn with_prefilter(self, prefilter: Option<Prefilter<'s>>) -> Self {
        assert!(
            prefilter.is_none() || self.controller.draws(),
            "proposals that are dropped leave no trace"
        );
        Self { prefilter, ..self }
    }

    /// The next trial, or nothing if the space is exhausted: for a small space when everything in it
    /// was tried, for a large one when as many proposals in a row had been as the controller
    /// has [patience](Controller::patience) for.
    pub fn propose(&mut self) -> Option<Proposed> {
        self.propose_known(None)
    }

    /// As [`propose`](Self::propose), for a trial whose genome is known from before: nothing is ranked
    /// again. If none of the proposals has it, another one comes back.
    pub fn propose_again(&mut self, genome: &Genome) -> Option<Proposed> {
        self.propose_known(Some(genome))
    }

    fn propose_known(&mut self, known: Option<&Genome>) -> Option<Proposed> {
        let trial = TrialId(self.proposed);
        let mut stream = self.seed.stream(trial.0, Purpose::Propose);
        let Fresh {
            candidate,
            proposal,
            key,
        } = self.chosen_proposal(trial, &mut stream, known)?;
        let Proposal {
            parents,
            fidelity,
            continues,
            ..
        } = proposal;
        if !self.duplicates {
            self.tried.extend(key);
            self.tried_in_full += usize::from(fidelity.is_full());
        }
        let stream = continues.map_or(trial.0, |earlier| self.stream_of(earlier));
        if continues.is_some() {
            self.streams.insert(trial, stream);
        }
        self.untold.push_back(Trial {
            genome: candidate.genome.clone(),
            fidelity,
        });
        self.proposed += 1;
        Some(Proposed {
            trial,
            candidate,
            parents,
            fidelity,
            continues,
            stream,
        })
    }

    /// The number of trials proposed so far.
    pub fn proposed(&self) -> u64 {
        self.proposed
    }

    /// The number that a trial's random streams are drawn by.
    fn stream_of(&self, trial: TrialId) -> u64 {
        self.streams.get(&trial).copied().unwrap_or(trial.0)
    }

    /// Tells the controller how good the first trial was that it has not been told of, and what it
    /// costs by each further objective: no fitness if that trial failed.
    ///
    /// # Panics
    /// When no such trial was proposed.
    pub fn tell(&mut self, fitness: Option<Fitness>, costs: Vec<f64>) {
        let trial = TrialId(self.told);
        let told = self.untold.pop_front();
        let Trial { genome, fidelity } = told.expect("a trial that is told of was proposed");
        let result = Observed {
            genome,
            fidelity,
            fitness,
            costs,
        };
        self.controller.tell(trial, &result);
        self.told += 1;
    }

    /// Whether a later proposal may go on from `trial`.
    pub fn may_go_on(&self, trial: TrialId) -> bool {
        self.controller.may_go_on(trial)
    }

    /// Whether a later proposal may be made from `trial`.
    pub fn may_be_parent(&self, trial: TrialId) -> bool {
        trial.0 >= self.told || self.controller.may_be_parent(trial)
    }

    /// The most promising of as many proposals as the prefilter draws, or the one known from before.
    fn chosen_proposal(
        &mut self,
        trial: TrialId,
        stream: &mut Stream,
        known: Option<&Genome>,
    ) -> Option<Fresh> {
        let first = self.fresh_proposal(trial, stream)?;
        // What goes on with an earlier trial was chosen then.
        if self.prefilter.is_none() || first.proposal.continues.is_some() {
            return Some(first);
        }
        let mut prefilter = self.prefilter.take()?;
        let mut drawn = vec![first];
        let mut keys = Vec::new();
        while drawn.len() < prefilter.draws {
            let key = drawn[drawn.len() - 1].key;
            keys.extend(key.filter(|&key| self.tried.insert(key)));
            let Some(next) = self.fresh_proposal(trial, stream) else {
                break;
            };
            drawn.push(next);
        }
        for key in keys {
            self.tried.remove(&key);
        }
        let chosen = match known {
            None => {
                let candidates: Vec<_> = drawn.iter().map(|fresh| &fresh.candidate).collect();
                prefilter.choose(trial, &candidates)
            }
            Some(genome) => {
                let is_known = |fresh: &Fresh| fresh.candidate.genome == *genome;
                drawn.iter().position(is_known).unwrap_or(0)
            }
        };
        self.prefilter = Some(prefilter);
        Some(drawn.swap_remove(chosen))
    }

    fn fresh_proposal(&mut self, trial: TrialId, stream: &mut Stream) -> Option<Fresh> {
        if self.space.indices() <= BigUint::from(self.tried_in_full) {
            return None;
        }
        for attempt in 0..self.controller.patience() {
            let proposal = self.controller.ask(trial, attempt, stream);
            if let Some((candidate, key)) = self.untried(&proposal.genome, proposal.fidelity) {
                return Some(Fresh {
                    candidate,
                    proposal,
                    key,
                });
            }
        }
        let (candidate, key) = self.what_is_left(stream)?;
        let proposal = Proposal::fresh(candidate.genome.clone());
        Some(Fresh {
            candidate,
            proposal,
            key,
        })
    }

    fn untried(&self, genome: &Genome, fidelity: Fidelity) -> Option<(Candidate, Option<Key>)> {
        let decoded = self.space.decode(genome);
        let candidate = decoded.expect("a controller's genomes come complete from the space");
        if self.duplicates && self.tried.is_empty() && self.prefilter.is_none() {
            return Some((candidate, None));
        }
        let key = key(&candidate, fidelity);
        (!self.tried.contains(&key)).then_some((candidate, Some(key)))
    }

    /// The first architecture of a small space, from a random index on, that was not tried in full.
    fn what_is_left(&self, stream: &mut Stream) -> Option<(Candidate, Option<Key>)> {
        let count = self
            .space
            .indices()
            .to_u64()
            .filter(|&count| count <= WALKED)?;
        let start = stream.below(count);
        let mut index = BigUint::from(start);
        for step in 0..count {
            if start + step == count {
                index = BigUint::zero();
            }
            let genome = self.space.get(&index);
            let left = genome.and_then(|genome| self.untried(&genome, Fidelity::FULL));
            if left.is_some() {
                return left;
            }
            index += BigUint::one();
        }
        None
    }
}

/// What must not be tried twice: a candidate at a fidelity.
fn key(candidate: &Candidate, fidelity: Fidelity) -> Key {
    let key = candidate.key();
    if fidelity.is_full() {
        return key;
    }
    let key = Sha256::new_with_prefix(key).chain_update(format!(";{fidelity}"));
    key.finalize().into()
}
