//! Remarks on a division: how it came out, and where scores on it would be too good.

use super::{Source, SplitBy, related, summary, twins};
use crate::data::error::excerpt;
use crate::data::keys::KeyColumn;
use crate::data::times::Times;
use std::collections::BTreeSet;
use std::fmt;

/// The names of the parts, in their order.
const PARTS: [&str; 3] = ["training", "validation", "test"];

/// Something that a reader of scores should know of a division.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// True if scores may be wrong because of it.
    pub is_warning: bool,
    /// The text, with the setting that changes it.
    pub text: String,
}

impl Remark {
    fn note(text: String) -> Self {
        let is_warning = false;
        Self { is_warning, text }
    }

    pub(super) fn warning(text: String) -> Self {
        let is_warning = true;
        Self { is_warning, text }
    }
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.is_warning { "warning: " } else { "" };
        write!(f, "{kind}{}", self.text)
    }
}

/// Everything there is to know of the division of `source`.
pub(super) fn of(source: &Source) -> Vec<Remark> {
    let mut remarks: Vec<Remark> = division(source).into_iter().collect();
    remarks.extend(lacking_classes(source));
    remarks.extend(shared_groups(source));
    remarks.extend(earlier_rows(source));
    if source.by.is_none() {
        remarks.extend(related::columns(source));
    }
    if source.by != Some(SplitBy::Random) {
        remarks.extend(twins::remarks(source));
    }
    remarks
}

/// A note on the rule, unless rows are drawn at random.
fn division(source: &Source) -> Option<Remark> {
    let summary = summary::division(source);
    let [train, validation, test] = &summary.parts;
    let name = summary
        .column
        .as_deref()
        .map(|name| excerpt(name.as_bytes()));
    let name = name.unwrap_or_default();
    let is_table = source.dataset.table.is_some();
    let is_feature = source.dataset.table.iter().any(|table| {
        let mut features = table.features();
        summary
            .column
            .as_ref()
            .is_some_and(|column| features.any(|feature| feature == column))
    });
    let text = match summary.by {
        SplitBy::Random => return None,
        SplitBy::Group => {
            let groups = [train, validation, test].map(|part| part.groups.unwrap_or(0));
            let [train, validation, test] = groups;
            let feature = if is_table { "; it is no feature" } else { "" };
            format!(
                "rows of one `{name}` stand in one part: {train} groups to train on, {validation} to validate on, {test} to \
                 test on{feature}"
            )
        }
        SplitBy::Time => {
            let spans = [train, validation, test].map(|part| match &part.times {
                Some([first, last]) => format!("{first} to {last}"),
                None => "no times".to_owned(),
            });
            let [train, validation, test] = spans;
            let feature = match (is_table, is_feature) {
                (false, _) => String::new(),
                (true, true) => "; it is a feature too".to_owned(),
                (true, false) => format!(
                    "; it is no feature, which `split = {{ time = \"{name}\", feature = true }}` would make it"
                ),
            };
            format!(
                "rows are divided by `{name}`, and those of one time stay together: {train} to train on, {validation} to \
                 validate on, {test} to test on{feature}"
            )
        }
        SplitBy::FileOrder => format!(
            "rows are divided in the order of the file: the first {} to train on, then {} to validate on, the last {} to \
             test on",
            train.examples, validation.examples, test.examples
        ),
    };
    Some(Remark::note(text))
}

