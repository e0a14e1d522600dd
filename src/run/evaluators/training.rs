//! Evaluators that train on a data source.

use super::{DataUse, EvaluatorInfo, EvaluatorKind, Evaluators, Given};
use crate::architecture::Output;
use crate::data::{DataSource, Part, SealedTest, Splits};
use crate::evaluation::{Evaluator, RetrainingEvaluator, TrainingEvaluator};
use crate::layers::Shape;
use crate::run::RunError;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// What an experiment says of training as an evaluator; how to train is its `[recipe]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrainingSettings {}

pub(super) static INFO: EvaluatorInfo = EvaluatorInfo {
    name: "training",
    about: "trains each candidate by the recipe and scores it on the validation examples",
    data: DataUse::Needed,
    reproducible: true,
    trains: true,
    settings: &[],
};

impl EvaluatorKind for TrainingSettings {
    fn describe(&self) -> &'static EvaluatorInfo {
        &INFO
    }

    fn load(&self, given: Given<'_>) -> Result<Box<dyn Evaluators>, RunError> {
        Ok(Box::new(TrainingEvaluators::load(given.data, given.base)?))
    }
}

/// Evaluators that train on a data source.
#[derive(Debug)]
pub struct TrainingEvaluators {
    data_hash: String,
    split_hash: String,
    train: Part,
    validation: Part,
    retraining: Part,
    test: Option<SealedTest>,
    test_examples: u64,
}

impl TrainingEvaluators {
    /// Reads and divides the data; paths are relative to `base`.
    ///
    /// # Errors
    /// When the data can't be read or divided.
    pub fn load(source: &DataSource, base: &Path) -> Result<Self, RunError> {
        let plan = source.plan()?;
        let dataset = source.load(base)?;
        let data_hash = dataset.hash().to_owned();
        let splits = Splits::new(dataset, &plan)?;
        Ok(Self {
            data_hash,
            split_hash: splits.hash.clone(),
            retraining: splits.retraining(),
            train: splits.train,
            validation: splits.validation,
            test_examples: splits.test.len() as u64,
            test: Some(splits.test),
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

    fn check(&self, input: Shape, output: Output) -> Result<(), String> {
        let given = self.train.shape;
        if input != given {
            let (one, other) = (input.kind(), given.kind());
            return Err(format!(
                "its input is {input} ({one}), and the data's examples are {given} ({other})"
            ));
        }
        if self.train.targets.suits(output) {
            return Ok(());
        }
        let given = self.train.targets.describe();
        Err(format!("its output is {output}, and the data has {given}"))
    }

    fn search(&self) -> Box<dyn Evaluator + '_> {
        Box::new(TrainingEvaluator::new(&self.train, &self.validation))
    }

    fn test_examples(&self) -> u64 {
        self.test_examples
    }

    fn open_test(&mut self) -> Box<dyn Evaluator + '_> {
        let sealed = self.test.take().expect("the seal is broken once a process");
        let test = sealed.open().for_retrained;
        Box::new(RetrainingEvaluator::new(self.retraining.clone(), test))
    }
}
