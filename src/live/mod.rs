//! The live page: runs as they go on, in a browser.
//!
//! A [`Library`] knows which runs there are and opens each as a [`Source`](crate::run::Source) of journal entries;
//! [`RunsFolder`] is the one on disk, [`RunsDatabase`] the one of runs on many machines. A [`Server`] answers a browser: the page, which is in the program, a stream of
//! what was appended to a journal, and single networks on demand. It reads, and nothing else: no lock is taken, no
//! file written, no request changes anything.
//!
//! What the page shows it adds up itself from the stream, as a run's state adds up from its journal. The server
//! keeps only what it has to compute: cards of the list, and the networks of runs that someone looks at.

mod card;
mod hall;
mod http;
mod library;
mod server;
mod stream;
mod told;
mod trial;

pub use library::{Library, RunsDatabase, RunsFolder};
pub use server::Server;
