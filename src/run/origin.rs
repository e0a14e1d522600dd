//! Where a run's experiment comes from, and what was changed of it when the run was started.

use super::error::RunError;
use super::experiment::{Experiment, ExperimentFile};
use super::files::sha256;
use super::folder::RunFolder;
use super::record::Started;
use serde::{Deserialize, Serialize};

/// The file that an experiment was read from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// Its path as it was named.
    pub path: String,
    /// SHA-256 of its text.
    pub sha256: String,
}

impl Origin {
    /// The origin of an experiment, if it was read from a file.
    pub(super) fn of(file: &ExperimentFile) -> Option<Self> {
        let path = file.path.as_ref()?;
        Some(Self {
            path: path.to_string_lossy().into_owned(),
            sha256: sha256(file.text.as_bytes()),
        })
    }

    /// Refuses a copy of the text that somebody has edited: a run goes on with what it was started with, and would
    /// pass over the edit.
    ///
    /// # Errors
    /// When the copy is another text.
    pub(super) fn check(&self, copy: &str, text: &str) -> Result<(), RunError> {
        let now = sha256(text.as_bytes());
        if now == self.sha256 {
            return Ok(());
        }
        let (what, then) = (copy.to_owned(), self.sha256.clone());
        Err(RunError::Changed { what, now, then })
    }

    /// As [`check`](Self::check), of the copy that a run folder keeps, if it still does.
    ///
    /// # Errors
    /// When it has changed, or can't be read.
    pub(super) fn check_in(&self, folder: &RunFolder) -> Result<(), RunError> {
        let copy = folder.experiment();
        if !folder.files().disk().exists(&copy) {
            return Ok(());
        }
        let text = folder.files().read_text(&copy)?;
        self.check(&copy.display().to_string(), &text)
    }
}

impl Started {
    /// What the command line changed of the experiment in `text`, each by the name of its option; nothing where there
    /// is no such text.
    pub fn changes(&self, text: &str) -> Vec<(&'static str, String)> {
        let Ok(given) = Experiment::parse("experiment.toml", text) else {
            return Vec::new();
        };
        let is = &self.experiment;
        let trials = is.budget.trials.filter(|_| is.budget != given.budget);
        let device = is.trial.device;
        let changes = [
            ("name", (is.name != given.name).then(|| is.name.clone())),
            (
                "seed",
                (is.seed != given.seed).then(|| is.seed.0.to_string()),
            ),
            ("trials", trials.map(|trials| trials.to_string())),
            (
                "device",
                (device != given.trial.device).then(|| device.name().to_owned()),
            ),
        ];
        let made = |(option, value): (&'static str, Option<String>)| Some((option, value?));
        changes.into_iter().filter_map(made).collect()
    }
}
