//! A genome: which option was taken at which address.

use rustc_hash::{FxHashMap, FxHashSet};
use serde::de::{Deserializer, MapAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// A map from decision address to the number of the option taken there, from 0.
///
/// It keeps its decisions in the order in which they were put in, which is the order in which a space
/// makes them; two genomes with the same decisions are equal in any order. Copies share them until one is changed.
#[derive(Clone, Debug, Default)]
pub struct Genome(Arc<Vec<(Arc<str>, u32)>>);

impl Genome {
    /// A genome without decisions.
    pub fn new() -> Self {
        Self::default()
    }

    /// The option taken at `address`.
    pub fn get(&self, address: &str) -> Option<u32> {
        let found = self.0.iter().find(|(known, _)| **known == *address);
        found.map(|(_, option)| *option)
    }

    /// Takes `option` at `address`.
    pub fn insert(&mut self, address: impl Into<Arc<str>>, option: u32) {
        let address = address.into();
        let decisions = Arc::make_mut(&mut self.0);
        match decisions.iter_mut().find(|(known, _)| *known == address) {
            Some((_, known)) => *known = option,
            None => decisions.push((address, option)),
        }
    }

    /// Forgets the decision at `address`.
    pub fn remove(&mut self, address: &str) {
        Arc::make_mut(&mut self.0).retain(|(known, _)| **known != *address);
    }

    /// The decisions in the order in which they are made.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u32)> {
        self.0.iter().map(|(address, option)| (&**address, *option))
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
        let (mut here, mut there) = (other.finder(), self.finder());
        let unlike = |(address, option): &&(Arc<str>, u32)| here.find(address) != Some(*option);
        let lacking = |(address, _): &&(Arc<str>, u32)| there.find(address).is_none();
        self.0.iter().filter(unlike).count() + other.0.iter().filter(lacking).count()
    }

    /// Something that finds decisions quickly if they are asked for in their order.
    pub(super) fn finder(&self) -> Finder<'_> {
        Finder {
            entries: &self.0,
            next: 0,
            misses: 0,
            index: None,
        }
    }

    /// Keeps its addresses where other genomes have theirs, unless it shares all of its decisions with a copy.
    pub fn share_addresses(&mut self, known: &mut Addresses) {
        for (address, _) in Arc::get_mut(&mut self.0).into_iter().flatten() {
            match known.0.get(address) {
                Some(known) => *address = Arc::clone(known),
                None => {
                    known.0.insert(Arc::clone(address));
                }
            }
        }
    }

    /// The decisions as they are kept.
    pub(super) fn entries(&self) -> &[(Arc<str>, u32)] {
        &self.0
    }

    /// The decisions of a walk.
    pub(super) fn of_taken(taken: Vec<super::plan::Taken>) -> Self {
        let decisions = taken.into_iter();
        Self::of(
            decisions
                .map(|taken| (taken.address, taken.option))
                .collect(),
        )
    }

    /// A genome of decisions whose addresses all differ.
    pub(super) fn of(mut decisions: Vec<(Arc<str>, u32)>) -> Self {
        // A run keeps the genomes of all its trials.
        decisions.shrink_to_fit();
        Self(Arc::new(decisions))
    }

    fn sorted(&self) -> Vec<&(Arc<str>, u32)> {
        let mut entries: Vec<_> = self.0.iter().collect();
        entries.sort_unstable();
        entries
    }
}

/// Addresses that genomes share: those that were read from a file would hold each of theirs anew.
#[derive(Clone, Debug, Default)]
pub struct Addresses(FxHashSet<Arc<str>>);

/// How many searches through a whole genome are made before it gets an index.
const MISSES: usize = 8;

/// Finds decisions in about the order in which a genome holds them.
#[derive(Debug)]
pub(super) struct Finder<'a> {
    entries: &'a [(Arc<str>, u32)],
    next: usize,
    misses: usize,
    index: Option<FxHashMap<&'a str, usize>>,
}

