//! Whether a run is over, for whatever waits for that.

use super::address::Address;
use super::error::SharedError;
use super::session::Database;
use super::worker::run_of;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// A run that is looked at.
pub struct RunWatch<'a> {
    database: Database<'a>,
    run: String,
}

impl<'a> RunWatch<'a> {
    /// The run that an address means.
    ///
    /// # Errors
    /// When there is none, or the database is away for longer than `patience`.
    pub fn open(
        address: Address,
        patience: Duration,
        stop: &'a AtomicBool,
    ) -> Result<Self, SharedError> {
        let mut database = Database::new(address.clone(), patience, stop);
        let run = run_of(&address, &mut database)?;
        let mut watch = Self { database, run };
        watch.is_over()?;
        Ok(watch)
    }

    /// Whether the run is over.
    ///
    /// # Errors
    /// When there is no such run, or the database is away for too long.
    pub fn is_over(&mut self) -> Result<bool, SharedError> {
        let run = &self.run;
        self.database.ask(|session| {
            let mut runs = session.run(run);
            match runs.find()? {
                Some(found) => Ok(found.ended),
                None => Err(SharedError::NoRun {
                    run: run.clone(),
                    known: runs.names()?,
                }),
            }
        })
    }
}
