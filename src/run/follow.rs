//! A journal read while it is written: what was appended since the last look.
//!
//! A [`Source`] is whatever entries come from; [`JournalFile`] is a run folder's journal, and
//! [`JournalTable`](super::shared::JournalTable) one in a database. Nothing is locked and nothing written. Reading goes
//! on behind the last whole line, so a torn one is left until it is whole or, when the run is resumed, cut off.

use super::error::RunError;
use super::folder::RunFolder;
use super::journal::{self, Entry};
use super::summary::RecordedRun;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// The most bytes that one look reads, unless a line is longer.
const MOST_BYTES: u64 = 4 << 20;

/// How much of a journal's beginning tells it from another of the same name: its first checksum.
const MARK: usize = 24;

/// What a look at a journal found.
#[derive(Clone, Debug, PartialEq)]
pub enum News {
    /// Entries that follow those of the last look; nothing if there are none. There may be more.
    Entries(Vec<Entry>),
    /// The journal is another one now: what was read before does not count, and the next look begins anew.
    Restarted,
}

/// A run's journal, read from its beginning on while it is written.
pub trait Source: Send {
    /// What was appended since the last call.
    ///
    /// # Errors
    /// When it can't be read; another call may succeed.
    fn more(&mut self) -> Result<News, RunError>;

    /// The run as a whole, with the texts that its journal names by their hashes.
    ///
    /// # Errors
    /// When it can't be read.
    fn run(&self) -> Result<RecordedRun, RunError>;
}

/// A run folder's journal.
#[derive(Clone, Debug)]
pub struct JournalFile {
    folder: PathBuf,
    follower: Follower,
}

impl JournalFile {
    /// The journal of a run folder, from its beginning.
    pub fn new(folder: &RunFolder) -> Self {
        Self {
            folder: folder.path().to_owned(),
            follower: Follower::new(&folder.journal()),
        }
    }
}

impl Source for JournalFile {
    fn more(&mut self) -> Result<News, RunError> {
        self.follower.more()
    }

    fn run(&self) -> Result<RecordedRun, RunError> {
        RecordedRun::open(&self.folder)
    }
}

/// A place in a journal up to which it has been read.
#[derive(Clone, Debug)]
struct Follower {
    path: PathBuf,
    offset: u64,
    next: u64,
    mark: Vec<u8>,
}

impl Follower {
    /// The beginning of a journal, which need not exist yet.
    fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            offset: 0,
            next: 0,
            mark: Vec::new(),
        }
    }

    /// What was appended since the last look.
    ///
    /// # Errors
    /// When the journal can't be read, or a line is damaged or of a newer format. The place stays where it is:
    /// a line that was read while it was being cut off is right at the next look.
    fn more(&mut self) -> Result<News, RunError> {
        let fail = |source| RunError::file("read", &self.path)(source);
        let mut file = File::open(&self.path).map_err(fail)?;
        let length = file.metadata().map_err(fail)?.len();
        if self.offset > 0 && (length < self.offset || !self.is_same(&mut file).map_err(fail)?) {
            *self = Self::new(&self.path);
            return Ok(News::Restarted);
        }
        if length == self.offset {
            return Ok(News::Entries(Vec::new()));
        }
        let content = self.read(&mut file).map_err(fail)?;
        let whole = journal::whole_lines(&content);
        let entries = journal::parse(&self.path, self.next, whole)?;
        if self.offset == 0 {
            self.mark = whole.iter().copied().take(MARK).collect();
        }
        self.offset += whole.len() as u64;
        self.next += entries.len() as u64;
        Ok(News::Entries(entries))
    }

    fn is_same(&self, file: &mut File) -> std::io::Result<bool> {
        let mut mark = vec![0; self.mark.len()];
        file.seek(SeekFrom::Start(0))?;
        file.read_exact(&mut mark)?;
        Ok(mark == self.mark)
    }

    /// From the place on: at most [`MOST_BYTES`], or up to the end of the first line.
    fn read(&self, file: &mut File) -> std::io::Result<Vec<u8>> {
        file.seek(SeekFrom::Start(self.offset))?;
        let mut content = Vec::new();
        loop {
            let read = file.take(MOST_BYTES).read_to_end(&mut content)?;
            if read == 0 || content.contains(&b'\n') {
                return Ok(content);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::journal::{FileJournal, Journal};
    use crate::run::record::{Record, TestOpened};
    use std::fs::OpenOptions;
    use std::io::Write;

    fn record(examples: u64) -> Record {
        Record::TestOpened(TestOpened { examples, look: 1 })
    }

    fn seen(follower: &mut Follower) -> Vec<u64> {
        match follower.more().unwrap() {
            News::Entries(entries) => entries.iter().map(|entry| entry.seq).collect(),
            News::Restarted => panic!("restarted"),
        }
    }

    #[test]
    fn what_was_appended_is_read_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        let mut follower = Follower::new(&path);
        assert!(follower.more().is_err(), "there is none yet");
        let mut journal = FileJournal::create(&path).unwrap();
        assert!(seen(&mut follower).is_empty());
        journal.append(record(1), 0.0, 0.0).unwrap();
        journal.append(record(2), 0.0, 0.0).unwrap();
        assert_eq!(seen(&mut follower), [0, 1]);
        assert!(seen(&mut follower).is_empty());
        journal.append(record(3), 0.0, 0.0).unwrap();
        assert_eq!(seen(&mut follower), [2]);
    }

    #[test]
    fn a_torn_line_waits_and_a_resume_that_cuts_it_off_goes_unnoticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        let mut follower = Follower::new(&path);
        let mut journal = FileJournal::create(&path).unwrap();
        journal.append(record(1), 0.0, 0.0).unwrap();
        drop(journal);
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(b"{\"sum\":\"0123").unwrap();
        assert_eq!(seen(&mut follower), [0]);
        assert!(seen(&mut follower).is_empty());
        let (mut journal, _) = FileJournal::open(&path).unwrap();
        journal.append(record(2), 0.0, 0.0).unwrap();
        assert_eq!(seen(&mut follower), [1]);
    }

    #[test]
    fn another_journal_of_the_same_name_is_noticed_whatever_its_length() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        let mut follower = Follower::new(&path);
        for (first, records) in [(1, 3), (2, 1), (3, 6)] {
            let _ = std::fs::remove_file(&path);
            let mut journal = FileJournal::create(&path).unwrap();
            for number in 0..records {
                journal.append(record(first), number as f64, 0.0).unwrap();
            }
            if first > 1 {
                assert_eq!(follower.more().unwrap(), News::Restarted);
            }
            assert_eq!(seen(&mut follower).len(), records);
        }
    }

    #[test]
    fn damage_is_named_by_its_line_and_stays_until_it_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        let mut follower = Follower::new(&path);
        FileJournal::create(&path)
            .unwrap()
            .append(record(1), 0.0, 0.0)
            .unwrap();
        assert_eq!(seen(&mut follower), [0]);
        let sound = std::fs::read(&path).unwrap();
        std::fs::write(&path, [&sound[..], b"nonsense\n"].concat()).unwrap();
        for _ in 0..2 {
            let message = follower.more().unwrap_err().to_string();
            assert!(message.contains("line 2"), "{message}");
        }
        std::fs::write(&path, sound).unwrap();
        assert!(seen(&mut follower).is_empty());
    }
}
