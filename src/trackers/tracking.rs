//! From a journal to a tracker.

use super::error::TrackError;
use super::known::Known;
use crate::run::journal::Entry;
use crate::run::{News, Source};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How often a journal is looked at.
const PAUSE: Duration = Duration::from_millis(500);

/// How soon the end of a run is noticed.
const MOMENT: Duration = Duration::from_millis(20);

/// How long after a failure a tracker is tried again.
const LONG_PAUSE: Duration = Duration::from_secs(30);

/// Who is told what happened in a run.
pub trait Tracker: Send {
    /// Takes in an entry, which `known` has taken in already.
    ///
    /// # Errors
    /// When it can't be written down. Nothing more is told after that.
    fn take(&mut self, entry: &Entry, known: &mut Known) -> Result<(), TrackError>;

    /// Everything so far has been told; what is held back is due.
    ///
    /// # Errors
    /// As [`take`](Self::take).
    fn flush(&mut self) -> Result<(), TrackError>;
}

/// A tracker and the journal that it is told.
pub struct Tracking {
    source: Box<dyn Source>,
    tracker: Box<dyn Tracker>,
    known: Known,
}

impl Tracking {
    /// A tracker that has not been told anything.
    ///
    /// # Errors
    /// When the run's texts can't be read or have changed.
    pub fn new(source: Box<dyn Source>, tracker: Box<dyn Tracker>) -> Result<Self, TrackError> {
        let known = Known::of(&source.run()?)?;
        Ok(Self {
            source,
            tracker,
            known,
        })
    }

    /// Tells what was appended to the journal since the last call.
    ///
    /// # Errors
    /// When the journal can't be read, or the tracker fails.
    pub fn catch_up(&mut self) -> Result<(), TrackError> {
        while let News::Entries(entries) = self.source.more()? {
            if entries.is_empty() {
                break;
            }
            for entry in &entries {
                self.known.take(entry);
                self.tracker.take(entry, &mut self.known)?;
            }
        }
        self.tracker.flush()
    }

    /// The run as far as it was told.
    pub fn known(&self) -> &Known {
        &self.known
    }
}

/// Tells a tracker what is appended to a journal, until `ended` is set and everything has been told.
///
/// When it fails, `warn` is told why, once; it is opened and told everything again after half a minute, and when the
/// run has ended.
pub fn follow(
    open: impl Fn() -> Result<Tracking, TrackError>,
    ended: &AtomicBool,
    warn: impl FnOnce(&TrackError),
) {
    let mut warn = Some(warn);
    let mut tracking = None;
    let mut due = Instant::now();
    loop {
        let last = ended.load(Ordering::Acquire);
        if last || Instant::now() >= due {
            let opened = tracking.take().map_or_else(&open, Ok);
            let told = opened.and_then(|mut tracking: Tracking| {
                tracking.catch_up()?;
                Ok(tracking)
            });
            match told {
                Ok(told) => {
                    tracking = Some(told);
                    due = Instant::now() + PAUSE;
                }
                Err(error) => {
                    if let Some(warn) = warn.take() {
                        warn(&error);
                    }
                    due = Instant::now() + LONG_PAUSE;
                }
            }
        }
        if last {
            return;
        }
        while Instant::now() < due && !ended.load(Ordering::Acquire) {
            std::thread::sleep(MOMENT);
        }
    }
}
