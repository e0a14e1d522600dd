//! Evaluation by training.

use super::{
    Contributions, Control, EpochRecord, Evaluation, Evaluator, Failure, FailureKind, Finished,
    TrialJob,
};
use crate::data::Part;
use crate::model::ComputeDevice;
use crate::random::Purpose;
use crate::training::{
    self, Checkpoint, Job, Kept, Objective, Progress, Recipe, RecipeError, Score, Scores, Stretch,
    Trained, Undefined,
};

/// Trains on one part and scores on another after each epoch; what it gives is of the best epoch.
#[derive(Clone, Copy, Debug)]
pub struct TrainingEvaluator<'d> {
    train: &'d Part,
    validation: &'d Part,
    score: Option<Score>,
    device: ComputeDevice,
}

impl<'d> TrainingEvaluator<'d> {
    /// Learns from `train` and is scored on `validation`.
    pub fn new(train: &'d Part, validation: &'d Part, device: ComputeDevice) -> Self {
        Self {
            train,
            validation,
            score: None,
            device,
        }
    }

    /// By this figure instead of the task's own.
    #[must_use]
    pub fn scored_by(self, score: Option<Score>) -> Self {
        Self { score, ..self }
    }
}

impl Evaluator for TrainingEvaluator<'_> {
    fn evaluate(
        &self,
        job: &TrialJob<'_>,
        control: &Control<'_>,
        observe: &mut dyn FnMut(EpochRecord),
    ) -> Evaluation {
        let output = job.architecture.output();
        let score = self.score.unwrap_or(Score::of(output));
        let mut report = |progress: &Progress| observe(of_progress(progress, score));
        let parts = ((self.train, self.validation), Kept::Best);
        let means = (self.score, self.device);
        let trained = train(job, control, parts, means, &mut report)?;
        let weights = trained.network.save();
        let checkpoint = trained.checkpoint.map(|checkpoint| checkpoint.to_bytes());
        Ok(Finished {
            checkpoint,
            best_epoch: Some(number(trained.best_epoch)),
            ..finished(trained.scores, weights)
        })
    }
}

/// Trains on all examples but those of the test, to the last epoch asked for, and scores on the test once, at the end.
#[derive(Clone, Debug)]
pub struct RetrainingEvaluator {
    train: Part,
    test: Part,
    /// The loop measures on some example after each epoch; here nobody looks at the figure.
    unlooked: Part,
    score: Option<Score>,
    device: ComputeDevice,
}

impl RetrainingEvaluator {
    /// Learns from `train` and is scored on `test`.
    pub fn new(train: Part, test: Part, device: ComputeDevice) -> Self {
        let unlooked = train.first(1);
        Self {
            train,
            test,
            unlooked,
            score: None,
            device,
        }
    }

    /// By this figure instead of the task's own.
    #[must_use]
    pub fn scored_by(self, score: Option<Score>) -> Self {
        Self { score, ..self }
    }

    fn objective(&self, job: &TrialJob<'_>) -> Result<Objective, Failure> {
        let objective = Objective::of(job.recipe, job.architecture.output());
        let objective = objective.and_then(|objective| objective.scored_by(self.score));
        let failed =
            |error: RecipeError| Failure::new(FailureKind::EvaluatorError, error.to_string());
        Ok(objective.map_err(failed)?.trained_on(&self.train.targets))
    }

    /// The figures of whatever says this of the test examples: those of a network that said the same.
    pub(super) fn judge(&self, outputs: Vec<f32>, job: &TrialJob<'_>) -> Evaluation {
        let objective = self.objective(job)?;
        of_test(training::judge_each(outputs, &self.test, &objective))
    }

    /// What is learnt from, and what is tested on.
    pub(super) fn parts(&self) -> (&Part, &Part) {
        (&self.train, &self.test)
    }
}

impl Evaluator for RetrainingEvaluator {
    fn evaluate(
        &self,
        job: &TrialJob<'_>,
        control: &Control<'_>,
        observe: &mut dyn FnMut(EpochRecord),
    ) -> Evaluation {
        let mut report = |progress: &Progress| {
            let record = of_progress(progress, Score::of(job.architecture.output()));
            observe(EpochRecord {
                validation_loss: None,
                validation_accuracy: None,
                validation_score: None,
                ..record
            });
        };
        // Without validation examples there is nothing that patience could look at.
        let recipe = Recipe {
            patience: None,
            ..job.recipe.clone()
        };
        let job = TrialJob {
            recipe: &recipe,
            ..*job
        };
        let parts = (&self.train, &self.unlooked);
        // One example can't give every score, and its figure interests nobody: the task's own always is there.
        let means = (None, self.device);
        let trained = train(&job, control, (parts, Kept::Last), means, &mut report)?;
        let objective = self.objective(&job)?;
        let tested = training::evaluate_each(&trained.network, &self.test, &objective);
        Ok(Finished {
            weights: Some(trained.network.save()),
            ..of_test(tested)?
        })
    }
}

