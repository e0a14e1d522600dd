//! Damage to a journal, byte by byte, and a disk that fails at each of its operations.

use super::disk::{Fault, FaultyDisk};
use super::scenario::Scenario;
use super::simulation::{Simulated, disk, runs, undisturbed};
use crate::random::{Purpose, Seed};
use crate::run::disk::Disk;
use crate::run::error::RunError;
use crate::run::journal::{self, Entry, FileJournal};
use std::path::PathBuf;

fn journal_of(run: &Simulated<'_>) -> (PathBuf, Vec<u8>) {
    let path = runs().join("tiny-1").join(journal::FILE_NAME);
    let bytes = run.disk.read(&path).unwrap();
    (path, bytes)
}

/// A scenario's run that has come to its end.
fn finished(scenario: &Scenario) -> Simulated<'_> {
    let mut run = Simulated::new(scenario, Seed(0));
    assert!(run.live(2).unwrap());
    run
}

fn open(disk: &FaultyDisk, path: &std::path::Path) -> Result<Vec<Entry>, RunError> {
    FileJournal::open_on(disk, path).map(|(_, entries)| entries)
}

#[test]
fn a_journal_cut_at_any_byte_loses_its_torn_tail_at_most() {
    let scenario = Scenario::all().remove(1);
    let run = finished(&scenario);
    let (path, whole) = journal_of(&run);
    let entries = open(&run.disk, &path).unwrap();
    assert!(whole.len() > 4096);
    for length in whole.len() - 4096..whole.len() {
        run.disk.put(&path, &whole[..length]);
        let found = open(&run.disk, &path).unwrap();
        let lines = whole[..length]
            .iter()
            .filter(|&&byte| byte == b'\n')
            .count();
        assert_eq!(found, entries[..lines]);
        let left = run.disk.read(&path).unwrap();
        assert_eq!(
            left.len(),
            whole[..length].iter().rposition(|&b| b == b'\n').unwrap() + 1
        );
    }
}

#[test]
fn a_journal_cut_inside_any_record_is_gone_on_with_to_the_same_end() {
    let scenario = Scenario::all().remove(1);
    let wanted = undisturbed(&scenario).0;
    let run = finished(&scenario);
    let (path, whole) = journal_of(&run);
    let first = whole.iter().position(|&byte| byte == b'\n').unwrap() + 1;
    for length in (first..whole.len()).step_by(97) {
        let mut copy = finished(&scenario);
        copy.forget_acknowledged();
        copy.disk.put(&path, &whole[..length]);
        assert!(copy.live(3).unwrap());
        assert_eq!(copy.digest(), wanted, "cut at byte {length}");
    }
}

#[test]
fn every_flipped_bit_of_a_record_is_noticed_and_its_line_named() {
    let scenario = Scenario::all().remove(1);
    let run = finished(&scenario);
    let (path, whole) = journal_of(&run);
    let ends: Vec<usize> = (0..whole.len()).filter(|&at| whole[at] == b'\n').collect();
    let middle = ends.len() / 2;
    for line in [middle, ends.len() - 1] {
        let is_last = line == ends.len() - 1;
        for at in ends[line - 1] + 1..=ends[line] {
            for bit in 0..8 {
                let mut damaged = whole.clone();
                damaged[at] ^= 1 << bit;
                run.disk.put(&path, &damaged);
                match open(&run.disk, &path) {
                    Err(RunError::Damaged { line: named, .. }) => {
                        assert_eq!(named, line as u64 + 1, "byte {at}, bit {bit}");
                    }
                    // Without its line break, or with a zero in it, the last line looks torn.
                    Ok(entries) if is_last => assert_eq!(entries.len(), line),
                    other => panic!("byte {at}, bit {bit}: {other:?}"),
                }
            }
        }
    }
}

#[test]
fn a_tail_of_zeros_is_a_torn_line() {
    let disk = disk(Seed(0).stream(0, Purpose::Tool));
    let path = runs().join(journal::FILE_NAME);
    let (scenario, mut whole) = (Scenario::all().remove(0), Vec::new());
    let run = finished(&scenario);
    whole.extend(journal_of(&run).1);
    let entries = open(&run.disk, &journal_of(&run).0).unwrap();
    drop(disk.log(&path, true).unwrap());
    for tail in [&[0u8; 300][..], b"{\"sum\":\"\0\0\0\0\"}\n", b"\0\n"] {
        disk.put(&path, &[&whole, tail].concat());
        assert_eq!(open(&disk, &path).unwrap(), entries);
        assert_eq!(disk.read(&path).unwrap(), whole);
    }
}

#[test]
fn a_run_survives_the_failure_of_each_operation_of_the_disk() {
    for scenario in [Scenario::all().remove(2), Scenario::all().remove(3)] {
        let (wanted, operations) = undisturbed(&scenario);
        for at in 1..=operations {
            for fault in [Fault::Error, Fault::Full, Fault::Kill, Fault::PowerCut] {
                let mut run = Simulated::new(&scenario, Seed(at));
                run.disk.plan(Some((at, fault)));
                match run.live(2) {
                    Ok(over) => assert!(over, "operation {at}, {fault:?}"),
                    Err(RunError::File { source, .. }) => {
                        let full = source.kind() == std::io::ErrorKind::StorageFull;
                        assert_eq!(full, fault == Fault::Full, "operation {at}: {source}");
                    }
                    Err(error) => panic!("operation {at}, {fault:?}: {error}"),
                }
                run.disk.restart();
                run.disk.plan(None);
                assert!(run.live(3).unwrap(), "operation {at}, {fault:?}");
                assert_eq!(run.digest(), wanted, "operation {at}, {fault:?}");
            }
        }
    }
}
