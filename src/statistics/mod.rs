//! Statistics of repeated measurements: what a sample looks like, how sure its mean is, and whether two
//! samples differ.
//!
//! Everything here is a pure function of its arguments. Mathematical functions are `libm`'s, so a figure is the
//! same to the last bit on every platform. `tests/golden/statistics.py` writes what SciPy says of the same
//! numbers, and the tests hold both within 1e-9 of each other.
//!
//! Not here: where the numbers come from, and what is concluded.

pub mod claims;
mod distributions;
mod hypotheses;
mod ranks;
mod sample;

pub use distributions::{normal_above, normal_below, normal_quantile};
pub use hypotheses::{Method, Tested, holm, mann_whitney, vargha_delaney, wilcoxon};
pub use ranks::{kendall, ranks, spearman};
pub use sample::{Interval, deviation, interquartile_range, mean, median, quantile};

#[cfg(test)]
mod tests;
