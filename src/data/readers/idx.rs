//! IDX files, the format of MNIST: a header of sizes, then unsigned bytes.

use super::npy::Array;
use super::{Files, FormatInfo, Reader, arrays};
use crate::data::keys::RowKeys;
use crate::data::{
    Asked, Classes, Column, DataError, Dataset, Examples, MAX_VALUES, Place, Questions, Targets,
    Task, input, memory,
};
use crate::layers::Shape;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The element type of unsigned bytes, the only one in use for pictures.
const UNSIGNED_BYTE: u8 = 0x08;

/// The format of MNIST: pictures in one file, labels in another.
pub(super) struct IdxReader;

impl Reader for IdxReader {
    fn describe(&self) -> &'static FormatInfo {
        &FormatInfo {
            name: "idx",
            endings: &["idx", "idx1", "idx3", "idx3-ubyte", "idx1-ubyte"],
            about: "the format of MNIST: pictures of bytes, with the labels in a second file",
            settings: &[
                "labels",
                "test_labels",
                "validation_labels",
                "shape",
                "split.group",
                "split.test_group",
                "split.validation_group",
                "split.time",
            ],
        }
    }

    fn recognises(&self, _path: &Path, name: &str) -> bool {
        let ending = name.rsplit('.').next().unwrap_or_default();
        // The originals are called `train-images-idx3-ubyte`, without any dot.
        ending.starts_with("idx") || ending.ends_with("-ubyte")
    }

    fn read(&self, files: &Files<'_>) -> Result<Dataset, DataError> {
        let train_labels = files.source.labels.as_deref();
        let (pictures, labels) = pair(files, files.train, train_labels, "labels")?;
        let classes = classes(&labels);
        let file = files.name(files.train);
        let shape = files.shape(pictures.shape(&file)?, &file)?;
        let (source, split) = (files.source, files.source.split_columns());
        let follow = |path: &Path, labels: &Option<PathBuf>, key, group: &Option<Column>| {
            let examples =
                further_examples(files, path, (labels.as_deref(), key), &pictures, &classes)?;
            keyed(files, path, examples, (group.as_ref(), None))
        };
        let validation = files.validation().map(|path| {
            let labels = &source.validation_labels;
            follow(path, labels, "validation_labels", &split.validation_group)
        });
        let validation = validation.transpose()?;
        let test = match files.test() {
            Some(test) => {
                let labels = &source.test_labels;
                Some(follow(test, labels, "test_labels", &split.test_group)?)
            }
            None if files.source.test_labels.is_some() => {
                let problem = "there is no `test` they belong to";
                return Err(DataError::setting("test_labels", problem));
            }
            None => None,
        };
        let label_file = files.name(train_labels.unwrap_or(files.train));
        let examples = examples(&pictures, &labels, &classes, &label_file)?;
        let keys = (split.group.as_ref(), split.time.as_ref());
        let examples = keyed(files, files.train, examples, keys)?;
        let dataset = Dataset::new(files.stem(), shape, Task::Classes(classes), examples, test)?;
        Ok(dataset
            .validated_by(validation)?
            .of_arrays(&pictures.dimensions[1..]))
    }

    fn questions(&self, asked: &Asked<'_>) -> Result<Questions, DataError> {
        let pictures = read(asked.open()?, &asked.name())?;
        asked.refuse_unlike("pictures", &pictures.dimensions[1..])?;
        Ok(pictures.inputs().into())
    }
}

/// Examples with what they are divided by, which other files hold.
fn keyed(
    files: &Files<'_>,
    path: &Path,
    examples: Examples,
    (group, time): (Option<&Column>, Option<&Column>),
) -> Result<Examples, DataError> {
    let column = |column, key| {
        let array = arrays::named_file(files, column, key)?;
        let column =
            array.map(|array| arrays::key_column(&array, examples.len(), &files.name(path)));
        column.transpose()
    };
    let keys = RowKeys {
        group: column(group, "split.group")?,
        time: column(time, "split.time")?,
        ignored: Vec::new(),
    };
    Ok(examples.keyed(keys))
}

