//! Division by groups: rows of one patient, speaker or session stand in one part.

use super::SplitPlan;
use super::indices::{Indices, Shares};
use crate::data::keys::KeyColumn;
use crate::data::{DataError, Dataset};
use crate::random::Purpose;
use std::collections::BTreeMap;

/// Passes over all groups after which the division is taken as it is.
const MOST_PASSES: usize = 100;

/// A group of rows.
struct Group {
    rows: Vec<usize>,
    /// The classes of its rows, with how many have each. Without classes, all are of class 0.
    classes: Vec<(usize, f64)>,
}

impl Group {
    fn size(&self) -> f64 {
        self.rows.len() as f64
    }
}

/// Divides the groups of `dataset`.
///
/// # Errors
/// When there are fewer of them than parts.
pub(super) fn divide(
    dataset: &Dataset,
    plan: &SplitPlan,
    shares: Shares,
) -> Result<Indices, DataError> {
    let column = dataset.examples.keys.group.as_ref();
    let column = column.ok_or_else(|| {
        let problem = "there is no column or array to divide by; leave `split` out";
        DataError::setting("split", problem)
    })?;
    let mut groups = groups(dataset, column);
    if groups.len() < shares.count() {
        return Err(too_few(dataset, column, groups.len(), shares));
    }
    plan.seed.stream(0, Purpose::Split).shuffle(&mut groups);
    let parts = Placement::of(&groups, shares).parts;
    let mut indices = Indices::default();
    for (group, part) in groups.iter().zip(parts) {
        let rows = match part {
            0 => &mut indices.train,
            1 => &mut indices.validation,
            _ => &mut indices.test,
        };
        rows.extend(&group.rows);
    }
    Ok(indices)
}

/// The groups in the order of their names, so that the order of rows decides nothing.
fn groups(dataset: &Dataset, column: &KeyColumn) -> Vec<Group> {
    let labels = dataset.examples.targets.labels();
    let mut by_name: BTreeMap<&str, Group> = BTreeMap::new();
    for (row, &key) in column.rows.iter().enumerate() {
        let group = by_name.entry(&column.texts[key as usize]);
        let group = group.or_insert_with(|| Group {
            rows: Vec::new(),
            classes: Vec::new(),
        });
        group.rows.push(row);
        let class = labels.map_or(0, |labels| labels[row] as usize);
        match group.classes.iter_mut().find(|(known, _)| *known == class) {
            Some((_, count)) => *count += 1.0,
            None => group.classes.push((class, 1.0)),
        }
    }
    by_name.into_values().collect()
}

fn too_few(dataset: &Dataset, column: &KeyColumn, found: usize, shares: Shares) -> DataError {
    let names = ["training", "validation", "the test"];
    let parts = names.iter().zip(shares.parts());
    let parts: Vec<&str> = parts
        .filter(|(_, share)| *share > 0.0)
        .map(|(name, _)| *name)
        .collect();
    let (needed, parts) = (shares.count(), parts.join(", "));
    let name = &column.name;
    DataError::Split {
        dataset: dataset.name().to_owned(),
        problem: format!(
            "column `{name}` has {found} group{}, and {needed} are needed, one each for {parts}; give more groups, or \
             leave `split` out",
            if found == 1 { "" } else { "s" }
        ),
    }
}

/// The part of each group: 0 trains, 1 validates, 2 tests.
struct Placement<'a> {
    groups: &'a [Group],
    parts: Vec<usize>,
    open: Vec<usize>,
    /// The number of groups in each part.
    members: [usize; 3],
    /// Rows that each part has beyond its share, of each class and altogether.
    excess: [Vec<f64>; 3],
    excess_rows: [f64; 3],
    /// The number of rows of each class.
    totals: Vec<f64>,
}

