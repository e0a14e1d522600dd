//! A journal in a file: one line a record, added at the end.
//!
//! A record counts once its line, with the line break, is on disk; a torn last line is a record that
//! never was. Damage anywhere else is an error. The operating system's file lock keeps a second writer
//! out and goes when the process does.

use super::{Entry, FORMAT, Journal, line_of, parse_line};
use crate::run::error::RunError;
use crate::run::record::Record;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// A journal in a file.
#[derive(Debug)]
pub struct FileJournal {
    path: PathBuf,
    file: File,
    next: u64,
    /// Whether a write failed, so that nobody knows what the file holds.
    failed: bool,
}

impl FileJournal {
    /// A new, empty journal.
    ///
    /// # Errors
    /// When the file exists or can't be written.
    pub fn create(path: &Path) -> Result<Self, RunError> {
        let mut options = OpenOptions::new();
        let file = options.read(true).append(true).create_new(true).open(path);
        let file = file.map_err(RunError::file("create", path))?;
        lock(&file, path)?;
        Ok(Self {
            path: path.to_owned(),
            file,
            next: 0,
            failed: false,
        })
    }

    /// Opens a journal to go on with it, and returns what it holds. A torn last line is cut off.
    ///
    /// # Errors
    /// When another process has it open, or a line is damaged or of a newer format.
    pub fn open(path: &Path) -> Result<(Self, Vec<Entry>), RunError> {
        let file = OpenOptions::new().read(true).append(true).open(path);
        let mut file = file.map_err(RunError::file("open", path))?;
        lock(&file, path)?;
        let mut content = Vec::new();
        let read = file
            .seek(SeekFrom::Start(0))
            .and_then(|_| file.read_to_end(&mut content));
        read.map_err(RunError::file("read", path))?;
        let whole = whole_lines(&content);
        let entries = parse(path, 0, whole)?;
        if whole.len() < content.len() {
            let cut = file
                .set_len(whole.len() as u64)
                .and_then(|()| file.sync_data());
            cut.map_err(RunError::file("cut the torn last line of", path))?;
        }
        let next = entries.len() as u64;
        Ok((
            Self {
                path: path.to_owned(),
                file,
                next,
                failed: false,
            },
            entries,
        ))
    }

    /// What a journal holds, without the right to add to it. A torn last line is passed over.
    ///
    /// # Errors
    /// When it can't be read, or a line is damaged or of a newer format.
    pub fn read(path: &Path) -> Result<Vec<Entry>, RunError> {
        let content = std::fs::read(path).map_err(RunError::file("read", path))?;
        parse(path, 0, whole_lines(&content))
    }

    /// Tells the journal that its folder was renamed.
    pub(in crate::run) fn moved_to(&mut self, path: PathBuf) {
        self.path = path;
    }
}

impl Journal for FileJournal {
    fn append(&mut self, record: Record, at: f64, seconds: f64) -> Result<Entry, RunError> {
        let refused = RunError::file("write", &self.path);
        if self.failed {
            return Err(refused(std::io::Error::other("a write failed before")));
        }
        let entry = Entry {
            format: FORMAT,
            seq: self.next,
            at,
            seconds,
            record,
        };
        let line = line_of(&entry);
        let written = self
            .file
            .write_all(line.as_bytes())
            .and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            self.failed = true;
            return Err(refused(error));
        }
        self.next += 1;
        Ok(entry)
    }

    fn entries(&mut self) -> Result<Vec<Entry>, RunError> {
        Self::read(&self.path)
    }
}

fn lock(file: &File, path: &Path) -> Result<(), RunError> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => {
            Err(RunError::Locked(path.parent().unwrap_or(path).to_owned()))
        }
        Err(TryLockError::Error(source)) => Err(RunError::file("lock", path)(source)),
    }
}

/// Everything up to the last line break.
pub(in crate::run) fn whole_lines(content: &[u8]) -> &[u8] {
    let end = content
        .iter()
        .rposition(|&byte| byte == b'\n')
        .map_or(0, |at| at + 1);
    &content[..end]
}

/// The entries of whole lines, the first of which has the number `first`.
pub(in crate::run) fn parse(path: &Path, first: u64, whole: &[u8]) -> Result<Vec<Entry>, RunError> {
    let lines = whole.split_inclusive(|&byte| byte == b'\n');
    (first..)
        .zip(lines)
        .map(|(index, line)| parse_line(path, index, line))
        .collect()
}
