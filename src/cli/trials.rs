//! `strata trials`: everything a run tried.

use super::failure::Failure;
use super::recent::Run;
use super::table::{Side, Table};
use super::terminal::Terminal;
use super::{numbers, report};
use crate::run::TrialRow;
use crate::search::TrialId;

/// Arguments of `strata trials`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    run: Run,
    /// As JSON, one trial a line
    #[arg(long)]
    json: bool,
    /// Only those that failed
    #[arg(long)]
    failed: bool,
}

/// Lists the trials in order.
pub fn run(args: &Args, terminal: &mut Terminal) -> Result<(), Failure> {
    let run = args.run.read(terminal)?;
    let mut rows = run.trials();
    if args.failed {
        rows.retain(|row| row.failure.is_some());
    }
    if args.json {
        return rows.iter().try_for_each(|row| terminal.json_line(row));
    }
    if rows.is_empty() {
        terminal.say(if args.failed {
            "no trial failed"
        } else {
            "no trial has been proposed yet"
        });
        return Ok(());
    }
    terminal.data(&table(&rows, run.score_name()?))
}

fn table(rows: &[TrialRow], score_name: &str) -> String {
    let mut table = Table::new(&[
        ("trial", Side::Right),
        (score_name, Side::Right),
        ("loss", Side::Right),
        ("epochs", Side::Right),
        ("best", Side::Right),
        ("params", Side::Right),
        ("MACs", Side::Right),
        ("time", Side::Right),
        ("from", Side::Left),
        ("", Side::Left),
    ]);
    for row in rows {
        table.row([
            row.trial.to_string(),
            report::score(row),
            row.loss
                .map_or_else(|| "-".to_owned(), |loss| format!("{loss:.4}")),
            row.epochs.len().to_string(),
            row.best_epoch
                .map_or_else(|| "-".to_owned(), |epoch| epoch.to_string()),
            numbers::grouped(row.params),
            numbers::grouped(row.macs),
            row.seconds.map_or_else(|| "-".to_owned(), numbers::seconds),
            origin(row),
            remark(row),
        ]);
    }
    table.render()
}

/// The trials it was made from, or the one that it goes on from.
fn origin(row: &TrialRow) -> String {
    if let Some(earlier) = row.continues {
        return format!("{earlier}, on");
    }
    let parents = row.parents.iter().map(TrialId::to_string);
    parents.collect::<Vec<_>>().join(" and ")
}

fn remark(row: &TrialRow) -> String {
    match (row.failure, &row.message) {
        (Some(kind), Some(message)) => format!("{}: {message}", kind.name()),
        (Some(kind), None) => kind.name().to_owned(),
        (None, _) if !row.done => "no result yet".to_owned(),
        (None, _) => row
            .fidelity
            .map_or_else(String::new, |fidelity| fidelity.to_string()),
    }
}
