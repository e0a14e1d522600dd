//! Datasets of arrays: what `.npy` and `.npz` have in common.

use super::npy::Array;
use super::{Files, idx, npy};
use crate::data::classes::whole_number;
use crate::data::csv::{Column, TaskKind};
use crate::data::keys::{KeyColumn, RowKeys};
use crate::data::{
    Asked, Classes, DataError, Dataset, Examples, MAX_CLASSES, Questions, Targets, Task,
};
use crate::layers::Shape;
use std::collections::BTreeMap;
use std::path::Path;

/// An array with its name in messages.
pub(super) type Named = (Array, String);

/// The arrays of some examples.
pub(super) struct Set {
    pub inputs: Named,
    pub targets: Named,
    /// Arrays of groups and times, if there are any.
    pub group: Option<Named>,
    pub time: Option<Named>,
}

/// A dataset of inputs and targets, and of those that test and validate if there are any.
pub(super) fn dataset(
    files: &Files<'_>,
    training: Set,
    test: Option<Set>,
    validation: Option<Set>,
) -> Result<Dataset, DataError> {
    for set in [Some(&training), test.as_ref(), validation.as_ref()] {
        set.map_or(Ok(()), |set| check_counts(&set.inputs, &set.targets))?;
    }
    let inputs = &training.inputs;
    let layout = Layout::of(inputs)?;
    let shape = files.shape(layout.shape, &inputs.1)?;
    let task = task(files.task(), &training.targets)?;
    let follow = |set: Option<Set>| {
        let set = set.map(|set| {
            if set.inputs.0.shape[1..] != inputs.0.shape[1..] {
                let (here, there) = (&set.inputs.0.shape[1..], &inputs.0.shape[1..]);
                return Err(DataError::ColumnsDiffer {
                    difference: format!("examples of {here:?} instead of {there:?}"),
                    file: set.inputs.1,
                });
            }
            set.examples(layout, &task)
        });
        set.transpose()
    };
    let (test, validation) = (follow(test)?, follow(validation)?);
    let examples = training.examples(layout, &task)?;
    let sizes = &inputs.0.shape[1..];
    let dataset = Dataset::new(files.stem(), shape, task, examples, test)?;
    Ok(dataset.validated_by(validation)?.of_arrays(sizes))
}

impl Set {
    fn examples(&self, layout: Layout, task: &Task) -> Result<Examples, DataError> {
        let targets = targets_of(task, &self.targets)?;
        let key = |array: &Option<Named>| {
            let (count, inputs) = (self.inputs.0.len(), &self.inputs.1);
            let key = array.as_ref().map(|array| key_column(array, count, inputs));
            key.transpose()
        };
        let keys = RowKeys {
            group: key(&self.group)?,
            time: key(&self.time)?,
            ignored: Vec::new(),
        };
        Ok(Examples::of_values(layout.values(&self.inputs)?, targets).keyed(keys))
    }
}

/// An array of one number an example, as what the `count` examples of the file `inputs` are divided by.
pub(super) fn key_column(
    (array, file): &Named,
    count: usize,
    inputs: &str,
) -> Result<KeyColumn, DataError> {
    if array.len() != count {
        let found = array.len();
        let problem = format!(
            "{found} numbers for the {count} examples of {inputs}; are they of the same set?"
        );
        return Err(DataError::format(file, problem));
    }
    if array.width() != 1 {
        let width = array.width();
        let problem = format!("{width} numbers an example, where rows are divided by one");
        return Err(DataError::format(file, problem));
    }
    let name = Path::new(file).file_name().unwrap_or_default();
    let mut column = KeyColumn::new(name.to_string_lossy(), file);
    for (index, value) in array.values().enumerate() {
        // No gap is among numbers, and NaN says nothing.
        let text = if value.is_nan() {
            String::new()
        } else {
            value.to_string()
        };
        column.push_said(&text, index as u64 + 1)?;
    }
    Ok(column)
}

