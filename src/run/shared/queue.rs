//! The queue of work, and who holds what of it: leases, heartbeats, results.
//!
//! Work is given for a time, the lease, by the database's clock. A lease is held by (worker, attempt):
//! the number of the attempt rises whenever work is given away, and a worker's number is never used
//! twice, so whatever a former holder says is told apart, however late it comes. That is the fence: a
//! result counts only from whoever holds the lease when it arrives. Every operation is one statement, and
//! may be repeated when its answer was lost.

use super::error::SharedError;
use super::session::Session;
use std::time::Duration;

/// A piece of work to be put into the queue.
#[derive(Clone, Debug)]
pub struct Task<'a> {
    /// What it is: no two pieces of work of a run are the same.
    pub unit: &'a str,
    /// Work is handed out in this order.
    pub place: i64,
    /// All that a worker needs to know.
    pub assignment: &'a [u8],
}

/// The right to a piece of work, for a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// What it is.
    pub unit: String,
    /// How many times it has been given away.
    pub attempt: i32,
    /// The worker it was given to.
    pub worker: i32,
}

/// A piece of work that was given, with its right.
#[derive(Clone, Debug)]
pub struct Leased {
    /// The right.
    pub lease: Lease,
    /// All that a worker needs to know.
    pub assignment: Vec<u8>,
}

/// How a piece of work stands that does not wait any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// A worker holds it.
    Running {
        /// The worker.
        worker: i32,
    },
    /// It is done.
    Done {
        /// By whom.
        worker: i32,
        /// What came of it.
        result: Vec<u8>,
    },
    /// Too many workers were lost over it.
    Lost {
        /// The last of them.
        worker: i32,
        /// How many.
        losses: i32,
    },
}

/// The queue of one run, over a connection.
pub struct Queue<'a> {
    session: &'a mut Session,
    run: &'a str,
}

impl<'a> Queue<'a> {
    pub(super) fn of(session: &'a mut Session, run: &'a str) -> Self {
        Self { session, run }
    }

    /// Puts a piece of work into the queue; nothing happens if it is there already.
    ///
    /// # Errors
    /// When the database refuses or is gone.
    pub fn submit(&mut self, task: &Task<'_>) -> Result<(), SharedError> {
        let Task {
            unit,
            place,
            assignment,
        } = task;
        self.session
            .rows("submit work", SUBMIT, &[&self.run, unit, place, assignment])?;
        Ok(())
    }

    /// Takes the first piece of work that waits, for as long as the run's leases last.
    ///
    /// # Errors
    /// When the database refuses or is gone. The work may have been given nevertheless:
    /// [`release_all`](Self::release_all) before asking again.
    pub fn lease(&mut self, worker: i32) -> Result<Option<Leased>, SharedError> {
        let row = self
            .session
            .row("lease work", LEASE, &[&self.run, &worker])?;
        Ok(row.map(|row| Leased {
            lease: Lease {
                unit: row.get(0),
                attempt: row.get(1),
                worker,
            },
            assignment: row.get(2),
        }))
    }

    /// Makes leases last anew, and returns those that are still held.
    ///
    /// # Errors
    /// When the database refuses or is gone.
    pub fn extend(&mut self, leases: &[Lease]) -> Result<Vec<Lease>, SharedError> {
        let units: Vec<&str> = leases.iter().map(|lease| lease.unit.as_str()).collect();
        let attempts: Vec<i32> = leases.iter().map(|lease| lease.attempt).collect();
        let workers: Vec<i32> = leases.iter().map(|lease| lease.worker).collect();
        let given: &[&(dyn postgres::types::ToSql + Sync)] =
            &[&self.run, &units, &attempts, &workers];
        let rows = self.session.rows("extend leases", EXTEND, given)?;
        let held = rows.iter().map(|row| Lease {
            unit: row.get(0),
            attempt: row.get(1),
            worker: row.get(2),
        });
        Ok(held.collect())
    }

