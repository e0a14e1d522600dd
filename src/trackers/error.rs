//! Why a tracker can't go on.

use crate::run::RunError;
use std::io;
use std::path::{Path, PathBuf};

/// Why something was not tracked.
#[derive(Debug, thiserror::Error)]
pub enum TrackError {
    /// The run can't be read.
    #[error(transparent)]
    Run(#[from] RunError),
    /// A file can't be written.
    #[error("failed to write {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file holds something else.
    #[error(
        "{} does not hold the beginning of this run; name another file, or remove it",
        path.display()
    )]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// A server does not answer as it should.
    #[error("{server}: {message}")]
    Server {
        /// Its address.
        server: String,
        /// What is wrong.
        message: String,
    },
    /// A table can't be written.
    #[error("failed to write the table: {0}")]
    Table(String),
}

impl TrackError {
    /// As a mapping of errors for one file.
    pub(super) fn file(path: &Path) -> impl Fn(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::File {
            path: path.clone(),
            source,
        }
    }
}
