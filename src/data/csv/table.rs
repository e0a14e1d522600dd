//! A table that was read: numbers, categories, gaps and targets.

use super::column::{CsvOptions, Missing, TaskKind};
use super::rows::{Role, cell_error, is_gap, number};
use super::targets::RawTargets;
use crate::data::encode::{TableColumn, UNKNOWN};
use crate::data::error::excerpt;
use crate::data::keys::{KeyColumn, RowKeys};
use crate::data::{Classes, DataError, Examples, Form, MAX_CLASSES, Place, Targets, Task};
use crate::layers::Shape;
use ::csv::ByteRecord;
use std::collections::BTreeMap;

/// The most categories that one column may have: each becomes a value of every example.
const MAX_CATEGORIES: usize = 1024;

/// The most distinct texts that an ignored column is looked at for.
const MOST_WATCHED: usize = 100_000;

/// The columns of a table's file.
#[derive(Clone, Debug)]
pub(in crate::data) struct TableLayout {
    /// Whether they have names of their own.
    pub named: bool,
    /// The name and the role of each.
    pub columns: Vec<(String, Role)>,
    /// Whether a gap is an error.
    pub refuses_gaps: bool,
}

impl TableLayout {
    /// The names of the feature columns.
    pub fn features(&self) -> impl Iterator<Item = &String> {
        let columns = self.columns.iter();
        let features = columns.filter(|(_, role)| *role == Role::Feature);
        features.map(|(name, _)| name)
    }
}

/// A table as it was read: cells of features as numbers, numbers of categories or gaps (NaN).
#[derive(Debug)]
pub(in crate::data) struct Table {
    /// Whether the columns have names of their own.
    named: bool,
    /// The name and the role of each column of the file.
    layout: Vec<(String, Role)>,
    refuses_gaps: bool,
    /// The feature columns.
    pub columns: Vec<TableColumn>,
    /// One row after the other.
    pub cells: Vec<f32>,
    /// The names of the targets.
    target_names: Vec<String>,
    pub(super) targets: RawTargets,
    /// Groups and times of the rows.
    keys: RowKeys,
    file: String,
}

/// Whether a cell would do as a feature or a target.
pub(super) fn is_number(cell: &[u8]) -> bool {
    std::str::from_utf8(cell).is_ok_and(|text| text.parse::<f64>().is_ok())
}

impl Table {
    /// The columns of the file and what they are for.
    pub fn layout(&self) -> TableLayout {
        TableLayout {
            named: self.named,
            columns: self.layout.clone(),
            refuses_gaps: self.refuses_gaps,
        }
    }

    /// The classes that occur in this table.
    ///
    /// # Errors
    /// When the labels are measurements rather than classes, all the same, or too many.
    pub fn classes(&self) -> Result<Classes, DataError> {
        let RawTargets::Classes(labels) = &self.targets else {
            return Ok(Classes::from_labels([]));
        };
        labels.refuse_measurements()?;
        let classes = Classes::from_labels(labels.texts.iter().map(|(text, _)| text.as_str()));
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

    /// What is asked of the rows.
    ///
    /// # Errors
    /// As [`classes`](Self::classes).
    pub fn task(&self) -> Result<Task, DataError> {
        let names = self.target_names.clone();
        Ok(match self.targets {
            RawTargets::Classes(_) => Task::Classes(self.classes()?),
            RawTargets::Numbers(_) => Task::Numbers(names),
            RawTargets::Flags(_) => Task::Labels(names),
        })
    }

    /// What the cells of this table and of `others` that follow it are: values, unless some column has
    /// categories or gaps.
    pub fn form<'t>(&'t self, others: impl IntoIterator<Item = &'t Self>) -> Form {
        let mut tables = std::iter::once(self).chain(others);
        if tables.all(Self::is_plain) {
            let features = self.columns.len();
            return Form::Ready(Shape::Vector { features });
        }
        Form::Table(self.columns.clone())
    }

    fn is_plain(&self) -> bool {
        let numbers = self
            .columns
            .iter()
            .all(|column| column.categories.is_none());
        numbers && !self.cells.iter().any(|cell| cell.is_nan())
    }

