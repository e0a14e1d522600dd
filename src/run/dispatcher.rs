//! The search phase: asks, hands out, writes down, tells.
//!
//! The order of the journal is a function of the number of trials and the lookahead W alone: trials
//! 0..W are proposed; then each result, in the order of trials, is followed by the proposal it makes
//! possible. A result that comes early waits in memory; a crash loses at most W-1 of those, and they
//! were never acknowledged.
//!
//! Whatever has come by the time that the dispatcher looks is written and made safe together. Only then are
//! its results told and its proposals handed out.

mod clock;
mod replay;

use super::again::{again, heir_of};
use super::checkpoints::Checkpoints;
use super::core::{Core, Flow, PATIENCE, Work};
use super::error::RunError;
use super::evaluators::Evaluators;
use super::event::{Event, Phase, Unit};
use super::executor::{Assignment, Beginning, Done, Executor, Legacy, Message};
use super::figures;
use super::leftovers;
use super::record::{EndReason, Proposal, Record, SearchEnd, Searched, TrialFailed, TrialFinished};
use super::within::Leader;
use crate::evaluation::Finished;
use crate::search::{Fidelity, Proposed, Proposer, TrialId};
use crate::space::Candidate;
use crate::training::Recipe;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Searches until the budget is used up, or goes on with a search.
pub(super) fn search(core: &mut Core<'_>, evaluators: &dyn Evaluators) -> Result<Flow, RunError> {
    if core.state.searched.is_some() {
        return Ok(Flow::Done);
    }
    let units = core.setup.experiment.budget.trials;
    core.tell(&Event::Phase {
        phase: Phase::Search,
        units,
    });
    let (workforce, limits) = (core.workforce, core.limits);
    let mut flow = Flow::Interrupted;
    workforce.search(evaluators, limits, &mut |executor| {
        let prefilter = core.setup.prefilter(evaluators)?;
        flow = Search::replay(core, executor, prefilter)?.run()?;
        Ok(())
    })?;
    Ok(flow)
}

/// The most messages that are taken in before what follows from them is made safe.
const MOST_MESSAGES: usize = 64;

/// A trial that has no result yet.
struct Open {
    candidate: Arc<Candidate>,
    recipe: Recipe,
    fidelity: Fidelity,
    stream: u64,
    /// The trial that it goes on from.
    continues: Option<TrialId>,
    /// Epochs trained by the trials it goes on from.
    before: u32,
}

impl Open {
    /// The epochs that it will train, at most: see [`State::epochs`](super::state::State::epochs).
    fn epochs(&self) -> f64 {
        let whole = self.fidelity.epochs_of(self.recipe.epochs);
        let own = whole.saturating_sub(self.before as usize);
        self.fidelity.share() * own as f64
    }
}

struct Search<'a, 'c> {
    core: &'a mut Core<'c>,
    executor: &'a mut dyn Executor,
    proposer: Proposer<'c>,
    /// The names of what is to be small beside a good score.
    objectives: Vec<String>,
    open: BTreeMap<TrialId, Open>,
    checkpoints: Checkpoints,
    weights: Checkpoints,
    early: BTreeMap<TrialId, Done>,
    /// Trials whose proposals are not safe yet; they are handed out when those are.
    proposed: Vec<TrialId>,
    /// Whether what became of trials is of no use to later ones, so that it need not be remembered.
    forgets: bool,
    /// The best of those that may win, where the winner has bounds.
    leader: Leader,
    /// How many results the controller was told of. There are more only where an extended search catches up
    /// with what was done before.
    told: usize,
    /// The epochs of the trials that it was told of: see [`State::epochs`](super::state::State::epochs).
    epochs: f64,
    /// Seconds that the final evaluation will take, as far as trials tell.
    last_phase: Option<f64>,
    closed: Option<SearchEnd>,
    cancelled: usize,
}

impl Search<'_, '_> {
    fn run(&mut self) -> Result<Flow, RunError> {
        self.propose_ready()?;
        self.settle()?;
        self.commit()?;
        while !self.is_complete() {
            if self.core.is_interrupted() {
                return Ok(Flow::Interrupted);
            }
            self.look_at_the_clock()?;
            if self.is_complete() {
                break;
            }
            if let Some(message) = self.executor.next(PATIENCE)? {
                self.receive(message)?;
                self.receive_more()?;
                self.commit()?;
            }
        }
        self.checkpoints.clear();
        self.weights.clear();
        let trials = self.core.state.outcomes.len() as u64;
        let reason = self.closed.expect("a complete search is closed");
        self.core
            .record(Record::Searched(Searched { trials, reason }))?;
        self.core.tell(&Event::Searched { trials, reason });
        Ok(Flow::Done)
    }

