//! NumPy's array files: `.npy`, one array each.

use super::arrays::{self, Set};
use super::idx::no_labels;
use super::{Files, FormatInfo, Reader};
use crate::data::{
    Asked, Column, DataError, Dataset, MAX_FILE_BYTES, MAX_VALUES, Questions, input, memory,
};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The first bytes of every array file.
const MAGIC: &[u8; 6] = b"\x93NUMPY";

/// The longest header that is read; NumPy's own are below a kilobyte.
const LONGEST_HEADER: usize = 1 << 16;

/// The settings of arrays and pictures with targets in files of their own.
const ARRAY_SETTINGS: &[&str] = &[
    "labels",
    "test_labels",
    "validation_labels",
    "shape",
    "task",
    "split.group",
    "split.test_group",
    "split.validation_group",
    "split.time",
];

/// One array a file, inputs and targets apart.
pub(super) struct NpyReader;

impl Reader for NpyReader {
    fn describe(&self) -> &'static FormatInfo {
        &FormatInfo {
            name: "npy",
            endings: &["npy"],
            about: "a NumPy array of inputs, with the targets in a second file",
            settings: ARRAY_SETTINGS,
        }
    }

    fn read(&self, files: &Files<'_>) -> Result<Dataset, DataError> {
        let array = |path: &Path| {
            let name = files.name(path);
            Ok::<_, DataError>((read(files.open(path)?, &name)?, name))
        };
        let (source, split) = (files.source, files.source.split_columns());
        let set = |inputs: &Path, labels: &Option<PathBuf>, key, group: &Option<Column>| {
            let targets = labels.as_deref().ok_or_else(|| no_labels(inputs, key))?;
            Ok::<_, DataError>(Set {
                inputs: array(inputs)?,
                targets: array(targets)?,
                group: arrays::named_file(files, group.as_ref(), "split.group")?,
                time: None,
            })
        };
        let mut training = set(files.train, &source.labels, "labels", &split.group)?;
        training.time = arrays::named_file(files, split.time.as_ref(), "split.time")?;
        let test = files.test();
        let test =
            test.map(|test| set(test, &source.test_labels, "test_labels", &split.test_group));
        let validation = files.validation().map(|validation| {
            let labels = &source.validation_labels;
            set(
                validation,
                labels,
                "validation_labels",
                &split.validation_group,
            )
        });
        arrays::dataset(files, training, test.transpose()?, validation.transpose()?)
    }

    fn questions(&self, asked: &Asked<'_>) -> Result<Questions, DataError> {
        let name = asked.name();
        arrays::questions(asked, &(read(asked.open()?, &name)?, name))
    }
}

/// An array as it was read.
#[derive(Debug)]
pub(super) struct Array {
    /// The sizes, the number of examples first.
    pub shape: Vec<usize>,
    /// What its elements are.
    pub element: Element,
    bytes: Vec<u8>,
}

/// What an element is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Element {
    kind: Kind,
    size: usize,
    is_big_endian: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Bool,
    Unsigned,
    Signed,
    Float,
}

/// Reads an array; `file` is its name in messages.
///
/// # Errors
/// When the header is none, claims more than there is or may be, or the elements are no numbers.
pub(super) fn read(mut reader: impl Read, file: &str) -> Result<Array, DataError> {
    let mut start = [0; 8];
    fill(&mut reader, &mut start, file)?;
    if &start[..6] != MAGIC {
        let problem = "it does not start as a NumPy array does; is it another format?";
        return Err(DataError::format(file, problem));
    }
    let length = match start[6] {
        1 => {
            let mut length = [0; 2];
            fill(&mut reader, &mut length, file)?;
            usize::from(u16::from_le_bytes(length))
        }
        2 | 3 => {
            let mut length = [0; 4];
            fill(&mut reader, &mut length, file)?;
            u32::from_le_bytes(length) as usize
        }
        version => {
            let problem = format!("version {version} of the format, where 1 to 3 are understood");
            return Err(DataError::format(file, problem));
        }
    };
    if length > LONGEST_HEADER {
        let problem = format!("its header claims {length} bytes; is it damaged?");
        return Err(DataError::format(file, problem));
    }
    let mut header = vec![0; length];
    fill(&mut reader, &mut header, file)?;
    let header = String::from_utf8_lossy(&header).into_owned();
    let (element, shape) = parse(&header).map_err(|problem| DataError::format(file, problem))?;
    let count = elements(&shape, file)?;
    let bytes = body(reader, count * element.size, file)?;
    Ok(Array {
        shape,
        element,
        bytes,
    })
}