    /// The rows as examples of `task`.
    ///
    /// # Errors
    /// When a label is no class of the task.
    pub fn examples(self, task: &Task) -> Result<Examples, DataError> {
        let outputs = self.target_names.len();
        let targets = match (self.targets, task) {
            (RawTargets::Classes(labels), Task::Classes(classes)) => {
                Targets::classes(labels.classes(classes)?, classes.len())
            }
            (RawTargets::Numbers(values), _) => Targets::numbers(values, outputs),
            (RawTargets::Flags(flags), _) => Targets::Labels {
                flags,
                labels: outputs,
            },
            (RawTargets::Classes(_), _) => unreachable!("the task is that of the training table"),
        };
        Ok(Examples::of_values(self.cells, targets).keyed(self.keys))
    }
}

/// A feature column under construction.
#[derive(Debug)]
enum Kind {
    /// Nothing but gaps so far.
    Open,
    Numbers,
    Categories(Categories),
}

#[derive(Debug, Default)]
struct Categories {
    names: Vec<String>,
    known: BTreeMap<String, u32>,
    /// Whether the names are those of the training table.
    closed: bool,
}

/// A table under construction.
pub(super) struct Builder {
    table: Table,
    kinds: Vec<Kind>,
    /// The place of each file column among the features.
    places: Vec<usize>,
    missing: Missing,
    task: TaskKind,
    names: Vec<String>,
    rows: usize,
    /// The columns of the file that [`RowKeys`] are read from.
    group: Option<usize>,
    time: Option<usize>,
    ignored: Vec<usize>,
}

impl Builder {
    pub fn new(
        file: &str,
        options: &CsvOptions,
        names: Option<Vec<String>>,
        roles: &[Role],
        categorical: &[usize],
    ) -> Self {
        let (named, columns) = (names.is_some(), roles.len());
        let numbers = || (1..=columns).map(|number| number.to_string()).collect();
        let names = names.unwrap_or_else(numbers);
        let mut builder = Self {
            table: Table {
                named,
                layout: names.iter().cloned().zip(roles.iter().copied()).collect(),
                refuses_gaps: options.missing == Missing::Refuse,
                columns: Vec::new(),
                cells: Vec::new(),
                target_names: Vec::new(),
                targets: RawTargets::new(options.task),
                keys: RowKeys::default(),
                file: file.to_owned(),
            },
            kinds: Vec::new(),
            places: vec![0; columns],
            missing: options.missing,
            task: options.task,
            names,
            rows: 0,
            group: None,
            time: None,
            ignored: Vec::new(),
        };
        let features = (0..columns).filter(|&column| roles[column] == Role::Feature);
        builder.set_features(features, categorical);
        builder
    }

    fn set_features(&mut self, features: impl Iterator<Item = usize>, categorical: &[usize]) {
        for column in features {
            self.places[column] = self.kinds.len();
            self.kinds.push(if categorical.contains(&column) {
                Kind::Categories(Categories::default())
            } else {
                Kind::Open
            });
            self.table.columns.push(TableColumn {
                name: self.names[column].clone(),
                categories: None,
            });
        }
    }

    pub fn set_targets(&mut self, columns: &[usize]) {
        let name = |&column: &usize| self.names[column].clone();
        self.table.target_names = columns.iter().map(name).collect();
    }

    /// Keeps what stands in these columns of the file beside the features.
    pub fn set_keys(&mut self, group: Option<usize>, time: Option<usize>, ignored: Vec<usize>) {
        let column = |index: usize| KeyColumn::new(self.names[index].clone(), &self.table.file);
        self.table.keys = RowKeys {
            group: group.map(column),
            time: time.map(column),
            ignored: ignored.iter().map(|&index| column(index)).collect(),
        };
        (self.group, self.time, self.ignored) = (group, time, ignored);
    }

    /// Takes the cells of a row in those columns.
    pub fn add_keys(&mut self, record: &ByteRecord, line: u64) -> Result<(), DataError> {
        let text = |column: usize| String::from_utf8_lossy(record[column].trim_ascii());
        let keys = &mut self.table.keys;
        for (key, column) in [(&mut keys.group, self.group), (&mut keys.time, self.time)] {
            if let (Some(key), Some(column)) = (key, column) {
                key.push_said(&text(column), line)?;
            }
        }
        for (key, &column) in keys.ignored.iter_mut().zip(&self.ignored) {
            key.push(&text(column), line);
        }
        // Texts that hardly repeat are no groups, and would fill the memory.
        for watched in (0..self.ignored.len()).rev() {
            if keys.ignored[watched].texts.len() > MOST_WATCHED {
                keys.ignored.remove(watched);
                self.ignored.remove(watched);
            }
        }
        Ok(())
    }

