//! Selection trainings: for how many epochs the networks of the final evaluation are retrained.
//!
//! Nothing of the data is left to validate by when a network is retrained on training and validation examples together,
//! so the number of epochs is known before: every network is retrained for as many as its own training on the training
//! part took to its best epoch on the validation part. The winner's training is its trial; every other network has
//! one such training here, before the test examples are read. Each is a record of its own, so a run that is killed
//! here goes on here.

use super::again::heir_of;
use super::core::{Core, Flow, PATIENCE, Work};
use super::error::RunError;
use super::evaluators::Evaluators;
use super::event::{Event, Unit};
use super::executor::{Assignment, Beginning, Done, Executor};
use super::final_evaluation::Contestant;
use super::record::{Record, Selected, SelectedResult, Subject, Winner};
use super::setup::Setup;
use super::state::{Outcome, State};
use crate::random::Seed;
use crate::search::{Fidelity, TrialId};
use crate::training;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How the number of epochs of retrainings is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// All of the recipe's: nothing is trained epoch by epoch, or the run was begun before there was another rule.
    All,
    /// As many as its own training took to its best: a winner's trial, or a selection training where that trial tells
    /// nothing of a whole training from fresh weights.
    Best {
        /// The epochs that the trials of winners took.
        winners: BTreeMap<Subject, u32>,
    },
}

impl Rule {
    /// The rule of a run, by whether its final evaluation trains networks.
    pub fn of(setup: &Setup, state: &State, trains: bool) -> Self {
        let started = state.started.as_ref();
        let revision = started.map(|started| started.training_revision());
        if revision != Some(training::REVISION) || !trains {
            return Self::All;
        }
        let winner = state.winner.as_ref();
        let entrants = winner.into_iter().flat_map(Winner::entrants);
        let own = |(subject, trial)| Some((subject, own_epochs(setup, state, trial)?));
        Self::Best {
            winners: entrants.filter_map(own).collect(),
        }
    }

    /// Whether a network needs a selection training.
    pub fn selects(&self, subject: &Subject) -> bool {
        match self {
            Self::All => false,
            // A model is trained by no epochs.
            Self::Best { winners } => {
                !matches!(subject, Subject::Model(_)) && !winners.contains_key(subject)
            }
        }
    }

    /// The networks that need a selection training, in the order of the journal.
    pub fn selections<'s>(&self, subjects: &'s [Contestant]) -> Vec<&'s Contestant> {
        let needs = |contestant: &&Contestant| self.selects(&contestant.subject);
        subjects.iter().filter(needs).collect()
    }

    /// For how many epochs a network is retrained, once every selection training is over; nothing if no number is
    /// asked for. A network whose selection training failed is retrained for all.
    pub fn epochs(&self, state: &State, contestant: &Contestant) -> Option<u32> {
        let Self::Best { winners } = self else {
            return None;
        };
        if let Subject::Model(_) = contestant.subject {
            return None;
        }
        let selected = state.selected.get(&contestant.subject);
        let own = match selected {
            None => winners.get(&contestant.subject).copied(),
            Some(selected) => selected.result.best_epoch(),
        };
        let all = || u32::try_from(contestant.recipe.epochs).unwrap_or(u32::MAX);
        Some(own.unwrap_or_else(all))
    }
}

/// The epochs that a trial took to its best, if it was a whole training from fresh weights.
fn own_epochs(setup: &Setup, state: &State, trial: TrialId) -> Option<u32> {
    let place = trial.0 as usize;
    let is_whole = state.proposals[place].fidelity().is_full();
    let is_fresh = heir_of(setup, state, trial).is_none();
    match &state.outcomes[place] {
        Outcome::Finished(finished) if is_whole && is_fresh => finished.best_epoch,
        _ => None,
    }
}

/// Trains those that need it, each by a seed of its own, and writes down what they give.
pub(super) fn train(
    core: &mut Core<'_>,
    evaluators: &dyn Evaluators,
    contestants: &[&Contestant],
) -> Result<Flow, RunError> {
    if core.state.selected.len() == contestants.len() {
        return Ok(Flow::Done);
    }
    let (workforce, limits) = (core.workforce, core.limits);
    let mut flow = Flow::Interrupted;
    workforce.select(evaluators, limits, &mut |executor| {
        let selections = Selections {
            core,
            executor,
            contestants,
            early: BTreeMap::new(),
        };
        flow = selections.run()?;
        Ok(())
    })?;
    Ok(flow)
}

