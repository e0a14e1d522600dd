//! Reports: what runs and comparisons found, for people who have to decide whether to believe it.
//!
//! [`Analysis`] is a comparison in figures and [`Verdict`] what may be concluded from them; the rest writes
//! them down. Everything follows from run folders; nothing here runs a network.

mod analysis;
mod contrast;
mod evidence;
mod expected;
mod importance;
mod page;
mod pair;
mod retest;
mod sentences;
mod tables;
mod verdict;
mod words;
mod worth;

pub use analysis::{Agreement, Analysis, Arm, Cost, DrawnAtRandom, Network, Role, Sample, Score};
pub use contrast::{
    ClaimEstimate, ClaimScope, Contrast, ContrastExamples, Equivalence, Family, Finding, Share,
};
pub use evidence::{FEWEST_EXAMPLES, FEWEST_OF_DESIGN, FEWEST_RETRAININGS, FEWEST_SEARCHES};
pub use expected::{
    Agreed, Expected, ExpectedArm, ExpectedExamples, ExpectedProtocol, ExpectedRun,
};
pub use importance::{DecisionEffect, FEWEST, Importance, OptionEffect};
pub use page::{STYLE, comparison_page, run_page, scores_page};
pub use retest::{Retest, RetestedArm, RetestedDifference, RetestedNetwork, RetestedRun};
pub use tables::{comparison_csv, comparison_markdown, run_csv, run_markdown};
pub use verdict::Verdict;
pub use words::{civil, grouped, looks, ordinal, plural, seconds};
pub use worth::worth;

#[cfg(test)]
mod tests;
