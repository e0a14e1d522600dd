//! The evaluators a run needs: one for the search, one for the final evaluation.

use super::error::RunError;
use crate::architecture::Architecture;
use crate::evaluation::Evaluator;

/// Where a run's figures come from. The search's evaluator sees no test example; the final one is
/// asked for once, when nothing will be chosen any more.
pub trait Evaluators {
    /// SHA-256 of the data in hexadecimal.
    fn data_hash(&self) -> &str;

    /// SHA-256 of how the data is divided in hexadecimal.
    fn split_hash(&self) -> &str;

    /// Whether networks like this one can be evaluated.
    ///
    /// # Errors
    /// Why not, in words.
    fn check(&self, architecture: &Architecture) -> Result<(), String>;

    /// Judges candidates by validation examples.
    fn search(&self) -> &dyn Evaluator;

    /// The number of test examples.
    fn test_examples(&self) -> u64;

    /// Breaks the seal of the test examples and gives what judges by them, after training on all
    /// others.
    ///
    /// # Errors
    /// When the examples can't be read.
    fn open_test(&mut self) -> Result<Box<dyn Evaluator + '_>, RunError>;
}
