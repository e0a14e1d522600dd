//! Evaluation without training.

use super::{
    Control, EpochRecord, Evaluation, Evaluator, Failure, FailureKind, Finished, TrialJob,
};
use crate::proxies::{Minibatch, Probing, Proxy};

/// Scores a network by a proxy, before any training; further proxies are figures beside it.
#[derive(Clone, Copy, Debug)]
pub struct ProxyEvaluator<'d> {
    batch: &'d Minibatch,
    proxies: &'d [Proxy],
}

impl<'d> ProxyEvaluator<'d> {
    /// The first of the proxies is the score.
    ///
    /// # Panics
    /// When there is none.
    pub fn new(batch: &'d Minibatch, proxies: &'d [Proxy]) -> Self {
        assert!(!proxies.is_empty(), "a score needs a proxy");
        Self { batch, proxies }
    }
}

impl Evaluator for ProxyEvaluator<'_> {
    fn evaluate(
        &self,
        job: &TrialJob<'_>,
        control: &Control<'_>,
        _observe: &mut dyn FnMut(EpochRecord),
    ) -> Evaluation {
        super::training::refuse_too_large(job, control)?;
        let (architecture, proxies) = (job.architecture, self.proxies);
        let mut probing = Probing::new(architecture, self.batch, job.seed, job.number, proxies);
        let mut finished = Finished::scored(0.0, 0.0);
        for (index, &proxy) in proxies.iter().enumerate() {
            control.check()?;
            let value = probing.value(proxy);
            if !value.is_finite() {
                let message = format!("{} is {value} for this network", proxy.name());
                return Err(Failure::new(FailureKind::Diverged, message));
            }
            if index == 0 {
                finished.score = value;
            }
            finished.metrics.insert(proxy.name().to_owned(), value);
        }
        Ok(finished)
    }
}
