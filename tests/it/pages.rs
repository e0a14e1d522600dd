//! What the pages show must work: spaces compile, counts are right, experiments are read.

use std::fs;
use strata::language;
use strata::random::{Purpose, Seed};
use strata::run::Experiment;
use strata::space::Sampling;

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
    for name in ["README.md", "docs/language.md", "docs/own-data.md"] {
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
fn the_scores_are_documented_in_full() {
    let page = page("docs/data.md");
    for info in strata::training::SCORES {
        let better = match info.direction {
            strata::training::Direction::Maximise => "higher",
            strata::training::Direction::Minimise => "lower",
        };
        let row = format!(
            "| `{}` | {} | {better} | {} |",
            info.name, info.fits, info.about
        );
        assert!(page.contains(&row), "{row}");
    }
}

/// The experiment files of a folder.
fn experiments(folder: &str) -> Vec<std::path::PathBuf> {
    let folder = format!("{}/{folder}", env!("CARGO_MANIFEST_DIR"));
    let paths = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let is_one =
        |path: &std::path::PathBuf| path.extension().is_some_and(|ending| ending == "toml");
    paths.filter(is_one).collect()
}

#[test]
fn the_shipped_experiments_can_be_run() {
    let shipped = experiments("experiments").into_iter();
    for path in shipped.chain(experiments("experiments/results")) {
        let file = strata::run::ExperimentFile::read(&path).unwrap();
        let compiled = |named: &std::path::Path| {
            let text = fs::read_to_string(file.base.join(named)).unwrap();
            let compiled = language::compile(&text);
            compiled.unwrap_or_else(|found| panic!("{}: {found:?}", named.display()))
        };
        let space = compiled(&file.experiment.space).space;
        for named in &file.experiment.last.baselines {
            let baseline = compiled(named).space;
            let counted = baseline.indices().to_string();
            assert_eq!(counted, "1", "{}", named.display());
            let ends = |space: &strata::space::SearchSpace| {
                let mut stream = Seed(1).stream(0, Purpose::Tool);
                let genome = space.sample(Sampling::Prior, &mut stream);
                let architecture = space.decode(&genome).unwrap().architecture;
                (architecture.input(), architecture.output())
            };
            assert_eq!(ends(&baseline), ends(&space), "{}", named.display());
        }
    }
}

#[test]
fn every_row_of_results_has_its_experiment() {
    let script = page("experiments/results/table.py");
    let found = experiments("experiments/results");
    let rows = found.iter().filter(|path| {
        let name = path.file_stem().unwrap().to_string_lossy();
        script.contains(&format!("(\"{name}\", "))
    });
    assert_eq!((rows.count(), found.len()), (10, 10));
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

#[test]
fn the_page_of_own_data_can_be_followed() {
    let page = page("docs/own-data.md");
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    let only = |language| blocks(&page, language)[0].0.to_owned() + "\n";
    let tables = blocks(&page, "csv");
    let [(shown, _), (new, _)] = tables[..] else {
        panic!("a table, and a new one");
    };
    let (header, rows) = shown.split_once('\n').unwrap();
    let rows = format!("{rows}\n").repeat(30);
    write("churn.csv", &format!("{header}\n{rows}"));
    write("new.csv", &format!("{new}\n"));
    write("churn.toml", &only("toml"));
    write("churn.space", &only("space"));
    let printed = only("text");
    let mut verbs = Vec::new();
    for (text, _) in blocks(&page, "sh") {
        for line in text.lines() {
            let arguments = line.strip_prefix("strata ").unwrap().split(' ');
            let arguments: Vec<&str> = arguments.collect();
            let ended = super::cli::program::strata_in(folder.path(), &arguments);
            assert_eq!(ended.code, 0, "{line}: {}", ended.err);
            verbs.push(arguments[0]);
            match arguments[0] {
                "data" => assert_eq!(ended.out, printed),
                "predict" => {
                    let said: Vec<&str> = ended.out.lines().collect();
                    assert!(
                        said[0].starts_with("yes") && said[1].starts_with("no"),
                        "{said:?}"
                    );
                }
                _ => {}
            }
        }
    }
    assert_eq!(
        verbs,
        [
            "data", "check", "search", "predict", "verify", "export", "export"
        ]
    );
    for file in [
        "churn.py",
        "churn.onnx",
        "churn.safetensors",
        "churn.preprocessing.json",
    ] {
        assert!(folder.path().join("home").join(file).exists(), "{file}");
    }
}
