//! A division in figures: sizes, classes, groups and times of the parts.

use super::{Source, SplitBy};
use crate::data::Examples;
use crate::data::times::Times;

/// A division of a dataset, in figures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Division {
    /// The rule by which examples are divided.
    pub by: SplitBy,
    /// The column of groups or times, where rows are divided by one.
    pub column: Option<String>,
    /// Training, validation and test.
    pub parts: [PartSummary; 3],
}

/// One part of a division, in figures.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartSummary {
    /// The number of examples.
    pub examples: usize,
    /// The number of groups, where groups are kept together.
    pub groups: Option<usize>,
    /// The number of examples of each class; nothing where examples have no classes.
    pub classes: Vec<usize>,
    /// The earliest time and the latest, where rows are divided by time.
    pub times: Option<[String; 2]>,
}

/// The division of `source`.
pub(super) fn division(source: &Source) -> Division {
    let keys = &source.dataset.examples.keys;
    let column = keys.group.as_ref().or(keys.time.as_ref());
    Division {
        by: source.by.unwrap_or(SplitBy::Random),
        column: column.map(|column| column.name.clone()),
        parts: source.parts().map(|(examples, rows)| PartSummary {
            examples: rows.len(),
            groups: groups(examples, &rows),
            classes: classes(examples, &rows, source.dataset.class_names().len()),
            times: times(examples, &rows),
        }),
    }
}

fn groups(examples: &Examples, rows: &[usize]) -> Option<usize> {
    let group = examples.keys.group.as_ref()?;
    let mut present = vec![false; group.texts.len()];
    for &row in rows {
        present[group.rows[row] as usize] = true;
    }
    Some(present.into_iter().filter(|&present| present).count())
}

fn classes(examples: &Examples, rows: &[usize], count: usize) -> Vec<usize> {
    let mut counts = vec![0; count];
    if let Some(labels) = examples.targets.labels() {
        for &row in rows {
            counts[labels[row] as usize] += 1;
        }
    }
    counts
}

fn times(examples: &Examples, rows: &[usize]) -> Option<[String; 2]> {
    let column = examples.keys.time.as_ref()?;
    let moments = Times::of(column).ok()?.moments;
    let keys = || rows.iter().map(|&row| column.rows[row] as usize);
    let first = keys().min_by_key(|&key| moments[key])?;
    let last = keys().max_by_key(|&key| moments[key])?;
    Some([first, last].map(|key| column.texts[key].clone()))
}
