//! The tables of shared runs, in a schema of their own, and how they came to be.
//!
//! A migration is never changed once it was released: a new one is added. Every connection makes sure
//! that the tables are of the version that this strata knows.

use super::error::SharedError;
use postgres::Client;

/// The migrations, from version 1 on.
const MIGRATIONS: &[&str] = &[include_str!("schema/1.sql")];

/// The advisory lock that migrations take, so that two processes don't make the same tables at once.
const LOCK: i64 = 0x0073_7472_6174_6131;

/// Brings the tables up to date.
///
/// # Errors
/// When they are of a newer version, or the database refuses.
pub(super) fn migrate(client: &mut Client) -> Result<(), SharedError> {
    let known = MIGRATIONS.len() as i32;
    let found = version(client)?;
    if found == known {
        return Ok(());
    }
    let fail = SharedError::query("make the tables");
    let run = |client: &mut Client| {
        let mut transaction = client.transaction()?;
        transaction.execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK])?;
        transaction.batch_execute(
            "CREATE SCHEMA IF NOT EXISTS strata;
             CREATE TABLE IF NOT EXISTS strata.migration (
                 version integer PRIMARY KEY,
                 made_at timestamptz NOT NULL DEFAULT now()
             );",
        )?;
        let row = transaction.query_one(VERSION, &[])?;
        let found: i32 = row.get(0);
        for (version, migration) in (1..=known).zip(MIGRATIONS) {
            if version > found {
                transaction.batch_execute(migration)?;
                transaction.execute("INSERT INTO strata.migration VALUES ($1)", &[&version])?;
            }
        }
        transaction.commit()?;
        Ok(found)
    };
    let found = run(client).map_err(fail)?;
    if found > known {
        return Err(SharedError::NewerTables { found, known });
    }
    Ok(())
}

/// Whether there are tables; they are left as they are.
///
/// # Errors
/// When they are newer than this strata, or the database refuses.
pub(super) fn are_made(client: &mut Client) -> Result<bool, SharedError> {
    let known = MIGRATIONS.len() as i32;
    match version(client)? {
        found if found > known => Err(SharedError::NewerTables { found, known }),
        found => Ok(found > 0),
    }
}

const VERSION: &str = "SELECT coalesce(max(version), 0) FROM strata.migration";

/// The version of the tables; 0 if there are none.
fn version(client: &mut Client) -> Result<i32, SharedError> {
    let fail = SharedError::query("read the version of the tables");
    let read = |client: &mut Client| {
        let exists = "SELECT to_regclass('strata.migration') IS NOT NULL";
        if client.query_one(exists, &[])?.get(0) {
            Ok(client.query_one(VERSION, &[])?.get(0))
        } else {
            Ok(0)
        }
    };
    read(client).map_err(fail)
}
