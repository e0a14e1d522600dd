//! `strata export`: a network, or all trials of a run, in the formats of other tools.

use super::chosen;
use super::elsewhere::{self, PlaceArgs};
use super::failure::Failure;
use super::recent::Run;
use super::terminal::Terminal;
use super::tracking;
use crate::architecture::{self, Architecture};
use crate::data::Preprocessing;
use crate::export::{self, ExportError, File};
use crate::layers::Shape;
use crate::model::Network;
use crate::random::{Purpose, Seed};
use crate::run::{RecordedRun, RunError, Subject as Finalist};
use crate::search::TrialId;
use crate::trackers::Kind;
use std::path::{Path, PathBuf};

/// Arguments of `strata export`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A run folder, RUN#TRIAL, a network as JSON, a space of one, or SPACE#INDEX; without it, the newest run
    #[arg(value_name = "RUN|ARCH")]
    subject: Option<String>,
    /// The format
    #[arg(long, value_enum, value_name = "FORMAT")]
    to: Target,
    /// The file to write, or the folder to write into; for mlflow the server's address
    #[arg(long, short, value_name = "FILE|DIR|URL")]
    output: Option<PathBuf>,
    /// Weights of a network that is not of a run, as `train --save` wrote them
    #[arg(long, value_name = "FILE", conflicts_with = "seed")]
    weights: Option<PathBuf>,
    /// The winner as `strata refit` trained it on all rows, test examples included
    #[arg(long, conflicts_with_all = ["weights", "seed"])]
    refitted: bool,
    /// The winner within the bounds of `final.within` with this number, from 1; by default the first
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    within: Option<u32>,
    /// What untrained weights are drawn by
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// Also write N drawn inputs and strata's outputs for them, to compare with
    #[arg(long, value_name = "N")]
    example: Option<usize>,
    #[command(flatten)]
    place: PlaceArgs,
}

/// The formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Target {
    /// Python source with a `torch.nn.Module`, and its weights beside it
    Pytorch,
    /// An ONNX file of opset 20 with its weights
    Onnx,
    /// The weights, under strata's names and in its layout
    Safetensors,
    /// Rust source with a burn module, and its weights beside it
    Burn,
    /// The network without weights, as `show` and `train` read it
    Json,
    /// A file for Graphviz
    Dot,
    /// A mermaid flow chart
    Mermaid,
    /// A drawing
    Svg,
    /// All trials of a run as text, a line each
    Csv,
    /// All trials of a run as a Parquet file
    Parquet,
    /// All trials of a run as event files for TensorBoard
    Tensorboard,
    /// All trials of a run as a journal for Optuna and its dashboard
    Optuna,
    /// All trials of a run, to an MLflow server
    Mlflow,
}

impl Target {
    /// Whether it is a text about the network alone.
    fn is_without_weights(self) -> bool {
        matches!(self, Self::Json | Self::Dot | Self::Mermaid | Self::Svg)
    }
}

/// A network to be taken home.
struct Subject {
    name: String,
    architecture: Architecture,
    /// Where its weights lie, if it has been trained.
    weights: Option<PathBuf>,
    /// What its run knows of the data, where it is of one.
    preprocessing: Option<Preprocessing>,
}

/// Finds the network and writes it.
pub fn run(args: &Args, terminal: &mut Terminal) -> Result<(), Failure> {
    if let Some(trials) = Trials::of(args.to) {
        return write_trials(args, trials, terminal);
    }
    let subject = subject(args, terminal)?;
    let architecture = &subject.architecture;
    let text = |ending: &'static str, text: String| {
        let bytes = text.into_bytes();
        (vec![File { ending, bytes }], None)
    };
    let (mut files, weights) = match args.to {
        Target::Json => {
            let json = serde_json::to_string_pretty(&architecture.to_json());
            text("json", json.expect("this is plain data") + "\n")
        }
        Target::Dot => text("dot", architecture::dot(architecture)),
        Target::Mermaid => text("mmd", architecture::mermaid(architecture)),
        Target::Svg => text("svg", architecture::svg(architecture)),
        Target::Pytorch => with_weights(args, &subject, terminal, export::pytorch)?,
        Target::Onnx => with_weights(args, &subject, terminal, export::onnx)?,
        Target::Burn => with_weights(args, &subject, terminal, export::burn)?,
        Target::Safetensors => with_weights(args, &subject, terminal, |_, weights, _| {
            let (ending, bytes) = ("safetensors", weights.to_vec());
            Ok(vec![File { ending, bytes }])
        })?,
        Target::Csv | Target::Parquet | Target::Tensorboard | Target::Optuna | Target::Mlflow => {
            return Ok(());
        }
    };
    if let Some(count) = args.example {
        let weights = weights.map_or_else(|| bytes_of_weights(args, &subject, terminal), Ok)?;
        files.push(example(args, architecture, &weights, count)?);
    }
    if args.output.is_none() && args.to.is_without_weights() {
        let text = String::from_utf8_lossy(&files[0].bytes);
        return terminal.data(&text);
    }
    write(args, &subject.name, &files, terminal)
}

