//! What a run shows while it works: bars on a terminal, plain lines elsewhere.

mod bars;
mod lines;
pub mod tally;

use super::terminal::Terminal;
use crate::run::Event;
use bars::Bars;
use lines::Lines;

/// A view of a run's events on stderr.
pub enum Progress {
    /// Bars that are redrawn in place.
    Bars(Bars),
    /// One line for each thing that ends.
    Lines(Lines),
    /// Nothing.
    Silent,
}

impl Progress {
    /// The view that fits the terminal.
    pub fn new(terminal: &Terminal) -> Self {
        match (terminal.is_quiet(), terminal.draws) {
            (true, _) => Self::Silent,
            (false, true) => Self::Bars(Bars::new()),
            (false, false) => Self::Lines(Lines::default()),
        }
    }

    /// Shows one event.
    pub fn see(&mut self, event: &Event) {
        match self {
            Self::Bars(bars) => bars.see(event),
            Self::Lines(lines) => lines.see(event),
            Self::Silent => {}
        }
    }

    /// Takes down what would stand in the way of further lines.
    pub fn close(&mut self) {
        if let Self::Bars(bars) = self {
            bars.close();
        }
    }
}
