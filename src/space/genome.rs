//! A genome: which option was taken at which address.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A map from decision address to the number of the option taken there, from 0.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Genome(BTreeMap<String, u32>);

impl Genome {
    /// A genome without decisions.
    pub fn new() -> Self {
        Self::default()
    }

    /// The option taken at `address`.
    pub fn get(&self, address: &str) -> Option<u32> {
        self.0.get(address).copied()
    }

    /// Takes `option` at `address`.
    pub fn insert(&mut self, address: impl Into<String>, option: u32) {
        self.0.insert(address.into(), option);
    }

    /// Forgets the decision at `address`.
    pub fn remove(&mut self, address: &str) {
        self.0.remove(address);
    }

    /// The decisions in order of address.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u32)> {
        self.0
            .iter()
            .map(|(address, &option)| (address.as_str(), option))
    }

    /// The number of decisions.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no decisions.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many addresses differ: decided in one only, or decided differently.
    pub fn distance(&self, other: &Self) -> usize {
        let unlike = |(address, option): &(&String, &u32)| other.0.get(*address) != Some(*option);
        let here = self.0.iter().filter(unlike).count();
        here + other
            .0
            .keys()
            .filter(|address| !self.0.contains_key(*address))
            .count()
    }
}

impl FromIterator<(String, u32)> for Genome {
    fn from_iter<T: IntoIterator<Item = (String, u32)>>(decisions: T) -> Self {
        Self(decisions.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_addresses_that_differ_in_either() {
        let genome = |list: &[(&str, u32)]| -> Genome {
            list.iter()
                .map(|&(address, option)| (address.to_owned(), option))
                .collect()
        };
        let (a, b) = (genome(&[("x", 0), ("y", 1)]), genome(&[("y", 2), ("z", 0)]));
        assert_eq!(a.distance(&b), 3);
        assert_eq!(a.distance(&a), 0);
    }
}