/// Examples that test or validate, with their labels in the file that the setting `key` names.
fn further_examples(
    files: &Files<'_>,
    test: &Path,
    (label_file, key): (Option<&Path>, &'static str),
    training: &Idx,
    classes: &Classes,
) -> Result<Examples, DataError> {
    let (pictures, labels) = pair(files, test, label_file, key)?;
    if pictures.dimensions[1..] != training.dimensions[1..] {
        let (here, there) = (&pictures.dimensions[1..], &training.dimensions[1..]);
        return Err(DataError::ColumnsDiffer {
            file: files.name(test),
            difference: format!("pictures of {here:?} instead of {there:?}"),
        });
    }
    let label_file = files.name(label_file.unwrap_or(test));
    examples(&pictures, &labels, classes, &label_file)
}

/// The inputs in the file `inputs` and the labels in the file that the setting `key` names.
fn pair(
    files: &Files<'_>,
    inputs: &Path,
    labels: Option<&Path>,
    key: &'static str,
) -> Result<(Idx, Vec<u8>), DataError> {
    let labels = labels.ok_or_else(|| no_labels(inputs, key))?;
    let read = |path: &Path| read(files.open(path)?, &files.name(path));
    let pictures = read(inputs)?;
    let file = files.name(labels);
    let labels = read(labels)?.into_labels(&file, pictures.len(), &files.name(inputs))?;
    Ok((pictures, labels))
}

/// The error of a file of inputs without a file of targets.
pub(super) fn no_labels(inputs: &Path, key: &'static str) -> DataError {
    let inputs = inputs.display();
    let problem = format!("`{inputs}` holds no labels; name the file that does");
    DataError::setting(key, problem)
}

fn examples(
    pictures: &Idx,
    labels: &[u8],
    classes: &Classes,
    label_file: &str,
) -> Result<Examples, DataError> {
    let labels = class_numbers(labels, classes, label_file)?;
    let targets = Targets::classes(labels, classes.len());
    Ok(Examples::of_values(pictures.inputs(), targets))
}

/// The contents of an IDX file of unsigned bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Idx {
    /// The sizes, the number of examples first.
    pub dimensions: Vec<usize>,
    /// The elements in row-major order.
    pub bytes: Vec<u8>,
}

/// Reads a whole IDX file from `reader`; `file` is its name in messages.
///
/// # Errors
/// When the header is no IDX header of unsigned bytes, claims more than [`MAX_VALUES`], or doesn't
/// agree with the number of bytes that follow it.
pub(super) fn read(mut reader: impl Read, file: &str) -> Result<Idx, DataError> {
    let magic = header_word(&mut reader, file)?;
    let rank = rank(magic, file)?;
    let mut dimensions = Vec::with_capacity(rank);
    for _ in 0..rank {
        dimensions.push(u32::from_be_bytes(header_word(&mut reader, file)?) as usize);
    }
    let expected = elements(&dimensions, file)?;
    let bytes = body(reader, expected, file)?;
    Ok(Idx { dimensions, bytes })
}

fn header_word(reader: &mut impl Read, file: &str) -> Result<[u8; 4], DataError> {
    let mut word = [0; 4];
    reader
        .read_exact(&mut word)
        .map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => {
                DataError::format(file, "it ends within its header; is the download complete?")
            }
            _ => input::read_error(Path::new(file), error),
        })?;
    Ok(word)
}

/// The number of dimensions that the first four bytes promise.
fn rank(magic: [u8; 4], file: &str) -> Result<usize, DataError> {
    match magic {
        [0, 0, UNSIGNED_BYTE, rank @ 1..=4] => Ok(usize::from(rank)),
        [0, 0, UNSIGNED_BYTE, rank] => Err(DataError::format(
            file,
            format!("{rank} dimensions, where 1 to 4 are understood"),
        )),
        [0, 0, kind @ 0x09..=0x0e, _] => Err(DataError::format(
            file,
            format!(
                "its elements have type 0x{kind:02x}, where only unsigned bytes (0x08) are read"
            ),
        )),
        [a, b, c, d] => Err(DataError::format(
            file,
            format!(
                "it starts with {a:02x} {b:02x} {c:02x} {d:02x}, \
                 where an IDX file of bytes starts with 00 00 08; is it another format?"
            ),
        )),
    }
}

/// The number of elements, refused before any memory is taken for them.
fn elements(dimensions: &[usize], file: &str) -> Result<usize, DataError> {
    if dimensions.contains(&0) {
        return Err(DataError::Empty {
            file: file.to_owned(),
        });
    }
    let product = dimensions
        .iter()
        .try_fold(1usize, |product, &size| product.checked_mul(size));
    match product {
        Some(count) if count <= MAX_VALUES => {
            memory::check(file, count)?;
            Ok(count)
        }
        _ => {
            let sizes: Vec<String> = dimensions.iter().map(ToString::to_string).collect();
            Err(DataError::too_large(
                file,
                "values",
                sizes.join("x"),
                MAX_VALUES,
            ))
        }
    }
}

