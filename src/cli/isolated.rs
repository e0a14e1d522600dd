//! `strata isolated`: a process that does a run's trials as it is told through a pipe, started by the run
//! itself.

use super::elsewhere::PlaceArgs;
use super::failure::Failure;
use super::{Exit, terminal};
use crate::run::{self, WorkerProgram};
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

/// Arguments of `strata isolated`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The run folder
    #[arg(value_name = "RUN")]
    folder: PathBuf,
    #[command(flatten)]
    place: PlaceArgs,
}

/// The program as a worker. It does without a [`Terminal`](super::terminal::Terminal), which keeps
/// standard output to one thread.
pub fn main(args: &Args) -> ExitCode {
    match run(args) {
        Ok(()) => Exit::Success.into(),
        Err(failure) => {
            terminal::say(&failure.render(false));
            failure.exit().into()
        }
    }
}

/// Works until there are no more orders.
pub fn run(args: &Args) -> Result<(), Failure> {
    let leave = || std::process::exit(i32::from(Exit::Success.code()));
    let place = args.place.place();
    run::work(&args.folder, &place, io::stdin(), io::stdout(), leave)?;
    Ok(())
}

/// This program as a worker's, if the system says where it is.
pub fn program() -> Option<WorkerProgram> {
    let path = std::env::current_exe().ok()?;
    let arguments = vec!["isolated".to_owned()];
    Some(WorkerProgram { path, arguments })
}
