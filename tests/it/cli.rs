//! The command line as scripts meet it: exit codes, streams, JSON.

mod budgets;
mod compare;
mod lookups;
mod models;
mod pareto;
pub mod program;
mod proxies;
mod retest;
mod runs;
mod texts;
mod tracking;

use program::strata;

/// What the documentation promises for a topic must be what the program prints.
fn page(name: &str) -> String {
    let path = format!("{}/docs/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn every_verb_explains_itself_on_stdout() {
    let help = strata(["--help"]);
    assert_eq!(help.code, 0);
    assert!(help.err.is_empty());
    let verbs: Vec<&str> = help
        .out
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(verbs.len() >= 13, "{verbs:?}");
    for verb in verbs.into_iter().filter(|verb| *verb != "help") {
        assert_eq!(strata([verb, "--help"]).code, 0, "{verb}");
        let documented = page("cli.md").contains(&format!("`strata {verb}"));
        assert!(documented, "docs/cli.md does not name `strata {verb}`");
    }
}

#[test]
fn the_exit_codes_are_the_documented_ones() {
    let table = strata(["exit-codes"]);
    assert_eq!(table.code, 0);
    let page = page("cli.md");
    for line in table.out.lines().skip(1) {
        let (code, meaning) = line.trim().split_once("  ").unwrap();
        assert!(
            page.contains(&format!("| {code} | {meaning} |")),
            "docs/cli.md lacks: {line}"
        );
    }
}

#[test]
fn a_wrong_command_line_is_bad_input() {
    for arguments in [
        &["frobnicate"][..],
        &[],
        &["count"],
        &["sample", "x.space", "-n", "many"],
    ] {
        let result = strata(arguments);
        assert_eq!(result.code, 2, "{arguments:?}");
        assert!(result.out.is_empty(), "{arguments:?}");
    }
}

#[test]
fn the_page_of_layers_is_the_catalogue() {
    let printed = strata(["layers", "--markdown"]);
    let path = format!("{}/docs/layers.md", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("STRATA_BLESS").is_some() {
        std::fs::write(&path, &printed.out).unwrap();
    }
    assert_eq!(
        printed.out,
        std::fs::read_to_string(path).unwrap(),
        "bless with STRATA_BLESS=1"
    );
}

#[test]
fn the_catalogue_is_json_too_and_a_typo_finds_its_layer() {
    let all = strata(["layers", "--json"]).json();
    assert!(
        all.as_array()
            .unwrap()
            .iter()
            .any(|layer| layer["name"] == "conv2d")
    );
    let one = strata(["layers", "conv2d"]);
    assert!(one.out.contains("torch.nn.Conv2d"), "{}", one.out);
    let typo = strata(["layers", "conv2"]);
    assert_eq!(typo.code, 2);
    assert!(typo.err.contains("did you mean `conv2d`?"), "{}", typo.err);
}

#[test]
#[cfg(unix)]
fn a_reader_that_goes_away_is_no_error() {
    let space = texts::shipped("digits_cnn");
    let ended = program::with_closed_stdout(["sample", &space, "-n", "2000", "--json"]);
    assert_eq!(ended.code, 0);
    assert!(ended.err.is_empty(), "{}", ended.err);
}
