//! The binary files of CIFAR-10 and CIFAR-100: one or two bytes of labels, then 3x32x32 of a picture.

use super::{Files, FormatInfo, Reader};
use crate::data::{
    Asked, Classes, DataError, Dataset, Examples, MAX_VALUES, Place, Questions, Targets, Task,
    input, memory, tar,
};
use crate::layers::Shape;
use std::io::Read;
use std::path::Path;

const PIXELS: usize = 3 * 32 * 32;

/// One of the two formats.
pub(super) struct Cifar {
    info: FormatInfo,
    /// How the names of its files and folders begin.
    stem: &'static str,
    /// Bytes before the pixels; the last of them is the label.
    label_bytes: usize,
    classes: u8,
    training: &'static [&'static str],
    test: &'static str,
}

/// CIFAR-10.
pub(super) static CIFAR10: Cifar = Cifar {
    info: FormatInfo {
        name: "cifar10",
        endings: &[],
        about: "the binary files of CIFAR-10: their folder, their .tar.gz, or one of them",
        settings: &[],
    },
    stem: "cifar-10-",
    label_bytes: 1,
    classes: 10,
    training: &[
        "data_batch_1.bin",
        "data_batch_2.bin",
        "data_batch_3.bin",
        "data_batch_4.bin",
        "data_batch_5.bin",
    ],
    test: "test_batch.bin",
};

/// CIFAR-100, with its fine labels.
pub(super) static CIFAR100: Cifar = Cifar {
    info: FormatInfo {
        name: "cifar100",
        endings: &[],
        about: "the binary files of CIFAR-100, as `cifar10`; the fine labels are the classes",
        settings: &[],
    },
    stem: "cifar-100-",
    label_bytes: 2,
    classes: 100,
    training: &["train.bin"],
    test: "test.bin",
};

impl Reader for Cifar {
    fn describe(&self) -> &'static FormatInfo {
        if self.classes == 10 {
            &CIFAR10.info
        } else {
            &CIFAR100.info
        }
    }

    fn recognises(&self, _path: &Path, name: &str) -> bool {
        name.starts_with(self.stem)
    }

    fn read(&self, files: &Files<'_>) -> Result<Dataset, DataError> {
        let path = files.path(files.train);
        let name = files.name(files.train);
        let mut training = Records::default();
        let mut test = None;
        if path.is_dir() {
            for batch in self.training {
                let file = path.join(batch);
                let shown = file.display().to_string();
                self.add(&mut training, input::open(&file)?, &shown)?;
            }
            let file = path.join(self.test);
            if files.test().is_none() && file.is_file() {
                let mut records = Records::default();
                self.add(
                    &mut records,
                    input::open(&file)?,
                    &file.display().to_string(),
                )?;
                test = Some(records);
            }
        } else if name.trim_end_matches(".gz").ends_with(".tar") || name.ends_with(".tgz") {
            let mut records = Records::default();
            tar::each_file(&mut files.open(files.train)?, &name, |path, bytes| {
                let member = path.rsplit('/').next().unwrap_or_default();
                let shown = format!("{name}/{member}");
                if self.training.contains(&member) {
                    return self.add(&mut training, bytes, &shown);
                }
                if member == self.test {
                    return self.add(&mut records, bytes, &shown);
                }
                Ok(())
            })?;
            test = Some(records).filter(|records| !records.labels.is_empty());
        } else {
            self.add(&mut training, files.open(files.train)?, &name)?;
        }
        if let Some(file) = files.test() {
            let mut records = Records::default();
            self.add(&mut records, files.open(file)?, &files.name(file))?;
            test = Some(records);
        }
        let validation = files.validation().map(|file| {
            let mut records = Records::default();
            self.add(&mut records, files.open(file)?, &files.name(file))?;
            Ok(records)
        });
        self.dataset(files, training, test, validation.transpose()?)
    }

    fn questions(&self, asked: &Asked<'_>) -> Result<Questions, DataError> {
        let mut records = Records::default();
        self.add(&mut records, asked.open()?, &asked.name())?;
        Ok(records.pixels.into())
    }
}

/// What was read so far.
#[derive(Default)]
struct Records {
    pixels: Vec<f32>,
    labels: Vec<u32>,
}

impl Cifar {
    fn add(
        &self,
        records: &mut Records,
        mut reader: impl Read,
        file: &str,
    ) -> Result<(), DataError> {
        let size = self.label_bytes + PIXELS;
        let limit = (MAX_VALUES / PIXELS * size) as u64;
        let mut bytes = Vec::new();
        let read = reader.by_ref().take(limit + 1).read_to_end(&mut bytes);
        read.map_err(|error| input::read_error(Path::new(file), error))?;
        if bytes.len() % size != 0 {
            let problem = format!(
                "{} bytes are no whole number of records of {size}; \
                 is the download complete, and is it {}?",
                bytes.len(),
                self.info.name
            );
            return Err(DataError::format(file, problem));
        }
        let pixels = records.pixels.len() + bytes.len() / size * PIXELS;
        if pixels > MAX_VALUES {
            return Err(DataError::too_large(file, "values", pixels, MAX_VALUES));
        }
        memory::check(file, pixels)?;
        for (index, record) in bytes.chunks_exact(size).enumerate() {
            let label = record[self.label_bytes - 1];
            if label >= self.classes {
                return Err(self.bad_label(file, index * size + self.label_bytes, label));
            }
            records.labels.push(u32::from(label));
            let picture = &record[self.label_bytes..];
            records
                .pixels
                .extend(picture.iter().map(|&byte| f32::from(byte)));
        }
        Ok(())
    }

    fn bad_label(&self, file: &str, column: usize, label: u8) -> DataError {
        let most = self.classes - 1;
        DataError::Label {
            place: Place {
                file: file.to_owned(),
                line: 1,
                column,
            },
            label: label.to_string(),
            problem: format!("is not from 0 to {most}; is the file {}?", self.info.name),
        }
    }

    fn dataset(
        &self,
        files: &Files<'_>,
        training: Records,
        test: Option<Records>,
        validation: Option<Records>,
    ) -> Result<Dataset, DataError> {
        if let Some(&first) = training.labels.first()
            && training.labels.iter().all(|&label| label == first)
        {
            return Err(DataError::OneClass {
                file: files.name(files.train),
                label: first.to_string(),
            });
        }
        let names: Vec<String> = (0..self.classes).map(|class| class.to_string()).collect();
        let classes = Classes::from_labels(names.iter().map(String::as_str));
        let examples = |records: Records| {
            let targets = Targets::classes(records.labels, usize::from(self.classes));
            Examples::of_values(records.pixels, targets)
        };
        let shape = Shape::Image {
            channels: 3,
            height: 32,
            width: 32,
        };
        let (training, test) = (examples(training), test.map(examples));
        let task = Task::Classes(classes);
        let dataset = Dataset::new(files.stem(), shape, task, training, test)?;
        dataset.validated_by(validation.map(examples))
    }
}
