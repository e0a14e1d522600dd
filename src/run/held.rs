//! A folder's files in memory: a run that is kept elsewhere, for whatever reads run folders.

use super::disk::{Disk, Log};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// Files that can be read and nothing else.
#[derive(Debug)]
pub(super) struct Held(BTreeMap<PathBuf, Vec<u8>>);

impl Held {
    /// The files of a folder, by their paths in it.
    pub fn new(folder: &Path, files: Vec<(String, Vec<u8>)>) -> Self {
        let files = files.into_iter();
        let placed = files.map(|(path, content)| (folder.join(path), content));
        Self(placed.collect())
    }
}

fn refused<T>() -> io::Result<T> {
    Err(ErrorKind::ReadOnlyFilesystem.into())
}

impl Disk for Held {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let found = self.0.get(path).cloned();
        found.ok_or_else(|| ErrorKind::NotFound.into())
    }

    fn write(&self, _: &Path, _: &[u8]) -> io::Result<()> {
        refused()
    }

    fn sync(&self, _: &Path) -> io::Result<()> {
        refused()
    }

    fn rename(&self, _: &Path, _: &Path) -> io::Result<()> {
        refused()
    }

    fn create_folder(&self, _: &Path) -> io::Result<()> {
        refused()
    }

    fn create_new_folder(&self, _: &Path) -> io::Result<()> {
        refused()
    }

    fn sync_folder(&self, _: &Path) -> io::Result<()> {
        refused()
    }

    fn remove(&self, _: &Path) -> io::Result<()> {
        refused()
    }

    fn remove_folder(&self, _: &Path) -> io::Result<()> {
        refused()
    }

    fn names(&self, folder: &Path) -> io::Result<Vec<OsString>> {
        let within = self.0.keys().filter(|path| path.parent() == Some(folder));
        Ok(within
            .filter_map(|path| Some(path.file_name()?.to_owned()))
            .collect())
    }

    fn exists(&self, path: &Path) -> bool {
        self.0.contains_key(path)
    }

    fn log(&self, _: &Path, _: bool) -> io::Result<Box<dyn Log>> {
        refused()
    }
}
