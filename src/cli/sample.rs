//! `strata sample`: some architectures of a space.

use super::failure::Failure;
use super::terminal::Terminal;
use super::{input, numbers};
use crate::architecture::ArchitectureJson;
use crate::layers::Value;
use crate::random::{Purpose, Seed};
use crate::space::{Candidate, Genome, Sampling, SearchSpace};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Arguments of `strata sample`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The space file; `-` reads stdin
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// How many
    #[arg(short = 'n', long = "number", default_value_t = 5)]
    number: u64,
    /// What they are drawn by; the same seed draws the same architectures
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Every architecture with the same probability, instead of each choice by its weights
    #[arg(long)]
    uniform: bool,
    /// As JSON, one architecture a line
    #[arg(long)]
    json: bool,
}

/// One drawn architecture.
#[derive(Serialize)]
struct Sampled<'a> {
    index: String,
    params: u64,
    macs: u64,
    key: String,
    genome: &'a Genome,
    recipe: &'a BTreeMap<String, Value>,
    architecture: ArchitectureJson,
}

/// Draws and prints.
pub fn run(args: &Args, terminal: &mut Terminal) -> Result<(), Failure> {
    let space = input::space(&args.file)?;
    let sampling = if args.uniform {
        Sampling::Uniform
    } else {
        Sampling::Prior
    };
    for number in 0..args.number {
        let mut stream = Seed(args.seed).stream(number, Purpose::Decode);
        let genome = space.sample(sampling, &mut stream);
        let candidate = input::decode(&space, &genome)?;
        if args.json {
            terminal.json_line(&sampled(&space, &candidate)?)?;
        } else {
            terminal.data(&describe(&space, &candidate)?)?;
        }
    }
    if !args.json && args.number > 0 {
        let file = args.file.display();
        terminal.say(&format!("look at one with `strata show {file} --index I`"));
    }
    Ok(())
}

fn index(space: &SearchSpace, genome: &Genome) -> Result<String, Failure> {
    let fail = |error| Failure::Other(format!("failed to find an index: {error}"));
    Ok(space.index_of(genome).map_err(fail)?.to_string())
}

fn sampled<'a>(space: &SearchSpace, candidate: &'a Candidate) -> Result<Sampled<'a>, Failure> {
    let metrics = candidate.architecture.metrics();
    Ok(Sampled {
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
