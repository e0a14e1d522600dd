//! Where trials stand that later trials may go on from, and weights that later trials may begin with.
//!
//! Losing one costs time and changes nothing: its trial is trained again. So nothing here is
//! part of a run's state, and what lies in the folder is only as good as its own bytes.

use super::error::RunError;
use super::files::Files;
use crate::search::TrialId;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

/// Files of trials in one folder.
#[derive(Debug)]
pub(super) struct Checkpoints {
    files: Files,
    folder: PathBuf,
    kept: BTreeSet<TrialId>,
}

impl Checkpoints {
    /// Those that a folder holds.
    pub fn of(files: &Files, folder: PathBuf) -> Self {
        let names = files.disk().names(&folder).unwrap_or_default();
        let kept = names
            .into_iter()
            .filter_map(|name| {
                let number = name.to_str()?.strip_suffix(".safetensors")?.parse();
                number.ok().map(TrialId)
            })
            .collect();
        Self {
            files: files.clone(),
            folder,
            kept,
        }
    }

    /// Keeps where a trial stands.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn keep(&mut self, trial: TrialId, checkpoint: &[u8]) -> Result<(), RunError> {
        self.files.create_folder(&self.folder)?;
        self.files.replace(&self.path(trial), checkpoint)?;
        self.kept.insert(trial);
        Ok(())
    }

    /// Where a trial stands, if that is still known.
    pub fn read(&self, trial: TrialId) -> Option<Arc<[u8]>> {
        let known = self.kept.contains(&trial);
        let bytes = known.then(|| self.files.disk().read(&self.path(trial)))?;
        bytes.ok().map(Arc::from)
    }

    /// Drops those that nobody will go on from.
    pub fn retain(&mut self, wanted: impl Fn(TrialId) -> bool) {
        let dropped: Vec<TrialId> = self
            .kept
            .iter()
            .copied()
            .filter(|&it| !wanted(it))
            .collect();
        for trial in dropped {
            // What can't be removed only takes up room.
            let _ = self.files.disk().remove(&self.path(trial));
            self.kept.remove(&trial);
        }
    }

    /// Drops them all.
    pub fn clear(&mut self) {
        self.retain(|_| false);
        let _ = self.files.disk().remove_folder(&self.folder);
    }

    fn path(&self, trial: TrialId) -> PathBuf {
        self.folder.join(format!("{:04}.safetensors", trial.0))
    }
}
