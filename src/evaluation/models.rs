//! Evaluation of models that a network has to beat, beside that of networks.

use super::{
    Control, EpochRecord, Evaluation, Evaluator, Failure, Finished, RetrainingEvaluator, TrialJob,
};
use crate::data::Part;
use crate::tabular::{self, ModelKind, Parts};

/// Retrains networks, and fits models to the same examples: settings are chosen on the parts of the search, all is
/// fitted once more to both together, and tested.
#[derive(Debug)]
pub struct WithModels<'d> {
    /// What retrains networks.
    pub evaluator: RetrainingEvaluator,
    /// What candidates of the search learnt from.
    pub train: &'d Part,
    /// What they were judged by.
    pub validation: &'d Part,
}

impl Evaluator for WithModels<'_> {
    fn evaluate(
        &self,
        job: &TrialJob<'_>,
        control: &Control<'_>,
        observe: &mut dyn FnMut(EpochRecord),
    ) -> Evaluation {
        self.evaluator.evaluate(job, control, observe)
    }

    fn fit(&self, kind: ModelKind, job: &TrialJob<'_>, control: &Control<'_>) -> Evaluation {
        let (retraining, test) = self.evaluator.parts();
        let parts = Parts {
            train: self.train,
            validation: self.validation,
            retraining,
            test,
        };
        let output = job.architecture.output();
        refuse_too_large(&parts, job, control)?;
        let (outputs, model) = tabular::fit(kind, &parts, output, &mut || control.check())?;
        Ok(Finished {
            model: Some(model),
            ..self.evaluator.judge(outputs, job)?
        })
    }
}

fn refuse_too_large(
    parts: &Parts<'_>,
    job: &TrialJob<'_>,
    control: &Control<'_>,
) -> Result<(), Failure> {
    let needed = tabular::memory_estimate(parts, job.architecture.output());
    super::training::refuse_above_limit(needed, control)
}
