//! Which trackers a run has, and where they write.

use super::error::TrackError;
use super::mlflow::{Access, Mlflow};
use super::optuna::OptunaJournal;
use super::tensorboard::TensorBoard;
use super::tracking::{Tracker, Tracking};
use crate::run::{JournalFile, RunFolder, TrackingSettings};
use std::path::Path;

/// A kind of tracker that can be told a run while it goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Event files in a folder.
    TensorBoard,
    /// An Optuna journal.
    Optuna,
    /// An MLflow server.
    Mlflow,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::TensorBoard, Self::Optuna, Self::Mlflow];

    /// Its name, as `[tracking]` and `--track` write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::TensorBoard => "tensorboard",
            Self::Optuna => "optuna",
            Self::Mlflow => "mlflow",
        }
    }

    /// Where it writes when nothing else is said: files lie in the run folder.
    pub fn default_place(self) -> &'static str {
        match self {
            Self::TensorBoard => "tensorboard",
            Self::Optuna => "optuna.log",
            Self::Mlflow => "http://127.0.0.1:5000",
        }
    }

    /// Where `settings` have it write, if they have it.
    pub fn place(self, settings: &TrackingSettings) -> Option<&str> {
        let place = match self {
            Self::TensorBoard => &settings.tensorboard,
            Self::Optuna => &settings.optuna,
            Self::Mlflow => &settings.mlflow,
        };
        place.as_deref()
    }

    /// The tracker for a run, writing to `place`: an address, or a path that is relative to `base`.
    ///
    /// # Errors
    /// When it can't be opened.
    pub fn open(
        self,
        place: &str,
        base: &Path,
        access: &Access,
    ) -> Result<Box<dyn Tracker>, TrackError> {
        let path = base.join(place);
        Ok(match self {
            Self::TensorBoard => Box::new(TensorBoard::new(&path)),
            Self::Optuna => Box::new(OptunaJournal::open(&path)?),
            Self::Mlflow => Box::new(Mlflow::new(place, access)?),
        })
    }

    /// The tracker with the journal of a run folder, from its beginning.
    ///
    /// # Errors
    /// When the run can't be read or the tracker can't be opened.
    pub fn track(
        self,
        folder: &RunFolder,
        place: &str,
        base: &Path,
        access: &Access,
    ) -> Result<Tracking, TrackError> {
        let tracker = self.open(place, base, access)?;
        Tracking::new(Box::new(JournalFile::new(folder)), tracker)
    }
}
