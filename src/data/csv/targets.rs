//! The target columns of a table while it is read.

use super::column::TaskKind;
use super::rows::cell_error;
use crate::data::classes::whole_number;
use crate::data::error::excerpt;
use crate::data::{Classes, DataError, Place};
use std::collections::BTreeMap;

use super::table::is_number;

/// The targets of the rows so far.
#[derive(Debug)]
pub(super) enum RawTargets {
    Classes(RawLabels),
    Numbers(Vec<f32>),
    Flags(Vec<bool>),
}

/// Each row's label as an index into the distinct texts, each with the place of its first use.
#[derive(Debug, Default)]
pub(super) struct RawLabels {
    pub rows: Vec<u32>,
    pub texts: Vec<(String, Place)>,
    known: BTreeMap<String, u32>,
}

impl RawTargets {
    pub fn new(task: TaskKind) -> Self {
        match task {
            TaskKind::Classification => Self::Classes(RawLabels::default()),
            TaskKind::Regression => Self::Numbers(Vec::new()),
            TaskKind::MultiLabel => Self::Flags(Vec::new()),
        }
    }

    pub fn add(
        &mut self,
        cell: &[u8],
        column: &str,
        place: impl Fn() -> Place,
    ) -> Result<(), DataError> {
        match self {
            Self::Classes(labels) => return labels.add(cell, place),
            Self::Numbers(numbers) => {
                let text = std::str::from_utf8(cell).unwrap_or_default();
                match text.parse::<f32>() {
                    Ok(number) if number.is_finite() => numbers.push(number),
                    _ => {
                        let problem = "no finite number, as a regression's target must be; \
                                       drop the row";
                        return Err(cell_error(place(), column, cell, problem));
                    }
                }
            }
            Self::Flags(flags) => match cell {
                b"0" | b"0.0" | b"false" => flags.push(false),
                b"1" | b"1.0" | b"true" => flags.push(true),
                _ => {
                    let problem = "neither 0 nor 1, as each label's column must be";
                    return Err(cell_error(place(), column, cell, problem));
                }
            },
        }
        Ok(())
    }
}

impl RawLabels {
    fn add(&mut self, cell: &[u8], place: impl Fn() -> Place) -> Result<(), DataError> {
        let text = match std::str::from_utf8(cell) {
            Ok("") => {
                let problem = "is empty; fill the gap or drop the row";
                return Err(label_error(place(), "", problem));
            }
            Ok(text) => text,
            Err(_) => {
                let shown = excerpt(cell);
                return Err(label_error(place(), &shown, "is not text in UTF-8"));
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

    /// Numbers that are not whole, or of which hardly two are the same, are a regression's targets.
    pub fn refuse_measurements(&self) -> Result<(), DataError> {
        const MANY: usize = 32;
        const ADVICE: &str = "for a regression, say `task = \"regression\"`";
        let texts = &self.texts;
        if !texts.iter().all(|(text, _)| is_number(text.as_bytes())) {
            return Ok(());
        }
        if let Some((text, place)) = texts.iter().find(|(text, _)| whole_number(text).is_none()) {
            let problem = format!("is not a whole number; {ADVICE}");
            return Err(label_error(place.clone(), text, problem));
        }
        let rows = self.rows.len();
        if texts.len() > MANY && rows < 5 * texts.len() {
            let (text, place) = &texts[0];
            let count = texts.len();
            let problem = format!("is one of {count} among {rows} examples; {ADVICE}");
            return Err(label_error(place.clone(), text, problem));
        }
        Ok(())
    }

    /// Each row's class among `classes`.
    pub fn classes(&self, classes: &Classes) -> Result<Vec<u32>, DataError> {
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
        let known: Vec<u32> = self.texts.iter().map(class_of).collect::<Result<_, _>>()?;
        Ok(self.rows.iter().map(|&id| known[id as usize]).collect())
    }
}

pub(super) fn label_error(place: Place, label: &str, problem: impl Into<String>) -> DataError {
    DataError::Label {
        place,
        label: excerpt(label.as_bytes()),
        problem: problem.into(),
    }
}
