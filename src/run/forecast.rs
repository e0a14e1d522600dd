//! What the final evaluation is going to cost, by what trials took.

use super::evaluators::Evaluators;
use super::record::Subject;
use super::setup::Setup;
use super::state::State;
use serde::Serialize;

/// The trainings of a final evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct FinalPlan {
    /// Trainings of the winner.
    pub winner: u32,
    /// Networks that it is compared with, each trained as often.
    pub baselines: u32,
    /// Networks drawn from the space, each trained once.
    pub random_networks: u32,
    /// Selection trainings: one of each network but the winner, where networks are trained.
    pub selections: u32,
    /// Models that are no networks, each fitted once.
    pub models: u32,
    /// Epochs of a training, at most; nothing where nothing is trained.
    pub epochs: Option<u32>,
}

impl FinalPlan {
    /// All trainings.
    pub fn trainings(&self) -> u64 {
        let networks = 1 + u64::from(self.baselines);
        u64::from(self.winner) * networks
            + u64::from(self.random_networks)
            + u64::from(self.selections)
    }
}

/// Networks and trainings of a final evaluation, from which its time follows once trials have been timed.
#[derive(Clone, Debug)]
pub(super) struct Forecast {
    plan: FinalPlan,
    /// Those beside the winner.
    others: Vec<Cost>,
    /// Epochs of the winner, unless its own recipe says another number.
    epochs: f64,
    seeds: u32,
    workers: usize,
    /// How many more examples a retraining sees than a trial.
    more: f64,
}

/// A network of a final evaluation.
#[derive(Clone, Debug)]
struct Cost {
    subject: Subject,
    macs: f64,
    epochs: f64,
}

/// How long trials took: sums over those with a result.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Pace {
    seconds: f64,
    epochs: f64,
    macs: f64,
}

impl Pace {
    /// Takes in a trial: its seconds, its epochs on all examples and the multiply-accumulates of a forward pass.
    pub fn add(&mut self, seconds: f64, epochs: f64, macs: u64) {
        self.seconds += seconds;
        self.epochs += epochs;
        self.macs += epochs * macs as f64;
    }

    /// Seconds of an epoch of a network: those of the mean trial, and in proportion more for one that costs more.
    /// A small network costs less, but not in proportion, so nothing is taken off.
    fn of_epoch(&self, macs: f64) -> Option<f64> {
        (self.epochs > 0.0).then(|| {
            let mean = self.macs / self.epochs;
            let larger = if mean > 0.0 { macs / mean } else { 1.0 };
            self.seconds / self.epochs * larger.max(1.0)
        })
    }
}

impl Forecast {
    /// The final evaluation of a run; nothing if it has none.
    pub fn of(setup: &Setup, evaluators: &dyn Evaluators, workers: usize) -> Option<Self> {
        evaluators
            .can_test()
            .then(|| Self::planned(setup, workers))
            .flatten()
    }

    /// As [`of`](Self::of), for a run that can be tested.
    pub fn planned(setup: &Setup, workers: usize) -> Option<Self> {
        let (experiment, last) = (&setup.experiment, &setup.experiment.last);
        if last.retrain_seeds == 0 {
            return None;
        }
        let trains = experiment.evaluator.info().trains;
        let whole = if trains { experiment.recipe.epochs } else { 1 };
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let baselines = number(setup.baselines.len());
        let others = baselines.saturating_add(last.random_networks);
        let plan = FinalPlan {
            winner: last.retrain_seeds,
            baselines,
            random_networks: last.random_networks,
            selections: if trains { others } else { 0 },
            models: number(last.models.as_ref().map_or(0, Vec::len)),
            epochs: trains.then(|| u32::try_from(whole).unwrap_or(u32::MAX)),
        };
        let baselines = setup.baselines.iter().map(|baseline| {
            let subject = Subject::Baseline(baseline.name.clone());
            (subject, baseline.candidate.clone())
        });
        let drawn = (0..last.random_networks)
            .map(|number| (Subject::Random(number), setup.random_network(number)));
        let cost = |(subject, candidate): (Subject, crate::space::Candidate)| Cost {
            subject,
            macs: candidate.architecture.metrics().macs as f64,
            epochs: match setup.recipe(&candidate) {
                Ok(recipe) if trains => recipe.epochs as f64,
                _ => whole as f64,
            },
        };
        Some(Self {
            plan,
            others: baselines.chain(drawn).map(cost).collect(),
            epochs: whole as f64,
            seeds: last.retrain_seeds,
            workers: workers.max(1),
            more: if trains { more_examples(setup) } else { 1.0 },
        })
    }

