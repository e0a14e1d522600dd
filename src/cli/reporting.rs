//! `strata report` and `strata importance`: what a run or a comparison found.

use super::failure::Failure;
use super::recent::Run;
use super::report::{self, Format};
use super::table::{Side, Table};
use super::terminal::Terminal;
use crate::report::{Analysis, FEWEST, Importance};
use crate::run::RecordedRun;
use crate::run::comparison::RecordedComparison;
use std::path::PathBuf;

/// Arguments of `strata report`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    run: Run,
    /// What is written
    #[arg(long, value_name = "FORMAT", default_value = "html")]
    format: Format,
    /// Where it is written, - for stdout; by default stdout, and for HTML report.html in the folder
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Writes the report of a run or a comparison.
pub fn run(args: &Args, terminal: &mut Terminal) -> Result<(), Failure> {
    let folder = args.run.folder(terminal)?;
    let text = if RecordedComparison::is_in(&folder) {
        let comparison = RecordedComparison::open(&folder)?;
        let analysis = Analysis::of(&comparison)?;
        report::comparison(&comparison, &analysis, args.format)?
    } else {
        report::single(&RecordedRun::open(&folder)?, args.format)?
    };
    let path = match (&args.output, args.format) {
        (Some(path), _) if path.as_os_str() == "-" => return terminal.data(&text),
        (Some(path), _) => path.clone(),
        (None, Format::Html) => folder.join("report.html"),
        (None, _) => return terminal.data(&text),
    };
    report::write(&path, &text)?;
    terminal.say(&format!("the report: {}", path.display()));
    Ok(())
}

/// Arguments of `strata importance`.
#[derive(Debug, clap::Args)]
pub struct ImportanceArgs {
    #[command(flatten)]
    run: Run,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// Says which decisions of a run or a comparison mattered.
pub fn importance(args: &ImportanceArgs, terminal: &mut Terminal) -> Result<(), Failure> {
    let folder = args.run.folder(terminal)?;
    let found = if RecordedComparison::is_in(&folder) {
        let comparison = RecordedComparison::open(&folder)?;
        let runs: Vec<&RecordedRun> = comparison.runs().iter().map(|(_, run)| run).collect();
        Importance::of(&runs)?
    } else {
        Importance::of(&[&RecordedRun::open(&folder)?])?
    };
    if args.json {
        return terminal.json(&found);
    }
    let Some(found) = found else {
        return Err(Failure::Other(format!(
            "{}: too few trials have a score, or all have the same; {FEWEST} with a full training are needed, and those \
             of a lower fidelity don't count",
            folder.display()
        )));
    };
    terminal.line(&format!(
        "{} trials; a forest explains {:.0}% of the variance of scores in trials it was not fitted to",
        found.trials,
        100.0 * found.explained.max(0.0)
    ))?;
    let mut table = Table::new(&[
        ("share", Side::Right),
        ("decision", Side::Left),
        ("options by mean score (trials)", Side::Left),
    ]);
    for effect in &found.decisions {
        let option = |option: &crate::report::OptionEffect| {
            let name = option.name.as_deref().unwrap_or("not decided");
            format!("{name} {:.4} ({})", option.mean, option.trials)
        };
        let options: Vec<String> = effect.options.iter().map(option).collect();
        table.row(vec![
            format!("{:.1}%", 100.0 * effect.share),
            effect.address.clone(),
            options.join(", "),
        ]);
    }
    terminal.data(&table.render())
}
