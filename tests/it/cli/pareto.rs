//! Hypervolumes between two points that are stated.

use super::program::{Ended, strata_in};
use super::runs::experiment;
use serde_json::Value;
use std::fs;
use std::path::Path;

fn run(folder: &Path, arguments: &[&str]) -> Ended {
    strata_in(folder, arguments)
}

fn search(folder: &Path, name: &str, seed: &str) {
    let arguments = [
        "search",
        "small.toml",
        "--name",
        name,
        "--seed",
        seed,
        "--quiet",
    ];
    let ended = run(folder, &arguments);
    assert_eq!(ended.code, 0, "{}", ended.err);
}

#[test]
fn runs_can_be_held_against_one_another_by_common_points_alone() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    experiment(folder, "");
    search(folder, "a", "1");
    search(folder, "b", "2");
    let alone = run(folder, &["pareto", "runs/a-1"]);
    assert_eq!(alone.code, 0, "{}", alone.err);
    for wanted in [
        "the reference point: score 0 (its range), params",
        "the ideal point: score 1 (its range), params 0 (its range)",
        "params is measured by the trials of this run",
        "`strata pareto A B`",
    ] {
        assert!(alone.out.contains(wanted), "{}", alone.out);
    }
    let one = run(folder, &["pareto", "runs/a-1", "--json"]).json();
    let ends = |front: &Value| front["extents"].clone();
    assert_eq!(ends(&one)[0]["reference_by"], "range");
    assert_eq!(ends(&one)[1]["reference_by"], "trials");

    let both = run(folder, &["pareto", "runs/a-1", "runs/b-1", "--json"]).json();
    assert_eq!(both.as_array().unwrap().len(), 2);
    assert_eq!(ends(&both[0]), ends(&both[1]));
    assert_eq!(both[1]["run"], "runs/b-1");

    // The same points give the same figure, whoever else is there.
    let given = ["--reference", "score=0.05,params=10k", "--json"];
    let alone = run(folder, &[&["pareto", "runs/a-1"][..], &given[..]].concat()).json();
    let both = run(
        folder,
        &[&["pareto", "runs/b-1", "runs/a-1"][..], &given[..]].concat(),
    )
    .json();
    assert_eq!(alone["hypervolume"], both[1]["hypervolume"]);
    assert!(alone["hypervolume"].as_f64() > Some(0.0), "{alone}");
    assert_eq!(ends(&alone)[1]["reference_by"], "given");
    let told = run(folder, &["pareto", "runs/a-1", "--reference", "params=10k"]);
    assert!(!told.out.contains("can't be held"), "{}", told.out);
}

#[test]
fn the_space_says_how_large_a_network_may_be_and_other_points_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    experiment(folder, "");
    let path = folder.join("small.space");
    let space = fs::read_to_string(&path).unwrap();
    fs::write(&path, space + "require params <= 20k\n").unwrap();
    search(folder, "a", "1");
    let front = run(folder, &["pareto", "runs/a-1", "--json"]).json();
    let params = &front["extents"][1];
    assert_eq!(params["reference"].as_f64(), Some(20_000.0), "{front}");
    assert_eq!(params["reference_by"], "require");
    let told = run(folder, &["pareto", "runs/a-1"]);
    assert!(!told.out.contains("can't be held"), "{}", told.out);
    for (given, wanted) in [
        (
            "depth=3",
            "`depth` is no objective here; they are `score`, `params`",
        ),
        ("params=0", "has to be worse than the ideal, 0"),
        ("score=1", "has to be worse than the ideal, 1"),
        ("params", "write it as in `params=100k`"),
    ] {
        let refused = run(folder, &["pareto", "runs/a-1", "--reference", given]);
        assert_eq!(refused.code, 2, "{given}");
        assert!(refused.err.contains(wanted), "{}", refused.err);
    }
}
