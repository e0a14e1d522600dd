//! `strata best`: the answer a run gave.

use super::failure::Failure;
use super::recent::Run;
use super::report;
use super::show::{self, Format};
use super::terminal::Terminal;
use crate::architecture::ArchitectureJson;
use crate::layers::Value;
use crate::run::{Bound, FinalRow, RecordedRun, TrialRow};
use serde::Serialize;
use std::collections::BTreeMap;

/// Arguments of `strata best`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    run: Run,
    /// The best of those with at most this much of something, as in params=100k or macs=2.5M,params=1M:
    /// params, macs, activation_bytes, layers, depth, or a figure that the evaluator gives
    #[arg(long, value_name = "NAME=MOST", value_delimiter = ',', value_parser = bound)]
    under: Vec<Bound>,
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
    let trial = chosen(&run, &args.under)?;
    let candidate = run.candidate(trial.trial)?;
    if let Some(format) = args.format {
        return show::print(&candidate.architecture, format, terminal);
    }
    let is_winner = args.under.is_empty() || run.best().is_some_and(|best| best == trial);
    // What was tested is the winner and nothing else.
    let finals = if is_winner { run.finals()? } else { Vec::new() };
    if args.json {
        let architecture = candidate.architecture.to_json();
        return terminal.json(&Best {
            trial,
            recipe: candidate.recipe,
            architecture,
            finals,
        });
    }
    report::trial(&run, &trial, terminal)?;
    report::finals_table(&finals, terminal)?;
    let files = run.folder().best();
    if is_winner && files.is_dir() {
        terminal.say(&format!(
            "its network and weights are in {}",
            files.display()
        ));
    }
    Ok(())
}

/// The best trial within bounds.
fn chosen(run: &RecordedRun, under: &[Bound]) -> Result<TrialRow, Failure> {
    if under.is_empty() {
        return report::the_best(run);
    }
    run.best_under(under)?.ok_or_else(|| {
        let bounds: Vec<String> = under
            .iter()
            .map(|bound| format!("{} <= {}", bound.name, bound.most))
            .collect();
        Failure::Other(format!(
            "no trial of {} with a score has {}; `strata pareto` lists what there is",
            run.folder().path().display(),
            bounds.join(" and ")
        ))
    })
}

/// A bound such as `params=100k`.
fn bound(text: &str) -> Result<Bound, String> {
    let (name, most) = text
        .split_once('=')
        .ok_or_else(|| "write it as in `params=100k`".to_owned())?;
    let (digits, unit) = match most.char_indices().last() {
        Some((at, 'k')) => (&most[..at], 1e3),
        Some((at, 'M')) => (&most[..at], 1e6),
        Some((at, 'G')) => (&most[..at], 1e9),
        _ => (most, 1.0),
    };
    let number: f64 = digits
        .parse()
        .map_err(|_| format!("`{most}` is no number such as `250`, `100k`, `2.5M` or `1G`"))?;
    let (name, most) = (name.to_owned(), number * unit);
    Ok(Bound { name, most })
}

#[cfg(test)]
mod tests {
    use super::bound;

    #[test]
    fn bounds_have_units_of_thousands() {
        let most = |text| bound(text).map(|bound| bound.most);
        assert_eq!(most("params=100k"), Ok(100_000.0));
        assert_eq!(most("macs=2.5M"), Ok(2_500_000.0));
        assert_eq!(most("latency_ms=0.25"), Ok(0.25));
        assert!(most("params").is_err() && most("params=manyk").is_err());
    }
}
