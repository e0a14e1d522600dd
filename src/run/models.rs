//! `[final] models`: which models are fitted beside the networks, settled when a run is started.

use super::error::RunError;
use super::evaluators::Evaluators;
use super::experiment::{Experiment, ExperimentFile};
use crate::tabular::ModelKind;

/// The experiment file of a run that is about to be started: its `final.models` names what will be fitted, or is
/// absent where nothing will be. Journals from before there were models read the same.
///
/// # Errors
/// When models are named twice, or where they can't be fitted or tested.
pub(super) fn settled(
    file: &ExperimentFile,
    evaluators: &dyn Evaluators,
) -> Result<ExperimentFile, RunError> {
    let mut file = file.clone();
    file.experiment.last.models = chosen(&file.experiment, evaluators)?;
    Ok(file)
}

fn chosen(
    experiment: &Experiment,
    evaluators: &dyn Evaluators,
) -> Result<Option<Vec<ModelKind>>, RunError> {
    let is_tested = experiment.last.retrain_seeds > 0 && evaluators.can_test();
    let possible = is_tested && evaluators.has_table();
    let models = match &experiment.last.models {
        None if possible => ModelKind::ALL.to_vec(),
        None => Vec::new(),
        Some(models) => models.clone(),
    };
    let twice = |(at, kind): (usize, &ModelKind)| models[..at].contains(kind);
    if models.iter().enumerate().any(twice) {
        return Err(refused("each model is named once".to_owned()));
    }
    match models.first() {
        None => Ok(None),
        Some(_) if possible => Ok(Some(models)),
        Some(first) => Err(refused(format!(
            "`{}` can't be fitted: {}; leave `models` out",
            first.name(),
            match is_tested {
                true => "the data is no table of features",
                false => "nothing is tested in the end",
            }
        ))),
    }
}

fn refused(message: String) -> RunError {
    RunError::Setting {
        key: "final.models".to_owned(),
        message,
    }
}
