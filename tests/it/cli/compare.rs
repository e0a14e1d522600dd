//! Comparisons from the command line: the report, the check against what was expected, and resuming.

use super::program::{Ended, strata_in};
use super::texts::shipped;
use crate::trackers::server::{FakeServer, Run};
use std::fs;
use std::path::Path;

const SPACE: &str = "\
space small
input image(channels: 1, height: 8, width: 8)
output classes(10)
network {
    flatten
    repeat 1..2 { linear(8 | 16 | 32); relu | tanh }
    linear(classes)
}
";

fn experiment(folder: &Path) {
    fs::write(folder.join("small.space"), SPACE).unwrap();
    let text = format!(
        "# Is <this> found & escaped?\nname = \"small\"\nspace = \"small.space\"\nseed = 3\ndata.name = \"digits\"\n\
         budget.trials = 16\nrecipe.epochs = 1\nfinal.baselines = [{:?}]\n",
        shipped("mlp")
    );
    fs::write(folder.join("small.toml"), text).unwrap();
}

fn run(folder: &Path, arguments: &[&str]) -> Ended {
    strata_in(folder, arguments)
}

#[test]
fn a_quick_comparison_is_reported_checked_and_no_evidence() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    experiment(folder);
    let early = run(folder, &["compare", "small.toml", "--quick", "--check"]);
    assert_eq!(early.code, 2, "{}", early.err);
    let wanted = "`strata compare small.toml --quick --bless` writes it";
    assert!(early.err.contains(wanted), "{}", early.err);
    assert!(!folder.join("runs").exists(), "nothing was run for it");
    let ended = run(folder, &["compare", "small.toml", "--quick", "--bless"]);
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert!(ended.out.starts_with("Not evidence:"), "{}", ended.out);
    assert!(!ended.out.contains("better"), "{}", ended.out);
    let page = fs::read_to_string(folder.join("runs/small-compare-1/report.html")).unwrap();
    for wanted in [
        "Is &lt;this&gt; found &amp; escaped?",
        "Not evidence:",
        "data:image/svg+xml",
        "<details>",
    ] {
        assert!(page.contains(wanted), "the page lacks {wanted}");
    }
    for foreign in ["http://", "https://", "src=\"//", "@import", "url("] {
        let found = page
            .match_indices(foreign)
            .map(|(at, _)| &page[at..(at + 60).min(page.len())]);
        let found: Vec<&str> = found
            .filter(|text| !text.contains("www.w3.org/2000/svg") && !text.starts_with("url(%23"))
            .collect();
        assert!(found.is_empty(), "the page names {found:?}");
    }
    assert!(folder.join("small/report-quick.html").is_file());
    let scores = run(
        folder,
        &[
            "report",
            "small/expected-quick.json",
            "--format",
            "markdown",
        ],
    );
    assert_eq!(scores.code, 0, "{}", scores.err);
    assert!(scores.out.contains("**Not evidence:"), "{}", scores.out);
    let wrong = run(folder, &["report", "runs/small-compare-1/winners.json"]);
    assert_eq!(wrong.code, 2, "{}", wrong.err);
    assert!(wrong.err.contains("winners.json"), "{}", wrong.err);

    let again = run(
        folder,
        &[
            "compare",
            "small.toml",
            "--quick",
            "--check",
            "--workers",
            "1",
        ],
    );
    assert_eq!(again.code, 0, "{}", again.err);
    assert!(again.out.contains("to the last bit"), "{}", again.out);

    let expected = folder.join("small/expected-quick.json");
    let text = fs::read_to_string(&expected).unwrap();
    let digest = text.split("\"digest\": \"").nth(1).unwrap()[..8].to_owned();
    fs::write(&expected, text.replacen(&digest, "00000000", 1)).unwrap();
    let other = run(folder, &["compare", "runs/small-compare-2", "--quiet"]);
    assert_eq!(other.code, 0, "{}", other.err);
    let wrong = run(
        folder,
        &["compare", "small.toml", "--quick", "--check", "--quiet"],
    );
    assert_eq!(wrong.code, 4, "{}", wrong.err);
    assert!(
        wrong.err.contains("random-1") || wrong.err.contains("evolution-1"),
        "{}",
        wrong.err
    );

    let comparison = "runs/small-compare-1";
    let single = run(folder, &["best", comparison]);
    assert_eq!(single.code, 2, "{}", single.err);
    for wanted in [
        "is a comparison and not a run",
        "evolution-1, random-1",
        "`strata compare runs/small-compare-1`",
    ] {
        assert!(single.err.contains(wanted), "{}", single.err);
    }
    assert!(page.contains("strata compare small.toml --quick "));
    let folders = run(folder, &["compare", comparison, "--check"]);
    assert_eq!(folders.code, 2, "{}", folders.err);
    assert!(folders.err.contains("experiment file"), "{}", folders.err);
    let json = run(folder, &["report", comparison, "--format", "json"]);
    let value: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(value["arms"].as_array().unwrap().len(), 3);
    let csv = run(folder, &["report", comparison, "--format", "csv"]);
    assert_eq!(
        csv.out.lines().count(),
        1 + 3,
        "a header and an arm each: {}",
        csv.out
    );
    let markdown = run(folder, &["report", comparison, "--format", "markdown"]);
    assert!(
        markdown.out.contains("| random | random search |"),
        "{}",
        markdown.out
    );
    assert!(
        !folder.join("test_looks.jsonl").exists(),
        "no test example was read"
    );
}

