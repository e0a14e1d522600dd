//! What a run found, for people.

use super::failure::Failure;
use super::numbers;
use super::table::{Side, Table};
use super::terminal::Terminal;
use crate::architecture;
use crate::evaluation::{FAILURES, FailureInfo};
use crate::report::{
    Analysis, comparison_csv, comparison_markdown, comparison_page, run_csv, run_markdown,
    run_page, worth,
};
use crate::run::comparison::RecordedComparison;
use crate::run::{
    EndReason, Ending, FinalRow, Nearest, RecordedRun, SearchEnd, Subject, Summary, TrialRow,
    Within,
};
use crate::training::Direction;
use serde::Serialize;
use std::path::Path;

/// Tells how a run ended: its best network, the final evaluation, and what can be done next.
///
/// # Errors
/// When it was interrupted, nothing finished, or its folder can't be read.
pub fn ending(ending: &Ending, terminal: &mut Terminal) -> Result<(), Failure> {
    let folder = ending.folder.display();
    match ending.reason {
        None => Err(Failure::Interrupted(format!(
            "interrupted; go on with `strata resume {folder}`"
        ))),
        Some(EndReason::Completed) => completed(&ending.folder, terminal),
        Some(EndReason::NothingWithin) => Err(nothing_within(&ending.folder)?),
        Some(EndReason::NothingFinished) if was_out_of_time(&ending.folder)? => {
            Err(Failure::Other(format!(
                "no trial had ended when the time of `[budget] total_seconds` was over; give it more with `strata resume \
                 {folder} --total-seconds S`"
            )))
        }
        Some(reason) => Err(Failure::Other(format!(
            "{}; see `strata trials {folder} --failed`",
            reason.describe()
        ))),
    }
}

/// What came nearest to the bounds that no trial met.
fn nothing_within(folder: &Path) -> Result<Failure, Failure> {
    let run = RecordedRun::open(folder)?;
    let folder = folder.display();
    let each = |found: &Nearest| {
        let figure = |(name, figure): &(String, f64)| format!("{name} {figure}");
        let figures: Vec<String> = found.figures.iter().map(figure).collect();
        let (within, trial) = (&found.within, found.trial);
        format!(
            "no trial with a score has {within}; the nearest is trial {trial} with {}",
            figures.join(", ")
        )
    };
    let all: Vec<String> = run.nearest()?.iter().map(each).collect();
    Ok(Failure::Other(format!(
        "{}: nothing was tested; `strata best {folder}` shows the best of all trials, and a `require` in the space keeps \
         what is larger out of a new search",
        all.join("; ")
    )))
}

/// Says how many trials were outside of the winner's bounds from the beginning.
fn in_vain(run: &RecordedRun, terminal: &mut Terminal) -> Result<(), Failure> {
    let count = run.in_vain()?;
    if count > 0 {
        let within: Vec<String> = run
            .started()
            .experiment
            .last
            .within
            .iter()
            .map(Within::to_string)
            .collect();
        terminal.say(&format!(
            "{count} of {} were outside of {} by figures that are known before training: `require` in the space would \
             have saved them",
            numbers::plural(run.state().trials(), "trial"),
            within.join(" or of ")
        ));
    }
    Ok(())
}

/// Whether a search ended for the sake of the time of the whole run.
fn was_out_of_time(folder: &Path) -> Result<bool, Failure> {
    let run = RecordedRun::open_in_brief(folder)?;
    let searched = run.state().searched.as_ref();
    Ok(searched.is_some_and(|searched| searched.reason == SearchEnd::TotalSeconds))
}

fn completed(folder: &Path, terminal: &mut Terminal) -> Result<(), Failure> {
    let run = RecordedRun::open_in_brief(folder)?;
    best(&run, terminal)?;
    let finals = run.finals()?;
    finals_table(&finals, terminal)?;
    let summary = run.summary()?;
    look(summary.look, terminal)?;
    in_vain(&run, terminal)?;
    if let Some(notice) = &summary.notice {
        terminal.say(notice);
    }
    if let Some(line) = failures(&run) {
        terminal.say(&line);
    }
    let folder = folder.display();
    terminal.line(&format!(
        "run folder {folder}, journal digest {}",
        summary.digest
    ))?;
    terminal.say(&format!(
        "took {}; look closer with `strata best {folder}`, check with `strata verify {folder}`",
        numbers::seconds(summary.seconds)
    ));
    Ok(())
}

