//! `strata predict`: what a run's winner says of new examples.

use super::elsewhere::{self, PlaceArgs};
use super::failure::Failure;
use super::recent::Run;
use super::report;
use super::terminal::Terminal;
use crate::architecture::Output;
use crate::data::{Answers, Preprocessing};
use crate::model::Network;
use crate::run::{RecordedRun, Subject};
use serde::Serialize;
use std::path::PathBuf;

/// Arguments of `strata predict`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A run folder
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// A file of examples like the run's training file, with targets or without
    #[arg(value_name = "DATA")]
    data: PathBuf,
    /// By the winner as `strata refit` trained it on all rows, test examples included
    #[arg(long)]
    refitted: bool,
    /// As JSON, one object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: PlaceArgs,
}

/// What is said of one example.
#[derive(Serialize)]
struct Row<'a> {
    row: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<&'a str>,
    /// The classes in the order of the probabilities.
    #[serde(skip_serializing_if = "Option::is_none")]
    classes: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    probabilities: Vec<f64>,
    /// The labels or numbers in the order of the values.
    #[serde(skip_serializing_if = "Option::is_none")]
    names: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    values: Vec<f64>,
}

/// Prints a line an example.
pub fn run(args: &Args, terminal: &mut Terminal) -> Result<(), Failure> {
    let run = Run::named(Some(args.run.clone())).read(terminal)?;
    let best = report::the_best(&run)?;
    let architecture = run.candidate(best.trial)?.architecture;
    let (path, preprocessing) = match args.refitted {
        true => run.refitted(&Subject::Winner)?,
        false => (
            run.folder().best().join("weights.safetensors"),
            preprocessing(&run, args)?,
        ),
    };
    let fail = |error: &dyn std::fmt::Display| {
        Failure::Input(format!(
            "failed to read the weights in {}: {error}",
            path.display()
        ))
    };
    let weights = std::fs::read(&path).map_err(|error| fail(&error))?;
    let network = Network::trained(&architecture, &weights);
    let mut network = network.map_err(|error| fail(&error))?;
    let output = architecture.output();
    if !preprocessing.suits(architecture.input(), output) {
        let folder = run.folder().best();
        let message = format!(
            "in {} the preprocessing is not that of the network: one of the two was replaced",
            folder.display()
        );
        return Err(Failure::Input(message));
    }
    let examples = preprocessing.read(&args.data)?;
    let outputs = network.outputs(&examples.inputs);
    for (row, logits) in outputs.chunks(output.numbers()).enumerate() {
        let said = Row {
            row,
            file: examples.files.get(row).map(String::as_str),
            ..say(logits, output, preprocessing.answers())
        };
        if args.json {
            terminal.json_line(&said)?;
        } else {
            terminal.line(&describe(&said))?;
        }
    }
    Ok(())
}

fn preprocessing(run: &RecordedRun, args: &Args) -> Result<Preprocessing, Failure> {
    let found = run.preprocessing(&args.place.place());
    let found = found.map_err(|error| elsewhere::with_hint(error.into()))?;
    found.ok_or_else(|| {
        let message =
            "the run's networks are not trained on data, so there is nothing to ask its best about";
        Failure::Input(message.to_owned())
    })
}

fn say<'a>(logits: &[f32], output: Output, answers: &'a Answers) -> Row<'a> {
    let mut said = Row {
        row: 0,
        file: None,
        class: None,
        classes: None,
        probabilities: Vec::new(),
        names: None,
        values: Vec::new(),
    };
    let names = answers.names();
    let sigmoid = |&logit: &f32| 1.0 / (1.0 + libm::exp(-f64::from(logit)));
    match answers {
        Answers::Classes { .. } => {
            said.probabilities = match output {
                Output::Binary => {
                    let second = sigmoid(&logits[0]);
                    vec![1.0 - second, second]
                }
                _ => softmax(logits),
            };
            said.classes = Some(names);
            said.class = likeliest(&said.probabilities).map(|at| names[at].as_str());
        }
        Answers::Labels { .. } => {
            said.names = Some(names);
            said.values = logits.iter().map(sigmoid).collect();
        }
        Answers::Numbers {
            mean, deviation, ..
        } => {
            said.names = Some(names);
            let scales = mean.iter().zip(deviation);
            let pairs = logits.iter().zip(scales);
            let own_units = |(&value, (mean, deviation))| f64::from(value) * deviation + mean;
            said.values = pairs.map(own_units).collect();
        }
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

fn describe(said: &Row<'_>) -> String {
    let what = match (said.class, likeliest(&said.probabilities), said.names) {
        (Some(class), Some(at), _) => format!("{class} {:.4}", said.probabilities[at]),
        // One number needs no name.
        (_, _, Some(names)) if names.len() > 1 => {
            let pairs = names.iter().zip(&said.values);
            let pairs = pairs.map(|(name, value)| format!("{name} {value:.6}"));
            pairs.collect::<Vec<_>>().join("  ")
        }
        _ => {
            let values = said.values.iter().map(|value| format!("{value:.6}"));
            values.collect::<Vec<_>>().join(" ")
        }
    };
    match said.file {
        Some(file) => format!("{file}: {what}"),
        None => what,
    }
}
