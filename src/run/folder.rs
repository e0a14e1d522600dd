//! Where a run keeps its files.

use super::error::RunError;
use super::files::Files;
use super::journal;
use super::record::Subject;
use crate::search::TrialId;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// A run folder.
#[derive(Clone, Debug)]
pub struct RunFolder {
    path: PathBuf,
    files: Files,
}

/// The name of the file that a comparison's folder has.
pub(super) const COMPARISON: &str = "comparison.json";

/// Whether there is a comparison in a folder.
pub(super) fn holds_comparison(folder: &Path) -> bool {
    folder.join(COMPARISON).is_file()
}

impl RunFolder {
    /// The folder of an existing run.
    ///
    /// # Errors
    /// When there is no journal in it.
    pub fn open(path: &Path) -> Result<Self, RunError> {
        Self::open_on(Files::of_machine(), path)
    }

    /// As [`open`](Self::open), on some disk.
    pub(super) fn open_on(files: Files, path: &Path) -> Result<Self, RunError> {
        let path = path.to_owned();
        let folder = Self { path, files };
        if folder.files.disk().exists(&folder.journal()) {
            return Ok(folder);
        }
        if holds_comparison(&folder.path) {
            let (runs, folder) = (folder.runs_within(), folder.path);
            return Err(RunError::AComparison { folder, runs });
        }
        Err(RunError::NotARun(folder.path))
    }

    /// The names of the run folders in the folder of a comparison.
    fn runs_within(&self) -> Vec<String> {
        let folders = fs::read_dir(&self.path).into_iter().flatten().flatten();
        let runs = folders.filter(|entry| entry.path().join(journal::FILE_NAME).is_file());
        let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
        let mut names: Vec<String> = runs.map(name).collect();
        names.sort();
        names
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
        let (_, path) = dated.max()?;
        Self::open(&path).ok()
    }

    /// The folder of this very name under `runs`, whether or not it is there.
    pub(super) fn named(runs: &Path, name: &str) -> Self {
        Self {
            path: runs.join(name),
            files: Files::of_machine(),
        }
    }

    /// A new folder `<name>-<n>` under `runs` with what `fill` puts into it. It appears whole or not
    /// at all.
    pub(super) fn create<T>(
        files: &Files,
        runs: &Path,
        name: &str,
        fill: impl FnOnce(&Self) -> Result<T, RunError>,
    ) -> Result<(Self, T), RunError> {
        files.create_folder(runs)?;
        // It may be new, if not to this process.
        files.sync_folder(above(runs))?;
        let hidden = Self::hidden(files, runs)?;
        let filled = fill(&hidden).and_then(|filled| Ok((hidden.appear(runs, name)?, filled)));
        if filled.is_err() {
            // What failed is reported; that something is left over would only hide it.
            let _ = files.disk().remove_folder(&hidden.path);
        }
        files.sync_folder(runs)?;
        filled
    }

    /// Makes sure that the run is still there after a power cut.
    pub(super) fn make_names_safe(&self) -> Result<(), RunError> {
        let runs = above(&self.path);
        let places = [&self.path, runs, above(runs)];
        places
            .iter()
            .try_for_each(|place| self.files.sync_folder(place))
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The files on the disk that it is on.
    pub(super) fn files(&self) -> &Files {
        &self.files
    }

    /// The journal.
    pub fn journal(&self) -> PathBuf {
        self.path.join(journal::FILE_NAME)
    }

    /// What the run was made with, for people.
    pub fn manifest(&self) -> PathBuf {
        self.path.join("manifest.json")
    }

    /// The experiment as given.
    pub fn experiment(&self) -> PathBuf {
        self.path.join("experiment.toml")
    }

    /// The search space as given.
    pub fn space(&self) -> PathBuf {
        self.path.join("space.space")
    }

    /// The baseline of this name as given.
    pub fn baseline(&self, name: &str) -> PathBuf {
        self.path.join("baselines").join(format!("{name}.space"))
    }

    /// What a trial left, if it was trained.
    pub fn trial(&self, trial: TrialId) -> PathBuf {
        self.path.join("trials").join(format!("{:04}", trial.0))
    }

    /// Where trials stand that may be gone on from.
    pub fn checkpoints(&self) -> PathBuf {
        self.path.join("checkpoints")
    }

    /// Weights that trials may begin with.
    pub fn weights(&self) -> PathBuf {
        self.path.join("weights")
    }

    /// The trained networks of the final evaluation.
    pub fn retrained(&self) -> PathBuf {
        self.path.join("retrained")
    }

    /// The best network so far.
    pub fn best(&self) -> PathBuf {
        self.path.join("best")
    }

    /// A winner's network: that of the run's own, or of further bounds.
    pub(super) fn best_of(&self, subject: &Subject) -> PathBuf {
        match subject {
            Subject::Within(number) => self.best_within(*number),
            _ => self.best(),
        }
    }

    /// The best network within the bounds of `final.within` with this number, from 2 on.
    pub fn best_within(&self, number: u32) -> PathBuf {
        self.best().join(format!("within-{number}"))
    }

    fn hidden(files: &Files, runs: &Path) -> Result<Self, RunError> {
        let process = std::process::id();
        for number in 0.. {
            let path = runs.join(format!(".starting-{process}-{number}"));
            match files.disk().create_new_folder(&path) {
                Ok(()) => {
                    let files = files.clone();
                    return Ok(Self { path, files });
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(RunError::file("create", &path)(error)),
            }
        }
        unreachable!("some number is free")
    }

    fn appear(&self, runs: &Path, name: &str) -> Result<Self, RunError> {
        for number in 1.. {
            let path = runs.join(format!("{name}-{number}"));
            let disk = self.files.disk();
            if disk.exists(&path) {
                continue;
            }
            match disk.rename(&self.path, &path) {
                Ok(()) => {
                    let files = self.files.clone();
                    return Ok(Self { path, files });
                }
                // Someone else took the name between the two calls.
                Err(_) if disk.exists(&path) => {}
                Err(error) => return Err(RunError::file("create", &path)(error)),
            }
        }
        unreachable!("some number is free")
    }
}

/// The folder that a path is in.
fn above(path: &Path) -> &Path {
    let above = path.parent().unwrap_or(path);
    if above.as_os_str().is_empty() {
        return Path::new(".");
    }
    above
}

fn is_hidden(path: &Path) -> bool {
    path.file_name()
        .is_none_or(|name| name.to_string_lossy().starts_with('.'))
}
