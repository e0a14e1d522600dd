//! From what a file holds to what a network takes: categories, gaps and texts become numbers, by what
//! the training part knows.

use super::csv::TableLayout;
use super::dataset::{Inputs, hash_names};
use super::text::{TextOptions, Tokeniser, Vocabulary};
use super::{DataError, Dataset, Examples, KnownColumn, MAX_VALUES, Preprocessing, memory};
use crate::layers::Shape;
use sha2::{Digest, Sha256};

pub use super::text::Texts;

/// The cell of a category that the training file lacks. A gap is NaN.
pub(super) const UNKNOWN: f32 = -1.0;

/// What the raw inputs of a dataset are.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Form {
    /// Values of this shape.
    Ready(Shape),
    /// Rows of a table in which some column has categories or gaps.
    Table(Vec<TableColumn>),
    /// Texts.
    Text(TextOptions),
}

/// A feature column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableColumn {
    /// Its name, or its number in a table without a header.
    pub name: String,
    /// The distinct texts in the order in which they came, of which a cell holds the number; nothing
    /// where cells are numbers.
    pub categories: Option<Vec<String>>,
}

impl From<Shape> for Form {
    fn from(shape: Shape) -> Self {
        Self::Ready(shape)
    }
}

impl Form {
    /// The shape of one example, unless the training part decides it.
    pub fn shape(&self) -> Option<Shape> {
        match self {
            Self::Ready(shape) => Some(*shape),
            Self::Table(_) => None,
            Self::Text(options) => Some(options.shape()),
        }
    }

    pub(super) fn hash(&self, hash: &mut Sha256) {
        match self {
            Self::Ready(shape) => {
                hash.update(shape.kind().as_bytes());
                for size in shape.dimensions() {
                    hash.update((size as u64).to_le_bytes());
                }
            }
            Self::Table(columns) => {
                hash.update(b"table\0");
                hash.update((columns.len() as u64).to_le_bytes());
                for column in columns {
                    hash.update([u8::from(column.categories.is_some())]);
                    hash_names(hash, column.categories.as_deref().unwrap_or_default());
                }
            }
            Self::Text(options) => options.hash(hash),
        }
    }
}

/// What turns raw inputs into values, learnt from training examples only.
#[derive(Clone, Debug)]
pub(super) struct Encoder {
    shape: Shape,
    how: How,
}

#[derive(Clone, Debug)]
enum How {
    Copy,
    Columns(Vec<ColumnCode>),
    Tokens(Box<Tokeniser>),
}

/// How one column becomes numbers.
#[derive(Clone, Debug)]
enum ColumnCode {
    /// The number, with the mean in place of a gap; with gaps in training, 1 for a gap beside it.
    Number { mean: f32, indicator: bool },
    /// One number for each category that training knows, 1 for the cell's own; `places` leads from
    /// the file's categories to them, and a gap counts as the commonest.
    Category {
        places: Vec<Option<usize>>,
        width: usize,
        commonest: usize,
    },
}

impl Encoder {
    /// Learns from the examples at `training`.
    ///
    /// # Errors
    /// When a column has nothing but gaps there, or the texts give too few tokens to learn from.
    pub fn fit(
        name: &str,
        form: &Form,
        examples: &Examples,
        training: &[usize],
    ) -> Result<Self, DataError> {
        match (form, &examples.inputs) {
            (Form::Table(columns), Inputs::Values(cells)) => {
                let code = |(index, column): (usize, &TableColumn)| {
                    let rows = training.iter();
                    let cells = rows.map(|row| cells[row * columns.len() + index]);
                    let fitted = match &column.categories {
                        None => ColumnCode::of_numbers(cells),
                        Some(names) => ColumnCode::of_categories(names.len(), cells),
                    };
                    fitted.ok_or_else(|| only_gaps(name, &column.name))
                };
                let codes: Vec<_> = columns
                    .iter()
                    .enumerate()
                    .map(code)
                    .collect::<Result<_, _>>()?;
                let features = codes.iter().map(ColumnCode::width).sum();
                Ok(Self {
                    shape: Shape::Vector { features },
                    how: How::Columns(codes),
                })
            }
            (Form::Text(options), Inputs::Texts(texts)) => {
                let tokeniser = Tokeniser::fit(options, training.iter().map(|&i| texts.get(i)));
                Ok(Self {
                    shape: options.shape(),
                    how: How::Tokens(Box::new(tokeniser)),
                })
            }
            (form, _) => Ok(Self {
                shape: form.shape().expect("other forms have a shape of their own"),
                how: How::Copy,
            }),
        }
    }

