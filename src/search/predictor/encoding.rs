//! What a model sees of a genome: a row of numbers, by decision addresses.

use super::forest::Row;
use crate::search::Moves;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a model sees of a genome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// A column for each address: which option was taken there.
    Decisions,
    /// Also how often each option was taken below each address, whatever numbers repeated parts have in
    /// it: a decision three blocks deep says something of the same decision five blocks deep.
    #[default]
    Counts,
}

/// The columns that were met so far.
#[derive(Debug)]
pub(super) struct Columns {
    encoding: Encoding,
    decisions: BTreeMap<String, usize>,
    counts: BTreeMap<(String, u32), usize>,
    len: usize,
}

impl Columns {
    pub fn new(encoding: Encoding) -> Self {
        Self {
            encoding,
            decisions: BTreeMap::new(),
            counts: BTreeMap::new(),
            len: 0,
        }
    }

    /// The row of a genome; what has no column gets one.
    pub fn learn<M: Moves>(&mut self, space: &M, genome: &M::Genome) -> Row {
        space.decisions(genome, &mut |address, option| {
            if !self.decisions.contains_key(address) {
                self.decisions.insert(address.to_owned(), self.len);
                self.len += 1;
            }
            if self.encoding == Encoding::Counts {
                let next = self.len;
                let key = (without_numbers(address), option);
                let column = *self.counts.entry(key).or_insert(next);
                self.len += usize::from(column == next);
            }
        });
        self.row(space, genome)
    }

    /// The row of a genome; what has no column is left out.
    pub fn row<M: Moves>(&self, space: &M, genome: &M::Genome) -> Row {
        let mut row = vec![0; self.len];
        space.decisions(genome, &mut |address, option| {
            if let Some(&column) = self.decisions.get(address) {
                row[column] = option + 1;
            }
            if self.encoding == Encoding::Counts {
                let key = (without_numbers(address), option);
                if let Some(&column) = self.counts.get(&key) {
                    row[column] += 1;
                }
            }
        });
        row
    }
}

/// An address without the numbers of repeated parts: `stage[2]/conv` becomes `stage[]/conv`.
fn without_numbers(address: &str) -> String {
    let mut kept = String::with_capacity(address.len());
    let mut inside = false;
    for c in address.chars() {
        inside = (inside || c == '[') && c != ']';
        if !inside || c == '[' {
            kept.push(c);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_repeats_are_forgotten() {
        assert_eq!(without_numbers("a[2]/b[10]/c"), "a[]/b[]/c");
    }
}
