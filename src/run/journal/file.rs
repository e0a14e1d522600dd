//! A journal in a file: one line a record, added at the end.
//!
//! A record counts once its line, with the line break, is on disk; a torn last line is a record that
//! never was. Damage anywhere else is an error. A lock that goes when the process does keeps a second
//! writer out.

use super::{Entry, Journal, line_of, parse_line};
use crate::run::disk::{Disk, Log, Machine};
use crate::run::error::RunError;
use crate::run::record::{Record, Started};
use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind};
use std::path::{Path, PathBuf};

/// A journal in a file.
#[derive(Debug)]
pub struct FileJournal {
    path: PathBuf,
    log: Box<dyn Log>,
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
        Self::create_on(&Machine, path)
    }

    /// As [`create`](Self::create), on some disk.
    pub(in crate::run) fn create_on(disk: &dyn Disk, path: &Path) -> Result<Self, RunError> {
        let log = disk.log(path, true);
        Ok(Self {
            path: path.to_owned(),
            log: log.map_err(|error| unopened("create", path, error))?,
            next: 0,
            failed: false,
        })
    }

    /// Opens a journal to go on with it, and returns what it holds. A torn last line is cut off.
    ///
    /// # Errors
    /// When another process has it open, or a line is damaged or of a newer format.
    pub fn open(path: &Path) -> Result<(Self, Vec<Entry>), RunError> {
        Self::open_on(&Machine, path)
    }

    /// As [`open`](Self::open), on some disk.
    pub(in crate::run) fn open_on(
        disk: &dyn Disk,
        path: &Path,
    ) -> Result<(Self, Vec<Entry>), RunError> {
        let log = disk.log(path, false);
        let mut log = log.map_err(|error| unopened("open", path, error))?;
        let content = log.content().map_err(RunError::file("read", path))?;
        let whole = whole_lines(&content);
        let entries = parse(path, 0, whole)?;
        make_safe(log.as_mut(), &content, whole).map_err(RunError::file("write", path))?;
        let journal = Self {
            path: path.to_owned(),
            log,
            next: entries.len() as u64,
            failed: false,
        };
        Ok((journal, entries))
    }

    /// What a journal holds, without the right to add to it. A torn last line is passed over.
    ///
    /// # Errors
    /// When it can't be read, or a line is damaged or of a newer format.
    pub fn read(path: &Path) -> Result<Vec<Entry>, RunError> {
        Self::read_on(&Machine, path)
    }

    /// As [`read`](Self::read), on some disk.
    pub(in crate::run) fn read_on(disk: &dyn Disk, path: &Path) -> Result<Vec<Entry>, RunError> {
        let mut entries = Vec::new();
        Self::each_on(disk, path, |entry| {
            entries.push(entry);
            Ok(())
        })?;
        Ok(entries)
    }

    /// As [`read`](Self::read), one entry after the other, so that they need not fit into memory.
    ///
    /// # Errors
    /// As [`read`](Self::read), or what `take` says.
    pub fn each(
        path: &Path,
        take: impl FnMut(Entry) -> Result<(), RunError>,
    ) -> Result<(), RunError> {
        Self::each_on(&Machine, path, take)
    }

    /// As [`each`](Self::each), on some disk.
    pub(in crate::run) fn each_on(
        disk: &dyn Disk,
        path: &Path,
        mut take: impl FnMut(Entry) -> Result<(), RunError>,
    ) -> Result<(), RunError> {
        let file = disk.reader(path).map_err(RunError::file("open", path))?;
        let mut file = BufReader::with_capacity(1 << 16, file);
        // A line is taken when another follows, since only the last one may be torn.
        let (mut line, mut next) = (Vec::new(), Vec::new());
        for index in 0.. {
            next.clear();
            let read = file.read_until(b'\n', &mut next);
            read.map_err(RunError::file("read", path))?;
            let is_last = !next.ends_with(b"\n");
            if index > 0 && !(is_last && line.contains(&0)) {
                take(parse_line(path, index - 1, &line)?)?;
            }
            if is_last {
                break;
            }
            std::mem::swap(&mut line, &mut next);
        }
        Ok(())
    }

    /// What the run of a journal was started with: its first record. The rest is not looked at.
    ///
    /// # Errors
    /// When it can't be read, or is damaged or of a newer format.
    pub(in crate::run) fn start_of(path: &Path) -> Result<Box<Started>, RunError> {
        let file = File::open(path).map_err(RunError::file("open", path))?;
        let mut line = Vec::new();
        let read = BufReader::new(file).read_until(b'\n', &mut line);
        read.map_err(RunError::file("read", path))?;
        match parse_line(path, 0, whole_lines(&line))?.record {
            Record::Started(started) => Ok(started),
            _ => Err(RunError::Damaged {
                path: path.to_owned(),
                line: 1,
                message: "it does not start a run".to_owned(),
            }),
        }
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
            return Err(refused(io::Error::other("a write failed before")));
        }
        let entry = Entry::new(self.next, at, seconds, record);
        let line = line_of(&entry);
        let written = self.log.append(line.as_bytes());
        if let Err(error) = written.and_then(|()| self.log.sync()) {
            self.failed = true;
            return Err(refused(error));
        }
        self.next += 1;
        Ok(entry)
    }

    fn entries(&mut self) -> Result<Vec<Entry>, RunError> {
        let content = self.log.content();
        let content = content.map_err(RunError::file("read", &self.path))?;
        parse(&self.path, 0, whole_lines(&content))
    }
}

/// Makes what was read safe, and cuts off what is torn.
///
/// The last line may be in the system's memory alone: a process that was killed between writing and
/// syncing left it there, and after a sync that failed another sync does nothing for it. Nothing was
/// written after such a line, so it is enough to write the last one again.
fn make_safe(log: &mut dyn Log, content: &[u8], whole: &[u8]) -> io::Result<()> {
    if whole.len() < content.len() {
        log.cut(whole.len() as u64)?;
    }
    let last = last_line(whole);
    log.rewrite(last as u64, &whole[last..])?;
    log.sync()
}

fn unopened(action: &'static str, path: &Path, error: io::Error) -> RunError {
    match error.kind() {
        ErrorKind::WouldBlock => RunError::Locked(path.parent().unwrap_or(path).to_owned()),
        _ => RunError::file(action, path)(error),
    }
}

/// Everything up to the last line break, but a last line with zeros in it: no line has any, and a file
/// system that lost power may leave them where it had made room and not written yet.
pub(in crate::run) fn whole_lines(content: &[u8]) -> &[u8] {
    let end = content.iter().rposition(|&byte| byte == b'\n');
    let whole = &content[..end.map_or(0, |at| at + 1)];
    let last = last_line(whole);
    if whole[last..].contains(&0) {
        return &whole[..last];
    }
    whole
}

/// Where the last of whole lines begins.
fn last_line(whole: &[u8]) -> usize {
    let before = whole.strip_suffix(b"\n").unwrap_or(whole);
    let end = before.iter().rposition(|&byte| byte == b'\n');
    end.map_or(0, |at| at + 1)
}

/// The entries of whole lines, the first of which has the number `first`.
pub(in crate::run) fn parse(path: &Path, first: u64, whole: &[u8]) -> Result<Vec<Entry>, RunError> {
    let lines = whole.split_inclusive(|&byte| byte == b'\n');
    (first..)
        .zip(lines)
        .map(|(index, line)| parse_line(path, index, line))
        .collect()
}
