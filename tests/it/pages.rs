//! What the pages show must work: spaces compile, counts are right, experiments are read.

use std::fs;
use strata::language;
use strata::run::Experiment;

fn page(name: &str) -> String {
    fs::read_to_string(format!("{}/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// The blocks of a language on a page, each with the first line of text after it.
fn blocks<'a>(page: &'a str, language: &str) -> Vec<(&'a str, &'a str)> {
    let opening = format!("```{language}\n");
    let block = |rest: &'a str| {
        let (text, after) = rest.split_once("\n```\n").unwrap();
        (
            text,
            after
                .lines()
                .find(|line| !line.is_empty())
                .unwrap_or_default(),
        )
    };
    page.split(opening.as_str()).skip(1).map(block).collect()
}

fn grouped(count: &str) -> String {
    let mut out = String::new();
    for (index, digit) in count.chars().enumerate() {
        if index > 0 && (count.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[test]
fn the_spaces_on_the_pages_compile_and_count_what_is_said() {
    for name in ["README.md", "docs/language.md"] {
        let page = page(name);
        let spaces = blocks(&page, "space");
        assert!(!spaces.is_empty(), "{name} shows no space");
        for (text, after) in spaces {
            let text = format!("{text}\n");
            let compiled =
                language::compile(&text).unwrap_or_else(|found| panic!("{found:?}\n{text}"));
            assert_eq!(language::format(&text).unwrap(), text, "{name}");
            let count = grouped(&compiled.space.indices().to_string());
            assert!(
                after.starts_with(&format!("{count} architecture")),
                "{count}: {after}\n{text}"
            );
        }
    }
}

#[test]
fn the_experiments_on_the_pages_are_experiments() {
    for (text, _) in blocks(&page("docs/experiments.md"), "toml") {
        Experiment::parse("docs/experiments.md", text).unwrap();
    }
}

#[test]
fn the_recipe_is_documented_in_full() {
    let page = page("docs/experiments.md");
    for field in strata::training::FIELDS {
        assert!(
            page.contains(&format!("| `{}` |", field.name)),
            "{} is missing",
            field.name
        );
    }
}

#[test]
fn the_shipped_experiments_can_be_run() {
    let folder = fs::read_dir(format!("{}/experiments", env!("CARGO_MANIFEST_DIR"))).unwrap();
    for entry in folder {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|ending| ending != "toml") {
            continue;
        }
        let file = strata::run::ExperimentFile::read(&path).unwrap();
        let baselines = file.experiment.last.baselines.iter();
        for named in baselines.chain([&file.experiment.space]) {
            let text = fs::read_to_string(file.base.join(named)).unwrap();
            assert!(language::compile(&text).is_ok(), "{}", named.display());
        }
    }
}

#[test]
fn the_page_of_search_has_every_controller_and_setting() {
    let page = page("docs/search.md");
    for row in strata::search::CONTROLLERS {
        let line = format!("| `{}` | {} | {} |", row.name, row.summary, row.source);
        assert!(page.contains(&line), "write `{line}`");
    }
    for (name, meaning) in strata::search::SETTINGS {
        let line = format!("| `{name}` | {meaning} | {} |", defaults(name));
        assert!(page.contains(&line), "write `{line}`");
    }
}

/// The defaults of a setting: one for all, or one for each controller.
fn defaults(setting: &str) -> String {
    let rows = strata::search::CONTROLLERS.iter();
    let given: Vec<(&str, &str)> = rows
        .flat_map(|row| {
            let settings = row.settings.iter().filter(|(name, _)| *name == setting);
            settings.map(|(_, default)| (row.name, *default))
        })
        .collect();
    let each: Vec<String> = given
        .iter()
        .map(|(name, default)| format!("`{name}` {default}"))
        .collect();
    each.join(", ")
}
