//! Searches with several fidelities: successive halving and Hyperband.
//!
//! Many candidates are evaluated a little; the best of them go on, a level of the [`Ladder`] at a time.
//! What goes on is decided by the results of earlier trials alone, in the order of trials, and never by
//! which finish first.
//!
//! *Successive halving* (Jamieson and Talwalkar, 2016) has one bracket without end and promotes as its
//! asynchronous form does (Li, Jamieson, Rostamizadeh, Gonina, Hardt, Recht and Talwalkar, 2020): a
//! candidate goes on as soon as it is among the best 1/eta of its rung. *Hyperband* (Li, Jamieson,
//! DeSalvo, Rostamizadeh and Talwalkar, 2018) goes through brackets of fixed sizes that begin on ever
//! higher levels; a rung is decided once all of it is known. While results are awaited, the next
//! bracket begins, so nothing idles.
//!
//! Either can be *guided by evolution*, as in BOHB (Falkner, Klein and Hutter, 2018) and DEHB (Awad,
//! Mallik and Hutter, 2021): new candidates are then children of those that came highest.

mod bracket;
mod elite;

use super::evolution::{ATTEMPTS_PER_EDIT, FRESH_FROM_ATTEMPT};
use super::{Controller, Ladder, Moves, Observed, Proposal, TrialId};
use crate::random::Stream;
use crate::space::Sampling;
use bracket::Bracket;
use elite::Elites;
use std::collections::BTreeMap;

/// What a search with several fidelities can be told.
#[derive(Clone, Debug, PartialEq)]
pub struct HalvingSettings {
    /// The fidelities.
    pub ladder: Ladder,
    /// Of how many candidates one goes on; at least 2.
    pub eta: u32,
    /// Whether there are brackets of fixed sizes, one after the other.
    pub brackets: bool,
    /// How fresh architectures are drawn.
    pub sampling: Sampling,
    /// How new candidates come of earlier ones; nothing if all are drawn afresh.
    pub guide: Option<Guide>,
}

/// How evolution makes new candidates.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Guide {
    /// How many of the best may be parents.
    pub population: usize,
    /// How many of them compete to be a parent.
    pub sample: usize,
    /// How many decisions of a child are changed.
    pub edits: usize,
    /// The share of candidates that are drawn afresh all the same.
    pub random_share: f64,
}

/// Successive halving or Hyperband over a space.
#[derive(Debug)]
pub struct Halving<'s, M: Moves> {
    space: &'s M,
    settings: HalvingSettings,
    /// The brackets that are not decided yet, by their numbers; candidates enter the last.
    brackets: BTreeMap<usize, Bracket<M::Genome>>,
    /// The latest proposal. It counts once another trial is asked for or it is told.
    asked: Option<Asked<M::Genome>>,
    running: BTreeMap<TrialId, Asked<M::Genome>>,
    elites: Elites<M::Genome>,
}

/// A proposal: what for, and what it was.
#[derive(Clone, Debug)]
struct Asked<G> {
    trial: TrialId,
    bracket: usize,
    rung: usize,
    /// The trial that it promotes; nothing for a new candidate.
    promotes: Option<TrialId>,
    /// The candidate.
    genome: G,
    proposal: Proposal<G>,
}

impl<'s, M: Moves> Halving<'s, M> {
    /// A search that has seen nothing yet.
    pub fn new(space: &'s M, settings: HalvingSettings) -> Self {
        let kept = settings.guide.map_or(0, |guide| guide.population);
        let mut search = Self {
            space,
            settings,
            brackets: BTreeMap::new(),
            asked: None,
            running: BTreeMap::new(),
            elites: Elites::new(kept),
        };
        search.open(0);
        search
    }

    fn open(&mut self, number: usize) {
        let (eta, top) = (self.settings.eta, self.settings.ladder.levels().len() - 1);
        let bracket = if self.settings.brackets {
            Bracket::of_hyperband(eta, top, number % (top + 1))
        } else {
            Bracket::endless(eta, top)
        };
        self.brackets.insert(number, bracket);
    }

    fn newest(&self) -> usize {
        let last = self.brackets.last_key_value();
        *last.expect("one bracket is always open").0
    }

    /// What goes on next: of the oldest bracket, the highest rung, the best candidate.
    fn promotion(&mut self, trial: TrialId) -> Option<Asked<M::Genome>> {
        let mut brackets = self.brackets.iter_mut();
        let next = |(number, bracket): (&usize, &mut Bracket<M::Genome>)| {
            Some((*number, bracket.next_promotion()?))
        };
        let (number, next) = brackets.find_map(next)?;
        let bracket = &self.brackets[&number];
        let member = bracket.member(next);
        let (earlier, genome) = (member.trial, member.genome.clone());
        let rung = next.rung + 1;
        let (ladder, level) = (&self.settings.ladder, bracket.level(rung));
        let fidelity = ladder.levels()[level].fidelity;
        let proposed = ladder.at_level(self.space, &genome, level);
        let before = ladder.levels()[level - 1].fidelity;
        let proposal = if before.leads_to(&fidelity) {
            Proposal::promotion(proposed, earlier, fidelity)
        } else {
            Proposal::child(proposed, vec![earlier]).at(fidelity)
        };
        Some(Asked {
            trial,
            bracket: number,
            rung,
            promotes: Some(earlier),
            genome,
            proposal,
        })
    }

