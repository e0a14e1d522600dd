//! What the phases of a run share: its journal and state, its clock, and those who watch it.

use super::error::RunError;
use super::event::Event;
use super::executor::{Done, Limits, Message, Workforce};
use super::folder::RunFolder;
use super::forecast::Forecast;
use super::journal::Journal;
use super::manifest;
use super::past::Story;
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
    pub unsafe_yet: Unsafe,
    /// What the final evaluation will take, if there is one.
    pub forecast: Option<Forecast>,
    /// Whether the final evaluation follows the search, so that there is something to say of it before.
    pub announces: bool,
}

/// What is not safe yet, and what is told when it is.
#[derive(Debug, Default)]
pub(super) struct Unsafe {
    records: bool,
    events: Vec<Event>,
}

impl Core<'_> {
    /// Writes a record; when this returns, it is on disk and counts.
    pub fn record(&mut self, record: Record) -> Result<(), RunError> {
        self.add(record)?;
        self.commit()
    }

    /// Writes a record that counts when [`commit`](Self::commit) has returned. Until then nobody is told of
    /// anything.
    pub fn add(&mut self, record: Record) -> Result<(), RunError> {
        self.unsafe_yet.records = true;
        let (at, seconds) = (self.clock.now(), self.clock.elapsed());
        let entry = self.journal.add(record, at, seconds)?;
        self.story.add(&entry);
        let applied = self.state.take(entry.record);
        applied.expect("the dispatcher writes records in order");
        Ok(())
    }

    /// Returns when everything that was written is on disk, and has been told.
    pub fn commit(&mut self) -> Result<(), RunError> {
        if !self.unsafe_yet.records {
            return Ok(());
        }
        self.journal.commit()?;
        let Unsafe { events, .. } = std::mem::take(&mut self.unsafe_yet);
        events.iter().for_each(|event| (self.watch)(event));
        Ok(())
    }

    /// Whether nothing was written since the last [`commit`](Self::commit).
    pub fn is_safe(&self) -> bool {
        !self.unsafe_yet.records
    }

    /// Tells those who watch: at once, or when what it may be about is safe.
    pub fn tell(&mut self, event: &Event) {
        if self.unsafe_yet.records {
            self.unsafe_yet.events.push(event.clone());
        } else {
            (self.watch)(event);
        }
    }

    /// Whether the run was told to end.
    pub fn is_interrupted(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Whether the time of the whole run is over.
    pub fn is_out_of_total_time(&self) -> bool {
        let total = self.setup.experiment.budget.total_seconds;
        total.is_some_and(|total| self.clock.elapsed() >= total)
    }

    /// Seconds that the final evaluation will take, as far as trials tell.
    pub fn forecast(&self) -> Option<f64> {
        self.forecast.as_ref()?.seconds(&self.state)
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

/// How much work a unit is.
#[derive(Clone, Copy, Debug, Default)]
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
    not_searching: f64,
}

impl<'a> Clock<'a> {
    /// A clock that goes on from what a journal says.
    pub fn after(story: &Story, time: &'a dyn Time) -> Self {
        Self {
            time,
            begun: time.running(),
            before: story.seconds(),
            not_searching: story.not_searching(),
        }
    }

    /// Seconds of searching, as long as that is what the run does.
    pub fn searching(&self) -> f64 {
        self.elapsed() - self.not_searching
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
