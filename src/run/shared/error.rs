//! What can go wrong between strata and a database, by who must act.

use std::path::PathBuf;

/// Why a shared run can't be reached, joined or written.
#[derive(Debug, thiserror::Error)]
pub enum SharedError {
    /// An address makes no sense. It is not repeated: it may hold a password.
    #[error("the address of the database: {0}")]
    Address(String),
    /// A password file can't be used.
    #[error("the password file {}: {message}", path.display())]
    PasswordFile {
        /// The file.
        path: PathBuf,
        /// Why.
        message: String,
    },
    /// The file that `sslrootcert` names can't be used.
    #[error("the authorities in {}: {message}", path.display())]
    Authorities {
        /// The file.
        path: PathBuf,
        /// Why.
        message: String,
    },
    /// No connection comes about.
    #[error("failed to connect to {address}: {message}")]
    Connect {
        /// Where to, without a password.
        address: String,
        /// The answer.
        message: String,
        /// Whether it may work a little later.
        passing: bool,
    },
    /// The database refuses, or the connection is gone.
    #[error("failed to {action} in the database: {message}")]
    Query {
        /// What was tried.
        action: &'static str,
        /// The answer.
        message: String,
        /// Whether it may work with a new connection.
        passing: bool,
    },
    /// The database is away, for whoever goes on when it is back.
    #[error("the database does not answer ({0}); this goes on when it does")]
    Away(String),
    /// The tables were made by a newer version.
    #[error(
        "the database's tables have version {found}, and this version of strata knows up to \
         {known}; use a newer strata"
    )]
    NewerTables {
        /// Their version.
        found: i32,
        /// The newest this version knows.
        known: i32,
    },
    /// There is no such run.
    #[error("there is no run `{run}` in the database; {}", those(known))]
    NoRun {
        /// The name.
        run: String,
        /// The runs there are.
        known: Vec<String>,
    },
    /// No run was named.
    #[error("name the run: `postgres://…/database?run=name`; {}", those(.0))]
    Unnamed(Vec<String>),
    /// A worker or controller is not what the run was started with.
    #[error("{what} differs: here {here}, in the run `{run}` {there}; {remedy}")]
    Mismatch {
        /// The run.
        run: String,
        /// What.
        what: &'static str,
        /// Here.
        here: String,
        /// When the run was started.
        there: String,
        /// What to do.
        remedy: &'static str,
    },
    /// Another controller wrote something else.
    #[error(
        "record {seq} of the run `{run}` is not what this process would write: another controller \
         decided differently; stop this one, and resume with it when the other has ended"
    )]
    Overtaken {
        /// The run.
        run: String,
        /// The number of the record.
        seq: u64,
    },
    /// The run is over, and this process did not end it.
    #[error(
        "the run `{run}` was ended by another controller while this one waited for results; \
         nothing is left to do"
    )]
    EndedByAnother {
        /// The run.
        run: String,
    },
    /// The run was started with something else.
    #[error(
        "the run `{run}` was started with another {what}; choose another name for a new run, or resume \
         with what it was started with"
    )]
    Other {
        /// The run.
        run: String,
        /// What differs.
        what: &'static str,
    },
    /// A trial makes no progress.
    #[error("{unit} says nothing any more: this process ends, and counts as lost over it")]
    Hung {
        /// The piece of work.
        unit: String,
    },
    /// What the database holds is not what strata wrote.
    #[error("{what} of the run `{run}` is damaged: {message}")]
    Damaged {
        /// The run.
        run: String,
        /// Which part.
        what: String,
        /// What is wrong with it.
        message: String,
    },
}

impl SharedError {
    /// Whether it may work with a new connection, a little later.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Connect { passing, .. } | Self::Query { passing, .. } => *passing,
            Self::Away(_) => true,
            _ => false,
        }
    }

    /// A failed query as a value for `map_err`.
    pub(super) fn query(action: &'static str) -> impl FnOnce(postgres::Error) -> Self {
        move |source| Self::Query {
            action,
            passing: is_passing(&source),
            message: describe(&source),
        }
    }

    pub(super) fn connect(address: String, source: postgres::Error) -> Self {
        Self::Connect {
            address,
            passing: is_passing(&source),
            message: describe(&source),
        }
    }

    pub(super) fn address_of(source: postgres::Error) -> Self {
        Self::Address(describe(&source))
    }
}

/// Classes of SQLSTATE that a new connection can mend: lost connections, too few resources (too many
/// connections among them), a server that stops or starts, and serialisation.
const PASSING: [&str; 4] = ["08", "53", "57", "40"];

fn is_passing(error: &postgres::Error) -> bool {
    match error.code() {
        Some(code) => PASSING.iter().any(|class| code.code().starts_with(class)),
        None => error.is_closed() || is_of_the_network(error),
    }
}

fn is_of_the_network(error: &postgres::Error) -> bool {
    let first: Option<&(dyn std::error::Error + 'static)> = std::error::Error::source(error);
    let mut causes = std::iter::successors(first, |cause| cause.source());
    // A certificate that is refused comes as one of these too, and will be refused again.
    causes.any(|cause| {
        let network = cause.downcast_ref::<std::io::Error>();
        network.is_some_and(|cause| cause.kind() != std::io::ErrorKind::InvalidData)
    })
}

/// An error with what caused it: the outermost alone says little.
fn describe(error: &postgres::Error) -> String {
    if let Some(answer) = error.as_db_error() {
        return answer.message().to_owned();
    }
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        cause = inner.source();
    }
    text
}

fn those(known: &[String]) -> String {
    if known.is_empty() {
        "it holds none".to_owned()
    } else {
        format!("it holds {}", known.join(", "))
    }
}
