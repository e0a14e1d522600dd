//! The `[evaluator]` section of an experiment.

use super::fixture::EXPERIMENT;
use strata::run::{EVALUATORS, EvaluatorSettings, Experiment, RunError};

/// What is said of an experiment with `section` in it, and where.
fn fault(section: &str) -> (String, String) {
    let text = format!("{EXPERIMENT}\n{section}");
    match Experiment::parse("e.toml", &text).unwrap_err() {
        RunError::Text { file, diagnostics } => {
            let diagnostic = &diagnostics[0];
            let at = diagnostic.span.start..diagnostic.span.end;
            (diagnostic.message.clone(), file.text()[at].to_owned())
        }
        other => panic!("{other}"),
    }
}

#[test]
fn an_experiment_without_the_section_trains_and_is_written_without_it() {
    let experiment = Experiment::parse("e.toml", EXPERIMENT).unwrap();
    assert_eq!(experiment.evaluator, EvaluatorSettings::default());
    assert_eq!(experiment.evaluator.info().name, "training");
    let written = serde_json::to_string(&experiment).unwrap();
    assert!(!written.contains("evaluator"));
    let named = format!("{EXPERIMENT}\n[evaluator]\nkind = \"training\"");
    assert_eq!(Experiment::parse("e.toml", &named).unwrap(), experiment);
}

#[test]
fn an_unknown_kind_or_setting_is_an_error_at_its_place() {
    let (said, place) = fault("[evaluator]\nkind = \"trainig\"");
    assert_eq!(
        (said.as_str(), place.as_str()),
        ("unknown value `trainig`", "\"trainig\"")
    );
    let (said, place) = fault("[evaluator]\nkind = \"training\"\nepochs = 3");
    assert_eq!(
        (said.as_str(), place.as_str()),
        ("unknown key `epochs`", "epochs")
    );
}

#[test]
fn an_evaluator_that_needs_data_says_so() {
    let text = EXPERIMENT.replace("data = { name = \"digits\" }\n", "");
    let said = Experiment::parse("e.toml", &text).unwrap_err().to_string();
    assert!(
        said.contains("`kind = \"training\"` needs a `name` or `train`"),
        "{said}"
    );
}

#[test]
fn the_page_names_every_kind_and_every_setting() {
    let path = format!("{}/docs/evaluators.md", env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(path).unwrap();
    for info in EVALUATORS {
        let line = format!("| `{}` | {} |", info.name, info.about);
        assert!(page.contains(&line), "write `{line}`");
        for setting in info.settings {
            let default = setting
                .default
                .map_or(String::new(), |text| format!("`{text}`"));
            let line = format!("| `{}` | {default} | {} |", setting.key, setting.about);
            assert!(page.contains(&line), "write `{line}`");
        }
    }
}
