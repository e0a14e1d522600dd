//! Facts about divided datasets.

use super::*;
use crate::data::dataset::tests::of_labels;
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
        let plan = SplitPlan { validation, test, seed: Seed(seed), normalise: Normalise::None };
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
