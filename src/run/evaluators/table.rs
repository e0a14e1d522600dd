//! Scores from a table of results.

use super::{DataUse, EvaluatorInfo, EvaluatorKind, Evaluators, Given, SettingInfo};
use crate::architecture::Output;
use crate::evaluation::{Evaluator, Table, TableError, TableEvaluator, TableSettings};
use crate::language;
use crate::layers::Shape;
use crate::run::experiment::Experiment;
use crate::run::{RunError, files};
use crate::training::Score;
use std::sync::Arc;

pub(super) static INFO: EvaluatorInfo = EvaluatorInfo {
    name: "table",
    about: "looks results up in a CSV file, such as a published benchmark's",
    data: DataUse::Refused,
    reproducible: true,
    trains: false,
    looks_up: true,
    settings: &[
        SettingInfo {
            key: "file",
            default: None,
            about: "the CSV file with a header, relative to the experiment; gzip is unpacked",
        },
        SettingInfo {
            key: "key",
            default: None,
            about: "the column that says which architecture a row is about",
        },
        SettingInfo {
            key: "of",
            default: Some("\"decisions\""),
            about: "what that column holds: the numbers of the options in the order of `decisions`, as in \
                    `421211`, or the `index` in the space",
        },
        SettingInfo {
            key: "score",
            default: None,
            about: "the column of the score that the search sees; higher is better, unless the experiment's `score` says \
                    what it holds, as in `score = \"rmse\"`",
        },
        SettingInfo {
            key: "cost",
            default: Some("none"),
            about: "what a trial costs: a `column` and what it is multiplied by, `times`; becomes the figure \
                    `simulated_seconds`",
        },
        SettingInfo {
            key: "final",
            default: Some("none"),
            about: "the column that the final evaluation reads; the score's if absent",
        },
        SettingInfo {
            key: "figures",
            default: Some("[]"),
            about: "columns of further figures, which a search by several objectives may name",
        },
    ],
};

impl EvaluatorKind for TableSettings {
    fn describe(&self) -> &'static EvaluatorInfo {
        &INFO
    }

    fn nonsense(&self, experiment: &Experiment) -> Option<(&'static str, String)> {
        let controller = experiment.search.description();
        let needed = format!(
            "a controller with one fidelity: a table has the results of whole trainings, and `{}` tries less",
            controller.name
        );
        controller.takes("fidelity").then_some(("kind", needed))
    }

    fn score_name(&self, score: Option<Score>, _: Output) -> &'static str {
        score.map_or("score", Score::name)
    }

    fn test_score_name(&self, score: Option<Score>, output: Output) -> &'static str {
        self.score_name(score, output)
    }

    /// What it knows of networks is its own affair.
    fn check_score(&self, _: Score, _: Output) -> Result<(), String> {
        Ok(())
    }

    fn load(&self, given: Given<'_>) -> Result<Box<dyn Evaluators>, RunError> {
        let unfit = |error: TableError| RunError::Setting {
            key: "evaluator".to_owned(),
            message: error.to_string(),
        };
        let path = given.base.join(&given.experiment.space);
        let text = files::read_text(&path)?;
        let compiled = language::compile(&text).map_err(|diagnostics| RunError::Text {
            file: crate::diagnostics::SourceFile::new(path.display().to_string(), text.as_str()),
            diagnostics,
        })?;
        let space = Arc::new(compiled.space);
        let table = Table::read(&given.base.join(&self.file), &self.key).map_err(unfit)?;
        let table = Arc::new(table);
        // An index means something in one space only.
        let of = files::sha256(
            format!("{} {}", table.hash(), files::sha256(text.as_bytes())).as_bytes(),
        );
        Ok(Box::new(TableEvaluators {
            hash: of,
            rows_hash: table.hash().to_owned(),
            search: TableEvaluator::for_search(&space, &table, self).map_err(unfit)?,
            test: TableEvaluator::for_test(&space, &table, self).map_err(unfit)?,
            rows: table.len() as u64,
        }))
    }
}

/// Evaluators that look results up.
#[derive(Debug)]
struct TableEvaluators {
    hash: String,
    /// Of the table alone: another space looks at the same rows.
    rows_hash: String,
    search: TableEvaluator,
    test: TableEvaluator,
    rows: u64,
}

impl Evaluators for TableEvaluators {
    fn data_hash(&self) -> &str {
        &self.hash
    }

    fn split_hash(&self) -> &str {
        ""
    }

    fn check(&self, _: Shape, _: Output) -> Result<(), String> {
        Ok(())
    }

    fn search(&self) -> Box<dyn Evaluator + '_> {
        Box::new(self.search.clone())
    }

    fn test_hash(&self) -> Option<&str> {
        Some(&self.rows_hash)
    }

    fn test_examples(&self) -> u64 {
        self.rows
    }

    fn open_test(&mut self) -> Box<dyn Evaluator + '_> {
        Box::new(self.test.clone())
    }
}
