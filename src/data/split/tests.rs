//! Facts about divided datasets.

use super::*;
use crate::data::dataset::tests::of_labels;
use crate::data::keys::KeyColumn;
use crate::data::{Classes, Examples, Targets, Task};
use crate::layers::Shape;
use proptest::prelude::*;

fn plan(validation: f64, test: f64) -> SplitPlan {
    SplitPlan {
        validation,
        test,
        ..SplitPlan::default()
    }
}

fn balanced(classes: u32, each: usize) -> Vec<u32> {
    (0..classes as usize * each)
        .map(|index| index as u32 % classes)
        .collect()
}

#[test]
fn shares_are_kept_in_each_class() {
    let splits = Splits::new(of_labels(&balanced(3, 10)), &SplitPlan::default()).unwrap();
    assert_eq!(splits.train.class_counts(), [6, 6, 6]);
    assert_eq!(splits.validation.class_counts(), [2, 2, 2]);
    assert_eq!(splits.test.len(), 6);
    assert_eq!(splits.retraining().len(), 24);
}

#[test]
fn the_same_plan_gives_the_same_parts_and_another_seed_others() {
    let split = |seed| {
        let plan = SplitPlan {
            seed: Seed(seed),
            ..SplitPlan::default()
        };
        Splits::new(of_labels(&balanced(2, 50)), &plan).unwrap()
    };
    let (one, same, other) = (split(1), split(1), split(2));
    assert_eq!((&one.train, &one.hash), (&same.train, &same.hash));
    assert_ne!(one.train, other.train);
    assert_ne!(one.hash, other.hash);
}

#[test]
fn each_training_part_is_scaled_by_its_own_statistics() {
    let splits = Splits::new(of_labels(&balanced(2, 20)), &SplitPlan::default()).unwrap();
    let mean = |part: &Part| {
        let sum: f32 = (0..part.len()).map(|index| part.example(index)[0]).sum();
        sum / part.len() as f32
    };
    assert!(mean(&splits.train).abs() < 1e-6);
    assert!(mean(&splits.retraining()).abs() < 1e-6);
    let test = splits.test.open();
    assert_ne!(test.for_searched, test.for_retrained);
    assert_eq!(test.for_searched.targets, test.for_retrained.targets);
}

#[test]
fn an_official_test_part_is_used_as_it_is() {
    let classes = Classes::from_labels(["0", "1"]);
    let examples = |count: usize| {
        let labels = (0..count as u32).map(|index| index % 2).collect();
        let values = (0..count).map(|value| value as f32).collect();
        Examples::of_values(values, Targets::classes(labels, 2))
    };
    let shape = Shape::Vector { features: 1 };
    let set = Dataset::new(
        "made",
        shape,
        Task::Classes(classes),
        examples(10),
        Some(examples(4)),
    )
    .unwrap();
    let raw = SplitPlan {
        normalise: Normalise::None,
        ..plan(0.2, 0.0)
    };
    let splits = Splits::new(set, &raw).unwrap();
    assert_eq!((splits.train.len(), splits.validation.len()), (8, 2));
    assert_eq!(
        splits.test.open().for_retrained.inputs,
        [0.0, 1.0, 2.0, 3.0]
    );
}

#[test]
fn senseless_shares_are_refused() {
    let fault = |validation, test| {
        Splits::new(of_labels(&[0, 1, 0, 1]), &plan(validation, test))
            .unwrap_err()
            .to_string()
    };
    assert!(fault(0.0, 0.2).starts_with("data.validation: 0 is not a share"));
    assert!(fault(f64::NAN, 0.2).starts_with("data.validation: NaN is not a share"));
    assert!(fault(0.2, 1.0).starts_with("data.test_fraction: 1 is not a share"));
    assert!(fault(0.5, 0.5).contains("leaves nothing to train on"));
    assert!(fault(0.01, 0.3).contains("no example is left for validation out of 4"));
}

#[test]
fn a_lone_example_of_a_class_is_trained_on() {
    let mut labels = balanced(2, 20);
    labels.push(2);
    let splits = Splits::new(of_labels(&labels), &SplitPlan::default()).unwrap();
    assert_eq!(splits.train.class_counts()[2], 1);
}

