//! Verbs that train: from an experiment file to a verified run.

use super::program::{Ended, command, strata_in};
use super::texts::shipped;
use std::fs;
use std::path::Path;

const SMALL: &str = "\
space small
input image(channels: 1, height: 8, width: 8)
output classes(10)
network {
    flatten
    linear(8 | 16 | 32)
    relu | tanh
    linear(classes)
}
";

pub fn experiment(folder: &Path, more: &str) {
    fs::write(folder.join("small.space"), SMALL).unwrap();
    let text = format!(
        "name = \"small\"\nspace = \"small.space\"\nseed = 3\ndata.name = \"digits\"\n\
         budget.trials = 4\nrecipe.epochs = 2\nfinal.retrain_seeds = 2\n\
         final.baselines = [{:?}]\n{more}",
        shipped("mlp")
    );
    fs::write(folder.join("small.toml"), text).unwrap();
}

/// A folder with one finished run, and what the search said.
fn searched() -> (tempfile::TempDir, Ended) {
    let folder = tempfile::tempdir().unwrap();
    experiment(folder.path(), "");
    let ended = strata_in(folder.path(), ["search", "small.toml", "--workers", "1"]);
    assert_eq!(ended.code, 0, "{}", ended.err);
    (folder, ended)
}

#[test]
fn a_run_of_another_name_has_the_same_digest() {
    let folder = tempfile::tempdir().unwrap();
    experiment(folder.path(), "");
    let digest = |name: &str| {
        let arguments = ["search", "small.toml", "--name", name, "--trials", "2"];
        let ended = strata_in(folder.path(), arguments);
        assert_eq!(ended.code, 0, "{}", ended.err);
        let status = strata_in(
            folder.path(),
            ["status", &format!("runs/{name}-1"), "--json"],
        );
        let status = status.json();
        assert_eq!(status["name"], name);
        status["digest"].as_str().unwrap().to_owned()
    };
    assert_eq!(digest("one"), digest("other"));
}

#[test]
fn a_search_prints_its_answer_and_can_be_asked_about_afterwards() {
    let (folder, ended) = searched();
    let run = |arguments: &[&str]| strata_in(folder.path(), arguments);
    assert!(ended.out.contains("best of 4 trials"), "{}", ended.out);
    assert!(
        ended.out.contains("run folder runs/small-1"),
        "{}",
        ended.out
    );
    assert!(ended.err.contains("trial 3: accuracy"), "{}", ended.err);
    assert!(
        !ended.err.contains('\r') && !ended.err.contains('\x1b'),
        "bars are for terminals"
    );

    let status = run(&["status", "--json"]);
    assert!(
        status.err.contains("the newest run: runs/small-1"),
        "{}",
        status.err
    );
    assert_eq!(status.json()["trials"], 4);
    assert!(
        ended
            .out
            .contains(status.json()["digest"].as_str().unwrap())
    );
    assert_eq!(
        run(&["trials", "runs/small-1", "--json"])
            .out
            .lines()
            .count(),
        4
    );
    assert_eq!(run(&["trials", "--failed", "--json"]).out, "");
    let best = run(&["best", "--json"]).json();
    assert_eq!(best["finals"].as_array().unwrap().len(), 2);

    fs::write(
        folder.path().join("best.json"),
        run(&["best", "--format", "json"]).out,
    )
    .unwrap();
    assert_eq!(run(&["show", "best.json"]).code, 0);
    assert_eq!(run(&["verify", "-n", "2", "--json"]).code, 0);
    let again = run(&["resume"]);
    assert_eq!(again.code, 2);
    assert!(
        again.err.contains("there is nothing to resume"),
        "{}",
        again.err
    );
}

