//! What a run folder says, for people and scripts. Reading takes no lock: a run may go on meanwhile.

use super::alike;
use super::error::RunError;
use super::event::Phase;
use super::experiment::{Experiment, workers_on};
use super::files::Files;
use super::folder::RunFolder;
use super::forecast::Forecast;
use super::journal::{Entry, FileJournal};
use super::manifest;
use super::past::{Past, Story};
use super::record::{
    EndReason, Proposal, Record, Retrained, RetrainedResult, SearchEnd, Started, Subject,
};
use super::selection_training::Rule;
use super::setup::{Setup, Texts};
use super::state::{Outcome, State};
use crate::evaluation::{EpochRecord, FailureKind};
use crate::search::{Fidelity, TrialId};
use crate::space::{Candidate, Genome, SearchSpace};
use crate::tabular::{FittedModel, ModelKind};
use crate::training::Direction;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, OnceLock};

/// A run as its journal tells it.
#[derive(Clone, Debug)]
pub struct RecordedRun {
    folder: RunFolder,
    story: Story,
    state: State,
    /// Its texts compiled, once somebody asks: a large space takes a while.
    setup: OnceLock<Arc<Setup>>,
}

/// The state of a run in figures.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// The run folder.
    pub folder: String,
    /// The experiment's name.
    pub name: String,
    /// What the run is doing, or would do when resumed.
    pub phase: &'static str,
    /// Trials with a result, failed ones included.
    pub trials: u64,
    /// The budget in trials, if it has one.
    pub trials_budget: Option<u64>,
    /// Trials that failed.
    pub failed: u64,
    /// What scores are: accuracy, F1 or R2, or what else the experiment or its evaluator says.
    pub score_name: &'static str,
    /// The way in which they get better.
    pub direction: Direction,
    /// The best trial so far.
    pub best: Option<TrialRow>,
    /// What is to be said where scores can't tell networks apart, with the setting that changes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notice: Option<String>,
    /// Why the search ended.
    pub search_end: Option<SearchEnd>,
    /// How far the final evaluation has come; nothing as long as there is no winner, or where none is held.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub final_progress: Option<FinalProgress>,
    /// The networks of the final evaluation, the winner first.
    pub finals: Vec<FinalRow>,
    /// The how manieth look at its test examples the final evaluation was, once they were read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub look: Option<u32>,
    /// After how many trials the test examples were read, for each time: more than once only where the search
    /// was extended after they had been read.
    pub test_looks: Vec<u64>,
    /// How the run ended.
    pub ended: Option<EndReason>,
    /// Seconds of running.
    pub seconds: f64,
    /// Digest of everything that happened, without when and where.
    pub digest: String,
}

/// How far a final evaluation has come.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct FinalProgress {
    /// Selection trainings that are done, failed ones included.
    pub selected: u64,
    /// How many there are altogether.
    pub selections: u64,
    /// Retrainings that are done, failed ones included.
    pub retrained: u64,
    /// How many there are altogether.
    pub retrainings: u64,
    /// About how many seconds what is left will take, as far as trials tell.
    pub seconds_left: Option<f64>,
}

/// A trial in figures.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TrialRow {
    /// The trial.
    pub trial: TrialId,
    /// The score; nothing if it failed or has no result yet.
    pub score: Option<f64>,
    /// The loss that belongs to the score.
    pub loss: Option<f64>,
    /// Further figures.
    pub metrics: BTreeMap<String, f64>,
    /// Why it failed.
    pub failure: Option<FailureKind>,
    /// The particulars of the failure.
    pub message: Option<String>,
    /// Whether it has a result.
    pub done: bool,
    /// Trainable values.
    pub params: u64,
    /// Multiply-accumulates of one forward pass.
    pub macs: u64,
    /// The epoch that score, loss and further figures are of: the best, counted from the first of the trials that it
    /// went on from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub best_epoch: Option<u32>,
    /// Epochs of the trials that it went on from.
    #[serde(skip_serializing_if = "is_zero")]
    pub epochs_before: u32,
    /// Every epoch, those of the trial it went on from left out.
    pub epochs: Vec<EpochRecord>,
    /// How long it took.
    pub seconds: Option<f64>,
    /// The trials it was made from.
    pub parents: Vec<TrialId>,
    /// How much of a full evaluation it was; absent: all of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fidelity: Option<Fidelity>,
    /// The trial that it went on from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub continues: Option<TrialId>,
    /// A short name of the canonical network.
    pub key: String,
    /// Its decisions.
    pub genome: Genome,
}

