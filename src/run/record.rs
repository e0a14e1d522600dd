//! The records of a journal: everything a run has to remember.
//!
//! A record never changes its meaning. A new kind of fact is a new record, a new optional field or a new
//! word, and raises [`FORMAT`](super::journal::FORMAT); [`Record::format`] says which records need it.

use super::evaluators::EvaluatorSettings;
use super::experiment::{Budget, Experiment, Isolation};
use super::origin::Origin;
use crate::data::{DataSource, ValidationSource};
use crate::evaluation::{Contributions, EpochRecord, FailureKind, Finished};
use crate::random::Seed;
use crate::search::{Fidelity, Fitness, TrialId};
use crate::space::Genome;
use crate::tabular::{FittedModel, ModelKind};
use crate::training::{Direction, Score};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

/// One fact of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Record {
    /// The run was set up: always the first record.
    Started(Box<Started>),
    /// An architecture was proposed as a trial.
    Proposed(Proposal),
    /// A trial has a score.
    Finished(TrialFinished),
    /// A trial has none.
    Failed(TrialFailed),
    /// The search is over.
    Searched(Searched),
    /// The best trial of the search.
    Winner(Winner),
    /// A network of the final evaluation was trained to find for how many epochs it is retrained. Since format 6.
    Selected(Selected),
    /// From here on the test examples are known.
    TestOpened(TestOpened),
    /// A network was trained once more and tested.
    Retrained(Retrained),
    /// The run is over: the last record, unless the search is extended.
    Ended(Ended),
    /// The search goes on with a larger budget: what came after the end of the search so far counts no
    /// more. Since format 6.
    Extended(Extended),
}

impl Record {
    /// The oldest format of a line that can say it: a line is written in that one, so that it is the
    /// same line whichever version writes it. The start is of format 6, from which on the digest leaves
    /// names out.
    pub fn format(&self) -> u32 {
        match self {
            Self::Started(_) => UNNAMED,
            Self::TestOpened(opened) if !is_first_look(&opened.look) => 6,
            _ => self.format_of_what_happened(),
        }
    }

    /// The format in which lines before format 6 say what happened: as they were written, without what is said of the
    /// host and of other runs, which the digest leaves out.
    pub(super) fn format_of_what_happened(&self) -> u32 {
        if self.is_new() {
            return 6;
        }
        if let Self::Started(started) = self
            && started.experiment.data.needs_format_5()
        {
            return 5;
        }
        let is_new = match self {
            Self::Started(started) => started.experiment.trial.needs_format_4(),
            Self::Failed(failed) => is_word_of_format_4(failed.kind),
            Self::Retrained(Retrained {
                result: RetrainedResult::Failed { kind, .. },
                ..
            }) => is_word_of_format_4(*kind),
            _ => false,
        };
        if is_new { 4 } else { 3 }
    }

    /// Whether it says what format 5 has no words for.
    fn is_new(&self) -> bool {
        match self {
            Self::Started(started) => {
                let experiment = &started.experiment;
                !experiment.last.within.is_empty()
                    || experiment.last.models.is_some()
                    || experiment.data.needs_format_6()
                    || experiment.budget.total_seconds.is_some()
                    || experiment.needs_format_6()
            }
            Self::Finished(finished) => finished.best_epoch.is_some(),
            Self::Winner(winner) => !winner.others.is_empty(),
            Self::Selected(_) | Self::Extended(_) => true,
            Self::Searched(searched) => searched.reason == SearchEnd::TotalSeconds,
            Self::Retrained(retrained) => {
                retrained.epochs.is_some()
                    || retrained.result.contributions().is_some()
                    || matches!(retrained.subject, Subject::Within(_) | Subject::Model(_))
            }
            Self::Ended(ended) => ended.reason == EndReason::NothingWithin,
            _ => false,
        }
    }
}

/// The format of a start from which on the digest leaves out what people call things and where they keep them.
pub(super) const UNNAMED: u32 = 6;

fn is_word_of_format_4(kind: FailureKind) -> bool {
    match kind {
        FailureKind::Diverged | FailureKind::Crashed | FailureKind::TimedOut => false,
        FailureKind::Aborted
        | FailureKind::OutOfMemory
        | FailureKind::Rejected
        | FailureKind::Lost
        | FailureKind::EvaluatorError
        | FailureKind::Stopped => true,
    }
}

