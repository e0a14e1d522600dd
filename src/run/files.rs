//! Files that are whole or not there.

use super::disk::{Disk, Machine};
use super::error::RunError;
use super::held::Held;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

/// Files on some disk.
#[derive(Clone, Debug)]
pub(super) struct Files(Arc<dyn Disk>);

impl Files {
    /// Files on the disk of the machine.
    pub fn of_machine() -> Self {
        Self(Arc::new(Machine))
    }

    /// Files on this disk.
    #[cfg(test)]
    pub fn on(disk: Arc<dyn Disk>) -> Self {
        Self(disk)
    }

    /// Files of a folder that are in memory, by their paths in it, and can only be read.
    pub fn held(folder: &Path, files: Vec<(String, Vec<u8>)>) -> Self {
        Self(Arc::new(Held::new(folder, files)))
    }

    /// The disk that they are on.
    pub fn disk(&self) -> &dyn Disk {
        self.0.as_ref()
    }

    /// The text of a file.
    pub fn read_text(&self, path: &Path) -> Result<String, RunError> {
        let bytes = self.0.read(path).map_err(RunError::file("read", path))?;
        String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            let problem = std::io::Error::other(format!("it is not UTF-8 text (byte {at})"));
            RunError::file("read", path)(problem)
        })
    }

    /// Puts a file in place in one step: a reader or a crash sees the old one or the new one.
    pub fn replace(&self, path: &Path, content: &[u8]) -> Result<(), RunError> {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".part");
        let part = path.with_file_name(name);
        let written = self
            .0
            .write(&part, content)
            .and_then(|()| self.0.sync(&part))
            .and_then(|()| self.0.rename(&part, path));
        written.map_err(RunError::file("write", path))
    }

    /// Makes sure that the names in a folder survive a power cut.
    pub fn sync_folder(&self, folder: &Path) -> Result<(), RunError> {
        let synced = self.0.sync_folder(folder);
        synced.map_err(RunError::file("sync", folder))
    }

    /// A folder and those above it.
    pub fn create_folder(&self, folder: &Path) -> Result<(), RunError> {
        let created = self.0.create_folder(folder);
        created.map_err(RunError::file("create", folder))
    }
}

/// The text of a file of the machine's.
pub(super) fn read_text(path: &Path) -> Result<String, RunError> {
    Files::of_machine().read_text(path)
}

/// A path without its folders.
pub(super) fn last_part(path: &str) -> String {
    let name = Path::new(path).file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// The SHA-256 of something in hexadecimal.
pub(super) fn sha256(content: &[u8]) -> String {
    hexadecimal(&Sha256::digest(content))
}

/// Bytes in hexadecimal.
pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}
