//! What the network in `best/` has to know of its data, for whoever asks it about new examples.

use super::error::RunError;
use super::evaluators::Evaluators;
use super::folder::RunFolder;
use super::lifecycle::{Elsewhere, check_hashes, load};
use super::record::Subject;
use super::state::State;
use super::summary::RecordedRun;
use crate::data::Preprocessing;
use std::path::PathBuf;

/// Writes it, when nothing in `best/` will change any more. Nothing if networks are not trained on data.
pub(super) fn write(
    folder: &RunFolder,
    state: &State,
    evaluators: &dyn Evaluators,
) -> Result<(), RunError> {
    let Some(preprocessing) = evaluators.preprocessing(is_trained_once_more(state)) else {
        return Ok(());
    };
    let files = folder.files();
    files.create_folder(&folder.best())?;
    files.replace(&place(folder), preprocessing.to_json().as_bytes())
}

/// Whether the weights in `best/` are of the final evaluation's first training; else they are the search's.
fn is_trained_once_more(state: &State) -> bool {
    let first = state.retrained.get(&(Subject::Winner, 0));
    first.is_some_and(|record| record.result.score().is_some())
}

fn place(folder: &RunFolder) -> PathBuf {
    folder.best().join("preprocessing.json")
}

impl RecordedRun {
    /// What turns new examples into inputs of the network in `best/`, and its outputs into answers: as the run folder
    /// keeps it, or learnt again from the run's data where it does not. Nothing if networks are not trained on data.
    ///
    /// # Errors
    /// When it is damaged; or it is not kept, and the data is not there or has changed.
    pub fn preprocessing(&self, place: &Elsewhere) -> Result<Option<Preprocessing>, RunError> {
        self.kept_or_learnt(place, is_trained_once_more(self.state()))
    }

    /// The same for networks with weights that the search trained, such as those of any one trial.
    ///
    /// # Errors
    /// As [`preprocessing`](Self::preprocessing).
    pub fn search_preprocessing(
        &self,
        place: &Elsewhere,
    ) -> Result<Option<Preprocessing>, RunError> {
        self.kept_or_learnt(place, false)
    }

    /// Whether the weights and the preprocessing in `best/` are those of the final evaluation.
    pub(super) fn is_trained_once_more(&self) -> bool {
        is_trained_once_more(self.state())
    }

    /// The same for the networks of the final evaluation.
    ///
    /// # Errors
    /// As [`preprocessing`](Self::preprocessing).
    pub fn final_preprocessing(
        &self,
        place: &Elsewhere,
    ) -> Result<Option<Preprocessing>, RunError> {
        self.kept_or_learnt(place, true)
    }

    /// What the run folder keeps of it.
    ///
    /// # Errors
    /// When it is damaged.
    pub fn kept_final_preprocessing(&self) -> Result<Option<Preprocessing>, RunError> {
        self.kept(true)
    }

    fn kept_or_learnt(
        &self,
        place: &Elsewhere,
        once_more: bool,
    ) -> Result<Option<Preprocessing>, RunError> {
        if let Some(kept) = self.kept(once_more)? {
            return Ok(Some(kept));
        }
        let evaluators = load(self.started(), place)?;
        check_hashes(self.started(), evaluators.as_ref())?;
        Ok(evaluators.preprocessing(once_more).cloned())
    }

    fn kept(&self, once_more: bool) -> Result<Option<Preprocessing>, RunError> {
        let path = self::place(self.folder());
        let disk = self.folder().files().disk();
        if !disk.exists(&path) || once_more != self.is_trained_once_more() {
            return Ok(None);
        }
        let text = disk.read(&path).map_err(RunError::file("read", &path))?;
        let name = path.display().to_string();
        Ok(Some(Preprocessing::parse(&name, &text)?))
    }
}