fn fill(reader: &mut impl Read, bytes: &mut [u8], file: &str) -> Result<(), DataError> {
    reader
        .read_exact(bytes)
        .map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => {
                DataError::format(file, "it ends within its header; is the download complete?")
            }
            _ => input::read_error(Path::new(file), error),
        })
}

fn elements(shape: &[usize], file: &str) -> Result<usize, DataError> {
    if shape.contains(&0) {
        let file = file.to_owned();
        return Err(DataError::Empty { file });
    }
    let product = shape
        .iter()
        .try_fold(1usize, |product, &size| product.checked_mul(size));
    match product {
        Some(count) if count <= MAX_VALUES => {
            memory::check(file, count)?;
            Ok(count)
        }
        _ => {
            let found = format!("{shape:?}");
            Err(DataError::too_large(file, "values", found, MAX_VALUES))
        }
    }
}

/// Exactly `expected` bytes. Memory grows with what is really there, not with what the header claims.
fn body(reader: impl Read, expected: usize, file: &str) -> Result<Vec<u8>, DataError> {
    let limit = (expected as u64).min(MAX_FILE_BYTES);
    let mut bytes = Vec::new();
    let read = reader.take(limit + 1).read_to_end(&mut bytes);
    read.map_err(|error| input::read_error(Path::new(file), error))?;
    if bytes.len() == expected {
        return Ok(bytes);
    }
    let problem = if bytes.len() < expected {
        let found = bytes.len();
        format!(
            "its header promises {expected} bytes but {found} follow; is the download complete?"
        )
    } else {
        format!("bytes follow after the {expected} that its header promises")
    };
    Err(DataError::format(file, problem))
}

/// What a header says: `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`.
fn parse(header: &str) -> Result<(Element, Vec<usize>), String> {
    let value = |key: &str| {
        let key = format!("'{key}':");
        let at = header.find(&key)? + key.len();
        Some(header[at..].trim_start())
    };
    let missing = || "its header is not NumPy's; is it damaged?".to_owned();
    let descr = value("descr").ok_or_else(missing)?;
    let descr = match descr.strip_prefix('\'') {
        Some(descr) => descr.split('\'').next().unwrap_or_default(),
        None => return Err("its elements are records; give one array of numbers".to_owned()),
    };
    if value("fortran_order")
        .ok_or_else(missing)?
        .starts_with("True")
    {
        let advice = "save `numpy.ascontiguousarray(array)`";
        return Err(format!("its elements lie column by column; {advice}"));
    }
    let shape = value("shape").and_then(|text| text.strip_prefix('('));
    let shape = shape
        .and_then(|text| text.split_once(')'))
        .ok_or_else(missing)?;
    let sizes = shape
        .0
        .split(',')
        .map(str::trim)
        .filter(|size| !size.is_empty());
    let sizes: Result<Vec<usize>, _> = sizes.map(str::parse).collect();
    let sizes = sizes.map_err(|_| missing())?;
    if sizes.is_empty() {
        return Err("it holds one number, where an array is needed".to_owned());
    }
    Ok((element(descr)?, sizes))
}

fn element(descr: &str) -> Result<Element, String> {
    let refuse = || {
        let advice = "save it as one of float32, float64, int and uint of up to 64 bits, or bool";
        Err(format!("its elements are `{descr}`; {advice}"))
    };
    let mut characters = descr.chars();
    let (order, kind) = (characters.next(), characters.next());
    let Ok(size) = characters.as_str().parse::<usize>() else {
        return refuse();
    };
    let kind = match (kind, size) {
        (Some('b'), 1) => Kind::Bool,
        (Some('u'), 1 | 2 | 4 | 8) => Kind::Unsigned,
        (Some('i'), 1 | 2 | 4 | 8) => Kind::Signed,
        (Some('f'), 4 | 8) => Kind::Float,
        (Some('O'), _) => {
            return Err("its elements are Python objects, which are never loaded; \
                        save numbers"
                .to_owned());
        }
        _ => return refuse(),
    };
    Ok(Element {
        kind,
        size,
        is_big_endian: order == Some('>'),
    })
}

