//! Examples that validate or test and stand among those that are trained on, the same to the last digit.

use super::Source;
use super::remarks::Remark;
use crate::data::Examples;
use crate::data::dataset::Inputs;
use rustc_hash::FxHasher;
use std::hash::{Hash, Hasher};

/// The least share of a part, and the least number, that is worth a word: small sets have a twin or two by chance.
const LEAST_SHARE: f64 = 0.05;
const LEAST: usize = 10;

/// The most twins that are looked at more closely, and the most rows that they are compared with.
const EXAMINED: usize = 50;
const COMPARED: usize = 2000;

/// A value that so many rows share tells nothing of a row.
const COMMON: f64 = 0.05;

/// The least length of a text that two people would hardly write alike.
const LONG_TEXT: usize = 20;

/// A warning for each part with many twins of training examples.
pub(super) fn remarks(source: &Source) -> Vec<Remark> {
    let [training, validation, test] = source.parts();
    let known = Known::of(training.0, &training.1);
    let dataset = &source.dataset;
    let parts = [
        (
            "validation",
            validation,
            dataset.official_validation.is_some(),
        ),
        ("test", test, dataset.official_test.is_some()),
    ];
    let mut remarks = Vec::new();
    for (name, (examples, rows), is_file) in parts {
        let twins = rows.iter().filter(|&&row| known.has(examples, row));
        let twins: Vec<usize> = twins.copied().collect();
        let is_many = twins.len() >= LEAST && twins.len() as f64 >= LEAST_SHARE * rows.len() as f64;
        if !is_many || !known.tells_apart(examples, &twins) {
            continue;
        }
        let advice = match is_file {
            true => "take them out of one of the files",
            false => {
                "drop repeated rows, or keep what belongs together in one part: `split = { group = \"…\" }` with the column \
                 that says so (`split = \"random\"` if they are meant to be there)"
            }
        };
        remarks.push(Remark::warning(format!(
            "{} of the {} {name} examples are also among those to train on, the same to the last digit, and scores on them \
             are too good; {advice}",
            twins.len(),
            rows.len()
        )));
    }
    remarks
}

/// The training examples by what they hold.
struct Known<'a> {
    examples: &'a Examples,
    rows: &'a [usize],
    /// A hash of each row, in ascending order.
    hashes: Vec<(u64, usize)>,
}

impl<'a> Known<'a> {
    fn of(examples: &'a Examples, rows: &'a [usize]) -> Self {
        let hashes = rows.iter().map(|&row| (hash(examples, row), row));
        let mut hashes: Vec<(u64, usize)> = hashes.collect();
        hashes.sort_unstable();
        Self {
            examples,
            rows,
            hashes,
        }
    }

    /// True if an example, its target too, is one of these.
    fn has(&self, examples: &Examples, row: usize) -> bool {
        let wanted = hash(examples, row);
        let start = self.hashes.partition_point(|(hash, _)| *hash < wanted);
        let alike = self.hashes[start..]
            .iter()
            .take_while(|(hash, _)| *hash == wanted);
        let mut rows = alike.map(|&(_, row)| row);
        rows.any(|known| {
            same_inputs(self.examples, known, examples, row)
                && self.examples.targets.select(&[known]) == examples.targets.select(&[row])
        })
    }

    /// True if most of `twins` hold something that few rows hold. Rows of a few categories are often equal without being
    /// the same thing.
    fn tells_apart(&self, examples: &Examples, twins: &[usize]) -> bool {
        let examined = twins.iter().take(EXAMINED);
        let telling = examined
            .clone()
            .filter(|&&row| self.is_telling(examples, row));
        2 * telling.count() > examined.len()
    }

    fn is_telling(&self, examples: &Examples, row: usize) -> bool {
        match (&self.examples.inputs, &examples.inputs) {
            (Inputs::Values(known), Inputs::Values(values)) => {
                let width = values.len() / examples.len();
                let compared = &self.rows[..self.rows.len().min(COMPARED)];
                let most = libm::ceil(COMMON * compared.len() as f64) as usize;
                let cells = &values[row * width..(row + 1) * width];
                let is_rare = |(column, cell): (usize, &f32)| {
                    let others = compared.iter().map(|&row| known[row * width + column]);
                    others.filter(|other| other == cell).count() < most
                };
                cells.iter().enumerate().any(is_rare)
            }
            (_, Inputs::Texts(texts)) => texts.get(row).len() >= LONG_TEXT,
            _ => false,
        }
    }
}

fn hash(examples: &Examples, row: usize) -> u64 {
    let mut hash = FxHasher::default();
    match &examples.inputs {
        Inputs::Values(values) => {
            let width = values.len() / examples.len();
            for value in &values[row * width..(row + 1) * width] {
                hash.write_u32(value.to_bits());
            }
        }
        Inputs::Texts(texts) => texts.get(row).hash(&mut hash),
    }
    hash.finish()
}

fn same_inputs(one: &Examples, row: usize, other: &Examples, at: usize) -> bool {
    match (&one.inputs, &other.inputs) {
        (Inputs::Values(a), Inputs::Values(b)) => {
            let width = a.len() / one.len();
            let pairs = a[row * width..(row + 1) * width].iter();
            let mut pairs = pairs.zip(&b[at * width..(at + 1) * width]);
            pairs.all(|(a, b)| a.to_bits() == b.to_bits())
        }
        (Inputs::Texts(a), Inputs::Texts(b)) => a.get(row) == b.get(at),
        _ => false,
    }
}
