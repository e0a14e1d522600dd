//! The state of a run: a fold over its journal.

use super::forecast::Pace;
use super::history::History;
use super::record::{
    EndReason, Extended, Proposal, Record, Retrained, Searched, Selected, Started, Subject,
    TrialFailed, TrialFinished, Winner,
};
use crate::evaluation::{EpochRecord, FailureKind};
use crate::search::{Fitness, TrialId};
use crate::space::Addresses;
use crate::training::Direction;
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

    /// How good it was, if it has a score, which gets better in this direction.
    pub fn fitness(&self, direction: Direction) -> Option<Fitness> {
        match self {
            Self::Finished(finished) => Some(finished.fitness(direction)),
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

/// Whether the trials at full fidelity have one score.
#[derive(Clone, Copy, Debug, Default)]
struct Scores {
    count: u64,
    first: Option<f64>,
    differ: bool,
}

impl Scores {
    fn add(&mut self, score: f64) {
        self.count += 1;
        let first = *self.first.get_or_insert(score);
        self.differ |= first.to_bits() != score.to_bits();
    }
}

/// Everything that a journal says.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// What the run was started with, and the budget that it has by now.
    pub started: Option<Box<Started>>,
    /// The proposals, in order.
    pub proposals: History<Proposal>,
    /// The results, in the order of trials; trials at its length and beyond have none yet.
    pub outcomes: History<Outcome>,
    /// The best trial so far.
    best: Option<TrialId>,
    /// See [`scores_alike`](Self::scores_alike).
    scores: Scores,
    /// The addresses of decisions, which the genomes of a journal share.
    addresses: Addresses,
    /// See [`failed`](Self::failed).
    failed: BTreeMap<FailureKind, u64>,
    /// See [`epochs`](Self::epochs).
    epochs: f64,
    /// How long trials took.
    pace: Pace,
    /// The end of the search.
    pub searched: Option<Searched>,
    /// The best trial.
    pub winner: Option<Winner>,
    /// The selection trainings.
    pub selected: BTreeMap<Subject, Selected>,
    /// Whether the test examples have been read.
    pub test_opened: bool,
    /// How many there were.
    pub test_examples: Option<u64>,
    /// The how manieth look at them it was, from 1.
    pub look: Option<u32>,
    /// The retrainings.
    pub retrained: BTreeMap<(Subject, u32), Retrained>,
    /// How the run ended.
    pub ended: Option<EndReason>,
    /// After how many trials the test examples were read before the search was extended, for each time.
    pub earlier_looks: Vec<u64>,
    /// How many results there were when the search was last extended.
    pub(super) extended_at: usize,
}

impl State {
    /// Takes in the next record.
    ///
    /// # Errors
    /// When it can't come next: in words.
    pub fn apply(&mut self, record: &Record) -> Result<(), String> {
        self.take(record.clone())
    }

    /// As [`apply`](Self::apply), with a record that nobody needs any more.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub fn take(&mut self, record: Record) -> Result<(), String> {
        if self.ended.is_some() && !matches!(record, Record::Extended(_)) {
            return Err("a record after the run's end".to_owned());
        }
        if self.started.is_none() && !matches!(record, Record::Started(_)) {
            return Err("the first record does not start a run".to_owned());
        }
        match record {
            Record::Started(started) => return self.start(started),
            Record::Proposed(proposal) => return self.propose(proposal),
            Record::Finished(done) => self.settle(done.trial, Outcome::Finished(done))?,
            Record::Failed(failed) => self.settle(failed.trial, Outcome::Failed(failed))?,
            Record::Searched(searched) => self.searched = Some(searched),
            Record::Winner(winner) => self.winner = Some(winner),
            Record::Selected(_) if self.test_opened => {
                return Err("a selection training after the test was opened".to_owned());
            }
            Record::Selected(done) => {
                self.selected.insert(done.subject.clone(), done);
            }
            Record::TestOpened(opened) => {
                (self.test_opened, self.test_examples) = (true, Some(opened.examples));
                self.look = Some(opened.look);
            }
            Record::Retrained(done) => {
                let of = (done.subject.clone(), done.index);
                self.retrained.insert(of, done);
            }
            Record::Ended(ended) => self.ended = Some(ended.reason),
            Record::Extended(extended) => self.extend(extended),
        }
        Ok(())
    }

    /// After how many trials the test examples were read, for each time that they were.
    pub fn test_looks(&self) -> Vec<u64> {
        let last = self.test_opened.then(|| self.trials());
        self.earlier_looks.iter().copied().chain(last).collect()
    }

    /// The best trial so far among those of the highest fidelity: the best score, of equals the
    /// lowest loss, then the fewest parameters, then the earliest.
    pub fn best(&self) -> Option<(&Proposal, &TrialFinished)> {
        let place = self.best?.0 as usize;
        match &self.outcomes[place] {
            Outcome::Finished(finished) => Some((&self.proposals[place], finished)),
            Outcome::Failed(_) => unreachable!("the best trial has a score"),
        }
    }

    /// How many trials at full fidelity have one and the same score; nothing if there are fewer than two, or they differ.
    pub fn scores_alike(&self) -> Option<u64> {
        let Scores { count, differ, .. } = self.scores;
        (count > 1 && !differ).then_some(count)
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

    /// How many trials failed, by kind.
    pub fn failed(&self) -> &BTreeMap<FailureKind, u64> {
        &self.failed
    }

    /// The epochs that all trials with a result trained, those on a share of the examples by that
    /// share. A trial that went on from another counts its own, whether or not the other's had to be
    /// trained again.
    pub fn epochs(&self) -> f64 {
        self.epochs
    }

    /// How long trials took.
    pub(super) fn pace(&self) -> &Pace {
        &self.pace
    }

    /// The learning curve that ends with a trial: the epochs of the trials it goes on from, and its own.
    ///
    /// # Panics
    /// When one that it goes on from has no result.
    pub fn curve(&self, trial: TrialId, own: &[EpochRecord]) -> Vec<EpochRecord> {
        let first = self.continued_by(trial);
        let before = std::iter::successors(first, |&trial| self.continued_by(trial));
        let mut parts: Vec<&[EpochRecord]> = before
            .map(|trial| self.outcomes[trial.0 as usize].epochs())
            .collect();
        parts.reverse();
        parts.push(own);
        parts.concat()
    }

    /// The number that a trial's random streams are drawn by: that of the first trial it goes on from.
    ///
    /// # Panics
    /// When there is no such trial.
    pub fn stream(&self, trial: TrialId) -> u64 {
        let first = std::iter::successors(Some(trial), |&trial| self.continued_by(trial)).last();
        first.expect("a trial is its own first").0
    }

    /// The epochs that were trained before a trial began: those of the trials it goes on from.
    ///
    /// # Panics
    /// When there is no such trial, or one that it goes on from has no result.
    pub fn epochs_before(&self, trial: TrialId) -> u32 {
        let first = self.continued_by(trial);
        let before = std::iter::successors(first, |&trial| self.continued_by(trial));
        let epochs = |trial: TrialId| self.outcomes[trial.0 as usize].epochs().len();
        u32::try_from(before.map(epochs).sum::<usize>()).unwrap_or(u32::MAX)
    }

    /// Forgets of a trial with a result what only readers of the journal want to know: further figures and
    /// names.
    pub(super) fn shed(&mut self, trial: TrialId) {
        let place = trial.0 as usize;
        self.proposals[place].key = String::new();
        if let Outcome::Finished(finished) = &mut self.outcomes[place] {
            finished.metrics.clear();
        }
    }

    /// Forgets the trials before the last one up to `trial` that has a score, but for the best. A run whose later
    /// trials need nothing of them would hold little else.
    pub(super) fn forget_before(&mut self, trial: TrialId) {
        let place = trial.0 as usize;
        if self.outcomes[place].score().is_some() {
            let best = self.best.map(|best| best.0 as usize);
            self.proposals.forget_before(place, best);
            self.outcomes.forget_before(place, best);
        }
    }

    /// The way in which the search's scores get better.
    pub fn direction(&self) -> Direction {
        let started = self.started.as_ref();
        started.map_or_else(Direction::default, |started| started.experiment.direction())
    }

    /// Whether a trial beats another: the higher fidelity, of equals the better score, then the lower loss,
    /// then the fewer parameters.
    pub(super) fn is_better(
        &self,
        new: (&Proposal, &TrialFinished),
        held: (&Proposal, &TrialFinished),
    ) -> bool {
        is_better(self.direction(), new, held)
    }

    fn continued_by(&self, trial: TrialId) -> Option<TrialId> {
        self.proposals[trial.0 as usize].continues
    }

    /// The number of trials that count, once the search is over; the number with a result before.
    pub fn trials(&self) -> u64 {
        self.searched
            .as_ref()
            .map_or(self.outcomes.len() as u64, |searched| searched.trials)
    }

    fn start(&mut self, started: Box<Started>) -> Result<(), String> {
        if self.started.is_some() {
            return Err("the run is started twice".to_owned());
        }
        self.started = Some(started);
        Ok(())
    }

    /// Forgets all that came after the end of the search: it goes on.
    fn extend(&mut self, extended: Extended) {
        let looks = self.test_looks();
        let started = self.started.as_mut().expect("a run begins with its start");
        started.experiment.budget = extended.budget;
        (self.searched, self.winner, self.ended) = (None, None, None);
        (self.test_opened, self.test_examples) = (false, None);
        self.look = None;
        self.selected.clear();
        self.retrained.clear();
        self.earlier_looks = looks;
        self.extended_at = self.outcomes.len();
    }

    fn propose(&mut self, mut proposal: Proposal) -> Result<(), String> {
        if proposal.trial != TrialId(self.proposals.len() as u64) {
            return Err(format!("trial {} is proposed out of turn", proposal.trial));
        }
        if let Some(earlier) = proposal.continues {
            self.check_continuation(&proposal, earlier)?;
        }
        proposal.genome.share_addresses(&mut self.addresses);
        self.proposals.push(proposal);
        Ok(())
    }

    fn check_continuation(&self, proposal: &Proposal, earlier: TrialId) -> Result<(), String> {
        let known = self.outcomes.len().min(self.proposals.len());
        let goes_on = (earlier.0 as usize) < known && {
            let first = &self.proposals[earlier.0 as usize];
            first.genome == proposal.genome && first.fidelity().leads_to(&proposal.fidelity())
        };
        if goes_on {
            return Ok(());
        }
        let trial = proposal.trial;
        Err(format!("trial {trial} can't go on from trial {earlier}"))
    }

    fn settle(&mut self, trial: TrialId, outcome: Outcome) -> Result<(), String> {
        let next = self.outcomes.len();
        if trial != TrialId(next as u64) || next >= self.proposals.len() {
            return Err(format!("trial {trial} has a result out of turn"));
        }
        let proposal = &self.proposals[next];
        let epochs = proposal.fidelity().share() * outcome.epochs().len() as f64;
        self.epochs += epochs;
        if epochs > 0.0 || outcome.score().is_some() {
            let epochs = if epochs > 0.0 { epochs } else { 1.0 };
            self.pace.add(outcome.seconds(), epochs, proposal.macs);
        }
        match &outcome {
            Outcome::Finished(finished) => {
                if proposal.fidelity.is_none() {
                    self.scores.add(finished.score);
                }
                let proposal = &self.proposals[next];
                let held = self.best();
                if held.is_none_or(|held| self.is_better((proposal, finished), held)) {
                    self.best = Some(trial);
                }
            }
            Outcome::Failed(failed) => *self.failed.entry(failed.kind).or_default() += 1,
        }
        self.outcomes.push(outcome);
        Ok(())
    }
}

/// Whether one trial is a better answer than another whose scores get better in the same way: one of a higher fidelity,
/// then the fitter, then the one with fewer parameters.
pub(super) fn is_better(
    direction: Direction,
    new: (&Proposal, &TrialFinished),
    held: (&Proposal, &TrialFinished),
) -> bool {
    let fitness = |trial: &TrialFinished| trial.fitness(direction);
    let by_fidelity = new.0.fidelity().compare(&held.0.fidelity());
    let by_fitness = fitness(new.1).compare(&fitness(held.1));
    let order = by_fidelity.then(by_fitness);
    order.then(held.0.params.cmp(&new.0.params)).is_gt()
}
