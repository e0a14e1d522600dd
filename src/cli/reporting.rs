//! `strata report` and `strata importance`: what a run or a comparison found.

use super::failure::Failure;
use super::recent::Run;
use super::report::{self, Format};
use super::table::{Side, Table};
use super::terminal::Terminal;
use crate::report::{
    Analysis, Expected, FEWEST, Importance, comparison_csv, comparison_markdown, scores_page,
};
use crate::run::RecordedRun;
use crate::run::comparison::RecordedComparison;
use std::path::{Path, PathBuf};

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
    if let Some(file) = args.run.json_file() {
        return of_scores(args, file, terminal);
    }
    let folder = args.run.folder(terminal)?;
    let text = if RecordedComparison::is_in(&folder) {
        let comparison = RecordedComparison::open(&folder)?;
        let analysis = Analysis::of(&comparison)?;
        report::comparison(&comparison, &analysis, args.format)?
    } else {
        report::single(&RecordedRun::open(&folder)?, args.format)?
    };
    write(args, &folder.join("report.html"), &text, terminal)
}

/// Writes a report where it was asked for; HTML by default to `page`.
fn write(args: &Args, page: &Path, text: &str, terminal: &mut Terminal) -> Result<(), Failure> {
    let path = match (&args.output, args.format) {
        (Some(path), _) if path.as_os_str() == "-" => return terminal.data(text),
        (Some(path), _) => path.clone(),
        (None, Format::Html) => page.to_owned(),
        (None, _) => return terminal.data(text),
    };
    report::write(&path, text)?;
    terminal.say(&format!("the report: {}", path.display()));
    Ok(())
}

/// The report of a comparison of which the scores are left.
fn of_scores(args: &Args, file: &Path, terminal: &mut Terminal) -> Result<(), Failure> {
    let wrong = |message: String| Failure::Input(format!("{}: {message}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|error| wrong(error.to_string()))?;
    let expected = Expected::parse(&text).map_err(wrong)?;
    let analysis = expected.analysis().map_err(wrong)?;
    let text = match args.format {
        Format::Html => scores_page(&expected, &analysis),
        Format::Markdown => comparison_markdown(&analysis),
        Format::Json => report::json(&analysis)?,
        Format::Csv => comparison_csv(&analysis),
    };
    // Beside expected-quick.json stands report-quick.html.
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let page = stem.replacen("expected", "report", 1) + ".html";
    write(args, &file.with_file_name(page), &text, terminal)
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