/// Classes that a part has no example of, where classes don't decide the division.
fn lacking_classes(source: &Source) -> Vec<Remark> {
    const SHOWN: usize = 4;
    let by = source.by.unwrap_or(SplitBy::Random);
    let has_file = source.dataset.official_validation.is_some();
    if by == SplitBy::Random && !has_file {
        return Vec::new();
    }
    let names = source.dataset.class_names();
    let summary = summary::division(source);
    let mut remarks = Vec::new();
    for (part, summary) in PARTS.iter().zip(&summary.parts) {
        let counts = summary.classes.iter().zip(names);
        let lacking = counts.filter(|(count, _)| **count == 0);
        let lacking: Vec<String> = lacking
            .map(|(_, name)| format!("`{}`", excerpt(name.as_bytes())))
            .collect();
        if lacking.is_empty() {
            continue;
        }
        let more = match lacking.len().saturating_sub(SHOWN) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let lacking = lacking[..lacking.len().min(SHOWN)].join(", ");
        let what = match *part {
            "training" => "no network can learn it",
            _ => "scores on it say nothing of that",
        };
        remarks.push(Remark::warning(format!(
            "the {part} part has no example of class {lacking}{more}, so that {what}; other shares, or another `split_seed` \
             where parts are drawn, may help"
        )));
    }
    remarks
}

/// Groups of a test or validation file that occur in training, or which nobody can know.
fn shared_groups(source: &Source) -> Vec<Remark> {
    let dataset = &source.dataset;
    let Some(known) = &dataset.examples.keys.group else {
        return Vec::new();
    };
    let [(_, rows), ..] = source.parts();
    let trained: BTreeSet<&str> = texts(known, &rows).collect();
    let files = [
        ("validation", &dataset.official_validation),
        ("test", &dataset.official_test),
    ];
    let mut remarks = Vec::new();
    for (part, examples) in files {
        let Some(examples) = examples else {
            continue;
        };
        let name = excerpt(known.name.as_bytes());
        let Some(group) = &examples.keys.group else {
            remarks.push(Remark::warning(format!(
                "the {part} file says nothing of `{name}`, so that nobody can tell whether its rows belong to groups that are \
                 trained on, or which of them belong together"
            )));
            continue;
        };
        let all: Vec<usize> = (0..examples.len()).collect();
        let groups: BTreeSet<&str> = texts(group, &all).collect();
        let shared: Vec<&str> = groups.intersection(&trained).copied().collect();
        if let [first, ..] = shared[..] {
            remarks.push(Remark::warning(format!(
                "{} of the {} groups of the {part} file are trained on too, such as `{}` in `{name}`: its scores are those of \
                 known groups, and too good for new ones; take their rows out of one of the files",
                shared.len(),
                groups.len(),
                excerpt(first.as_bytes())
            )));
        }
    }
    remarks
}

fn texts<'a>(column: &'a KeyColumn, rows: &'a [usize]) -> impl Iterator<Item = &'a str> {
    let keys = rows.iter().map(|&row| column.rows[row]);
    keys.map(|key| column.texts[key as usize].as_str())
}

/// Rows of a test or validation file that are earlier than what is trained on.
fn earlier_rows(source: &Source) -> Vec<Remark> {
    let dataset = &source.dataset;
    let Some(known) = &dataset.examples.keys.time else {
        return Vec::new();
    };
    let Ok(times) = Times::of(known) else {
        return Vec::new();
    };
    let last = source
        .indices
        .train
        .iter()
        .map(|&row| known.rows[row] as usize);
    let Some(last) = last.max_by_key(|&key| times.moments[key]) else {
        return Vec::new();
    };
    let files = [
        ("validation", &dataset.official_validation),
        ("test", &dataset.official_test),
    ];
    let mut remarks = Vec::new();
    for (part, examples) in files {
        let column = examples
            .as_ref()
            .and_then(|examples| examples.keys.time.as_ref());
        let Some((column, there)) =
            column.and_then(|column| Some((column, Times::of(column).ok()?)))
        else {
            continue;
        };
        let is_earlier = |&&key: &&u32| there.moments[key as usize] <= times.moments[last];
        let earlier = column.rows.iter().filter(is_earlier).count();
        if there.kind == times.kind && earlier > 0 {
            remarks.push(Remark::warning(format!(
                "{earlier} of the {} rows of the {part} file are no later than the last that is trained on (`{}`): its scores \
                 say less of the future",
                column.rows.len(),
                excerpt(known.texts[last].as_bytes())
            )));
        }
    }
    remarks
}
