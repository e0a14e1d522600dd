//! The final evaluation: the winner and the baselines, trained once more and tested.
//!
//! It begins when nothing will be chosen any more, and is the only place where test examples are
//! seen. Each retraining is a record of its own, so a run that is killed here goes on here.
//!
//! Every network is retrained by one rule, for which [`selection_training`](super::selection_training) sees: for as
//! many epochs as its own training on the training part took to its best epoch on the validation part.

use super::core::{Core, Flow, PATIENCE, Work};
use super::error::RunError;
use super::evaluators::Evaluators;
use super::event::{Event, Phase, Unit};
use super::executor::{Assignment, Beginning, Done, Executor};
use super::leftovers;
use super::looks::{Counting, Written};
use super::record::{Record, Retrained, RetrainedResult, Subject, TestOpened, Winner};
use super::retrained;
use super::selection_training::{self, Rule};
use super::within;
use crate::evaluation::FailureKind;
use crate::random::Seed;
use crate::search::{Fidelity, TrialId};
use crate::space::Candidate;
use crate::training::{Recipe, Score};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// Names the winner, if any trial has a score.
pub(super) fn name_winner(core: &mut Core<'_>) -> Result<Option<TrialId>, RunError> {
    if let Some(winner) = &core.state.winner {
        return Ok(Some(winner.trial));
    }
    let Some((_, best)) = core.state.best() else {
        return Ok(None);
    };
    let best = Winner {
        trial: best.trial,
        score: best.score,
        others: Vec::new(),
    };
    let winner = match core.setup.experiment.last.within.is_empty() {
        true => Some(best),
        false => within::winners(core)?,
    };
    let Some(winner) = winner else {
        return Ok(None);
    };
    let trial = winner.trial;
    core.record(Record::Winner(winner))?;
    Ok(Some(trial))
}

/// Trains the winner and the baselines with fresh seeds on all but the test examples, and tests them.
pub(super) fn evaluate(
    core: &mut Core<'_>,
    evaluators: &mut dyn Evaluators,
    counting: &Counting,
) -> Result<Flow, RunError> {
    let seeds = core.setup.experiment.last.retrain_seeds;
    let subjects = subjects(core)?;
    let order = order(&subjects, seeds);
    if core.state.retrained.len() == order.len() {
        return Ok(Flow::Done);
    }
    let trains = evaluators.selection().is_some();
    let rule = Rule::of(core.setup, &core.state, trains);
    let selections = rule.selections(&subjects);
    let units = (selections.len() + order.len()) as u64;
    core.tell(&Event::Phase {
        phase: Phase::FinalEvaluation,
        units: Some(units),
    });
    if core.is_out_of_total_time() {
        return not_done(core, &subjects, &order);
    }
    if selection_training::train(core, evaluators, &selections)? == Flow::Interrupted {
        return Ok(Flow::Interrupted);
    }
    if core.is_out_of_total_time() {
        return not_done(core, &subjects, &order);
    }
    if !core.state.test_opened {
        open_test(core, evaluators, counting)?;
    }
    let (workforce, limits) = (core.workforce, core.limits);
    let mut flow = Flow::Interrupted;
    workforce.last(evaluators, limits, &mut |executor| {
        let finals = Finals {
            core,
            executor,
            rule: &rule,
            subjects: &subjects,
            order: &order,
            kept: &kept(&subjects, &order),
            early: BTreeMap::new(),
        };
        flow = finals.run()?;
        Ok(())
    })?;
    Ok(flow)
}

/// Writes down that the test examples are known from here on, in the ledger of looks and in the journal.
fn open_test(
    core: &mut Core<'_>,
    evaluators: &dyn Evaluators,
    counting: &Counting,
) -> Result<(), RunError> {
    let started = core.state.started.as_ref();
    let started = started.expect("a run that is evaluated was started");
    let taken = counting.take(started, evaluators.test_hash(), core.clock.now())?;
    let Written {
        look, unwritten, ..
    } = taken;
    // A run without a ledger still knows how often it has looked itself.
    let own = u32::try_from(core.state.earlier_looks.len()).unwrap_or(u32::MAX);
    let look = look.max(own.saturating_add(1));
    let examples = evaluators.test_examples();
    core.record(Record::TestOpened(TestOpened { examples, look }))?;
    core.tell(&Event::TestOpened { look, unwritten });
    Ok(())
}

/// A network and how it is trained.
pub(super) struct Contestant {
    pub subject: Subject,
    pub candidate: Candidate,
    pub recipe: Recipe,
}