impl TrialRow {
    /// The best epoch and how many were trained, in words: `epoch 7 of 60`. Nothing where the best was not kept.
    pub fn best_of_epochs(&self) -> Option<String> {
        let best = self.best_epoch?;
        let trained = self.epochs_before as usize + self.epochs.len();
        Some(format!("epoch {best} of {trained}"))
    }
}

/// A network of the final evaluation in figures.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FinalRow {
    /// Which.
    pub subject: Subject,
    /// What the score is: accuracy, F1 or R2, or what else the experiment or its evaluator says.
    pub score_name: &'static str,
    /// The way in which it gets better.
    pub direction: Direction,
    /// Test score by seed; failed seeds are left out.
    pub scores: Vec<f64>,
    /// Retrainings that failed.
    pub failed: u64,
    /// For how many epochs it was retrained; nothing if it is not trained, or for all of its recipe by an earlier version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epochs: Option<u32>,
    /// How many its recipe has, where it was retrained for a number of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipe_epochs: Option<usize>,
    /// Mean test score.
    pub mean: Option<f64>,
    /// Sample standard deviation of the test score; needs two seeds.
    pub deviation: Option<f64>,
    /// Means of further figures on the test examples.
    pub metrics: BTreeMap<String, f64>,
    /// Trainable values; of a model the numbers that were fitted.
    pub params: u64,
    /// Multiply-accumulates of one forward pass; nothing for a model that is no network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub macs: Option<u64>,
    /// Mean seconds of one retraining.
    pub seconds: Option<f64>,
    /// What was fitted, if it is no network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<FittedModel>,
    /// What each test example adds to the score, the mean over seeds, if that was recorded.
    #[serde(skip)]
    pub contributions: Option<Vec<f64>>,
}

/// What an entry was about.
#[derive(Clone, Copy)]
enum What {
    Started,
    Settled(TrialId),
    Else,
}

impl RecordedRun {
    /// Reads a run folder.
    ///
    /// # Errors
    /// When there is no run, or its journal can't be read.
    pub fn open(path: &Path) -> Result<Self, RunError> {
        Self::open_on(Files::of_machine(), path)
    }

    /// As [`open`](Self::open), on some disk.
    pub(super) fn open_on(files: Files, path: &Path) -> Result<Self, RunError> {
        let folder = RunFolder::open_on(files, path)?;
        Self::read(folder, |_, _| ())
    }

