//! Facts about figures, most of them scikit-learn's.

use super::*;
use crate::data::TargetScale;
use crate::training::SCORES;
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
    /// The scores that are no usual figures of the task, by their names in an experiment.
    scores: BTreeMap<String, f64>,
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

fn cases() -> Vec<Case> {
    let text = include_str!("../../../tests/golden/metrics.json");
    serde_json::from_str(text).unwrap()
}

#[test]
fn figures_are_those_of_scikit_learn() {
    assert!(cases().len() >= 10);
    for case in cases() {
        let score = Score::of(case.output);
        let found = all(score, case.output, &case.outputs, &case.targets());
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
fn every_score_is_scikit_learn_s() {
    let mut met = BTreeMap::new();
    for case in cases() {
        let Case { output, .. } = case;
        for info in SCORES.iter().filter(|info| info.score.fits(output)) {
            let found = figure(info.score, output, &case.outputs, &case.targets());
            let of_score = case.scores.get(info.name);
            let wanted = of_score.or_else(|| case.metrics.get(info.score.figure_name(output)));
            let about = format!("{}: {} {found:?} {wanted:?}", case.name, info.name);
            match (found, wanted) {
                (Some(found), Some(wanted)) => {
                    assert!(
                        (found - wanted).abs() <= 1e-9 * wanted.abs().max(1.0),
                        "{about}"
                    );
                    assert!((info.range.0..=info.range.1).contains(&found), "{about}");
                }
                (None, None) => {}
                _ => panic!("{about}"),
            }
            *met.entry(info.name).or_insert(0) += usize::from(found.is_some());
        }
    }
    assert!(
        met.len() == SCORES.len() && met.values().all(|&cases| cases > 0),
        "{met:?}"
    );
}

/// A pseudo-random whole number below `below`, by place.
fn drawn(seed: usize, at: usize, below: usize) -> usize {
    let mixed = (seed * 7919 + at).wrapping_mul(2_654_435_761) >> 7;
    mixed % below
}

fn some_targets(output: Output, examples: usize, seed: usize) -> Targets {
    let labels = |classes: usize| (0..examples).map(move |at| drawn(seed, at, classes) as u32);
    match output {
        Output::Classes(classes) => Targets::classes(labels(classes).collect(), classes),
        Output::Binary => Targets::classes(labels(2).collect(), 2),
        Output::Labels(count) => Targets::Labels {
            flags: (0..examples * count)
                .map(|at| drawn(seed, at, 3) == 0)
                .collect(),
            labels: count,
        },
        Output::Regression(width) => Targets::Numbers {
            values: (0..examples * width)
                .map(|at| drawn(seed, at, 9) as f32 - 4.0)
                .collect(),
            scale: TargetScale {
                mean: vec![3.0; width],
                deviation: (0..width).map(|column| 1.5 + column as f64).collect(),
            },
        },
    }
}

const OUTPUTS: [Output; 6] = [
    Output::Classes(3),
    Output::Classes(2),
    Output::Classes(7),
    Output::Binary,
    Output::Labels(3),
    Output::Regression(2),
];

#[test]
fn contributions_are_what_leaving_out_one_by_one_gives() {
    const EXAMPLES: usize = 41;
    let groups: Vec<usize> = (0..EXAMPLES).map(|at| 3 * (drawn(5, at, 12))).collect();
    for (seed, output) in OUTPUTS.into_iter().enumerate() {
        let width = output.numbers();
        let targets = some_targets(output, EXAMPLES, seed);
        let logit = |at| drawn(seed + 90, at, 17) as f32 / 4.0 - 2.0;
        let outputs: Vec<f32> = (0..EXAMPLES * width).map(logit).collect();
        for info in SCORES.iter().filter(|info| info.score.fits(output)) {
            for groups in [None, Some(&groups[..])] {
                let of = |at: &usize| groups.map_or(*at, |groups| groups[*at]);
                let names: std::collections::BTreeSet<usize> =
                    (0..EXAMPLES).map(|at| of(&at)).collect();
                let without = |name: &usize| {
                    let left: Vec<usize> = (0..EXAMPLES).filter(|at| of(at) != *name).collect();
                    let rows = left
                        .iter()
                        .flat_map(|at| &outputs[at * width..(at + 1) * width]);
                    let rows: Vec<f32> = rows.copied().collect();
                    figure(info.score, output, &rows, &targets.select(&left)).unwrap()
                };
                let count = names.len() as f64;
                let whole = figure(info.score, output, &outputs, &targets).unwrap();
                let found = contributions(info.score, output, &outputs, &targets, groups).unwrap();
                assert_eq!(found.len(), names.len());
                for (found, name) in found.iter().zip(&names) {
                    let wanted = count * whole - (count - 1.0) * without(name);
                    let about = format!("{} of {output}: {found} {wanted}", info.name);
                    assert!(
                        (found - wanted).abs() < 1e-9 * (1.0 + wanted.abs()),
                        "{about}"
                    );
                }
                if info.score.is_mean() && groups.is_none() {
                    let mean = found.iter().sum::<f64>() / count;
                    assert!((mean - whole).abs() < 1e-12, "{}", info.name);
                }
            }
        }
    }
}

#[test]
fn hits_contribute_one_and_misses_nothing() {
    let targets = Targets::classes(vec![1, 0, 1], 2);
    let found = contributions(
        Score::Accuracy,
        Output::Binary,
        &[0.5, 0.1, -1.0],
        &targets,
        None,
    );
    assert_eq!(found, Some(vec![1.0, 0.0, 0.0]));
}

#[test]
fn a_score_that_would_be_undefined_without_an_example_has_no_contributions() {
    let targets = Targets::classes(vec![1, 0, 0], 2);
    let of = |score| contributions(score, Output::Binary, &[0.5, 0.1, -1.0], &targets, None);
    assert_eq!((of(Score::Auroc), of(Score::F1)), (None, None));
    assert!(of(Score::LogLoss).is_some());
}

#[test]
fn one_class_alone_has_no_score_that_asks_about_two() {
    let targets = Targets::classes(vec![0, 0, 0], 2);
    for score in [Score::Auroc, Score::AveragePrecision, Score::F1, Score::Mcc] {
        assert_eq!(
            figure(score, Output::Binary, &[0.5, 0.1, -1.0], &targets),
            None,
            "{score}"
        );
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
    let found = all(Score::R2, Output::Regression(1), &[0.0, 1.0], &targets);
    assert_eq!((found["mae"], found["R2"]), (10.0, 0.5));
    assert!((found["rmse"] - 20.0 / libm::sqrt(2.0)).abs() < 1e-12);
}

#[test]
fn one_example_has_figures_that_are_finite() {
    let one = Targets::numbers(vec![3.0], 1);
    let r2 = |output| figure(Score::R2, Output::Regression(1), &[output], &one);
    assert_eq!((r2(3.0), r2(2.0)), (Some(1.0), Some(0.0)));
    let lone = all(
        Score::Accuracy,
        Output::Binary,
        &[0.3],
        &Targets::classes(vec![1], 2),
    );
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
        match (ranks::Ranked { scores, positive: flags }).auroc() {
            Some(area) => prop_assert!((area - won / pairs).abs() < 1e-12),
            None => prop_assert_eq!(pairs, 0.0),
        }
    }
}