#[test]
fn a_changed_result_fails_verification_and_a_damaged_journal_is_named() {
    let (folder, _) = searched();
    let journal = folder.path().join("runs/small-1/journal.jsonl");
    let text = fs::read_to_string(&journal).unwrap();
    fs::write(&journal, text.replacen("\"score\":0", "\"score\":1", 1)).unwrap();
    for verb in ["status", "resume", "verify"] {
        let result = strata_in(folder.path(), [verb, "runs/small-1"]);
        assert_eq!(result.code, 5, "{verb}: {}", result.err);
        assert!(result.err.contains("is damaged"), "{}", result.err);
    }
}

#[test]
fn a_mistake_in_an_experiment_is_shown_where_it_stands() {
    let folder = tempfile::tempdir().unwrap();
    experiment(folder.path(), "serch.population = 4\n");
    let result = strata_in(folder.path(), ["search", "small.toml"]);
    assert_eq!(result.code, 2);
    assert!(result.err.contains("small.toml:9:1"), "{}", result.err);
    assert!(
        result.err.contains("did you mean `search`?"),
        "{}",
        result.err
    );
    assert!(!folder.path().join("runs").exists());
}

#[test]
fn trials_that_all_fail_stop_the_run() {
    let folder = tempfile::tempdir().unwrap();
    experiment(
        folder.path(),
        "trial.deadline_seconds = 1e-9\nstop.consecutive_failures = 2\n",
    );
    let result = strata_in(folder.path(), ["search", "small.toml", "--quiet"]);
    assert_eq!(result.code, 3, "{}", result.err);
    assert!(
        result.err.contains("2 trials failed in a row"),
        "{}",
        result.err
    );
    let failed = strata_in(folder.path(), ["trials", "--failed", "--json"]);
    assert!(failed.out.lines().count() >= 2, "{}", failed.out);
}

#[test]
fn more_workers_than_the_lookahead_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    experiment(folder.path(), "search.lookahead = 2\n");
    let result = strata_in(folder.path(), ["search", "small.toml", "--workers", "3"]);
    assert_eq!(result.code, 2);
    assert!(result.err.contains("lookahead"), "{}", result.err);
}

#[test]
fn no_run_is_bad_input() {
    let folder = tempfile::tempdir().unwrap();
    for verb in ["status", "trials", "best", "resume", "verify"] {
        assert_eq!(strata_in(folder.path(), [verb]).code, 2, "{verb}");
        assert_eq!(
            strata_in(folder.path(), [verb, "nowhere"]).code,
            2,
            "{verb}"
        );
    }
}

#[test]
fn training_is_reproducible_and_writes_weights() {
    let folder = tempfile::tempdir().unwrap();
    let train = |save: &str| {
        let space = shipped("mlp");
        let fixed = [
            "train", &space, "--data", "digits", "--epochs", "2", "--json", "--save", save,
        ];
        let ended = strata_in(folder.path(), fixed);
        assert_eq!(ended.code, 0, "{}", ended.err);
        ended.json()
    };
    let (first, second) = (train("a.safetensors"), train("b.safetensors"));
    assert_eq!(first["epochs"], second["epochs"]);
    let bytes = |name: &str| fs::read(folder.path().join(name)).unwrap();
    assert_eq!(bytes("a.safetensors"), bytes("b.safetensors"));
}

#[test]
fn data_that_does_not_exist_is_bad_input() {
    let result = super::program::strata(["train", &shipped("mlp"), "--data", "nothing.csv"]);
    assert_eq!(result.code, 2);
    assert!(result.err.contains("nothing.csv"), "{}", result.err);
}

