//! Facts about models of tables: what scikit-learn's linear models say, and what trees can and can't.

use super::linear::{LIMITS, Problem, predict};
use super::*;
use crate::data::{Normalise, Normaliser, Targets};
use crate::layers::Shape;
use serde::Deserialize;

/// A case of `tests/golden/tabular.json`, by scikit-learn.
#[derive(Deserialize)]
struct Case {
    name: String,
    features: usize,
    inputs: Vec<f32>,
    targets: Vec<f64>,
    l2: f64,
    outputs: Vec<f64>,
}

fn part(features: usize, inputs: Vec<f32>, targets: Targets) -> Part {
    let shape = Shape::Vector { features };
    Part {
        shape,
        inputs,
        targets,
        groups: None,
    }
}

impl Case {
    fn part(&self) -> (Part, Output) {
        let labels = || self.targets.iter().map(|&label| label as u32).collect();
        let (targets, output) = match &self.name[..] {
            "two" => (Targets::classes(labels(), 2), Output::Binary),
            "three" => (Targets::classes(labels(), 3), Output::Classes(3)),
            "labels" => {
                let flags = self.targets.iter().map(|&flag| flag > 0.0).collect();
                (Targets::Labels { flags, labels: 2 }, Output::Labels(2))
            }
            _ => {
                let values = self.targets.iter().map(|&value| value as f32).collect();
                (Targets::numbers(values, 2), Output::Regression(2))
            }
        };
        let mut part = part(self.features, self.inputs.clone(), targets);
        Normaliser::fit(Normalise::Standard, &part).apply(&mut part);
        (part, output)
    }
}

#[test]
fn linear_models_converge_to_what_scikit_learn_finds() {
    let text = include_str!("../../tests/golden/tabular.json");
    let cases: Vec<Case> = serde_json::from_str(text).unwrap();
    assert_eq!(cases.len(), 8);
    for case in cases {
        let (part, output) = case.part();
        let loss = Loss::of(output);
        let problem = Problem::of(&part, loss);
        let mut go_on = || Ok::<(), ()>(());
        let found = problem.minimum(problem.start(), case.l2, &mut go_on);
        let found = found.unwrap();
        assert!(found.converged, "{} within {LIMITS:?}", case.name);
        let mut raw = predict(&found.at, &part, loss);
        if output == Output::Classes(3) {
            // Logits tell by their differences.
            for row in raw.chunks_exact_mut(3) {
                let mean = row.iter().sum::<f64>() / 3.0;
                row.iter_mut().for_each(|x| *x -= mean);
            }
        }
        for (x, y) in raw.iter().zip(&case.outputs) {
            assert!(
                (x - y).abs() < 1e-5,
                "{}, l2 {}: {x}, {y}",
                case.name,
                case.l2
            );
        }
    }
}

/// Whether two numbers have the same sign, which no linear model can tell.
fn signs(examples: usize, salt: u32) -> Part {
    let mut state = salt.wrapping_mul(2_654_435_761);
    let mut draw = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    let inputs: Vec<f32> = (0..2 * examples).map(|_| draw()).collect();
    let same = |row: &[f32]| u32::from((row[0] > 0.0) == (row[1] > 0.0));
    let labels = inputs.chunks_exact(2).map(same).collect();
    part(2, inputs, Targets::classes(labels, 2))
}

fn of_signs<T>(read: impl FnOnce(&Parts<'_>) -> T) -> T {
    let [train, validation, retraining, test] = [1, 2, 3, 4].map(|salt| signs(200, salt));
    read(&Parts {
        train: &train,
        validation: &validation,
        retraining: &retraining,
        test: &test,
    })
}

fn fitted(kind: ModelKind, parts: &Parts<'_>, output: Output) -> (Vec<f32>, FittedModel) {
    let mut go_on = || Ok::<(), ()>(());
    fit(kind, parts, output, &mut go_on).unwrap()
}

fn accuracy(outputs: &[f32], part: &Part) -> f64 {
    let labels = part.targets.labels().unwrap();
    let right = outputs.iter().zip(labels);
    let right = right.filter(|(x, label)| (**x > 0.0) == (**label > 0));
    right.count() as f64 / labels.len() as f64
}

#[test]
fn trees_tell_what_no_linear_model_can() {
    of_signs(|parts| {
        let (trees, about) = fitted(ModelKind::BoostedTrees, parts, Output::Binary);
        let (linear, _) = fitted(ModelKind::Linear, parts, Output::Binary);
        assert!(accuracy(&trees, parts.test) > 0.95);
        assert!(accuracy(&linear, parts.test) < 0.65);
        assert!(about.chosen["rounds"] > 0.0 && about.size > 10);
    });
}

#[test]
fn the_same_examples_give_the_same_bits_on_any_number_of_threads() {
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        let pool = pool.build().unwrap();
        pool.install(|| {
            of_signs(|parts| ModelKind::ALL.map(|kind| fitted(kind, parts, Output::Binary)))
        })
    };
    let bits = |fitted: [(Vec<f32>, FittedModel); 2]| {
        fitted.map(|(outputs, about)| {
            let bits: Vec<u32> = outputs.iter().map(|x| x.to_bits()).collect();
            (bits, about)
        })
    };
    assert_eq!(bits(on(1)), bits(on(4)));
}

#[test]
fn two_logits_say_what_one_does() {
    of_signs(|parts| {
        for kind in ModelKind::ALL {
            let (one, _) = fitted(kind, parts, Output::Binary);
            let (two, _) = fitted(kind, parts, Output::Classes(2));
            let difference: Vec<f32> = two.chunks_exact(2).map(|row| row[1] - row[0]).collect();
            assert_eq!(one, difference);
        }
    });
}

#[test]
fn fitting_ends_when_it_is_told_to() {
    of_signs(|parts| {
        for kind in ModelKind::ALL {
            let mut left = 3;
            let mut go_on = || {
                left -= 1;
                if left > 0 { Ok(()) } else { Err("stopped") }
            };
            let ended = fit(kind, parts, Output::Binary, &mut go_on);
            assert_eq!(ended.unwrap_err(), "stopped");
            assert_eq!(left, 0);
        }
    });
}

#[test]
fn where_nothing_can_be_learnt_the_mean_is_said() {
    let flat = || {
        part(
            1,
            vec![1.0; 30],
            Targets::numbers((0..30u8).map(f32::from).collect(), 1),
        )
    };
    let [train, validation, retraining, test] = [flat(), flat(), flat(), flat()];
    let parts = Parts {
        train: &train,
        validation: &validation,
        retraining: &retraining,
        test: &test,
    };
    for kind in ModelKind::ALL {
        let (outputs, _) = fitted(kind, &parts, Output::Regression(1));
        assert!(
            outputs.iter().all(|x| (x - 14.5).abs() < 1e-4),
            "{kind}: {outputs:?}"
        );
    }
}