/// Exactly `expected` bytes to the end of the file. Memory grows with what is really there, not with
/// what the header claims.
fn body(reader: impl Read, expected: usize, file: &str) -> Result<Vec<u8>, DataError> {
    let mut bytes = Vec::new();
    let mut limited = reader.take(expected as u64 + 1);
    limited
        .read_to_end(&mut bytes)
        .map_err(|error| input::read_error(Path::new(file), error))?;
    if bytes.len() < expected {
        let found = bytes.len();
        let problem = format!(
            "its header promises {expected} bytes but {found} follow; is the download complete?"
        );
        return Err(DataError::format(file, problem));
    }
    if bytes.len() > expected {
        let problem = format!("bytes follow after the {expected} that its header promises");
        return Err(DataError::format(file, problem));
    }
    Ok(bytes)
}

impl Idx {
    /// The same as an array of numbers.
    pub fn into_array(self) -> Array {
        Array::of_bytes(self.dimensions, self.bytes)
    }

    /// The number of examples.
    pub fn len(&self) -> usize {
        self.dimensions[0]
    }

    /// The shape of one example: `n x h x w` are pictures of one channel.
    ///
    /// # Errors
    /// When there is only one dimension: these are labels.
    pub fn shape(&self, file: &str) -> Result<Shape, DataError> {
        match self.dimensions[1..] {
            [features] => Ok(Shape::Vector { features }),
            [height, width] => Ok(Shape::Image {
                channels: 1,
                height,
                width,
            }),
            [channels, height, width] => Ok(Shape::Image {
                channels,
                height,
                width,
            }),
            _ => Err(DataError::format(
                file,
                "it holds labels, where pictures are needed",
            )),
        }
    }

    /// The elements as numbers from 0 to 255.
    pub fn inputs(&self) -> Vec<f32> {
        self.bytes.iter().map(|&byte| f32::from(byte)).collect()
    }

    /// The elements as labels, one for each of the `examples` in the file `inputs`.
    ///
    /// # Errors
    /// When there is more than one dimension, or not one label an example.
    pub fn into_labels(
        self,
        file: &str,
        examples: usize,
        inputs: &str,
    ) -> Result<Vec<u8>, DataError> {
        if self.dimensions.len() != 1 {
            return Err(DataError::format(
                file,
                "it holds pictures, where labels are needed",
            ));
        }
        if self.bytes.len() != examples {
            return Err(DataError::CountMismatch {
                images: inputs.to_owned(),
                image_count: examples,
                labels: file.to_owned(),
                label_count: self.bytes.len(),
            });
        }
        Ok(self.bytes)
    }
}

/// The classes that occur among `labels`.
pub(super) fn classes(labels: &[u8]) -> Classes {
    let mut used = [false; 256];
    labels
        .iter()
        .for_each(|&label| used[usize::from(label)] = true);
    let names: Vec<String> = (0..256)
        .filter(|&n| used[n])
        .map(|n| n.to_string())
        .collect();
    Classes::from_labels(names.iter().map(String::as_str))
}

