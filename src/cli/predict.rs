//! `strata predict`: what a run's winner says of new examples.

use super::failure::Failure;
use super::recent::Run;
use super::report;
use super::terminal::Terminal;
use crate::architecture::Output;
use crate::data::Targets;
use crate::model::Network;
use crate::run::Subject;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Arguments of `strata predict`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A run folder
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// A file of examples, in the format of the run's training file
    #[arg(value_name = "DATA")]
    data: PathBuf,
    /// As JSON, one object a line
    #[arg(long)]
    json: bool,
}

/// What is said of one example.
#[derive(Serialize)]
struct Row {
    row: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    probabilities: Vec<f64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    values: Vec<f64>,
}

/// Prints a line an example.
pub fn run(args: &Args, terminal: &mut Terminal) -> Result<(), Failure> {
    let run = Run::named(Some(args.run.clone())).read(terminal)?;
    let best = report::the_best(&run)?;
    let architecture = run.candidate(best.trial)?.architecture;
    let path = run.folder().best().join("weights.safetensors");
    let fail = |error: &dyn std::fmt::Display| {
        Failure::Input(format!(
            "failed to read the weights in {}: {error}",
            path.display()
        ))
    };
    let weights = std::fs::read(&path).map_err(|error| fail(&error))?;
    let network = Network::trained(&architecture, &weights);
    let mut network = network.map_err(|error| fail(&error))?;
    let base = PathBuf::from(&run.started().host.base);
    let (parts, classes) = run
        .started()
        .data()
        .new_examples(&base, Path::new(&args.data))?;
    // As `best/` holds the winner's first retraining, if that went well, and else the search's own.
    let first = run.state().retrained.get(&(Subject::Winner, 0));
    let retrained = first.is_some_and(|record| record.result.score().is_some());
    let part = if retrained {
        parts.for_retrained
    } else {
        parts.for_searched
    };
    let outputs = network.outputs(&part.inputs);
    let numbers = architecture.output().numbers();
    for (row, logits) in outputs.chunks(numbers).enumerate() {
        let said = say(row, logits, architecture.output(), &classes, &part.targets);
        if args.json {
            terminal.json_line(&said)?;
        } else {
            terminal.line(&describe(&said))?;
        }
    }
    Ok(())
}

fn say(row: usize, logits: &[f32], output: Output, classes: &[String], targets: &Targets) -> Row {
    let mut said = Row {
        row,
        class: None,
        probabilities: Vec::new(),
        values: Vec::new(),
    };
    let sigmoid = |&logit: &f32| 1.0 / (1.0 + libm::exp(-f64::from(logit)));
    match output {
        Output::Classes(_) => said.probabilities = softmax(logits),
        Output::Binary => {
            let second = sigmoid(&logits[0]);
            said.probabilities = vec![1.0 - second, second];
        }
        Output::Labels(_) => said.values = logits.iter().map(sigmoid).collect(),
        Output::Regression(_) => said.values = own_units(logits, targets),
    }
    if let Some(likeliest) = likeliest(&said.probabilities) {
        let name = classes.get(likeliest).cloned();
        said.class = Some(name.unwrap_or_else(|| likeliest.to_string()));
    }
    said
}

fn softmax(logits: &[f32]) -> Vec<f64> {
    let top = logits.iter().copied().fold(f32::MIN, f32::max);
    let powers: Vec<f64> = logits
        .iter()
        .map(|&logit| libm::exp(f64::from(logit - top)))
        .collect();
    let sum: f64 = powers.iter().sum();
    powers.iter().map(|power| power / sum).collect()
}

/// The first of the largest.
fn likeliest(probabilities: &[f64]) -> Option<usize> {
    let better = |best: usize, at: usize| {
        if probabilities[at] > probabilities[best] {
            at
        } else {
            best
        }
    };
    (0..probabilities.len()).reduce(better)
}

/// Outputs are on the scale of training; the data's own units are what was asked for.
fn own_units(values: &[f32], targets: &Targets) -> Vec<f64> {
    let plain = values.iter().map(|&value| f64::from(value));
    let Targets::Numbers { scale, .. } = targets else {
        return plain.collect();
    };
    let pairs = plain.zip(scale.mean.iter().zip(&scale.deviation));
    pairs
        .map(|(value, (mean, deviation))| value * deviation + mean)
        .collect()
}

fn describe(said: &Row) -> String {
    if let (Some(class), Some(at)) = (&said.class, likeliest(&said.probabilities)) {
        return format!("{class} {:.4}", said.probabilities[at]);
    }
    let numbers: Vec<String> = said
        .values
        .iter()
        .map(|value| format!("{value:.6}"))
        .collect();
    numbers.join(" ")
}