    /// The encoder that was learnt once, from what is known of it.
    pub fn known(preprocessing: &Preprocessing) -> Self {
        let shape = preprocessing.input;
        let columns = &preprocessing.columns;
        let how = match &preprocessing.tokens {
            Some(known) => How::Tokens(Box::new(Tokeniser::known(known, shape.elements()))),
            None if columns.is_empty() => How::Copy,
            None => {
                let features = columns.iter().filter(|column| column.is_feature());
                How::Columns(features.map(ColumnCode::known).collect())
            }
        };
        Self { shape, how }
    }

    /// The shape of an example.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// What makes tokens of texts, if inputs are texts.
    pub fn vocabulary(&self) -> Option<Vocabulary> {
        match &self.how {
            How::Tokens(tokeniser) => Some(tokeniser.vocabulary()),
            _ => None,
        }
    }

    /// What is known of each feature column of the table that this was fitted to. Where none has gaps, the mean of
    /// `training` would stand in for one, as long as a row is no more than its columns.
    pub fn known_columns(&self, dataset: &Dataset, training: &[usize]) -> Vec<KnownColumn> {
        match (&self.how, &dataset.form) {
            (How::Columns(codes), Form::Table(columns)) => {
                let pairs = codes.iter().zip(columns);
                pairs.map(|(code, column)| code.describe(column)).collect()
            }
            _ => {
                let tables = dataset.table.iter();
                let names: Vec<&String> = tables.flat_map(TableLayout::features).collect();
                let Inputs::Values(cells) = &dataset.examples.inputs else {
                    return Vec::new();
                };
                let number = |(index, name): (usize, &&String)| {
                    let rows = training.iter();
                    let cells = rows.map(|row| cells[row * names.len() + index]);
                    let mean = match (self.shape, ColumnCode::of_numbers(cells)) {
                        (Shape::Vector { .. }, Some(ColumnCode::Number { mean, .. })) => Some(mean),
                        _ => None,
                    };
                    KnownColumn::Number {
                        name: (*name).clone(),
                        gap: mean.map(f64::from),
                        marks_gaps: false,
                    }
                };
                names.iter().enumerate().map(number).collect()
            }
        }
    }

    /// Looks whether `examples` would be too many values.
    ///
    /// # Errors
    /// When they would.
    pub fn check_size(&self, name: &str, examples: usize) -> Result<(), DataError> {
        let total = self.shape.elements().saturating_mul(examples);
        if total > MAX_VALUES {
            return Err(DataError::too_large(name, "values", total, MAX_VALUES));
        }
        memory::check(name, total)
    }

    /// The examples at `indices` as values of [`shape`](Self::shape).
    pub fn encode(&self, examples: &Examples, indices: &[usize]) -> Vec<f32> {
        let size = self.shape.elements();
        let mut out = Vec::with_capacity(size * indices.len());
        match (&self.how, &examples.inputs) {
            (How::Copy, Inputs::Values(values)) => {
                for &index in indices {
                    out.extend_from_slice(&values[index * size..(index + 1) * size]);
                }
            }
            (How::Columns(codes), Inputs::Values(cells)) => {
                for &index in indices {
                    let row = &cells[index * codes.len()..(index + 1) * codes.len()];
                    for (code, &cell) in codes.iter().zip(row) {
                        code.push(cell, &mut out);
                    }
                }
            }
            (How::Tokens(tokeniser), Inputs::Texts(texts)) => {
                for &index in indices {
                    tokeniser.push(texts.get(index), &mut out);
                }
            }
            _ => unreachable!("an encoder is used on the dataset that it was fitted to"),
        }
        out
    }
}

impl ColumnCode {
    fn known(column: &KnownColumn) -> Self {
        match column {
            KnownColumn::Category {
                categories, gap, ..
            } => {
                let is_gap = |name: &String| Some(name) == gap.as_ref();
                Self::Category {
                    places: (0..categories.len()).map(Some).collect(),
                    width: categories.len(),
                    commonest: categories.iter().position(is_gap).unwrap_or(0),
                }
            }
            KnownColumn::Number {
                gap, marks_gaps, ..
            } => Self::Number {
                mean: gap.unwrap_or_default() as f32,
                indicator: *marks_gaps,
            },
            _ => unreachable!("only features are encoded"),
        }
    }

    fn describe(&self, column: &TableColumn) -> KnownColumn {
        let name = column.name.clone();
        match self {
            Self::Number { mean, indicator } => KnownColumn::Number {
                name,
                gap: Some(f64::from(*mean)),
                marks_gaps: *indicator,
            },
            Self::Category {
                places, commonest, ..
            } => {
                let names = column.categories.iter().flatten().zip(places);
                let known = names.filter(|(_, place)| place.is_some());
                let categories: Vec<String> = known.map(|(name, _)| name.clone()).collect();
                KnownColumn::Category {
                    name,
                    gap: categories.get(*commonest).cloned(),
                    categories,
                }
            }
        }
    }