/// The class of each of `labels`.
///
/// # Errors
/// When one is none of `classes`.
pub(super) fn class_numbers(
    labels: &[u8],
    classes: &Classes,
    file: &str,
) -> Result<Vec<u32>, DataError> {
    let known: Vec<Option<u32>> = (0..=u8::MAX)
        .map(|n| classes.index(&n.to_string()))
        .collect();
    let class_of = |(index, &label): (usize, &u8)| {
        known[usize::from(label)].ok_or_else(|| DataError::Label {
            place: Place {
                file: file.to_owned(),
                line: 1,
                column: index + 1,
            },
            label: label.to_string(),
            problem: format!(
                "is not in the training file; {}",
                classes.advice(&label.to_string())
            ),
        })
    };
    labels.iter().enumerate().map(class_of).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// An IDX file of `dimensions` and `bytes`, whether or not they agree.
    pub fn file(dimensions: &[u32], bytes: &[u8]) -> Vec<u8> {
        let mut out = vec![0, 0, UNSIGNED_BYTE, dimensions.len() as u8];
        dimensions
            .iter()
            .for_each(|size| out.extend(size.to_be_bytes()));
        out.extend(bytes);
        out
    }

    fn error(bytes: &[u8]) -> String {
        read(bytes, "x.idx").unwrap_err().to_string()
    }

    #[test]
    fn pictures_and_labels_are_read() {
        let images = read(&file(&[2, 1, 3], &[1, 2, 3, 4, 5, 255])[..], "x.idx").unwrap();
        assert_eq!(images.len(), 2);
        assert_eq!(
            images.shape("x").unwrap(),
            Shape::Image {
                channels: 1,
                height: 1,
                width: 3
            }
        );
        assert_eq!(images.inputs(), [1.0, 2.0, 3.0, 4.0, 5.0, 255.0]);
        let labels = read(&file(&[2], &[9, 3])[..], "y.idx").unwrap();
        let labels = labels.into_labels("y.idx", 2, "x.idx").unwrap();
        let classes = classes(&labels);
        assert_eq!(classes.names(), ["3", "9"]);
        assert_eq!(class_numbers(&labels, &classes, "y").unwrap(), [1, 0]);
    }

    #[test]
    fn four_dimensions_are_pictures_with_channels() {
        let images = read(&file(&[1, 3, 1, 2], &[0; 6])[..], "x").unwrap();
        assert_eq!(
            images.shape("x").unwrap(),
            Shape::Image {
                channels: 3,
                height: 1,
                width: 2
            }
        );
    }

    #[test]
    fn another_format_is_recognised_as_such() {
        assert!(error(b"\x89PNG....").contains("starts with 89 50 4e 47"));
        assert!(error(&[0, 0, 0x0d, 1, 0, 0, 0, 1]).contains("elements have type 0x0d"));
        assert!(error(&[0, 0, 8, 0]).contains("0 dimensions"));
        assert!(error(&[0, 0, 8, 9]).contains("9 dimensions"));
    }

    #[test]
    fn cut_and_overlong_files_are_refused() {
        assert!(error(&[0, 0]).contains("ends within its header"));
        assert!(error(&file(&[2, 2], &[])[..8]).contains("ends within its header"));
        assert!(error(&file(&[3], &[1, 2])).contains("promises 3 bytes but 2 follow"));
        assert!(error(&file(&[3], &[1, 2, 3, 4])).contains("bytes follow after the 3"));
        assert!(error(&file(&[0, 8, 8], &[])).contains("no examples"));
    }

    #[test]
    fn a_hostile_header_is_refused_before_memory_is_taken() {
        let claims = error(&file(&[u32::MAX; 4], &[]));
        assert!(
            claims.contains("4294967295x4294967295x4294967295x4294967295 values"),
            "{claims}"
        );
        assert!(error(&file(&[1 << 29], &[0; 16])).contains("but 16 follow"));
        assert!(error(&file(&[(1 << 29) + 1], &[])).contains("at most 536870912 are allowed"));
    }

    #[test]
    fn labels_must_match_the_pictures() {
        let labels = || read(&file(&[2], &[0, 1])[..], "y").unwrap();
        let fault = labels().into_labels("y", 3, "x").unwrap_err().to_string();
        assert!(
            fault.starts_with("x holds 3 examples but y holds 2 labels"),
            "{fault}"
        );
        let images = read(&file(&[2, 1, 1], &[0, 1])[..], "x").unwrap();
        assert!(
            images
                .into_labels("x", 2, "x")
                .unwrap_err()
                .to_string()
                .contains("holds pictures")
        );
        assert!(
            labels()
                .shape("y")
                .unwrap_err()
                .to_string()
                .contains("holds labels")
        );
    }

    #[test]
    fn a_label_that_training_lacks_is_placed() {
        let fault = class_numbers(&[0, 7], &classes(&[0, 1]), "y")
            .unwrap_err()
            .to_string();
        assert!(
            fault.starts_with("y:1:2: label `7` is not in the training file"),
            "{fault}"
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn a_changed_file_is_read_or_refused(
            at in 0usize..30, byte in any::<u8>(), cut in 0usize..40,
        ) {
            let mut bytes = file(&[2, 3, 3], &[5; 18]);
            let at = at % bytes.len();
            bytes[at] = byte;
            bytes.truncate(cut.min(bytes.len()));
            if let Ok(idx) = read(&bytes[..], "x") {
                prop_assert_eq!(idx.dimensions.iter().product::<usize>(), idx.bytes.len());
            }
        }
    }
}
