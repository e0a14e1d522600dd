//! Facts about named datasets.

use super::{DataError, DataSource, Dataset, Origin, SETS, find_named};
use crate::data::{Inputs, Splits, Task};
use std::path::Path;

fn load(name: &str, folder: Option<&Path>) -> Result<Dataset, DataError> {
    let source = DataSource {
        folder: folder.map(Path::to_owned),
        ..DataSource::embedded(name)
    };
    super::load(&source, name)
}

fn loaded(name: &str) -> Dataset {
    load(name, None).unwrap()
}

#[test]
fn the_digits_are_as_their_authors_describe() {
    let digits = loaded("digits");
    assert_eq!(digits.len(), 1797);
    assert_eq!(digits.shape().unwrap().to_string(), "1x8x8");
    assert_eq!(
        digits.class_names(),
        ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]
    );
    let Inputs::Values(values) = &digits.examples.inputs else {
        panic!("pixels are numbers");
    };
    assert!(values.iter().all(|value| (0.0..=16.0).contains(value)));
    assert_eq!(
        digits.examples.targets.labels().unwrap()[..5],
        [0, 1, 2, 3, 4]
    );
}

#[test]
fn the_other_embedded_sets_are_as_they_are_described() {
    let cases = [
        ("mnist1d", 4000, Some("1x40"), 10),
        ("iris", 150, Some("4"), 3),
        ("wine", 178, Some("13"), 3),
        ("breast_cancer", 569, Some("30"), 2),
        ("penguins", 344, None, 3),
        ("diabetes", 442, Some("10"), 0),
    ];
    for (name, examples, shape, classes) in cases {
        let set = loaded(name);
        assert_eq!((set.name(), set.len()), (name, examples));
        let found = set.shape().map(|shape| shape.to_string());
        assert_eq!(found.as_deref(), shape, "{name}");
        assert_eq!(set.class_names().len(), classes, "{name}");
    }
    assert_eq!(loaded("mnist1d").official_test_len(), Some(1000));
    let Task::Numbers(names) = loaded("diabetes").task().clone() else {
        panic!("a regression");
    };
    assert_eq!(names, ["y"]);
}

#[test]
fn penguins_become_numbers_with_their_gaps_marked() {
    let plan = crate::data::SplitPlan::default();
    let splits = Splits::new(loaded("penguins"), &plan).unwrap();
    // Islands 3, four measurements with a mark each, sexes 2, the year.
    assert_eq!(splits.train.shape.to_string(), "14");
    for part in [&splits.train, &splits.validation] {
        assert!(part.inputs.iter().all(|value| value.is_finite()));
    }
}

#[test]
fn an_unknown_name_is_shown_the_closest() {
    let fault = |name| load(name, None).unwrap_err().to_string();
    assert!(fault("digit").ends_with("did you mean `digits`?"));
    assert!(fault("imagenet").contains("there are digits, mnist1d, "));
}

#[test]
fn every_section_of_a_set_in_files_is_one() {
    for set in SETS {
        if let Origin::Files { files, section, .. } = set.origin {
            toml::from_str::<DataSource>(section).unwrap();
            let hashes = files.iter().flat_map(|file| file.sha256);
            assert!(hashes.into_iter().all(|hash| hash.len() == 64));
        }
    }
}

#[test]
fn files_that_are_nowhere_or_wrong_say_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let fault = || {
        let error = load("mnist", Some(folder.path())).unwrap_err();
        error.to_string()
    };
    assert!(fault().contains("`strata data fetch mnist` downloads it"));
    let Origin::Files { files, .. } = find_named("mnist").unwrap().origin else {
        panic!("it is in files");
    };
    std::fs::create_dir(folder.path().join("mnist")).unwrap();
    for file in files {
        std::fs::write(folder.path().join("mnist").join(file.name), b"cut").unwrap();
    }
    assert!(fault().contains("its SHA-256 is "), "{}", fault());
    assert!(fault().contains("delete it and fetch it again"));
}

#[test]
fn sets_without_an_address_are_brought_by_hand_and_known_by_what_they_hold() {
    let folder = tempfile::tempdir().unwrap();
    let fault = || {
        load("sms_spam", Some(folder.path()))
            .unwrap_err()
            .to_string()
    };
    let said = fault();
    assert!(said.contains("put sms_spam.tsv.gz into "), "{said}");
    assert!(said.contains("https://archive.ics.uci.edu/"), "{said}");
    // Beside other sets, unpacked, and not what it should be.
    std::fs::write(folder.path().join("sms_spam.tsv.gz"), "ham\thello\n").unwrap();
    assert!(fault().contains("its SHA-256 is "), "{}", fault());
}

#[test]
fn the_first_examples_are_kept_where_that_is_asked() {
    let source = DataSource {
        examples: Some(100),
        test_examples: Some(20),
        ..DataSource::embedded("mnist1d")
    };
    let few = source.load(Path::new("")).unwrap();
    assert_eq!((few.len(), few.official_test_len()), (100, Some(20)));
    let all = loaded("mnist1d");
    assert_ne!(few.hash(), all.hash());
    let (Inputs::Values(few), Inputs::Values(all)) = (&few.examples.inputs, &all.examples.inputs)
    else {
        panic!("signals are numbers");
    };
    assert_eq!(few[..], all[..100 * 40]);
    let none = DataSource {
        examples: Some(0),
        ..DataSource::embedded("mnist1d")
    };
    let fault = none.load(Path::new("")).unwrap_err().to_string();
    assert!(fault.starts_with("data.examples: at least 1"), "{fault}");
}

#[test]
fn only_sets_of_texts_take_settings_of_texts() {
    let source = DataSource {
        length: Some(16),
        ..DataSource::embedded("wine")
    };
    let fault = source.load(Path::new("")).unwrap_err().to_string();
    assert!(fault.starts_with("data.length: has no meaning"), "{fault}");
}
