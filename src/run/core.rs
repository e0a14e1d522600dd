//! What the phases of a run share: its journal and state, its clock, and those who watch it.

use super::error::RunError;
use super::event::Event;
use super::executor::{Done, Limits, Message, Workforce};
use super::folder::RunFolder;
use super::journal::{Entry, Journal};
use super::manifest;
use super::record::{EndReason, Ended, Record};
use super::setup::Setup;
use super::state::State;
use crate::architecture::Architecture;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How long the dispatcher waits for a message before it looks at the clock and the stop flag.
pub(super) const PATIENCE: Duration = Duration::from_millis(20);

/// How a phase ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    Done,
    Interrupted,
}

/// The dispatcher's side of a run.
pub(super) struct Core<'a> {
    pub setup: &'a Setup,
    pub folder: &'a RunFolder,
    pub journal: Box<dyn Journal + 'a>,
    pub workforce: &'a dyn Workforce,
    pub state: State,
    pub clock: Clock,
    pub limits: Limits,
    pub stop: &'a AtomicBool,
    pub watch: &'a mut dyn FnMut(&Event),
}

impl Core<'_> {
    /// Writes a record; when this returns, it is on disk and counts.
    pub fn record(&mut self, record: Record) -> Result<(), RunError> {
        let entry = self.journal.append(record, now(), self.clock.elapsed())?;
        let applied = self.state.apply(&entry.record);
        applied.expect("the dispatcher writes records in order");
        Ok(())
    }

    /// Tells those who watch.
    pub fn tell(&mut self, event: &Event) {
        (self.watch)(event);
    }

    /// Whether the run was told to end.
    pub fn is_interrupted(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Ends the run for good.
    pub fn end(&mut self, reason: EndReason) -> Result<(), RunError> {
        self.record(Record::Ended(Ended { reason }))?;
        manifest::write(self.folder, &self.journal.entries()?)?;
        self.tell(&Event::Ended { reason });
        Ok(())
    }

    /// Passes a worker's message on to those who watch; what it finished is for the caller.
    pub fn pass_on(&mut self, message: Message, work: impl Fn() -> Work) -> Option<Done> {
        match message {
            Message::Done(done) => return Some(done),
            Message::Epoch {
                unit,
                worker,
                record,
            } => {
                self.tell(&Event::Epoch {
                    unit,
                    worker,
                    record,
                });
            }
            Message::Started { unit, worker } => {
                let Work {
                    params,
                    epochs,
                    score_name,
                } = work();
                self.tell(&Event::Started {
                    unit,
                    worker,
                    params,
                    epochs,
                    score_name,
                });
            }
        }
        None
    }
}

/// How much work a unit is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Work {
    pub params: u64,
    pub epochs: u32,
    pub score_name: &'static str,
}

impl Work {
    pub fn of(architecture: &Architecture, epochs: usize, score_name: &'static str) -> Self {
        let epochs = u32::try_from(epochs).unwrap_or(u32::MAX);
        Self {
            params: architecture.metrics().params,
            epochs,
            score_name,
        }
    }
}

/// For how long a run has been running, pauses between resumes not counted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    begun: Instant,
    before: f64,
}

impl Clock {
    /// A clock that goes on from what a journal says.
    pub fn after(entries: &[Entry]) -> Self {
        let before = entries.last().map_or(0.0, |entry| entry.seconds);
        Self {
            begun: Instant::now(),
            before,
        }
    }

    /// Seconds of running.
    pub fn elapsed(&self) -> f64 {
        self.before + self.begun.elapsed().as_secs_f64()
    }
}

/// Seconds since 1970.
pub(super) fn now() -> f64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0.0, |since| since.as_secs_f64())
}
