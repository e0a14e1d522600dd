//! The file formats, each behind [`Reader`]: [`FORMATS`] is the table that settings, error messages
//! and `strata data formats` are derived from.

mod arrays;
mod cifar;
mod files;
mod folder;
mod idx;
mod npy;
mod npz;
mod parquet;
mod picture;
mod series;
mod tables;
mod texts;

pub use files::Files;
pub(super) use files::declared_shape;

use super::{Asked, DataError, Dataset, Questions};
use std::path::Path;

/// What there is to know of a format.
#[derive(Clone, Copy, Debug)]
pub struct FormatInfo {
    /// Its name, as `format = "…"` gives it.
    pub name: &'static str,
    /// The endings of its files, without the dot and without `.gz`.
    pub endings: &'static [&'static str],
    /// What it is and what it gives, in a line.
    pub about: &'static str,
    /// The settings of `[data]` that it understands besides `train`, `test` and `format`.
    pub settings: &'static [&'static str],
}

/// A reader of one format. It takes bytes from strangers: every size is checked before memory is
/// taken, and every error says where and what to do.
pub trait Reader: Sync {
    /// What there is to know of the format.
    fn describe(&self) -> &'static FormatInfo;

    /// Whether a file or folder with this name in lower case, without `.gz`, is of this format.
    fn recognises(&self, path: &Path, name: &str) -> bool {
        let _ = path;
        let ending = name.rsplit_once('.').map(|(_, ending)| ending);
        ending.is_some_and(|ending| self.describe().endings.contains(&ending))
    }

    /// Reads the files that a `[data]` section names.
    ///
    /// # Errors
    /// When they can't be read, make no sense, or are too large.
    fn read(&self, files: &Files<'_>) -> Result<Dataset, DataError>;

    /// Reads examples that a network is asked about. Targets are passed over, and need not be there.
    ///
    /// # Errors
    /// When they can't be read, or are unlike those of training.
    fn questions(&self, asked: &Asked<'_>) -> Result<Questions, DataError>;
}

/// Every format, in the order of its documentation; the first that recognises a file reads it.
pub static FORMATS: &[&dyn Reader] = &[
    &tables::Csv,
    &tables::Tsv,
    &parquet::Parquet,
    &npy::NpyReader,
    &npz::Npz,
    &idx::IdxReader,
    &cifar::CIFAR10,
    &cifar::CIFAR100,
    &series::Ts,
    &series::Ucr,
    &texts::Tabs,
    &texts::Jsonl,
    &folder::Folder,
];

/// The format of a file, by its ending.
///
/// # Errors
/// When the ending names none.
pub(super) fn format_of(path: &Path) -> Result<&'static dyn Reader, DataError> {
    let name = path.file_name().unwrap_or_default();
    let name = name.to_string_lossy().to_lowercase();
    let plain = name.strip_suffix(".gz").unwrap_or(&name);
    let found = FORMATS.iter().find(|format| format.recognises(path, plain));
    found.copied().ok_or_else(|| {
        let names = FORMATS.iter().map(|format| format.describe().name);
        let names: Vec<&str> = names.collect();
        let problem = format!(
            "can't tell from the ending of `{}`; say which: {}",
            path.display(),
            names.join(", ")
        );
        DataError::setting("format", problem)
    })
}

#[cfg(test)]
pub(super) mod tests {
    pub use super::idx::tests::file as idx_file;
}