fn train(
    job: &TrialJob<'_>,
    control: &Control<'_>,
    ((train, validation), kept): ((&Part, &Part), Kept),
    (score, device): (Option<Score>, ComputeDevice),
    report: &mut dyn FnMut(&Progress),
) -> Result<Trained, Failure> {
    refuse_too_large(job, control)?;
    let TrialJob {
        fidelity, start, ..
    } = *job;
    let share = fidelity.data.map(|share| {
        let stream = job.seed.stream(0, Purpose::Subset);
        train.share(share, stream)
    });
    let from = start.checkpoint.and_then(Checkpoint::from_bytes);
    let from = from.filter(|checkpoint| checkpoint.epochs == start.epochs as usize);
    let stretch = Stretch {
        until: Some(fidelity.epochs_of(job.recipe.epochs)),
        from: from.as_ref(),
        keep: start.keep,
        inherited: start.inherited,
        kept,
    };
    let job = Job {
        architecture: job.architecture,
        recipe: job.recipe,
        score,
        train: share.as_ref().unwrap_or(train),
        validation,
        seed: job.seed,
        trial: job.number,
        device,
        deadline: control.deadline,
        stop: control.stop,
    };
    let trained = training::train_stretch(&job, &stretch, report);
    trained.map_err(|failure| of_training(&failure))
}

pub(super) fn refuse_too_large(job: &TrialJob<'_>, control: &Control<'_>) -> Result<(), Failure> {
    let needed = training::memory_estimate(job.architecture, job.recipe.batch_size);
    refuse_above_limit(needed, control)
}

/// Refuses what is predicted to need more bytes than it may.
pub(super) fn refuse_above_limit(needed: u64, control: &Control<'_>) -> Result<(), Failure> {
    match control.memory_limit {
        Some(limit) if needed > limit => {
            let mib = |bytes: u64| bytes.div_ceil(1 << 20);
            let message = format!(
                "it is predicted to need {} MiB, and the limit is {} MiB",
                mib(needed),
                mib(limit)
            );
            Err(Failure::new(FailureKind::Rejected, message))
        }
        _ => Ok(()),
    }
}

fn of_training(failure: &training::Failure) -> Failure {
    let kind = match failure {
        training::Failure::Diverged { .. } => FailureKind::Diverged,
        training::Failure::TimedOut { .. } => FailureKind::TimedOut,
        training::Failure::Stopped { .. } => FailureKind::Stopped,
        training::Failure::Recipe(_)
        | training::Failure::Data(_)
        | training::Failure::Undefined(_) => FailureKind::EvaluatorError,
    };
    Failure::new(kind, failure.to_string())
}

/// The result of a test, without weights.
fn of_test(tested: Result<(Scores, Option<Vec<f64>>), Undefined>) -> Evaluation {
    let (scores, each) = tested.map_err(|error| {
        let message = format!("the test part: {error}");
        Failure::new(FailureKind::EvaluatorError, message)
    })?;
    Ok(Finished {
        metrics: scores.metrics,
        contributions: each.and_then(|each| Contributions::of(&each)),
        ..Finished::scored(scores.score, scores.loss)
    })
}

fn finished(scores: Scores, weights: Vec<u8>) -> Finished {
    Finished {
        metrics: scores.metrics,
        weights: Some(weights),
        ..Finished::scored(scores.score, scores.loss)
    }
}

/// Accuracy has a place of its own, so that journals of classifications stay as they were.
fn of_progress(progress: &Progress, score: Score) -> EpochRecord {
    let record = progress.record;
    let is_accuracy = score == Score::Accuracy;
    let score = Some(record.validation_score);
    EpochRecord {
        epoch: number(record.epoch),
        learning_rate: record.learning_rate,
        train_loss: record.train_loss,
        validation_loss: Some(record.validation_loss),
        validation_accuracy: score.filter(|_| is_accuracy),
        validation_score: score.filter(|_| !is_accuracy),
    }
}

fn number(epoch: usize) -> u32 {
    u32::try_from(epoch).expect("a recipe's epochs are limited")
}
