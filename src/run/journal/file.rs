//! A journal in a file: one line a record, added at the end.
//!
//! A record counts once its line, with the line break, is on disk. Records are made safe together, at most
//! [`MOST_TOGETHER`] of them; whatever dies meanwhile leaves a part of those at the end, and what of it is
//! torn are records that never were. Damage anywhere else is an error. A lock that goes when the process
//! does keeps a second writer out.

use super::{Entry, Journal, line_of, parse_line};
use crate::run::disk::{Disk, Log, Machine};
use crate::run::error::RunError;
use crate::run::record::{Record, Started};
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};

/// The most lines that are made safe together. Never raise it: a program that allows for fewer takes what a
/// power cut leaves of more for damage.
pub(super) const MOST_TOGETHER: usize = 32;

/// A journal in a file.
#[derive(Debug)]
pub struct FileJournal {
    path: PathBuf,
    log: Box<dyn Log>,
    next: u64,
    /// Lines that are to be made safe, and how many they are.
    waiting: (Vec<u8>, usize),
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
        let log = log.map_err(|error| unopened("create", path, error))?;
        Ok(Self::new(path, log, 0))
    }

    fn new(path: &Path, log: Box<dyn Log>, next: u64) -> Self {
        Self {
            path: path.to_owned(),
            log,
            next,
            waiting: (Vec::new(), 0),
            failed: false,
        }
    }

    /// Opens a journal to go on with it, and returns what it holds. What is torn at its end is cut off.
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
        let mut entries = Vec::new();
        let journal = Self::open_each_on(disk, path, |entry| {
            entries.push(entry);
            Ok(())
        })?;
        Ok((journal, entries))
    }

    /// As [`open`](Self::open), one entry after the other, so that they need not fit into memory.
    pub(in crate::run) fn open_each_on(
        disk: &dyn Disk,
        path: &Path,
        take: impl FnMut(Entry) -> Result<(), RunError>,
    ) -> Result<Self, RunError> {
        let log = disk.log(path, false);
        let mut log = log.map_err(|error| unopened("open", path, error))?;
        let reader = log.reader().map_err(RunError::file("read", path))?;
        let found = read_lines(path, reader, take)?;
        make_safe(log.as_mut(), &found).map_err(RunError::file("write", path))?;
        Ok(Self::new(path, log, found.lines))
    }

    /// What a journal holds, without the right to add to it. What is torn at its end is passed over.
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
        take: impl FnMut(Entry) -> Result<(), RunError>,
    ) -> Result<(), RunError> {
        let file = disk.reader(path).map_err(RunError::file("open", path))?;
        read_lines(path, file, take).map(drop)
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

    fn refuse_after_failure(&self) -> Result<(), RunError> {
        if self.failed {
            let error = io::Error::other("a write failed before");
            return Err(RunError::file("write", &self.path)(error));
        }
        Ok(())
    }
}

impl Journal for FileJournal {
    fn add(&mut self, record: Record, at: f64, seconds: f64) -> Result<Entry, RunError> {
        self.refuse_after_failure()?;
        if self.waiting.1 == MOST_TOGETHER {
            self.commit()?;
        }
        let entry = Entry::new(self.next, at, seconds, record);
        let (lines, count) = &mut self.waiting;
        lines.extend_from_slice(line_of(&entry).as_bytes());
        *count += 1;
        self.next += 1;
        Ok(entry)
    }

    fn commit(&mut self) -> Result<(), RunError> {
        self.refuse_after_failure()?;
        let (lines, count) = &mut self.waiting;
        if *count == 0 {
            return Ok(());
        }
        let written = self.log.append(lines);
        if let Err(error) = written.and_then(|()| self.log.sync()) {
            self.failed = true;
            return Err(RunError::file("write", &self.path)(error));
        }
        lines.clear();
        *count = 0;
        Ok(())
    }

    fn entries(&mut self) -> Result<Vec<Entry>, RunError> {
        let mut entries = Vec::new();
        let reader = self.log.reader();
        let reader = reader.map_err(RunError::file("read", &self.path))?;
        read_lines(&self.path, reader, |entry| {
            entries.push(entry);
            Ok(())
        })?;
        Ok(entries)
    }
}

