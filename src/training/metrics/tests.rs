//! Facts about figures, most of them scikit-learn's.

use super::*;
use proptest::prelude::*;
use serde::Deserialize;

/// A case of `tests/golden/metrics.json`.
#[derive(Deserialize)]
struct Case {
    name: String,
    output: Output,
    outputs: Vec<f32>,
    #[serde(default)]
    classes: Vec<u32>,
    #[serde(default)]
    flags: Vec<u8>,
    #[serde(default)]
    numbers: Vec<f32>,
    metrics: BTreeMap<String, f64>,
}

impl Case {
    fn targets(&self) -> Targets {
        match self.output {
            Output::Classes(classes) => Targets::classes(self.classes.clone(), classes),
            Output::Binary => Targets::classes(self.classes.clone(), 2),
            Output::Labels(labels) => Targets::Labels {
                flags: self.flags.iter().map(|&flag| flag == 1).collect(),
                labels,
            },
            Output::Regression(outputs) => Targets::numbers(self.numbers.clone(), outputs),
        }
    }
}

#[test]
fn figures_are_those_of_scikit_learn() {
    let text = include_str!("../../../tests/golden/metrics.json");
    let cases: Vec<Case> = serde_json::from_str(text).unwrap();
    assert!(cases.len() >= 10);
    for case in cases {
        let found = all(case.output, &case.outputs, &case.targets());
        for name in found.keys().map(String::as_str) {
            let is_error = ["rmse", "mae"].contains(&name);
            assert_ne!(is_error, QUALITY_FIGURES.contains(&name), "{name}");
        }
        let names = |figures: &BTreeMap<String, f64>| figures.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&found), names(&case.metrics), "{}", case.name);
        for (name, wanted) in &case.metrics {
            let difference = (found[name] - wanted).abs();
            let close = difference <= 1e-9 * wanted.abs().max(1.0);
            assert!(close, "{}: {name} {} {wanted}", case.name, found[name]);
        }
    }
}

#[test]
fn errors_are_in_the_units_of_the_data() {
    let values = vec![-1.0, 1.0];
    let scale = TargetScale {
        mean: vec![100.0],
        deviation: vec![20.0],
    };
    let targets = Targets::Numbers { values, scale };
    let found = all(Output::Regression(1), &[0.0, 1.0], &targets);
    assert_eq!((found["mae"], found["R2"]), (10.0, 0.5));
    assert!((found["rmse"] - 20.0 / libm::sqrt(2.0)).abs() < 1e-12);
}

#[test]
fn one_example_has_figures_that_are_finite() {
    let one = Targets::numbers(vec![3.0], 1);
    assert_eq!(score(Output::Regression(1), &[3.0], &one), 1.0);
    assert_eq!(score(Output::Regression(1), &[2.0], &one), 0.0);
    let lone = all(Output::Binary, &[0.3], &Targets::classes(vec![1], 2));
    assert!(!lone.contains_key("auroc"));
    assert!(lone.values().all(|figure| figure.is_finite()));
}

proptest! {
    #[test]
    fn the_area_under_the_curve_is_the_share_of_pairs_in_order(
        examples in prop::collection::vec((0u8..6, any::<bool>()), 2..40),
    ) {
        let scores: Vec<f64> = examples.iter().map(|(score, _)| f64::from(*score)).collect();
        let flags: Vec<bool> = examples.iter().map(|(_, flag)| *flag).collect();
        let (mut won, mut pairs) = (0.0, 0.0);
        for (a, _) in examples.iter().filter(|(_, flag)| *flag) {
            for (b, _) in examples.iter().filter(|(_, flag)| !*flag) {
                pairs += 1.0;
                won += if a > b { 1.0 } else if a == b { 0.5 } else { 0.0 };
            }
        }
        match auroc(scores, &flags) {
            Some(area) => prop_assert!((area - won / pairs).abs() < 1e-12),
            None => prop_assert_eq!(pairs, 0.0),
        }
    }
}
