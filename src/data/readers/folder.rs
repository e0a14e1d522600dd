//! Folders of pictures: a subfolder for each class.

use super::files::{class_targets, class_task, declared_shape};
use super::picture::Picture;
use super::{Files, FormatInfo, Reader};
use crate::data::keys::{KeyColumn, RowKeys};
use crate::data::{
    Asked, Column, DataError, Dataset, Examples, Inputs, MAX_FILE_BYTES, MAX_VALUES, Questions,
    Task, input, memory,
};
use crate::layers::Shape;
use std::fs;
use std::path::{Path, PathBuf};

/// Files that systems leave in folders of pictures.
const LEFTOVERS: [&str; 2] = ["thumbs.db", "desktop.ini"];

/// The endings of files that are read; others are an error, so that nothing is left out unseen.
const ENDINGS: [&str; 3] = ["png", "jpg", "jpeg"];

/// A folder for each class.
pub(super) struct Folder;

impl Reader for Folder {
    fn describe(&self) -> &'static FormatInfo {
        &FormatInfo {
            name: "folder",
            endings: &[],
            about: "a folder with a subfolder of PNG and JPEG pictures for each class",
            settings: &["shape", "split.group"],
        }
    }

    fn recognises(&self, path: &Path, _name: &str) -> bool {
        path.is_dir()
    }

    fn read(&self, files: &Files<'_>) -> Result<Dataset, DataError> {
        let group = separator(files)?;
        let list = |path: &Path| Pictures::list(&files.path(path), group.as_deref());
        let training = list(files.train)?;
        let test = files.test().map(list).transpose()?;
        let validation = files.validation().map(list).transpose()?;
        let (shape, resizes) = match &files.source.shape {
            Some(sizes) => (declared_picture(sizes)?, true),
            None => (training.own_shape()?, false),
        };
        let labels = |pictures: &Pictures| pictures.labels.clone();
        let task = class_task(training.labels.iter().map(String::as_str));
        let Task::Classes(classes) = &task else {
            unreachable!("folders are classes");
        };
        let examples = |pictures: Pictures| {
            let labels = labels(&pictures);
            let names = labels.iter().map(String::as_str);
            let targets = class_targets(&pictures.folder, names, classes)?;
            let values = pictures.values(shape, resizes)?;
            let keys = RowKeys {
                group: pictures.groups,
                ..RowKeys::default()
            };
            Ok::<_, DataError>(Examples::of_values(values, targets).keyed(keys))
        };
        let (training, test) = (examples(training)?, test.map(examples).transpose()?);
        let validation = validation.map(examples).transpose()?;
        Dataset::new(files.stem(), shape, task, training, test)?.validated_by(validation)
    }

    fn questions(&self, asked: &Asked<'_>) -> Result<Questions, DataError> {
        let pictures = Pictures::questions(asked.path)?;
        let values = pictures.values(asked.input(), asked.file().resizes)?;
        let files = pictures.paths.iter();
        Ok(Questions {
            inputs: Inputs::Values(values),
            files: files.map(|path| path.display().to_string()).collect(),
        })
    }
}

/// Separator after a group's name in a picture's path inside of its class: `/` is a folder for each group.
fn separator(files: &Files<'_>) -> Result<Option<String>, DataError> {
    match files.source.split_columns().group {
        None => Ok(None),
        Some(Column::Name(text)) if !text.is_empty() && !text.contains(char::is_alphanumeric) => {
            Ok(Some(text))
        }
        Some(other) => {
            let problem = format!(
                "pictures have no column `{other}`; give what ends the group's name in a picture's path inside of its \
                 class's folder: `split = {{ group = \"_\" }}` for `cat/tom_1.png`, or `{{ group = \"/\" }}` for \
                 `cat/tom/1.png`"
            );
            Err(DataError::setting("split.group", problem))
        }
    }
}

fn declared_picture(sizes: &[usize]) -> Result<Shape, DataError> {
    match declared_shape(sizes)? {
        shape @ Shape::Image {
            channels: 1 | 3, ..
        } => Ok(shape),
        _ => {
            let problem = "pictures have `[1, height, width]` in grey or `[3, height, width]`";
            Err(DataError::setting("shape", problem))
        }
    }
}

/// The files of a folder, by class and then by name; without labels where they are asked about.
struct Pictures {
    folder: String,
    paths: Vec<PathBuf>,
    labels: Vec<String>,
    groups: Option<KeyColumn>,
}

