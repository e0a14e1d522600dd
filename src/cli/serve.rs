//! `strata serve`: runs in a browser while they go on.

use super::failure::Failure;
use super::recent::RUNS;
use super::shared::{self, AddressText, RunText};
use super::terminal::Terminal;
use crate::live::{Library, RunsDatabase, RunsFolder, Server};
use std::io::ErrorKind;
use std::path::Path;

/// Arguments of `strata serve`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A folder of runs, a run folder or a comparison's; or an address as of --journal
    #[arg(value_name = "RUNS", default_value = RUNS)]
    runs: RunText,
    /// The runs in this database instead, or the one that is named: postgres://user@host/database?run=name
    #[arg(long, value_name = "ADDRESS", conflicts_with = "runs")]
    journal: Option<AddressText>,
    /// The address to listen at; any but this machine's own lets others read the runs
    #[arg(long, value_name = "HOST", default_value = "127.0.0.1")]
    host: String,
    /// The port; 0 is any that is free
    #[arg(long, value_name = "PORT", default_value_t = 8642)]
    port: u16,
}

/// Serves until it is interrupted.
pub fn run(args: &Args, terminal: &mut Terminal) -> Result<(), Failure> {
    let (library, empty) = match (&args.journal, &args.runs) {
        (Some(address), _) | (None, RunText::Shared(address)) => of_database(address)?,
        (None, RunText::Folder(folder)) => of_folder(folder)?,
    };
    let server =
        Server::bind(library, &args.host, args.port).map_err(|error| refused(args, &error))?;
    terminal.line(&server.url())?;
    if let Some(empty) = empty {
        terminal.say(&format!("{empty}; runs appear when they are begun"));
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

/// Runs to be shown, and what to say if there are none yet.
type Shown = (Box<dyn Library>, Option<String>);

fn of_folder(folder: &Path) -> Result<Shown, Failure> {
    let name = folder.display();
    if folder.exists() && !folder.is_dir() {
        return Err(Failure::Input(format!("{name} is no folder")));
    }
    let empty = (!folder.exists()).then(|| format!("{name} does not exist yet"));
    Ok((Box::new(RunsFolder::new(folder)), empty))
}

fn of_database(address: &AddressText) -> Result<Shown, Failure> {
    let address = address.address()?;
    let named = address
        .run()
        .map(|run| format!("there is no run `{run}` yet"));
    let library = RunsDatabase::open(address).map_err(shared::failure)?;
    let empty = named.unwrap_or_else(|| "there is no run in the database yet".to_owned());
    let is_empty = library.names()?.is_empty();
    Ok((Box::new(library), is_empty.then_some(empty)))
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
