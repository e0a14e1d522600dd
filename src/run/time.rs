//! What time it is, for a run.

use std::fmt;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// A clock on the wall and a stopwatch.
pub(super) trait Time: fmt::Debug {
    /// Seconds since 1970.
    fn now(&self) -> f64;

    /// Seconds since some moment that stays the same: they never go back.
    fn running(&self) -> f64;
}

/// The clocks of the machine.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clocks {
    begun: Instant,
}

impl Clocks {
    /// A stopwatch that starts now.
    pub fn of_machine() -> Self {
        Self {
            begun: Instant::now(),
        }
    }
}

impl Time for Clocks {
    fn now(&self) -> f64 {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0.0, |since| since.as_secs_f64())
    }

    fn running(&self) -> f64 {
        self.begun.elapsed().as_secs_f64()
    }
}
