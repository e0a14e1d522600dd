//! All that a trained network has to know of its data: from files like the training file to inputs, and from outputs
//! to names and units. One piece of JSON, which a run keeps and exports carry.

use super::csv::{Column, Decimal, Delimiter, Role};
use super::dataset::Inputs;
use super::encode::Encoder;
use super::split::Scale;
use super::text::Vocabulary;
use super::{
    DataError, Dataset, Examples, Format, MAX_VALUES, Normaliser, Part, TargetScale, Targets, Task,
    asked,
};
use crate::architecture::Output;
use crate::layers::Shape;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The version of the JSON.
const VERSION: u32 = 1;

/// What turns new examples into a network's inputs and its outputs into answers, as training did. Read back from
/// JSON, it gives the same bits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preprocessing {
    version: u32,
    pub(super) file: FileForm,
    pub(super) input: Shape,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) columns: Vec<KnownColumn>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) tokens: Option<Vocabulary>,
    scale: Normaliser,
    output: Answers,
}

/// How a file of examples is read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct FileForm {
    /// The format of the training file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<Format>,
    /// Whether a table's columns have names.
    #[serde(skip_serializing_if = "is_false")]
    pub named_columns: bool,
    /// Whether the first row names the columns, if the experiment says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<bool>,
    /// What stands between cells, if the experiment says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<Delimiter>,
    /// What stands before a number's fraction, if the experiment says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decimal: Option<Decimal>,
    /// The column or field of the texts, if the experiment says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<Column>,
    /// The sizes of an example in a file of arrays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub array: Option<Vec<usize>>,
    /// Whether pictures are resized to the input.
    #[serde(skip_serializing_if = "is_false")]
    pub resizes: bool,
}

fn is_false(flag: &bool) -> bool {
    !flag
}

/// A column of the training table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum KnownColumn {
    /// A number, which becomes itself.
    Number {
        /// The column's name, or its number.
        name: String,
        /// What takes the place of a gap; nothing if a gap is an error.
        gap: Option<f64>,
        /// Whether a second value says where a gap was.
        marks_gaps: bool,
    },
    /// A category, which becomes a value for each that training knows: 1 for its own. Strangers are all zeros.
    Category {
        /// The column's name, or its number.
        name: String,
        /// The categories in the order of the values.
        categories: Vec<String>,
        /// What takes the place of a gap; nothing if a gap is an error.
        gap: Option<String>,
    },
    /// What is asked.
    Target {
        /// The column's name, or its number.
        name: String,
    },
    /// Of no interest.
    Ignored {
        /// The column's name, or its number.
        name: String,
    },
}

impl KnownColumn {
    /// The column's name, or its number.
    pub fn name(&self) -> &String {
        match self {
            Self::Number { name, .. }
            | Self::Category { name, .. }
            | Self::Target { name }
            | Self::Ignored { name } => name,
        }
    }

    /// Whether a network sees it.
    pub fn is_feature(&self) -> bool {
        matches!(self, Self::Number { .. } | Self::Category { .. })
    }

    /// Whether it is what is asked.
    pub fn is_target(&self) -> bool {
        matches!(self, Self::Target { .. })
    }

    /// The categories that training knows.
    pub fn categories(&self) -> &[String] {
        match self {
            Self::Category { categories, .. } => categories,
            _ => &[],
        }
    }

    /// Whether something takes the place of a gap.
    pub fn takes_gaps(&self) -> bool {
        match self {
            Self::Number { gap, .. } => gap.is_some(),
            Self::Category { gap, .. } => gap.is_some(),
            _ => true,
        }
    }

    /// How many values it becomes.
    pub fn width(&self) -> usize {
        match self {
            Self::Number { marks_gaps, .. } => 1 + usize::from(*marks_gaps),
            other => other.categories().len(),
        }
    }

    fn without_gaps(mut self) -> Self {
        match &mut self {
            Self::Number { gap, .. } => *gap = None,
            Self::Category { gap, .. } => *gap = None,
            _ => {}
        }
        self
    }
}