/// The file that a setting of arrays names: in NumPy's format or, with another ending, in IDX.
pub(super) fn named_file(
    files: &Files<'_>,
    column: Option<&Column>,
    key: &'static str,
) -> Result<Option<Named>, DataError> {
    let path = match column {
        None => return Ok(None),
        Some(Column::Name(path)) => Path::new(path),
        Some(Column::Number(number)) => {
            let problem =
                format!("{number} is no file; name one that has a number for each example");
            return Err(DataError::setting(key, problem));
        }
    };
    let name = files.name(path);
    let plain = name.to_lowercase();
    let array = if plain.trim_end_matches(".gz").ends_with(".npy") {
        npy::read(files.open(path)?, &name)?
    } else {
        idx::read(files.open(path)?, &name)?.into_array()
    };
    Ok(Some((array, name)))
}

/// Inputs that are asked about.
pub(super) fn questions(asked: &Asked<'_>, inputs: &Named) -> Result<Questions, DataError> {
    asked.refuse_unlike("examples", &inputs.0.shape[1..])?;
    Ok(Layout::of(inputs)?.values(inputs)?.into())
}

fn check_counts(inputs: &Named, targets: &Named) -> Result<(), DataError> {
    let (inputs, images) = (&inputs.0, inputs.1.clone());
    if inputs.len() == targets.0.len() {
        return Ok(());
    }
    Err(DataError::CountMismatch {
        images,
        image_count: inputs.len(),
        labels: targets.1.clone(),
        label_count: targets.0.len(),
    })
}

/// How an array's values become an example's.
#[derive(Clone, Copy)]
struct Layout {
    shape: Shape,
    /// Whether channels are the last dimension in the file.
    channels_last: bool,
}

impl Layout {
    /// Pictures with channels have them first, unless only the last size is one of 1, 3 and 4.
    fn of((array, file): &Named) -> Result<Self, DataError> {
        let plain = |shape| Self {
            shape,
            channels_last: false,
        };
        let is_colour = |size: usize| matches!(size, 1 | 3 | 4);
        match array.shape[1..] {
            [features] => Ok(plain(Shape::Vector { features })),
            [height, width] => Ok(plain(Shape::Image {
                channels: 1,
                height,
                width,
            })),
            [height, width, channels] if is_colour(channels) && !is_colour(height) => Ok(Self {
                shape: Shape::Image {
                    channels,
                    height,
                    width,
                },
                channels_last: true,
            }),
            [channels, height, width] => Ok(plain(Shape::Image {
                channels,
                height,
                width,
            })),
            _ => {
                let found = array.shape.len();
                let problem = format!("{found} dimensions, where 2 to 4 are inputs");
                Err(DataError::format(file, problem))
            }
        }
    }

    fn values(&self, (array, file): &Named) -> Result<Vec<f32>, DataError> {
        let mut out = Vec::with_capacity(array.len() * array.width());
        for (index, value) in array.values().enumerate() {
            let value = value as f32;
            if !value.is_finite() {
                return Err(not_finite(file, index / array.width(), value));
            }
            out.push(value);
        }
        if self.channels_last {
            self.move_channels(&mut out);
        }
        Ok(out)
    }

    fn move_channels(&self, values: &mut [f32]) {
        let size = self.shape.elements();
        let channels = self.shape.features().unwrap_or(1);
        let pixels = size / channels;
        let mut moved = vec![0.0; size];
        for example in values.chunks_exact_mut(size) {
            for (place, &value) in example.iter().enumerate() {
                moved[place % channels * pixels + place / channels] = value;
            }
            example.copy_from_slice(&moved);
        }
    }
}

fn not_finite(file: &str, example: usize, value: f32) -> DataError {
    let problem = format!(
        "example {} holds {value}, which is not finite in 32 bits; drop it or fill it in",
        example + 1
    );
    DataError::format(file, problem)
}

