//! Measured latency as the score.

use super::without_data::no_hash;
use super::{DataUse, EvaluatorInfo, EvaluatorKind, Evaluators, Given, SettingInfo};
use crate::architecture::Output;
use crate::evaluation::{Evaluator, LatencyEvaluator, LatencySettings};
use crate::layers::Shape;
use crate::run::RunError;
use crate::run::experiment::Experiment;
use crate::training::Score;

pub(super) static INFO: EvaluatorInfo = EvaluatorInfo {
    name: "latency",
    about: "measures how many examples a second an untrained network answers on this machine",
    data: DataUse::Refused,
    reproducible: false,
    trains: false,
    looks_up: false,
    settings: &[
        SettingInfo {
            key: "batch",
            default: Some("1"),
            about: "examples that are answered together",
        },
        SettingInfo {
            key: "runs",
            default: Some("30"),
            about: "answers that are timed; the median counts",
        },
        SettingInfo {
            key: "warmup",
            default: Some("5"),
            about: "answers before those that are not timed",
        },
    ],
};

impl EvaluatorKind for LatencySettings {
    fn describe(&self) -> &'static EvaluatorInfo {
        &INFO
    }

    fn nonsense(&self, _experiment: &Experiment) -> Option<(&'static str, String)> {
        self.nonsense()
    }

    fn score_name(&self, _score: Option<Score>, _output: Output) -> &'static str {
        "examples/s"
    }

    fn check_score(&self, _score: Score, _output: Output) -> Result<(), String> {
        Err(
            "`kind = \"latency\"` has no score but the examples a second; leave `score` out"
                .to_owned(),
        )
    }

    fn load(&self, _given: Given<'_>) -> Result<Box<dyn Evaluators>, RunError> {
        Ok(Box::new(LatencyEvaluators(*self)))
    }
}

/// Evaluators that measure, and have nothing to test by.
#[derive(Clone, Copy, Debug)]
struct LatencyEvaluators(LatencySettings);

impl Evaluators for LatencyEvaluators {
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
        Box::new(LatencyEvaluator(self.0))
    }

    fn can_test(&self) -> bool {
        false
    }

    fn test_examples(&self) -> u64 {
        0
    }

    fn open_test(&mut self) -> Box<dyn Evaluator + '_> {
        unreachable!("there is nothing to test by")
    }
}
