//! `strata search`: an experiment from its file to its winner.

use super::data::DataDir;
use super::failure::Failure;
use super::progress::Progress;
use super::recent::RUNS;
use super::shared::{self, AddressText, Mixed};
use super::terminal::Terminal;
use super::tracking::{TrackArgs, Trackers};
use super::{interrupt, isolated, report};
use crate::model::ComputeDevice;
use crate::random::Seed;
use crate::run::shared::start_shared;
use crate::run::{self, Event, ExperimentFile, Isolation, Options, RunError};
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

/// Arguments of `strata search`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The experiment file
    #[arg(value_name = "EXPERIMENT")]
    experiment: PathBuf,
    /// Where the run folder is made
    #[arg(long, value_name = "DIR", default_value = RUNS)]
    runs: PathBuf,
    /// The run's name instead of the experiment's
    #[arg(long)]
    name: Option<String>,
    /// Trials that run at the same time; changes no result
    #[arg(long, value_name = "N")]
    workers: Option<usize>,
    /// The budget in trials instead of the experiment's
    #[arg(long, value_name = "N")]
    trials: Option<u64>,
    /// The root seed instead of the experiment's
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Where trials are trained instead of the experiment's `trial.device`: flex, wgpu or cuda
    #[arg(long, value_name = "DEVICE", value_parser = device)]
    device: Option<ComputeDevice>,
    /// What trials are kept apart by instead of the experiment's; changes no result
    #[arg(long, value_name = "HOW")]
    isolate: Option<Isolate>,
    /// Share the run with other machines by this database: postgres://user@host/database?run=name
    #[arg(long, value_name = "ADDRESS")]
    journal: Option<AddressText>,
    /// With --journal: for how many seconds a trial is given to a worker that says nothing
    #[arg(long, value_name = "SECONDS", requires = "journal")]
    lease: Option<f64>,
    #[command(flatten)]
    mixed: Mixed,
    #[command(flatten)]
    datasets: DataDir,
    #[command(flatten)]
    track: TrackArgs,
    /// Say nothing on stderr but errors
    #[arg(long, short)]
    quiet: bool,
}

/// What trials are kept apart by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Isolate {
    /// Threads: a trial's panic is caught
    Thread,
    /// Processes: whatever a trial does is caught
    Process,
}

impl From<Isolate> for Isolation {
    fn from(isolate: Isolate) -> Self {
        match isolate {
            Isolate::Thread => Self::Thread,
            Isolate::Process => Self::Process,
        }
    }
}

/// Starts the run and sees it to its end.
pub fn run(args: &Args, terminal: &mut Terminal) -> Result<(), Failure> {
    if args.quiet {
        terminal.be_quiet();
    }
    let mut file = ExperimentFile::read(&args.experiment)?;
    let experiment = &mut file.experiment;
    if let Some(name) = &args.name {
        experiment.name.clone_from(name);
    }
    if let Some(seed) = args.seed {
        experiment.seed = Seed(seed);
    }
    experiment.data.folder = Some(args.datasets.folder());
    experiment.trial.device = args.device.unwrap_or(experiment.trial.device);
    experiment.budget.trials = args.trials.or(experiment.budget.trials);
    let sharing = args.journal.as_ref();
    let sharing =
        sharing.map(|journal| shared::sharing(journal, args.mixed, args.lease, args.quiet));
    let sharing = sharing.transpose()?;
    let trackers = args.track.trackers(&file.experiment.tracking)?;
    let ending = tracked(
        (args.workers, args.isolate),
        terminal,
        trackers,
        |options, watch| match &sharing {
            Some(sharing) => start_shared(&file, sharing, &args.runs, options, watch),
            None => run::start(&file, &args.runs, options, watch),
        },
    )?;
    report::ending(&ending, terminal)
}

fn device(name: &str) -> Result<ComputeDevice, String> {
    let found = ComputeDevice::ALL
        .into_iter()
        .find(|device| device.name() == name);
    found.ok_or_else(|| {
        let names = ComputeDevice::ALL.map(ComputeDevice::name).join(", ");
        format!("it is one of {names}")
    })
}

/// Carries out `work` with progress on stderr and Ctrl-C as its end.
pub fn watched<T>(
    (workers, isolate): (Option<usize>, Option<Isolate>),
    terminal: &Terminal,
    work: impl FnOnce(&Options<'_>, &mut dyn FnMut(&Event)) -> Result<T, RunError>,
) -> Result<T, Failure> {
    tracked((workers, isolate), terminal, Trackers::default(), work)
}

/// As [`watched`], with trackers that are told what happens.
pub fn tracked<T>(
    (workers, isolate): (Option<usize>, Option<Isolate>),
    terminal: &Terminal,
    mut trackers: Trackers,
    work: impl FnOnce(&Options<'_>, &mut dyn FnMut(&Event)) -> Result<T, RunError>,
) -> Result<T, Failure> {
    let stop: &AtomicBool = &interrupt::flag();
    let mut progress = Progress::new(terminal);
    let options = Options {
        workers,
        isolate: isolate.map(Isolation::from),
        program: isolated::program(),
        ..Options::new(stop)
    };
    let result = work(&options, &mut |event| {
        trackers.see(event);
        progress.see(event);
    });
    progress.close();
    trackers.close();
    result.map_err(|error| with_next_step(error.into()))
}

/// The failure with what can be done about it, where the run's folder tells.
pub fn with_next_step(failure: Failure) -> Failure {
    if let Failure::Run(RunError::ConsecutiveFailures { folder, .. }) = &failure {
        super::terminal::say(&format!(
            "see `strata trials {} --failed`",
            folder.display()
        ));
    }
    failure
}
