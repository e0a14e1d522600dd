//! The trained networks of a comparison, tested by others.

use super::program::{Ended, strata_in};
use std::fs;
use std::path::{Path, PathBuf};

const SPACE: &str = "\
space small
input vector(features: 3)
output classes(2)
network {
    linear(4 | 8 | 16)
    relu | tanh
    linear(classes)
}
";

const DESIGN: &str = "\
space plain
input vector(features: 3)
output classes(2)
network { linear(classes) }
";

const EXPERIMENT: &str = "\
name = \"small\"
space = \"small.space\"
data = { train = \"train.csv\", label = \"kind\", test_fraction = 0.3 }
search = { population = 2, sample = 2, lookahead = 2 }
budget.trials = 4
recipe.epochs = 3
final = { retrain_seeds = 5, baselines = [\"plain.space\"] }
compare = { search_seeds = 8, random_networks = 1 }
";

/// Rows whose class is known from two of three numbers, most of the time.
fn rows(from: usize, count: usize) -> String {
    let mut text = "a,b,city,kind\n".to_owned();
    for row in from..from + count {
        let (a, b) = ((row * 7 % 23) as f64 - 11.0, (row * 5 % 17) as f64 - 8.0);
        let kind = match a + b > 0.5 * (row % 5) as f64 {
            true => "yes",
            false => "no",
        };
        text += &format!("{a},{b},{},{kind}\n", row % 3);
    }
    text
}

/// A folder with a small comparison that was carried out and blessed.
fn blessed() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    for (name, text) in [
        ("small.space", SPACE),
        ("plain.space", DESIGN),
        ("small.toml", EXPERIMENT),
        ("train.csv", &rows(0, 300)),
        ("other.csv", &rows(1000, 200)),
    ] {
        fs::write(path.join(name), text).unwrap();
    }
    let ended = run(path, &["compare", "small.toml", "--bless"]);
    assert_eq!(ended.code, 0, "{}", ended.err);
    let comparison = path.join("runs/small-compare-1");
    (folder, comparison)
}

fn run(folder: &Path, arguments: &[&str]) -> Ended {
    strata_in(folder, arguments)
}

#[test]
fn networks_of_a_comparison_are_tested_again_from_its_folder_and_from_what_is_committed() {
    let (folder, comparison) = blessed();
    let folder = folder.path();
    // Eight winners of each search and the design for each, five times.
    let kept = fs::read_dir(comparison.join("evolution-1/retrained")).unwrap();
    assert_eq!(kept.count(), 10);

    let again = run(folder, &["retest", "runs/small-compare-1"]);
    assert_eq!(again.code, 0, "{}", again.err);
    assert!(
        again.err.contains("as recorded, to the last bit"),
        "{}",
        again.err
    );
    fs::remove_dir_all(folder.join("runs")).unwrap();
    let committed = run(folder, &["retest", "small"]);
    assert_eq!(committed.code, 0, "{}", committed.err);
    assert!(
        committed.err.contains("120 of 120 scores are as recorded"),
        "{}",
        committed.err
    );

    // Other examples need nothing of the training data.
    fs::remove_file(folder.join("train.csv")).unwrap();
    let gone = run(folder, &["retest", "small"]);
    assert_eq!(gone.code, 2, "{}", gone.err);
    let other = run(folder, &["retest", "small", "--data", "other.csv"]);
    assert_eq!(other.code, 0, "{}", other.err);
    for wanted in ["evolution", "random", "plain", "On these 200 examples"] {
        assert!(other.out.contains(wanted), "{}", other.out);
    }
    assert!(
        other.out.contains("It says nothing of new searches"),
        "{}",
        other.out
    );
    for never in ["better", "worse"] {
        assert!(!other.out.contains(never), "{}", other.out);
    }
    let json = run(
        folder,
        &[
            "retest",
            "small/runs.tar.gz",
            "--data",
            "other.csv",
            "--json",
        ],
    );
    let json = json.json();
    assert_eq!(json["examples"], 200);
    assert_eq!(json["networks"].as_array().unwrap().len(), 120);
    assert_eq!(json["differences"].as_array().unwrap().len(), 2);
    assert!(json["differences"][0]["standard_error"].as_f64() > Some(0.0));
}

#[test]
fn an_archive_is_the_same_bytes_wherever_it_is_packed_and_names_no_folder_of_the_machine() {
    let (folder, _) = blessed();
    let folder = folder.path();
    let archive = folder.join("small/runs.tar.gz");
    let read = || {
        let mut text = Vec::new();
        let bytes = fs::read(&archive).unwrap();
        std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&bytes[..]), &mut text)
            .unwrap();
        text
    };
    let text = read();
    let place = folder.display().to_string();
    let holds = |what: &str| {
        let what = what.as_bytes();
        text.windows(what.len()).any(|window| window == what)
    };
    assert!(holds("evolution-8/journal.jsonl"));
    assert!(holds("random-1/retrained/winner-5.safetensors"));
    assert!(holds("best/preprocessing.json"));
    assert!(!holds(&place), "it names {place}");
}

#[test]
fn what_can_not_be_tested_again_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::create_dir(path.join("empty")).unwrap();
    let nothing = run(path, &["retest", "empty"]);
    assert_eq!(nothing.code, 2, "{}", nothing.err);
    assert!(
        nothing.err.contains("`strata compare EXPERIMENT --bless`"),
        "{}",
        nothing.err
    );
    fs::write(path.join("not.tar.gz"), "no archive").unwrap();
    let foreign = run(path, &["retest", "not.tar.gz"]);
    assert_eq!(foreign.code, 2, "{}", foreign.err);
    super::runs::experiment(path, "");
    let ended = run(path, &["search", "small.toml", "--quiet"]);
    assert_eq!(ended.code, 0, "{}", ended.err);
    let missing = run(path, &["retest", "runs/small-1", "--data", "none.csv"]);
    assert_eq!(missing.code, 2, "{}", missing.err);
    assert!(
        missing.err.contains("there is no none.csv"),
        "{}",
        missing.err
    );
    // A run by itself keeps its networks too.
    let again = run(path, &["retest", "runs/small-1"]);
    assert_eq!(again.code, 0, "{}", again.err);
    assert!(
        again.err.contains("4 of 4 scores are as recorded"),
        "{}",
        again.err
    );
    let weights = path.join("runs/small-1/retrained/winner-2.safetensors");
    let first = path.join("runs/small-1/retrained/winner-1.safetensors");
    fs::copy(&first, &weights).unwrap();
    let other = run(path, &["retest", "runs/small-1"]);
    assert_eq!(other.code, 4, "{}", other.err);
    assert!(other.err.contains("winner, retraining 2"), "{}", other.err);
}
