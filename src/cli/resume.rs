//! `strata resume`: a run goes on where it was interrupted or killed.

use super::failure::Failure;
use super::recent::Run;
use super::terminal::Terminal;
use super::tracking::TrackArgs;
use super::{report, search};
use crate::run;

/// Arguments of `strata resume`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    run: Run,
    /// Trials that run at the same time; changes no result
    #[arg(long, value_name = "N")]
    workers: Option<usize>,
    /// What trials are kept apart by instead of the experiment's; changes no result
    #[arg(long, value_name = "HOW")]
    isolate: Option<search::Isolate>,
    #[command(flatten)]
    track: TrackArgs,
    /// Say nothing on stderr but errors
    #[arg(long, short)]
    quiet: bool,
}

/// Sees the run to its end.
pub fn run(args: &Args, terminal: &mut Terminal) -> Result<(), Failure> {
    if args.quiet {
        terminal.be_quiet();
    }
    let folder = args.run.folder(terminal)?;
    let trackers = args.track.of_folder(&folder)?;
    let ending = search::tracked(
        (args.workers, args.isolate),
        terminal,
        trackers,
        |options, watch| run::resume(&folder, options, watch),
    )?;
    report::ending(&ending, terminal)
}