    fn of_numbers(cells: impl Iterator<Item = f32>) -> Option<Self> {
        let (mut sum, mut count, mut indicator) = (0.0, 0usize, false);
        for cell in cells {
            if cell.is_nan() {
                indicator = true;
            } else {
                sum += f64::from(cell);
                count += 1;
            }
        }
        let mean = (sum / count.max(1) as f64) as f32;
        (count > 0).then_some(Self::Number { mean, indicator })
    }

    fn of_categories(known: usize, cells: impl Iterator<Item = f32>) -> Option<Self> {
        let mut counts = vec![0usize; known];
        for cell in cells.filter(|cell| *cell >= 0.0) {
            counts[cell as usize] += 1;
        }
        let most = *counts.iter().max()?;
        if most == 0 {
            return None;
        }
        let mut width = 0;
        let places = counts.iter().map(|&count| {
            let place = (count > 0).then_some(width);
            width += usize::from(count > 0);
            place
        });
        let places: Vec<Option<usize>> = places.collect();
        let first = counts.iter().position(|&count| count == most)?;
        Some(Self::Category {
            commonest: places[first]?,
            places,
            width,
        })
    }

    fn width(&self) -> usize {
        match self {
            Self::Number { indicator, .. } => 1 + usize::from(*indicator),
            Self::Category { width, .. } => *width,
        }
    }

    fn push(&self, cell: f32, out: &mut Vec<f32>) {
        match self {
            Self::Number { mean, indicator } => {
                out.push(if cell.is_nan() { *mean } else { cell });
                if *indicator {
                    out.push(f32::from(u8::from(cell.is_nan())));
                }
            }
            Self::Category {
                places,
                width,
                commonest,
            } => {
                let place = if cell.is_nan() {
                    Some(*commonest)
                } else if cell == UNKNOWN {
                    None
                } else {
                    places[cell as usize]
                };
                let start = out.len();
                out.resize(start + width, 0.0);
                if let Some(place) = place {
                    out[start + place] = 1.0;
                }
            }
        }
    }
}

fn only_gaps(name: &str, column: &str) -> DataError {
    DataError::Split {
        dataset: name.to_owned(),
        problem: format!(
            "column `{column}` has nothing but gaps in the training part; \
             leave it out: `ignore = [\"{column}\"]`"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Targets;

    fn table(cells: Vec<f32>, categories: &[Option<usize>]) -> (Form, Examples) {
        let rows = cells.len() / categories.len();
        let names = |count: usize| (0..count).map(|n| n.to_string()).collect();
        let column = |(index, count): (usize, &Option<usize>)| TableColumn {
            name: index.to_string(),
            categories: count.map(names),
        };
        let columns = categories.iter().enumerate().map(column).collect();
        let targets = Targets::classes(vec![0; rows], 1);
        (Form::Table(columns), Examples::of_values(cells, targets))
    }

    fn encoded(cells: Vec<f32>, categories: &[Option<usize>], training: &[usize]) -> Vec<f32> {
        let (form, examples) = table(cells, categories);
        let encoder = Encoder::fit("t", &form, &examples, training).unwrap();
        let all: Vec<usize> = (0..examples.len()).collect();
        encoder.encode(&examples, &all)
    }

    #[test]
    fn a_gap_becomes_the_training_mean_and_says_so() {
        let out = encoded(
            vec![1.0, 3.0, f32::NAN, 90.0, f32::NAN],
            &[None],
            &[0, 1, 2],
        );
        assert_eq!(out, [1.0, 0.0, 3.0, 0.0, 2.0, 1.0, 90.0, 0.0, 2.0, 1.0]);
        let unseen_gap = encoded(vec![1.0, 3.0, f32::NAN], &[None], &[0, 1]);
        assert_eq!(unseen_gap, [1.0, 3.0, 2.0]);
    }

    #[test]
    fn categories_become_one_number_each_as_far_as_training_knows_them() {
        let cells = vec![2.0, 0.0, 2.0, 1.0, f32::NAN, UNKNOWN];
        let out = encoded(cells, &[Some(3)], &[0, 1, 2]);
        let rows: Vec<&[f32]> = out.chunks(2).collect();
        assert_eq!(rows[..3], [[0.0, 1.0], [1.0, 0.0], [0.0, 1.0]]);
        // A category that only validation has, a gap as the commonest, a stranger.
        assert_eq!(rows[3..], [[0.0, 0.0], [0.0, 1.0], [0.0, 0.0]]);
    }

    #[test]
    fn a_column_of_gaps_is_named() {
        let (form, examples) = table(vec![f32::NAN, 1.0], &[None]);
        let error = Encoder::fit("t", &form, &examples, &[0]).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("column `0` has nothing but gaps"),
            "{error}"
        );
    }
}