impl Element {
    fn value(self, bytes: &[u8]) -> f64 {
        let mut word = [0; 8];
        word[..self.size].copy_from_slice(bytes);
        if self.is_big_endian {
            word[..self.size].reverse();
        }
        let unsigned = u64::from_le_bytes(word);
        let spare = 64 - 8 * self.size as u32;
        match (self.kind, self.size) {
            (Kind::Float, 4) => f64::from(f32::from_bits(unsigned as u32)),
            (Kind::Float, _) => f64::from_bits(unsigned),
            (Kind::Signed, _) => (((unsigned << spare) as i64) >> spare) as f64,
            _ => unsigned as f64,
        }
    }
}

impl Array {
    /// One unsigned byte an element.
    pub fn of_bytes(shape: Vec<usize>, bytes: Vec<u8>) -> Self {
        let element = Element {
            kind: Kind::Unsigned,
            size: 1,
            is_big_endian: false,
        };
        Self {
            shape,
            element,
            bytes,
        }
    }

    /// The number of examples.
    pub fn len(&self) -> usize {
        self.shape[0]
    }

    /// Values an example.
    pub fn width(&self) -> usize {
        self.shape[1..].iter().product()
    }

    /// The elements in their order.
    pub fn values(&self) -> impl Iterator<Item = f64> {
        let elements = self.bytes.chunks_exact(self.element.size);
        elements.map(|bytes| self.element.value(bytes))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// An array file with this description and shape.
    pub fn file(descr: &str, shape: &str, bytes: &[u8]) -> Vec<u8> {
        let header =
            format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({shape}), }}");
        let mut out = MAGIC.to_vec();
        out.extend([1, 0]);
        out.extend((header.len() as u16).to_le_bytes());
        out.extend(header.as_bytes());
        out.extend(bytes);
        out
    }

    fn values(descr: &str, bytes: &[u8]) -> Vec<f64> {
        let count = bytes.len() / descr[2..].parse::<usize>().unwrap();
        let array = read(&file(descr, &format!("{count},"), bytes)[..], "x").unwrap();
        array.values().collect()
    }

    #[test]
    fn numbers_of_every_type_and_order_are_read() {
        assert_eq!(values("<f4", &1.5f32.to_le_bytes()), [1.5]);
        assert_eq!(values(">f8", &(-2.5f64).to_be_bytes()), [-2.5]);
        assert_eq!(values("|u1", &[0, 255]), [0.0, 255.0]);
        assert_eq!(values("|i1", &[255]), [-1.0]);
        assert_eq!(values("<i2", &(-300i16).to_le_bytes()), [-300.0]);
        assert_eq!(values(">u4", &7u32.to_be_bytes()), [7.0]);
        assert_eq!(values("<i8", &(-9i64).to_le_bytes()), [-9.0]);
        assert_eq!(values("|b1", &[1, 0]), [1.0, 0.0]);
    }

    #[test]
    fn what_is_no_array_of_numbers_is_refused() {
        let error = |bytes: &[u8]| read(bytes, "x.npy").unwrap_err().to_string();
        let float = |shape: &str, bytes: &[u8]| file("<f4", shape, bytes);
        let cases = [
            (b"PK\x03\x04 other".to_vec(), "is it another format?"),
            (MAGIC.to_vec(), "ends within its header"),
            (float("2,", &[])[..20].to_vec(), "ends within its header"),
            (float("2,", &[0; 4]), "promises 8 bytes but 4 follow"),
            (float("1,", &[0; 9]), "bytes follow after the 4"),
            (float("0, 3", &[]), "no examples in it"),
            (float("", &[0; 4]), "it holds one number"),
            (float("-1,", &[0; 4]), "its header is not NumPy's"),
            (float("99999999999, 99999999999", &[]), "at most 536870912"),
            (float("1000000000,", &[]), "at most 536870912"),
            (file("<f2", "1,", &[0; 2]), "its elements are `<f2`"),
            (file("|O", "1,", &[0; 8]), "its elements are"),
            (
                file("|O8", "1,", &[0; 8]),
                "Python objects, which are never loaded",
            ),
        ];
        for (bytes, said) in cases {
            let fault = error(&bytes);
            assert!(fault.contains(said), "{said}: {fault}");
        }
        let columns = String::from_utf8_lossy(&file("<f4", "1,", &[])[10..]).into_owned();
        let fault = parse(&columns.replace("False", "True")).unwrap_err();
        assert!(fault.contains("numpy.ascontiguousarray"), "{fault}");
    }
}