/// How many trials failed, and of what; nothing if none did.
fn failures(run: &RecordedRun) -> Option<String> {
    let kinds = run.state().failed();
    let of = |info: &FailureInfo| {
        let count = kinds.get(&info.kind)?;
        Some(format!("{count} {}", info.name))
    };
    let parts: Vec<String> = FAILURES.iter().filter_map(of).collect();
    (!parts.is_empty()).then(|| {
        let (failed, trials) = (kinds.values().sum::<u64>(), run.state().outcomes.len());
        let (parts, folder) = (parts.join(", "), run.folder().path().display());
        format!(
            "{failed} of {trials} trials failed: {parts}; see `strata trials {folder} --failed`"
        )
    })
}

/// The best trial in a line, then its network as a table.
///
/// # Errors
/// When no trial has a score, or stdout can't be written.
pub fn best(run: &RecordedRun, terminal: &mut Terminal) -> Result<(), Failure> {
    let row = the_best(run)?;
    trial(run, &row, terminal)
}

/// A trial that is the best in some way in a line, then its network as a table.
///
/// # Errors
/// When stdout can't be written.
pub fn trial(run: &RecordedRun, row: &TrialRow, terminal: &mut Terminal) -> Result<(), Failure> {
    terminal.line(&format!(
        "best of {}: trial {}, validation {} {}, {} params, {} MACs",
        numbers::plural(run.state().trials(), "trial"),
        row.trial,
        run.score_name()?,
        score_and_epoch(row),
        numbers::grouped(row.params),
        numbers::grouped(row.macs)
    ))?;
    let candidate = run.candidate(row.trial)?;
    terminal.data(&architecture::text(&candidate.architecture))?;
    for (name, value) in &candidate.recipe {
        terminal.line(&format!("trained with {name} {value}"))?;
    }
    Ok(())
}

/// The best trial of a run.
///
/// # Errors
/// When no trial has a score.
pub fn the_best(run: &RecordedRun) -> Result<TrialRow, Failure> {
    run.best().ok_or_else(|| {
        let folder = run.folder().path().display();
        Failure::Other(format!(
            "no trial of {folder} has a score yet; see `strata status {folder}`"
        ))
    })
}

/// A trial's score for a table.
pub fn score(row: &TrialRow) -> String {
    row.score
        .map_or_else(|| "-".to_owned(), |score| format!("{score:.4}"))
}

/// A trial's score with the epoch that it is of: `0.9731 (epoch 7 of 60)`.
pub fn score_and_epoch(row: &TrialRow) -> String {
    let score = score(row);
    match row.best_of_epochs() {
        Some(epoch) => format!("{score} ({epoch})"),
        None => score,
    }
}

/// Test scores of the winner and the baselines. Nothing if nothing was tested.
///
/// # Errors
/// When stdout can't be written.
pub fn finals_table(rows: &[FinalRow], terminal: &mut Terminal) -> Result<(), Failure> {
    let Some(first) = rows.first() else {
        return Ok(());
    };
    let score = format!("test {}", first.score_name);
    let mut further: Vec<&String> = first.metrics.keys().collect();
    further.retain(|name| *name != first.score_name);
    let in_epochs = rows.iter().any(|row| row.epochs.is_some());
    let mut columns = vec![
        ("network", Side::Left),
        (score.as_str(), Side::Left),
        ("seeds", Side::Right),
        ("params", Side::Right),
        ("MACs", Side::Right),
        ("time", Side::Right),
    ];
    if in_epochs {
        columns.insert(3, ("epochs", Side::Right));
    }
    columns.extend(further.iter().map(|name| (name.as_str(), Side::Right)));
    let mut table = Table::new(&columns);
    for row in rows {
        let mut cells = vec![
            row.subject.to_string(),
            numbers::with_deviation(row.mean, row.deviation),
            seeds(row),
            numbers::grouped(row.params),
            row.macs.map_or_else(|| "-".to_owned(), numbers::grouped),
            row.seconds.map_or_else(|| "-".to_owned(), numbers::seconds),
        ];
        if in_epochs {
            cells.insert(3, epochs(row));
        }
        let figure = |name: &&String| row.metrics.get(*name).map(|figure| format!("{figure:.4}"));
        cells.extend(further.iter().map(|name| figure(name).unwrap_or_default()));
        table.row(cells);
    }
    terminal.data(&format!("\n{}", table.render()))?;
    for sentence in worth(rows) {
        terminal.line(&sentence)?;
    }
    for row in better_than_winner(rows) {
        let name = &row.subject;
        terminal.line(&format!(
            "{name} scores {} the winner on the test examples",
            match row.direction {
                Direction::Maximise => "above",
                Direction::Minimise => "below, which is better than,",
            }
        ))?;
    }
    Ok(())
}

