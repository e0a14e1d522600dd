//! `strata worker`: does trials of a run that is shared by many machines.

use super::data::DataDir;
use super::failure::Failure;
use super::shared::{self, AddressText, Mixed};
use super::terminal::{self, Terminal};
use super::{Exit, interrupt};
use crate::run::shared::{WorkerEnd, WorkerEvent, WorkerOptions, work};
use std::path::PathBuf;
use std::time::Duration;

/// Arguments of `strata worker`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The run: postgres://user@host/database?run=name
    #[arg(value_name = "ADDRESS")]
    address: AddressText,
    /// Trials that run at the same time; changes no result
    #[arg(long, value_name = "N", default_value_t = 1)]
    slots: usize,
    /// The folder that the experiment's files are relative to, if not the same as where it was started
    #[arg(long, value_name = "DIR")]
    base: Option<PathBuf>,
    /// End the process when a trial says nothing for so long; by default three times its deadline, if
    /// it has one
    #[arg(long, value_name = "SECONDS")]
    stall: Option<f64>,
    #[command(flatten)]
    mixed: Mixed,
    #[command(flatten)]
    datasets: DataDir,
    /// Say nothing on stderr but errors
    #[arg(long, short)]
    quiet: bool,
}

/// Works until the run is over or the process is told to end.
pub fn run(args: &Args, terminal: &mut Terminal) -> Result<(), Failure> {
    if args.quiet {
        terminal.be_quiet();
    }
    if args.slots == 0 {
        return Err(Failure::Input("`--slots` is at least 1".to_owned()));
    }
    let stop = interrupt::flag();
    let abandon = |error: &_| {
        terminal::say(&format!("error: {error}"));
        std::process::exit(i32::from(Exit::Failure.code()));
    };
    let options = WorkerOptions {
        address: args.address.address()?,
        program: shared::program()?,
        mixed: args.mixed.is_allowed(),
        slots: args.slots,
        name: name(),
        base: args.base.clone(),
        datasets: args.datasets.named(),
        stall: args.stall.map(limit).transpose()?,
        patience: shared::patience(),
        away: shared::away(args.quiet),
        stop: &stop,
        abandon: &abandon,
    };
    let quiet = terminal.is_quiet();
    let end = work(&options, &|event| {
        if !quiet {
            terminal::say(&line(event));
        }
    })?;
    match end {
        WorkerEnd::RunEnded => {
            terminal.say("the run is over");
            Ok(())
        }
        WorkerEnd::Stopped => Err(Failure::Interrupted(
            "stopped; what was begun is given back, and goes on elsewhere".to_owned(),
        )),
    }
}

fn limit(seconds: f64) -> Result<Duration, Failure> {
    let limit = Duration::try_from_secs_f64(seconds).ok();
    let limit = limit.filter(|limit| !limit.is_zero());
    limit.ok_or_else(|| Failure::Input("`--stall` is more than 0 seconds".to_owned()))
}

/// What people call this worker: its machine and its process.
fn name() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = host.trim();
    let host = if host.is_empty() { "unknown" } else { host };
    format!("{host}:{}", std::process::id())
}

fn line(event: &WorkerEvent) -> String {
    match event {
        WorkerEvent::Joined { run, workers } => {
            let numbers: Vec<String> = workers.iter().map(ToString::to_string).collect();
            format!("works for `{run}` as {}", numbers.join(", "))
        }
        WorkerEvent::Begun { unit, attempt: 1 } => format!("{unit}: begun"),
        WorkerEvent::Begun { unit, attempt } => format!("{unit}: begun, for the {attempt}. time"),
        WorkerEvent::Finished { unit } => format!("{unit}: done"),
        WorkerEvent::Refused { unit } => {
            format!("{unit}: refused, it came too late: another worker has it")
        }
        WorkerEvent::Lost { unit } => format!("{unit}: given up, its lease ran out"),
        WorkerEvent::Hung { unit } => format!("{unit}: stopped, it said nothing any more"),
        WorkerEvent::Released { unit } => format!("{unit}: given back"),
    }
}