    /// As [`open`](Self::open), for those who want to know how the run stands: of its trials it knows how many
    /// there are, the best and the latest, so that a run of a million takes no more memory than one of ten. Where
    /// trials need one another, it knows them all.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_in_brief(path: &Path) -> Result<Self, RunError> {
        let mut forgets = false;
        Self::read(RunFolder::open(path)?, |state, what| match what {
            What::Started => {
                let started = state.started.as_ref();
                forgets = started.is_some_and(|started| started.experiment.forgets());
            }
            What::Settled(trial) if forgets => state.forget_before(trial),
            _ => {}
        })
    }

    fn read(folder: RunFolder, mut after: impl FnMut(&mut State, What)) -> Result<Self, RunError> {
        let mut past = Past::default();
        FileJournal::each_on(folder.files().disk(), &folder.journal(), |entry| {
            let what = match &entry.record {
                Record::Started(_) => What::Started,
                Record::Finished(finished) => What::Settled(finished.trial),
                Record::Failed(failed) => What::Settled(failed.trial),
                _ => What::Else,
            };
            past.take(&folder, entry)?;
            after(&mut past.state, what);
            Ok(())
        })?;
        past.digest_anew_on(&folder)?;
        let Past { story, state } = past.begun(&folder)?;
        Ok(Self {
            folder,
            story,
            state,
            setup: OnceLock::new(),
        })
    }

    /// The run folder.
    pub fn folder(&self) -> &RunFolder {
        &self.folder
    }

    /// Everything that the journal adds up to.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The experiment as it was given.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn experiment_text(&self) -> Result<String, RunError> {
        self.folder.files().read_text(&self.folder.experiment())
    }

    /// The search space as it was given.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn space_text(&self) -> Result<String, RunError> {
        self.folder.files().read_text(&self.folder.space())
    }

    /// The space and the baselines as they were given, by their paths in the run folder.
    ///
    /// # Errors
    /// When they can't be read, or have changed.
    pub(super) fn kept_texts(&self) -> Result<Vec<(String, Vec<u8>)>, RunError> {
        Ok(Texts::kept(&self.folder, self.started())?.as_files())
    }

    /// The journal's entries, read once more: a run that goes on has more of them by now.
    ///
    /// # Errors
    /// When they can't be read.
    pub fn entries(&self) -> Result<Vec<Entry>, RunError> {
        FileJournal::read_on(self.folder.files().disk(), &self.folder.journal())
    }

    /// When it was started, in seconds since 1970.
    pub fn started_at(&self) -> f64 {
        self.story.begun()
    }

    /// What the run was started with.
    pub fn started(&self) -> &Started {
        self.state
            .started
            .as_ref()
            .expect("a folded journal begins with the start")
    }

    /// Digest of everything that happened, without when and where.
    pub fn digest(&self) -> String {
        self.story.digest()
    }

    /// What the run is doing, or would do when resumed.
    pub fn phase(&self) -> Phase {
        match (&self.state.ended, &self.state.searched) {
            (Some(_), _) => Phase::Ended,
            (None, Some(_)) => Phase::FinalEvaluation,
            (None, None) => Phase::Search,
        }
    }

    /// Every trial that was proposed, in order.
    pub fn trials(&self) -> Vec<TrialRow> {
        let outcomes = self
            .state
            .outcomes
            .iter()
            .map(Some)
            .chain(std::iter::repeat(None));
        let rows = self.state.proposals.iter().zip(outcomes);
        rows.map(|(proposal, outcome)| self.row(proposal, outcome))
            .collect()
    }

    /// The winner, or the best trial so far.
    pub fn best(&self) -> Option<TrialRow> {
        let best = match &self.state.winner {
            Some(winner) => winner.trial,
            None => self.state.best()?.1.trial,
        };
        let place = best.0 as usize;
        Some(self.row(&self.state.proposals[place], self.state.outcomes.get(place)))
    }

    /// The network that a trial tried.
    ///
    /// # Errors
    /// When there is no such trial, or the folder's space has changed.
    pub fn candidate(&self, trial: TrialId) -> Result<Candidate, RunError> {
        let proposal = self.state.proposals.get(trial.0 as usize);
        let proposal = proposal.ok_or(RunError::NoResult(trial))?;
        let decoded = self.setup()?.space.decode(&proposal.genome);
        decoded.map_err(|error| {
            let (space, message) = (self.folder.space().display().to_string(), error.to_string());
            RunError::Unfit { space, message }
        })
    }

    /// What the search's scores are: accuracy, F1, R2, or what else its evaluator gives.
    ///
    /// # Errors
    /// When the folder's spaces have changed.
    pub fn score_name(&self) -> Result<&'static str, RunError> {
        Ok(self.setup()?.score_name())
    }

    /// What the final test's scores are.
    ///
    /// # Errors
    /// When the folder's spaces have changed.
    pub fn test_score_name(&self) -> Result<&'static str, RunError> {
        Ok(self.setup()?.test_score_name())
    }

    /// The state of the run in figures.
    ///
    /// # Errors
    /// When the folder's spaces have changed.
    pub fn summary(&self) -> Result<Summary, RunError> {
        let started = self.started();
        Ok(Summary {
            folder: self.folder.path().display().to_string(),
            name: started.experiment.name.clone(),
            phase: match self.phase() {
                Phase::Search => "search",
                Phase::FinalEvaluation => "final evaluation",
                Phase::Ended => "ended",
            },
            trials: self.state.trials(),
            trials_budget: started.experiment.budget.trials,
            failed: self.state.failed().values().sum(),
            score_name: self.score_name()?,
            direction: self.state.direction(),
            best: self.best(),
            notice: self.notice()?,
            search_end: self.state.searched.as_ref().map(|searched| searched.reason),
            final_progress: self.final_progress()?,
            finals: self.finals()?,
            look: self.state.look,
            test_looks: self.state.test_looks(),
            ended: self.state.ended,
            seconds: self.story.seconds(),
            digest: self.digest(),
        })
    }

    /// What is to be said where scores can't tell networks apart, with the setting that changes it.
    ///
    /// # Errors
    /// When the folder's spaces have changed.
    pub fn notice(&self) -> Result<Option<String>, RunError> {
        Ok(alike::notice(&self.state, &*self.setup()?))
    }

    /// The networks of the final evaluation, the winner first, tested or not yet.
    ///
    /// # Errors
    /// When the folder's spaces have changed.
    pub fn finalists(&self) -> Result<Vec<(Subject, Candidate)>, RunError> {
        let setup = self.setup()?;
        let mut all = Vec::new();
        if let Some(winner) = &self.state.winner {
            for (subject, trial) in winner.entrants() {
                all.push((subject, self.candidate(trial)?));
            }
        }
        for baseline in &setup.baselines {
            let subject = Subject::Baseline(baseline.name.clone());
            all.push((subject, baseline.candidate.clone()));
        }
        for number in 0..setup.experiment.last.random_networks {
            all.push((Subject::Random(number), setup.random_network(number)));
        }
        Ok(all)
    }

    /// The networks of the final evaluation that have been tested, the winner first.
    ///
    /// # Errors
    /// When the folder's spaces have changed.
    pub fn finals(&self) -> Result<Vec<FinalRow>, RunError> {
        if self.state.retrained.is_empty() {
            return Ok(Vec::new());
        }
        let finalists = self.finalists()?.into_iter();
        let score_name = self.setup()?.test_score_name();
        let setup = self.setup()?;
        let row = |(subject, candidate): (Subject, Candidate)| {
            let whole = setup.recipe(&candidate)?.epochs;
            let metrics = candidate.architecture.metrics();
            let sizes = (metrics.params, Some(metrics.macs));
            let row = self.final_row(score_name, subject, sizes);
            Ok(FinalRow {
                recipe_epochs: row.epochs.map(|_| whole),
                ..row
            })
        };
        let mut rows: Vec<FinalRow> = finalists.map(row).collect::<Result<_, RunError>>()?;
        for kind in self.models() {
            rows.push(self.final_row(score_name, Subject::Model(kind), (0, None)));
        }
        rows.retain(|row| !row.scores.is_empty() || row.failed > 0);
        Ok(rows)
    }

    /// The models that are fitted and tested beside the networks.
    pub fn models(&self) -> Vec<ModelKind> {
        let models = &self.started().experiment.last.models;
        models.clone().unwrap_or_default()
    }

    /// How far the final evaluation has come.
    fn final_progress(&self) -> Result<Option<FinalProgress>, RunError> {
        let (setup, state) = (self.setup()?, &self.state);
        let last = &setup.experiment.last;
        let retrained = state.retrained.len() as u64;
        if last.retrain_seeds == 0 || (state.ended.is_some() && retrained == 0) {
            return Ok(None);
        }
        let Experiment {
            evaluator, data, ..
        } = &setup.experiment;
        let trains = evaluator.trains_in_the_end(!data.is_empty());
        // Of a run whose evaluator may have nothing to test by it is known once the test examples were read.
        if !(trains || state.test_opened) {
            return Ok(None);
        }
        let search = &setup.experiment.search;
        let cores = manifest::cores();
        let workers = workers_on(search, setup.experiment.trial.device, cores).unwrap_or(1);
        let Some(forecast) = Forecast::planned(&setup, workers) else {
            return Ok(None);
        };
        let seconds_left = forecast.seconds(state);
        if state.winner.is_none() {
            let plan = forecast.plan();
            let models = u64::from(plan.models);
            return Ok(Some(FinalProgress {
                selected: 0,
                selections: u64::from(plan.selections),
                retrained: 0,
                retrainings: plan.trainings() - u64::from(plan.selections) + models,
                seconds_left,
            }));
        }
        let rule = Rule::of(&setup, state, trains);
        let finalists = self.finalists()?;
        let selecting = finalists
            .iter()
            .filter(|(subject, _)| rule.selects(subject));
        let selected = state.selected.len() as u64;
        let retrainings = |(subject, _): &(Subject, Candidate)| match subject {
            Subject::Random(_) | Subject::Model(_) => 1,
            Subject::Winner | Subject::Within(_) | Subject::Baseline(_) => {
                u64::from(last.retrain_seeds)
            }
        };
        Ok(Some(FinalProgress {
            selected,
            // No selection training is held any more once the test examples are known.
            selections: if state.test_opened {
                selected
            } else {
                selecting.count() as u64
            },
            retrained,
            retrainings: finalists.iter().map(retrainings).sum::<u64>()
                + self.models().len() as u64,
            seconds_left,
        }))
    }

    /// The space that was searched.
    ///
    /// # Errors
    /// When the folder's spaces have changed.
    pub fn space(&self) -> Result<Arc<SearchSpace>, RunError> {
        Ok(Arc::clone(&self.setup()?.space))
    }

    pub(super) fn setup(&self) -> Result<Arc<Setup>, RunError> {
        if let Some(setup) = self.setup.get() {
            return Ok(Arc::clone(setup));
        }
        let started = self.started();
        let texts = Texts::kept(&self.folder, started)?;
        let setup = Setup::compile(started.experiment.clone(), &texts)?;
        Ok(Arc::clone(self.setup.get_or_init(|| Arc::new(setup))))
    }

    fn row(&self, proposal: &Proposal, outcome: Option<&Outcome>) -> TrialRow {
        TrialRow {
            epochs_before: self.state.epochs_before(proposal.trial),
            ..row(proposal, outcome)
        }
    }

    fn final_row(
        &self,
        score_name: &'static str,
        subject: Subject,
        (params, macs): (u64, Option<u64>),
    ) -> FinalRow {
        let of = |((owner, _), retrained): (&(Subject, u32), _)| {
            (*owner == subject).then_some(retrained)
        };
        let retrained: Vec<&Retrained> = self.state.retrained.iter().filter_map(of).collect();
        let results = || retrained.iter().map(|retrained| &retrained.result);
        let scores: Vec<f64> = results().filter_map(RetrainedResult::score).collect();
        let figures: Vec<_> = results().filter_map(RetrainedResult::metrics).collect();
        let seconds: Vec<f64> = retrained.iter().map(|done| done.seconds).collect();
        let model = retrained.iter().find_map(|done| done.model.clone());
        FinalRow {
            subject,
            score_name,
            direction: self.started().experiment.test_direction(),
            metrics: means(&figures),
            failed: (retrained.len() - scores.len()) as u64,
            epochs: retrained.first().and_then(|retrained| retrained.epochs),
            recipe_epochs: None,
            mean: mean(&scores),
            deviation: deviation(&scores),
            scores,
            params: model.as_ref().map_or(params, |model| model.size),
            macs,
            seconds: mean(&seconds),
            model,
            contributions: contributions(&retrained),
        }
    }
}

