//! When a search ends by the clock. What it decides is in the journal: replaying it needs no clock.

use super::super::error::RunError;
use super::super::event::{Event, Unit};
use super::super::executor::Done;
use super::super::record::SearchEnd;
use super::Search;
use crate::evaluation::{Failure, FailureKind};
use crate::search::TrialId;

impl Search<'_, '_> {
    /// Ends the search, or part of it, if a time is over.
    pub(super) fn look_at_the_clock(&mut self) -> Result<(), RunError> {
        if self.is_time_for_the_end() {
            return self.cut();
        }
        if !self.is_out_of_time() {
            return Ok(());
        }
        let cut = self.executor.cancel_pending()?;
        self.cancelled += cut;
        if self.closed.is_none() || cut > 0 {
            self.closed = Some(SearchEnd::Seconds);
        }
        Ok(())
    }

    /// Whether the final evaluation has to begin for the whole run to be over in time. It is given what it is
    /// going to take, but no more than half of the time, and a search without a score goes on to the last.
    pub(super) fn is_time_for_the_end(&self) -> bool {
        let Some(total) = self.core.setup.experiment.budget.total_seconds else {
            return false;
        };
        let last = self.last_phase.unwrap_or(0.0).min(total / 2.0);
        self.core.clock.elapsed() >= total - last
    }

    /// Ends the search here. Results that came early count, and trials before them that still run have failed;
    /// what runs behind them was never tried, so that an extended search tries it.
    fn cut(&mut self) -> Result<(), RunError> {
        self.closed = Some(SearchEnd::TotalSeconds);
        while let Some(last) = self.early.last_key_value().map(|(trial, _)| *trial) {
            let trial = TrialId(self.core.state.outcomes.len() as u64);
            if trial > last {
                break;
            }
            let done = self.early.remove(&trial);
            self.write_outcome(trial, done.unwrap_or_else(|| cut_off(trial)))?;
        }
        self.cancelled = self.proposer.proposed() as usize - self.core.state.outcomes.len();
        self.executor.abandon()
    }

    /// Whether the budget in seconds is used up.
    pub(super) fn is_out_of_time(&self) -> bool {
        let budget = self.core.setup.experiment.budget.seconds;
        budget.is_some_and(|seconds| self.core.clock.searching() >= seconds)
    }

    /// Foretells the final evaluation anew, and says so the first time.
    pub(super) fn foretell(&mut self) {
        let is_bounded = self.core.setup.experiment.budget.total_seconds.is_some();
        if self.last_phase.is_some() && !is_bounded {
            return;
        }
        let before = self.last_phase;
        self.last_phase = self.core.forecast();
        if let (None, Some(seconds), true) = (before, self.last_phase, self.core.announces) {
            self.core.tell(&Event::FinalForecast { seconds });
        }
    }
}

/// What becomes of a trial that is cut off.
fn cut_off(trial: TrialId) -> Done {
    let message = "cut off: the final evaluation has to begin (`[budget] total_seconds`)";
    Done {
        unit: Unit::Trial(trial),
        attempt: 0,
        worker: 0,
        epochs: Vec::new(),
        result: Err(Failure::new(FailureKind::Stopped, message)),
        seconds: 0.0,
    }
}
