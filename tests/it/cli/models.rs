//! Models that a network has to beat, from the command line: which there are, what is said of them, and that they are
//! the same however a run is carried out.

use super::program::{Ended, strata_in};
use std::fmt::Write;
use std::fs;
use std::path::Path;

const SPACE: &str = "\
space table
input vector(features: 4)
output classes(2)
network {
    repeat 0..1 { linear(4 | 8); relu }
    linear(classes)
}
";

/// A table whose classes are on one side of a size or the other, by a category: trees see it, lines don't.
fn table() -> String {
    let mut text = "size,weight,side,class\n".to_owned();
    let mut state = 1_u32;
    for _ in 0..160 {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let (x, y) = (state >> 28, state >> 16 & 255);
        let side = if state >> 12 & 1 == 1 {
            "left"
        } else {
            "right"
        };
        let class = if (x > 7) == (side == "left") {
            "in"
        } else {
            "out"
        };
        let _ = writeln!(text, "{x},{y},{side},{class}");
    }
    text
}

fn experiment(folder: &Path, more: &str) {
    fs::write(folder.join("table.csv"), table()).unwrap();
    fs::write(folder.join("table.space"), SPACE).unwrap();
    let text = format!(
        "name = \"table\"\nspace = \"table.space\"\nseed = 3\ndata = {{ train = \"table.csv\", label = \"class\" }}\n\
         budget.trials = 4\nrecipe.epochs = 2\nfinal.retrain_seeds = 2\n{more}"
    );
    fs::write(folder.join("table.toml"), text).unwrap();
}

fn searched(folder: &Path, arguments: &[&str]) -> Ended {
    let all = [&["search", "table.toml"], arguments].concat();
    let ended = strata_in(folder, all);
    assert_eq!(ended.code, 0, "{}", ended.err);
    ended
}

fn digest(folder: &Path, run: &str) -> String {
    let status = strata_in(folder, ["status", run, "--json"]).json();
    status["digest"].as_str().unwrap().to_owned()
}

#[test]
fn a_search_on_a_table_says_whether_its_network_is_worth_it() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    experiment(folder, "");
    let ended = searched(folder, &[]);
    let trees = ended
        .out
        .lines()
        .find(|line| line.starts_with("boosted trees"));
    assert!(
        trees.is_some_and(|line| line.contains("1.0000")),
        "{}",
        ended.out
    );
    assert!(ended.out.contains("\nlinear model "), "{}", ended.out);
    let sentence = "Boosted trees score 1.0000 on the test examples, the network 0.";
    assert!(ended.out.contains(sentence), "{}", ended.out);
    assert!(
        ended
            .out
            .contains("for this table the network is not worth it."),
        "{}",
        ended.out
    );
    let best = strata_in(folder, ["best", "--json"]).json();
    let names: Vec<String> = best["finals"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["subject"].to_string())
        .collect();
    assert_eq!(
        names,
        [
            "\"winner\"",
            r#"{"model":"boosted_trees"}"#,
            r#"{"model":"linear"}"#
        ]
    );
    let trees = &best["finals"][1];
    assert_eq!(trees["scores"].as_array().unwrap().len(), 1);
    assert_eq!(trees["params"], trees["model"]["size"]);
    assert!(
        trees["metrics"]["auroc"]
            .as_f64()
            .is_some_and(|auroc| auroc > 0.99)
    );
    for verb in [
        &["status"][..],
        &["report", "-o", "-", "--format", "markdown"],
    ] {
        let told = strata_in(folder, verb);
        assert!(told.out.contains("boosted trees"), "{}", told.out);
        assert!(told.out.contains("not worth it"), "{}", told.out);
    }
}

#[test]
fn models_are_the_same_for_any_workers_and_in_processes() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    experiment(folder, "");
    searched(folder, &["--workers", "1"]);
    searched(folder, &["--workers", "3"]);
    searched(folder, &["--isolate", "process"]);
    let first = digest(folder, "runs/table-1");
    assert_eq!(first, digest(folder, "runs/table-2"));
    assert_eq!(first, digest(folder, "runs/table-3"));
}

#[test]
fn a_run_goes_on_with_the_models_that_are_missing() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    experiment(folder, "");
    searched(folder, &[]);
    let whole = digest(folder, "runs/table-1");
    let path = folder.join("runs/table-1/journal.jsonl");
    let journal = fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = journal.lines().collect();
    assert!(lines[lines.len() - 2].contains(r#""model":"linear""#));
    // All but the linear model and the end.
    fs::write(&path, lines[..lines.len() - 2].join("\n") + "\n").unwrap();
    let resumed = strata_in(folder, ["resume", "runs/table-1"]);
    assert_eq!(resumed.code, 0, "{}", resumed.err);
    assert_eq!(digest(folder, "runs/table-1"), whole);
}

#[test]
fn models_can_be_left_out_and_chosen() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    experiment(folder, "final.models = []\n");
    let ended = searched(folder, &[]);
    assert!(!ended.out.contains("boosted trees"), "{}", ended.out);
    let journal = fs::read_to_string(folder.join("runs/table-1/journal.jsonl")).unwrap();
    for word in [r#""models""#, r#""model""#] {
        assert!(!journal.contains(word), "as before there were models");
    }
    experiment(folder, "final.models = [\"linear\"]\n");
    let ended = searched(folder, &[]);
    assert!(!ended.out.contains("boosted trees"), "{}", ended.out);
    assert!(ended.out.contains("\nlinear model "), "{}", ended.out);
}

#[test]
fn models_that_can_not_be_fitted_are_refused_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let refused = |text: &str| {
        let ended = strata_in(folder, ["search", text]);
        assert_eq!(ended.code, 2, "{}", ended.err);
        assert!(!folder.join("runs").exists());
        ended.err
    };
    super::runs::experiment(folder, "final.models = [\"linear\"]\n");
    let told = refused("small.toml");
    let wanted = "`linear` can't be fitted: the data is no table of features; leave `models` out";
    assert!(told.contains(wanted), "{told}");
    experiment(folder, "final.models = [\"linear\", \"linear\"]\n");
    let told = refused("table.toml");
    assert!(told.contains("each model is named once"), "{told}");
    experiment(folder, "final.models = [\"forest\"]\n");
    let told = refused("table.toml");
    assert!(
        told.contains("boosted_trees") && told.contains("linear"),
        "{told}"
    );
}

#[test]
fn a_comparison_fits_each_model_once() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    experiment(
        folder,
        "final.baselines = [\"line.space\"]\ncompare.search_seeds = 2\n",
    );
    let line =
        "space line\ninput vector(features: 4)\noutput classes(2)\nnetwork { linear(classes) }\n";
    fs::write(folder.join("line.space"), line).unwrap();
    let ended = strata_in(folder, ["compare", "table.toml"]);
    assert_eq!(ended.code, 0, "{}", ended.err);
    let models = |run: fs::DirEntry| {
        let journal = fs::read_to_string(run.path().join("journal.jsonl")).unwrap_or_default();
        journal.matches(r#""subject":{"model""#).count()
    };
    let runs = fs::read_dir(folder.join("runs/table-compare-1")).unwrap();
    let counts: Vec<usize> = runs.map(|run| models(run.unwrap())).collect();
    assert_eq!(
        (counts.iter().sum::<usize>(), counts.iter().max()),
        (2, Some(&2))
    );
    assert!(ended.out.contains("boosted trees"), "{}", ended.out);
    assert!(ended.out.contains("not worth it"), "{}", ended.out);
}
