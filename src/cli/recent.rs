//! Which run is meant: the one named, or the newest.

use super::failure::Failure;
use super::terminal::Terminal;
use crate::run::{RecordedRun, RunFolder};
use std::path::{Path, PathBuf};

/// Where runs are kept when nothing else is said.
pub const RUNS: &str = "runs";

/// The run a verb is about.
#[derive(Debug, clap::Args)]
pub struct Run {
    /// A run folder; without it, the newest run under ./runs
    #[arg(value_name = "RUN")]
    run: Option<PathBuf>,
}

impl Run {
    /// A run that another argument named, or the newest.
    pub fn named(run: Option<PathBuf>) -> Self {
        Self { run }
    }

    /// The folder; says which if it was not named.
    ///
    /// # Errors
    /// When none was named and there is none.
    pub fn folder(&self, terminal: &mut Terminal) -> Result<PathBuf, Failure> {
        if let Some(folder) = &self.run {
            return Ok(folder.clone());
        }
        let newest = RunFolder::newest(Path::new(RUNS)).ok_or_else(|| {
            let message = "there is no run under ./runs; name a run folder, or start one with `strata search`";
            Failure::Input(message.to_owned())
        })?;
        terminal.say(&format!("the newest run: {}", newest.path().display()));
        Ok(newest.path().to_owned())
    }

    /// The file of JSON that was named instead of a folder, if one was.
    pub fn json_file(&self) -> Option<&Path> {
        let named = self.run.as_deref().filter(|path| path.is_file())?;
        named
            .extension()
            .is_some_and(|ending| ending == "json")
            .then_some(named)
    }

    /// The run as its journal tells it.
    ///
    /// # Errors
    /// When there is none, or its journal is damaged.
    pub fn read(&self, terminal: &mut Terminal) -> Result<RecordedRun, Failure> {
        Ok(RecordedRun::open(&self.folder(terminal)?)?)
    }

    /// As [`read`](Self::read), with no more of its trials than says how it stands.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_in_brief(&self, terminal: &mut Terminal) -> Result<RecordedRun, Failure> {
        Ok(RecordedRun::open_in_brief(&self.folder(terminal)?)?)
    }
}