#[test]
fn a_class_that_training_would_lack_is_an_error() {
    let fault = Splits::new(of_labels(&[0, 1, 2, 3]), &plan(0.4, 0.4))
        .unwrap_err()
        .to_string();
    assert!(
        fault.contains("has too few examples (1) to keep one for training"),
        "{fault}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn parts_are_disjoint_complete_exact_and_stratified(
        sizes in prop::collection::vec(5usize..40, 2..6),
        validation in 0.1f64..0.4,
        test in 0.1f64..0.4,
        seed in any::<u64>(),
    ) {
        let labels: Vec<u32> = sizes
            .iter()
            .enumerate()
            .flat_map(|(class, &size)| std::iter::repeat_n(class as u32, size))
            .collect();
        let dataset = of_labels(&labels);
        let plan = SplitPlan { validation, test, seed: Seed(seed), ..SplitPlan::default() };
        let drawn = Indices::draw(&dataset, &plan).unwrap();

        let mut all = [&drawn.train[..], &drawn.validation, &drawn.test].concat();
        all.sort_unstable();
        prop_assert_eq!(all, (0..labels.len()).collect::<Vec<_>>());

        for (part, share) in [(&drawn.validation, validation), (&drawn.test, test)] {
            let wanted = (labels.len() as f64 * share).round() as usize;
            prop_assert_eq!(part.len(), wanted);
            for (class, &size) in sizes.iter().enumerate() {
                let count = part.iter().filter(|&&index| labels[index] as usize == class).count();
                prop_assert!((count as f64 - size as f64 * share).abs() < 1.0);
            }
        }
    }
}

/// A dataset of `labels` whose rows belong to these groups.
fn grouped(labels: &[u32], groups: &[String]) -> Dataset {
    let mut dataset = of_labels(labels);
    let mut column = KeyColumn::new("who", "made");
    for (row, group) in groups.iter().enumerate() {
        column.push(group, row as u64 + 1);
    }
    dataset.examples.keys.group = Some(column);
    dataset
}

fn by_group(seed: u64) -> SplitPlan {
    SplitPlan {
        by: Some(SplitBy::Group),
        seed: Seed(seed),
        ..SplitPlan::default()
    }
}

/// The groups that have rows among `rows`.
fn groups_of<'a>(rows: &[usize], groups: &'a [String]) -> std::collections::BTreeSet<&'a String> {
    rows.iter().map(|&row| &groups[row]).collect()
}

#[test]
fn equal_groups_are_divided_by_the_shares_with_their_classes() {
    let groups: Vec<String> = (0..400).map(|row| format!("p{}", row / 10)).collect();
    let labels: Vec<u32> = (0..400).map(|row| u32::from(row / 10 % 4 == 0)).collect();
    let splits = Splits::new(grouped(&labels, &groups), &by_group(0)).unwrap();
    let division = splits.division();
    let sizes = division.parts.clone().map(|part| part.examples);
    assert_eq!(sizes, [240, 80, 80]);
    assert_eq!(
        division.parts.clone().map(|part| part.groups),
        [Some(24), Some(8), Some(8)]
    );
    let classes = division.parts.map(|part| part.classes[1]);
    assert_eq!(classes, [60, 20, 20]);
    let test = splits.test.open().for_retrained;
    let mut groups = test.groups.unwrap();
    assert_eq!(groups.len(), 80);
    groups.dedup();
    assert_eq!(groups.len(), 8);
}

#[test]
fn too_few_groups_are_counted() {
    let groups: Vec<String> = (0..20).map(|row| format!("p{}", row % 2)).collect();
    let fault = Splits::new(grouped(&balanced(2, 10), &groups), &by_group(0)).unwrap_err();
    assert_eq!(
        fault.to_string(),
        "can't divide made: column `who` has 2 groups, and 3 are needed, one each for training, validation, the test; \
         give more groups, or leave `split` out"
    );
    let three: Vec<String> = (0..20).map(|row| format!("p{}", row % 3)).collect();
    let splits = Splits::new(grouped(&balanced(2, 10), &three), &by_group(0)).unwrap();
    assert_eq!(
        splits.division().parts.map(|part| part.groups),
        [Some(1); 3]
    );
}

/// A dataset of rows with these times.
fn timed(times: &[&str]) -> Dataset {
    let mut dataset = of_labels(&balanced(2, times.len() / 2));
    let mut column = KeyColumn::new("when", "made");
    for (row, time) in times.iter().enumerate() {
        column.push(time, row as u64 + 1);
    }
    dataset.examples.keys.time = Some(column);
    dataset
}

fn by_time() -> SplitPlan {
    SplitPlan {
        by: Some(SplitBy::Time),
        ..SplitPlan::default()
    }
}

