//! Heartbeats: as long as a worker's process lives and reaches the database, it keeps its leases.
//!
//! They have a thread and a connection of their own, so that neither a long computation nor a large result
//! holds them up. A lease that could not be extended in time, by this machine's monotonic clock, counts as
//! lost at once: the work is told to stop, whether or not anybody else has taken it yet. Heartbeats
//! outlive work that hangs; so whatever makes no progress for too long is not kept alive.

use super::queue::Lease;
use super::session::Database;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How many heartbeats fall into a lease.
const BEATS: u32 = 4;

/// What a process holds.
pub(super) struct Heart {
    run: String,
    lease: Duration,
    /// How long work may go on without progress.
    stall: Option<Duration>,
    held: Mutex<BTreeMap<i32, Held>>,
    halt: Mutex<bool>,
    halted: Condvar,
}

struct Held {
    lease: Lease,
    /// When the last heartbeat was sent that the database took.
    accepted: Instant,
    progress: Instant,
    stop: Arc<AtomicBool>,
    end: Parting,
}

/// How a worker came to hold its work no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parting {
    /// It let go of it.
    Kept,
    /// Its lease ran out.
    Lost,
    /// The work made no progress for too long.
    Hung,
}

impl Heart {
    pub fn new(run: String, lease: Duration, stall: Option<Duration>) -> Self {
        Self {
            run,
            lease,
            stall,
            held: Mutex::default(),
            halt: Mutex::new(false),
            halted: Condvar::new(),
        }
    }

    /// Keeps a lease that was asked for at `asked`. What is returned is set when the work is to stop.
    pub fn hold(&self, lease: Lease, asked: Instant) -> Arc<AtomicBool> {
        let stop = Arc::new(AtomicBool::new(false));
        let held = Held {
            accepted: asked,
            progress: Instant::now(),
            stop: Arc::clone(&stop),
            end: Parting::Kept,
            lease,
        };
        self.held().insert(held.lease.worker, held);
        stop
    }

    /// A worker's work makes progress.
    pub fn progress(&self, worker: i32) {
        if let Some(held) = self.held().get_mut(&worker) {
            held.progress = Instant::now();
        }
    }

    /// Keeps a worker's lease no more.
    pub fn let_go(&self, worker: i32) -> Parting {
        let held = self.held().remove(&worker);
        held.map_or(Parting::Kept, |held| held.end)
    }

    /// Beats until [`end`](Self::end).
    pub fn beat(&self, mut database: Database<'_>) {
        while !self.is_ended_within(self.lease / BEATS) {
            let leases = self.to_extend();
            if leases.is_empty() {
                continue;
            }
            let sent = Instant::now();
            let kept = database.ask(|session| session.queue(&self.run).extend(&leases));
            // What goes wrong here goes wrong where results are handed in, and is told there.
            let Ok(kept) = kept else { continue };
            let mut held = self.held();
            for lease in &leases {
                let same = held
                    .get_mut(&lease.worker)
                    .filter(|held| held.lease == *lease);
                match same {
                    Some(held) if kept.contains(lease) => held.accepted = sent,
                    Some(held) => held.lose(),
                    None => {}
                }
            }
        }
    }

    /// The leases that work is still held by: what hangs is not kept alive.
    fn to_extend(&self) -> Vec<Lease> {
        let held = self.held();
        let alive = held.values().filter(|held| held.end != Parting::Hung);
        alive.map(|held| held.lease.clone()).collect()
    }

    /// Stops what has lost its lease, and everything if `all`. Returns what hangs, once: it is told to stop, and is not
    /// kept alive any more.
    pub fn check(&self, all: bool) -> Option<String> {
        let mut held = self.held();
        for held in held.values_mut() {
            if held.accepted.elapsed() > self.lease {
                held.lose();
            }
            if all {
                held.stop.store(true, Ordering::Relaxed);
            }
        }
        let limit = self.stall?;
        let hangs = |held: &&mut Held| held.end != Parting::Hung && held.progress.elapsed() > limit;
        let hung = held.values_mut().find(hangs)?;
        hung.end = Parting::Hung;
        hung.stop.store(true, Ordering::Relaxed);
        Some(hung.lease.unit.clone())
    }

    /// How often [`check`](Self::check) is to be called.
    pub fn period(&self) -> Duration {
        (self.lease / 40).clamp(Duration::from_millis(5), Duration::from_millis(200))
    }

    /// Lets [`beat`](Self::beat) return.
    pub fn end(&self) {
        *self.halt.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.halted.notify_all();
    }

    fn is_ended_within(&self, time: Duration) -> bool {
        let halt = self.halt.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.halted.wait_timeout_while(halt, time, |halt| !*halt);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }

    fn held(&self) -> MutexGuard<'_, BTreeMap<i32, Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn lose(&mut self) {
        if self.end == Parting::Kept {
            self.end = Parting::Lost;
        }
        self.stop.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lease(worker: i32) -> Lease {
        Lease {
            unit: worker.to_string(),
            attempt: 1,
            worker,
        }
    }

    #[test]
    fn a_lease_that_is_not_extended_in_time_is_lost() {
        let heart = Heart::new("run".to_owned(), Duration::from_secs(3600), None);
        let long_ago = Instant::now().checked_sub(Duration::from_secs(3601));
        let Some(long_ago) = long_ago else { return };
        let (late, fresh) = (
            heart.hold(lease(1), long_ago),
            heart.hold(lease(2), Instant::now()),
        );
        assert_eq!(heart.check(false), None);
        assert!(late.load(Ordering::Relaxed) && !fresh.load(Ordering::Relaxed));
        assert_eq!(heart.let_go(1), Parting::Lost);
        assert_eq!(heart.let_go(2), Parting::Kept);
    }

    #[test]
    fn what_hangs_is_not_kept_alive() {
        let stall = Some(Duration::ZERO);
        let heart = Heart::new("run".to_owned(), Duration::from_secs(3600), stall);
        let stop = heart.hold(lease(7), Instant::now());
        assert_eq!(heart.to_extend(), [lease(7)]);
        std::thread::sleep(Duration::from_millis(1));
        assert_eq!(heart.check(false), Some("7".to_owned()));
        assert!(stop.load(Ordering::Relaxed), "it may be able to stop");
        assert_eq!(heart.check(false), None, "it is told of once");
        assert!(heart.to_extend().is_empty());
        assert_eq!(heart.let_go(7), Parting::Hung);
    }

    #[test]
    fn everything_stops_when_the_process_is_to_end() {
        let heart = Heart::new("run".to_owned(), Duration::from_secs(3600), None);
        let stop = heart.hold(lease(1), Instant::now());
        heart.check(true);
        assert!(stop.load(Ordering::Relaxed));
        assert_eq!(heart.let_go(1), Parting::Kept);
    }
}