    /// The trainings.
    pub fn plan(&self) -> FinalPlan {
        self.plan
    }

    /// Seconds that the trainings will take which are not done, once a trial has a score.
    pub fn seconds(&self, state: &State) -> Option<f64> {
        let (proposal, best) = state.best()?;
        // It is retrained for as many epochs as its trial took to its best.
        let is_whole = proposal.fidelity().is_full();
        let epochs = best.best_epoch.filter(|_| is_whole).map(f64::from);
        let decided = || proposal.recipe.get("epochs")?.as_f64();
        let epochs = epochs.or_else(decided);
        let own = best.epochs.len() as f64 * proposal.fidelity().share();
        let of_epoch = if own > 0.0 {
            best.seconds / own
        } else {
            state.pace().of_epoch(proposal.macs as f64)?
        };
        let winner = self.more * of_epoch * epochs.unwrap_or(self.epochs);
        let mut left = self.left(state, &Subject::Winner, winner);
        for Cost {
            subject,
            macs,
            epochs,
        } in &self.others
        {
            let of_epoch = state.pace().of_epoch(*macs)?;
            let selected = state.selected.get(subject);
            if self.plan.selections > 0 && selected.is_none() && !state.test_opened {
                left.push(epochs * of_epoch);
            }
            let best = selected.and_then(|selected| selected.result.best_epoch());
            let one = self.more * best.map_or(*epochs, f64::from) * of_epoch;
            left.extend(self.left(state, subject, one));
        }
        Some(side_by_side(&left, self.workers))
    }

    /// The seconds of each training of a network that is not done, where one takes so long.
    fn left(&self, state: &State, subject: &Subject, one: f64) -> Vec<f64> {
        let indices = match subject {
            Subject::Random(number) => *number..number + 1,
            _ => 0..self.seeds,
        };
        let is_left = |index: &u32| !state.retrained.contains_key(&(subject.clone(), *index));
        indices.filter(is_left).map(|_| one).collect()
    }
}

/// How long it takes until all of these are done, where each begins when a worker is free.
fn side_by_side(seconds: &[f64], workers: usize) -> f64 {
    let mut free = vec![0.0_f64; workers];
    for one in seconds {
        free.sort_by(f64::total_cmp);
        free[0] += one;
    }
    free.into_iter().fold(0.0, f64::max)
}

/// How many more examples training and validation part together have than the training part.
fn more_examples(setup: &Setup) -> f64 {
    let Ok(plan) = setup.experiment.data.plan() else {
        return 1.0;
    };
    let both = 1.0 - plan.test;
    let train = both - plan.validation;
    if train > 0.0 { both / train } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_share_what_is_left() {
        assert_eq!(side_by_side(&[], 2), 0.0);
        assert_eq!(side_by_side(&[3.0, 1.0, 1.0, 1.0], 2), 3.0);
        assert_eq!(side_by_side(&[2.0, 2.0, 2.0], 2), 4.0);
        assert_eq!(side_by_side(&[2.0, 2.0], 8), 2.0);
    }

    #[test]
    fn a_larger_network_takes_longer_and_a_smaller_one_no_less_than_the_mean() {
        let mut pace = Pace::default();
        assert_eq!(pace.of_epoch(1.0), None);
        pace.add(10.0, 5.0, 100);
        pace.add(6.0, 3.0, 100);
        assert_eq!(pace.of_epoch(100.0), Some(2.0));
        assert_eq!(pace.of_epoch(300.0), Some(6.0));
        assert_eq!(pace.of_epoch(1.0), Some(2.0));
    }
}
