//! `strata status`: how a run stands.

use super::failure::Failure;
use super::recent::Run;
use super::terminal::Terminal;
use super::{numbers, report};
use crate::run::{FinalProgress, Summary};

/// Arguments of `strata status`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    run: Run,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// Reads the journal and sums it up.
pub fn run(args: &Args, terminal: &mut Terminal) -> Result<(), Failure> {
    let summary = args.run.read_in_brief(terminal)?.summary()?;
    if args.json {
        return terminal.json(&summary);
    }
    terminal.line(&format!("{} in {}", summary.name, summary.folder))?;
    terminal.line(&phase(&summary))?;
    terminal.line(&trials(&summary))?;
    if let Some(best) = &summary.best {
        let (trial, params) = (best.trial, numbers::grouped(best.params));
        let score = report::score_and_epoch(best);
        terminal.line(&format!(
            "best: trial {trial}, validation {} {score}, {params} params",
            summary.score_name
        ))?;
    }
    if let Some(notice) = &summary.notice {
        terminal.say(notice);
    }
    let progress = summary.final_progress.filter(|_| summary.ended.is_none());
    if let Some(progress) = &progress {
        terminal.line(&final_evaluation(progress))?;
    }
    if let Some(said) = crate::report::looks(&summary.test_looks) {
        terminal.line(&said)?;
    }
    report::finals_table(&summary.finals, terminal)?;
    report::look(summary.look, terminal)?;
    terminal.line(&format!("journal digest {}", summary.digest))?;
    if summary.ended.is_none() {
        terminal.say(&format!(
            "if nothing runs it now: `strata resume {}`",
            summary.folder
        ));
    }
    Ok(())
}

fn phase(summary: &Summary) -> String {
    let time = numbers::seconds(summary.seconds);
    match summary.ended {
        Some(reason) => format!("ended: {}, after {time}", reason.describe()),
        None => format!("not ended: {}, after {time}", summary.phase),
    }
}

/// How far the final evaluation is.
fn final_evaluation(progress: &FinalProgress) -> String {
    let of = |done, all, what| {
        format!(
            "{} of {}",
            numbers::grouped(done),
            numbers::plural(all, what)
        )
    };
    let retrainings = of(progress.retrained, progress.retrainings, "retraining");
    let selections = match progress.selections {
        0 => String::new(),
        all => format!("{}, ", of(progress.selected, all, "selection training")),
    };
    let left = progress.seconds_left.map_or_else(String::new, |seconds| {
        format!("; about {} left", numbers::seconds(seconds))
    });
    format!("final evaluation: {selections}{retrainings}{left}")
}

fn trials(summary: &Summary) -> String {
    let mut out = numbers::plural(summary.trials, "trial");
    if let Some(budget) = summary.trials_budget {
        out.push_str(&format!(" of {}", numbers::grouped(budget)));
    }
    if summary.failed > 0 {
        out.push_str(&format!(", {} failed", numbers::grouped(summary.failed)));
    }
    if let Some(end) = summary.search_end {
        out.push_str(&format!("; {}", end.describe()));
    }
    out
}