    /// Hands in a result. Returns whether it counts: it does not when the lease has gone to another.
    ///
    /// # Errors
    /// When the database refuses or is gone.
    pub fn finish(&mut self, lease: &Lease, result: &[u8]) -> Result<bool, SharedError> {
        let Lease {
            unit,
            attempt,
            worker,
        } = lease;
        let given: &[&(dyn postgres::types::ToSql + Sync)] =
            &[&self.run, unit, attempt, worker, &result];
        let row = self.session.row("hand in a result", FINISH, given)?;
        Ok(row.is_some_and(|row| row.get(0)))
    }

    /// Gives up whatever a worker holds. It waits again, and no loss is counted.
    ///
    /// # Errors
    /// When the database refuses or is gone.
    pub fn release_all(&mut self, worker: i32) -> Result<(), SharedError> {
        self.session
            .rows("release work", RELEASE_ALL, &[&self.run, &worker])?;
        Ok(())
    }

    /// Takes work back whose lease has run out, and returns how much that was. It waits again, or has
    /// failed for good if it was lost too many times.
    ///
    /// # Errors
    /// When the database refuses or is gone.
    pub fn reap(&mut self) -> Result<u64, SharedError> {
        let rows = self.session.rows("reap leases", REAP, &[&self.run])?;
        Ok(rows.len() as u64)
    }

    /// How those of `units` stand that wait no more, in the order of their places.
    ///
    /// # Errors
    /// When the database refuses or is gone.
    pub fn standings(&mut self, units: &[String]) -> Result<Vec<(String, Standing)>, SharedError> {
        let rows = self
            .session
            .rows("read how work stands", STANDINGS, &[&self.run, &units])?;
        let standings = rows.iter().map(|row| {
            let worker = row.get::<_, Option<i32>>(2).unwrap_or_default();
            let standing = match row.get(1) {
                "running" => Standing::Running { worker },
                "lost" => Standing::Lost {
                    worker,
                    losses: row.get(4),
                },
                _ => Standing::Done {
                    worker,
                    result: row.get(3),
                },
            };
            (row.get(0), standing)
        });
        Ok(standings.collect())
    }