/// What was found in a journal's file.
#[derive(Debug, Default)]
struct Found {
    /// The number of whole lines.
    lines: u64,
    /// Their bytes.
    whole: u64,
    /// Whether something torn follows.
    torn: bool,
    /// The last of the whole lines: those that may have been made safe together, or not yet.
    last: VecDeque<Vec<u8>>,
}

impl Found {
    fn take(&mut self, line: &mut Vec<u8>) {
        self.lines += 1;
        self.whole += line.len() as u64;
        let full = self.last.len() == MOST_TOGETHER;
        let room = full.then(|| self.last.pop_front()).flatten();
        let taken = std::mem::replace(line, room.unwrap_or_default());
        self.last.push_back(taken);
    }
}

/// Reads whole lines to where they end, or to what is torn.
fn read_lines(
    path: &Path,
    file: impl Read,
    mut take: impl FnMut(Entry) -> Result<(), RunError>,
) -> Result<Found, RunError> {
    let mut file = BufReader::with_capacity(1 << 16, file);
    let mut found = Found::default();
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = file.read_until(b'\n', &mut line);
        read.map_err(RunError::file("read", path))?;
        if !line.ends_with(b"\n") {
            found.torn = !line.is_empty();
            return Ok(found);
        }
        if line.contains(&0) {
            let after = line_breaks(&mut file).map_err(RunError::file("read", path))?;
            if after < MOST_TOGETHER {
                found.torn = true;
                return Ok(found);
            }
        }
        take(parse_line(path, found.lines, &line)?)?;
        found.take(&mut line);
    }
}

/// How many line breaks are left in a file; no more than there can be behind what is torn are counted.
fn line_breaks(file: &mut impl BufRead) -> io::Result<usize> {
    let mut breaks = 0;
    while breaks < MOST_TOGETHER {
        if file.skip_until(b'\n')? == 0 {
            break;
        }
        breaks += 1;
    }
    Ok(breaks)
}

/// Makes what was read safe, and cuts off what is torn.
///
/// The last lines may be in the system's memory alone: a process that was killed between writing and
/// syncing left them there, and after a sync that failed another sync does nothing for them. Nothing was
/// written after such lines, so it is enough to write as many again as are made safe together.
fn make_safe(log: &mut dyn Log, found: &Found) -> io::Result<()> {
    if found.torn {
        log.cut(found.whole)?;
    }
    let last: Vec<u8> = found.last.iter().flatten().copied().collect();
    log.rewrite(found.whole - last.len() as u64, &last)?;
    log.sync()
}

fn unopened(action: &'static str, path: &Path, error: io::Error) -> RunError {
    match error.kind() {
        ErrorKind::WouldBlock => RunError::Locked(path.parent().unwrap_or(path).to_owned()),
        _ => RunError::file(action, path)(error),
    }
}

/// Everything up to the last line break, or to the first of the last lines with zeros in it: no line has any,
/// and a file system that lost power may leave them where it had made room and not written yet.
pub(in crate::run) fn whole_lines(content: &[u8]) -> &[u8] {
    let end = content.iter().rposition(|&byte| byte == b'\n');
    let whole = &content[..end.map_or(0, |at| at + 1)];
    let lines = whole.split_inclusive(|&byte| byte == b'\n').rev();
    let (mut start, mut end) = (whole.len(), whole.len());
    for line in lines.take(MOST_TOGETHER) {
        start -= line.len();
        if line.contains(&0) {
            end = start;
        }
    }
    &whole[..end]
}

/// The entries of whole lines, the first of which has the number `first`.
pub(in crate::run) fn parse(path: &Path, first: u64, whole: &[u8]) -> Result<Vec<Entry>, RunError> {
    let lines = whole.split_inclusive(|&byte| byte == b'\n');
    (first..)
        .zip(lines)
        .map(|(index, line)| parse_line(path, index, line))
        .collect()
}
