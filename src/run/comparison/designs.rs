//! Hand-designed networks in a quick comparison: trained once on training examples, and scored on validation examples
//! as trials are.

use super::record::RecordedComparison;
use super::{Load, Part};
use crate::run::core::PATIENCE;
use crate::run::evaluators::Given;
use crate::run::event::Unit;
use crate::run::executor::{Assignment, Beginning, Done, Message, with_threads};
use crate::run::lifecycle::limits;
use crate::run::record::Subject;
use crate::run::{Options, RecordedRun, RunError};
use crate::search::Fidelity;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// A hand-designed network's score on validation examples.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Design {
    /// Its name.
    pub name: String,
    /// Its score; nothing if its training failed.
    pub score: Option<f64>,
}

/// Trains the hand-designed networks of a comparison; nothing if it was told to stop.
pub(super) fn train(
    comparison: &RecordedComparison,
    load: Load<'_>,
    options: &Options<'_>,
) -> Result<Option<Vec<Design>>, RunError> {
    let first = Part { search: 0, seed: 0 };
    let of = |(part, _): &&(Part, RecordedRun)| *part == first;
    let Some((_, run)) = comparison.runs().iter().find(of) else {
        return Ok(Some(Vec::new()));
    };
    let (setup, started) = (run.setup()?, run.started());
    let evaluators = load(Given {
        experiment: &started.experiment,
        data: &started.data(),
        base: Path::new(&started.host.base),
    })?;
    let seed = started.experiment.seed.derive("quick look", 0);
    let mut work = Vec::new();
    for baseline in &setup.baselines {
        work.push(Assignment {
            unit: Unit::Retraining {
                subject: Subject::Baseline(baseline.name.clone()),
                index: 0,
            },
            attempt: 0,
            number: 0,
            seed,
            recipe: setup.recipe(&baseline.candidate)?,
            candidate: Arc::new(baseline.candidate.clone()),
            fidelity: Fidelity::FULL,
            start: Beginning::default(),
        });
    }
    let mut done: Vec<Done> = Vec::new();
    let limits = limits(&started.experiment, options)?;
    with_threads(evaluators.search().as_ref(), limits, &mut |executor| {
        for assignment in &work {
            executor.submit(assignment.clone())?;
        }
        while done.len() < work.len() && !options.stop.load(Ordering::Relaxed) {
            if let Some(Message::Done(finished)) = executor.next(PATIENCE)? {
                done.push(finished);
            }
        }
        Ok(())
    })?;
    let score = |name: &String| {
        let subject = Subject::Baseline(name.clone());
        let found = done
            .iter()
            .find(|it| matches!(&it.unit, Unit::Retraining { subject: it, .. } if *it == subject));
        found.and_then(|done| Some(done.result.as_ref().ok()?.score))
    };
    let design = |name: &String| Design {
        name: name.clone(),
        score: score(name),
    };
    let names = setup.baselines.iter().map(|baseline| &baseline.name);
    Ok((done.len() == work.len()).then(|| names.map(design).collect()))
}