    /// Whether every trial that counts has its result.
    fn is_complete(&self) -> bool {
        match self.closed {
            None => false,
            Some(SearchEnd::ConsecutiveFailures) => true,
            Some(_) => {
                let proposed = self.proposer.proposed() as usize;
                self.core.state.outcomes.len() == proposed - self.cancelled
            }
        }
    }

    /// Makes what was written safe, and only then does what follows from it.
    fn commit(&mut self) -> Result<(), RunError> {
        if self.core.is_safe() {
            return Ok(());
        }
        self.core.commit()?;
        for trial in std::mem::take(&mut self.proposed) {
            self.submit(trial)?;
        }
        self.drop_checkpoints();
        Ok(())
    }

    /// Receives what comes in a moment, as long as there are trials that something may come of.
    fn receive_more(&mut self) -> Result<(), RunError> {
        for _ in 0..MOST_MESSAGES {
            let begun = self.open.len() - self.proposed.len();
            if self.core.is_safe() || self.is_complete() || begun == self.early.len() {
                break;
            }
            match self.executor.in_a_moment()? {
                Some(message) => self.receive(message)?,
                None => break,
            }
        }
        Ok(())
    }

    fn receive(&mut self, message: Message) -> Result<(), RunError> {
        let Unit::Trial(trial) = *message.unit() else {
            unreachable!("a search runs trials");
        };
        let work = match self.open.get(&trial) {
            Some(open) if matches!(message, Message::Started { .. }) => self.work(trial, open),
            _ => Work::default(),
        };
        let Some(done) = self.core.pass_on(message, || work) else {
            return Ok(());
        };
        self.early.insert(trial, done);
        self.settle()
    }

    /// How much work a trial is that has no result yet.
    fn work(&self, trial: TrialId, open: &Open) -> Work {
        let epochs = open.fidelity.epochs_of(open.recipe.epochs);
        Work {
            params: self.core.state.proposals[trial.0 as usize].params,
            epochs: u32::try_from(epochs).unwrap_or(u32::MAX),
            score_name: self.core.setup.score_name(),
        }
    }

    /// Writes the results whose turn it is, each followed by the proposal it makes possible. Those that were
    /// written before the search was extended are not written again.
    fn settle(&mut self) -> Result<(), RunError> {
        while !self.is_complete() {
            let trial = TrialId(self.told as u64);
            let is_new = self.told == self.core.state.outcomes.len();
            if is_new {
                let Some(done) = self.early.remove(&trial) else {
                    return Ok(());
                };
                self.write_outcome(trial, done)?;
            } else {
                self.open.remove(&trial);
            }
            self.tell(trial)?;
            self.foretell();
            if is_new && self.gave_up() {
                self.closed = Some(SearchEnd::ConsecutiveFailures);
                return Ok(());
            }
            self.propose_ready()?;
        }
        Ok(())
    }

    /// Tells the controller of a trial's result.
    fn tell(&mut self, trial: TrialId) -> Result<(), RunError> {
        let (state, place) = (&self.core.state, trial.0 as usize);
        let outcome = &state.outcomes[place];
        let share = state.proposals[place].fidelity().share();
        self.epochs += share * outcome.epochs().len() as f64;
        let fitness = outcome.fitness(state.direction());
        let costs = self.costs(trial)?;
        self.proposer.tell(fitness, costs);
        self.told += 1;
        self.forget(trial);
        Ok(())
    }

    /// Forgets what a search need not know of a trial that it was told of.
    fn forget(&mut self, trial: TrialId) {
        self.core.state.shed(trial);
        if self.forgets {
            self.core.state.forget_before(trial);
        }
    }

    fn drop_checkpoints(&mut self) {
        let (proposer, open) = (&self.proposer, &self.open);
        let going_on = |trial| open.values().any(|open| open.continues == Some(trial));
        self.checkpoints
            .retain(|trial| proposer.may_go_on(trial) || going_on(trial));
        self.weights.retain(|trial| proposer.may_be_parent(trial));
    }