impl<'a> Placement<'a> {
    /// Each group in its turn goes where its rows are missing most; then groups move while that brings parts and the
    /// classes in them closer to their shares.
    fn of(groups: &'a [Group], shares: Shares) -> Self {
        let mut placement = Self::empty(groups, shares);
        for group in groups {
            let part = placement.cheapest(group);
            placement.parts.push(part);
            placement.put(group, part, 1.0);
        }
        for _ in 0..MOST_PASSES {
            if !placement.improve() {
                break;
            }
        }
        placement.fill_empty();
        placement
    }

    fn empty(groups: &'a [Group], shares: Shares) -> Self {
        let classes = groups.iter().flat_map(|group| &group.classes);
        let count = classes.clone().map(|(class, _)| class + 1).max();
        let mut totals = vec![0.0; count.unwrap_or(0)];
        for (class, rows) in classes {
            totals[*class] += rows;
        }
        let rows: f64 = totals.iter().sum();
        let wanted = shares.parts();
        let missing = |part: usize| totals.iter().map(|total| -wanted[part] * total).collect();
        Self {
            groups,
            parts: Vec::with_capacity(groups.len()),
            open: (0..3).filter(|&part| wanted[part] > 0.0).collect(),
            members: [0; 3],
            excess: [0, 1, 2].map(missing),
            excess_rows: wanted.map(|share| -share * rows),
            totals,
        }
    }

    /// The change in squared distances from the shares when a group enters a part, or leaves it (`sign` -1). Sizes
    /// count as much as all classes together.
    fn cost(&self, group: &Group, part: usize, sign: f64) -> f64 {
        let classes: f64 = group
            .classes
            .iter()
            .map(|&(class, rows)| {
                rows * (sign * 2.0 * self.excess[part][class] + rows) / self.totals[class]
            })
            .sum();
        let all: f64 = self.totals.iter().sum();
        let size = group.size() * (sign * 2.0 * self.excess_rows[part] + group.size()) / all;
        classes + size * self.totals.len() as f64
    }

    /// The part that a group fits best, the first of equals.
    fn cheapest(&self, group: &Group) -> usize {
        let mut best = (f64::INFINITY, 0);
        for &part in &self.open {
            let cost = self.cost(group, part, 1.0);
            if cost < best.0 {
                best = (cost, part);
            }
        }
        best.1
    }

    fn put(&mut self, group: &Group, part: usize, sign: f64) {
        for &(class, rows) in &group.classes {
            self.excess[part][class] += sign * rows;
        }
        self.excess_rows[part] += sign * group.size();
        self.members[part] = self.members[part].saturating_add_signed(sign as isize);
    }

    fn move_group(&mut self, index: usize, to: usize) {
        let groups = self.groups;
        self.put(&groups[index], self.parts[index], -1.0);
        self.put(&groups[index], to, 1.0);
        self.parts[index] = to;
    }

    /// Moves each group for which another part is better by more than rounding; whether one was.
    fn improve(&mut self) -> bool {
        const ROUNDING: f64 = 1e-9;
        let mut moved = false;
        for (index, group) in self.groups.iter().enumerate() {
            let from = self.parts[index];
            if self.members[from] == 1 {
                continue;
            }
            let gain = self.cost(group, from, -1.0);
            let to = self.cheapest(group);
            if to != from && self.cost(group, to, 1.0) + gain < -ROUNDING {
                self.move_group(index, to);
                moved = true;
            }
        }
        moved
    }

    /// Gives a part without any group the smallest one of the part that has the most.
    fn fill_empty(&mut self) {
        for part in self.open.clone() {
            if self.members[part] > 0 {
                continue;
            }
            let richest = self.open.iter().copied();
            let richest = richest.max_by_key(|&part| (self.members[part], 3 - part));
            let of_richest =
                (0..self.groups.len()).filter(|&index| Some(self.parts[index]) == richest);
            if let Some(smallest) = of_richest.min_by_key(|&index| self.groups[index].rows.len()) {
                self.move_group(smallest, part);
            }
        }
    }
}
