//! Figures of a trial by their names: what a search by several objectives, a bound or a front asks for.

use super::error::RunError;
use super::record::Proposal;
use super::setup::Setup;
use super::state::Outcome;
use crate::architecture::Metrics;
use crate::evaluation::as_cost;
use crate::training::Score;
use std::collections::BTreeMap;

/// The figures that every architecture has.
pub const ARCHITECTURE_FIGURES: [&str; 6] = [
    "params",
    "macs",
    "activation_bytes",
    "layers",
    "depth",
    "receptive_field",
];

/// The figure of this name, of the architecture or of its evaluation.
pub fn figure(name: &str, metrics: &Metrics, evaluated: &BTreeMap<String, f64>) -> Option<f64> {
    let count = match name {
        "params" => metrics.params,
        "macs" => metrics.macs,
        "activation_bytes" => metrics.activation_bytes,
        "layers" => metrics.layers,
        "depth" => metrics.depth,
        "receptive_field" => metrics.receptive_field,
        _ => {
            let found = evaluated
                .get(name)
                .or_else(|| by_another_name(name, evaluated));
            return found.copied();
        }
    };
    Some(count as f64)
}

/// The figure of a score that is written under another of its names, as old journals write `R2`.
fn by_another_name<'a>(name: &str, evaluated: &'a BTreeMap<String, f64>) -> Option<&'a f64> {
    let score = Score::named(name)?;
    let mut figures = evaluated.iter();
    let found = figures.find(|(known, _)| Score::named(known) == Some(score));
    found.map(|(_, figure)| figure)
}

/// What a trial costs by these objectives, those that are to be large with their signs turned; nothing for one that
/// failed.
///
/// # Errors
/// When neither the architecture nor its evaluation has a figure of such a name.
pub(super) fn costs(
    setup: &Setup,
    names: &[String],
    proposal: &Proposal,
    outcome: &Outcome,
) -> Result<Vec<f64>, RunError> {
    let (false, Outcome::Finished(finished)) = (names.is_empty(), outcome) else {
        return Ok(Vec::new());
    };
    let candidate = setup.space.decode(&proposal.genome);
    let candidate = candidate.expect("a trial's genome is in the space");
    let metrics = candidate.architecture.metrics();
    let cost = |name: &String| {
        let found = figure(name, &metrics, &finished.metrics);
        let found = found.map(|figure| as_cost(name, figure));
        found.ok_or_else(|| {
            let known: Vec<&str> = ARCHITECTURE_FIGURES
                .into_iter()
                .chain(finished.metrics.keys().map(String::as_str))
                .collect();
            RunError::Setting {
                key: "search.objectives".to_owned(),
                message: format!(
                    "`{name}` is no figure of trial {}, which has `{}`",
                    finished.trial,
                    known.join("`, `")
                ),
            }
        })
    };
    names.iter().map(cost).collect()
}
