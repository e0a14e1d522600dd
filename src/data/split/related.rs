//! Columns whose repeated values say that rows belong together.

use super::Source;
use super::remarks::Remark;
use crate::data::csv::{TableLayout, is_gap};
use crate::data::dataset::Inputs;
use crate::data::encode::Form;
use crate::data::error::excerpt;
use crate::data::keys::KeyColumn;

/// Words for those of whom a table often has several rows.
const WHO: [&str; 25] = [
    "patient",
    "patients",
    "subject",
    "subjects",
    "subj",
    "participant",
    "person",
    "user",
    "customer",
    "client",
    "speaker",
    "writer",
    "author",
    "donor",
    "animal",
    "session",
    "household",
    "family",
    "respondent",
    "employee",
    "student",
    "pupil",
    "driver",
    "player",
    "device",
];

/// The fewest values of a column that could be divided by, and that could be identifiers whatever they are called.
const FEWEST: usize = 3;
const FEWEST_UNNAMED: usize = 10;

/// The fewest rows that show anything.
const FEWEST_ROWS: usize = 20;

/// The share of a feature's variance that lies between values of a column, above which rows of one value are alike.
const ALIKE: f64 = 0.5;

/// A warning for each column that looks as if rows of one value belonged together.
pub(super) fn columns(source: &Source) -> Vec<Remark> {
    let dataset = &source.dataset;
    let ignored = dataset
        .examples
        .keys
        .ignored
        .iter()
        .map(|column| (column, false));
    let features = features(source);
    let features = features.iter().map(|column| (column, true));
    ignored
        .chain(features)
        .filter_map(|(column, is_feature)| remark(source, column, is_feature))
        .collect()
}

fn remark(source: &Source, column: &KeyColumn, is_feature: bool) -> Option<Remark> {
    let counts = column.counts();
    let said = |key: &usize| !is_gap(column.texts[*key].as_bytes());
    let keys: Vec<usize> = (0..counts.len())
        .filter(said)
        .filter(|&key| counts[key] > 0)
        .collect();
    let rows: usize = keys.iter().map(|&key| counts[key]).sum();
    let repeated = keys
        .iter()
        .map(|&key| counts[key])
        .filter(|&count| count > 1);
    let repeated: usize = repeated.sum();
    if keys.len() < FEWEST || rows < FEWEST_ROWS || 2 * repeated < rows {
        return None;
    }
    let many = keys.len() >= FEWEST_UNNAMED;
    let is_who = names_who(&column.name) && (many || !is_feature);
    let is_identifier = many && !is_feature && names_identifier(&column.name);
    let alike = if many && !is_feature {
        alike(source, column)
    } else {
        None
    };
    let clustered = alike.filter(|(alike, all)| 2 * alike >= *all);
    if !is_who && !is_identifier && clustered.is_none() {
        return None;
    }
    let name = excerpt(column.name.as_bytes());
    let evidence = match clustered {
        Some((alike, all)) => {
            format!(", and in rows of one value {alike} of {all} columns of numbers hardly differ")
        }
        None => String::new(),
    };
    Some(Remark::warning(format!(
        "column `{name}` has {} values in {rows} rows{evidence}: rows of one value are trained on and tested on, so that \
         scores may be far too good for new ones; `split = {{ group = \"{name}\" }}` keeps them together \
         (`split = \"random\"` if this is meant)",
        keys.len()
    )))
}

/// The words of a column's name: `PatientID` and `patient_id` are two each.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = '_';
    for character in name.chars() {
        if !character.is_alphanumeric() || (character.is_uppercase() && before.is_lowercase()) {
            words.push(String::new());
        }
        if character.is_alphanumeric() {
            let word = words.last_mut().expect("there is always one");
            word.extend(character.to_lowercase());
        }
        before = character;
    }
    words
}

fn names_who(name: &str) -> bool {
    let is_who = |word: &String| {
        let stem = word.strip_suffix("id").unwrap_or(word);
        WHO.contains(&word.as_str()) || WHO.contains(&stem)
    };
    words(name).iter().any(is_who)
}

fn names_identifier(name: &str) -> bool {
    words(name)
        .iter()
        .any(|word| ["id", "ids", "uuid", "guid", "group", "groups"].contains(&word.as_str()))
}

