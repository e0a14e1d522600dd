//! A program of the user's as the evaluator.

use super::without_data::no_hash;
use super::{DataUse, EvaluatorInfo, EvaluatorKind, Evaluators, Given, SettingInfo};
use crate::architecture::Output;
use crate::evaluation::{CommandEvaluator, CommandPhase, CommandSettings, Evaluator};
use crate::layers::Shape;
use crate::run::RunError;
use crate::run::experiment::Experiment;
use crate::training::Score;
use std::path::PathBuf;

pub(super) static INFO: EvaluatorInfo = EvaluatorInfo {
    name: "command",
    about: "asks a program of yours, in any language: JSON in, JSON out",
    data: DataUse::Refused,
    reproducible: true,
    trains: false,
    looks_up: false,
    settings: &[
        SettingInfo {
            key: "argv",
            default: None,
            about: "the program and its arguments, as a list; no shell is involved",
        },
        SettingInfo {
            key: "timeout_seconds",
            default: None,
            about: "after how long an attempt is killed with its children; by default the trial's deadline alone",
        },
        SettingInfo {
            key: "retries",
            default: Some("0"),
            about: "how often an attempt that failed is made again",
        },
        SettingInfo {
            key: "tests",
            default: Some("false"),
            about: "whether the program also tests the winner and the baselines",
        },
    ],
};

impl EvaluatorKind for CommandSettings {
    fn describe(&self) -> &'static EvaluatorInfo {
        &INFO
    }

    fn nonsense(&self, _experiment: &Experiment) -> Option<(&'static str, String)> {
        self.nonsense()
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
        Ok(Box::new(CommandEvaluators {
            settings: self.clone(),
            folder: given.base.to_owned(),
            score: given.experiment.score,
        }))
    }
}

/// Evaluators that ask a program, in the experiment's folder.
#[derive(Clone, Debug)]
struct CommandEvaluators {
    settings: CommandSettings,
    folder: PathBuf,
    score: Option<Score>,
}

impl CommandEvaluators {
    fn evaluator(&self, phase: CommandPhase) -> CommandEvaluator<'_> {
        CommandEvaluator {
            settings: &self.settings,
            folder: &self.folder,
            phase,
            score: self.score,
        }
    }
}

impl Evaluators for CommandEvaluators {
    fn data_hash(&self) -> &str {
        no_hash()
    }

    fn split_hash(&self) -> &str {
        no_hash()
    }

    fn check(&self, _input: Shape, _output: Output) -> Result<(), String> {
        Ok(())
    }

    fn search(&self) -> Box<dyn Evaluator + '_> {
        Box::new(self.evaluator(CommandPhase::Search))
    }

    fn can_test(&self) -> bool {
        self.settings.tests
    }

    /// What the program tests by is its own affair.
    fn test_hash(&self) -> Option<&str> {
        None
    }

    /// How many the program has is its own affair.
    fn test_examples(&self) -> u64 {
        0
    }

    fn open_test(&mut self) -> Box<dyn Evaluator + '_> {
        Box::new(self.evaluator(CommandPhase::Test))
    }
}
