//! Reports: what runs and comparisons found, for people who have to decide whether to believe it.
//!
//! [`Analysis`] is a comparison in figures and [`Verdict`] what may be concluded from them; the rest writes
//! them down. Everything follows from run folders; nothing here runs a network.

mod analysis;
mod contrast;
mod expected;
mod importance;
mod page;
mod tables;
mod verdict;
mod words;

pub use analysis::{Agreement, Analysis, Arm, Cost, Network, Role, Sample, Score};
pub use contrast::{Contrast, Finding, LEVEL, Unit, contrasts, effect};
pub use expected::{Agreed, Expected, ExpectedArm, ExpectedRun};
pub use importance::{DecisionEffect, FEWEST, Importance, OptionEffect};
pub use page::{STYLE, comparison_page, run_page};
pub use tables::{comparison_csv, comparison_markdown, run_csv, run_markdown};
pub use verdict::Verdict;
pub use words::{civil, grouped, looks, ordinal, plural, seconds};

#[cfg(test)]
mod tests;
