//! Verbs over space files and networks.

use super::program::{strata, strata_in, with_stdin};
use std::fs;

/// The path of a space that the project ships.
pub fn shipped(name: &str) -> String {
    format!("{}/search_spaces/{name}.space", env!("CARGO_MANIFEST_DIR"))
}

fn all_shipped() -> Vec<String> {
    let folder = fs::read_dir(format!("{}/search_spaces", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let mut paths: Vec<String> = folder
        .map(|entry| entry.unwrap().path().to_str().unwrap().to_owned())
        .collect();
    paths.sort_unstable();
    paths
}

const FIVE_MISTAKES: &str = "\
space five
input image(channels: 1, height: 8, width: 8)
output classes(10)
let width = 8 | 16
network {
    conv2(width, kernel: 3)
    conv2d(widht, kernel: 3)
    conv2d(width, kernal: 3)
    max_pool2d(\"two\")
    dropout(1.5)
    global_avg_pool
    linear(classes)
}
";

#[test]
fn five_mistakes_in_a_file_are_all_reported_at_their_places() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("five.space"), FIVE_MISTAKES).unwrap();
    let result = strata_in(folder.path(), ["check", "five.space"]);
    assert_eq!(result.code, 2);
    assert!(result.out.is_empty());
    for place in ["6:5", "7:12", "8:19", "9:16", "10:13"] {
        let place = format!("five.space:{place}");
        assert!(
            result.err.contains(&place),
            "{place} is missing in\n{}",
            result.err
        );
    }
    assert!(
        result.err.contains("did you mean `conv2d`?"),
        "{}",
        result.err
    );
    assert!(!result.err.contains('\x1b'), "colours are for terminals");
}

#[test]
fn the_shipped_spaces_are_right_formatted_and_as_large_as_they_say() {
    for path in all_shipped() {
        let checked = strata(["check", &path]);
        assert_eq!(checked.code, 0, "{}", checked.err);
        assert_eq!(
            strata(["fmt", "--check", &path]).code,
            0,
            "{path} is not formatted"
        );
        let (_, count) = checked.out.trim().split_once(", ").unwrap();
        let comment = format!("// Exactly {count}.");
        let text = fs::read_to_string(&path).unwrap();
        assert!(
            text.lines().any(|line| line == comment),
            "{path} lacks `{comment}`"
        );
    }
}

#[test]
fn the_next_file_is_checked_after_a_wrong_one() {
    let result = with_stdin(b"space broken", ["check", "-", &shipped("mlp")]);
    assert_eq!(result.code, 2);
    assert_eq!(result.out, "ok: mlp, 1 architecture\n");
    assert!(result.err.contains("<stdin>"), "{}", result.err);
}

#[test]
fn missing_and_foreign_files_are_bad_input() {
    let missing = strata(["count", "no/such.space"]);
    assert_eq!(missing.code, 2);
    assert!(
        missing.err.contains("failed to read no/such.space"),
        "{}",
        missing.err
    );
    let foreign = with_stdin(b"space a\n\xff\xfe", ["check", "-"]);
    assert_eq!(foreign.code, 2);
    assert!(foreign.err.contains("line 2, byte 8"), "{}", foreign.err);
}

#[test]
fn counts_are_grouped_for_people_and_exact_for_scripts() {
    let people = strata(["count", &shipped("digits_cnn")]);
    assert_eq!(
        people.out,
        "2,462,264,168,924,988 architectures (about 2.46e15)\n"
    );
    let scripts = strata(["count", &shipped("digits_cnn"), "--json"]).json();
    assert_eq!(scripts["count"], "2462264168924988");
}

#[test]
fn formatting_stdin_is_idempotent_and_check_changes_nothing() {
    let messy = b"space a\n  input   image(channels:1,height:8,width:8)\noutput classes(2)\n\
                  network{flatten;linear(classes)}\n";
    let once = with_stdin(messy, ["fmt", "-"]);
    assert_eq!(once.code, 0, "{}", once.err);
    let twice = with_stdin(once.out.as_bytes(), ["fmt", "-"]);
    assert_eq!(once.out, twice.out);
    let checked = with_stdin(messy, ["fmt", "--check", "-"]);
    assert_eq!((checked.code, checked.out.as_str()), (2, "<stdin>\n"));
}

#[test]
fn formatting_replaces_a_file_in_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.space");
    let text = fs::read_to_string(shipped("mlp")).unwrap();
    fs::write(&path, text.replace("    ", "\t")).unwrap();
    assert_eq!(strata_in(folder.path(), ["fmt", "a.space"]).code, 0);
    assert_eq!(fs::read_to_string(path).unwrap(), text);
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        1,
        "nothing is left over"
    );
}

#[test]
fn samples_are_json_lines_that_their_seed_decides() {
    let draw = |seed: &str| {
        strata([
            "sample",
            &shipped("digits_cnn"),
            "-n",
            "3",
            "--seed",
            seed,
            "--json",
        ])
    };
    let lines: Vec<serde_json::Value> = draw("1")
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 3);
    assert!(
        lines
            .iter()
            .all(|line| line["params"].as_u64().unwrap() > 0)
    );
    assert_eq!(draw("1").out, draw("1").out);
    assert_ne!(draw("1").out, draw("2").out);
}

