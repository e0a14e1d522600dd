//! The look that a comparison takes at its test examples, with all of its arms.

use super::record::{self, RecordedComparison};
use super::{Load, Plan};
use crate::run::evaluators::Given;
use crate::run::looks::{
    Intent, Kind, Looks, TextHashes, Written, conclude, of_comparison, write_down,
};
use crate::run::setup::Texts;
use crate::run::time::{Clocks, Time};
use crate::run::{ExperimentFile, RunError};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The look that a comparison will take, fixed before anything is run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Planned {
    /// The folder of the ledger.
    pub folder: PathBuf,
    /// What is looked at, and by which plan.
    pub intent: Intent,
}

/// The plan as the look that it would be now, and what that look is written down by; nothing where no ledger is kept.
pub(super) fn planned(
    file: &ExperimentFile,
    plan: Plan,
    load: Load<'_>,
) -> Result<(Plan, Option<Planned>), RunError> {
    let (false, Some(folder)) = (plan.quick, file.folder()) else {
        return Ok((plan, None));
    };
    let Some(intent) = intent(file, &plan, load)? else {
        return Ok((plan, None));
    };
    let looks = Looks::read(&folder)?;
    let number = looks.number(&intent);
    let known = looks.known(&intent);
    // One that was made before seeds were counted by looks is made again as it was.
    let as_it_was = known.is_some_and(|look| look.seeds == plan.seeds());
    let mut plan = match as_it_was {
        true => Plan {
            look: number,
            ..plan
        },
        false => plan.as_look(number),
    };
    plan.repeats_seeds = looks.repeats(&intent.data, number, &plan.seeds());
    Ok((plan, Some(Planned { folder, intent })))
}

/// What a comparison would look at, if that is known before its test part is opened.
fn intent(file: &ExperimentFile, plan: &Plan, load: Load<'_>) -> Result<Option<Intent>, RunError> {
    let evaluators = load(Given {
        experiment: &file.experiment,
        data: &file.experiment.data,
        base: &file.base,
    })?;
    let texts = Texts::given(file)?;
    let hashes = TextHashes {
        space: &texts.space_hash(),
        baselines: &texts.baseline_hashes(),
    };
    let examples = evaluators.test_hash().filter(|_| evaluators.can_test());
    Ok(examples.map(|data| Intent {
        data: data.to_owned(),
        plan: of_comparison(plan, hashes),
        kind: Kind::Comparison,
        experiment: file.experiment.name.clone(),
    }))
}

/// Writes the look down, before any test example is read. If others looked while its searches ran, it is a later look
/// than was planned, and the plan says so from here on.
pub(super) fn take(comparison: &RecordedComparison) -> Result<Written, RunError> {
    let plan = comparison.plan();
    let planned = Written {
        look: plan.look,
        repeats: plan.repeats_seeds,
        unwritten: None,
    };
    let Some(Planned { folder, intent }) = comparison.planned_look() else {
        return Ok(planned);
    };
    // What was opened before stays what it was.
    if comparison
        .runs()
        .iter()
        .any(|(_, run)| run.state().test_opened)
    {
        return Ok(planned);
    }
    let taken = write_down(folder, intent, plan.seeds(), Clocks::of_machine().now())?;
    if (taken.look, taken.repeats) != (planned.look, planned.repeats) {
        record::look_again(comparison, &taken)?;
    }
    Ok(taken)
}

impl RecordedComparison {
    /// Writes what was concluded into the ledger of looks, if the comparison has ended and it is not known there.
    ///
    /// # Errors
    /// When the ledger can't be written, or is damaged.
    pub fn conclude(&self, verdict: &str, p: Option<f64>) -> Result<(), RunError> {
        match self.planned_look() {
            Some(Planned { folder, intent }) if self.is_complete() => {
                conclude(folder, intent, verdict, p)
            }
            _ => Ok(()),
        }
    }
}

/// The look that a comparison of an experiment would be now, with the hashes that it is known by; nothing where none
/// is counted.
///
/// # Errors
/// When the experiment can't be compared, or the ledger is damaged.
pub fn look_of(file: &ExperimentFile) -> Result<Option<(Intent, u32)>, RunError> {
    let plan = Plan::of(&file.experiment, false)?;
    let (plan, planned) = planned(file, plan, &super::load)?;
    Ok(planned.map(|planned| (planned.intent, plan.look)))
}
