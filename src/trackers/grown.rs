//! A file that follows from a journal, and grows with it.

use super::error::TrackError;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// A file whose bytes follow from a journal. What it holds already is compared with what is due and not written
/// again, so that it goes on where it ended, in the middle of a line if need be.
#[derive(Debug)]
pub struct Grown {
    path: PathBuf,
    file: File,
    existing: u64,
    written: u64,
    waiting: Vec<u8>,
}

impl Grown {
    /// The file at `path`; it and its folders are made where they don't exist.
    ///
    /// # Errors
    /// When it can't be opened.
    pub fn open(path: &Path) -> Result<Self, TrackError> {
        let fail = TrackError::file(path);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(&fail)?;
        }
        let mut options = OpenOptions::new();
        let file = options.read(true).append(true).create(true).open(path);
        let file = file.map_err(&fail)?;
        let existing = file.metadata().map_err(&fail)?.len();
        Ok(Self {
            path: path.to_owned(),
            file,
            existing,
            written: 0,
            waiting: Vec::new(),
        })
    }

    /// Adds what is due next. It is on disk after [`flush`](Self::flush).
    pub fn write(&mut self, bytes: &[u8]) {
        self.waiting.extend_from_slice(bytes);
    }

    /// Writes what waits.
    ///
    /// # Errors
    /// When it can't be written, or the file holds something else.
    pub fn flush(&mut self) -> Result<(), TrackError> {
        let fail = TrackError::file(&self.path);
        let known = self.existing.saturating_sub(self.written);
        let overlap = self
            .waiting
            .len()
            .min(usize::try_from(known).unwrap_or(usize::MAX));
        if overlap > 0 {
            let mut held = vec![0; overlap];
            let read = self
                .file
                .seek(SeekFrom::Start(self.written))
                .and_then(|_| self.file.read_exact(&mut held));
            read.map_err(&fail)?;
            if held != self.waiting[..overlap] {
                let path = self.path.clone();
                return Err(TrackError::Foreign { path });
            }
        }
        self.file
            .write_all(&self.waiting[overlap..])
            .map_err(&fail)?;
        self.written += self.waiting.len() as u64;
        self.waiting.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_goes_on_where_it_ended_and_another_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b.log");
        let whole = b"first line\nsecond line\nthird line\n";
        for length in [0, 5, 11, 30, whole.len()] {
            let mut file = Grown::open(&path).unwrap();
            file.write(&whole[..length]);
            file.flush().unwrap();
        }
        assert_eq!(std::fs::read(&path).unwrap(), whole);
        let mut file = Grown::open(&path).unwrap();
        file.write(b"first life\n");
        let message = file.flush().unwrap_err().to_string();
        assert!(message.contains("name another file"), "{message}");
        assert_eq!(std::fs::read(&path).unwrap(), whole);
    }
}
