//! The journal: one append-only file a run, from which everything about the run follows.
//!
//! A line is a JSON object that begins with a checksum over the rest of the line. A record counts once
//! its line, with the line break, is on disk; a torn last line is a record that never was. Damage
//! anywhere else is an error. The operating system's file lock keeps a second writer out and goes when
//! the process does.

use super::error::RunError;
use super::files;
use super::record::Record;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// The newest format of a line that this version reads, and the one it writes.
pub const FORMAT: u32 = 3;

/// The journal's name in a run folder.
pub const FILE_NAME: &str = "journal.jsonl";

/// How a line begins: `{"sum":"`, 16 hexadecimal digits, `",`.
const SUM_PREFIX: &str = "{\"sum\":\"";
const SUM_DIGITS: usize = 16;

/// The fields of a record that say when and where. The digest leaves them out.
const TIME_AND_HOST: [&str; 4] = ["at", "seconds", "host", "worker"];

/// A record with its place in the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The line's format.
    pub format: u32,
    /// The number of the line, from 0.
    pub seq: u64,
    /// Seconds since 1970 when it was written.
    pub at: f64,
    /// For how many seconds the run had been running, pauses between resumes not counted.
    pub seconds: f64,
    /// What happened.
    pub record: Record,
}

/// An open journal: what it holds, and the right to add to it.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    next: u64,
}

impl Journal {
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

    /// Adds a record and returns when it is on disk. `at` and `seconds` are as in [`Entry`].
    ///
    /// # Errors
    /// When it can't be written.
    pub fn append(&mut self, record: Record, at: f64, seconds: f64) -> Result<Entry, RunError> {
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
        written.map_err(RunError::file("write", &self.path))?;
        self.next += 1;
        Ok(entry)
    }

    /// Tells the journal that its folder was renamed.
    pub(super) fn moved_to(&mut self, path: PathBuf) {
        self.path = path;
    }
}

/// A digest of what happened, without when and where: equal for two runs exactly when they did the
/// same.
pub fn digest(entries: &[Entry]) -> String {
    let mut hash = Sha256::new();
    for entry in entries {
        hash.update(timeless(entry).to_string().as_bytes());
        hash.update(b"\n");
    }
    files::hexadecimal(&hash.finalize())
}

/// An entry without its fields of time and host.
fn timeless(entry: &Entry) -> Value {
    let mut value = serde_json::to_value(entry).expect("entries are plain data");
    strip(&mut value);
    if let Some(record) = value.get_mut("record").and_then(Value::as_object_mut) {
        record.values_mut().for_each(strip);
    }
    value
}

fn strip(value: &mut Value) {
    if let Some(fields) = value.as_object_mut() {
        for name in TIME_AND_HOST {
            fields.shift_remove(name);
        }
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

fn line_of(entry: &Entry) -> String {
    let body = serde_json::to_string(entry).expect("entries are plain data");
    let rest = &body[1..];
    format!("{SUM_PREFIX}{}\",{rest}\n", checksum(rest))
}

fn checksum(rest: &str) -> String {
    files::hexadecimal(&Sha256::digest(rest.as_bytes())[..SUM_DIGITS / 2])
}

/// Everything up to the last line break.
pub(super) fn whole_lines(content: &[u8]) -> &[u8] {
    let end = content
        .iter()
        .rposition(|&byte| byte == b'\n')
        .map_or(0, |at| at + 1);
    &content[..end]
}

/// The entries of whole lines, the first of which has the number `first`.
pub(super) fn parse(path: &Path, first: u64, whole: &[u8]) -> Result<Vec<Entry>, RunError> {
    let lines = whole.split_inclusive(|&byte| byte == b'\n');
    (first..)
        .zip(lines)
        .map(|(index, line)| parse_line(path, index, line))
        .collect()
}

fn parse_line(path: &Path, index: u64, line: &[u8]) -> Result<Entry, RunError> {
    let line_number = index + 1;
    let damaged = |message: String| RunError::Damaged {
        path: path.to_owned(),
        line: line_number,
        message,
    };
    let body = checked_body(line).map_err(|message| damaged(message.to_owned()))?;
    let format = format_of(&body).ok_or_else(|| damaged("it has no format".to_owned()))?;
    if format > FORMAT {
        let path = path.to_owned();
        return Err(RunError::NewerFormat {
            path,
            line: line_number,
            found: format,
            known: FORMAT,
        });
    }
    let entry: Entry = serde_json::from_str(&body)
        .map_err(|error| damaged(format!("it makes no sense: {error}")))?;
    if entry.seq != index {
        return Err(damaged(format!(
            "it is number {} where {index} is due",
            entry.seq
        )));
    }
    Ok(entry)
}

/// The JSON object of a line without its checksum, which is right.
fn checked_body(line: &[u8]) -> Result<String, &'static str> {
    let text = std::str::from_utf8(line).map_err(|_| "it is not UTF-8 text")?;
    let text = text.strip_suffix('\n').unwrap_or(text);
    let rest = text
        .strip_prefix(SUM_PREFIX)
        .ok_or("it does not begin with a checksum")?;
    let sum = rest.get(..SUM_DIGITS).ok_or("it is too short")?;
    let rest = rest[SUM_DIGITS..]
        .strip_prefix("\",")
        .ok_or("its checksum is malformed")?;
    if checksum(rest) != sum {
        return Err("its checksum is wrong");
    }
    Ok(format!("{{{rest}"))
}

fn format_of(body: &str) -> Option<u32> {
    let value: Value = serde_json::from_str(body).ok()?;
    u32::try_from(value.get("format")?.as_u64()?).ok()
}
