//! `strata launch`: starts workers for a shared run and keeps as many as were asked for.

use super::failure::Failure;
use super::interrupt;
use super::shared::{self, AddressText};
use super::terminal::Terminal;
use crate::run::launch::{
    Keeping, LaunchError, LaunchEvent, Launcher, Local, Slurm, SlurmOptions, keep,
};
use crate::run::shared::{Address, PasswordFrom, RunWatch};
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

/// Arguments of `strata launch`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    place: Place,
}

#[derive(Debug, clap::Subcommand)]
enum Place {
    /// Processes of this machine
    Local {
        #[command(flatten)]
        common: Common,
    },
    /// Jobs of the Slurm workload manager, as arrays; what follows `--` goes to `sbatch`
    Slurm {
        #[command(flatten)]
        common: Common,
        /// Where the jobs' output goes
        #[arg(long, value_name = "DIR", default_value = ".")]
        logs: PathBuf,
        /// Further options of sbatch, such as --partition=gpu --gres=gpu:1 --time=4:00:00
        #[arg(last = true, value_name = "SBATCH")]
        further: Vec<String>,
    },
}

#[derive(Debug, clap::Args)]
struct Common {
    /// The run: postgres://user@host/database?run=name
    #[arg(value_name = "ADDRESS")]
    address: AddressText,
    /// How many workers
    #[arg(short = 'n', long, value_name = "N")]
    workers: usize,
    /// How often they are counted, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 10.0)]
    every: f64,
    /// An argument for each worker, such as --worker=--slots=4; may be given again and again
    #[arg(long = "worker", value_name = "ARGUMENT", allow_hyphen_values = true)]
    worker: Vec<String>,
}

/// Keeps workers until the run is over.
pub fn run(args: &Args, terminal: &mut Terminal) -> Result<(), Failure> {
    match &args.place {
        Place::Local { common } => {
            let address = common.address.address()?;
            let environment = match (address.password_from(), address.password()) {
                (PasswordFrom::Address, Some(password)) => {
                    vec![("PGPASSWORD".to_owned(), password.reveal().to_owned())]
                }
                _ => Vec::new(),
            };
            let command: Vec<OsString> = common
                .arguments(&address)
                .into_iter()
                .map(Into::into)
                .collect();
            let mut local = Local::new(program()?, command, environment);
            common.keep(&mut local, address, terminal)
        }
        Place::Slurm {
            common,
            logs,
            further,
        } => {
            let address = common.address.address()?;
            if address.password_from() == PasswordFrom::Address {
                return Err(Failure::Input(
                    "a job's command line can be read by others: leave the password out of the \
                     address and write it into ~/.pgpass, which the nodes read too"
                        .to_owned(),
                ));
            }
            let program = program()?.to_string_lossy().into_owned();
            let mut command = vec![program];
            command.extend(common.arguments(&address));
            let run = address.run().unwrap_or_default();
            let mut slurm = Slurm::new(SlurmOptions {
                name: format!("strata-{run}"),
                command,
                logs: logs.clone(),
                further: further.clone(),
            });
            common.keep(&mut slurm, address, terminal)
        }
    }
}

impl Common {
    fn arguments(&self, address: &Address) -> Vec<String> {
        let mut arguments = vec!["worker".to_owned(), address.to_string()];
        arguments.extend(self.worker.iter().cloned());
        arguments
    }

    fn keep(
        &self,
        launcher: &mut dyn Launcher,
        address: Address,
        terminal: &mut Terminal,
    ) -> Result<(), Failure> {
        let period = Duration::try_from_secs_f64(self.every)
            .ok()
            .filter(|period| !period.is_zero())
            .ok_or_else(|| Failure::Input("`--every` is more than 0 seconds".to_owned()))?;
        let stop = interrupt::flag();
        let mut watched =
            RunWatch::open(address, shared::patience(), &stop).map_err(shared::failure)?;
        let keeping = Keeping {
            workers: self.workers,
            period,
            stop: &stop,
        };
        let kept = keep(launcher, keeping, &mut || watched.is_over(), &mut |event| {
            terminal.say(&line(event));
        });
        if kept.is_err() {
            // The error is what is told; workers that are left end with the run.
            let _ = launcher.end();
        }
        kept.map_err(|error| match error {
            LaunchError::Shared(error) => shared::failure(error),
            error => Failure::Other(error.to_string()),
        })?;
        if stop.load(std::sync::atomic::Ordering::Relaxed) {
            return Err(Failure::Interrupted(
                "stopped; the workers were told to end".to_owned(),
            ));
        }
        Ok(())
    }
}

fn program() -> Result<PathBuf, Failure> {
    std::env::current_exe().map_err(|error| {
        Failure::Other(format!(
            "the system doesn't say where this program is: {error}"
        ))
    })
}

fn line(event: &LaunchEvent) -> String {
    match event {
        LaunchEvent::Started { count, name } => {
            let plural = if *count == 1 { "" } else { "s" };
            format!("started {count} worker{plural}: {name}")
        }
        LaunchEvent::Cancelled(jobs) => format!("cancelled what was held: {}", jobs.join(", ")),
        LaunchEvent::Unclear(why) => format!("can't count the workers at the moment: {why}"),
        LaunchEvent::Ended => "the run is over, or was stopped".to_owned(),
    }
}