    /// What a trial with a result costs by the search's further objectives.
    fn costs(&self, trial: TrialId) -> Result<Vec<f64>, RunError> {
        let (state, place) = (&self.core.state, trial.0 as usize);
        let (proposal, outcome) = (&state.proposals[place], &state.outcomes[place]);
        figures::costs(self.core.setup, &self.objectives, proposal, outcome)
    }

    fn propose_ready(&mut self) -> Result<(), RunError> {
        while self.closed.is_none()
            && (self.proposer.proposed() as usize) < self.told + self.lookahead()
        {
            let budget = self.core.setup.experiment.budget;
            if budget
                .trials
                .is_some_and(|trials| self.proposer.proposed() >= trials)
            {
                self.closed = Some(SearchEnd::Trials);
                break;
            }
            let Some(proposed) = self.proposer.propose() else {
                self.closed = Some(SearchEnd::Exhausted);
                break;
            };
            let proposal = record_of(&proposed);
            let open = self.opened(proposed)?;
            if budget
                .epochs
                .is_some_and(|epochs| self.planned_epochs(&open) > epochs as f64)
            {
                self.drop_last_proposal();
                self.closed = Some(SearchEnd::Epochs);
                break;
            }
            let trial = proposal.trial;
            self.core.add(Record::Proposed(proposal))?;
            self.open.insert(trial, open);
            self.proposed.push(trial);
        }
        Ok(())
    }

    /// The epochs that were trained, and those still to be trained at most, one more trial included.
    fn planned_epochs(&self, next: &Open) -> f64 {
        let open: f64 = self.open.values().map(Open::epochs).sum();
        self.epochs + open + next.epochs()
    }

    fn drop_last_proposal(&mut self) {
        // It is in no journal and gets no number; the search is closed, so nobody asks again.
        self.cancelled += 1;
    }

    /// What is to be known of a proposal until it has a result.
    fn opened(&self, proposed: Proposed) -> Result<Open, RunError> {
        let state = &self.core.state;
        let before = proposed.continues.map_or(0, |earlier| {
            let own = state.outcomes[earlier.0 as usize].epochs().len();
            state.epochs_before(earlier) + own as u32
        });
        Ok(Open {
            recipe: self.core.setup.recipe(&proposed.candidate)?,
            candidate: Arc::new(proposed.candidate),
            fidelity: proposed.fidelity,
            stream: proposed.stream,
            continues: proposed.continues,
            before,
        })
    }

    /// What a trial begins with, if it inherits.
    fn legacy(&self, trial: TrialId) -> Result<Option<Arc<Legacy>>, RunError> {
        let (setup, state) = (self.core.setup, &self.core.state);
        let Some(parent) = heir_of(setup, state, trial) else {
            return Ok(None);
        };
        let legacy = match self.weights.read(parent) {
            Some(weights) => {
                let genome = &state.proposals[parent.0 as usize].genome;
                Legacy::Weights(Arc::new(setup.candidate(genome)?), weights)
            }
            None => Legacy::Again(Box::new(again(setup, state, parent)?)),
        };
        Ok(Some(Arc::new(legacy)))
    }

    fn submit(&mut self, trial: TrialId) -> Result<(), RunError> {
        let legacy = self.legacy(trial)?;
        let open = &self.open[&trial];
        self.executor.submit(Assignment {
            unit: Unit::Trial(trial),
            attempt: 0,
            number: open.stream,
            seed: self.core.setup.experiment.seed,
            candidate: Arc::clone(&open.candidate),
            recipe: open.recipe.clone(),
            fidelity: open.fidelity,
            start: Beginning {
                epochs: open.before,
                checkpoint: open.continues.and_then(|it| self.checkpoints.read(it)),
                keep: open.fidelity.epochs.is_some(),
                legacy,
            },
        })
    }

    fn gave_up(&self) -> bool {
        let limit = self.core.setup.experiment.stop.consecutive_failures;
        self.core.state.failures_in_a_row().len() as u64 >= limit
    }

