//! A proxy without training as the score.

use super::training::TrainingEvaluators;
use super::without_data::no_hash;
use super::{AllRows, DataUse, EvaluatorInfo, EvaluatorKind, Evaluators, Given, SettingInfo};
use crate::architecture::Output;
use crate::data::{Preprocessing, Remark};
use crate::evaluation::{Evaluator, ProxyEvaluator};
use crate::layers::Shape;
use crate::proxies::{Minibatch, Proxy};
use crate::random::Seed;
use crate::run::RunError;
use crate::run::experiment::Experiment;
use crate::training::{Direction, Score};
use serde::{Deserialize, Serialize};
use std::sync::OnceLock;

/// Which proxies, and on how many examples.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProxySettings {
    /// The first is the score; the others are figures beside it.
    pub proxies: Vec<Proxy>,
    /// Examples in the minibatch.
    #[serde(default = "default_batch")]
    pub batch: usize,
}

/// As in the papers.
pub(in crate::run) fn default_batch() -> usize {
    64
}

pub(super) static INFO: EvaluatorInfo = EvaluatorInfo {
    name: "proxy",
    about: "scores an untrained network by a proxy, on a minibatch of the data or, without data, of noise",
    data: DataUse::Optional,
    reproducible: true,
    trains: false,
    looks_up: false,
    settings: &[
        SettingInfo {
            key: "proxies",
            default: None,
            about: "a list of names; the first is the score, the others are figures beside it",
        },
        SettingInfo {
            key: "batch",
            default: Some("64"),
            about: "examples in the minibatch",
        },
    ],
};

impl EvaluatorKind for ProxySettings {
    fn describe(&self) -> &'static EvaluatorInfo {
        &INFO
    }

    fn nonsense(&self, _experiment: &Experiment) -> Option<(&'static str, String)> {
        nonsense(&self.proxies, self.batch)
    }

    fn score_name(&self, _score: Option<Score>, _output: Output) -> &'static str {
        self.proxies.first().map_or("", |proxy| proxy.name())
    }

    /// The experiment's score is that of the final test.
    fn direction(&self, _score: Option<Score>) -> Direction {
        Direction::Maximise
    }

    fn load(&self, given: Given<'_>) -> Result<Box<dyn Evaluators>, RunError> {
        let trained = (!given.data.is_empty()).then(|| TrainingEvaluators::load(given));
        Ok(Box::new(ProxyEvaluators {
            settings: self.clone(),
            seed: given.experiment.seed,
            trained: trained.transpose()?,
            batch: OnceLock::new(),
        }))
    }
}

/// The first of two settings that makes no sense: its name, and what it needs.
pub(in crate::run) fn nonsense(proxies: &[Proxy], batch: usize) -> Option<(&'static str, String)> {
    if proxies.is_empty() {
        return Some(("proxies", "a name, such as [\"synflow\"]".to_owned()));
    }
    (batch == 0).then(|| ("batch", "at least 1".to_owned()))
}

/// Why networks with this input have no such figure, if they have none.
pub(in crate::run) fn unfit(proxies: &[Proxy], input: Shape) -> Result<(), String> {
    match proxies.iter().find_map(|proxy| proxy.unfit(input)) {
        None => Ok(()),
        Some(message) => Err(message),
    }
}

/// Evaluators that judge before training. With data, the winner is trained and tested in the end.
#[derive(Debug)]
struct ProxyEvaluators {
    settings: ProxySettings,
    seed: Seed,
    trained: Option<TrainingEvaluators>,
    /// Drawn when the networks' input is known.
    batch: OnceLock<Minibatch>,
}

impl Evaluators for ProxyEvaluators {
    fn data_hash(&self) -> &str {
        let trained = self.trained.as_ref();
        trained.map_or(no_hash(), |trained| trained.data_hash())
    }

    fn split_hash(&self) -> &str {
        let trained = self.trained.as_ref();
        trained.map_or(no_hash(), |trained| trained.split_hash())
    }

    fn remarks(&self) -> Vec<Remark> {
        let trained = self.trained.as_ref();
        trained.map_or_else(Vec::new, Evaluators::remarks)
    }

    fn check(&self, input: Shape, output: Output) -> Result<(), String> {
        unfit(&self.settings.proxies, input)?;
        match &self.trained {
            Some(trained) => trained.check(input, output),
            None => Ok(()),
        }
    }

    fn search(&self) -> Box<dyn Evaluator + '_> {
        Box::new(Lazy(self))
    }

    fn minibatch(&self, input: Shape, output: Output, size: usize, seed: Seed) -> Minibatch {
        match &self.trained {
            Some(trained) => trained.minibatch(input, output, size, seed),
            None => Minibatch::noise(input, output, size, seed),
        }
    }

    fn preprocessing(&self, trained_once_more: bool) -> Option<&Preprocessing> {
        let trained = self.trained.as_ref();
        trained.and_then(|trained| trained.preprocessing(trained_once_more))
    }

    fn can_test(&self) -> bool {
        self.trained.is_some()
    }

    fn has_table(&self) -> bool {
        self.trained.as_ref().is_some_and(Evaluators::has_table)
    }

    fn selection(&self) -> Option<Box<dyn Evaluator + '_>> {
        self.trained.as_ref().and_then(Evaluators::selection)
    }

    fn test_hash(&self) -> Option<&str> {
        self.trained.as_ref().and_then(Evaluators::test_hash)
    }

    fn test_examples(&self) -> u64 {
        let trained = self.trained.as_ref();
        trained.map_or(0, Evaluators::test_examples)
    }

    fn open_all(&mut self) -> Option<AllRows<'_>> {
        self.trained.as_mut()?.open_all()
    }

    fn open_test(&mut self) -> Box<dyn Evaluator + '_> {
        let trained = self.trained.as_mut();
        trained.expect("there is something to test by").open_test()
    }
}

/// The evaluator, whose minibatch is drawn for the first network: all of a space take the same.
struct Lazy<'a>(&'a ProxyEvaluators);

impl Evaluator for Lazy<'_> {
    fn evaluate(
        &self,
        job: &crate::evaluation::TrialJob<'_>,
        control: &crate::evaluation::Control<'_>,
        observe: &mut dyn FnMut(crate::evaluation::EpochRecord),
    ) -> crate::evaluation::Evaluation {
        let (input, output) = (job.architecture.input(), job.architecture.output());
        let ProxyEvaluators {
            settings,
            seed,
            batch,
            ..
        } = self.0;
        let batch = batch.get_or_init(|| self.0.minibatch(input, output, settings.batch, *seed));
        ProxyEvaluator::new(batch, &settings.proxies).evaluate(job, control, observe)
    }
}
