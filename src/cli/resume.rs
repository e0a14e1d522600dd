//! `strata resume`: a run goes on where it was interrupted or killed, or with a larger budget where it ended.

use super::elsewhere::{self, PlaceArgs};
use super::failure::Failure;
use super::recent::{RUNS, Run};
use super::shared::{self, Mixed, RunText};
use super::terminal::Terminal;
use super::tracking::TrackArgs;
use super::{report, search};
use crate::run::shared::{extend_shared, resume_shared};
use crate::run::{self, Budget};
use std::path::PathBuf;

/// Arguments of `strata resume`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A run folder, or a shared run: postgres://user@host/database?run=name; without it, the newest run
    /// under ./runs
    #[arg(value_name = "RUN")]
    run: Option<RunText>,
    /// Where the run folder of a shared run is, or is made
    #[arg(long, value_name = "DIR", default_value = RUNS)]
    runs: PathBuf,
    #[command(flatten)]
    raise: Raise,
    #[command(flatten)]
    mixed: Mixed,
    /// Trials that run at the same time; changes no result
    #[arg(long, value_name = "N")]
    workers: Option<usize>,
    /// What trials are kept apart by instead of the experiment's; changes no result
    #[arg(long, value_name = "HOW")]
    isolate: Option<search::Isolate>,
    #[command(flatten)]
    place: PlaceArgs,
    #[command(flatten)]
    track: TrackArgs,
    /// Say nothing on stderr but errors
    #[arg(long, short)]
    quiet: bool,
}

/// A larger budget.
#[derive(Debug, clap::Args)]
struct Raise {
    /// The budget in trials from here on, those before included: the search goes on, also if it has ended
    #[arg(long, value_name = "N")]
    trials: Option<u64>,
    /// As --trials, the budget in seconds of searching
    #[arg(long, value_name = "S")]
    seconds: Option<f64>,
    /// As --trials, the budget in epochs
    #[arg(long, value_name = "E")]
    epochs: Option<u64>,
    /// As --trials, the seconds that the whole run may take
    #[arg(long, value_name = "S")]
    total_seconds: Option<f64>,
}

impl Raise {
    /// What was given, if anything was.
    fn budget(&self) -> Option<Budget> {
        let budget = Budget {
            trials: self.trials,
            seconds: self.seconds,
            epochs: self.epochs,
            total_seconds: self.total_seconds,
        };
        (budget != Budget::default()).then_some(budget)
    }
}

/// Sees the run to its end.
pub fn run(args: &Args, terminal: &mut Terminal) -> Result<(), Failure> {
    if args.quiet {
        terminal.be_quiet();
    }
    let raise = args.raise.budget();
    let ending = match &args.run {
        Some(RunText::Shared(address)) => {
            let sharing = shared::sharing(address, args.mixed, None, args.quiet)?;
            let folder = args.runs.join(sharing.address.run().unwrap_or_default());
            let trackers = args.track.of_folder(&folder)?;
            search::tracked(
                (args.workers, args.isolate),
                terminal,
                trackers,
                |options, watch| {
                    let options = args.place.with(options);
                    match &raise {
                        Some(raise) => extend_shared(&sharing, raise, &args.runs, &options, watch),
                        None => resume_shared(&sharing, &args.runs, &options, watch),
                    }
                },
            )
        }
        named => {
            let folder = named.as_ref().and_then(RunText::folder);
            let folder = Run::named(folder).folder(terminal)?;
            let trackers = args.track.of_folder(&folder)?;
            search::tracked(
                (args.workers, args.isolate),
                terminal,
                trackers,
                |options, watch| {
                    let options = args.place.with(options);
                    match &raise {
                        Some(raise) => run::extend(&folder, raise, &options, watch),
                        None => run::resume(&folder, &options, watch),
                    }
                },
            )
        }
    };
    report::ending(&ending.map_err(elsewhere::with_hint)?, terminal)
}
