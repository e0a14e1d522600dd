//! Plain lines: one for each thing that ends, for logs and pipes.

use super::tally::{self, Tally};
use crate::cli::{numbers, terminal};
use crate::run::Event;

/// Lines on stderr, without carriage returns or colours.
#[derive(Default)]
pub struct Lines {
    tally: Tally,
}

impl Lines {
    /// Shows one event.
    pub fn see(&mut self, event: &Event) {
        let known = self.tally.take(event);
        let line = match event {
            Event::Opened {
                folder,
                workers,
                finished,
                earlier_looks,
                ..
            } => {
                let earlier = tally::earlier_looks(earlier_looks);
                let earlier = earlier.map_or_else(String::new, |line| format!("\n{line}"));
                let workers = numbers::plural(*workers as u64, "worker");
                let so_far = match finished {
                    0 => String::new(),
                    done => format!(", {} done before", numbers::plural(*done, "trial")),
                };
                Some(format!(
                    "run folder {}, {workers}{so_far}{earlier}",
                    folder.display()
                ))
            }
            Event::Remark(remark) => Some(remark.to_string()),
            Event::Phase { phase, .. } => tally::phase(*phase).map(str::to_owned),
            Event::Finished {
                unit,
                score,
                seconds,
            } => Some(tally::finished(unit, *score, *seconds, known.as_ref())),
            Event::Lost {
                unit,
                kind,
                message,
                ..
            } => Some(tally::lost(unit, *kind, message)),
            Event::Failed {
                unit,
                kind,
                message,
            } => Some(format!("{unit} {}: {message}", kind.name())),
            Event::BestImproved { .. } => Some(self.tally.best()),
            Event::Searched { trials, reason } => Some(tally::searched(*trials, *reason)),
            Event::FinalPlanned { plan, bound } => Some(tally::final_planned(plan, *bound)),
            Event::FinalForecast { seconds } => Some(tally::final_forecast(*seconds)),
            Event::TestOpened { look, unwritten } => {
                Some(tally::test_opened(*look, unwritten.as_deref()))
            }
            Event::Started { .. }
            | Event::Epoch { .. }
            | Event::Interrupted { .. }
            | Event::Ended { .. } => None,
        };
        if let Some(line) = line {
            terminal::say(&line);
        }
    }
}
