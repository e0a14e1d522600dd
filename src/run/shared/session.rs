//! A connection to a run's database that comes back when it breaks.
//!
//! Everything asked of the database may be asked again: each question either changes nothing the second
//! time or is fenced. So a connection that breaks is replaced, and the question repeated.

use super::address::Address;
use super::error::SharedError;
use super::queue::Queue;
use super::runs::Runs;
use super::schema;
use postgres::types::ToSql;
use postgres::{Client, Row, Statement};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// The parameters of a question.
pub(super) type Given<'a> = &'a [&'a (dyn ToSql + Sync)];

/// A connection with its prepared statements.
pub struct Session {
    client: Client,
    prepared: BTreeMap<&'static str, Statement>,
}

impl Session {
    /// Connects, and makes sure of the tables.
    ///
    /// # Errors
    /// When there is no connection or the tables are newer than this strata.
    pub fn open(address: &Address) -> Result<Self, SharedError> {
        let mut client = address.connect()?;
        schema::migrate(&mut client)?;
        Ok(Self {
            client,
            prepared: BTreeMap::new(),
        })
    }

    /// Connects to look and nothing else: the database lets this connection write nothing. Nothing if strata has made
    /// no tables there.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub(super) fn open_to_read(address: &Address) -> Result<Option<Self>, SharedError> {
        let mut client = address.connect()?;
        let locked = client.batch_execute("SET default_transaction_read_only = on");
        locked.map_err(SharedError::query("keep from writing"))?;
        let session = Self {
            prepared: BTreeMap::new(),
            client,
        };
        session.with_tables()
    }

    fn with_tables(mut self) -> Result<Option<Self>, SharedError> {
        Ok(schema::are_made(&mut self.client)?.then_some(self))
    }

    /// The queue of a run.
    pub fn queue<'a>(&'a mut self, run: &'a str) -> Queue<'a> {
        Queue::of(self, run)
    }

    /// A run.
    pub fn run<'a>(&'a mut self, run: &'a str) -> Runs<'a> {
        Runs::of(self, run)
    }

    /// The rows that a statement gives. It is prepared once a connection.
    ///
    /// # Errors
    /// When the database refuses or is gone; `action` says what was tried.
    pub(super) fn rows(
        &mut self,
        action: &'static str,
        sql: &'static str,
        given: Given<'_>,
    ) -> Result<Vec<Row>, SharedError> {
        let statement = match self.prepared.get(sql) {
            Some(statement) => statement.clone(),
            None => {
                let statement = self.client.prepare(sql);
                let statement = statement.map_err(SharedError::query(action))?;
                self.prepared.insert(sql, statement.clone());
                statement
            }
        };
        let rows = self.client.query(&statement, given);
        rows.map_err(SharedError::query(action))
    }

    /// As [`rows`](Self::rows), of a statement that gives one row or none.
    ///
    /// # Errors
    /// As [`rows`](Self::rows).
    pub(super) fn row(
        &mut self,
        action: &'static str,
        sql: &'static str,
        given: Given<'_>,
    ) -> Result<Option<Row>, SharedError> {
        Ok(self.rows(action, sql, given)?.pop())
    }
}

/// How long to wait before a broken connection is made again, the first time and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// After how long somebody is told that it is waited for a database.
const SILENCE: Duration = Duration::from_secs(1);

/// Is told once, whenever it is waited for a database: why, and for how long at most.
pub type Away = fn(&SharedError, Duration);

/// A database that is asked until it answers.
pub(super) struct Database<'a> {
    address: Address,
    session: Option<Session>,
    patience: Duration,
    stop: &'a AtomicBool,
    away: Away,
}

impl<'a> Database<'a> {
    /// A database that is waited for as long as `patience` whenever it is away, or until `stop` is set.
    /// Nothing is connected yet.
    pub fn new(address: Address, patience: Duration, stop: &'a AtomicBool) -> Self {
        Self {
            address,
            session: None,
            patience,
            stop,
            away: |_, _| (),
        }
    }

    /// The same, which tells when it is waited for.
    #[must_use]
    pub fn telling(self, away: Away) -> Self {
        Self { away, ..self }
    }

    /// Asks.
    ///
    /// # Errors
    /// When the database refuses, or stays away for too long.
    pub fn ask<T>(
        &mut self,
        mut question: impl FnMut(&mut Session) -> Result<T, SharedError>,
    ) -> Result<T, SharedError> {
        let begun = Instant::now();
        let mut pause = FIRST_PAUSE;
        let mut told = false;
        loop {
            let error = match self.once(&mut question) {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let over = begun.elapsed() >= self.patience || self.stop.load(Ordering::Relaxed);
            if !error.is_passing() || over {
                return Err(error);
            }
            if !told && begun.elapsed() >= SILENCE {
                (self.away)(&error, self.patience);
                told = true;
            }
            thread::sleep(pause);
            pause = (2 * pause).min(LONGEST_PAUSE);
        }
    }

    fn once<T>(
        &mut self,
        question: &mut impl FnMut(&mut Session) -> Result<T, SharedError>,
    ) -> Result<T, SharedError> {
        let session = match &mut self.session {
            Some(session) => session,
            none => none.insert(Session::open(&self.address)?),
        };
        let answer = question(session);
        if answer.as_ref().is_err_and(SharedError::is_passing) {
            self.session = None;
        }
        answer
    }
}
