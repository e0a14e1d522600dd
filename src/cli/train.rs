//! `strata train`: one architecture, without a search.

use super::data::DataDir;
use super::failure::Failure;
use super::input::{self, Networks};
use super::terminal::Terminal;
use super::{interrupt, numbers, terminal};
use crate::architecture::Architecture;
use crate::data::DataSource;
use crate::layers::Value;
use crate::model::ComputeDevice;
use crate::random::Seed;
use crate::run::{ExperimentFile, TrialSettings};
use crate::training::{self, EpochRecord, Job, Recipe, Score};
use rayon::ThreadPoolBuilder;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Arguments of `strata train`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A space of one, or an architecture as JSON
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// A named dataset such as `digits`, or a file of examples
    #[arg(long, value_name = "NAME|FILE", required_unless_present = "recipe")]
    data: Option<String>,
    /// Take recipe and data from this experiment
    #[arg(long, value_name = "EXPERIMENT")]
    recipe: Option<PathBuf>,
    /// Passes over the training examples instead of the recipe's
    #[arg(long, value_name = "N")]
    epochs: Option<usize>,
    /// What weights, order and noise are drawn by
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Write the trained weights to this safetensors file
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    #[command(flatten)]
    datasets: DataDir,
    /// As JSON
    #[arg(long)]
    json: bool,
    /// Say nothing on stderr but errors
    #[arg(long, short)]
    quiet: bool,
}

#[derive(Serialize)]
struct Report {
    params: u64,
    macs: u64,
    epochs: Vec<EpochRecord>,
    best_epoch: usize,
    stopped_early: bool,
    score_name: &'static str,
    validation_score: f64,
    validation_loss: f64,
    validation_metrics: BTreeMap<String, f64>,
    seconds: f64,
}

/// What the command line and the experiment say together.
struct Setting {
    recipe: Recipe,
    score: Option<Score>,
    data: DataSource,
    base: PathBuf,
    threads: usize,
    device: ComputeDevice,
}

/// Trains and says how good the network is on the validation examples.
pub fn run(args: &Args, terminal: &mut Terminal) -> Result<(), Failure> {
    if args.quiet {
        terminal.be_quiet();
    }
    let (architecture, decided) = network(&args.file)?;
    let mut setting = setting(args)?;
    for (name, value) in decided {
        setting
            .recipe
            .set(&name, value)
            .map_err(|error| Failure::Input(error.to_string()))?;
    }
    setting.recipe.epochs = args.epochs.unwrap_or(setting.recipe.epochs);
    let began = Instant::now();
    let trained = train(args, &architecture, &setting, terminal)?;
    if let Some(path) = &args.save {
        save(path, &trained.network.save())?;
        terminal.say(&format!("weights written to {}", path.display()));
    }
    let (metrics, scores) = (architecture.metrics(), trained.scores);
    let report = Report {
        params: metrics.params,
        macs: metrics.macs,
        epochs: trained.epochs,
        best_epoch: trained.best_epoch,
        stopped_early: trained.stopped_early,
        score_name: score_name(&setting, &architecture),
        validation_score: scores.score,
        validation_loss: scores.loss,
        validation_metrics: scores.metrics,
        seconds: began.elapsed().as_secs_f64(),
    };
    if args.json {
        return terminal.json(&report);
    }
    terminal.line(&describe(&report))
}

fn score_name(setting: &Setting, architecture: &Architecture) -> &'static str {
    let output = architecture.output();
    setting
        .score
        .unwrap_or(Score::of(output))
        .figure_name(output)
}

fn describe(report: &Report) -> String {
    format!(
        "validation {} {:.4}, loss {:.4} after epoch {} of {}, {} params, in {}",
        report.score_name,
        report.validation_score,
        report.validation_loss,
        report.best_epoch,
        report.epochs.len(),
        numbers::grouped(report.params),
        numbers::seconds(report.seconds)
    )
}

fn network(path: &Path) -> Result<(Architecture, BTreeMap<String, Value>), Failure> {
    match input::networks(path)? {
        Networks::One(architecture) => Ok((*architecture, BTreeMap::new())),
        Networks::Space(space) => {
            let file = path.display();
            let advice = format!(
                "pick one with `strata show {file} --index I --format json > network.json` and \
                 train that, or search the space with `strata search`"
            );
            let candidate = input::only(&space, &advice)?;
            Ok((candidate.architecture, candidate.recipe))
        }
    }
}

fn setting(args: &Args) -> Result<Setting, Failure> {
    let mut setting = match &args.recipe {
        None => Setting {
            recipe: Recipe::default(),
            score: None,
            data: DataSource::default(),
            base: PathBuf::new(),
            threads: 1,
            device: ComputeDevice::default(),
        },
        Some(path) => {
            let ExperimentFile {
                experiment, base, ..
            } = ExperimentFile::read(path)?;
            let TrialSettings {
                threads, device, ..
            } = experiment.trial;
            Setting {
                recipe: experiment.recipe,
                score: experiment.score,
                data: experiment.data,
                base,
                threads,
                device,
            }
        }
    };
    if let Some(data) = &args.data {
        setting.base = PathBuf::new();
        setting.data = DataSource::called(data);
    }
    setting.data.folder = Some(args.datasets.folder());
    Ok(setting)
}

fn train(
    args: &Args,
    architecture: &Architecture,
    setting: &Setting,
    terminal: &mut Terminal,
) -> Result<training::Trained, Failure> {
    let splits = setting.data.splits(&setting.base)?;
    terminal.say(&format!(
        "training on {}, validating on {}",
        numbers::plural(splits.train.len() as u64, "example"),
        numbers::plural(splits.validation.len() as u64, "example")
    ));
    for remark in splits.remarks() {
        terminal.say(&remark.to_string());
    }
    let stop = interrupt::flag();
    let job = Job {
        architecture,
        recipe: &setting.recipe,
        score: setting.score,
        train: &splits.train,
        validation: &splits.validation,
        seed: Seed(args.seed),
        trial: 0,
        device: setting.device,
        deadline: None,
        stop: &stop,
    };
    let quiet = terminal.is_quiet();
    let mut observe = |progress: &training::Progress| {
        if !quiet {
            terminal::say(&line(progress, score_name(setting, architecture)));
        }
    };
    // As in a run: what a sum adds up to depends on how many threads share it.
    let pool = ThreadPoolBuilder::new()
        .num_threads(setting.threads)
        .build();
    let pool = pool.map_err(|error| Failure::Other(format!("failed to start threads: {error}")))?;
    let trained = pool.install(|| training::train(&job, &mut observe));
    trained.map_err(|failure| match failure {
        training::Failure::Stopped { .. } => Failure::Interrupted(failure.to_string()),
        training::Failure::Recipe(_) | training::Failure::Data(_) => {
            Failure::Input(failure.to_string())
        }
        _ => Failure::Other(format!("failed to train: {failure}")),
    })
}

fn line(progress: &training::Progress, score_name: &str) -> String {
    let record = &progress.record;
    format!(
        "epoch {}/{}: training loss {:.4}, validation loss {:.4}, {score_name} {:.4}",
        record.epoch,
        progress.epochs,
        record.train_loss,
        record.validation_loss,
        record.validation_score
    )
}

/// Writes weights to a file.
pub(super) fn save(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let fail = |error| Failure::Other(format!("failed to write {}: {error}", path.display()));
    std::fs::write(path, bytes).map_err(fail)
}
