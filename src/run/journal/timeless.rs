//! What happened, without when and where: an entry in words, without its fields of time and host.

use super::Entry;
use crate::run::record::{Record, UNNAMED};

/// The fields of an entry, and of what its record holds, that say when and where, and beside which other runs.
const TIME_AND_HOST: [&str; 5] = ["at", "seconds", "host", "worker", "look"];

/// How deep the fields are nested that an entry has, and those that its record has: `{"record":{"finished":{…}}}`.
const DEPTHS: [usize; 2] = [1, 3];

/// An entry in words, without its fields of time and host; of a start since format 6 also without names.
pub(in crate::run) fn timeless(entry: &Entry) -> String {
    if let Record::Started(started) = &entry.record
        && entry.format >= UNNAMED
    {
        let record = Record::Started(Box::new(started.question()));
        return stripped(&Entry {
            record,
            ..entry.clone()
        });
    }
    // A line may be of format 5 or 6 for what it says of the host or of other runs, which is nothing that happened.
    let format = entry.record.format_of_what_happened();
    if entry.format >= 5 && format < entry.format {
        return stripped(&Entry {
            format,
            ..entry.clone()
        });
    }
    stripped(entry)
}

/// An entry in words, without its fields of time and host.
fn stripped(entry: &Entry) -> String {
    let text = serde_json::to_string(entry).expect("entries are plain data");
    let bytes = text.as_bytes();
    let mut kept = String::with_capacity(text.len());
    let (mut at, mut copied, mut depth) = (0, 0, 0);
    while at < bytes.len() {
        match bytes[at] {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            b'"' => {
                let end = end_of_string(bytes, at);
                let is_field = bytes.get(end) == Some(&b':') && DEPTHS.contains(&depth);
                if is_field && TIME_AND_HOST.contains(&&text[at + 1..end - 1]) {
                    kept.push_str(&text[copied..at]);
                    let after = end_of_value(bytes, end + 1);
                    if bytes[after] == b',' {
                        copied = after + 1;
                    } else {
                        // The last field of its object: the comma before it goes.
                        kept.truncate(kept.trim_end_matches(',').len());
                        copied = after;
                    }
                    at = copied;
                } else {
                    at = end;
                }
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    kept.push_str(&text[copied..]);
    kept
}

/// Where a string ends that begins at `start`: behind its closing quotes.
fn end_of_string(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while bytes[at] != b'"' {
        at += 1 + usize::from(bytes[at] == b'\\');
    }
    at + 1
}

/// Where a value ends that begins at `start`.
fn end_of_value(bytes: &[u8], start: usize) -> usize {
    let (mut at, mut depth) = (start, 0);
    loop {
        match bytes[at] {
            b'"' => {
                at = end_of_string(bytes, at);
                continue;
            }
            b',' if depth == 0 => return at,
            b'}' | b']' if depth == 0 => return at,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        at += 1;
    }
}