    /// The error of a column of times that is a feature and holds no numbers.
    fn refuse_written_times(&self) -> Result<(), DataError> {
        let Some(column) = self
            .time
            .filter(|&column| self.table.layout[column].1 == Role::Feature)
        else {
            return Ok(());
        };
        match self.kinds[self.places[column]] {
            Kind::Categories(_) => {
                let name = excerpt(self.names[column].as_bytes());
                let problem = format!(
                    "column `{name}` holds dates, where a feature is a number; leave `feature` out, and add a column \
                     with what matters of them (the month, days since an event)"
                );
                Err(DataError::format(&self.table.file, problem))
            }
            _ => Ok(()),
        }
    }

    /// Takes the kinds of columns and the categories of the training table.
    pub fn follow(&mut self, training: &Table) -> Result<(), DataError> {
        let error = |difference| {
            Err(DataError::ColumnsDiffer {
                file: self.table.file.clone(),
                difference,
            })
        };
        let (here, there) = (self.table.columns.len(), training.columns.len());
        if here != there {
            return error(format!("{here} feature columns instead of {there}"));
        }
        if self.table.named && training.named {
            let mut pairs = self.table.columns.iter().zip(&training.columns);
            if let Some((here, there)) = pairs.find(|(here, there)| here.name != there.name) {
                let (here, there) = (
                    excerpt(here.name.as_bytes()),
                    excerpt(there.name.as_bytes()),
                );
                return error(format!("`{here}` stands where `{there}` stood"));
            }
        }
        let kind = |column: &TableColumn| match &column.categories {
            None => Kind::Numbers,
            Some(names) => Kind::Categories(Categories {
                names: names.clone(),
                known: names.iter().cloned().zip(0..).collect(),
                closed: true,
            }),
        };
        self.kinds = training.columns.iter().map(kind).collect();
        Ok(())
    }

    pub fn values(&self) -> usize {
        self.table.cells.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    pub fn end_row(&mut self) {
        self.rows += 1;
    }

    pub fn add_target(
        &mut self,
        column: usize,
        cell: &[u8],
        place: impl Fn() -> Place,
    ) -> Result<(), DataError> {
        self.table.targets.add(cell, &self.names[column], place)
    }

    pub fn add_feature(
        &mut self,
        column: usize,
        cell: &[u8],
        place: impl Fn() -> Place,
    ) -> Result<(), DataError> {
        let index = self.places[column];
        if matches!(self.kinds[index], Kind::Open) && !is_gap(cell) {
            self.kinds[index] = if is_number(cell) {
                Kind::Numbers
            } else {
                Kind::Categories(Categories::default())
            };
        }
        let name = &self.names[column];
        let value = match &mut self.kinds[index] {
            Kind::Categories(categories) if !is_gap(cell) => {
                let code = categories.code(cell);
                code.map_err(|problem| cell_error(place(), name, cell, problem))?
            }
            _ => number(cell, self.missing)
                .map_err(|problem| cell_error(place(), name, cell, problem))?,
        };
        self.table.cells.push(value);
        Ok(())
    }

    /// The table; one row is too little to learn from.
    pub fn finish(mut self, is_training: bool) -> Result<Table, DataError> {
        self.refuse_written_times()?;
        for (column, kind) in self.table.columns.iter_mut().zip(self.kinds) {
            match kind {
                Kind::Categories(categories) => column.categories = Some(categories.names),
                Kind::Numbers => {}
                Kind::Open => {
                    let name = &column.name;
                    let problem = format!(
                        "nothing stands in column `{name}`; leave it out: `ignore = [\"{name}\"]`"
                    );
                    return Err(DataError::format(&self.table.file, &problem));
                }
            }
        }
        if is_training && self.task == TaskKind::Regression && self.rows < 2 {
            let problem = "one row is too little for a regression; give more";
            return Err(DataError::format(&self.table.file, problem));
        }
        Ok(self.table)
    }
}

impl Categories {
    fn code(&mut self, cell: &[u8]) -> Result<f32, &'static str> {
        let name = std::str::from_utf8(cell).map_err(|_| "not text in UTF-8")?;
        if let Some(&code) = self.known.get(name) {
            return Ok(code as f32);
        }
        if self.closed {
            return Ok(UNKNOWN);
        }
        if self.names.len() == MAX_CATEGORIES {
            return Err("one category too many; name the column in `ignore`, or sort its values");
        }
        let code = self.names.len() as u32;
        self.known.insert(name.to_owned(), code);
        self.names.push(name.to_owned());
        Ok(code as f32)
    }
}
