//! A table that was read, with its labels still as text.

use super::super::classes::whole_number;
use super::super::error::excerpt;
use super::super::{Classes, DataError, MAX_CLASSES, Place};
use std::collections::BTreeMap;

/// A table as it was read: features as numbers, labels still as text.
#[derive(Debug)]
pub(in crate::data) struct Table {
    /// Names of the feature columns, if the table has a header.
    pub names: Option<Vec<String>>,
    /// The number of feature columns.
    pub features: usize,
    /// One row after the other.
    pub inputs: Vec<f32>,
    pub(super) labels: RawLabels,
    file: String,
}

/// Each row's label as an index into the distinct texts, each with the place of its first use.
#[derive(Debug, Default)]
pub(super) struct RawLabels {
    pub(super) rows: Vec<u32>,
    texts: Vec<(String, Place)>,
    known: BTreeMap<String, u32>,
}

/// Whether a cell would do as a feature or a target.
pub(super) fn is_number(cell: &[u8]) -> bool {
    std::str::from_utf8(cell).is_ok_and(|text| text.parse::<f64>().is_ok())
}

impl RawLabels {
    pub(super) fn add(
        &mut self,
        cell: &[u8],
        place: impl FnOnce() -> Place,
    ) -> Result<(), DataError> {
        let text = match std::str::from_utf8(cell) {
            Ok("") => {
                return Err(label_error(
                    place(),
                    "",
                    "is empty; fill the gap or drop the row",
                ));
            }
            Ok(text) => text,
            Err(_) => {
                return Err(label_error(place(), &excerpt(cell), "is not text in UTF-8"));
            }
        };
        let id = if let Some(&id) = self.known.get(text) {
            id
        } else {
            let id = self.texts.len() as u32;
            self.known.insert(text.to_owned(), id);
            self.texts.push((text.to_owned(), place()));
            id
        };
        self.rows.push(id);
        Ok(())
    }
}

fn label_error(place: Place, label: &str, problem: impl Into<String>) -> DataError {
    DataError::Label {
        place,
        label: excerpt(label.as_bytes()),
        problem: problem.into(),
    }
}

impl Table {
    pub(super) fn empty(file: &str) -> Self {
        let labels = RawLabels::default();
        Self {
            names: None,
            features: 0,
            inputs: Vec::new(),
            labels,
            file: file.to_owned(),
        }
    }

    /// The classes that occur in this table.
    ///
    /// # Errors
    /// When the labels are measurements rather than classes, all the same, or too many.
    pub fn classes(&self) -> Result<Classes, DataError> {
        self.refuse_measurements()?;
        let classes = Classes::from_labels(self.labels.texts.iter().map(|(text, _)| text.as_str()));
        match classes.names() {
            [label] => Err(DataError::OneClass {
                file: self.file.clone(),
                label: excerpt(label.as_bytes()),
            }),
            names if names.len() > MAX_CLASSES => Err(DataError::too_large(
                &self.file,
                "classes",
                names.len(),
                MAX_CLASSES,
            )),
            _ => Ok(classes),
        }
    }

    /// Numbers that are not whole, or of which hardly two are the same, are a regression's targets.
    fn refuse_measurements(&self) -> Result<(), DataError> {
        const MANY: usize = 32;
        const ADVICE: &str = "regression is not supported: sort the targets into classes";
        let texts = &self.labels.texts;
        if !texts.iter().all(|(text, _)| is_number(text.as_bytes())) {
            return Ok(());
        }
        if let Some((text, place)) = texts.iter().find(|(text, _)| whole_number(text).is_none()) {
            let problem = format!("is not a whole number; {ADVICE}");
            return Err(label_error(place.clone(), text, problem));
        }
        let rows = self.labels.rows.len();
        if texts.len() > MANY && rows < 5 * texts.len() {
            let (text, place) = &texts[0];
            let count = texts.len();
            let problem = format!("is one of {count} among {rows} examples; {ADVICE}");
            return Err(label_error(place.clone(), text, problem));
        }
        Ok(())
    }

    /// Each row's class among `classes`.
    ///
    /// # Errors
    /// When a label is none of them.
    pub fn labels(&self, classes: &Classes) -> Result<Vec<u32>, DataError> {
        let class_of = |(text, place): &(String, Place)| {
            classes.index(text).ok_or_else(|| {
                let advice = classes.advice(text);
                label_error(
                    place.clone(),
                    text,
                    format!("is not in the training file; {advice}"),
                )
            })
        };
        let known: Vec<u32> = self
            .labels
            .texts
            .iter()
            .map(class_of)
            .collect::<Result<_, _>>()?;
        Ok(self
            .labels
            .rows
            .iter()
            .map(|&id| known[id as usize])
            .collect())
    }

    /// Checks that this table has the feature columns of `training`.
    ///
    /// # Errors
    /// When their number differs, or their names where both tables have them.
    pub fn check_columns(&self, training: &Self) -> Result<(), DataError> {
        let error = |difference| {
            Err(DataError::ColumnsDiffer {
                file: self.file.clone(),
                difference,
            })
        };
        if self.features != training.features {
            let (here, there) = (self.features, training.features);
            return error(format!("{here} feature columns instead of {there}"));
        }
        let (Some(here), Some(there)) = (&self.names, &training.names) else {
            return Ok(());
        };
        match here.iter().zip(there).find(|(here, there)| here != there) {
            Some((here, there)) => {
                let (here, there) = (excerpt(here.as_bytes()), excerpt(there.as_bytes()));
                error(format!("`{here}` stands where `{there}` stood"))
            }
            None => Ok(()),
        }
    }
}