#[test]
fn each_run_of_a_comparison_is_tracked_and_nothing_changes_even_when_trackers_fail() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    experiment(folder);
    let path = folder.join("small.toml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text + "tracking.optuna = \"told.log\"\n").unwrap();
    let server = FakeServer::start();
    let mlflow = format!("mlflow={}", server.address);
    let ended = run(
        folder,
        &[
            "compare",
            "small.toml",
            "--quick",
            "--bless",
            "--track",
            &mlflow,
        ],
    );
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert!(!ended.err.contains("warning"), "{}", ended.err);
    let (trials, searches): (Vec<_>, Vec<_>) = server
        .runs()
        .into_iter()
        .partition(|run| run.tags.contains_key("strata.trial"));
    let names: Vec<&str> = searches
        .iter()
        .map(|run| run.tags["strata.run"].split(' ').next().unwrap())
        .collect();
    assert_eq!(names, ["evolution-1", "random-1"]);
    assert!(searches.iter().all(|run| run.status == "FINISHED"));
    for search in &searches {
        let of = |run: &&Run| run.tags["mlflow.parentRunId"] == search.id;
        assert_eq!(trials.iter().filter(of).count(), 4);
    }

    // Nothing answers at port 9, and there is no folder below a file.
    let taken = format!("tensorboard={}", path.join("below-a-file").display());
    let ended = run(
        folder,
        &[
            "compare",
            "small.toml",
            "--quick",
            "--check",
            "--track",
            "mlflow=http://127.0.0.1:9",
            "--track",
            &taken,
        ],
    );
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert!(ended.out.contains("to the last bit"), "{}", ended.out);
    let warnings = |kind| {
        ended
            .err
            .matches(&format!("warning: {kind} is not told"))
            .count()
    };
    assert_eq!(warnings("mlflow"), 1, "not for each run: {}", ended.err);
    assert!(warnings("tensorboard") > 0, "{}", ended.err);
    for part in ["evolution-1", "random-1"] {
        let told = folder
            .join("runs/small-compare-2")
            .join(part)
            .join("told.log");
        let log = fs::read_to_string(told).unwrap();
        assert_eq!(log.matches("\"op_code\":4").count(), 4, "{part}");
        assert!(log.contains(&format!("\"study_name\":\"{part}\"")), "{log}");
    }
    let unknown = run(folder, &["compare", "small.toml", "--track", "wandb"]);
    assert_eq!(unknown.code, 2);
    assert!(
        unknown.err.contains("no tracker `wandb`"),
        "{}",
        unknown.err
    );
}

