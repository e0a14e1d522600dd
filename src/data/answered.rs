//! New examples whose answers are known: read as training's were, to test trained networks on them.

use super::csv::{Column, Columns, TaskKind};
use super::encode::Encoder;
use super::{
    Answers, DataError, DataSource, Dataset, Part, Preprocessing, TargetScale, Targets, Task,
    asked, named,
};
use std::path::Path;

impl Preprocessing {
    /// Reads a file like the training file with its answers. `trained_on` is the `[data]` section that the networks were
    /// trained by; `labels` is the file of the answers, where the format has them in a file of their own.
    ///
    /// # Errors
    /// When it can't be read, its examples are unlike those of training, or what they ask is not what the networks
    /// answer.
    pub fn read_answered(
        &self,
        trained_on: &DataSource,
        path: &Path,
        labels: Option<&Path>,
    ) -> Result<Part, DataError> {
        let name = path.display().to_string();
        let dataset = self.source(trained_on, path, labels)?.load(Path::new(""))?;
        let targets = self.targets_of(&dataset, &name)?;
        let inputs = match self.columns() {
            [] => self.inputs_of(&dataset, &name)?,
            // Cells are numbers of categories, which another file counts otherwise: it is read as predictions read it.
            _ => self.read(path)?.inputs,
        };
        let (found, wanted) = (inputs.len(), targets.len() * self.input().elements());
        if found != wanted {
            let problem = format!("{wanted} values are due for its answers, and it has {found}");
            return Err(DataError::format(&name, problem));
        }
        Ok(Part {
            shape: self.input(),
            inputs,
            targets,
            groups: None,
        })
    }

    /// What an experiment would write for the file.
    fn source(
        &self,
        trained_on: &DataSource,
        path: &Path,
        labels: Option<&Path>,
    ) -> Result<DataSource, DataError> {
        let format = asked::format(self, path)?;
        let base = match &trained_on.name {
            Some(name) => named::section(trained_on, name)?,
            None => trained_on.clone(),
        };
        let settings = format.reader().describe().settings;
        let takes = |key: &str| settings.contains(&key);
        let is_same = |key: &str| takes(key) && self.file.format == Some(format);
        let mut source = DataSource {
            train: Some(path.to_owned()),
            format: Some(format),
            labels: labels.map(Path::to_owned),
            delimiter: base.delimiter.filter(|_| is_same("delimiter")),
            decimal: base.decimal.filter(|_| is_same("decimal")),
            header: base.header.filter(|_| is_same("header")),
            shape: base.shape.filter(|_| takes("shape")),
            label: base.label.filter(|_| takes("label")),
            task: base.task.filter(|_| takes("task")),
            text: base.text.filter(|_| takes("text")),
            tokens: base.tokens.filter(|_| takes("tokens")),
            vocabulary: base.vocabulary.filter(|_| takes("vocabulary")),
            length: base.length.filter(|_| takes("length")),
            ..DataSource::default()
        };
        if !self.columns().is_empty() {
            source.task = Some(self.task()).filter(|_| takes("task"));
            source.label = Some(self.target_columns()).filter(|_| takes("label"));
            // Features are read by what is known of them; here they need only be no reason to fail.
            source.ignore = None;
        }
        Ok(source)
    }

    fn task(&self) -> TaskKind {
        match self.answers() {
            Answers::Classes { .. } => TaskKind::Classification,
            Answers::Labels { .. } => TaskKind::MultiLabel,
            Answers::Numbers { .. } => TaskKind::Regression,
        }
    }

    fn target_columns(&self) -> Columns {
        let targets = self.columns().iter().enumerate();
        let targets = targets.filter(|(_, column)| column.is_target());
        let column = |(at, column): (usize, &super::KnownColumn)| match self.file.named_columns {
            true => Column::Name(column.name().clone()),
            false => Column::Number(at + 1),
        };
        let mut columns: Vec<Column> = targets.map(column).collect();
        match columns.len() {
            1 => Columns::One(columns.remove(0)),
            _ => Columns::Many(columns),
        }
    }

    fn inputs_of(&self, dataset: &Dataset, name: &str) -> Result<Vec<f32>, DataError> {
        if let Some(found) = dataset.shape().filter(|found| *found != self.input()) {
            return Err(DataError::ColumnsDiffer {
                file: name.to_owned(),
                difference: format!("examples {found} instead of {}", self.input()),
            });
        }
        let encoder = Encoder::known(self);
        encoder.check_size(name, dataset.len())?;
        let all: Vec<usize> = (0..dataset.len()).collect();
        let mut part = Part {
            shape: self.input(),
            inputs: encoder.encode(&dataset.examples, &all),
            targets: Targets::classes(vec![0; all.len()], 1),
            groups: None,
        };
        self.scale().apply(&mut part);
        Ok(part.inputs)
    }

    /// The answers in the networks' own order and scale.
    fn targets_of(&self, dataset: &Dataset, name: &str) -> Result<Targets, DataError> {
        let refused = |problem: String| DataError::format(name, problem);
        let mut targets = dataset.examples.targets.clone();
        match (self.answers(), dataset.task(), &mut targets) {
            (
                Answers::Classes { names },
                Task::Classes(found),
                Targets::Classes { labels, classes },
            ) => {
                let places = places(found.names(), names, "class").map_err(refused)?;
                for label in labels {
                    *label = places[*label as usize] as u32;
                }
                *classes = names.len();
            }
            (Answers::Labels { names }, Task::Labels(found), Targets::Labels { flags, labels }) => {
                let places = places(found, names, "label").map_err(refused)?;
                let mut ordered = vec![false; flags.len() / *labels * names.len()];
                for (row, known) in flags.chunks(*labels).zip(ordered.chunks_mut(names.len())) {
                    for (&flag, &place) in row.iter().zip(&places) {
                        known[place] = flag;
                    }
                }
                (*flags, *labels) = (ordered, names.len());
            }
            (
                Answers::Numbers {
                    names,
                    mean,
                    deviation,
                },
                Task::Numbers(found),
                Targets::Numbers { .. },
            ) if found.len() == names.len() => {
                let scale = TargetScale {
                    mean: mean.clone(),
                    deviation: deviation.clone(),
                };
                scale.apply(&mut targets);
            }
            (answers, ..) => {
                let (found, count) = (targets.describe(), answers.names().len());
                let kind = match answers {
                    Answers::Classes { .. } => "classes",
                    Answers::Labels { .. } => "labels",
                    Answers::Numbers { .. } => "numbers",
                };
                let problem = format!("it has {found}, and the networks know {count} {kind}");
                return Err(refused(problem));
            }
        }
        Ok(targets)
    }
}

/// The place of each name among those that are known.
fn places(found: &[String], known: &[String], what: &str) -> Result<Vec<usize>, String> {
    let place = |name: &String| {
        let at = known.iter().position(|known| known == name);
        at.ok_or_else(|| {
            let known = known.join("`, `");
            format!("{what} `{name}` is none that the networks know: `{known}`")
        })
    };
    found.iter().map(place).collect()
}
