//! `strata serve`: runs in a browser while they go on.

use super::failure::Failure;
use super::recent::RUNS;
use super::terminal::Terminal;
use crate::live::{RunsFolder, Server};
use std::io::ErrorKind;
use std::path::PathBuf;

/// Arguments of `strata serve`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A folder of runs, a run folder or a comparison's
    #[arg(value_name = "RUNS", default_value = RUNS)]
    runs: PathBuf,
    /// The address to listen at; any but this machine's own lets others read the runs
    #[arg(long, value_name = "HOST", default_value = "127.0.0.1")]
    host: String,
    /// The port; 0 is any that is free
    #[arg(long, value_name = "PORT", default_value_t = 8642)]
    port: u16,
}

/// Serves until it is interrupted.
pub fn run(args: &Args, terminal: &mut Terminal) -> Result<(), Failure> {
    if args.runs.exists() && !args.runs.is_dir() {
        let message = format!("{} is no folder", args.runs.display());
        return Err(Failure::Input(message));
    }
    let library = Box::new(RunsFolder::new(&args.runs));
    let server =
        Server::bind(library, &args.host, args.port).map_err(|error| refused(args, &error))?;
    terminal.line(&server.url())?;
    if !args.runs.exists() {
        let runs = args.runs.display();
        terminal.say(&format!(
            "{runs} does not exist yet; runs appear when they are begun"
        ));
    }
    if server.is_public() {
        terminal.say(
            "warning: not only this machine can reach this address, and whoever does can read the runs",
        );
    }
    terminal.say("serving; end it with Ctrl-C");
    terminal.finish()?;
    server.run()
}

fn refused(args: &Args, error: &std::io::Error) -> Failure {
    let (host, port) = (&args.host, args.port);
    match error.kind() {
        ErrorKind::AddrInUse => Failure::Input(format!(
            "port {port} is taken; name another with --port, or any that is free with --port 0"
        )),
        _ => Failure::Input(format!("failed to listen at {host}, port {port}: {error}")),
    }
}