/// What a run was started with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Started {
    /// The experiment, with all defaults and all changes made on the command line.
    pub experiment: Experiment,
    /// SHA-256 of the search space's text.
    pub space_hash: String,
    /// SHA-256 of each baseline's text, in order.
    pub baseline_hashes: Vec<String>,
    /// SHA-256 of the data.
    pub data_hash: String,
    /// SHA-256 of how it is divided.
    pub split_hash: String,
    /// The version of strata.
    pub strata: String,
    /// The version of burn.
    pub burn: String,
    /// The machine. Not part of the digest.
    pub host: Host,
}

/// The machine a run was started on, and what only it knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Host {
    /// The processor's name.
    pub cpu: String,
    /// What decides last bits: the instructions that kernels use, and their revision. Journals of the first revision
    /// say nothing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub kernels: String,
    /// What a training is taken to be: see [`REVISION`](crate::training::REVISION). Absent: revision 1. Since format 6.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub training: Option<u32>,
    /// The folder that data files are relative to.
    pub base: String,
    /// The folder of named datasets, if one was named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub datasets: Option<String>,
    /// The experiment's file. Since format 5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub experiment: Option<Origin>,
}

impl Started {
    /// The same without what is no part of the question: the experiment's name, the folders of the files that it
    /// names, and what trials are kept apart by. What is in the space, the baselines and the data is in their hashes.
    pub(super) fn question(&self) -> Self {
        let mut asked = self.clone();
        let experiment = &mut asked.experiment;
        experiment.name.clear();
        experiment.trial.isolate = Isolation::default();
        let data = &mut experiment.data;
        let paths = [
            &mut data.train,
            &mut data.test,
            &mut data.labels,
            &mut data.test_labels,
            &mut data.validation_labels,
        ];
        if let Some(ValidationSource::File(path)) = &mut data.validation {
            *path = file_name(path);
        }
        if let EvaluatorSettings::Table(table) = &mut experiment.evaluator {
            table.file = file_name(&table.file);
        }
        let others = experiment.last.baselines.iter_mut();
        let others = others.chain(std::iter::once(&mut experiment.space));
        for path in paths.into_iter().flatten().chain(others) {
            *path = file_name(path);
        }
        asked
    }

    /// The program and the processor that the run was started by.
    pub fn made_by(&self) -> String {
        made_by(&self.strata, &self.burn, &self.host)
    }

    /// The revision of what a training is taken to be.
    pub fn training_revision(&self) -> u32 {
        self.host.training.unwrap_or(1)
    }

    /// Whether what it trains has other scores than what this version trains: those of other epochs.
    pub(super) fn scores_other_epochs(&self) -> bool {
        let trains = self.experiment.evaluator.info().trains;
        trains && self.training_revision() != crate::training::REVISION
    }

    /// The data, with the folders of the machine that the run was started on.
    pub fn data(&self) -> DataSource {
        DataSource {
            folder: self.host.datasets.as_ref().map(PathBuf::from),
            ..self.experiment.data.clone()
        }
    }
}

/// A path without its folders.
fn file_name(path: &Path) -> PathBuf {
    path.file_name().map(PathBuf::from).unwrap_or_default()
}

/// A program and a processor, in words.
pub(super) fn made_by(strata: &str, burn: &str, host: &Host) -> String {
    let kernels = match &host.kernels[..] {
        "" => "kernels of revision 1 or none",
        kernels => kernels,
    };
    format!(
        "strata {strata} with burn {burn}, {kernels}, on {}",
        host.cpu
    )
}

/// An architecture to try.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proposal {
    /// The trial.
    pub trial: TrialId,
    /// Its decisions.
    pub genome: Genome,
    /// A short name of the canonical network.
    pub key: String,
    /// The trials it was made from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parents: Vec<TrialId>,
    /// Training settings that the space decides.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub recipe: BTreeMap<String, serde_json::Value>,
    /// Trainable values.
    pub params: u64,
    /// Multiply-accumulates of one forward pass.
    pub macs: u64,
    /// How much of a full evaluation it is; absent: all of it. Since format 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fidelity: Option<Fidelity>,
    /// The trial that it goes on from: the same candidate with the same random streams. Since format 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continues: Option<TrialId>,
}

impl Proposal {
    /// How much of a full evaluation it is.
    pub fn fidelity(&self) -> Fidelity {
        self.fidelity.unwrap_or(Fidelity::FULL)
    }
}

