//! `strata verify`: do a run's trials give the same again?

use super::elsewhere::{self, PlaceArgs};
use super::failure::Failure;
use super::recent::Run;
use super::terminal::Terminal;
use super::{numbers, search, train};
use crate::random::Seed;
use crate::run::{self, Sample, Verification};
use crate::search::TrialId;
use std::path::{Path, PathBuf};

/// Arguments of `strata verify`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    run: Run,
    /// How many trials
    #[arg(short = 'n', long = "number", default_value_t = 10)]
    number: usize,
    /// What the trials are drawn by
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// This trial instead
    #[arg(long, value_name = "T", conflicts_with_all = ["number", "seed"])]
    trial: Option<u64>,
    /// Write the network that the trial trains to this safetensors file
    #[arg(long, value_name = "FILE", requires = "trial")]
    save: Option<PathBuf>,
    /// Trials that run at the same time
    #[arg(long, value_name = "N")]
    workers: Option<usize>,
    #[command(flatten)]
    place: PlaceArgs,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// Runs some trials again and fails if a bit differs.
pub fn run(args: &Args, terminal: &mut Terminal) -> Result<(), Failure> {
    let folder = args.run.folder(terminal)?;
    let sample = match args.trial {
        Some(trial) => Sample::Trial(TrialId(trial)),
        None => Sample::Drawn(args.number, Seed(args.seed)),
    };
    let verification = search::watched((args.workers, None), terminal, |options, watch| {
        run::verify(&folder, sample, &args.place.with(options), watch)
    });
    let verification = verification.map_err(elsewhere::with_hint)?;
    if args.json {
        terminal.json(&verification)?;
    } else {
        describe(&verification, terminal)?;
    }
    let checked = numbers::plural(verification.checked.len() as u64, "trial");
    if !verification.is_equal() {
        let (then, now) = (&verification.made_by, &verification.verified_by);
        let why = match then == now {
            true => "by the program and on the processor that it was made by".to_owned(),
            false => format!("by {now}; it was made by {then}"),
        };
        return Err(Failure::Mismatch(format!(
            "not every trial gives the same again {why}"
        )));
    }
    if verification.interrupted {
        return Err(Failure::Interrupted(format!(
            "interrupted after {checked}; none of them differs"
        )));
    }
    let by = &verification.made_by;
    terminal.say(&format!(
        "verified {checked}: the same to the last bit as by {by}"
    ));
    match (&args.save, args.trial) {
        (Some(path), Some(trial)) => keep(path, &verification, (&folder, trial), terminal),
        _ => Ok(()),
    }
}

/// Keeps the weights of the one trial.
fn keep(
    path: &Path,
    verification: &Verification,
    (folder, trial): (&Path, u64),
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    let weights = verification
        .checked
        .iter()
        .find_map(|checked| checked.weights.as_deref());
    let Some(weights) = weights else {
        let message = format!("trial {trial} trains no network that could be kept");
        return Err(Failure::Input(message));
    };
    train::save(path, weights)?;
    let (folder, path) = (folder.display(), path.display());
    terminal.say(&format!(
        "weights written to {path}; take it home with `strata export {folder}#{trial} --weights {path} --to onnx`"
    ));
    Ok(())
}

fn describe(verification: &Verification, terminal: &mut Terminal) -> Result<(), Failure> {
    for checked in &verification.checked {
        let found = match checked.differences.as_slice() {
            [] => "equal".to_owned(),
            differences => format!("differs: {}", differences.join("; ")),
        };
        terminal.line(&format!("trial {}: {found}", checked.trial))?;
    }
    Ok(())
}