/// The formats that take all trials of a run.
#[derive(Clone, Copy)]
enum Trials {
    Csv,
    Parquet,
    Tracker(Kind),
}

impl Trials {
    fn of(target: Target) -> Option<Self> {
        match target {
            Target::Csv => Some(Self::Csv),
            Target::Parquet => Some(Self::Parquet),
            Target::Tensorboard => Some(Self::Tracker(Kind::TensorBoard)),
            Target::Optuna => Some(Self::Tracker(Kind::Optuna)),
            Target::Mlflow => Some(Self::Tracker(Kind::Mlflow)),
            _ => None,
        }
    }
}

fn write_trials(args: &Args, trials: Trials, terminal: &mut Terminal) -> Result<(), Failure> {
    if args.refitted || args.within.is_some() {
        let message = "--refitted and --within are for the winner of a run, not for its trials";
        return Err(Failure::Input(message.to_owned()));
    }
    if args.weights.is_some() || args.seed.is_some() || args.example.is_some() {
        let message =
            "--weights, --seed and --example are for networks, not for the trials of a run";
        return Err(Failure::Input(message.to_owned()));
    }
    let folder = Run::named(args.subject.as_ref().map(PathBuf::from)).folder(terminal)?;
    let output = args.output.as_deref();
    let (ending, bytes) = match trials {
        Trials::Tracker(kind) => return tracking::export(&folder, kind, output, terminal),
        Trials::Csv => ("csv", tracking::table(&folder)?.csv()),
        Trials::Parquet => ("parquet", tracking::table(&folder)?.parquet()),
    };
    let bytes = bytes.map_err(tracking::failure)?;
    if output.is_none() && ending == "csv" {
        return terminal.data(&String::from_utf8_lossy(&bytes));
    }
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    write(args, &name, &[File { ending, bytes }], terminal)
}

type Writer = fn(&Architecture, &[u8], &str) -> Result<Vec<File>, ExportError>;

/// The files of a format that needs weights, and the weights.
fn with_weights(
    args: &Args,
    subject: &Subject,
    terminal: &mut Terminal,
    writer: Writer,
) -> Result<(Vec<File>, Option<Vec<u8>>), Failure> {
    let weights = bytes_of_weights(args, subject, terminal)?;
    let files = writer(&subject.architecture, &weights, &subject.name);
    let mut files = files.map_err(|error| Failure::Input(error.to_string()))?;
    if let Some(preprocessing) = &subject.preprocessing {
        files = export::with_preprocessing(files, preprocessing);
    }
    Ok((files, Some(weights)))
}

fn subject(args: &Args, terminal: &mut Terminal) -> Result<Subject, Failure> {
    match &args.subject {
        Some(given) if !Path::new(given).is_dir() => {
            if args.refitted || args.within.is_some() {
                let message = format!(
                    "--refitted and --within are for the winner of a run, and {given} is none"
                );
                return Err(Failure::Input(message));
            }
            let file = given.split('#').next().unwrap_or(given);
            let name = Path::new(file).file_stem().unwrap_or_default();
            Ok(Subject {
                name: name.to_string_lossy().into_owned(),
                architecture: chosen::network(given)?,
                weights: args.weights.clone(),
                preprocessing: of_trial(given, args, terminal)?,
            })
        }
        given => of_run(
            &Run::named(given.as_ref().map(PathBuf::from)),
            args,
            terminal,
        ),
    }
}

/// The winner of a run, as its folder keeps it.
fn of_run(run: &Run, args: &Args, terminal: &mut Terminal) -> Result<Subject, Failure> {
    if args.weights.is_some() || args.seed.is_some() {
        let message = "a run has its own weights; --weights and --seed are for networks without";
        return Err(Failure::Input(message.to_owned()));
    }
    let run = run.read(terminal)?;
    let (winner, trial, folder) = winner(&run, args.within)?;
    let architecture = run.candidate(trial)?.architecture;
    let (weights, preprocessing) = match (args.refitted, args.to.is_without_weights()) {
        (true, _) => {
            let (weights, preprocessing) = run.refitted(&winner)?;
            terminal.say("trained on all rows, test examples included: its run's test score is that of the same network trained without them");
            (weights, Some(preprocessing))
        }
        (false, true) => (folder.join("weights.safetensors"), None),
        (false, false) => (
            folder.join("weights.safetensors"),
            preprocessing(&run, args, terminal),
        ),
    };
    Ok(Subject {
        preprocessing,
        name: run.started().experiment.name.clone(),
        architecture,
        weights: Some(weights),
    })
}

