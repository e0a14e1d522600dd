//! Where a run keeps its files.

use super::error::RunError;
use super::{files, journal};
use crate::search::TrialId;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// A run folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunFolder(PathBuf);

impl RunFolder {
    /// The folder of an existing run.
    ///
    /// # Errors
    /// When there is no journal in it.
    pub fn open(path: &Path) -> Result<Self, RunError> {
        let folder = Self(path.to_owned());
        if folder.journal().is_file() {
            Ok(folder)
        } else {
            Err(RunError::NotARun(path.to_owned()))
        }
    }

    /// The run under `runs` whose journal was written to last.
    pub fn newest(runs: &Path) -> Option<Self> {
        let folders = fs::read_dir(runs)
            .ok()?
            .filter_map(|entry| Some(entry.ok()?.path()));
        let dated = folders.filter(|path| !is_hidden(path)).filter_map(|path| {
            let folder = Self::open(&path).ok()?;
            let written = fs::metadata(folder.journal()).ok()?.modified().ok()?;
            Some((written, path))
        });
        dated.max().map(|(_, path)| Self(path))
    }

    /// The folder of this very name under `runs`, whether or not it is there.
    pub(super) fn named(runs: &Path, name: &str) -> Self {
        Self(runs.join(name))
    }

    /// A new folder `<name>-<n>` under `runs` with what `fill` puts into it. It appears whole or not
    /// at all.
    pub(super) fn create<T>(
        runs: &Path,
        name: &str,
        fill: impl FnOnce(&Self) -> Result<T, RunError>,
    ) -> Result<(Self, T), RunError> {
        files::create_folder(runs)?;
        let hidden = Self::hidden(runs)?;
        let filled = fill(&hidden).and_then(|filled| Ok((hidden.appear(runs, name)?, filled)));
        if filled.is_err() {
            // What failed is reported; that something is left over would only hide it.
            let _ = fs::remove_dir_all(&hidden.0);
        }
        files::sync_folder(runs)?;
        filled
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The journal.
    pub fn journal(&self) -> PathBuf {
        self.0.join(journal::FILE_NAME)
    }

    /// What the run was made with, for people.
    pub fn manifest(&self) -> PathBuf {
        self.0.join("manifest.json")
    }

    /// The experiment as given.
    pub fn experiment(&self) -> PathBuf {
        self.0.join("experiment.toml")
    }

    /// The search space as given.
    pub fn space(&self) -> PathBuf {
        self.0.join("space.space")
    }

    /// The baseline of this name as given.
    pub fn baseline(&self, name: &str) -> PathBuf {
        self.0.join("baselines").join(format!("{name}.space"))
    }

    /// What a trial left.
    pub fn trial(&self, trial: TrialId) -> PathBuf {
        self.0.join("trials").join(format!("{:04}", trial.0))
    }

    /// Where trials stand that may be gone on from.
    pub fn checkpoints(&self) -> PathBuf {
        self.0.join("checkpoints")
    }

    /// Weights that trials may begin with.
    pub fn weights(&self) -> PathBuf {
        self.0.join("weights")
    }

    /// The best network so far.
    pub fn best(&self) -> PathBuf {
        self.0.join("best")
    }

    fn hidden(runs: &Path) -> Result<Self, RunError> {
        let process = std::process::id();
        for number in 0.. {
            let path = runs.join(format!(".starting-{process}-{number}"));
            match fs::create_dir(&path) {
                Ok(()) => return Ok(Self(path)),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(RunError::file("create", &path)(error)),
            }
        }
        unreachable!("some number is free")
    }

    fn appear(&self, runs: &Path, name: &str) -> Result<Self, RunError> {
        for number in 1.. {
            let path = runs.join(format!("{name}-{number}"));
            if path.exists() {
                continue;
            }
            match fs::rename(&self.0, &path) {
                Ok(()) => return Ok(Self(path)),
                // Someone else took the name between the two calls.
                Err(_) if path.exists() => {}
                Err(error) => return Err(RunError::file("create", &path)(error)),
            }
        }
        unreachable!("some number is free")
    }
}

fn is_hidden(path: &Path) -> bool {
    path.file_name()
        .is_none_or(|name| name.to_string_lossy().starts_with('.'))
}