    /// Takes out of the queue those of `units` that nobody has begun, and returns them.
    ///
    /// # Errors
    /// When the database refuses or is gone.
    pub fn cancel(&mut self, units: &[String]) -> Result<Vec<String>, SharedError> {
        let rows = self
            .session
            .rows("cancel work", CANCEL, &[&self.run, &units])?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    /// Takes out those of `units` that have no result, whoever holds them.
    ///
    /// # Errors
    /// When the database refuses or is gone.
    pub fn abandon(&mut self, units: &[String]) -> Result<(), SharedError> {
        self.session
            .rows("abandon work", ABANDON, &[&self.run, &units])?;
        Ok(())
    }

    /// Takes part in the run: the new worker's number, and for how long leases last.
    ///
    /// # Errors
    /// When the database refuses or is gone, or there is no such run.
    pub fn join(&mut self, name: &str) -> Result<(i32, Duration), SharedError> {
        let row = self.session.row("join", JOIN, &[&self.run, &name])?;
        let row = row.ok_or_else(|| SharedError::NoRun {
            run: self.run.to_owned(),
            known: Vec::new(),
        })?;
        let lease = u64::try_from(row.get::<_, i32>(1)).unwrap_or_default();
        Ok((row.get(0), Duration::from_millis(lease)))
    }
}

const SUBMIT: &str = "
    INSERT INTO strata.work (run, unit, place, assignment) VALUES ($1, $2, $3, $4)
    ON CONFLICT DO NOTHING";

/// Rows that others are about to take are skipped, so no two workers wait for each other. The scalar
/// subquery runs once; the row that it locks is the one that is changed.
const LEASE: &str = "
    WITH leased AS (
        UPDATE strata.work
        SET state = 'running', attempt = attempt + 1, worker = $2,
            lease_until = clock_timestamp() + run_lease.length
        FROM (SELECT lease_ms * interval '1 millisecond' AS length
              FROM strata.run WHERE name = $1) AS run_lease
        WHERE run = $1 AND unit = (
            SELECT unit FROM strata.work
            WHERE run = $1 AND state = 'waiting'
            ORDER BY place LIMIT 1
            FOR UPDATE SKIP LOCKED)
        RETURNING unit, attempt, assignment
    ), noted AS (
        INSERT INTO strata.attempt (run, unit, attempt, worker)
        SELECT $1, unit, attempt, $2 FROM leased
    )
    SELECT unit, attempt, assignment FROM leased";

const EXTEND: &str = "
    UPDATE strata.work
    SET lease_until = clock_timestamp() + (
        SELECT lease_ms * interval '1 millisecond' FROM strata.run WHERE name = $1)
    FROM unnest($2::text[], $3::integer[], $4::integer[]) AS held (unit, attempt, worker)
    WHERE work.run = $1 AND work.unit = held.unit AND work.state = 'running'
      AND work.attempt = held.attempt AND work.worker = held.worker
    RETURNING work.unit, work.attempt, work.worker";

/// A result that was taken and whose answer was lost is handed in again: the second part says so. When
/// another transaction holds the row, the condition is read again after it has ended.
const FINISH: &str = "
    WITH finished AS (
        UPDATE strata.work SET state = 'done', lease_until = NULL, result = $5
        WHERE run = $1 AND unit = $2 AND state = 'running' AND attempt = $3 AND worker = $4
        RETURNING unit
    ), noted AS (
        UPDATE strata.attempt SET outcome = 'finished', ended_at = clock_timestamp()
        FROM finished
        WHERE run = $1 AND attempt.unit = finished.unit AND attempt = $3 AND worker = $4
    )
    SELECT EXISTS (SELECT FROM finished) OR EXISTS (
        SELECT FROM strata.work
        WHERE run = $1 AND unit = $2 AND state = 'done' AND attempt = $3 AND worker = $4)";

const RELEASE_ALL: &str = "
    WITH released AS (
        UPDATE strata.work SET state = 'waiting', lease_until = NULL
        WHERE run = $1 AND state = 'running' AND worker = $2
        RETURNING unit, attempt
    )
    UPDATE strata.attempt SET outcome = 'released', ended_at = clock_timestamp()
    FROM released
    WHERE run = $1 AND attempt.unit = released.unit AND attempt.attempt = released.attempt
      AND worker = $2";

/// While the database was away nobody could extend anything, so after its start a whole lease has to
/// pass before any counts as run out.
const REAP: &str = "
    WITH over AS (
        SELECT work.unit, work.attempt, work.worker
        FROM strata.work JOIN strata.run ON run.name = work.run
        WHERE work.run = $1 AND work.state = 'running' AND work.lease_until < clock_timestamp()
          AND pg_postmaster_start_time() + run.lease_ms * interval '1 millisecond' < clock_timestamp()
        FOR UPDATE OF work SKIP LOCKED
    ), reaped AS (
        UPDATE strata.work
        SET losses = work.losses + 1, lease_until = NULL,
            state = CASE WHEN work.losses + 1 >= run.losses THEN 'lost' ELSE 'waiting' END
        FROM over, strata.run
        WHERE work.run = $1 AND work.unit = over.unit AND run.name = $1
        RETURNING work.unit, over.attempt, over.worker
    )
    UPDATE strata.attempt SET outcome = 'lost', ended_at = clock_timestamp()
    FROM reaped
    WHERE run = $1 AND attempt.unit = reaped.unit AND attempt.attempt = reaped.attempt
      AND attempt.worker = reaped.worker
    RETURNING attempt.unit";

const STANDINGS: &str = "
    SELECT unit, state, worker, result, losses FROM strata.work
    WHERE run = $1 AND unit = ANY ($2) AND state <> 'waiting'
    ORDER BY place";

const CANCEL: &str = "
    DELETE FROM strata.work WHERE run = $1 AND unit IN (
        SELECT unit FROM strata.work
        WHERE run = $1 AND unit = ANY ($2) AND state = 'waiting'
        FOR UPDATE SKIP LOCKED)
    RETURNING unit";

const ABANDON: &str = "
    DELETE FROM strata.work WHERE run = $1 AND unit = ANY ($2) AND state <> 'done'";

const JOIN: &str = "
    WITH this AS (
        UPDATE strata.run SET workers = workers + 1 WHERE name = $1
        RETURNING workers - 1 AS number, lease_ms
    ), joined AS (
        INSERT INTO strata.worker (run, number, name) SELECT $1, number, $2 FROM this
    )
    SELECT number, lease_ms FROM this";
