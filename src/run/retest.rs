//! Trained networks of a final evaluation, tested again: on the test examples, or on others.

use super::error::RunError;
use super::evaluators::EvaluatorSettings;
use super::lifecycle::Elsewhere;
use super::record::{RetrainedResult, Subject};
use super::retrained::RetrainedNetwork;
use super::summary::RecordedRun;
use crate::data::{Part, Preprocessing};
use crate::model::Network;
use crate::training::{Objective, Scores, evaluate_each};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;

/// A network that was tested again.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Retested {
    /// Which network.
    pub subject: Subject,
    /// The number of the retraining, from 0.
    pub index: u32,
    /// What the final evaluation recorded: of the test examples.
    pub recorded: Option<f64>,
    /// The loss that it recorded.
    pub recorded_loss: Option<f64>,
    /// The score.
    pub score: f64,
    /// The loss that belongs to the score.
    pub loss: f64,
    /// Further figures by their names.
    pub metrics: BTreeMap<String, f64>,
    /// What each example, or each group of examples, contributes to the score: their mean is the score, and how they
    /// vary says how much the score owes to these examples.
    #[serde(skip)]
    pub contributions: Vec<f64>,
}

impl Retested {
    /// Whether score and loss are the recorded ones to the last bit: few examples give other weights the same score.
    pub fn is_as_recorded(&self) -> bool {
        let is =
            |recorded: Option<f64>, found: f64| recorded.map(f64::to_bits) == Some(found.to_bits());
        is(self.recorded, self.score) && is(self.recorded_loss, self.loss)
    }
}

impl RecordedRun {
    /// The test examples of the final evaluation, as its networks take them.
    ///
    /// # Errors
    /// When the run's figures come from no data, or its data is not there or has changed.
    pub fn test_part(&self, place: &Elsewhere) -> Result<Part, RunError> {
        let started = self.started();
        self.refuse_untrained()?;
        let mut data = started.data();
        data.folder = place.datasets.clone().or(data.folder);
        let base = place.base.as_deref();
        let splits = data.splits(base.unwrap_or(Path::new(&started.host.base)))?;
        if splits.hash != started.split_hash {
            return Err(RunError::Changed {
                what: "the data, or how it is divided,".to_owned(),
                now: splits.hash,
                then: started.split_hash.clone(),
            });
        }
        Ok(splits.test.open().for_retrained)
    }

    /// Refuses a run whose networks were not trained on data.
    ///
    /// # Errors
    /// When they were not.
    pub fn refuse_untrained(&self) -> Result<(), RunError> {
        let evaluator = &self.started().experiment.evaluator;
        match evaluator {
            EvaluatorSettings::Training(_) => Ok(()),
            _ => Err(RunError::Setting {
                key: "evaluator.kind".to_owned(),
                message: format!(
                    "`{}` trains no network, so there is none to test again",
                    evaluator.info().name
                ),
            }),
        }
    }

    /// Examples of a file, as the networks of the final evaluation take them.
    ///
    /// # Errors
    /// When the file can't be read, or its examples are unlike those of training.
    pub fn other_part(
        &self,
        preprocessing: &Preprocessing,
        path: &Path,
        labels: Option<&Path>,
    ) -> Result<Part, RunError> {
        let trained_on = &self.started().experiment.data;
        Ok(preprocessing.read_answered(trained_on, path, labels)?)
    }
}

/// Tests the networks of a run whose weights are kept on a part.
///
/// # Errors
/// When weights can't be read, or the part is not what the networks take and answer.
pub fn retest(run: &RecordedRun, part: &Part) -> Result<Vec<Retested>, RunError> {
    let setup = run.setup()?;
    let mut tested = Vec::new();
    for network in run.retrained()? {
        let Some(path) = &network.weights else {
            continue;
        };
        let objective = {
            let recipe = setup.recipe(&network.candidate)?;
            let output = network.candidate.architecture.output();
            let objective = Objective::of(&recipe, output)
                .and_then(|objective| objective.scored_by(setup.experiment.score));
            objective.map_err(|error| RunError::Setting {
                key: "recipe".to_owned(),
                message: error.to_string(),
            })?
        };
        let weights = run.folder().files().disk().read(path);
        let weights = weights.map_err(RunError::file("read", path))?;
        let trained = Network::trained(&network.candidate.architecture, &weights);
        let trained = trained.map_err(|error| RunError::Unfit {
            space: path.display().to_string(),
            message: error.to_string(),
        })?;
        check_fit(&network, part)?;
        let found = evaluate_each(&trained, part, &objective);
        let (scores, each) = found.map_err(|error| RunError::Unfit {
            space: network.subject.to_string(),
            message: error.to_string(),
        })?;
        tested.push(retested(&network, scores, each.unwrap_or_default()));
    }
    Ok(tested)
}

fn check_fit(network: &RetrainedNetwork, part: &Part) -> Result<(), RunError> {
    let architecture = &network.candidate.architecture;
    if architecture.input() == part.shape && part.targets.suits(architecture.output()) {
        return Ok(());
    }
    Err(RunError::Unfit {
        space: network.subject.to_string(),
        message: format!(
            "it takes {} and gives {}; the examples are {} with {}",
            architecture.input(),
            architecture.output(),
            part.shape,
            part.targets.describe()
        ),
    })
}

fn retested(network: &RetrainedNetwork, scores: Scores, contributions: Vec<f64>) -> Retested {
    Retested {
        subject: network.subject.clone(),
        index: network.index,
        recorded: RetrainedResult::score(&network.result),
        recorded_loss: RetrainedResult::loss(&network.result),
        score: scores.score,
        loss: scores.loss,
        metrics: scores.metrics,
        contributions,
    }
}
