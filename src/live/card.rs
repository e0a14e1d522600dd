//! A run in the list of runs.

use crate::run::record::Record;
use crate::run::{EndReason, News, Source};
use crate::training::Direction;
use serde::Serialize;

/// A run in a line: as much as can be said of it without its texts.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Card {
    /// The name it is looked up by.
    pub name: String,
    /// What the run is doing, or would do when resumed.
    pub phase: &'static str,
    /// Trials with a result, failed ones included.
    pub trials: u64,
    /// The budget in trials, if it has one.
    pub budget: Option<u64>,
    /// Trials that failed.
    pub failed: u64,
    /// The winner's score, or the highest so far of a full evaluation.
    pub best: Option<f64>,
    /// Its trial.
    pub best_trial: Option<u64>,
    /// When the run was begun, in seconds since 1970.
    pub begun: f64,
    /// When something was last written down.
    pub at: f64,
    /// Seconds of running.
    pub seconds: f64,
    /// What is wrong with its journal.
    pub trouble: Option<String>,
}

/// A run's card and what keeps it up to date.
pub struct Followed {
    /// The card as of the last look.
    pub card: Card,
    source: Box<dyn Source>,
    /// Which trials are no full evaluations.
    partial: Vec<bool>,
    /// The way in which scores get better.
    direction: Direction,
}

impl Followed {
    /// A run of which nothing is known yet.
    pub fn new(name: &str, source: Box<dyn Source>) -> Self {
        let card = Card {
            name: name.to_owned(),
            phase: "searching",
            ..Card::default()
        };
        Self {
            card,
            source,
            partial: Vec::new(),
            direction: Direction::default(),
        }
    }

    /// Takes in what was appended to the journal.
    pub fn catch_up(&mut self) {
        loop {
            match self.source.more() {
                Ok(News::Entries(entries)) => {
                    self.card.trouble = None;
                    for entry in &entries {
                        self.take(&entry.record);
                        (self.card.at, self.card.seconds) = (entry.at, entry.seconds);
                        if entry.seq == 0 {
                            self.card.begun = entry.at;
                        }
                    }
                    if entries.is_empty() {
                        return;
                    }
                }
                Ok(News::Restarted) => {
                    self.partial.clear();
                    self.card = Card {
                        name: std::mem::take(&mut self.card.name),
                        phase: "searching",
                        ..Card::default()
                    };
                }
                Err(error) => {
                    self.card.trouble = Some(error.to_string());
                    return;
                }
            }
        }
    }

    fn take(&mut self, record: &Record) {
        let card = &mut self.card;
        match record {
            Record::Started(started) => {
                card.budget = started.experiment.budget.trials;
                self.direction = started.experiment.direction();
            }
            Record::Proposed(proposal) => self.partial.push(proposal.fidelity.is_some()),
            Record::Finished(done) => {
                card.trials += 1;
                let partial = self.partial.get(done.trial.0 as usize) == Some(&true);
                let fitness = |score| self.direction.fitness(score);
                if !partial
                    && card
                        .best
                        .is_none_or(|best| fitness(done.score) > fitness(best))
                {
                    (card.best, card.best_trial) = (Some(done.score), Some(done.trial.0));
                }
            }
            Record::Failed(_) => {
                card.trials += 1;
                card.failed += 1;
            }
            Record::Searched(searched) => {
                card.phase = "final evaluation";
                card.trials = searched.trials;
            }
            Record::Winner(winner) => {
                (card.best, card.best_trial) = (Some(winner.score), Some(winner.trial.0));
            }
            Record::Selected(_) | Record::TestOpened(_) | Record::Retrained(_) => {}
            Record::Extended(extended) => {
                (card.budget, card.phase) = (extended.budget.trials, "searching");
            }
            Record::Ended(ended) => {
                card.phase = match ended.reason {
                    EndReason::Completed => "completed",
                    EndReason::NothingFinished
                    | EndReason::NothingWithin
                    | EndReason::ConsecutiveFailures => "gave up",
                }
            }
        }
    }
}