impl Finder<'_> {
    /// The option taken at `address`.
    pub fn find(&mut self, address: &str) -> Option<u32> {
        let expected = self.entries.get(self.next);
        let at = match expected {
            Some((known, _)) if **known == *address => self.next,
            _ => self.search(address)?,
        };
        self.next = at + 1;
        Some(self.entries[at].1)
    }

    /// The option taken at `address`, wherever it stands.
    pub fn peek(&self, address: &str) -> Option<u32> {
        let found = self.entries.iter().find(|(known, _)| **known == *address);
        found.map(|(_, option)| *option)
    }

    fn search(&mut self, address: &str) -> Option<usize> {
        self.misses += 1;
        if self.misses <= MISSES {
            return self
                .entries
                .iter()
                .position(|(known, _)| **known == *address);
        }
        let entries = self.entries;
        let index = self.index.get_or_insert_with(|| {
            let places = entries.iter().enumerate();
            places.map(|(at, (address, _))| (&**address, at)).collect()
        });
        index.get(address).copied()
    }
}

impl PartialEq for Genome {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
            || self.0 == other.0
            || self.len() == other.len() && self.sorted() == other.sorted()
    }
}

impl Eq for Genome {}

impl Hash for Genome {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.sorted().hash(state);
    }
}

impl PartialOrd for Genome {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Genome {
    fn cmp(&self, other: &Self) -> Ordering {
        self.sorted().cmp(&other.sorted())
    }
}

impl<A: Into<Arc<str>>> FromIterator<(A, u32)> for Genome {
    fn from_iter<T: IntoIterator<Item = (A, u32)>>(decisions: T) -> Self {
        let mut kept: Vec<(Arc<str>, u32)> = Vec::new();
        let mut places = FxHashMap::default();
        for (address, option) in decisions {
            let address = address.into();
            match places.get(&address) {
                Some(&at) => kept[at] = (address, option),
                None => {
                    places.insert(Arc::clone(&address), kept.len());
                    kept.push((address, option));
                }
            }
        }
        Self::of(kept)
    }
}

impl Serialize for Genome {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.len()))?;
        for (address, option) in self.iter() {
            map.serialize_entry(address, &option)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Genome {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Decisions)
    }
}

struct Decisions;

impl<'de> Visitor<'de> for Decisions {
    type Value = Genome;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map from decision addresses to option numbers")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Genome, A::Error> {
        let mut decisions = Vec::new();
        while let Some(decision) = map.next_entry::<String, u32>()? {
            decisions.push(decision);
        }
        Ok(decisions.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn genome(list: &[(&str, u32)]) -> Genome {
        list.iter().copied().collect()
    }

    #[test]
    fn distance_counts_addresses_that_differ_in_either() {
        let (a, b) = (genome(&[("x", 0), ("y", 1)]), genome(&[("y", 2), ("z", 0)]));
        assert_eq!(a.distance(&b), 3);
        assert_eq!(a.distance(&a), 0);
    }

    #[test]
    fn the_order_of_decisions_is_kept_and_does_not_matter() {
        let (a, b) = (genome(&[("y", 1), ("x", 0)]), genome(&[("x", 0), ("y", 1)]));
        assert_eq!(a, b);
        assert_eq!(a.iter().next(), Some(("y", 1)));
        let json = serde_json::to_string(&a).unwrap();
        assert_eq!(json, r#"{"y":1,"x":0}"#);
        assert_eq!(serde_json::from_str::<Genome>(&json).unwrap(), b);
    }

    #[test]
    fn genomes_that_share_addresses_are_what_they_were() {
        let mut known = Addresses::default();
        let read = || serde_json::from_str::<Genome>(r#"{"y":1,"x":0}"#).unwrap();
        let (mut one, mut other) = (read(), read());
        one.share_addresses(&mut known);
        other.share_addresses(&mut known);
        assert_eq!((&one, &other), (&read(), &read()));
        let mut pairs = one.entries().iter().zip(other.entries());
        assert!(pairs.all(|((a, _), (b, _))| Arc::ptr_eq(a, b)));
    }

    #[test]
    fn a_finder_finds_in_any_order() {
        let many: Genome = (0..50).map(|n| (format!("a{n}"), n)).collect();
        let mut finder = many.finder();
        for n in (0..50).rev().chain(0..50) {
            assert_eq!(finder.find(&format!("a{n}")), Some(n));
        }
        assert_eq!(finder.find("b"), None);
    }
}
