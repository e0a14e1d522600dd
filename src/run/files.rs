//! Files that are whole or not there.

use super::error::RunError;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

/// The text of a file.
pub(super) fn read_text(path: &Path) -> Result<String, RunError> {
    let bytes = fs::read(path).map_err(RunError::file("read", path))?;
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let problem = std::io::Error::other(format!("it is not UTF-8 text (byte {at})"));
        RunError::file("read", path)(problem)
    })
}

/// Puts a file in place in one step: a reader or a crash sees the old one or the new one.
pub(super) fn replace(path: &Path, content: &[u8]) -> Result<(), RunError> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let part = path.with_file_name(name);
    let write = || -> std::io::Result<()> {
        let mut file = File::create(&part)?;
        file.write_all(content)?;
        file.sync_data()?;
        fs::rename(&part, path)
    };
    write().map_err(RunError::file("write", path))
}

/// Makes sure that the names in a folder survive a power cut.
pub(super) fn sync_folder(folder: &Path) -> Result<(), RunError> {
    // Only some systems can open a folder; elsewhere names are as durable as they get.
    match File::open(folder) {
        Ok(file) => file.sync_all().map_err(RunError::file("sync", folder)),
        Err(_) => Ok(()),
    }
}

/// A folder and those above it.
pub(super) fn create_folder(folder: &Path) -> Result<(), RunError> {
    fs::create_dir_all(folder).map_err(RunError::file("create", folder))
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
