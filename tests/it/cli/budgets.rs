//! Budgets on the command line: what is said of them, and how they are raised.

use super::program::{command, strata_in};
use super::runs::experiment;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::Stdio;

#[test]
fn what_the_final_evaluation_costs_is_said_before_the_search_and_after_its_first_trial() {
    let folder = tempfile::tempdir().unwrap();
    experiment(folder.path(), "final.random_networks = 3\n");
    let ended = strata_in(folder.path(), ["search", "small.toml", "--workers", "1"]);
    assert_eq!(ended.code, 0, "{}", ended.err);
    let at = |words: &str| {
        let found = ended.err.find(words);
        found.unwrap_or_else(|| panic!("{words}: {}", ended.err))
    };
    let planned = at(
        "final evaluation: 2 trainings of the winner, 2 of 1 baseline, 1 each of 3 random networks and 4 \
                      selection trainings of the others before, each up to 2 epochs: about as much as 11 full trials; `[budget] total_seconds` bounds the whole run",
    );
    let forecast = at("final evaluation: about ");
    assert!(planned < at("searching") && at("trial 0:") < at("trial 1:"));
    assert!(at("trial 0:") < forecast && forecast < at("trial 3:"));
    let status = strata_in(folder.path(), ["status", "--json"]).json();
    assert_eq!(status["final_progress"]["retrainings"], 7);
    assert_eq!(status["final_progress"]["retrained"], 7);
    assert_eq!(status["final_progress"]["selected"], 4);
    assert_eq!(status["final_progress"]["seconds_left"], 0.0);
}

#[test]
fn more_trials_give_what_they_would_have_given_from_the_start() {
    let folder = tempfile::tempdir().unwrap();
    experiment(folder.path(), "");
    let run = |arguments: &[&str]| strata_in(folder.path(), arguments);
    assert_eq!(run(&["search", "small.toml", "--quiet"]).code, 0);
    let ended = run(&["resume", "runs/small-1"]);
    assert_eq!(ended.code, 2, "{}", ended.err);
    assert!(ended.err.contains("--trials N"), "{}", ended.err);
    let same = run(&["resume", "runs/small-1", "--trials", "4"]);
    assert_eq!(same.code, 2, "{}", same.err);
    assert!(
        same.err.contains("a budget of 4 trials already"),
        "{}",
        same.err
    );
    let more = run(&["resume", "runs/small-1", "--trials", "6"]);
    assert_eq!(more.code, 0, "{}", more.err);
    assert!(
        more.err
            .contains("the test examples were read at 4 trials; this is a second look"),
        "{}",
        more.err
    );
    assert!(
        more.err.contains("are read now: look 2 at them"),
        "{}",
        more.err
    );
    assert_eq!(
        run(&["search", "small.toml", "--trials", "6", "--quiet"]).code,
        0
    );
    let status = |name: &str| run(&["status", name, "--json"]).json();
    let (extended, straight) = (status("runs/small-1"), status("runs/small-2"));
    assert_eq!(extended["digest"], straight["digest"]);
    assert_eq!(extended["test_looks"], serde_json::json!([4, 6]));
    assert!(
        run(&["status", "runs/small-1"])
            .out
            .contains("read at 4 and at 6 trials: the last is a second look")
    );
    assert_eq!(run(&["verify", "runs/small-1", "-n", "6"]).code, 0);
    assert_eq!(run(&["report", "runs/small-1"]).code, 0);
}

#[test]
fn a_run_of_a_comparison_is_not_extended() {
    let folder = tempfile::tempdir().unwrap();
    experiment(folder.path(), "");
    let run = |arguments: &[&str]| strata_in(folder.path(), arguments);
    assert_eq!(run(&["search", "small.toml", "--quiet"]).code, 0);
    fs::write(folder.path().join("runs/comparison.json"), "{}").unwrap();
    let refused = run(&["resume", "runs/small-1", "--trials", "6"]);
    assert_eq!(refused.code, 2, "{}", refused.err);
    assert!(
        refused.err.contains("a run of the comparison runs"),
        "{}",
        refused.err
    );
}

/// The case of a search that was to take three seconds, in a folder of its own.
fn seconds_budget(more: &str) -> Option<tempfile::TempDir> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let root = std::env::var_os("STRATA_SHARED").map_or(beside, PathBuf::from);
    let case = root.join("cases/seconds-budget");
    let Ok(text) = fs::read_to_string(case.join("x.toml")) else {
        eprintln!("skipped: no case at {}", case.display());
        return None;
    };
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("x.toml"), format!("{text}\n{more}")).unwrap();
    fs::copy(case.join("x.space"), folder.path().join("x.space")).unwrap();
    Some(folder)
}

#[test]
fn a_search_of_three_seconds_says_what_comes_after_them() {
    let Some(folder) = seconds_budget("") else {
        return;
    };
    let mut child = command(folder.path())
        .args(["search", "x.toml", "--workers", "1"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let said = lines.find_map(|line| line.ok().filter(|line| line.contains("final evaluation")));
    child.kill().unwrap();
    child.wait().unwrap();
    let said = said.unwrap();
    let wanted = "5 trainings of the winner, each up to 60 epochs: about as much as 5 full trials";
    assert!(said.contains(wanted), "{said}");
}

#[test]
fn a_run_of_four_seconds_is_over_although_its_first_trial_takes_longer() {
    let Some(folder) = seconds_budget("total_seconds = 4\n") else {
        return;
    };
    let ended = strata_in(folder.path(), ["search", "x.toml", "--workers", "1"]);
    let status = strata_in(folder.path(), ["status", "--json"]).json();
    assert_eq!(status["phase"], "ended", "{}", ended.err);
    let end = status["search_end"].as_str().unwrap();
    assert!(end == "total_seconds" || end == "seconds", "{end}");
    if status["trials"] == 0 {
        assert!(ended.err.contains("--total-seconds S"), "{}", ended.err);
    }
}
