//! What a run's journal adds up to.

use super::error::RunError;
use super::folder::RunFolder;
use super::journal::{Digester, Entry};
use super::state::State;

/// Everything that a journal says: the state, and what is not in it.
#[derive(Clone, Debug, Default)]
pub(super) struct Past {
    pub story: Story,
    pub state: State,
}

impl Past {
    /// What entries add up to.
    ///
    /// # Errors
    /// When they make no sense.
    pub fn of(
        folder: &RunFolder,
        entries: impl IntoIterator<Item = Entry>,
    ) -> Result<Self, RunError> {
        let mut past = Self::default();
        for entry in entries {
            past.take(folder, entry)?;
        }
        past.begun(folder)
    }

    /// Takes in the next entry.
    ///
    /// # Errors
    /// When it can't come next.
    pub fn take(&mut self, folder: &RunFolder, entry: Entry) -> Result<(), RunError> {
        self.story.add(&entry);
        let applied = self.state.take(entry.record);
        applied.map_err(|message| senseless(folder, entry.seq + 1, message))
    }

    /// The past, if it has a beginning.
    ///
    /// # Errors
    /// When there was no entry.
    pub fn begun(self, folder: &RunFolder) -> Result<Self, RunError> {
        match self.state.started {
            Some(_) => Ok(self),
            None => Err(senseless(folder, 1, "there is no record".to_owned())),
        }
    }
}

fn senseless(folder: &RunFolder, line: u64, message: String) -> RunError {
    RunError::Damaged {
        path: folder.journal(),
        line,
        message,
    }
}

/// What of a journal is not in the state that it adds up to.
#[derive(Clone, Debug, Default)]
pub(super) struct Story {
    digester: Digester,
    begun: Option<f64>,
    last: f64,
    seconds: f64,
}

impl Story {
    /// Takes in the next entry.
    pub fn add(&mut self, entry: &Entry) {
        self.digester.add(entry);
        self.begun.get_or_insert(entry.at);
        (self.last, self.seconds) = (entry.at, entry.seconds);
    }

    /// The digest of everything that happened.
    pub fn digest(&self) -> String {
        self.digester.finish()
    }

    /// When it began, in seconds since 1970.
    pub fn begun(&self) -> f64 {
        self.begun.unwrap_or_default()
    }

    /// When the last entry was written, in seconds since 1970.
    pub fn last(&self) -> f64 {
        self.last
    }

    /// Seconds of running.
    pub fn seconds(&self) -> f64 {
        self.seconds
    }
}
