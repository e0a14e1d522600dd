//! The experiment file: the question a run answers.

use super::comparison::CompareSettings;
use super::error::RunError;
use super::evaluators::EvaluatorSettings;
use super::prefilter::PrefilterSettings;
use super::toml_text;
use super::within::{Within, one_or_several};
use crate::architecture::Output;
use crate::data::DataSource;
use crate::model::ComputeDevice;
use crate::random::Seed;
use crate::search::SearchSettings;
use crate::tabular::ModelKind;
use crate::training::{Direction, Recipe, Score};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// An experiment: a space, data, a way to search, and when to stop. Read from TOML; a key it does
/// not know is an error.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Experiment {
    /// The name that run folders begin with.
    pub name: String,
    /// The file of the search space, relative to the experiment file.
    pub space: PathBuf,
    /// The root of every random stream.
    #[serde(default)]
    pub seed: Seed,
    /// What is searched for: the figure that says how good a network is. Absent: the task's own. Since format 6.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<Score>,
    /// Where data comes from and how it is divided. Left out where the evaluator needs none.
    #[serde(default, skip_serializing_if = "DataSource::is_empty")]
    pub data: DataSource,
    /// What judges a candidate.
    #[serde(default, skip_serializing_if = "EvaluatorSettings::is_default")]
    pub evaluator: EvaluatorSettings,
    /// What sorts proposals out before any is evaluated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefilter: Option<PrefilterSettings>,
    /// How to search.
    #[serde(default)]
    pub search: SearchSettings,
    /// How long to search.
    pub budget: Budget,
    /// How each candidate is trained.
    #[serde(default)]
    pub recipe: Recipe,
    /// Limits of one trial.
    #[serde(default)]
    pub trial: TrialSettings,
    /// What happens when the search is over.
    #[serde(default, rename = "final")]
    pub last: FinalSettings,
    /// When to give up.
    #[serde(default)]
    pub stop: StopSettings,
    /// What a comparison adds. No run depends on it, so it is not stored with one.
    #[serde(default, skip_serializing)]
    pub compare: CompareSettings,
    /// Who else is told what happens. No result depends on it, so it is not stored with a run.
    #[serde(default, skip_serializing)]
    pub tracking: TrackingSettings,
}

/// The number of workers of a search on a machine with `cores` cores.
///
/// # Errors
/// When more are asked for than `lookahead` keeps busy without changing results.
pub(super) fn workers_on(
    search: &SearchSettings,
    device: ComputeDevice,
    cores: usize,
) -> Result<usize, RunError> {
    let most = usize::try_from(search.lookahead).unwrap_or(usize::MAX);
    if !device.is_processor() {
        return match search.workers {
            0 | 1 => Ok(1),
            asked => Err(RunError::Setting {
                key: "search.workers".to_owned(),
                message: format!(
                    "{asked} workers would share one device; with `device = \"{}\"` it is 1",
                    device.name()
                ),
            }),
        };
    }
    match search.workers {
        0 => Ok(cores.clamp(1, most)),
        asked if asked <= most => Ok(asked),
        asked => Err(RunError::TooManyWorkers {
            asked,
            lookahead: search.lookahead,
        }),
    }
}

/// `[budget]`: the search ends with the first of these. At least one is needed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Budget {
    /// This many trials, failed ones included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trials: Option<u64>,
    /// This many seconds of searching; trials that run by then are finished.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
    /// This many epochs over all trials.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epochs: Option<u64>,
    /// This many seconds for the whole run, the final evaluation included: whatever runs by then is cut off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_seconds: Option<f64>,
}

/// `[trial]`: limits of one trial.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrialSettings {
    /// A trial that takes longer has timed out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline_seconds: Option<f64>,
    /// A trial that is predicted to need more memory, in MiB, is not built.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_limit_mb: Option<u64>,
    /// Threads of one trial. Part of the experiment: sums depend on it.
    pub threads: usize,
    /// Where trials are trained. Part of the experiment: last bits depend on it.
    #[serde(skip_serializing_if = "ComputeDevice::is_processor")]
    pub device: ComputeDevice,
    /// What a trial is kept apart from others by. Changes no result.
    #[serde(skip_serializing_if = "Isolation::is_default")]
    pub isolate: Isolation,
    /// A worker process that takes more memory than this, in MiB, beyond what it has when it is ready is
    /// ended. Needs `isolate = "process"`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_cap_mb: Option<u64>,
    /// How often a trial is tried again whose worker was lost.
    #[serde(skip_serializing_if = "is_usual")]
    pub retries: u32,
}

/// What a trial is kept apart from others by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Isolation {
    /// A thread of its own: it survives a panic, and nothing worse.
    #[default]
    Thread,
    /// A process of its own: the run survives whatever it does.
    Process,
}

