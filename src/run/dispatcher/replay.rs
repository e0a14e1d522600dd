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
            closed: None,
            cancelled: 0,
        };
        search.replay_proposals()?;
        search.resubmit()?;
        Ok(search)
    }

    /// Proposes again what was proposed, telling each result when it was told.
    fn replay_proposals(&mut self) -> Result<(), RunError> {
        let count = self.core.state.proposals.len();
        let mut told = 0;
        for index in 0..count {
            self.retell(&mut told, self.due(index))?;
            let then = &self.core.state.proposals[index];
            let proposed = self.proposer.propose_again(&then.genome);
            let proposed = proposed.ok_or_else(|| self.diverging(index))?;
            let same = proposed.candidate.genome == then.genome
                && proposed.fidelity == then.fidelity()
                && proposed.continues == then.continues;
            if !same {
                return Err(self.diverging(index));
            }
            if index >= self.core.state.outcomes.len() {
                let trial = proposed.trial;
                let open = self.opened(proposed)?;
                self.open.insert(trial, open);
            }
        }
        let results = self.core.state.outcomes.len();
        self.retell(&mut told, self.due(count).min(results))?;
        if results > self.due(count) {
            self.closed = Some(self.why_closed());
        }
        self.retell(&mut told, results)
    }

    fn retell(&mut self, told: &mut usize, until: usize) -> Result<(), RunError> {
        while *told < until {
            let outcome = self.core.state.outcomes.get(*told);
            let outcome = outcome.ok_or_else(|| self.diverging(*told))?;
            let fitness = outcome.fitness(self.core.state.direction());
            let costs = self.costs(TrialId(*told as u64))?;
            self.proposer.tell(fitness, costs);
            self.forget(TrialId(*told as u64));
            *told += 1;
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
            SearchEnd::Epochs
        }
    }

    /// Queues the trials that were running or waiting, unless the search may run no more.
    fn resubmit(&mut self) -> Result<(), RunError> {
        if self.gave_up() {
            self.closed = Some(SearchEnd::ConsecutiveFailures);
        } else if self.is_out_of_time() {
            self.closed = Some(SearchEnd::Seconds);
            self.cancelled += self.open.len();
        } else {
            let open: Vec<TrialId> = self.open.keys().copied().collect();
            open.into_iter().try_for_each(|trial| self.submit(trial))?;
        }
        Ok(())
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