/// What a network's outputs are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Answers {
    /// Logits of classes; or one, of the second of two.
    Classes {
        /// The classes in the order of the logits.
        names: Vec<String>,
    },
    /// A logit for each label.
    Labels {
        /// The labels in the order of the logits.
        names: Vec<String>,
    },
    /// Numbers; `value * deviation + mean` is in the data's own units.
    Numbers {
        /// What they are called.
        names: Vec<String>,
        /// The mean of each.
        mean: Vec<f64>,
        /// The deviation of each.
        deviation: Vec<f64>,
    },
}

impl Answers {
    fn new(task: &Task, scale: Option<&TargetScale>) -> Self {
        match task {
            Task::Classes(classes) => Self::Classes {
                names: classes.names().to_vec(),
            },
            Task::Labels(names) => Self::Labels {
                names: names.clone(),
            },
            Task::Numbers(names) => {
                let identity = TargetScale::identity(names.len());
                let scale = scale.unwrap_or(&identity);
                Self::Numbers {
                    names: names.clone(),
                    mean: scale.mean.clone(),
                    deviation: scale.deviation.clone(),
                }
            }
        }
    }

    /// What the outputs are called: classes, labels or numbers.
    pub fn names(&self) -> &[String] {
        match self {
            Self::Classes { names } | Self::Labels { names } | Self::Numbers { names, .. } => names,
        }
    }

    fn suit(&self, output: Output) -> bool {
        let count = self.names().len();
        match self {
            Self::Classes { .. } => {
                output == Output::Classes(count) || (output == Output::Binary && count == 2)
            }
            Self::Labels { .. } => output == Output::Labels(count),
            Self::Numbers { .. } => output == Output::Regression(count),
        }
    }
}

/// New examples as a network takes them.
#[derive(Clone, Debug, PartialEq)]
pub struct NewExamples {
    /// The inputs, one example after the other.
    pub inputs: Vec<f32>,
    /// The file of each example, where each has one.
    pub files: Vec<String>,
}

impl Preprocessing {
    /// What a training part decided, with the scales that a network was trained on.
    pub(super) fn learnt(
        dataset: &Dataset,
        encoder: &Encoder,
        training: &[usize],
        scale: &Scale,
    ) -> Self {
        let mut file = dataset.file.clone();
        let mut columns = Vec::new();
        if let Some(table) = &dataset.table {
            file.named_columns = table.named;
            let mut features = encoder.known_columns(dataset, training).into_iter();
            columns = table
                .columns
                .iter()
                .map(|(name, role)| match role {
                    Role::Target => KnownColumn::Target { name: name.clone() },
                    Role::Ignored => KnownColumn::Ignored { name: name.clone() },
                    Role::Feature => {
                        let feature = features.next().expect("the encoder knows each feature");
                        if table.refuses_gaps {
                            feature.without_gaps()
                        } else {
                            feature
                        }
                    }
                })
                .collect();
        }
        Self {
            version: VERSION,
            file,
            input: encoder.shape(),
            columns,
            tokens: encoder.vocabulary(),
            scale: scale.inputs.clone(),
            output: Answers::new(dataset.task(), scale.targets.as_ref()),
        }
    }

    /// Reads what [`to_json`](Self::to_json) wrote; `name` is the text's name in messages.
    ///
    /// # Errors
    /// When it is something else, damaged, or written by a newer version.
    pub fn parse(name: &str, text: &[u8]) -> Result<Self, DataError> {
        #[derive(Deserialize)]
        struct Versioned {
            version: u32,
        }
        let broken = |error: &dyn std::fmt::Display| {
            DataError::format(
                name,
                format!("it is no preprocessing of a network: {error}"),
            )
        };
        let versioned: Versioned = serde_json::from_slice(text).map_err(|error| broken(&error))?;
        if versioned.version > VERSION {
            let found = versioned.version;
            let problem = format!(
                "version {found} is newer than this program reads (up to {VERSION}); use a newer strata"
            );
            return Err(DataError::format(name, problem));
        }
        let read: Self = serde_json::from_slice(text).map_err(|error| broken(&error))?;
        match read.nonsense() {
            None => Ok(read),
            Some(problem) => Err(broken(&problem)),
        }
    }

