//! The final evaluation: the winner and the baselines, trained once more and tested.
//!
//! It begins when nothing will be chosen any more, and is the only place where test examples are
//! seen. Each retraining is a record of its own, so a run that is killed here goes on here.

use super::core::{Core, Flow, PATIENCE, Work};
use super::error::RunError;
use super::evaluators::Evaluators;
use super::event::{Event, Phase, Unit};
use super::executor::{Assignment, Beginning, Done, Executor};
use super::leftovers;
use super::record::{Record, Retrained, RetrainedResult, Subject, TestOpened, Winner};
use crate::evaluation::FailureKind;
use crate::random::Seed;
use crate::search::{Fidelity, TrialId};
use crate::space::Candidate;
use crate::training::Recipe;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Names the winner, if any trial has a score.
pub(super) fn name_winner(core: &mut Core<'_>) -> Result<Option<TrialId>, RunError> {
    if let Some(winner) = &core.state.winner {
        return Ok(Some(winner.trial));
    }
    let Some((_, best)) = core.state.best() else {
        return Ok(None);
    };
    let (trial, score) = (best.trial, best.score);
    core.record(Record::Winner(Winner { trial, score }))?;
    Ok(Some(trial))
}

/// Trains the winner and the baselines with fresh seeds on all but the test examples, and tests them.
pub(super) fn evaluate(
    core: &mut Core<'_>,
    evaluators: &mut dyn Evaluators,
    winner: TrialId,
) -> Result<Flow, RunError> {
    let seeds = core.setup.experiment.last.retrain_seeds;
    let subjects = subjects(core, winner)?;
    let order = order(&subjects, seeds);
    let units = order.len() as u64;
    if core.state.retrained.len() as u64 == units {
        return Ok(Flow::Done);
    }
    core.tell(&Event::Phase {
        phase: Phase::FinalEvaluation,
        units: Some(units),
    });
    if core.is_out_of_total_time() {
        return not_done(core, &subjects, &order);
    }
    if !core.state.test_opened {
        let examples = evaluators.test_examples();
        core.record(Record::TestOpened(TestOpened { examples }))?;
        let look = core.state.test_looks().len();
        core.tell(&Event::TestOpened { look });
    }
    let (workforce, limits) = (core.workforce, core.limits);
    let mut flow = Flow::Interrupted;
    workforce.last(evaluators, limits, &mut |executor| {
        let finals = Finals {
            core,
            executor,
            winner,
            subjects: &subjects,
            order: &order,
            early: BTreeMap::new(),
        };
        flow = finals.run()?;
        Ok(())
    })?;
    Ok(flow)
}

/// A network and how it is trained.
struct Contestant {
    subject: Subject,
    candidate: Candidate,
    recipe: Recipe,
}

fn subjects(core: &Core<'_>, winner: TrialId) -> Result<Vec<Contestant>, RunError> {
    let setup = core.setup;
    let genome = &core.state.proposals[winner.0 as usize].genome;
    let candidate = setup
        .space
        .decode(genome)
        .expect("a trial's genome is in the space");
    let mut all = vec![(Subject::Winner, candidate)];
    for baseline in &setup.baselines {
        all.push((
            Subject::Baseline(baseline.name.clone()),
            baseline.candidate.clone(),
        ));
    }
    for number in 0..setup.experiment.last.random_networks {
        all.push((Subject::Random(number), setup.random_network(number)));
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
/// a seed of its own.
fn order(subjects: &[Contestant], seeds: u32) -> Vec<(usize, u32)> {
    let of = |(at, contestant): (usize, &Contestant)| match contestant.subject {
        Subject::Random(number) => vec![(at, number)],
        _ => (0..seeds).map(|index| (at, index)).collect(),
    };
    subjects.iter().enumerate().flat_map(of).collect()
}

struct Finals<'a, 'c> {
    core: &'a mut Core<'c>,
    executor: &'a mut dyn Executor,
    winner: TrialId,
    subjects: &'a [Contestant],
    order: &'a [(usize, u32)],
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
            let (subjects, score_name) = (self.subjects, self.core.setup.test_score_name());
            let started = message.unit().clone();
            let work = || {
                let of = |contestant: &&Contestant| is_of(&started, &contestant.subject);
                let contestant = subjects.iter().find(of).expect("the unit has a contestant");
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

    fn assignment(&self, at: usize, index: u32) -> Assignment {
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
            fidelity: Fidelity::FULL,
            start: Beginning::default(),
        }
    }

    fn seed(&self, index: u32) -> Seed {
        seed(self.core, index)
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
        let (result, weights, event) = match result {
            Ok(finished) => {
                let event = Event::Finished {
                    unit,
                    score: finished.score,
                    seconds,
                };
                let output = contestant.candidate.architecture.output();
                let result = RetrainedResult::of(output, &finished);
                (result, finished.weights, event)
            }
            Err(failure) => {
                let (kind, message) = (failure.kind, failure.message);
                let event = Event::Failed {
                    unit,
                    kind,
                    message: message.clone(),
                };
                (RetrainedResult::Failed { kind, message }, None, event)
            }
        };
        let subject = contestant.subject.clone();
        let seed = self.seed(index);
        let record = Retrained {
            subject,
            index,
            seed,
            result,
            seconds,
            worker,
        };
        if at == 0 && index == 0 {
            let candidate = &contestant.candidate;
            let folder = self.core.folder;
            leftovers::write_retrained(
                folder,
                self.winner,
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