/// A trial's result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrialFinished {
    /// The trial.
    pub trial: TrialId,
    /// How good, in the score's own direction.
    pub score: f64,
    /// The loss that belongs to the score.
    pub loss: f64,
    /// Further figures by their names. Since format 2.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metrics: BTreeMap<String, f64>,
    /// The epoch that the figures are of, from 1: the best, which may be one of a trial that this one goes on from.
    /// Since format 6.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best_epoch: Option<u32>,
    /// Every epoch, those of the trial it continues left out.
    pub epochs: Vec<EpochRecord>,
    /// How long it took. Not part of the digest.
    pub seconds: f64,
    /// Which worker did it. Not part of the digest.
    pub worker: usize,
}

impl TrialFinished {
    /// How good it was, by a score that gets better in this direction.
    pub fn fitness(&self, direction: Direction) -> Fitness {
        Fitness {
            score: direction.fitness(self.score),
            loss: self.loss,
        }
    }
}

/// A trial's failure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrialFailed {
    /// The trial.
    pub trial: TrialId,
    /// Why.
    pub kind: FailureKind,
    /// The particulars.
    pub message: String,
    /// The epochs that went well.
    pub epochs: Vec<EpochRecord>,
    /// How long it took. Not part of the digest.
    pub seconds: f64,
    /// Which worker did it. Not part of the digest.
    pub worker: usize,
}

/// Why a search is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SearchEnd {
    /// The budget in trials.
    Trials,
    /// The budget in seconds.
    Seconds,
    /// The budget in epochs.
    Epochs,
    /// Nothing is left that was not tried.
    Exhausted,
    /// Too many failed trials in a row.
    ConsecutiveFailures,
    /// What of the whole run's time is left for the search. Since format 6.
    TotalSeconds,
}

impl SearchEnd {
    /// The reason in words.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Trials => "the budget in trials is used up",
            Self::Seconds => "the budget in seconds is used up",
            Self::Epochs => "the budget in epochs is used up",
            Self::Exhausted => "every architecture of the space was tried",
            Self::ConsecutiveFailures => "too many trials failed in a row",
            Self::TotalSeconds => "the time that `total_seconds` leaves for the search is used up",
        }
    }
}

/// The end of a search.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Searched {
    /// Trials 0..trials count.
    pub trials: u64,
    /// Why it ended.
    pub reason: SearchEnd,
}

/// The best trial of a search.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Winner {
    /// The trial.
    pub trial: TrialId,
    /// Its score.
    pub score: f64,
    /// The best trials within the second and further bounds of `final.within`, in their order. Since format 6.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<TrialId>,
}

impl Winner {
    /// The trials that are tested, each once: the winner, and those of further bounds.
    pub fn entrants(&self) -> Vec<(Subject, TrialId)> {
        let mut all = vec![(Subject::Winner, self.trial)];
        for (number, &trial) in (2..).zip(&self.others) {
            if all.iter().all(|(_, known)| *known != trial) {
                all.push((Subject::Within(number), trial));
            }
        }
        all
    }
}

/// The breaking of the test part's seal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestOpened {
    /// The number of test examples.
    pub examples: u64,
    /// The how manieth [look](super::looks) at them this is, from 1. Depends on what else was tested by the same
    /// examples, so it is not part of the digest. Since format 6.
    #[serde(default = "first_look", skip_serializing_if = "is_first_look")]
    pub look: u32,
}

fn first_look() -> u32 {
    1
}

fn is_first_look(look: &u32) -> bool {
    *look == 1
}

/// A network of the final evaluation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// The best trial of the search.
    Winner,
    /// The baseline with this name.
    Baseline(String),
    /// An architecture drawn from the space, by its number. Since format 3.
    Random(u32),
    /// A model that is no network. Since format 6.
    Model(ModelKind),
    /// The best trial within the bounds of `final.within` with this number, from 2 on. Since format 6.
    Within(u32),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Winner => f.write_str("winner"),
            Self::Baseline(name) => f.write_str(name),
            Self::Random(number) => write!(f, "random network {}", number + 1),
            Self::Model(kind) => write!(f, "{kind}"),
            Self::Within(number) => write!(f, "winner {number}"),
        }
    }
}

/// A selection training: a network of the final evaluation, trained on the training part as a trial is, to find
/// after how many epochs it does best on the validation part. Since format 6.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Selected {
    /// The network.
    pub subject: Subject,
    /// The seed.
    pub seed: Seed,
    /// What it gave.
    pub result: SelectedResult,
    /// Every epoch that went well.
    pub epochs: Vec<EpochRecord>,
    /// How long it took. Not part of the digest.
    pub seconds: f64,
    /// Which worker did it. Not part of the digest.
    pub worker: usize,
}