#[test]
fn an_index_a_genome_and_a_json_file_show_the_same_network() {
    let folder = tempfile::tempdir().unwrap();
    let space = shipped("digits_cnn");
    let drawn = strata(["sample", &space, "-n", "1", "--json"]).json();
    let by_index = strata([
        "show",
        &space,
        "--index",
        drawn["index"].as_str().unwrap(),
        "--format",
        "json",
    ]);
    fs::write(
        folder.path().join("genome.json"),
        drawn["genome"].to_string(),
    )
    .unwrap();
    fs::write(folder.path().join("network.json"), &by_index.out).unwrap();
    let show = |arguments: &[&str]| {
        strata_in(
            folder.path(),
            [&["show"], arguments, &["--format", "json"]].concat(),
        )
    };
    assert_eq!(show(&[&space, "--genome", "genome.json"]).out, by_index.out);
    assert_eq!(show(&["network.json"]).out, by_index.out);
    assert_eq!(by_index.json(), drawn["architecture"]);
}

#[test]
fn a_space_with_a_choice_asks_which_network() {
    let space = shipped("digits_cnn");
    for verb in [
        &["show", &space][..],
        &["train", &space, "--data", "digits"],
    ] {
        let result = strata(verb);
        assert_eq!(result.code, 2, "{verb:?}");
        assert!(result.err.contains("--index"), "{}", result.err);
    }
    let past = strata(["show", &space, "--index", "2462264168924988"]);
    assert!(
        past.err.contains("the last is 2462264168924987"),
        "{}",
        past.err
    );
}

#[test]
fn mermaid_is_a_flow_chart() {
    let chart = strata(["show", &shipped("lenet5"), "--format", "mermaid"]);
    assert!(chart.out.starts_with("flowchart TD\n"), "{}", chart.out);
    assert!(chart.err.is_empty());
}

#[test]
fn an_enumeration_goes_on_where_it_stopped() {
    let space = shipped("first");
    let whole = strata(["enumerate", &space, "--json"]);
    assert_eq!((whole.code, whole.out.lines().count()), (0, 168));
    let start = strata(["enumerate", &space, "--json", "-n", "100"]);
    assert!(start.err.contains("--from 100"), "{}", start.err);
    let rest = strata(["enumerate", &space, "--json", "--from", "100"]);
    assert_eq!(whole.out, start.out + &rest.out);
}

#[test]
fn different_networks_are_counted_apart_from_decisions() {
    // Blocks that do nothing leave no trace in stages of 2, 3 and 3 blocks: 7 * 15 * 15.
    let result = strata(["count", "--unique", &shipped("nasbench_macro")]);
    assert_eq!(result.code, 0);
    assert!(result.out.contains("6,561 architectures"), "{}", result.out);
    assert!(
        result.out.contains("1,575 different as labelled graphs"),
        "{}",
        result.out
    );
}

#[test]
fn an_estimate_says_that_it_is_one() {
    let text = fs::read_to_string(shipped("darts")).unwrap();
    let text = format!("{text}\nrequire params + macs / 100 < 630k or depth < 20\n");
    let result = with_stdin(text.as_bytes(), ["count", "-", "--json"]);
    let counted: serde_json::Value = serde_json::from_str(&result.out).unwrap();
    assert_eq!(counted["exact"], false, "{counted}");
    let rate = counted["acceptance_rate"].as_f64().unwrap();
    assert!(rate > 0.0 && rate < 1.0, "{counted}");
    assert_eq!(counted["interval"].as_array().unwrap().len(), 2);
}

#[test]
fn two_networks_stand_side_by_side() {
    let space = shipped("first");
    let (a, b) = (format!("{space}#3"), format!("{space}#4"));
    let result = strata(["diff", &a, &b, "--json"]);
    let compared: serde_json::Value = serde_json::from_str(&result.out).unwrap();
    assert_eq!(compared["same_network"], false);
    let same = strata(["diff", &a, &a]);
    assert!(same.out.ends_with("the same network\n"), "{}", same.out);
    let missing = strata(["diff", &a, &format!("{space}#168")]);
    assert_eq!(missing.code, 2);
    assert!(missing.err.contains("the last is 167"), "{}", missing.err);
}

#[test]
fn a_distance_names_the_decisions_that_differ() {
    let result = strata(["distance", &shipped("first"), "3", "4", "--json"]);
    let distance: serde_json::Value = serde_json::from_str(&result.out).unwrap();
    let differences = distance["differences"].as_array().unwrap().len();
    assert_eq!(distance["distance"], differences);
    assert!(differences > 0);
    let none = strata(["distance", &shipped("first"), "3", "3"]);
    assert!(none.out.starts_with("0 decisions of"), "{}", none.out);
}

#[test]
fn drawings_are_the_same_every_time() {
    let draw = |format: &str| strata(["show", &shipped("resnet_small"), "--format", format]);
    for (format, start) in [("svg", "<svg "), ("dot", "digraph ")] {
        let drawing = draw(format);
        assert_eq!(drawing.code, 0);
        assert!(drawing.out.starts_with(start));
        assert_eq!(drawing.out, draw(format).out);
    }
}