/// Features that are called like somebody, as texts: categories, and whole numbers.
fn features(source: &Source) -> Vec<KeyColumn> {
    let dataset = &source.dataset;
    let (Some(table), Inputs::Values(cells)) = (&dataset.table, &dataset.examples.inputs) else {
        return Vec::new();
    };
    let names: Vec<&String> = table.features().collect();
    let called = names.iter().enumerate().filter(|(_, name)| names_who(name));
    called
        .filter_map(|(index, name)| {
            let column = cells.iter().skip(index).step_by(names.len());
            if column
                .clone()
                .any(|cell| cell.is_finite() && libm::truncf(*cell) != *cell)
            {
                return None;
            }
            let mut key = KeyColumn::new(name.as_str(), dataset.name());
            for (row, cell) in column.enumerate() {
                let text = if cell.is_nan() {
                    String::new()
                } else {
                    cell.to_string()
                };
                key.push(&text, row as u64 + 1);
            }
            Some(key)
        })
        .collect()
}

/// The number of numeric columns in which rows of one value of `column` are alike, and of those that differ at all.
fn alike(source: &Source, column: &KeyColumn) -> Option<(usize, usize)> {
    let dataset = &source.dataset;
    let Inputs::Values(cells) = &dataset.examples.inputs else {
        return None;
    };
    let features = dataset.table.iter().flat_map(TableLayout::features).count();
    let is_number = |index: &usize| match &dataset.form {
        Form::Table(columns) => columns[*index].categories.is_none(),
        _ => true,
    };
    let shares = (0..features).filter(is_number).filter_map(|index| {
        let values = cells.iter().skip(index).step_by(features);
        between(values.copied(), column)
    });
    let shares: Vec<f64> = shares.collect();
    let alike = shares.iter().filter(|&&share| share >= ALIKE).count();
    (!shares.is_empty()).then_some((alike, shares.len()))
}

/// The intraclass correlation of some values in the groups of `column`, from the analysis of variance (Fisher, 1925);
/// nothing where all are equal, or no group has two.
fn between(values: impl Iterator<Item = f32> + Clone, column: &KeyColumn) -> Option<f64> {
    let known = || {
        let pairs = values.clone().zip(&column.rows);
        let known = pairs.filter(|(value, _)| !value.is_nan());
        known.map(|(value, &key)| (f64::from(value), key as usize))
    };
    let mut sizes = vec![0.0; column.texts.len()];
    let mut means = vec![0.0; column.texts.len()];
    for (value, key) in known() {
        sizes[key] += 1.0;
        means[key] += value;
    }
    let count: f64 = sizes.iter().sum();
    let mean = means.iter().sum::<f64>() / count;
    for (sum, size) in means.iter_mut().zip(&sizes) {
        *sum /= f64::max(*size, 1.0);
    }
    let groups = sizes.iter().filter(|&&size| size > 0.0).count() as f64;
    if groups < 2.0 || count <= groups {
        return None;
    }
    let within: f64 = known()
        .map(|(value, key)| (value - means[key]) * (value - means[key]))
        .sum();
    let pairs = sizes.iter().zip(&means);
    let among: f64 = pairs
        .map(|(size, group)| size * (group - mean) * (group - mean))
        .sum();
    let (among, within) = (among / (groups - 1.0), within / (count - groups));
    let squares: f64 = sizes.iter().map(|size| size * size).sum();
    let typical = (count - squares / count) / (groups - 1.0);
    let all = among + (typical - 1.0) * within;
    (all > 0.0).then(|| (among - within) / all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_known_by_the_words_of_their_names() {
        for name in [
            "patient",
            "Patient ID",
            "patientId",
            "subject_no",
            "UserID",
            "userid",
            "speaker.id",
        ] {
            assert!(names_who(name), "{name}");
        }
        for name in ["age", "city", "patience", "subjective", "diuser", "valid"] {
            assert!(!names_who(name), "{name}");
        }
        assert!(names_identifier("record_id") && names_identifier("RecordId"));
        assert!(!names_identifier("valid") && !names_identifier("width"));
    }

    #[test]
    fn the_intraclass_correlation_is_that_of_the_analysis_of_variance() {
        let mut column = KeyColumn::new("judge", "t");
        for (row, text) in ["a", "a", "b", "b", "b", "c", "c"].iter().enumerate() {
            column.push(text, row as u64);
        }
        let values = [9.0f32, 8.5, 2.0, 2.5, 1.0, 5.0, 6.0];
        // In fractions: mean squares of 29.282738 between and 0.4479167 within, and 16/7 rows a group.
        let found = between(values.into_iter(), &column).unwrap();
        assert!((found - 0.965_711_437_827_062).abs() < 1e-6, "{found}");
        assert_eq!(between([1.0; 7].into_iter(), &column), None);
    }
}
