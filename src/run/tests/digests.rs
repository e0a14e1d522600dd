//! What a digest is taken of.

use super::scenario::Scenario;
use super::simulation::{Simulated, runs};
use crate::random::Seed;
use crate::run::journal::{self, Entry, FileJournal, timeless};
use crate::run::record::{Record, TrialFailed, UNNAMED};
use crate::search::TrialId;
use serde_json::Value;

/// The words of an entry without time and host, by way of its value.
fn by_value(entry: &Entry) -> String {
    let strip = |value: &mut Value| {
        if let Some(fields) = value.as_object_mut() {
            for name in ["at", "seconds", "host", "worker"] {
                fields.shift_remove(name);
            }
        }
    };
    let mut value = serde_json::to_value(entry).unwrap();
    value["format"] = match entry.record {
        Record::Started(_) => UNNAMED.into(),
        _ => entry.record.format_of_what_happened().into(),
    };
    strip(&mut value);
    if let Some(started) = value["record"].get_mut("started") {
        let experiment = &mut started["experiment"];
        experiment["name"] = "".into();
        let file = |path: &Value| path.as_str().unwrap().rsplit('/').next().unwrap().into();
        experiment["space"] = file(&experiment["space"]);
        for path in experiment["final"]["baselines"].as_array_mut().unwrap() {
            *path = file(path);
        }
    }
    let record = value["record"].as_object_mut().unwrap();
    record.values_mut().for_each(strip);
    value.to_string()
}

#[test]
fn words_without_time_and_host_are_those_of_the_value() {
    let mut seen = 0;
    for scenario in Scenario::all() {
        let mut run = Simulated::new(&scenario, Seed(0));
        assert!(run.live(2).unwrap());
        let path = runs().join("tiny-1").join(journal::FILE_NAME);
        let (_, mut entries) = FileJournal::open_on(&run.disk, &path).unwrap();
        entries.push(awkward(entries.len() as u64));
        seen += entries.len();
        for entry in &entries {
            assert_eq!(timeless(entry), by_value(entry));
            assert!(!timeless(entry).contains("\"worker\":"));
        }
    }
    assert!(seen > 200);
}

/// A failure whose message looks like fields.
fn awkward(seq: u64) -> Entry {
    let failed = TrialFailed {
        trial: TrialId(0),
        kind: crate::evaluation::FailureKind::Crashed,
        message: r#"","worker":7},{"at":[\"#.to_owned(),
        epochs: Vec::new(),
        seconds: 0.1 + 0.2,
        worker: 3,
    };
    Entry::new(seq, f64::MIN_POSITIVE, 1e300, Record::Failed(failed))
}

#[test]
fn a_digest_leaves_the_name_out_but_not_that_of_a_journal_of_format_5() {
    let scenario = &Scenario::all()[0];
    let mut run = Simulated::new(scenario, Seed(0));
    assert!(run.live(2).unwrap());
    let path = runs().join("tiny-1").join(journal::FILE_NAME);
    let (_, mut entries) = FileJournal::open_on(&run.disk, &path).unwrap();
    let digests = |entries: &mut [Entry], format: u32| {
        entries[0].format = format;
        ["tiny", "large"].map(|name| {
            let Record::Started(started) = &mut entries[0].record else {
                panic!("a journal begins with the start");
            };
            name.clone_into(&mut started.experiment.name);
            let space = std::path::Path::new("elsewhere").join(&started.experiment.space);
            started.experiment.space = space;
            journal::digest(entries)
        })
    };
    assert_eq!(entries[0].format, 6);
    let [one, other] = digests(&mut entries, 6);
    assert_eq!(one, other);
    let [one, other] = digests(&mut entries, 5);
    assert_ne!(one, other);
}
