//! `strata proxy`.

use super::program::{strata, strata_in};
use super::runs::experiment;
use std::fs;

const SPACE: &str = "search_spaces/first.space";

#[test]
fn proxies_are_printed_and_reproducible() {
    let asked = [
        "proxy", SPACE, "-n", "2", "--batch", "6", "--seed", "3", "--json",
    ];
    let (one, other) = (strata(asked), strata(asked));
    assert_eq!((one.code, &one.out), (0, &other.out), "{}", one.err);
    let lines: Vec<serde_json::Value> = one
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 2);
    let figures = lines[0]["proxies"].as_object().unwrap();
    assert_eq!(figures.len(), strata::proxies::PROXIES.len());
    let table = strata([
        "proxy",
        SPACE,
        "--index",
        "5",
        "--data",
        "digits",
        "--proxies",
        "naswot",
    ]);
    assert!(table.out.starts_with("index"), "{}{}", table.out, table.err);
}

#[test]
fn a_cut_off_table_of_proxies_is_completed_and_compared() {
    let folder = tempfile::tempdir().unwrap();
    let space = format!("{}/{SPACE}", env!("CARGO_MANIFEST_DIR"));
    let ask = |number: &str, more: &[&str]| {
        let asked = [
            "proxy",
            &space,
            "--csv",
            "p.csv",
            "--proxies",
            "params,snip",
            "-n",
            number,
        ];
        let asked: Vec<&str> = asked.iter().chain(more).copied().collect();
        strata_in(folder.path(), asked)
    };
    assert_eq!(ask("4", &["--batch", "5"]).code, 0);
    let path = folder.path().join("p.csv");
    let whole = fs::read_to_string(&path).unwrap();
    fs::write(&path, &whole[..whole.len() - 9]).unwrap();
    let again = ask("4", &["--batch", "5"]);
    assert_eq!(fs::read_to_string(&path).unwrap(), whole);
    assert!(again.err.contains("4 of 4"), "{}", again.err);
    let other = ask("4", &["--batch", "6"]);
    assert_eq!(other.code, 2, "{}", other.err);

    let rows = whole.lines().skip(1).map(|line| {
        let decisions = line.split(',').nth(1).unwrap();
        let params = line.rsplit(',').nth(1).unwrap();
        format!("{decisions},{params}\n")
    });
    fs::write(
        folder.path().join("t.csv"),
        format!("ops,good\n{}", rows.collect::<String>()),
    )
    .unwrap();
    let table = [
        "--batch",
        "5",
        "--against",
        "t.csv",
        "--key",
        "ops",
        "--column",
        "good",
    ];
    let compared = ask("4", &table);
    let line = compared
        .out
        .lines()
        .find(|line| line.starts_with("params"))
        .unwrap();
    assert!(line.ends_with("1.000"), "{}", compared.out);
}

#[test]
fn a_proxy_that_does_not_exist_is_shown_the_closest() {
    let said = strata(["proxy", SPACE, "--proxies", "synflo"]);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("did you mean `synflow`?"), "{}", said.err);
}

#[test]
fn a_search_by_a_proxy_needs_no_data() {
    let folder = tempfile::tempdir().unwrap();
    experiment(folder.path(), "");
    let text = "name = \"noise\"\nspace = \"small.space\"\nbudget.trials = 4\n\
                evaluator = { kind = \"proxy\", proxies = [\"synflow\", \"naswot\"], batch = 4 }\n\
                search = { controller = \"nsga2\", objectives = [\"score\", \"naswot\"] }\n";
    std::fs::write(folder.path().join("noise.toml"), text).unwrap();
    let run = |arguments: &[&str]| strata_in(folder.path(), arguments);
    let ended = run(&["search", "noise.toml", "--quiet"]);
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert!(ended.out.contains("validation synflow"), "{}", ended.out);
    assert_eq!(run(&["verify", "-n", "2"]).code, 0);
    let front = run(&["pareto", "--json"]).json();
    let rows = front["trials"].as_array().unwrap().clone();
    let most = |at: usize| {
        let figures = rows.iter().map(|row| row["figures"][at].as_f64().unwrap());
        figures.fold(f64::NEG_INFINITY, f64::max)
    };
    let trials = run(&["trials", "--json"]).out;
    for line in trials.lines() {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(
            row["metrics"]["naswot"].as_f64().unwrap() <= most(1),
            "{row}"
        );
    }
    let refused = run(&["best", "--under", "naswot=1"]);
    assert_eq!(refused.code, 2);
    assert!(refused.err.contains("--over naswot=1"), "{}", refused.err);
    assert_eq!(run(&["best", "--over", "naswot=-1G"]).code, 0);
}
