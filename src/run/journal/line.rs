//! A record in words: one line, with a checksum.

use super::{Entry, FORMAT};
use crate::run::error::RunError;
use crate::run::files;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::path::Path;

/// How a line begins: `{"sum":"`, 16 hexadecimal digits, `",`.
const SUM_PREFIX: &str = "{\"sum\":\"";
const SUM_DIGITS: usize = 16;

/// An entry as a line, with its line break.
pub(in crate::run) fn line_of(entry: &Entry) -> String {
    let body = serde_json::to_string(entry).expect("entries are plain data");
    let rest = &body[1..];
    format!("{SUM_PREFIX}{}\",{rest}\n", checksum(rest))
}

fn checksum(rest: &str) -> String {
    files::hexadecimal(&Sha256::digest(rest.as_bytes())[..SUM_DIGITS / 2])
}

/// The entry of line `index`, counted from 0, of the journal at `path`.
///
/// # Errors
/// When it is damaged, or of a newer format.
pub(in crate::run) fn parse_line(path: &Path, index: u64, line: &[u8]) -> Result<Entry, RunError> {
    let line_number = index + 1;
    let damaged = |message: String| RunError::Damaged {
        path: path.to_owned(),
        line: line_number,
        message,
    };
    let body = checked_body(line).map_err(|message| damaged(message.to_owned()))?;
    let read: Result<Entry, _> = serde_json::from_str(&body);
    let format = match &read {
        Ok(entry) => Some(entry.format),
        Err(_) => format_of(&body),
    };
    let format = format.ok_or_else(|| damaged("it has no format".to_owned()))?;
    if format > FORMAT {
        let path = path.to_owned();
        return Err(RunError::NewerFormat {
            path,
            line: line_number,
            found: format,
            known: FORMAT,
        });
    }
    let entry = read.map_err(|error| damaged(format!("it makes no sense: {error}")))?;
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