fn row(proposal: &Proposal, outcome: Option<&Outcome>) -> TrialRow {
    let metrics = match outcome {
        Some(Outcome::Finished(finished)) => finished.metrics.clone(),
        _ => BTreeMap::new(),
    };
    let (loss, failure, message) = match outcome {
        Some(Outcome::Finished(finished)) => (Some(finished.loss), None, None),
        Some(Outcome::Failed(failed)) => (None, Some(failed.kind), Some(failed.message.clone())),
        None => (None, None, None),
    };
    TrialRow {
        trial: proposal.trial,
        score: outcome.and_then(Outcome::score),
        loss,
        metrics,
        failure,
        message,
        done: outcome.is_some(),
        best_epoch: match outcome {
            Some(Outcome::Finished(finished)) => finished.best_epoch,
            _ => None,
        },
        params: proposal.params,
        macs: proposal.macs,
        epochs_before: 0,
        epochs: outcome.map_or_else(Vec::new, |outcome| outcome.epochs().to_vec()),
        seconds: outcome.map(Outcome::seconds),
        parents: proposal.parents.clone(),
        fidelity: proposal.fidelity,
        continues: proposal.continues,
        key: proposal.key.clone(),
        genome: proposal.genome.clone(),
    }
}

/// What each test example adds to the score, the mean over the retrainings, if all have it.
fn contributions(retrained: &[&Retrained]) -> Option<Vec<f64>> {
    let tested = retrained.iter().map(|done| &done.result);
    let tested = tested.filter(|result| result.score().is_some());
    let each: Option<Vec<Vec<f64>>> = tested
        .map(|result| Some(result.contributions()?.values()))
        .collect();
    let each = each.filter(|each| !each.is_empty())?;
    let count = each[0].len();
    let mean = |at: usize| each.iter().map(|values| values[at]).sum::<f64>() / each.len() as f64;
    let alike = each.iter().all(|values| values.len() == count);
    alike.then(|| (0..count).map(mean).collect())
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// The mean of each figure over the seeds that have it.
fn means(figures: &[&BTreeMap<String, f64>]) -> BTreeMap<String, f64> {
    let mut values: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for (name, value) in figures.iter().flat_map(|figures| figures.iter()) {
        values.entry(name.clone()).or_default().push(*value);
    }
    let mean = |(name, values): (String, Vec<f64>)| Some((name, mean(&values)?));
    values.into_iter().filter_map(mean).collect()
}

fn mean(numbers: &[f64]) -> Option<f64> {
    (!numbers.is_empty()).then(|| numbers.iter().sum::<f64>() / numbers.len() as f64)
}

fn deviation(numbers: &[f64]) -> Option<f64> {
    let mean = mean(numbers).filter(|_| numbers.len() > 1)?;
    let squares: f64 = numbers
        .iter()
        .map(|number| (number - mean) * (number - mean))
        .sum();
    Some(libm::sqrt(squares / (numbers.len() - 1) as f64))
}