    /// A candidate that is new to the newest bracket, or the first of the next.
    fn newcomer(&mut self, trial: TrialId, attempt: u32, stream: &mut Stream) -> Asked<M::Genome> {
        if !self.brackets[&self.newest()].has_room() {
            self.open(self.newest() + 1);
        }
        let bracket = self.newest();
        let (genome, parents) = self.draw(attempt, stream);
        let level = self.brackets[&bracket].level(0);
        let fidelity = self.settings.ladder.levels()[level].fidelity;
        let proposed = self.settings.ladder.at_level(self.space, &genome, level);
        Asked {
            trial,
            bracket,
            rung: 0,
            promotes: None,
            genome,
            proposal: Proposal::child(proposed, parents).at(fidelity),
        }
    }

    fn draw(&self, attempt: u32, stream: &mut Stream) -> (M::Genome, Vec<TrialId>) {
        let guide = self.settings.guide.filter(|_| attempt < FRESH_FROM_ATTEMPT);
        if let Some(guide) = guide
            && self.elites.len() >= guide.sample
            && stream.unit() >= guide.random_share
        {
            let parent = self.elites.tournament(guide.sample, stream);
            let edits = guide.edits + (attempt / ATTEMPTS_PER_EDIT) as usize;
            let genome = self.space.mutate(&parent.genome, edits, stream);
            return (genome, vec![parent.trial]);
        }
        let genome = self.space.sample(self.settings.sampling, stream);
        (genome, Vec::new())
    }

    /// The latest proposal was taken: it runs.
    fn commit(&mut self) {
        let Some(asked) = self.asked.take() else {
            return;
        };
        if let Some(bracket) = self.brackets.get_mut(&asked.bracket) {
            bracket.enter(
                asked.rung,
                asked.trial,
                asked.genome.clone(),
                asked.promotes,
            );
        }
        self.running.insert(asked.trial, asked);
    }

    /// The latest proposal was tried before: it is not made again.
    fn withdraw(&mut self) {
        if let Some(asked) = self.asked.take()
            && let Some(earlier) = asked.promotes
            && let Some(bracket) = self.brackets.get_mut(&asked.bracket)
        {
            bracket.pass_over(asked.rung - 1, earlier);
        }
    }
}

impl<M: Moves> Controller<M::Genome> for Halving<'_, M> {
    fn ask(&mut self, trial: TrialId, attempt: u32, stream: &mut Stream) -> Proposal<M::Genome> {
        match &self.asked {
            Some(asked) if asked.trial == trial => self.withdraw(),
            _ => self.commit(),
        }
        let asked = self.promotion(trial);
        let asked = asked.unwrap_or_else(|| self.newcomer(trial, attempt, stream));
        let proposal = asked.proposal.clone();
        self.asked = Some(asked);
        proposal
    }

    fn tell(&mut self, trial: TrialId, result: &Observed<M::Genome>) {
        self.commit();
        let Some(asked) = self.running.remove(&trial) else {
            return;
        };
        // Where a small space is used up, another network may have been tried instead, and in full; and
        // of several newcomers that were drawn, another may have been chosen than the last.
        let same = asked.proposal.genome == result.genome;
        let as_asked =
            asked.proposal.fidelity == result.fidelity && (same || asked.promotes.is_none());
        let genome = if same {
            asked.genome
        } else {
            result.genome.clone()
        };
        let mut level = self.settings.ladder.levels().len() - 1;
        if let Some(bracket) = self.brackets.get_mut(&asked.bracket) {
            let fitness = result.fitness.filter(|_| as_asked);
            bracket.settle(asked.rung, trial, &genome, fitness);
            if as_asked {
                level = bracket.level(asked.rung);
            }
        }
        if let Some(fitness) = result.fitness {
            self.elites.add(trial, genome, level, fitness);
        }
        let newest = self.newest();
        self.brackets
            .retain(|&number, bracket| number == newest || !bracket.is_decided());
    }

    fn may_be_parent(&self, trial: TrialId) -> bool {
        self.elites.contains(trial) || self.may_go_on(trial)
    }

    fn may_go_on(&self, trial: TrialId) -> bool {
        let brackets = self.brackets.values();
        let found = brackets.rev().find_map(|bracket| bracket.may_go_on(trial));
        found.unwrap_or(false)
    }
}

#[cfg(test)]
mod tests;
