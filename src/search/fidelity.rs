//! Fidelity: how much of a full evaluation a trial is.

use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::fmt;

/// How much of a full evaluation a trial is: for how many of the recipe's epochs it trains, and on what
/// share of the training examples. What is absent is full.
///
/// A trial of e epochs is the first e epochs of the whole training: the same streams, the same schedule.
/// Going on from there is the same as never having stopped. A share of the examples is a fixed subset,
/// the smaller within the larger, and a training of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fidelity {
    /// Epochs, at least 1; a recipe with fewer is trained to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epochs: Option<u32>,
    /// The share of the training examples: above 0 and below 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<f64>,
}

impl Fidelity {
    /// Everything: all epochs, all examples.
    pub const FULL: Self = Self {
        epochs: None,
        data: None,
    };

    /// The first `epochs` epochs on all examples.
    pub fn of_epochs(epochs: u32) -> Self {
        Self {
            epochs: Some(epochs),
            ..Self::FULL
        }
    }

    /// All epochs on this share of the examples.
    pub fn of_data(share: f64) -> Self {
        Self {
            data: Some(share),
            ..Self::FULL
        }
    }

    /// Whether nothing is left out.
    pub fn is_full(&self) -> bool {
        *self == Self::FULL
    }

    /// The number of epochs of a recipe with `whole` epochs.
    pub fn epochs_of(&self, whole: usize) -> usize {
        self.epochs
            .map_or(whole, |epochs| whole.min(epochs as usize))
    }

    /// The share of the training examples.
    pub fn share(&self) -> f64 {
        self.data.unwrap_or(1.0)
    }

    /// Whether training at `self` can go on to `later`: the same examples, and more epochs.
    pub fn leads_to(&self, later: &Self) -> bool {
        self.data == later.data && self.compare(later).is_lt()
    }

    /// More counts as greater: first the examples, then the epochs.
    pub fn compare(&self, other: &Self) -> Ordering {
        let epochs = |fidelity: &Self| fidelity.epochs.unwrap_or(u32::MAX);
        let by_data = self.share().total_cmp(&other.share());
        by_data.then_with(|| epochs(self).cmp(&epochs(other)))
    }
}

impl fmt::Display for Fidelity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_full() {
            return f.write_str("full");
        }
        let epochs = self.epochs.map(|epochs| {
            let plural = if epochs == 1 { "" } else { "s" };
            format!("{epochs} epoch{plural}")
        });
        let data = self.data.map(|share| format!("{share} of the data"));
        let parts: Vec<String> = epochs.into_iter().chain(data).collect();
        f.write_str(&parts.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_is_full_and_full_is_the_greatest() {
        assert_eq!(serde_json::to_string(&Fidelity::FULL).unwrap(), "{}");
        let few = Fidelity::of_epochs(3);
        assert_eq!(serde_json::to_string(&few).unwrap(), r#"{"epochs":3}"#);
        assert!(few.compare(&Fidelity::FULL).is_lt());
        assert!(Fidelity::of_data(0.5).compare(&few).is_lt());
        assert_eq!((few.epochs_of(10), few.epochs_of(2)), (3, 2));
    }

    #[test]
    fn only_more_epochs_on_the_same_examples_go_on() {
        let (few, more) = (Fidelity::of_epochs(1), Fidelity::of_epochs(3));
        assert!(few.leads_to(&more) && more.leads_to(&Fidelity::FULL));
        assert!(!more.leads_to(&few) && !few.leads_to(&few));
        assert!(!Fidelity::of_data(0.5).leads_to(&Fidelity::FULL));
    }
}
