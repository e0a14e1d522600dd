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

    fn kept_or_learnt(
        &self,
        place: &Elsewhere,
        once_more: bool,
    ) -> Result<Option<Preprocessing>, RunError> {
        let path = self::place(self.folder());
        let disk = self.folder().files().disk();
        if disk.exists(&path) && once_more == is_trained_once_more(self.state()) {
            let text = disk.read(&path).map_err(RunError::file("read", &path))?;
            return Ok(Some(Preprocessing::parse(
                &path.display().to_string(),
                &text,
            )?));
        }
        let evaluators = load(self.started(), place)?;
        check_hashes(self.started(), evaluators.as_ref())?;
        Ok(evaluators.preprocessing(once_more).cloned())
    }
}