/// What a selection training gave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SelectedResult {
    /// Figures on the validation examples.
    Validated {
        /// The best epoch, from 1: for so many the network is retrained.
        best_epoch: u32,
        /// The score after it.
        score: f64,
        /// The loss after it.
        loss: f64,
    },
    /// No figures: the network is retrained for all epochs of its recipe.
    Failed {
        /// Why.
        kind: FailureKind,
        /// The particulars.
        message: String,
    },
}

impl SelectedResult {
    /// The best epoch, if there is one.
    pub fn best_epoch(&self) -> Option<u32> {
        match self {
            Self::Validated { best_epoch, .. } => Some(*best_epoch),
            Self::Failed { .. } => None,
        }
    }
}

/// One retraining.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retrained {
    /// The network.
    pub subject: Subject,
    /// The number of the seed, from 0.
    pub index: u32,
    /// The seed.
    pub seed: Seed,
    /// For how many epochs it was trained. Absent: for all of its recipe, or it is not trained. Since format 6.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epochs: Option<u32>,
    /// What it gave.
    pub result: RetrainedResult,
    /// What was fitted, if it is no network. Since format 6.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<FittedModel>,
    /// How long it took. Not part of the digest.
    pub seconds: f64,
    /// Which worker did it. Not part of the digest.
    pub worker: usize,
}

/// What a retraining gave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetrainedResult {
    /// Figures on the test examples.
    Tested {
        /// Share of the test examples classified correctly.
        accuracy: f64,
        /// Their mean loss.
        loss: f64,
        /// Further figures by their names. Since format 2.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        metrics: BTreeMap<String, f64>,
        /// What each test example gave to the score. Since format 6.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        contributions: Option<Contributions>,
    },
    /// Figures on the test examples where the score is no accuracy. Since format 2.
    Scored {
        /// The score, in its own direction.
        score: f64,
        /// Their mean loss.
        loss: f64,
        /// Further figures by their names.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        metrics: BTreeMap<String, f64>,
        /// What each test example gave to the score. Since format 6.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        contributions: Option<Contributions>,
    },
    /// No figures.
    Failed {
        /// Why.
        kind: FailureKind,
        /// The particulars.
        message: String,
    },
}

impl RetrainedResult {
    /// The result of a network by this score.
    pub(super) fn of(score: Score, finished: &Finished) -> Self {
        let (loss, metrics) = (finished.loss, finished.metrics.clone());
        let contributions = finished.contributions.clone();
        match score {
            Score::Accuracy => Self::Tested {
                accuracy: finished.score,
                loss,
                metrics,
                contributions,
            },
            _ => Self::Scored {
                score: finished.score,
                loss,
                metrics,
                contributions,
            },
        }
    }

    /// The score on the test examples, whatever it measures.
    pub fn score(&self) -> Option<f64> {
        match self {
            Self::Tested {
                accuracy: score, ..
            }
            | Self::Scored { score, .. } => Some(*score),
            Self::Failed { .. } => None,
        }
    }

    /// The mean loss of the test examples.
    pub fn loss(&self) -> Option<f64> {
        match self {
            Self::Tested { loss, .. } | Self::Scored { loss, .. } => Some(*loss),
            Self::Failed { .. } => None,
        }
    }

    /// Further figures on the test examples.
    pub fn metrics(&self) -> Option<&BTreeMap<String, f64>> {
        match self {
            Self::Tested { metrics, .. } | Self::Scored { metrics, .. } => Some(metrics),
            Self::Failed { .. } => None,
        }
    }

    /// What each test example gave to the score; nothing in journals before format 6.
    pub fn contributions(&self) -> Option<&Contributions> {
        match self {
            Self::Tested { contributions, .. } | Self::Scored { contributions, .. } => {
                contributions.as_ref()
            }
            Self::Failed { .. } => None,
        }
    }
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// With a winner.
    Completed,
    /// No trial has a score.
    NothingFinished,
    /// Too many trials failed in a row.
    ConsecutiveFailures,
    /// No trial with a score is within the bounds of `final.within`. Since format 6.
    NothingWithin,
}

impl EndReason {
    /// The reason in words.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::NothingFinished => "no trial has a score",
            Self::NothingWithin => "no trial is within the bounds of `final.within`",
            Self::ConsecutiveFailures => "too many trials failed in a row",
        }
    }
}

/// The end of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ended {
    /// How.
    pub reason: EndReason,
}

/// A larger budget for a search.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Extended {
    /// The budget from here on, everything that was searched before included.
    pub budget: Budget,
}
