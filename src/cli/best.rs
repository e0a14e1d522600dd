//! `strata best`: the answer a run gave.

use super::failure::Failure;
use super::recent::Run;
use super::report;
use super::show::{self, Format};
use super::terminal::Terminal;
use crate::architecture::ArchitectureJson;
use crate::evaluation::is_gain;
use crate::layers::Value;
use crate::run::{Bound, FinalRow, Limit, RecordedRun, TrialRow, amount as amount_of};
use serde::Serialize;
use std::collections::BTreeMap;

/// Arguments of `strata best`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    run: Run,
    /// The best of those with at most this much of something, as in params=100k or macs=2.5M,params=1M:
    /// params, macs, activation_bytes, layers, depth, receptive_field, or a figure that the evaluator gives
    #[arg(long, value_name = "NAME=MOST", value_delimiter = ',', value_parser = under)]
    under: Vec<Bound>,
    /// The best of those with at least this much of something, as in auroc=0.9
    #[arg(long, value_name = "NAME=LEAST", value_delimiter = ',', value_parser = over)]
    over: Vec<Bound>,
    /// Everything about it as JSON: the trial, the network and the test scores
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
    let bounds: Vec<Bound> = args.under.iter().chain(&args.over).cloned().collect();
    let trial = chosen(&run, &bounds)?;
    let candidate = run.candidate(trial.trial)?;
    if let Some(format) = args.format {
        return show::print(&candidate.architecture, format, terminal);
    }
    let is_winner = bounds.is_empty() || run.best().is_some_and(|best| best == trial);
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
    if let Some(notice) = run.notice()? {
        terminal.say(&notice);
    }
    let files = run.folder().best();
    if is_winner && files.is_dir() {
        terminal.say(&format!(
            "its network and weights are in {}",
            files.display()
        ));
        if files.join("refitted.safetensors").is_file() {
            terminal.say(
                "refitted.safetensors there was trained on all rows, test examples included, after that: the test score is \
                 that of the network trained without them",
            );
        }
    }
    Ok(())
}

/// The best trial within bounds.
fn chosen(run: &RecordedRun, bounds: &[Bound]) -> Result<TrialRow, Failure> {
    if bounds.is_empty() {
        return report::the_best(run);
    }
    run.best_within(bounds)?.ok_or_else(|| {
        let bounds: Vec<String> = bounds.iter().map(Bound::to_string).collect();
        Failure::Other(format!(
            "no trial of {} with a score has {}; `strata pareto` lists what there is",
            run.folder().path().display(),
            bounds.join(" and ")
        ))
    })
}

/// An upper bound such as `params=100k`.
fn under(text: &str) -> Result<Bound, String> {
    let (name, most) = figure(text)?;
    if is_gain(&name) {
        return Err(format!(
            "`{name}` is to be large: write `--over {text}` for those with at least so much"
        ));
    }
    let limit = Limit::Most(most);
    Ok(Bound { name, limit })
}

/// A lower bound such as `auroc=0.9`.
fn over(text: &str) -> Result<Bound, String> {
    let (name, least) = figure(text)?;
    let limit = Limit::Least(least);
    Ok(Bound { name, limit })
}

/// A figure and how much of it, as in `params=100k`.
pub(super) fn figure(text: &str) -> Result<(String, f64), String> {
    let (name, amount) = text
        .split_once('=')
        .ok_or_else(|| "write it as in `params=100k`".to_owned())?;
    Ok((name.to_owned(), amount_of(amount)?))
}

#[cfg(test)]
mod tests {
    use super::{figure, over, under};

    #[test]
    fn bounds_have_units_of_thousands() {
        let most = |text| figure(text).map(|(_, most)| most);
        assert_eq!(most("params=100k"), Ok(100_000.0));
        assert_eq!(most("macs=2.5M"), Ok(2_500_000.0));
        assert_eq!(most("latency_ms=0.25"), Ok(0.25));
        assert!(most("params").is_err() && most("params=manyk").is_err());
    }

    #[test]
    fn what_is_to_be_large_has_a_bound_below() {
        let refused = under("auroc=0.8").unwrap_err();
        assert!(refused.contains("`--over auroc=0.8`"), "{refused}");
        assert_eq!(over("auroc=0.8").unwrap().to_string(), "auroc >= 0.8");
        assert_eq!(under("params=1").unwrap().to_string(), "params <= 1");
    }
}
