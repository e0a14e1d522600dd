//! Architectures of a space, one after the other: as lines for people or JSON for scripts.

use super::failure::Failure;
use super::terminal::Terminal;
use super::{input, numbers};
use crate::architecture::ArchitectureJson;
use crate::layers::Value;
use crate::space::{Candidate, Genome, SearchSpace};
use serde::Serialize;
use std::collections::BTreeMap;

/// One architecture as JSON.
#[derive(Serialize)]
struct Listed<'a> {
    index: String,
    params: u64,
    macs: u64,
    key: String,
    genome: &'a Genome,
    recipe: &'a BTreeMap<String, Value>,
    architecture: ArchitectureJson,
}

/// Prints the architecture of a genome.
pub fn print(
    space: &SearchSpace,
    genome: &Genome,
    as_json: bool,
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    let candidate = input::decode(space, genome)?;
    if as_json {
        terminal.json_line(&json(space, &candidate)?)
    } else {
        terminal.data(&describe(space, &candidate)?)
    }
}

fn index(space: &SearchSpace, genome: &Genome) -> Result<String, Failure> {
    let fail = |error| Failure::Other(format!("failed to find an index: {error}"));
    Ok(space.index_of(genome).map_err(fail)?.to_string())
}

fn json<'a>(space: &SearchSpace, candidate: &'a Candidate) -> Result<Listed<'a>, Failure> {
    let metrics = candidate.architecture.metrics();
    Ok(Listed {
        index: index(space, &candidate.genome)?,
        params: metrics.params,
        macs: metrics.macs,
        key: candidate.architecture.canonical().digest(),
        genome: &candidate.genome,
        recipe: &candidate.recipe,
        architecture: candidate.architecture.to_json(),
    })
}

/// Index and costs in a line, then the layers in the order they are computed.
fn describe(space: &SearchSpace, candidate: &Candidate) -> Result<String, Failure> {
    let metrics = candidate.architecture.metrics();
    let layers = candidate
        .architecture
        .nodes()
        .iter()
        .filter_map(|node| node.layer());
    let layers: Vec<String> = layers.map(ToString::to_string).collect();
    let recipe: String = candidate
        .recipe
        .iter()
        .map(|(name, value)| format!(", {name} {value}"))
        .collect();
    Ok(format!(
        "index {}: {} params, {} MACs, {} layers{recipe}\n    {}\n",
        index(space, &candidate.genome)?,
        numbers::grouped(metrics.params),
        numbers::grouped(metrics.macs),
        metrics.layers,
        layers.join(" > ")
    ))
}
