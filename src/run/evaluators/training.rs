//! Evaluators that train on a data source.

use super::{AllRows, DataUse, EvaluatorInfo, EvaluatorKind, Evaluators, Given, SettingInfo};
use crate::architecture::Output;
use crate::data::{Part, Preprocessing, Remark, SealedTest, Splits};
use crate::evaluation::{
    Evaluator, LatencySettings, RetrainingEvaluator, TrainingEvaluator, WithLatency, WithModels,
};
use crate::layers::Shape;
use crate::model::ComputeDevice;
use crate::proxies::Minibatch;
use crate::random::Seed;
use crate::run::RunError;
use crate::run::experiment::{self, Experiment};
use crate::training::Score;
use serde::{Deserialize, Serialize};

/// What an experiment says of training as an evaluator; how to train is its `[recipe]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrainingSettings {
    /// Latency as a figure beside the score, measured after training.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency: Option<LatencySettings>,
}

pub(super) static INFO: EvaluatorInfo = EvaluatorInfo {
    name: "training",
    about: "trains each candidate by the recipe and scores it on the validation examples",
    data: DataUse::Needed,
    reproducible: true,
    trains: true,
    looks_up: false,
    settings: &[SettingInfo {
        key: "latency",
        default: None,
        about: "adds the figure `latency_ms`, measured as `kind = \"latency\"` does; a table of its settings",
    }],
};

impl EvaluatorKind for TrainingSettings {
    fn describe(&self) -> &'static EvaluatorInfo {
        &INFO
    }

    fn nonsense(&self, _experiment: &Experiment) -> Option<(&'static str, String)> {
        let (name, needed) = self.latency?.nonsense()?;
        Some(("latency", format!("a `{name}` of {needed}")))
    }

    fn load(&self, given: Given<'_>) -> Result<Box<dyn Evaluators>, RunError> {
        let evaluators = TrainingEvaluators::load(given)?;
        Ok(Box::new(TrainingEvaluators {
            latency: self.latency,
            ..evaluators
        }))
    }
}

/// Evaluators that train on a data source.
#[derive(Debug)]
pub struct TrainingEvaluators {
    data_hash: String,
    test_hash: String,
    split_hash: String,
    train: Part,
    validation: Part,
    retraining: Part,
    /// For networks of the search, and for those that are trained once more.
    preprocessing: [Preprocessing; 2],
    test: Option<SealedTest>,
    test_examples: u64,
    latency: Option<LatencySettings>,
    score: Option<Score>,
    device: ComputeDevice,
}

impl TrainingEvaluators {
    /// Reads and divides the data.
    ///
    /// # Errors
    /// When the data can't be read or divided.
    pub fn load(given: Given<'_>) -> Result<Self, RunError> {
        let device = given.experiment.trial.device;
        if let Some(message) = absent(device) {
            let key = "trial.device".to_owned();
            return Err(RunError::Setting { key, message });
        }
        let plan = given.data.plan()?;
        let dataset = given.data.load(given.base)?;
        let data_hash = dataset.hash().to_owned();
        let test_hash = dataset.test_hash().to_owned();
        let splits = Splits::new(dataset, &plan)?;
        let (retraining, preprocessing) = splits.retraining_and_preprocessing();
        Ok(Self {
            data_hash,
            test_hash,
            split_hash: splits.hash.clone(),
            retraining,
            preprocessing: [splits.preprocessing(), preprocessing],
            train: splits.train,
            validation: splits.validation,
            test_examples: splits.test.len() as u64,
            test: Some(splits.test),
            latency: None,
            score: given.experiment.score,
            device,
        })
    }
}

impl Evaluators for TrainingEvaluators {
    fn data_hash(&self) -> &str {
        &self.data_hash
    }

    fn split_hash(&self) -> &str {
        &self.split_hash
    }

    fn remarks(&self) -> Vec<Remark> {
        self.test
            .as_ref()
            .map_or_else(Vec::new, SealedTest::remarks)
    }

    fn check(&self, input: Shape, output: Output) -> Result<(), String> {
        let given = self.train.shape;
        if input != given {
            let (one, other) = (input.kind(), given.kind());
            let (declaration, why) = (given.declaration(), self.widened());
            return Err(format!(
                "its input is {input} ({one}), and the data's examples are {given} ({other}){why}; \
                 write `input {declaration}`"
            ));
        }
        if self.train.targets.suits(output) {
            return Ok(());
        }
        let given = self.train.targets.describe();
        let fit = self.train.targets.output();
        Err(format!(
            "its output is {output}, and the data has {given}; write `output {fit}`"
        ))
    }

    fn search(&self) -> Box<dyn Evaluator + '_> {
        let evaluator = Box::new(self.trainer());
        match self.latency {
            None => evaluator,
            Some(settings) => Box::new(WithLatency {
                evaluator,
                settings,
            }),
        }
    }

    fn minibatch(&self, _input: Shape, _output: Output, size: usize, seed: Seed) -> Minibatch {
        Minibatch::drawn(&self.train, size, seed)
    }

    fn preprocessing(&self, trained_once_more: bool) -> Option<&Preprocessing> {
        Some(&self.preprocessing[usize::from(trained_once_more)])
    }

    fn has_table(&self) -> bool {
        matches!(self.train.shape, Shape::Vector { .. })
    }

    fn selection(&self) -> Option<Box<dyn Evaluator + '_>> {
        Some(Box::new(self.trainer()))
    }

    fn test_hash(&self) -> Option<&str> {
        Some(&self.test_hash)
    }

    fn test_examples(&self) -> u64 {
        self.test_examples
    }

    fn open_all(&mut self) -> Option<AllRows<'_>> {
        let (all, preprocessing) = self.test.take()?.open_for_training();
        let rows = all.len() as u64;
        let evaluator = RetrainingEvaluator::new(all.clone(), all, self.device);
        Some(AllRows {
            evaluator: Box::new(evaluator),
            preprocessing,
            rows,
        })
    }

    fn open_test(&mut self) -> Box<dyn Evaluator + '_> {
        let sealed = self.test.take().expect("the seal is broken once a process");
        let test = sealed.open().for_retrained;
        let evaluator = RetrainingEvaluator::new(self.retraining.clone(), test, self.device);
        let evaluator = evaluator.scored_by(self.score);
        match self.has_table() {
            false => Box::new(evaluator),
            true => Box::new(WithModels {
                evaluator,
                train: &self.train,
                validation: &self.validation,
            }),
        }
    }
}

impl TrainingEvaluators {
    /// Learns from the training part and is scored on the validation part.
    fn trainer(&self) -> TrainingEvaluator<'_> {
        let evaluator = TrainingEvaluator::new(&self.train, &self.validation, self.device);
        evaluator.scored_by(self.score)
    }

    /// Why the examples have more values than their table has columns, if they do.
    fn widened(&self) -> String {
        const SHOWN: usize = 4;
        let [known, _] = &self.preprocessing;
        let wide: Vec<String> = known
            .columns()
            .iter()
            .filter(|column| column.is_feature() && column.width() != 1)
            .map(|column| format!("`{}` became {} values", column.name(), column.width()))
            .collect();
        match wide.len() {
            0 => String::new(),
            1..=SHOWN => format!(": {}", wide.join(", ")),
            more => format!(": {} and {} others", wide[..SHOWN].join(", "), more - SHOWN),
        }
    }
}

/// Why a device can't be trained on here.
fn absent(device: ComputeDevice) -> Option<String> {
    let unseen = || format!("this machine shows no device for `{}`", device.name());
    experiment::missing(device).or_else(|| (!device.is_present()).then(unseen))
}
