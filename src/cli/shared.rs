//! What the verbs of shared runs have in common: the address of a database, and what the environment adds
//! to it.

use super::failure::Failure;
use super::{numbers, terminal};
use crate::run::RunError;
use crate::run::shared::{
    Address, Away, LeaseTerms, Program, Secret, SharedError, Sharing, Surroundings,
};
use sha2::{Digest, Sha256};
use std::env;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// How long a database may be away before a process gives up.
const PATIENCE: Duration = Duration::from_secs(600);

/// The address of a database as it was given: it may hold a password, so nothing shows it.
#[derive(Clone, Debug)]
pub struct AddressText(Secret);

impl FromStr for AddressText {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(Secret::new(text)))
    }
}

impl AddressText {
    /// Whether a text is meant as the address of a database.
    pub fn is_meant_by(text: &str) -> bool {
        text.starts_with("postgres://") || text.starts_with("postgresql://")
    }

    /// The address, with what the environment says of users and passwords.
    ///
    /// # Errors
    /// When it makes no sense.
    pub fn address(&self) -> Result<Address, Failure> {
        let variable = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
        let home = env::home_dir().map(|home| home.join(".pgpass"));
        let surroundings = Surroundings {
            user: variable("PGUSER").or_else(|| variable("USER")),
            password: variable("PGPASSWORD").map(Secret::new),
            password_file: variable("PGPASSFILE").map(PathBuf::from).or(home),
        };
        Address::parse(&self.0, &surroundings).map_err(failure)
    }
}

/// Where a run is, or many are.
#[derive(Clone, Debug)]
pub enum RunText {
    /// A folder.
    Folder(PathBuf),
    /// A database.
    Shared(AddressText),
}

impl RunText {
    /// The folder, if it is one.
    pub fn folder(&self) -> Option<PathBuf> {
        match self {
            Self::Folder(folder) => Some(folder.clone()),
            Self::Shared(_) => None,
        }
    }
}

impl FromStr for RunText {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if AddressText::is_meant_by(text) {
            text.parse().map(Self::Shared)
        } else {
            Ok(Self::Folder(PathBuf::from(text)))
        }
    }
}

/// Whether a run's processes may differ.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct Mixed {
    /// Take part although the program or the processor is another than the run was started with; last
    /// bits of results may then differ
    #[arg(long)]
    mixed: bool,
}

impl Mixed {
    /// Whether they may.
    pub fn is_allowed(self) -> bool {
        self.mixed
    }
}

/// How a process that controls a shared run is to do it.
///
/// # Errors
/// When the address makes no sense.
pub fn sharing(
    address: &AddressText,
    mixed: Mixed,
    lease: Option<f64>,
    quiet: bool,
) -> Result<Sharing, Failure> {
    let mut terms = LeaseTerms::default();
    if let Some(seconds) = lease {
        let length = Duration::try_from_secs_f64(seconds).ok();
        let length = length.filter(|length| (100..86_400_000).contains(&length.as_millis()));
        terms.length = length.ok_or_else(|| {
            Failure::Input("`--lease` is between 0.1 and 86400 seconds".to_owned())
        })?;
    }
    Ok(Sharing {
        address: address.address()?,
        program: program()?,
        mixed: mixed.is_allowed(),
        terms,
        patience: PATIENCE,
        away: away(quiet),
    })
}

/// What is said while it is waited for a database.
pub fn away(quiet: bool) -> Away {
    if quiet {
        return |_, _| ();
    }
    |error, patience| {
        let patience = numbers::seconds(patience.as_secs_f64());
        terminal::say(&format!("{error}; it is asked again for up to {patience}"));
    }
}

/// This program, as a run remembers it.
///
/// # Errors
/// When its file can't be read.
pub fn program() -> Result<Program, Failure> {
    let read = env::current_exe().and_then(std::fs::read);
    let bytes = read.map_err(|error| {
        Failure::Other(format!("failed to read this program's own file: {error}"))
    })?;
    let mut hash = String::new();
    for byte in Sha256::digest(&bytes) {
        let _ = write!(hash, "{byte:02x}");
    }
    Ok(Program::here(hash))
}

/// The failure that an error of a shared run is.
pub fn failure(error: SharedError) -> Failure {
    Failure::from(RunError::Shared(error))
}

/// How long a database may be away.
pub fn patience() -> Duration {
    PATIENCE
}