impl Pictures {
    fn list(folder: &Path, separator: Option<&str>) -> Result<Self, DataError> {
        let shown = folder.display().to_string();
        let mut out = Self {
            groups: separator.map(|_| KeyColumn::new("group", &shown)),
            folder: shown,
            paths: Vec::new(),
            labels: Vec::new(),
        };
        for class in entries(folder)? {
            let label = class.file_name().unwrap_or_default();
            let label = label.to_string_lossy().into_owned();
            if !class.is_dir() {
                let problem = format!(
                    "`{label}` is no folder of a class; move pictures into a folder each class"
                );
                return Err(DataError::format(&out.folder, problem));
            }
            for picture in entries(&class)? {
                if separator == Some("/") && picture.is_dir() {
                    let below = entries(&picture)?;
                    below
                        .into_iter()
                        .try_for_each(|picture| out.add(picture, &class, "/"))?;
                    out.labels.resize(out.paths.len(), label.clone());
                    continue;
                }
                out.add(picture, &class, separator.unwrap_or_default())?;
                out.labels.push(label.clone());
            }
        }
        if out.paths.is_empty() {
            return Err(DataError::Empty { file: out.folder });
        }
        Ok(out)
    }

    /// Adds a picture of a class's folder, with the group that its path names up to `separator`.
    fn add(&mut self, picture: PathBuf, class: &Path, separator: &str) -> Result<(), DataError> {
        check_ending(&picture)?;
        if let Some(groups) = &mut self.groups {
            let inside = picture.strip_prefix(class).unwrap_or(&picture);
            let inside = inside.to_string_lossy().replace('\\', "/");
            let Some((group, _)) = inside.split_once(separator) else {
                let problem = format!(
                    "no `{separator}` ends a group's name in `{inside}`, as `split = {{ group = \"{separator}\" }}` \
                     asks; rename or move the picture"
                );
                return Err(DataError::format(&self.folder, problem));
            };
            groups.push_said(group, self.paths.len() as u64 + 1)?;
        }
        self.paths.push(picture);
        Ok(())
    }

    /// Pictures to be asked about: one, or those of a folder and its subfolders, by name.
    fn questions(path: &Path) -> Result<Self, DataError> {
        let mut paths = vec![path.to_owned()];
        for _ in 0..2 {
            let mut below = Vec::new();
            for path in paths {
                if path.is_dir() {
                    below.extend(entries(&path)?);
                } else {
                    below.push(path);
                }
            }
            paths = below;
        }
        paths.iter().try_for_each(|path| check_ending(path))?;
        let folder = path.display().to_string();
        if paths.is_empty() {
            return Err(DataError::Empty { file: folder });
        }
        Ok(Self {
            folder,
            paths,
            labels: Vec::new(),
            groups: None,
        })
    }

    /// The shape of the first picture.
    fn own_shape(&self) -> Result<Shape, DataError> {
        let first = open(&self.paths[0])?;
        Ok(Shape::Image {
            channels: first.channels,
            height: first.height,
            width: first.width,
        })
    }

    fn values(&self, shape: Shape, resizes: bool) -> Result<Vec<f32>, DataError> {
        let Shape::Image {
            channels,
            height,
            width,
        } = shape
        else {
            unreachable!("pictures are images");
        };
        let total = shape.elements().saturating_mul(self.paths.len());
        if total > MAX_VALUES {
            return Err(DataError::too_large(
                &self.folder,
                "values",
                total,
                MAX_VALUES,
            ));
        }
        memory::check(&self.folder, total)?;
        let mut out = Vec::with_capacity(total);
        for path in &self.paths {
            let mut picture = open(path)?;
            if (picture.height, picture.width) != (height, width) {
                if !resizes {
                    return Err(other_size(path, &picture, shape));
                }
                picture = picture.resized(width, height);
            }
            out.extend(picture.values(channels));
        }
        Ok(out)
    }
}

fn other_size(path: &Path, picture: &Picture, shape: Shape) -> DataError {
    let (height, width) = (picture.height, picture.width);
    let problem = format!(
        "{height}x{width} pixels, where the first picture makes examples {shape}; \
         say `shape = [3, 32, 32]` or the like to resize all of them"
    );
    DataError::format(&path.display().to_string(), problem)
}

/// What is in a folder, by name; hidden files and what systems leave are none of the data.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let failed = |error| input::read_error(folder, error);
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().unwrap_or_default();
        let name = name.to_string_lossy().to_lowercase();
        if !name.starts_with('.') && !LEFTOVERS.contains(&name.as_str()) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn check_ending(path: &Path) -> Result<(), DataError> {
    let ending = path.extension().unwrap_or_default();
    let ending = ending.to_string_lossy().to_lowercase();
    if ENDINGS.contains(&ending.as_str()) {
        return Ok(());
    }
    let problem = format!(
        "only {} are read; convert it or move it away",
        ENDINGS.join(", ")
    );
    Err(DataError::format(&path.display().to_string(), problem))
}

fn open(path: &Path) -> Result<Picture, DataError> {
    let size = fs::metadata(path)
        .map_err(|error| input::read_error(path, error))?
        .len();
    let shown = path.display().to_string();
    if size > MAX_FILE_BYTES {
        let limit = usize::try_from(MAX_FILE_BYTES).unwrap_or(usize::MAX);
        return Err(DataError::too_large(&shown, "bytes", size, limit));
    }
    let bytes = fs::read(path).map_err(|error| input::read_error(path, error))?;
    Picture::decode(&bytes, &shown)
}
