//! What the phases of a run share: its journal and state, its clock, and those who watch it.

use super::error::RunError;
use super::event::Event;
use super::executor::{Done, Limits, Message, Workforce};
use super::folder::RunFolder;
use super::journal::{Digester, Entry, Journal};
use super::manifest;
use super::record::{EndReason, Ended, Record};
use super::setup::Setup;
use super::state::State;
use super::time::Time;
use crate::architecture::Architecture;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

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
    pub story: Story,
    pub workforce: &'a dyn Workforce,
    pub state: State,
    pub clock: Clock<'a>,
    pub limits: Limits,
    pub stop: &'a AtomicBool,
    pub watch: &'a mut dyn FnMut(&Event),
}

impl Core<'_> {
    /// Writes a record; when this returns, it is on disk and counts.
    pub fn record(&mut self, record: Record) -> Result<(), RunError> {
        let entry = self
            .journal
            .append(record, self.clock.now(), self.clock.elapsed())?;
        self.story.add(&entry);
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
        let started = self.state.started.as_ref();
        let started = started.expect("a run that ends was started");
        manifest::write(self.folder, started, &self.story, Some(reason))?;
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
            Message::Lost {
                unit,
                worker,
                failure,
            } => {
                self.tell(&Event::Lost {
                    unit,
                    worker,
                    kind: failure.kind,
                    message: failure.message,
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

/// What of a journal is not in the state that it adds up to.
#[derive(Clone, Debug, Default)]
pub(super) struct Story {
    digester: Digester,
    begun: Option<f64>,
    last: f64,
    seconds: f64,
}

impl Story {
    /// The story that entries tell.
    pub fn of(entries: &[Entry]) -> Self {
        let mut story = Self::default();
        entries.iter().for_each(|entry| story.add(entry));
        story
    }

    /// Takes in the next entry.
    pub fn add(&mut self, entry: &Entry) {
        self.digester.add(entry);
        self.begun.get_or_insert(entry.at);
        (self.last, self.seconds) = (entry.at, entry.seconds);
    }

    /// The digest of everything that happened.
    pub fn digest(&self) -> String {
        self.digester.finish()
    }

    /// When it began, in seconds since 1970.
    pub fn begun(&self) -> f64 {
        self.begun.unwrap_or_default()
    }

    /// When the last entry was written, in seconds since 1970.
    pub fn last(&self) -> f64 {
        self.last
    }

    /// Seconds of running.
    pub fn seconds(&self) -> f64 {
        self.seconds
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
pub(super) struct Clock<'a> {
    time: &'a dyn Time,
    begun: f64,
    before: f64,
}

impl<'a> Clock<'a> {
    /// A clock that goes on from what a journal says.
    pub fn after(entries: &[Entry], time: &'a dyn Time) -> Self {
        Self {
            time,
            begun: time.running(),
            before: entries.last().map_or(0.0, |entry| entry.seconds),
        }
    }

    /// Seconds of running.
    pub fn elapsed(&self) -> f64 {
        self.before + (self.time.running() - self.begun)
    }

    /// Seconds since 1970.
    pub fn now(&self) -> f64 {
        self.time.now()
    }
}