    fn write_outcome(&mut self, trial: TrialId, done: Done) -> Result<(), RunError> {
        let open = self
            .open
            .remove(&trial)
            .expect("a trial with a result was open");
        let curve = self.core.state.curve(trial, &done.epochs);
        leftovers::write_trial(self.core.folder, trial, &open.candidate, &curve)?;
        match done.result {
            Ok(finished) => {
                let Done {
                    worker,
                    epochs,
                    seconds,
                    ..
                } = done;
                let Finished {
                    score,
                    loss,
                    metrics,
                    weights,
                    checkpoint,
                    best_epoch,
                    ..
                } = finished;
                if let Some(checkpoint) = checkpoint {
                    self.checkpoints.keep(trial, &checkpoint)?;
                }
                let record = TrialFinished {
                    trial,
                    score,
                    loss,
                    metrics,
                    best_epoch,
                    epochs,
                    seconds,
                    worker,
                };
                if let Some(weights) = weights.as_deref().filter(|_| self.core.setup.inherits()) {
                    self.weights.keep(trial, weights)?;
                }
                self.write_finished(&open, record, weights.as_deref())
            }
            Err(failure) => {
                let unit = Unit::Trial(trial);
                let (kind, message) = (failure.kind, failure.message);
                let Done {
                    worker,
                    epochs,
                    seconds,
                    ..
                } = done;
                let told = message.clone();
                let record = TrialFailed {
                    trial,
                    kind,
                    message,
                    epochs,
                    seconds,
                    worker,
                };
                self.core.add(Record::Failed(record))?;
                self.core.tell(&Event::Failed {
                    unit,
                    kind,
                    message: told,
                });
                Ok(())
            }
        }
    }

    fn write_finished(
        &mut self,
        open: &Open,
        record: TrialFinished,
        weights: Option<&[u8]>,
    ) -> Result<(), RunError> {
        let TrialFinished {
            trial,
            score,
            seconds,
            ..
        } = record;
        let proposal = &self.core.state.proposals[trial.0 as usize];
        let params = proposal.params;
        let state = &self.core.state;
        let held = state.best();
        let setup = self.core.setup;
        let improves = match setup.experiment.last.within.is_empty() {
            true => held.is_none_or(|held| state.is_better((proposal, &record), held)),
            false => {
                let found = (proposal, &record);
                self.leader.challenge(setup, found, &open.candidate)?
            }
        };
        if improves {
            // Before the record: a crash in between leaves files that the same trial writes again.
            let (folder, score_name) = (self.core.folder, self.core.setup.score_name());
            leftovers::write_best(folder, &record, &open.candidate, weights, score_name)?;
        }
        self.core.add(Record::Finished(record))?;
        self.core.tell(&Event::Finished {
            unit: Unit::Trial(trial),
            score,
            seconds,
        });
        if improves {
            self.core.tell(&Event::BestImproved {
                trial,
                score,
                params,
            });
        }
        Ok(())
    }

    fn lookahead(&self) -> usize {
        usize::try_from(self.core.setup.experiment.search.lookahead).unwrap_or(usize::MAX)
    }
}

fn record_of(proposed: &Proposed) -> Proposal {
    let Candidate {
        genome,
        architecture,
        recipe,
    } = &proposed.candidate;
    let metrics = architecture.metrics();
    let value = |value| serde_json::to_value(value).expect("a setting is plain data");
    Proposal {
        trial: proposed.trial,
        genome: genome.clone(),
        key: architecture.canonical().digest(),
        parents: proposed.parents.clone(),
        recipe: recipe
            .iter()
            .map(|(name, setting)| (name.clone(), value(setting)))
            .collect(),
        params: metrics.params,
        macs: metrics.macs,
        fidelity: Some(proposed.fidelity).filter(|fidelity| !fidelity.is_full()),
        continues: proposed.continues,
    }
}

/// Ends a run whose search gave up.
pub(super) fn give_up(core: &mut Core<'_>) -> Result<RunError, RunError> {
    core.end(EndReason::ConsecutiveFailures)?;
    Ok(failures(core))
}

/// The error that says which trials failed and why.
pub(super) fn failures(core: &Core<'_>) -> RunError {
    let failed = core.state.failures_in_a_row();
    let why = |failed: &&TrialFailed| {
        (
            failed.trial,
            format!("{} ({})", failed.kind.name(), failed.message),
        )
    };
    let folder = core.folder.path().to_owned();
    RunError::ConsecutiveFailures {
        trials: failed.iter().map(why).collect(),
        folder,
    }
}