fn task(kind: TaskKind, (targets, file): &Named) -> Result<Task, DataError> {
    let names = || (1..=targets.width()).map(|n| n.to_string()).collect();
    match kind {
        TaskKind::Regression => Ok(Task::Numbers(names())),
        TaskKind::MultiLabel => Ok(Task::Labels(names())),
        TaskKind::Classification => {
            if targets.width() != 1 {
                let width = targets.width();
                let problem = format!(
                    "{width} targets an example, where a class is one; for several, say \
                     `task = \"multi_label\"` or `task = \"regression\"`"
                );
                return Err(DataError::format(file, problem));
            }
            let mut known = BTreeMap::new();
            for (index, value) in targets.values().enumerate() {
                known.entry(value.to_bits()).or_insert((index, value));
                if known.len() > MAX_CLASSES {
                    let found = format!("more than {MAX_CLASSES}");
                    return Err(DataError::too_large(file, "classes", found, MAX_CLASSES));
                }
            }
            let whole = |(index, value): &(usize, f64)| match whole_number(&value.to_string()) {
                Some(number) => Ok(number.to_string()),
                None => Err(no_class(file, *index, *value)),
            };
            let names: Vec<String> = known.values().map(whole).collect::<Result<_, _>>()?;
            Ok(Task::Classes(Classes::from_labels(
                names.iter().map(String::as_str),
            )))
        }
    }
}

fn no_class(file: &str, index: usize, value: f64) -> DataError {
    let problem = format!(
        "example {} has the label {value}, which is no whole number; \
         for a regression, say `task = \"regression\"`",
        index + 1
    );
    DataError::format(file, problem)
}

fn targets_of(task: &Task, (array, file): &Named) -> Result<Targets, DataError> {
    match task {
        Task::Classes(classes) => {
            let mut known: BTreeMap<u64, u32> = BTreeMap::new();
            let mut labels = Vec::with_capacity(array.len());
            for (index, value) in array.values().enumerate() {
                let label = match known.get(&value.to_bits()) {
                    Some(&label) => label,
                    None => {
                        let label = class_of(classes, file, index, value)?;
                        known.insert(value.to_bits(), label);
                        label
                    }
                };
                labels.push(label);
            }
            Ok(Targets::classes(labels, classes.len()))
        }
        Task::Numbers(names) => {
            let mut values = Vec::with_capacity(array.len() * names.len());
            for (index, value) in array.values().enumerate() {
                let value = value as f32;
                if !value.is_finite() {
                    return Err(not_finite(file, index / names.len().max(1), value));
                }
                values.push(value);
            }
            check_width(array, names.len(), file)?;
            Ok(Targets::numbers(values, names.len()))
        }
        Task::Labels(names) => {
            check_width(array, names.len(), file)?;
            let flag = |(index, value): (usize, f64)| match value {
                0.0 => Ok(false),
                1.0 => Ok(true),
                _ => {
                    let example = index / names.len() + 1;
                    let problem =
                        format!("example {example} has the flag {value}, which is neither 0 nor 1");
                    Err(DataError::format(file, problem))
                }
            };
            let flags = array.values().enumerate().map(flag);
            Ok(Targets::Labels {
                flags: flags.collect::<Result<_, _>>()?,
                labels: names.len(),
            })
        }
    }
}

fn check_width(array: &Array, wanted: usize, file: &str) -> Result<(), DataError> {
    if array.width() == wanted {
        return Ok(());
    }
    let found = array.width();
    let problem = format!("{found} targets an example instead of {wanted} as in training");
    Err(DataError::format(file, problem))
}

fn class_of(classes: &Classes, file: &str, index: usize, value: f64) -> Result<u32, DataError> {
    let label = whole_number(&value.to_string()).ok_or_else(|| no_class(file, index, value))?;
    classes.index(&label.to_string()).ok_or_else(|| {
        let advice = classes.advice(&label.to_string());
        let problem = format!(
            "example {} has the label {label}, which is not in the training file; {advice}",
            index + 1
        );
        DataError::format(file, problem)
    })
}
