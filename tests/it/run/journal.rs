//! Damage to a journal.

use super::fixture::{Bench, EXPERIMENT, Fake, resume};
use std::fs;
use std::path::PathBuf;
use strata::run::{RecordedRun, RunError};

fn finished(bench: &Bench) -> PathBuf {
    bench.start(&Fake::default(), 2).unwrap().folder
}

#[test]
fn a_changed_byte_is_damage_that_names_its_line() {
    let bench = Bench::new(EXPERIMENT);
    let journal = finished(&bench).join("journal.jsonl");
    let whole = fs::read(&journal).unwrap();
    for (line, start) in [(1, 0), (3, 2), (9, 8)] {
        let begin = whole
            .split_inclusive(|&byte| byte == b'\n')
            .take(start)
            .map(<[u8]>::len)
            .sum::<usize>();
        for offset in [0, 10, 40, 80] {
            let mut bytes = whole.clone();
            bytes[begin + offset] ^= 1;
            fs::write(&journal, &bytes).unwrap();
            let error = RecordedRun::open(journal.parent().unwrap()).unwrap_err();
            assert!(
                matches!(error, RunError::Damaged { line: named, .. } if named == line),
                "{error}"
            );
            let error = resume(journal.parent().unwrap(), &Fake::default(), 1).unwrap_err();
            assert!(matches!(error, RunError::Damaged { .. }), "{error}");
        }
    }
}

#[test]
fn a_missing_line_is_damage() {
    let bench = Bench::new(EXPERIMENT);
    let folder = finished(&bench);
    let text = fs::read_to_string(folder.join("journal.jsonl")).unwrap();
    let without: Vec<&str> = text
        .lines()
        .enumerate()
        .filter(|(at, _)| *at != 5)
        .map(|(_, l)| l)
        .collect();
    fs::write(folder.join("journal.jsonl"), without.join("\n") + "\n").unwrap();
    let error = RecordedRun::open(&folder).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("line 6 is damaged: it is number 6 where 5 is due"),
        "{error}"
    );
}

/// A line of a journal with something else in it, and the checksum that belongs to that.
fn rewritten(line: &str, edit: impl Fn(&str) -> String) -> String {
    use sha2::{Digest, Sha256};
    let rest = edit(&line[26..]);
    let sum: String = Sha256::digest(rest.as_bytes())[..8]
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    format!("{{\"sum\":\"{sum}\",{rest}")
}

#[test]
fn a_newer_format_is_refused_by_name() {
    let bench = Bench::new(EXPERIMENT);
    let folder = finished(&bench);
    let text = fs::read_to_string(folder.join("journal.jsonl")).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines[2] = rewritten(&lines[2], |rest| {
        rest.replace("\"format\":3", "\"format\":7")
            .replace("proposed", "dreamt")
    });
    fs::write(folder.join("journal.jsonl"), lines.join("\n") + "\n").unwrap();
    let error = RecordedRun::open(&folder).unwrap_err();
    assert!(
        error.to_string().contains(
            "line 3 is in journal format 7, and this version of strata reads up to format 6"
        ),
        "{error}"
    );
}

#[test]
fn a_journal_of_the_first_format_is_read() {
    let bench = Bench::new(EXPERIMENT);
    let folder = finished(&bench);
    let text = fs::read_to_string(folder.join("journal.jsonl")).unwrap();
    let first = |rest: &str| {
        let rest = rest.replace("\"format\":6", "\"format\":1");
        rest.replace("\"format\":3", "\"format\":1")
    };
    let older = |line: &str| rewritten(line, first) + "\n";
    let older: String = text.lines().map(older).collect();
    fs::write(folder.join("journal.jsonl"), older).unwrap();
    assert!(RecordedRun::open(&folder).unwrap().summary().is_ok());
}

#[test]
fn every_figure_survives_the_journal_to_the_bit() {
    let bench = Bench::new(EXPERIMENT);
    let folder = finished(&bench);
    let run = RecordedRun::open(&folder).unwrap();
    for entry in run.entries().unwrap() {
        let text = serde_json::to_string(&entry).unwrap();
        let again: strata::run::journal::Entry = serde_json::from_str(&text).unwrap();
        assert_eq!(again, entry);
    }
}
