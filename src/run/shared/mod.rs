//! Runs on many machines: the journal and the queue of work in a PostgreSQL database.
//!
//! One process controls a run: it asks the controller, writes the journal and puts trials into the queue.
//! Any number of workers, anywhere, lease trials, evaluate them and hand in what came of them. All of them
//! may die at any time and in any order; two may control at once. Results count once, because handing one
//! in is one fenced statement ([`Queue::finish`]), and the search stays a fold over the journal.

mod address;
mod control;
mod error;
mod executor;
mod heart;
mod journal;
mod onlooker;
mod passwords;
#[cfg(test)]
#[path = "../../../tests/it/shared/postgresql.rs"]
mod postgresql;
mod queue;
mod runs;
mod schema;
mod session;
mod tls;
mod watch;
mod worker;

pub use address::{Address, PasswordFrom, Secret, Surroundings, is_run_name};
pub use control::{Sharing, extend_shared, resume_shared, start_shared};
pub use error::SharedError;
pub use onlooker::{JournalTable, Onlooker};
pub use queue::{Lease, Leased, Queue, Standing, Task};
pub use runs::{Found, LeaseTerms, Program, Runs};
pub use session::{Away, Session};
pub use watch::RunWatch;
pub use worker::{WorkerEnd, WorkerEvent, WorkerOptions, work};
