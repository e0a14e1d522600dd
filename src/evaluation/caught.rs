//! An evaluation that can't take its worker down.

use super::{Control, EpochRecord, Evaluation, Evaluator, Failure, FailureKind, TrialJob};
use crate::tabular::ModelKind;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Evaluates a job and returns what it gave with its epochs, those of the trial it goes on from left out. A panic becomes
/// [`FailureKind::Crashed`] with its message, a figure that is not finite [`FailureKind::Diverged`].
pub fn evaluate_caught(
    evaluator: &dyn Evaluator,
    job: &TrialJob<'_>,
    control: &Control<'_>,
    observe: &mut dyn FnMut(EpochRecord),
) -> (Vec<EpochRecord>, Evaluation) {
    let mut epochs = Vec::new();
    let mut keep = |record: EpochRecord| {
        // Those of the trial that this one goes on from are in its record.
        if record.epoch <= job.start.epochs {
            return;
        }
        if record.is_finite() {
            observe(record);
        }
        epochs.push(record);
    };
    // Nothing that a panic leaves half-done is looked at afterwards but the list of whole epochs.
    let result = caught(|| evaluator.evaluate(job, control, &mut keep));
    let finite = epochs.iter().position(|record| !record.is_finite());
    match finite {
        Some(first) => {
            let number = epochs[first].epoch;
            epochs.truncate(first);
            (
                epochs,
                Err(diverged(format!(
                    "a figure of epoch {number} is not finite"
                ))),
            )
        }
        None => (epochs, result.and_then(require_finite)),
    }
}

/// Fits and tests a model. A panic becomes [`FailureKind::Crashed`] with its message, a figure that is not finite
/// [`FailureKind::Diverged`].
///
/// # Errors
/// When the model has no score: see [`FailureKind`].
pub fn fit_caught(
    evaluator: &dyn Evaluator,
    kind: ModelKind,
    job: &TrialJob<'_>,
    control: &Control<'_>,
) -> Evaluation {
    caught(|| evaluator.fit(kind, job, control)).and_then(require_finite)
}

fn caught(run: impl FnOnce() -> Evaluation) -> Evaluation {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        let message = message_of(panic.as_ref());
        Err(Failure::new(FailureKind::Crashed, message))
    })
}

fn require_finite(finished: super::Finished) -> Evaluation {
    let figures = finished.metrics.values();
    let finite = figures.copied().all(f64::is_finite);
    if finite && finished.score.is_finite() && finished.loss.is_finite() {
        return Ok(finished);
    }
    Err(diverged("the score is not finite".to_owned()))
}

fn diverged(message: String) -> Failure {
    Failure::new(FailureKind::Diverged, message)
}

fn message_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic without a message").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::architecture::{Architecture, Builder, Output};
    use crate::evaluation::Finished;
    use crate::layers::{self, Layer, Shape, Value};
    use crate::random::Seed;
    use crate::training::Recipe;
    use std::sync::atomic::AtomicBool;

    /// Reports the given training losses, then panics or gives the score.
    struct Script(Vec<f64>, Option<f64>);

    impl Evaluator for Script {
        fn evaluate(
            &self,
            _job: &TrialJob<'_>,
            _control: &Control<'_>,
            observe: &mut dyn FnMut(EpochRecord),
        ) -> Evaluation {
            for (index, &train_loss) in self.0.iter().enumerate() {
                observe(EpochRecord {
                    epoch: index as u32 + 1,
                    learning_rate: 0.1,
                    train_loss,
                    validation_loss: None,
                    validation_accuracy: None,
                    validation_score: None,
                });
            }
            let score = self.1.unwrap_or_else(|| panic!("no score"));
            Ok(Finished::scored(score, 0.0))
        }
    }

    fn network() -> Architecture {
        let mut builder = Builder::new(Shape::Vector { features: 4 });
        let linear = layers::find("linear").unwrap();
        let layer = Layer::new(linear, &[("out", Value::Int(2))]).unwrap();
        let last = builder
            .push(layer, vec![Builder::INPUT], "linear".to_owned())
            .unwrap();
        builder.finish(last, Output::Classes(2)).unwrap()
    }

    fn run(script: &Script) -> (Vec<EpochRecord>, Evaluation) {
        let (architecture, recipe) = (network(), Recipe::default());
        let stop = AtomicBool::new(false);
        let job = TrialJob::new(0, Seed(0), &architecture, &recipe);
        let control = Control {
            stop: &stop,
            deadline: None,
            memory_limit: None,
        };
        evaluate_caught(script, &job, &control, &mut |_| ())
    }

    #[test]
    fn a_panic_is_a_crash_with_its_message_and_keeps_whole_epochs() {
        let (epochs, result) = run(&Script(vec![1.0, 0.5], None));
        let failure = result.unwrap_err();
        assert_eq!(
            (failure.kind, failure.message.as_str()),
            (FailureKind::Crashed, "no score")
        );
        assert_eq!(epochs.len(), 2);
    }

    #[test]
    fn figures_that_are_not_finite_are_divergence_and_never_stored() {
        let (epochs, result) = run(&Script(vec![1.0, f64::NAN, 0.5], Some(0.9)));
        assert_eq!(result.unwrap_err().kind, FailureKind::Diverged);
        assert_eq!(epochs.len(), 1);
        let (_, result) = run(&Script(vec![1.0], Some(f64::INFINITY)));
        assert_eq!(result.unwrap_err().kind, FailureKind::Diverged);
    }
}