#[test]
fn runs_are_reported_too() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    experiment(folder);
    let ended = run(
        folder,
        &["search", "small.toml", "--trials", "10", "--quiet"],
    );
    assert_eq!(ended.code, 0, "{}", ended.err);
    let ended = run(folder, &["report"]);
    assert_eq!(ended.code, 0, "{}", ended.err);
    let page = fs::read_to_string(folder.join("runs/small-1/report.html")).unwrap();
    assert!(page.contains("One run is one sample") && page.contains("Lineage of the winner"));
    let csv = run(folder, &["report", "--format", "csv"]);
    assert_eq!(csv.out.lines().count(), 11);
    let importance = run(folder, &["importance", "--json"]);
    let value: serde_json::Value = serde_json::from_str(&importance.out).unwrap();
    assert_eq!(value["trials"], 10);
}

#[test]
fn a_comparison_without_enough_seeds_says_so_first_and_is_counted_as_a_look() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    experiment(folder);
    let path = folder.join("small.toml");
    let text = fs::read_to_string(&path).unwrap();
    let text = text.replace("budget.trials = 16", "budget.trials = 4");
    let few = text.clone() + "compare.search_seeds = 1\nfinal.retrain_seeds = 1\n";
    fs::write(&path, few).unwrap();
    let before = run(folder, &["looks", "small.toml"]);
    assert_eq!(before.code, 0, "{}", before.err);
    let next = "a comparison by small.toml would be look 1";
    assert!(
        before.out.contains(next) && before.err.contains("names no look"),
        "{}{}",
        before.out,
        before.err
    );
    let ended = run(folder, &["compare", "small.toml"]);
    assert_eq!(ended.code, 0, "{}", ended.err);
    for wanted in [
        "not evidence: `compare.search_seeds` is 1, and at least 6 are needed",
        "not evidence: `final.retrain_seeds` is 1",
        "evolution draws all of its trials at random",
    ] {
        assert!(ended.err.contains(wanted), "{wanted}: {}", ended.err);
    }
    let looks = run(folder, &["looks", "--json"]);
    let value: serde_json::Value = serde_json::from_str(&looks.out).unwrap();
    let look = &value["looks"][0];
    assert_eq!(
        (&look["look"], &look["kind"]),
        (&1.into(), &"comparison".into())
    );
    assert!(look["verdict"].is_string(), "{look}");

    let searched = run(folder, &["search", "small.toml", "--quiet"]);
    assert_eq!(searched.code, 0, "{}", searched.err);
    assert!(
        searched.out.contains("look 2 at these test examples"),
        "{}",
        searched.out
    );
    let status = run(folder, &["status", "runs/small-1"]);
    assert!(
        status.out.contains("look 2 at these test examples"),
        "{}",
        status.out
    );
    let status = run(folder, &["status", "runs/small-1", "--json"]);
    assert_eq!(status.json()["look"], 2);
    let table = run(folder, &["looks", "."]);
    assert_eq!(table.out.lines().count(), 3, "{}", table.out);
    assert!(
        table.out.contains("0.00608") && table.out.contains("search small"),
        "{}",
        table.out
    );
    let nothing = run(folder, &["compare", "."]);
    assert_eq!(nothing.code, 2);
    assert!(nothing.err.contains("is no comparison"), "{}", nothing.err);
}

#[test]
fn shells_and_manuals_are_told_of_every_verb() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let ended = run(folder, &["completions", shell]);
        assert_eq!(ended.code, 0, "{}", ended.err);
        assert!(ended.out.contains("importance"), "{shell}");
    }
    let ended = run(folder, &["man", "pages"]);
    assert_eq!(ended.code, 0, "{}", ended.err);
    let page = fs::read_to_string(folder.join("pages/strata-compare.1")).unwrap();
    assert!(page.contains(".TH strata-compare 1"), "{page}");
    assert!(folder.join("pages/strata.1").is_file());
}
