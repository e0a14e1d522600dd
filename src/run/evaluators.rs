//! What a run's figures come from: the `[evaluator]` section of an experiment.
//!
//! A kind of evaluator is one file in `evaluators/` and one line in the table below; names, help,
//! documentation and what an experiment may write follow from it.

mod command;
mod latency;
mod proxy;
mod table;
mod training;
mod without_data;

pub use proxy::ProxySettings;
pub(super) use proxy::{default_batch, nonsense, unfit};
pub use training::{TrainingEvaluators, TrainingSettings};

use super::error::RunError;
use super::experiment::Experiment;
use crate::architecture::Output;
use crate::data::{DataSource, Preprocessing, Remark};
use crate::evaluation::{CommandSettings, Evaluator, LatencySettings, TableSettings};
use crate::layers::Shape;
use crate::proxies::Minibatch;
use crate::random::Seed;
use crate::training::{Direction, Score};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Where a run's figures come from. The search's evaluator sees no test example; the final one is
/// asked for once, when nothing will be chosen any more.
pub trait Evaluators {
    /// SHA-256 of the data in hexadecimal; of nothing if no data is read.
    fn data_hash(&self) -> &str;

    /// SHA-256 of how the data is divided in hexadecimal; of nothing if no data is read.
    fn split_hash(&self) -> &str;

    /// Notes and warnings for a reader of the scores on the division of the data.
    fn remarks(&self) -> Vec<Remark> {
        Vec::new()
    }

    /// Whether networks that take and give this can be evaluated.
    ///
    /// # Errors
    /// Why not, in words.
    fn check(&self, input: Shape, output: Output) -> Result<(), String>;

    /// Judges candidates by validation examples.
    fn search(&self) -> Box<dyn Evaluator + '_>;

    /// Examples for proxies without training: of the search's own, or noise where there are none.
    fn minibatch(&self, input: Shape, output: Output, size: usize, seed: Seed) -> Minibatch {
        Minibatch::noise(input, output, size, seed)
    }

    /// What turns new examples into inputs of the networks that the search trained, or of those that were trained
    /// once more in the end; nothing if networks are not trained on data.
    fn preprocessing(&self, _trained_once_more: bool) -> Option<&Preprocessing> {
        None
    }

    /// Whether there is anything to test the winner by; if not, a run ends with its search.
    fn can_test(&self) -> bool {
        true
    }

    /// Whether examples are rows of features, so that models of tables can be fitted to them.
    fn has_table(&self) -> bool {
        false
    }

    /// What trains a network of the final evaluation on the training examples, to find after how many epochs it does
    /// best on the validation examples: it is retrained for as many. Nothing where the final evaluation trains nothing.
    fn selection(&self) -> Option<Box<dyn Evaluator + '_>> {
        None
    }

    /// SHA-256 in hexadecimal of the examples that the test part is taken from, however they are divided: what
    /// [looks](super::looks) at it are counted by. Nothing if they are not known here.
    fn test_hash(&self) -> Option<&str> {
        Some(self.data_hash())
    }

    /// The number of test examples.
    fn test_examples(&self) -> u64;

    /// What trains on every example, those of the test included: to be asked for when the winner has been tested, in a
    /// process that opens no test. Nothing if networks are not trained on data.
    fn open_all(&mut self) -> Option<AllRows<'_>> {
        None
    }

    /// Breaks the seal of the test examples and gives what judges by them, after training on all
    /// others. May be called once, and only if there is anything to test by.
    fn open_test(&mut self) -> Box<dyn Evaluator + '_>;
}

/// What trains on every example of the data.
pub struct AllRows<'a> {
    /// Trains. What it says of scores means nothing: no example is left that it has not learnt from.
    pub evaluator: Box<dyn Evaluator + 'a>,
    /// What turns new examples into inputs of networks that it trains.
    pub preprocessing: Preprocessing,
    /// The number of examples.
    pub rows: u64,
}

/// A kind of evaluator, for people.
#[derive(Debug)]
pub struct EvaluatorInfo {
    /// What `kind` calls it.
    pub name: &'static str,
    /// What it does, in a line.
    pub about: &'static str,
    /// What `[data]` means to it.
    pub data: DataUse,
    /// Whether the same candidate gives the same figures to the last bit, so that
    /// [`verify`](super::verify()) can tell.
    pub reproducible: bool,
    /// Whether it trains each candidate by the recipe, so that a budget in epochs has a meaning.
    pub trains: bool,
    /// Whether its final figures are known without noise, so that testing again gives the same.
    pub looks_up: bool,
    /// Its settings besides `kind`.
    pub settings: &'static [SettingInfo],
}

/// What `[data]` means to a kind of evaluator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataUse {
    /// It can't do without.
    Needed,
    /// It is used if it is there.
    Optional,
    /// It is refused.
    Refused,
}

/// A setting of a kind of evaluator, for people.
#[derive(Debug)]
pub struct SettingInfo {
    /// Its key under `[evaluator]`.
    pub key: &'static str,
    /// Its default as it would be written; nothing if it must be given.
    pub default: Option<&'static str>,
    /// What it means.
    pub about: &'static str,
}

/// What a kind of evaluator can read.
#[derive(Clone, Copy, Debug)]
pub struct Given<'a> {
    /// The experiment.
    pub experiment: &'a Experiment,
    /// The data, with the folders of this machine.
    pub data: &'a DataSource,
    /// The folder that paths are relative to.
    pub base: &'a Path,
}