impl Isolation {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// How often a trial is tried again if nothing else is said: the third loss is final.
const RETRIES: u32 = 2;

fn is_usual(retries: &u32) -> bool {
    *retries == RETRIES
}

impl TrialSettings {
    /// Whether a journal of format 3 has no words for them.
    pub(super) fn needs_format_4(&self) -> bool {
        !self.device.is_processor()
            || !self.isolate.is_default()
            || self.memory_cap_mb.is_some()
            || !is_usual(&self.retries)
    }
}

impl Default for TrialSettings {
    fn default() -> Self {
        Self {
            deadline_seconds: None,
            memory_limit_mb: None,
            threads: 1,
            device: ComputeDevice::default(),
            isolate: Isolation::default(),
            memory_cap_mb: None,
            retries: RETRIES,
        }
    }
}

/// `[final]`: the winner is trained once more on training and validation examples together, with
/// fresh seeds, and tested.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FinalSettings {
    /// With how many seeds; 0 leaves the test examples sealed.
    pub retrain_seeds: u32,
    /// How many architectures are drawn from the space and tested beside the winner, each trained once:
    /// what a search has to be better than.
    #[serde(skip_serializing_if = "is_zero")]
    pub random_networks: u32,
    /// Files of spaces of one, relative to the experiment file: networks to compare with, trained
    /// with the same recipe and seeds.
    pub baselines: Vec<PathBuf>,
    /// Models that are fitted to the same examples and tested beside the networks. In a run that was started, those
    /// that it fits, if any. Since format 6.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub models: Option<Vec<ModelKind>>,
    /// Bounds that the winner has to meet; several are several points of the front, each with a winner of its own.
    /// Since format 6.
    #[serde(
        deserialize_with = "one_or_several",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub within: Vec<Within>,
}

impl Default for FinalSettings {
    fn default() -> Self {
        Self {
            retrain_seeds: 5,
            random_networks: 0,
            baselines: Vec::new(),
            models: None,
            within: Vec::new(),
        }
    }
}

/// `[stop]`: when to give up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StopSettings {
    /// After this many failed trials in a row, in the order of proposing.
    pub consecutive_failures: u64,
}

impl Default for StopSettings {
    fn default() -> Self {
        Self {
            consecutive_failures: 5,
        }
    }
}

/// `[tracking]`: who else is told what happens, and where. Paths are relative to the run folder.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrackingSettings {
    /// A folder for TensorBoard.
    pub tensorboard: Option<String>,
    /// A journal file for Optuna's dashboard.
    pub optuna: Option<String>,
    /// The address of an MLflow server.
    pub mlflow: Option<String>,
}

/// An experiment with its text and the folder its paths are relative to.
#[derive(Clone, Debug)]
pub struct ExperimentFile {
    /// What the text says. May be changed before a run is started.
    pub experiment: Experiment,
    /// The text as given.
    pub text: String,
    /// The folder that the experiment's paths are relative to.
    pub base: PathBuf,
    /// The file, as it was named; nothing for an experiment that was made in another way.
    pub path: Option<PathBuf>,
}

impl ExperimentFile {
    /// Reads and checks an experiment file.
    ///
    /// # Errors
    /// When it can't be read, is not TOML, has an unknown key, or makes no sense.
    pub fn read(path: &Path) -> Result<Self, RunError> {
        let text = super::files::read_text(path)?;
        let experiment = Experiment::parse(&path.display().to_string(), &text)?;
        let base = path.parent().unwrap_or(Path::new("")).to_owned();
        Ok(Self {
            experiment,
            text,
            base,
            path: Some(path.to_owned()),
        })
    }
}

impl ExperimentFile {
    /// The folder that the file is in; nothing for an experiment that was made in another way.
    pub(super) fn folder(&self) -> Option<PathBuf> {
        self.path.as_ref()?;
        Some(match self.base.as_os_str().is_empty() {
            true => PathBuf::from("."),
            false => self.base.clone(),
        })
    }
}

impl Experiment {
    /// The experiment that a text describes. `name` is the text's name in messages.
    ///
    /// # Errors
    /// When it is not TOML, has an unknown key, or makes no sense.
    pub fn parse(name: &str, text: &str) -> Result<Self, RunError> {
        let experiment: Self = toml_text::parse(name, text)?;
        let given = has_retrain_seeds(text).then_some(experiment.last.retrain_seeds);
        match experiment.nonsense() {
            None => Ok(Self {
                search: experiment.search.filled(),
                compare: CompareSettings {
                    retrain_seeds: experiment.compare.retrain_seeds.or(given),
                    ..experiment.compare
                },
                ..experiment
            }),
            Some((path, message)) => Err(toml_text::error_at(name, text, &path, message)),
        }
    }

    /// Checks an experiment that was changed after parsing.
    ///
    /// # Errors
    /// When it makes no sense.
    pub fn validate(&self) -> Result<(), RunError> {
        match self.nonsense() {
            None => Ok(()),
            Some((path, message)) => {
                let key = path.join(".");
                Err(RunError::Setting { key, message })
            }
        }
    }