#[test]
#[cfg(unix)]
fn an_interrupted_search_ends_with_130_and_can_be_resumed() {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};
    let folder = tempfile::tempdir().unwrap();
    experiment(folder.path(), "");
    let slow = fs::read_to_string(folder.path().join("small.toml")).unwrap();
    fs::write(
        folder.path().join("small.toml"),
        slow.replace("epochs = 2", "epochs = 60"),
    )
    .unwrap();
    let mut child = command(folder.path())
        .args(["search", "small.toml", "--workers", "1"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(
        lines.any(|line| line.unwrap().starts_with("trial 0")),
        "the first trial ends"
    );
    assert!(
        Command::new("kill")
            .args(["-INT", &child.id().to_string()])
            .status()
            .unwrap()
            .success()
    );
    let rest: Vec<String> = lines.map(Result::unwrap).collect();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{rest:?}");
    assert!(
        rest.iter()
            .any(|line| line.contains("strata resume runs/small-1")),
        "{rest:?}"
    );
    let resumed = strata_in(folder.path(), ["resume"]);
    assert_eq!(resumed.code, 0, "{}", resumed.err);
    let straight = strata_in(folder.path(), ["search", "small.toml", "--quiet"]);
    let digest = |text: &str| text.split("journal digest ").nth(1).unwrap().to_owned();
    assert_eq!(digest(&resumed.out), digest(&straight.out));
}

#[test]
fn a_table_is_searched_in_no_time_and_its_front_and_bounds_can_be_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join("experiments/nasbench201.toml")).unwrap();
    let text = text
        .replace("../", &format!("{}/", root.display()))
        .replace(
            "\"local_search\"",
            "\"nsga2\"\nobjectives = [\"score\", \"params\", \"c10_lat_s\"]",
        )
        .replace("trials = 100", "trials = 60");
    fs::write(folder.path().join("table.toml"), text).unwrap();
    let run = |arguments: &[&str]| strata_in(folder.path(), arguments);
    let searched = run(&["search", "table.toml", "--quiet"]);
    assert_eq!(searched.code, 0, "{}", searched.err);
    let best = run(&["best", "--json"]).json();
    assert!(best["trial"]["metrics"]["simulated_seconds"].as_f64() > Some(20.0));
    assert!(best["finals"][0]["mean"].as_f64() > Some(80.0));

    let front = run(&["pareto", "--json"]).json();
    let objectives = front["objectives"].as_array().unwrap();
    assert_eq!(objectives.len(), 3);
    assert!(front["hypervolume"].as_f64() > Some(0.3), "{front}");
    let trials = front["trials"].as_array().unwrap();
    assert!(trials.iter().any(|row| row["trial"] == front["knee"]));
    assert_eq!(trials[0]["trial"], best["trial"]["trial"]);

    let small = run(&["best", "--under", "params=300k", "--json"]).json();
    assert!(small["trial"]["params"].as_u64() <= Some(300_000));
    assert!(small["trial"]["score"].as_f64() <= best["trial"]["score"].as_f64());
    let none = run(&["best", "--under", "params=1"]);
    assert_eq!(none.code, 1);
    assert!(none.err.contains("params <= 1"), "{}", none.err);
    let unknown = run(&["best", "--under", "parms=1"]);
    assert!(unknown.err.contains("`params`"), "{}", unknown.err);
    let verified = run(&["verify", "-n", "5"]);
    assert_eq!(verified.code, 0, "{}", verified.err);
    let by = concat!("by strata ", env!("CARGO_PKG_VERSION"), " with burn ");
    assert!(verified.err.contains(by), "{}", verified.err);
    assert!(verified.err.contains("kernels "), "{}", verified.err);
}

#[test]
fn a_page_says_by_which_command_its_run_is_made_again() {
    let folder = tempfile::tempdir().unwrap();
    experiment(folder.path(), "");
    fs::create_dir(folder.path().join("my files")).unwrap();
    for file in ["small.space", "small.toml"] {
        fs::rename(
            folder.path().join(file),
            folder.path().join("my files").join(file),
        )
        .unwrap();
    }
    let run = |arguments: &[&str]| strata_in(folder.path(), arguments);
    let asked = [
        "search",
        "my files/small.toml",
        "--trials",
        "2",
        "--seed",
        "7",
        "--name",
        "special",
        "--quiet",
    ];
    let ended = run(&asked);
    assert_eq!(ended.code, 0, "{}", ended.err);
    let page = run(&["report", "-o", "-"]).out;
    let wanted = "strata search 'my files/small.toml' --name special --seed 7 --trials 2 ";
    let shown = page.replace("&#39;", "'").replace("&#x27;", "'");
    assert!(
        shown.contains(wanted),
        "{}",
        &shown[shown.find("strata search").unwrap()..][..80]
    );
    assert!(!folder.path().join("-").exists());
    let manifest = folder.path().join("runs/special-1/manifest.json");
    let manifest: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(manifest).unwrap()).unwrap();
    assert_eq!(manifest["experiment"], "my files/small.toml");
    assert_eq!(
        manifest["changed"],
        serde_json::json!({"name": "special", "seed": "7", "trials": "2"})
    );
    let whole = run(&["report", "--format", "json"]).json();
    assert_eq!(whole["trials"].as_array().unwrap().len(), 2);
    assert_eq!(whole["summary"]["name"], "special");
}

