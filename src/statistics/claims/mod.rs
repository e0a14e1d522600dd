//! Claims of a comparison: what the scores of searches and designs say of new searches, and how surely.
//!
//! One search is one observation: the mean over the retrainings of its winner. A claim says which of its
//! parts are drawn anew. [`claim_1`] speaks of the networks at hand on the test examples at hand,
//! [`claim_2`] of new searches on these examples, [`claim_3`] of new searches on new examples, with the
//! variance of searches, design and examples added as in Clark's min F' (1973) and the degrees of freedom
//! of Satterthwaite (1946).
//!
//! Pure functions of numbers, by `libm`; the golden numbers of the tests are SciPy's. Not here: which
//! claim a report may make, and its words.

mod beta;
mod claim;
mod components;
mod families;
mod planning;
mod student;

pub use beta::{beta_below, beta_quantile, clopper_pearson};
pub use claim::{
    Claim, Observations, claim_1, claim_1x, claim_2, claim_3, paired, searches_above, sign_test,
};
pub use components::{Component, ExampleVariance, satterthwaite, searches_variance, variance};
pub use families::{alpha, largest};
pub use planning::{Needed, Spread, equivalence, least_difference, needed};
pub use student::{student_above, student_quantile, student_two_sided};

#[cfg(test)]
mod tests;
