//! Against SciPy's figures (tests/golden/statistics.py), and against what the words promise.

use super::*;
use crate::random::{Purpose, Seed};
use serde_json::Value;

const TOLERANCE: f64 = 1e-9;

fn golden() -> Value {
    serde_json::from_str(include_str!("../../tests/golden/statistics.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    let list = value.as_array().unwrap();
    list.iter().map(|number| number.as_f64().unwrap()).collect()
}

fn number(case: &Value, name: &str) -> f64 {
    case[name].as_f64().unwrap()
}

fn close(ours: f64, theirs: f64, what: &str) {
    let error = (ours - theirs).abs() / theirs.abs().max(1.0);
    assert!(error <= TOLERANCE, "{what}: {ours} and SciPy's {theirs}");
}

/// Cases of one kind, at least as many as the script writes.
fn cases<'a>(golden: &'a Value, kind: &str, least: usize) -> &'a [Value] {
    let cases = golden[kind].as_array().unwrap();
    assert!(cases.len() >= least, "{kind} has {} cases", cases.len());
    cases
}

#[test]
fn distributions_are_those_of_scipy() {
    let golden = golden();
    for case in cases(&golden, "normal", 12) {
        let (p, theirs) = (number(case, "p"), number(case, "quantile"));
        close(
            normal_quantile(p),
            theirs,
            &format!("normal quantile of {p}"),
        );
    }
    for case in cases(&golden, "normal_below", 33) {
        let (z, theirs) = (number(case, "z"), number(case, "p"));
        close(normal_below(z), theirs, &format!("normal below {z}"));
        close(normal_above(-z), theirs, &format!("normal above {}", -z));
    }
}

#[test]
fn single_samples_are_described_as_by_numpy() {
    for case in cases(&golden(), "one", 28) {
        let x = numbers(&case["x"]);
        let what = |name: &str| format!("{name} of {x:?}");
        close(mean(&x).unwrap(), number(case, "mean"), &what("mean"));
        close(median(&x).unwrap(), number(case, "median"), &what("median"));
        let range = interquartile_range(&x).unwrap();
        close(range, number(case, "interquartile_range"), &what("range"));
        for (at, theirs) in [0.0, 0.1, 0.25, 0.75, 0.9, 1.0]
            .iter()
            .zip(numbers(&case["quantiles"]))
        {
            close(quantile(&x, *at).unwrap(), theirs, &what("quantile"));
        }
        assert_eq!(ranks(&x), numbers(&case["ranks"]));
        let theirs = case.get("deviation").and_then(Value::as_f64);
        assert_eq!(deviation(&x).is_some(), theirs.is_some());
        if let (Some(ours), Some(theirs)) = (deviation(&x), theirs) {
            close(ours, theirs, &what("deviation"));
        }
    }
}

#[test]
fn two_samples_are_compared_as_by_scipy() {
    let golden = golden();
    let mut methods = Vec::new();
    for case in cases(&golden, "two", 70) {
        let (x, y) = (numbers(&case["x"]), numbers(&case["y"]));
        let tested = mann_whitney(&x, &y).unwrap();
        let what = format!("Mann-Whitney of {x:?} and {y:?}");
        close(tested.statistic, number(case, "statistic"), &what);
        close(tested.p, number(case, "p"), &what);
        close(vargha_delaney(&x, &y).unwrap(), number(case, "a12"), &what);
        methods.push(tested.method);
    }
    assert!(methods.contains(&Method::Exact) && methods.contains(&Method::Normal));
}

#[test]
fn pairs_are_compared_as_by_scipy() {
    let golden = golden();
    let mut methods = Vec::new();
    for case in cases(&golden, "pairs", 80) {
        let (x, y) = (numbers(&case["x"]), numbers(&case["y"]));
        let tested = wilcoxon(&x, &y).unwrap();
        let what = format!("Wilcoxon of {x:?} and {y:?}");
        close(tested.statistic, number(case, "positive_ranks"), &what);
        close(tested.p, number(case, "p"), &what);
        methods.push(tested.method);
        if case.get("spearman").is_some() {
            close(
                spearman(&x, &y).unwrap(),
                number(case, "spearman"),
                "Spearman",
            );
            close(kendall(&x, &y).unwrap(), number(case, "kendall"), "Kendall");
        }
    }
    assert!(methods.contains(&Method::Exact) && methods.contains(&Method::Normal));
}

#[test]
fn several_tests_are_corrected_by_holms_method() {
    for case in cases(&golden(), "holm", 4) {
        let corrected = holm(&numbers(&case["p"]));
        for (ours, theirs) in corrected.iter().zip(numbers(&case["corrected"])) {
            close(*ours, theirs, "Holm");
        }
    }
}

#[test]
fn samples_without_spread_do_not_differ() {
    assert_eq!(mann_whitney(&[0.5; 9], &[0.5; 9]).unwrap().p, 1.0);
    assert_eq!(wilcoxon(&[0.5; 20], &[0.5; 20]).unwrap().p, 1.0);
    assert_eq!(spearman(&[1.0, 1.0], &[1.0, 2.0]), None);
    assert_eq!(kendall(&[], &[]), None);
}

#[test]
fn equal_samples_are_called_different_at_most_as_often_as_said() {
    let trials = 2_000;
    let rejected = |size: usize| {
        let different = |number: &u64| {
            let mut stream = Seed(*number).stream(7, Purpose::Tool);
            // Scores as they come: shares of 360 test examples, with many ties.
            let mut sample = || -> Vec<f64> {
                (0..size)
                    .map(|_| (stream.normal() * 2.0).round() / 360.0)
                    .collect()
            };
            mann_whitney(&sample(), &sample()).unwrap().p < 0.05
        };
        (0..trials).filter(different).count() as f64 / trials as f64
    };
    for size in [5, 15] {
        let share = rejected(size);
        assert!(share <= 0.06, "{size} values: {share}");
    }
}