/// A winner of a run, its trial, and where its files are.
fn winner(run: &RecordedRun, within: Option<u32>) -> Result<(Finalist, TrialId, PathBuf), Failure> {
    let number = within.unwrap_or(1);
    let winner = run.state().winner.as_ref().filter(|_| number > 1);
    let Some(winner) = winner else {
        let best = super::report::the_best(run)?;
        return match number {
            1 => Ok((Finalist::Winner, best.trial, run.folder().best())),
            _ => Err(Failure::Input(format!(
                "{} has no winner yet",
                run.folder().path().display()
            ))),
        };
    };
    let trial = winner
        .others
        .get(number as usize - 2)
        .copied()
        .ok_or_else(|| {
            let known = 1 + winner.others.len();
            Failure::Input(format!(
                "--within {number}: {} has {}",
                run.folder().path().display(),
                super::numbers::plural(known as u64, "winner")
            ))
        })?;
    // Bounds may have the winner of others; it is kept once.
    let entrants = winner.entrants().into_iter();
    let kept = entrants.into_iter().find(|(_, known)| *known == trial);
    let subject = kept.map_or(Finalist::Winner, |(subject, _)| subject);
    let folder = match subject {
        Finalist::Within(number) => run.folder().best_within(number),
        _ => run.folder().best(),
    };
    Ok((subject, trial, folder))
}

/// What the run of `RUN#TRIAL` knows of its data, where weights are given: those that the search trained.
fn of_trial(
    given: &str,
    args: &Args,
    terminal: &mut Terminal,
) -> Result<Option<Preprocessing>, Failure> {
    let has_use = args.weights.is_some() && !args.to.is_without_weights();
    let Some((folder, _)) = chosen::trial(given).filter(|_| has_use) else {
        return Ok(None);
    };
    let run = RecordedRun::open(folder)?;
    let found = run.search_preprocessing(&args.place.place());
    Ok(or_said(found, terminal))
}

/// What the run knows of its data; a network without it can still be taken home.
fn preprocessing(run: &RecordedRun, args: &Args, terminal: &mut Terminal) -> Option<Preprocessing> {
    or_said(run.preprocessing(&args.place.place()), terminal)
}

fn or_said(
    found: Result<Option<Preprocessing>, RunError>,
    terminal: &mut Terminal,
) -> Option<Preprocessing> {
    found.unwrap_or_else(|error| {
        let why = elsewhere::with_hint(error.into());
        terminal.say(&format!("no preprocessing is written beside it: {why}"));
        None
    })
}

fn bytes_of_weights(
    args: &Args,
    subject: &Subject,
    terminal: &mut Terminal,
) -> Result<Vec<u8>, Failure> {
    let Some(path) = &subject.weights else {
        if args.seed.is_none() {
            terminal.say("its weights are untrained; name trained ones with --weights FILE");
        }
        let seed = Seed(args.seed.unwrap_or(0));
        return Ok(Network::untrained(&subject.architecture, seed).save());
    };
    let fail = |error: &dyn std::fmt::Display| {
        Failure::Input(format!(
            "failed to read the weights in {}: {error}",
            path.display()
        ))
    };
    let bytes = std::fs::read(path).map_err(|error| fail(&error))?;
    Network::trained(&subject.architecture, &bytes).map_err(|error| fail(&error))?;
    Ok(bytes)
}

fn example(
    args: &Args,
    architecture: &Architecture,
    weights: &[u8],
    count: usize,
) -> Result<File, Failure> {
    let network = Network::trained(architecture, weights);
    let mut network = network.map_err(|error| Failure::Input(error.to_string()))?;
    let mut stream = Seed(args.seed.unwrap_or(0)).stream(1, Purpose::Tool);
    let draw = |_| match architecture.input() {
        Shape::Tokens { vocabulary, .. } => stream.below(vocabulary as u64) as f32,
        _ => stream.normal() as f32,
    };
    let values = count.max(1) * architecture.input().elements();
    let inputs: Vec<f32> = (0..values).map(draw).collect();
    let outputs = network.outputs(&inputs);
    Ok(File {
        ending: "example.safetensors",
        bytes: export::example(architecture, inputs, outputs),
    })
}

fn write(args: &Args, name: &str, files: &[File], terminal: &mut Terminal) -> Result<(), Failure> {
    for file in files {
        let path = place(args.output.as_deref(), name, file.ending);
        let fail = |error| Failure::Other(format!("failed to write {}: {error}", path.display()));
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(fail)?;
        }
        std::fs::write(&path, &file.bytes).map_err(fail)?;
        terminal.line(&path.display().to_string())?;
    }
    Ok(())
}

/// A file's path: in the folder that was named, or beside the file that was.
fn place(output: Option<&Path>, name: &str, ending: &str) -> PathBuf {
    let in_folder = |folder: &Path| folder.join(format!("{name}.{ending}"));
    match output {
        None => in_folder(Path::new("")),
        Some(path) if path.is_dir() || path.extension().is_none() => in_folder(path),
        Some(path) => path.with_extension(ending),
    }
}