fn subjects(core: &Core<'_>) -> Result<Vec<Contestant>, RunError> {
    let setup = core.setup;
    let winner = core.state.winner.as_ref();
    let winner = winner.expect("the winner is named before it is tested");
    let mut all = Vec::new();
    for (subject, trial) in winner.entrants() {
        let genome = &core.state.proposals[trial.0 as usize].genome;
        all.push((subject, setup.candidate(genome)?));
    }
    for baseline in &setup.baselines {
        all.push((
            Subject::Baseline(baseline.name.clone()),
            baseline.candidate.clone(),
        ));
    }
    for number in 0..setup.experiment.last.random_networks {
        all.push((Subject::Random(number), setup.random_network(number)));
    }
    for kind in setup.experiment.last.models.iter().flatten() {
        // A model is no network: the winner says what it takes and gives.
        let (_, winner) = &all[0];
        all.push((Subject::Model(*kind), winner.clone()));
    }
    let contestant = |(subject, candidate): (Subject, Candidate)| {
        let recipe = setup.recipe(&candidate)?;
        Ok(Contestant {
            subject,
            candidate,
            recipe,
        })
    };
    all.into_iter().map(contestant).collect()
}

/// The retrainings in the order of the journal: by network, then by seed. A random network has one, with
/// a seed of its own, and a model one, which no seed changes.
fn order(subjects: &[Contestant], seeds: u32) -> Vec<(usize, u32)> {
    let of = |(at, contestant): (usize, &Contestant)| match contestant.subject {
        Subject::Random(number) => vec![(at, number)],
        Subject::Model(_) => vec![(at, 0)],
        _ => (0..seeds).map(|index| (at, index)).collect(),
    };
    subjects.iter().enumerate().flat_map(of).collect()
}

fn kept(subjects: &[Contestant], order: &[(usize, u32)]) -> Vec<bool> {
    let work = order.iter().map(|&(at, index)| {
        let Contestant {
            subject, candidate, ..
        } = &subjects[at];
        (subject, index, candidate.architecture.metrics().params)
    });
    retrained::kept_by_a_run(work)
}

struct Finals<'a, 'c> {
    core: &'a mut Core<'c>,
    executor: &'a mut dyn Executor,
    rule: &'a Rule,
    subjects: &'a [Contestant],
    order: &'a [(usize, u32)],
    /// Which of them leave their weights in the run folder.
    kept: &'a [bool],
    early: BTreeMap<Unit, Done>,
}

impl Finals<'_, '_> {
    fn run(mut self) -> Result<Flow, RunError> {
        let written = self.core.state.retrained.len();
        for &(at, index) in &self.order[written..] {
            let assignment = self.assignment(at, index);
            self.executor.submit(assignment)?;
        }
        while self.core.state.retrained.len() < self.order.len() {
            if self.core.is_interrupted() {
                return Ok(Flow::Interrupted);
            }
            if self.core.is_out_of_total_time() {
                self.settle_all()?;
                self.executor.abandon()?;
                return not_done(self.core, self.subjects, self.order);
            }
            let Some(message) = self.executor.next(PATIENCE)? else {
                continue;
            };
            let (subjects, rule, state) = (self.subjects, self.rule, &self.core.state);
            let score_name = self.core.setup.test_score_name();
            let epochs: Vec<usize> = subjects
                .iter()
                .map(|contestant| {
                    let epochs = rule.epochs(state, contestant);
                    epochs.map_or(contestant.recipe.epochs, |epochs| epochs as usize)
                })
                .collect();
            let started = message.unit().clone();
            let work = || {
                let of = |(contestant, _): &(&Contestant, _)| is_of(&started, &contestant.subject);
                let found = subjects.iter().zip(&epochs).find(of);
                let (contestant, epochs) = found.expect("the unit has a contestant");
                if let Subject::Model(_) = contestant.subject {
                    return Work {
                        score_name,
                        ..Work::default()
                    };
                }
                Work::of(&contestant.candidate.architecture, *epochs, score_name)
            };
            if let Some(done) = self.core.pass_on(message, work) {
                self.early.insert(done.unit.clone(), done);
                self.settle()?;
            }
        }
        Ok(Flow::Done)
    }

    fn assignment(&self, at: usize, index: u32) -> Assignment {
        let epochs = self.rule.epochs(&self.core.state, &self.subjects[at]);
        let Contestant {
            subject,
            candidate,
            recipe,
        } = &self.subjects[at];
        Assignment {
            unit: Unit::Retraining {
                subject: subject.clone(),
                index,
            },
            attempt: 0,
            number: 0,
            seed: self.seed(index),
            candidate: Arc::new(candidate.clone()),
            recipe: recipe.clone(),
            fidelity: epochs.map_or(Fidelity::FULL, Fidelity::of_epochs),
            start: Beginning::default(),
        }
    }