    /// As JSON, for people and programs.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("this is plain data");
        text.push('\n');
        text
    }

    /// What does not fit together.
    fn nonsense(&self) -> Option<&'static str> {
        let mut sizes = self.input.dimensions().into_iter();
        let elements = sizes.try_fold(1, usize::checked_mul);
        if !elements.is_some_and(|elements| (1..=MAX_VALUES).contains(&elements)) {
            return Some("its input has no values, or too many");
        }
        let format = self.file.format.map_or("", Format::name);
        if !self.columns.is_empty() && !asked::is_table(format) {
            return Some("columns are of tables, and its file is none");
        }
        let groups = self.input.features().unwrap_or(0);
        let Normaliser { mean, deviation } = &self.scale;
        if mean.len() != deviation.len() || !(mean.is_empty() || mean.len() == groups) {
            return Some("`scale` has not a mean and a deviation for each channel or feature");
        }
        let width: usize = self.columns.iter().map(KnownColumn::width).sum();
        if !self.columns.is_empty() && width != self.input.elements() {
            return Some("its columns give more or fewer values than its input has");
        }
        let gap_is_known = |column: &KnownColumn| match column {
            KnownColumn::Category {
                categories, gap, ..
            } => gap.as_ref().is_none_or(|gap| categories.contains(gap)),
            _ => true,
        };
        if !self.columns.iter().all(gap_is_known) {
            return Some("a gap becomes a category that is none");
        }
        let is_text = matches!(self.input, Shape::Tokens { .. });
        if is_text != self.tokens.is_some() {
            return Some("`tokens` are for texts, and texts need them");
        }
        if let (Some(tokens), Shape::Tokens { vocabulary, .. }) = (&self.tokens, self.input)
            && !tokens.fits(vocabulary)
        {
            return Some("it has more tokens than its vocabulary");
        }
        match &self.output {
            Answers::Numbers {
                names,
                mean,
                deviation,
            } if mean.len() != names.len() || deviation.len() != names.len() => {
                Some("`output` has not a mean and a deviation for each number")
            }
            answers if answers.names().is_empty() => Some("`output` has no names"),
            _ => None,
        }
    }

    /// The shape of an input.
    pub fn input(&self) -> Shape {
        self.input
    }

    /// The columns of the training table; none where the data is no table.
    pub fn columns(&self) -> &[KnownColumn] {
        &self.columns
    }

    /// What makes tokens of texts, where inputs are texts.
    pub fn vocabulary(&self) -> Option<&Vocabulary> {
        self.tokens.as_ref()
    }

    /// What inputs are scaled by.
    pub fn scale(&self) -> &Normaliser {
        &self.scale
    }

    /// What outputs mean.
    pub fn answers(&self) -> &Answers {
        &self.output
    }

    /// Whether a network that takes and gives this can have been trained so.
    pub fn suits(&self, input: Shape, output: Output) -> bool {
        self.input == input && self.output.suit(output)
    }

    /// Reads a file like the training file. Targets in it are passed over, and need not be there.
    ///
    /// # Errors
    /// When it can't be read, or its examples are unlike those of training.
    pub fn read(&self, path: &Path) -> Result<NewExamples, DataError> {
        let asked::Questions { inputs, files } = asked::read(self, path)?;
        let count = match &inputs {
            Inputs::Values(values) => values.len() / self.values_asked(),
            Inputs::Texts(texts) => texts.len(),
        };
        let encoder = Encoder::known(self);
        encoder.check_size(&path.display().to_string(), count)?;
        let nobody_knows = Targets::classes(vec![0; count], 1);
        let examples = Examples::new(inputs, nobody_knows.clone());
        let all: Vec<usize> = (0..count).collect();
        let mut part = Part {
            shape: self.input,
            inputs: encoder.encode(&examples, &all),
            targets: nobody_knows,
            groups: None,
        };
        self.scale.apply(&mut part);
        Ok(NewExamples {
            inputs: part.inputs,
            files,
        })
    }

    /// How many values of an example a file has, before they are encoded.
    fn values_asked(&self) -> usize {
        match &self.columns[..] {
            [] => self.input.elements(),
            columns => columns.iter().filter(|column| column.is_feature()).count(),
        }
    }
}
