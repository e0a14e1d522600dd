//! What a run's journal adds up to.

use super::error::RunError;
use super::folder::RunFolder;
use super::journal::{Digester, Entry, FileJournal};
use super::record::Record;
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
    pub fn of(folder: &RunFolder, entries: &[Entry]) -> Result<Self, RunError> {
        let mut past = Self::default();
        for entry in entries {
            past.take(folder, entry.clone())?;
        }
        past.story.digest_anew(|take| {
            entries.iter().for_each(take);
            Ok(())
        })?;
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

    /// Takes the digest anew if the search was extended, from the folder's journal.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn digest_anew_on(&mut self, folder: &RunFolder) -> Result<(), RunError> {
        self.story.digest_anew(|take| {
            FileJournal::each_on(folder.files().disk(), &folder.journal(), |entry| {
                take(&entry);
                Ok(())
            })
        })
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
    /// When the search ended, in seconds of running, unless it goes on.
    searched: Option<f64>,
    /// Seconds of running between the end of a search and its extension.
    not_searching: f64,
}

impl Story {
    /// Takes in the next entry.
    pub fn add(&mut self, entry: &Entry) {
        self.digester.add(entry);
        self.begun.get_or_insert(entry.at);
        (self.last, self.seconds) = (entry.at, entry.seconds);
        match &entry.record {
            Record::Searched(_) => self.searched = Some(entry.seconds),
            Record::Extended(_) => {
                let ended = self.searched.take().unwrap_or(entry.seconds);
                self.not_searching += entry.seconds - ended;
            }
            _ => {}
        }
    }

    /// Takes the digest anew if the search was extended: the journal's entries are read once more, by `each`.
    ///
    /// # Errors
    /// As `each`.
    pub fn digest_anew(
        &mut self,
        each: impl FnOnce(&mut dyn FnMut(&Entry)) -> Result<(), RunError>,
    ) -> Result<(), RunError> {
        let Some(budget) = self.digester.last_budget() else {
            return Ok(());
        };
        let mut digester = Digester::of_extended(budget);
        each(&mut |entry| digester.add(entry))?;
        self.digester = digester;
        Ok(())
    }

    /// Seconds of running that were not spent on the search, but after what was its end then.
    pub fn not_searching(&self) -> f64 {
        self.not_searching
    }

    /// Seconds of searching.
    pub fn searching(&self) -> f64 {
        self.searched.unwrap_or(self.seconds) - self.not_searching
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