/// A kind of evaluator: implemented by the settings that an experiment writes for it.
pub(super) trait EvaluatorKind {
    /// Name and documentation.
    fn describe(&self) -> &'static EvaluatorInfo;

    /// The first setting that makes no sense: its key under `[evaluator]`, and what it needs.
    fn nonsense(&self, _experiment: &Experiment) -> Option<(&'static str, String)> {
        None
    }

    /// What the search's scores are called.
    fn score_name(&self, score: Option<Score>, output: Output) -> &'static str {
        score.unwrap_or(Score::of(output)).figure_name(output)
    }

    /// What the final test's scores are called.
    fn test_score_name(&self, score: Option<Score>, output: Output) -> &'static str {
        score.unwrap_or(Score::of(output)).figure_name(output)
    }

    /// The way in which the search's scores get better.
    fn direction(&self, score: Option<Score>) -> Direction {
        score.map_or(Direction::Maximise, Score::direction)
    }

    /// Whether networks with this output can have such a score.
    ///
    /// # Errors
    /// Why not, with the scores that they can have.
    fn check_score(&self, score: Score, output: Output) -> Result<(), String> {
        if score.fits(output) {
            return Ok(());
        }
        Err(score.unfit(output))
    }

    /// Whether the digits that it gives can differ from one time to the next, as measured times do.
    fn measures(&self) -> bool {
        !self.describe().reproducible
    }

    /// Reads what it needs.
    ///
    /// # Errors
    /// When something can't be read.
    fn load(&self, given: Given<'_>) -> Result<Box<dyn Evaluators>, RunError>;
}

/// Declares the kinds: a variant, the module of its file, and the description there.
macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident($settings:ty) = $info:path,)+) => {
        /// The `[evaluator]` section of an experiment: which kind, and its settings.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "kind", rename_all = "snake_case")]
        pub enum EvaluatorSettings {
            $($(#[$doc])* $variant($settings),)+
        }

        /// The kinds of evaluators, in the order of the documentation.
        pub static EVALUATORS: &[&EvaluatorInfo] = &[$(&$info),+];

        impl EvaluatorSettings {
            fn kind(&self) -> &dyn EvaluatorKind {
                match self {
                    $(Self::$variant(settings) => settings,)+
                }
            }
        }
    };
}

kinds! {
    /// Training on a data source.
    Training(TrainingSettings) = training::INFO,
    /// A table of results.
    Table(TableSettings) = table::INFO,
    /// A proxy without training.
    Proxy(ProxySettings) = proxy::INFO,
    /// Measured latency.
    Latency(LatencySettings) = latency::INFO,
    /// A program of the user's.
    Command(CommandSettings) = command::INFO,
}

impl Default for EvaluatorSettings {
    fn default() -> Self {
        Self::Training(TrainingSettings::default())
    }
}

impl EvaluatorSettings {
    /// Name and documentation of the kind.
    pub fn info(&self) -> &'static EvaluatorInfo {
        self.kind().describe()
    }

    /// Whether nothing differs from an experiment without the section.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// What the search's scores are called, for networks with this output.
    pub fn score_name(&self, score: Option<Score>, output: Output) -> &'static str {
        self.kind().score_name(score, output)
    }

    /// What the final test's scores are called, for networks with this output.
    pub fn test_score_name(&self, score: Option<Score>, output: Output) -> &'static str {
        self.kind().test_score_name(score, output)
    }

    /// The way in which the search's scores get better.
    pub fn direction(&self, score: Option<Score>) -> Direction {
        self.kind().direction(score)
    }

    /// Whether networks with this output can have such a score.
    ///
    /// # Errors
    /// Why not, with the scores that they can have.
    pub fn check_score(&self, score: Score, output: Output) -> Result<(), String> {
        self.kind().check_score(score, output)
    }

    /// Whether the networks of the final evaluation are trained, with or without data.
    pub(super) fn trains_in_the_end(&self, has_data: bool) -> bool {
        self.info().trains || (matches!(self, Self::Proxy(_)) && has_data)
    }

    /// Whether a score can differ from one time to the next, as measured times do.
    pub fn measures(&self) -> bool {
        self.kind().measures()
    }

    /// Reads what the evaluators need.
    ///
    /// # Errors
    /// When something can't be read.
    pub fn load(&self, given: Given<'_>) -> Result<Box<dyn Evaluators>, RunError> {
        self.kind().load(given)
    }

    /// The first setting that makes no sense: its keys from the top, and why.
    pub(super) fn nonsense(&self, experiment: &Experiment) -> Option<(Vec<&'static str>, String)> {
        let info = self.info();
        let name = info.name;
        let has_data = !experiment.data.is_empty();
        if info.data == DataUse::Needed && !has_data {
            let message =
                format!("`data` is missing: `kind = \"{name}\"` needs a `name` or `train`");
            return Some((vec!["data"], message));
        }
        if info.data == DataUse::Refused && has_data {
            let message = format!("`kind = \"{name}\"` reads no data; leave `data` out");
            return Some((vec!["data"], message));
        }
        if !info.trains && experiment.budget.epochs.is_some() {
            let message = format!(
                "`kind = \"{name}\"` trains no epochs; write the budget as `trials` or `seconds`"
            );
            return Some((vec!["budget", "epochs"], message));
        }
        let (key, needed) = self.kind().nonsense(experiment)?;
        Some((vec!["evaluator", key], format!("`{key}` needs {needed}")))
    }
}
