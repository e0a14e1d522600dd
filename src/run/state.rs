//! The state of a run: a fold over its journal.

use super::record::{
    EndReason, Proposal, Record, Retrained, Searched, Started, Subject, TrialFailed, TrialFinished,
    Winner,
};
use crate::evaluation::EpochRecord;
use crate::search::{Fitness, TrialId};
use std::collections::BTreeMap;

/// What became of a trial.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It has a score.
    Finished(TrialFinished),
    /// It has none.
    Failed(TrialFailed),
}

impl Outcome {
    /// The score, if there is one.
    pub fn score(&self) -> Option<f64> {
        match self {
            Self::Finished(finished) => Some(finished.score),
            Self::Failed(_) => None,
        }
    }

    /// How good it was, if it has a score.
    pub fn fitness(&self) -> Option<Fitness> {
        match self {
            Self::Finished(finished) => Some(finished.fitness()),
            Self::Failed(_) => None,
        }
    }

    /// The epochs that were trained.
    pub fn epochs(&self) -> &[EpochRecord] {
        match self {
            Self::Finished(finished) => &finished.epochs,
            Self::Failed(failed) => &failed.epochs,
        }
    }

    /// How long it took.
    pub fn seconds(&self) -> f64 {
        match self {
            Self::Finished(finished) => finished.seconds,
            Self::Failed(failed) => failed.seconds,
        }
    }
}

/// Everything that a journal says.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// What the run was started with.
    pub started: Option<Box<Started>>,
    /// The proposals, in order.
    pub proposals: Vec<Proposal>,
    /// The results, in the order of trials; trials at its length and beyond have none yet.
    pub outcomes: Vec<Outcome>,
    /// The end of the search.
    pub searched: Option<Searched>,
    /// The best trial.
    pub winner: Option<Winner>,
    /// Whether the test examples have been read.
    pub test_opened: bool,
    /// The retrainings.
    pub retrained: BTreeMap<(Subject, u32), Retrained>,
    /// How the run ended.
    pub ended: Option<EndReason>,
}

impl State {
    /// Takes in the next record.
    ///
    /// # Errors
    /// When it can't come next: in words.
    pub fn apply(&mut self, record: &Record) -> Result<(), String> {
        if self.ended.is_some() {
            return Err("a record after the run's end".to_owned());
        }
        if self.started.is_none() && !matches!(record, Record::Started(_)) {
            return Err("the first record does not start a run".to_owned());
        }
        match record {
            Record::Started(started) => return self.start(started),
            Record::Proposed(proposal) => return self.propose(proposal),
            Record::Finished(done) => self.settle(done.trial, Outcome::Finished(done.clone()))?,
            Record::Failed(failed) => self.settle(failed.trial, Outcome::Failed(failed.clone()))?,
            Record::Searched(searched) => self.searched = Some(searched.clone()),
            Record::Winner(winner) => self.winner = Some(winner.clone()),
            Record::TestOpened(_) => self.test_opened = true,
            Record::Retrained(done) => {
                self.retrained
                    .insert((done.subject.clone(), done.index), done.clone());
            }
            Record::Ended(ended) => self.ended = Some(ended.reason),
        }
        Ok(())
    }

    /// The best trial so far: the highest score, of equals the lowest loss, then the fewest
    /// parameters, then the earliest.
    pub fn best(&self) -> Option<(&Proposal, &TrialFinished)> {
        let mut best: Option<(&Proposal, &TrialFinished)> = None;
        for (proposal, outcome) in self.proposals.iter().zip(&self.outcomes) {
            if let Outcome::Finished(finished) = outcome
                && best.is_none_or(|held| is_better((proposal, finished), held))
            {
                best = Some((proposal, finished));
            }
        }
        best
    }

    /// The failures since the last trial with a score.
    pub fn failures_in_a_row(&self) -> Vec<&TrialFailed> {
        let mut failures = Vec::new();
        for outcome in self.outcomes.iter().rev() {
            match outcome {
                Outcome::Failed(failed) => failures.push(failed),
                Outcome::Finished(_) => break,
            }
        }
        failures.reverse();
        failures
    }

    /// The epochs of all trials with a result.
    pub fn epochs(&self) -> u64 {
        self.outcomes
            .iter()
            .map(|outcome| outcome.epochs().len() as u64)
            .sum()
    }

    /// The number of trials that count, once the search is over; the number with a result before.
    pub fn trials(&self) -> u64 {
        self.searched
            .as_ref()
            .map_or(self.outcomes.len() as u64, |searched| searched.trials)
    }

    fn start(&mut self, started: &Started) -> Result<(), String> {
        if self.started.is_some() {
            return Err("the run is started twice".to_owned());
        }
        self.started = Some(Box::new(started.clone()));
        Ok(())
    }

    fn propose(&mut self, proposal: &Proposal) -> Result<(), String> {
        if proposal.trial != TrialId(self.proposals.len() as u64) {
            return Err(format!("trial {} is proposed out of turn", proposal.trial));
        }
        self.proposals.push(proposal.clone());
        Ok(())
    }

    fn settle(&mut self, trial: TrialId, outcome: Outcome) -> Result<(), String> {
        let next = self.outcomes.len();
        if trial != TrialId(next as u64) || next >= self.proposals.len() {
            return Err(format!("trial {trial} has a result out of turn"));
        }
        self.outcomes.push(outcome);
        Ok(())
    }
}

/// Whether a trial beats another: the higher score, of equals the lower loss, then the fewer
/// parameters.
pub(super) fn is_better(
    new: (&Proposal, &TrialFinished),
    held: (&Proposal, &TrialFinished),
) -> bool {
    let by_fitness = new.1.fitness().compare(&held.1.fitness());
    by_fitness.then(held.0.params.cmp(&new.0.params)).is_gt()
}