struct Selections<'a, 'c> {
    core: &'a mut Core<'c>,
    executor: &'a mut dyn Executor,
    contestants: &'a [&'a Contestant],
    early: BTreeMap<Unit, Done>,
}

impl Selections<'_, '_> {
    fn run(mut self) -> Result<Flow, RunError> {
        let written = self.core.state.selected.len();
        for contestant in &self.contestants[written..] {
            self.executor.submit(self.assignment(contestant))?;
        }
        while self.core.state.selected.len() < self.contestants.len() {
            if self.core.is_interrupted() {
                return Ok(Flow::Interrupted);
            }
            if self.core.is_out_of_total_time() {
                self.executor.abandon()?;
                return Ok(Flow::Done);
            }
            let Some(message) = self.executor.next(PATIENCE)? else {
                continue;
            };
            let (contestants, score_name) = (self.contestants, self.core.setup.score_name());
            let started = message.unit().clone();
            let work = || {
                let of = |contestant: &&&Contestant| unit(contestant) == started;
                let contestant = contestants.iter().find(of).expect("it was submitted");
                let architecture = &contestant.candidate.architecture;
                Work::of(architecture, contestant.recipe.epochs, score_name)
            };
            if let Some(done) = self.core.pass_on(message, work) {
                self.early.insert(done.unit.clone(), done);
                self.settle()?;
            }
        }
        Ok(Flow::Done)
    }

    fn assignment(&self, contestant: &Contestant) -> Assignment {
        Assignment {
            unit: unit(contestant),
            attempt: 0,
            number: 0,
            seed: self.seed(&contestant.subject),
            candidate: Arc::new(contestant.candidate.clone()),
            recipe: contestant.recipe.clone(),
            fidelity: Fidelity::FULL,
            start: Beginning::default(),
        }
    }

    /// A seed that does not depend on which other networks there are.
    fn seed(&self, subject: &Subject) -> Seed {
        let number = match subject {
            Subject::Winner | Subject::Within(_) | Subject::Baseline(_) | Subject::Model(_) => 0,
            Subject::Random(number) => *number,
        };
        let root = self.core.setup.experiment.seed;
        root.derive("selection", u64::from(number))
    }

    /// Writes the results whose turn it is.
    fn settle(&mut self) -> Result<(), RunError> {
        while let Some(contestant) = self.contestants.get(self.core.state.selected.len()) {
            let Some(done) = self.early.remove(&unit(contestant)) else {
                break;
            };
            self.write(contestant, done)?;
        }
        Ok(())
    }

    fn write(&mut self, contestant: &Contestant, done: Done) -> Result<(), RunError> {
        let Done {
            unit,
            worker,
            epochs,
            result,
            seconds,
            ..
        } = done;
        let (result, event) = match result {
            Ok(finished) => {
                let score = finished.score;
                let all = u32::try_from(contestant.recipe.epochs).unwrap_or(u32::MAX);
                let result = SelectedResult::Validated {
                    best_epoch: finished.best_epoch.unwrap_or(all),
                    score,
                    loss: finished.loss,
                };
                let event = Event::Finished {
                    unit,
                    score,
                    seconds,
                };
                (result, event)
            }
            Err(failure) => {
                let (kind, message) = (failure.kind, failure.message);
                let event = Event::Failed {
                    unit,
                    kind,
                    message: message.clone(),
                };
                (SelectedResult::Failed { kind, message }, event)
            }
        };
        let record = Selected {
            subject: contestant.subject.clone(),
            seed: self.seed(&contestant.subject),
            result,
            epochs,
            seconds,
            worker,
        };
        self.core.record(Record::Selected(record))?;
        self.core.tell(&event);
        Ok(())
    }
}

fn unit(contestant: &Contestant) -> Unit {
    Unit::Selection {
        subject: contestant.subject.clone(),
    }
}