/// Says which look at its test examples a run was, unless it was the first.
///
/// # Errors
/// When stdout can't be written.
pub fn look(look: Option<u32>, terminal: &mut Terminal) -> Result<(), Failure> {
    match look {
        Some(look) if look > 1 => terminal.line(&format!(
            "look {look} at these test examples: what was tried before was chosen by them too; `strata looks` lists \
             those before"
        )),
        _ => Ok(()),
    }
}

fn seeds(row: &FinalRow) -> String {
    match row.failed {
        0 => row.scores.len().to_string(),
        failed => format!("{} ({failed} failed)", row.scores.len()),
    }
}

/// For how many epochs it was retrained, of how many: `7 of 60`.
fn epochs(row: &FinalRow) -> String {
    match (row.epochs, row.recipe_epochs) {
        (Some(epochs), Some(all)) => format!("{epochs} of {all}"),
        _ => "-".to_owned(),
    }
}

fn better_than_winner(rows: &[FinalRow]) -> impl Iterator<Item = &FinalRow> {
    let winner = rows
        .iter()
        .find(|row| row.subject == Subject::Winner)
        .and_then(|row| row.mean);
    rows.iter()
        .filter(|row| row.model.is_none())
        .filter(|row| !matches!(row.subject, Subject::Within(_)))
        .filter(move |row| match (winner, row.mean) {
            (Some(winner), Some(mean)) => {
                row.direction.fitness(mean) > row.direction.fitness(winner)
            }
            _ => false,
        })
}

/// In what form a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// A page that is complete in one file
    Html,
    /// Text with tables
    Markdown,
    /// Every figure
    Json,
    /// Every test score of a comparison, or every trial of a run
    Csv,
}

/// The report of a comparison.
///
/// # Errors
/// When a run's files can't be read or have changed.
pub fn comparison(
    comparison: &RecordedComparison,
    analysis: &Analysis,
    format: Format,
) -> Result<String, Failure> {
    Ok(match format {
        Format::Html => comparison_page(comparison, analysis)?,
        Format::Markdown => comparison_markdown(analysis),
        Format::Json => json(analysis)?,
        Format::Csv => comparison_csv(analysis),
    })
}

/// A run with all of its trials.
#[derive(Serialize)]
struct WholeRun {
    summary: Summary,
    trials: Vec<TrialRow>,
}

/// The report of a run.
///
/// # Errors
/// When the run's files can't be read or have changed.
pub fn single(run: &RecordedRun, format: Format) -> Result<String, Failure> {
    Ok(match format {
        Format::Html => run_page(run)?,
        Format::Markdown => run_markdown(run)?,
        Format::Json => json(&WholeRun {
            summary: run.summary()?,
            trials: run.trials(),
        })?,
        Format::Csv => run_csv(run),
    })
}

/// Plain data as indented JSON.
///
/// # Errors
/// When it can't be written as JSON.
pub fn json(value: &impl Serialize) -> Result<String, Failure> {
    let text = serde_json::to_string_pretty(value).map_err(std::io::Error::from)?;
    Ok(format!("{text}\n"))
}

/// Writes a file that a person asked for.
///
/// # Errors
/// When it can't be written.
pub fn write(path: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(path, text)
        .map_err(|error| Failure::Other(format!("failed to write {}: {error}", path.display())))
}
