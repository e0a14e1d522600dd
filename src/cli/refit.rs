//! `strata refit`: a tested winner trained once more on all rows, to be taken home.

use super::elsewhere::{self, PlaceArgs};
use super::failure::Failure;
use super::recent::Run;
use super::terminal::Terminal;
use super::{numbers, search};
use crate::run::{self, Refitted};

/// Arguments of `strata refit`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    run: Run,
    #[command(flatten)]
    place: PlaceArgs,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// Trains each winner of the run once more.
pub fn run(args: &Args, terminal: &mut Terminal) -> Result<(), Failure> {
    let folder = args.run.folder(terminal)?;
    let refitted = search::watched((None, None), terminal, |options, watch| {
        run::refit(&folder, &args.place.with(options), watch)
    });
    let refitted = refitted.map_err(elsewhere::with_hint)?;
    let Some(refitted) = refitted else {
        let again = format!(
            "interrupted; `strata refit {}` begins again",
            folder.display()
        );
        return Err(Failure::Interrupted(again));
    };
    if args.json {
        return terminal.json(&refitted);
    }
    for one in &refitted {
        terminal.line(&describe(one))?;
    }
    terminal.say(&format!(
        "take it home with `strata export {} --refitted --to onnx`",
        folder.display()
    ));
    Ok(())
}

/// What is known of a network that was trained on all rows.
pub fn describe(refitted: &Refitted) -> String {
    let Refitted {
        subject,
        trial,
        rows,
        score_name,
        tested,
        weights,
    } = refitted;
    format!(
        "{subject} (trial {trial}): trained on all {} rows after it had scored {tested:.4} ({score_name}) on the test \
         part; it has no test score of its own; {}",
        numbers::grouped(*rows),
        weights.display()
    )
}