#[test]
fn an_edited_experiment_is_not_gone_on_with_in_silence() {
    let (folder, _) = searched();
    let journal = folder.path().join("runs/small-1/journal.jsonl");
    let text = fs::read_to_string(&journal).unwrap();
    let begun: Vec<&str> = text.lines().take(4).collect();
    fs::write(&journal, begun.join("\n") + "\n").unwrap();
    let copy = folder.path().join("runs/small-1/experiment.toml");
    let kept = fs::read_to_string(&copy).unwrap();
    fs::write(&copy, kept.replace("epochs = 2", "epochs = 3")).unwrap();
    let edited = strata_in(folder.path(), ["resume", "--quiet"]);
    assert_eq!(edited.code, 2, "{}", edited.err);
    let wanted = "experiment.toml has changed since the run was started";
    assert!(edited.err.contains(wanted), "{}", edited.err);
    fs::write(&copy, kept).unwrap();
    let resumed = strata_in(folder.path(), ["resume", "--quiet"]);
    assert_eq!(resumed.code, 0, "{}", resumed.err);
}

#[test]
fn settings_that_make_no_sense_are_said_in_plain_words() {
    let folder = tempfile::tempdir().unwrap();
    experiment(folder.path(), "");
    let text = fs::read_to_string(folder.path().join("small.toml")).unwrap();
    let said = |wrong: &str, arguments: &[&str]| {
        fs::write(folder.path().join("small.toml"), wrong).unwrap();
        let all = [&["search", "small.toml"], arguments].concat();
        let ended = strata_in(folder.path(), all);
        assert_eq!(ended.code, 2, "{}", ended.err);
        ended.err
    };
    let none = said(&text.replace("trials = 4", "trials = 0"), &[]);
    assert!(none.contains("`trials` needs at least 1"), "{none}");
    let none = said(&text, &["--trials", "0"]);
    assert!(none.contains("`trials` needs at least 1"), "{none}");
    let none = said(&text.replace("budget.trials = 4", "budget.epochs = 0"), &[]);
    assert!(none.contains("`epochs` needs at least 1"), "{none}");
    let many = said(&text.replace("trials = 4", "trials = \"many\""), &[]);
    assert!(
        many.contains("expected a whole number, 0 or more"),
        "{many}"
    );
    let name = said(&text, &["--name", "a/b"]);
    assert!(name.contains("`name` needs to be of letters"), "{name}");
    assert!(!folder.path().join("runs").exists());
}

#[test]
fn waiting_for_a_database_is_said() {
    use std::io::{BufRead, BufReader};
    let folder = tempfile::tempdir().unwrap();
    let mut worker = command(folder.path());
    worker.args(["worker", "postgres://nobody@127.0.0.1:1/nothing?run=a"]);
    worker.stderr(std::process::Stdio::piped());
    let mut worker = worker.spawn().unwrap();
    let mut said = String::new();
    BufReader::new(worker.stderr.take().unwrap())
        .read_line(&mut said)
        .unwrap();
    worker.kill().unwrap();
    worker.wait().unwrap();
    assert!(said.contains("failed to connect to"), "{said}");
    assert!(
        said.contains("it is asked again for up to 10 min"),
        "{said}"
    );
}