    /// Whether whoever carries the search out may forget what became of most trials.
    pub(super) fn forgets(&self) -> bool {
        self.search.forgets() && self.last.within.is_empty()
    }

    /// The way in which the search's scores get better.
    pub fn direction(&self) -> Direction {
        self.evaluator.direction(self.score)
    }

    /// The way in which the final test's scores get better.
    pub fn test_direction(&self) -> Direction {
        self.score.map_or(Direction::Maximise, Score::direction)
    }

    /// What the search's scores are called, for networks with this output.
    pub fn score_name(&self, output: Output) -> &'static str {
        self.evaluator.score_name(self.score, output)
    }

    /// What the final test's scores are called, for networks with this output.
    pub fn test_score_name(&self, output: Output) -> &'static str {
        self.evaluator.test_score_name(self.score, output)
    }

    /// Whether a journal of format 5 has no words for it.
    pub(super) fn needs_format_6(&self) -> bool {
        self.score.is_some() || !self.recipe.class_weights.is_none()
    }

    fn unfit_device(&self) -> Option<String> {
        let (device, evaluator) = (self.trial.device, self.evaluator.info());
        let idle = !device.is_processor() && !evaluator.trains;
        let unused = idle.then(|| {
            let (device, kind) = (device.name(), evaluator.name);
            format!(
                "`kind = \"{kind}\"` trains nothing that could use `{device}`; leave `device` out"
            )
        });
        missing(device).or(unused)
    }

    /// The first setting that makes no sense: its keys from the top, and why.
    fn nonsense(&self) -> Option<(Vec<&'static str>, String)> {
        let checks: [(&[&'static str], bool, &str); 9] = [
            (
                &["name"],
                !is_folder_name(&self.name),
                "to be of letters, digits, `-`, `_` and `.`, and not to begin with `.`",
            ),
            (
                &["budget"],
                self.budget == Budget::default(),
                "`trials`, `seconds`, `epochs` or `total_seconds`",
            ),
            (
                &["budget", "trials"],
                self.budget.trials == Some(0),
                "at least 1",
            ),
            (
                &["budget", "epochs"],
                self.budget.epochs == Some(0),
                "at least 1",
            ),
            (
                &["budget", "seconds"],
                !is_positive(self.budget.seconds),
                "more than 0",
            ),
            (
                &["budget", "total_seconds"],
                !is_positive(self.budget.total_seconds),
                "more than 0",
            ),
            (
                &["trial", "deadline_seconds"],
                !is_positive(self.trial.deadline_seconds),
                "more than 0",
            ),
            (&["trial", "threads"], self.trial.threads == 0, "at least 1"),
            (
                &["stop", "consecutive_failures"],
                self.stop.consecutive_failures == 0,
                "at least 1",
            ),
        ];
        if let Some((path, _, needed)) = checks.into_iter().find(|(_, wrong, _)| *wrong) {
            let key = path.last().expect("a path has a key");
            return Some((path.to_vec(), format!("`{key}` needs {needed}")));
        }
        if let Some(message) = self.last.within.iter().find_map(Within::nonsense) {
            return Some((vec!["final", "within"], message));
        }
        if let Some(message) = self.unfit_device() {
            return Some((vec!["trial", "device"], message));
        }
        if let Some((key, message)) = self.search.nonsense() {
            return Some((vec!["search", key], message));
        }
        if self.search.workers as u64 > self.search.lookahead {
            let (asked, lookahead) = (self.search.workers, self.search.lookahead);
            let error = RunError::TooManyWorkers { asked, lookahead };
            return Some((vec!["search", "workers"], error.to_string()));
        }
        if let Some((key, needed)) = self
            .prefilter
            .as_ref()
            .and_then(PrefilterSettings::nonsense)
        {
            return Some((vec!["prefilter", key], format!("`{key}` needs {needed}")));
        }
        self.evaluator.nonsense(self)
    }
}

/// Whether an experiment's text says how often to retrain: the defaults of a search and of a comparison differ.
fn has_retrain_seeds(text: &str) -> bool {
    let table = text.parse::<toml::Table>().unwrap_or_default();
    let last = table.get("final").and_then(toml::Value::as_table);
    last.is_some_and(|last| last.contains_key("retrain_seeds"))
}

/// Why this build of strata can't train on a device.
pub(super) fn missing(device: ComputeDevice) -> Option<String> {
    let name = device.name();
    (!device.is_built()).then(|| {
        format!("this build has no `{name}`: build strata with `cargo build --release --features {name}`")
    })
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

pub(super) fn is_folder_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !name.is_empty() && !name.starts_with('.') && name.chars().all(allowed)
}

fn is_positive(seconds: Option<f64>) -> bool {
    seconds.is_none_or(|seconds| seconds > 0.0 && seconds.is_finite())
}