    fn seed(&self, index: u32) -> Seed {
        seed(self.core, index)
    }

    /// Where a network is kept with the trial that it is of, if it is of one.
    fn place(&self, at: usize) -> Option<(PathBuf, TrialId)> {
        let subject = &self.subjects[at].subject;
        let winner = self.core.state.winner.as_ref()?;
        let entrants = winner.entrants().into_iter();
        let (subject, trial) = entrants.into_iter().find(|(known, _)| known == subject)?;
        let folder = self.core.folder;
        Some((folder.best_of(&subject), trial))
    }

    /// Writes the results whose turn it is.
    fn settle(&mut self) -> Result<(), RunError> {
        while let Some(&(at, index)) = self.order.get(self.core.state.retrained.len()) {
            let unit = Unit::Retraining {
                subject: self.subjects[at].subject.clone(),
                index,
            };
            let Some(done) = self.early.remove(&unit) else {
                break;
            };
            self.write(at, index, done)?;
        }
        Ok(())
    }

    /// Writes the results that have come, and that those before them did not come in time.
    fn settle_all(&mut self) -> Result<(), RunError> {
        self.settle()?;
        while !self.early.is_empty() {
            let next = self.core.state.retrained.len();
            let one = &self.order[next..next + 1];
            not_done(self.core, self.subjects, one)?;
            self.settle()?;
        }
        Ok(())
    }

    fn write(&mut self, at: usize, index: u32, done: Done) -> Result<(), RunError> {
        let contestant = &self.subjects[at];
        let Done {
            unit,
            worker,
            result,
            seconds,
            ..
        } = done;
        let (result, model, weights, event) = match result {
            Ok(finished) => {
                let event = Event::Finished {
                    unit,
                    score: finished.score,
                    seconds,
                };
                let output = contestant.candidate.architecture.output();
                let score = self.core.setup.experiment.score;
                let result = RetrainedResult::of(score.unwrap_or(Score::of(output)), &finished);
                (result, finished.model, finished.weights, event)
            }
            Err(failure) => {
                let (kind, message) = (failure.kind, failure.message);
                let event = Event::Failed {
                    unit,
                    kind,
                    message: message.clone(),
                };
                (RetrainedResult::Failed { kind, message }, None, None, event)
            }
        };
        let subject = contestant.subject.clone();
        let seed = self.seed(index);
        let record = Retrained {
            subject,
            index,
            seed,
            epochs: self.rule.epochs(&self.core.state, contestant),
            result,
            model,
            seconds,
            worker,
        };
        let mut kept = self.order.iter().zip(self.kept);
        let is_kept = kept.any(|(work, is_kept)| *work == (at, index) && *is_kept);
        if let Some(weights) = weights.as_deref().filter(|_| is_kept) {
            retrained::write(self.core.folder, &record.subject, index, weights)?;
        }
        if let (Some(place), 0) = (self.place(at), index) {
            let candidate = &contestant.candidate;
            leftovers::write_retrained(
                self.core.folder.files(),
                &place,
                &record,
                candidate,
                weights.as_deref(),
                self.core.setup.test_score_name(),
            )?;
        }
        self.core.record(Record::Retrained(record))?;
        self.core.tell(&event);
        Ok(())
    }
}

/// The seed of a retraining.
fn seed(core: &Core<'_>, index: u32) -> Seed {
    let root = core.setup.experiment.seed;
    root.derive("retraining", u64::from(index))
}

/// Writes down that the retrainings of an order which have no result are not done.
fn not_done(
    core: &mut Core<'_>,
    subjects: &[Contestant],
    order: &[(usize, u32)],
) -> Result<Flow, RunError> {
    let kind = FailureKind::Stopped;
    let message = "not done: the time of `[budget] total_seconds` is used up";
    for &(at, index) in order {
        let subject = subjects[at].subject.clone();
        if core.state.retrained.contains_key(&(subject.clone(), index)) {
            continue;
        }
        core.record(Record::Retrained(Retrained {
            subject: subject.clone(),
            index,
            seed: seed(core, index),
            epochs: None,
            model: None,
            result: RetrainedResult::Failed {
                kind,
                message: message.to_owned(),
            },
            seconds: 0.0,
            worker: 0,
        }))?;
        core.tell(&Event::Failed {
            unit: Unit::Retraining { subject, index },
            kind,
            message: message.to_owned(),
        });
    }
    Ok(Flow::Done)
}

fn is_of(unit: &Unit, subject: &Subject) -> bool {
    matches!(unit, Unit::Retraining { subject: running, .. } if running == subject)
}