#[test]
fn the_latest_rows_test_and_rows_of_one_time_stay_together() {
    let dataset = timed(&["9", "1", "8", "2", "7", "3", "10", "4", "6", "5"]);
    let drawn = Indices::draw(&dataset, &by_time()).unwrap();
    assert_eq!((drawn.test, drawn.validation), (vec![0, 6], vec![2, 4]));
    let dataset = timed(&["1", "1", "1", "1", "2", "2", "2", "3", "3", "3"]);
    let drawn = Indices::draw(&dataset, &by_time()).unwrap();
    assert_eq!(
        (drawn.test, drawn.validation),
        (vec![7, 8, 9], vec![4, 5, 6])
    );
    let dataset = timed(&["2024-01-01", "2024-01-01", "2024-01-02", "2024-01-02"]);
    let fault = Indices::draw(&dataset, &by_time()).unwrap_err().to_string();
    assert!(
        fault.contains("`when` has 2 different times, and 3 are needed"),
        "{fault}"
    );
    let in_order = SplitPlan {
        by: Some(SplitBy::FileOrder),
        ..SplitPlan::default()
    };
    let drawn = Indices::draw(&of_labels(&balanced(2, 5)), &in_order).unwrap();
    assert_eq!((drawn.test, drawn.validation), (vec![8, 9], vec![6, 7]));
}

#[test]
fn a_validation_file_validates_and_is_trained_on_in_the_end() {
    let mut set = of_labels(&balanced(2, 10));
    let targets = Targets::classes(vec![0, 1, 1], 2);
    let extra = Examples::of_values(vec![100.0, 0.0, 101.0, 0.0, 102.0, 0.0], targets);
    let alone = set.hash().to_owned();
    set = set.validated_by(Some(extra)).unwrap();
    assert_ne!(set.hash(), alone);
    let raw = SplitPlan {
        normalise: Normalise::None,
        ..SplitPlan::default()
    };
    let splits = Splits::new(set, &raw).unwrap();
    assert_eq!((splits.train.len(), splits.test.len()), (16, 4));
    assert_eq!(splits.validation.inputs[0], 100.0);
    let both = splits.retraining();
    assert_eq!((both.len(), both.inputs[2 * 18]), (19, 102.0));
    assert_eq!(both.class_counts(), [9, 10]);
}

#[test]
fn groups_are_part_of_the_data_and_old_hashes_stay() {
    let labels = balanced(2, 30);
    let groups: Vec<String> = (0..60).map(|row| format!("p{}", row / 3)).collect();
    let plain = of_labels(&labels);
    // From the bytes that hashes were of before there were groups, by Python's hashlib.
    assert_eq!(
        plain.hash(),
        "1eba32a6169852cb65481166e7f476770d63c12663e1623a8cadcc0fcb026b26"
    );
    let file = grouped(&labels, &groups).validated_by(Some(plain.examples.clone()));
    let file = file.unwrap();
    let plain = plain.validated_by(Some(file.examples.clone())).unwrap();
    assert_ne!(file.hash(), plain.hash());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_group_stands_in_two_parts_and_sizes_are_close_to_the_shares(
        sizes in prop::collection::vec((1usize..30, 0u32..3), 3..60),
        seed in any::<u64>(),
    ) {
        let mut labels = Vec::new();
        let mut groups = Vec::new();
        for (number, &(size, class)) in sizes.iter().enumerate() {
            for row in 0..size {
                labels.push((class + u32::from(row % 5 == 0)) % 3);
                groups.push(format!("g{number}"));
            }
        }
        labels[0] = 2;
        let dataset = grouped(&labels, &groups);
        let drawn = Indices::draw(&dataset, &by_group(seed)).unwrap();
        let parts = [&drawn.train, &drawn.validation, &drawn.test];
        let [train, validation, test] = parts.map(|rows| groups_of(rows, &groups));
        prop_assert!(train.is_disjoint(&validation) && train.is_disjoint(&test));
        prop_assert!(validation.is_disjoint(&test));
        prop_assert_eq!(train.len() + validation.len() + test.len(), sizes.len());

        let largest = sizes.iter().map(|(size, _)| *size).max().unwrap() as f64;
        for (rows, share) in parts.iter().zip([0.6, 0.2, 0.2]) {
            prop_assert!(!rows.is_empty());
            let distance = (rows.len() as f64 - share * labels.len() as f64).abs();
            prop_assert!(distance <= 1.5 * largest, "{} of {}", rows.len(), labels.len());
        }
        prop_assert_eq!(&drawn, &Indices::draw(&dataset, &by_group(seed)).unwrap());

        // The order of rows decides nothing.
        let backwards = |rows: &[usize]| -> Vec<usize> {
            let mut rows: Vec<usize> = rows.iter().map(|row| labels.len() - 1 - row).collect();
            rows.sort_unstable();
            rows
        };
        let turned: Vec<String> = groups.iter().rev().cloned().collect();
        let turned_labels: Vec<u32> = labels.iter().rev().copied().collect();
        let again = Indices::draw(&grouped(&turned_labels, &turned), &by_group(seed)).unwrap();
        prop_assert_eq!(backwards(&again.test), drawn.test);
        prop_assert_eq!(backwards(&again.validation), drawn.validation);
    }
}
