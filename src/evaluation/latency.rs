//! How long a network takes to answer, on this machine and now.
//!
//! The only figures that differ from one time to the next. A run's journal keeps what was measured.

use super::{
    Control, EpochRecord, Evaluation, Evaluator, Failure, FailureKind, Finished, TrialJob,
};
use crate::architecture::Architecture;
use crate::model::Network;
use serde::{Deserialize, Serialize};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// How latency is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LatencySettings {
    /// Examples that are answered together.
    pub batch: usize,
    /// Answers that are timed; the median counts.
    pub runs: usize,
    /// Answers before those that are not timed.
    pub warmup: usize,
}

impl Default for LatencySettings {
    fn default() -> Self {
        Self {
            batch: 1,
            runs: 30,
            warmup: 5,
        }
    }
}

impl LatencySettings {
    /// The first setting that makes no sense: its name, and what it needs.
    pub fn nonsense(&self) -> Option<(&'static str, String)> {
        let checks = [
            ("batch", self.batch == 0 || self.batch > MOST_EXAMPLES),
            ("runs", self.runs == 0),
        ];
        let (name, _) = checks.into_iter().find(|(_, wrong)| *wrong)?;
        let needed = match name {
            "batch" => format!("a number from 1 to {MOST_EXAMPLES}"),
            _ => "at least 1".to_owned(),
        };
        Some((name, needed))
    }
}

/// What goes through a network together at most, see [`Network::outputs`].
const MOST_EXAMPLES: usize = 256;

/// One measurement at a time, so that none disturbs another.
static TURN: Mutex<()> = Mutex::new(());

/// The median time of a batch in milliseconds, on the threads of the pool that this is called in.
/// Weights are as they start: time does not depend on their values.
///
/// # Errors
/// When it has to end early.
pub fn measure(
    architecture: &Architecture,
    settings: &LatencySettings,
    control: &Control<'_>,
) -> Result<f64, Failure> {
    let mut network = Network::untrained(architecture, Default::default());
    let input = vec![0.5; settings.batch * architecture.input().elements()];
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let mut times = Vec::with_capacity(settings.runs);
    for run in 0..settings.warmup + settings.runs {
        control.check()?;
        let begun = Instant::now();
        let outputs = network.outputs(&input);
        let time = begun.elapsed().as_secs_f64() * 1e3;
        if outputs.iter().any(|output| !output.is_finite()) {
            let message = "the untrained network's output is not finite";
            return Err(Failure::new(FailureKind::Diverged, message));
        }
        if run >= settings.warmup {
            times.push(time);
        }
    }
    times.sort_by(f64::total_cmp);
    let half = times.len() / 2;
    Ok(if times.len() % 2 == 1 {
        times[half]
    } else {
        f64::midpoint(times[half - 1], times[half])
    })
}

/// The name of the figure.
pub const LATENCY: &str = "latency_ms";

/// Scores a network by the examples a second that it answers; its loss is the latency of a batch in
/// milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct LatencyEvaluator(pub LatencySettings);

impl Evaluator for LatencyEvaluator {
    fn evaluate(
        &self,
        job: &TrialJob<'_>,
        control: &Control<'_>,
        _observe: &mut dyn FnMut(EpochRecord),
    ) -> Evaluation {
        let latency = measure(job.architecture, &self.0, control)?;
        let score = self.0.batch as f64 * 1e3 / latency;
        Ok(Finished {
            metrics: [(LATENCY.to_owned(), latency)].into(),
            ..Finished::scored(score, latency)
        })
    }
}

/// Another evaluator's figures, with the latency beside them.
pub struct WithLatency<'e> {
    /// What gives the other figures.
    pub evaluator: Box<dyn Evaluator + 'e>,
    /// How latency is measured.
    pub settings: LatencySettings,
}

impl Evaluator for WithLatency<'_> {
    fn evaluate(
        &self,
        job: &TrialJob<'_>,
        control: &Control<'_>,
        observe: &mut dyn FnMut(EpochRecord),
    ) -> Evaluation {
        let mut finished = self.evaluator.evaluate(job, control, observe)?;
        let latency = measure(job.architecture, &self.settings, control)?;
        finished.metrics.insert(LATENCY.to_owned(), latency);
        Ok(finished)
    }
}
