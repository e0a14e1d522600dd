//! `strata best`: the answer a run gave.

use super::failure::Failure;
use super::recent::Run;
use super::report;
use super::show::{self, Format};
use super::terminal::Terminal;
use crate::architecture::ArchitectureJson;
use crate::layers::Value;
use crate::run::{FinalRow, TrialRow};
use serde::Serialize;
use std::collections::BTreeMap;

/// Arguments of `strata best`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    run: Run,
    /// Everything about it as JSON: the trial, the network and the test accuracies
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// Only the network, in this form
    #[arg(long, value_enum)]
    format: Option<Format>,
}

#[derive(Serialize)]
struct Best {
    trial: TrialRow,
    recipe: BTreeMap<String, Value>,
    architecture: ArchitectureJson,
    finals: Vec<FinalRow>,
}

/// Prints the best network of a run and how it did.
pub fn run(args: &Args, terminal: &mut Terminal) -> Result<(), Failure> {
    let run = args.run.read(terminal)?;
    let trial = report::the_best(&run)?;
    let candidate = run.candidate(trial.trial)?;
    if let Some(format) = args.format {
        return show::print(&candidate.architecture, format, terminal);
    }
    let finals = run.finals()?;
    if args.json {
        let architecture = candidate.architecture.to_json();
        return terminal.json(&Best {
            trial,
            recipe: candidate.recipe,
            architecture,
            finals,
        });
    }
    report::best(&run, terminal)?;
    report::finals_table(&finals, terminal)?;
    let files = run.folder().best();
    if files.is_dir() {
        terminal.say(&format!(
            "its network and weights are in {}",
            files.display()
        ));
    }
    Ok(())
}
