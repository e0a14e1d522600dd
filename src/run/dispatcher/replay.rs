//! A search that goes on where its journal ends.
//!
//! The proposals of the journal are made again, each with the results that were known then, so the
//! controller stands where it stood; a proposal that differs shows another version of strata at work.

use super::super::checkpoints::Checkpoints;
use super::super::core::Core;
use super::super::error::RunError;
use super::super::executor::Executor;
use super::super::record::SearchEnd;
use super::super::within::Leader;
use super::Search;
use crate::search::{Prefilter, Proposer, TrialId};
use std::collections::BTreeMap;

impl<'a, 'c> Search<'a, 'c> {
    /// A search that stands where the journal ends.
    pub(super) fn replay(
        core: &'a mut Core<'c>,
        executor: &'a mut dyn Executor,
        prefilter: Option<Prefilter<'c>>,
    ) -> Result<Self, RunError> {
        let setup = core.setup;
        let settings = setup.search_settings();
        let controller = settings.build(&*setup.space);
        let proposer = Proposer::new(&setup.space, controller, setup.experiment.seed)
            .with_duplicates(settings.duplicates())
            .with_prefilter(prefilter);
        let checkpoints = Checkpoints::of(core.folder.files(), core.folder.checkpoints());
        let weights = Checkpoints::of(core.folder.files(), core.folder.weights());
        let leader = Leader::of(core)?;
        let mut search = Self {
            core,
            executor,
            proposer,
            objectives: settings.costs(),
            open: BTreeMap::new(),
            checkpoints,
            weights,
            early: BTreeMap::new(),
            proposed: Vec::new(),
            forgets: setup.experiment.forgets(),
            leader,
            told: 0,
            epochs: 0.0,
            last_phase: None,
            closed: None,
            cancelled: 0,
        };
        search.last_phase = search.core.forecast();
        search.replay_proposals()?;
        search.resubmit()?;
        Ok(search)
    }

    /// Proposes again what was proposed, telling each result when it was told. A search that was extended and
    /// has done nothing since is left where its results make proposals possible: it catches up from there.
    fn replay_proposals(&mut self) -> Result<(), RunError> {
        let (count, results) = (
            self.core.state.proposals.len(),
            self.core.state.outcomes.len(),
        );
        let due = self.due(count).min(results);
        let catches_up = results <= self.core.state.extended_at;
        let told = if catches_up { due } else { results };
        for index in 0..count {
            self.retell(self.due(index))?;
            let then = &self.core.state.proposals[index];
            let proposed = self.proposer.propose_again(&then.genome);
            let proposed = proposed.ok_or_else(|| self.diverging(index))?;
            let same = proposed.candidate.genome == then.genome
                && proposed.fidelity == then.fidelity()
                && proposed.continues == then.continues;
            if !same {
                return Err(self.diverging(index));
            }
            if index >= told {
                let trial = proposed.trial;
                let open = self.opened(proposed)?;
                self.open.insert(trial, open);
            }
        }
        self.retell(due)?;
        if told > due {
            self.closed = Some(self.why_closed());
        }
        self.retell(told)
    }

    fn retell(&mut self, until: usize) -> Result<(), RunError> {
        while self.told < until {
            if self.told >= self.core.state.outcomes.len() {
                return Err(self.diverging(self.told));
            }
            self.tell(TrialId(self.told as u64))?;
        }
        Ok(())
    }

    /// How many results are known when trial `index` is proposed.
    fn due(&self, index: usize) -> usize {
        (index + 1).saturating_sub(self.lookahead())
    }

    /// Why a search has results without the proposals they make possible. It may not be decided
    /// afresh: a budget in epochs looks different when more trials have ended early.
    fn why_closed(&mut self) -> SearchEnd {
        let budget = self.core.setup.experiment.budget;
        if budget
            .trials
            .is_some_and(|trials| self.proposer.proposed() >= trials)
        {
            SearchEnd::Trials
        } else if self.is_out_of_time() {
            SearchEnd::Seconds
        } else if self.proposer.propose().is_none() {
            SearchEnd::Exhausted
        } else {
            self.drop_last_proposal();
            match budget.epochs {
                Some(_) => SearchEnd::Epochs,
                None => SearchEnd::TotalSeconds,
            }
        }
    }

    /// Queues the trials that were running or waiting, unless the search may run no more.
    fn resubmit(&mut self) -> Result<(), RunError> {
        if self.gave_up() {
            self.closed = Some(SearchEnd::ConsecutiveFailures);
        } else if self.is_out_of_time() || self.is_time_for_the_end() {
            let by_seconds = self.is_out_of_time();
            let reason = if by_seconds {
                SearchEnd::Seconds
            } else {
                SearchEnd::TotalSeconds
            };
            self.closed = Some(reason);
            self.cancelled += self.unfinished().len();
        } else {
            let mut unfinished = self.unfinished().into_iter();
            unfinished.try_for_each(|trial| self.submit(trial))?;
        }
        Ok(())
    }

    /// The trials without a result.
    fn unfinished(&self) -> Vec<TrialId> {
        let first = TrialId(self.core.state.outcomes.len() as u64);
        self.open.range(first..).map(|(trial, _)| *trial).collect()
    }

    fn diverging(&self, index: usize) -> RunError {
        let started = self.core.state.started.as_ref();
        let version = started.map_or_else(String::new, |started| started.strata.clone());
        RunError::Diverging {
            trial: TrialId(index as u64),
            version,
        }
    }
}
