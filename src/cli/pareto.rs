//! `strata pareto`: the trials of a run that no other beats in everything.

use super::best;
use super::failure::Failure;
use super::numbers;
use super::recent::Run;
use super::table::{Side, Table};
use super::terminal::Terminal;
use crate::run::{EndBy, Ends, Extent, Front, RecordedRun, fronts};
use serde::Serialize;
use std::path::PathBuf;

/// Arguments of `strata pareto`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Run folders, whose hypervolumes have one reference point; without any, the newest run under ./runs
    #[arg(value_name = "RUN")]
    runs: Vec<PathBuf>,
    /// What is to be good beside the score: params, macs, activation_bytes, layers, depth, receptive_field, or a
    /// figure that the evaluator gives [default: what the search looked at, or params]
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    by: Vec<String>,
    /// The reference point of the hypervolume, as in score=0.9,params=200k: what is worse counts for nothing [default:
    /// 0 of a share of right answers and of R2, the most that the space's `require` allows, else the worst of the trials]
    #[arg(long, value_name = "NAME=FIGURE", value_delimiter = ',', value_parser = best::figure)]
    reference: Vec<(String, f64)>,
    /// Its ideal point [default: 1 of a share of right answers and of R2, 0 of a cost, else the best of the trials]
    #[arg(long, value_name = "NAME=FIGURE", value_delimiter = ',', value_parser = best::figure)]
    ideal: Vec<(String, f64)>,
    /// As JSON; of several runs a list
    #[arg(long)]
    json: bool,
}

/// The front of one of several runs.
#[derive(Serialize)]
struct Named<'a> {
    run: String,
    #[serde(flatten)]
    front: &'a Front,
}

/// Lists the front of each run, its hypervolume and its knee.
pub fn run(args: &Args, terminal: &mut Terminal) -> Result<(), Failure> {
    let runs = match &args.runs[..] {
        [] => vec![Run::named(None).read(terminal)?],
        named => {
            let read = |path: &PathBuf| Run::named(Some(path.clone())).read(terminal);
            named.iter().map(read).collect::<Result<_, _>>()?
        }
    };
    let runs: Vec<&RecordedRun> = runs.iter().collect();
    let mut costs = args.by.clone();
    if costs.is_empty() {
        costs = runs[0].started().experiment.search.costs();
    }
    if costs.is_empty() {
        costs.push("params".to_owned());
    }
    refuse_unlike(&runs)?;
    let ends = Ends {
        reference: args.reference.clone(),
        ideal: args.ideal.clone(),
    };
    let fronts = fronts(&runs, &costs, &ends)?;
    let named: Vec<Named<'_>> = runs
        .iter()
        .zip(&fronts)
        .map(|(run, front)| Named {
            run: run.folder().path().display().to_string(),
            front,
        })
        .collect();
    match (&named[..], args.json) {
        ([only], true) => terminal.json(only.front),
        (_, true) => terminal.json(&named),
        ([only], false) => {
            one(only.front, terminal).and_then(|()| ends_of(only.front, 1, terminal))
        }
        (_, false) => {
            for Named { run, front } in &named {
                terminal.line(&format!("== {run}"))?;
                one(front, terminal)?;
                terminal.line("")?;
            }
            ends_of(&fronts[0], fronts.len(), terminal)
        }
    }
}

/// Scores of another name, or of another division of the data, have no common reference.
fn refuse_unlike(runs: &[&RecordedRun]) -> Result<(), Failure> {
    let first = runs[0];
    for run in &runs[1..] {
        let (one, other) = (first.score_name()?, run.score_name()?);
        let is_same = |of: fn(&RecordedRun) -> &str| of(first) == of(run);
        let data =
            is_same(|run| &run.started().data_hash) && is_same(|run| &run.started().split_hash);
        let what = match (one == other, data) {
            (true, true) => continue,
            (false, _) => format!("one has {one} as its score and the other {other}"),
            (true, false) => "they have other data, or divide it otherwise".to_owned(),
        };
        return Err(Failure::Input(format!(
            "{} and {} can't be compared: {what}",
            first.folder().path().display(),
            run.folder().path().display()
        )));
    }
    Ok(())
}

fn one(front: &Front, terminal: &mut Terminal) -> Result<(), Failure> {
    if front.trials.is_empty() {
        terminal.say("no trial has a score yet");
        return Ok(());
    }
    terminal.data(&table(front))?;
    terminal.line(&format!("\nhypervolume {:.4}", front.hypervolume))
}

/// What the hypervolume is of, and whether another run's can be held against it.
fn ends_of(front: &Front, runs: usize, terminal: &mut Terminal) -> Result<(), Failure> {
    if front.trials.is_empty() && runs == 1 {
        return Ok(());
    }
    let point = |end: fn(&Extent) -> (f64, EndBy)| {
        let ends = front.extents.iter().map(|extent| {
            let (figure, by) = end(extent);
            format!(
                "{} {} ({})",
                extent.objective,
                number(figure),
                words(by, runs)
            )
        });
        ends.collect::<Vec<_>>().join(", ")
    };
    terminal.line(&format!(
        "  the share that is dominated of what lies between\n  the reference point: {}\n  and the ideal point: {}",
        point(|extent| (extent.reference, extent.reference_by)),
        point(|extent| (extent.ideal, extent.ideal_by)),
    ))?;
    let own = front.extents.iter().filter(|extent| !extent.is_common());
    let own: Vec<&str> = own.map(|extent| extent.objective.as_str()).collect();
    if own.is_empty() {
        return Ok(());
    }
    let whose = match runs {
        1 => "this run",
        _ => "these runs",
    };
    terminal.line(&format!(
        "  {} is measured by the trials of {whose}, so the hypervolume can't be held against another's: name the runs \
         together, as in `strata pareto A B`, or the points with --reference and --ideal",
        own.join(" and ")
    ))
}

/// Where an end is from, in words.
fn words(by: EndBy, runs: usize) -> &'static str {
    match (by, runs) {
        (EndBy::Given, _) => "given",
        (EndBy::Range, _) => "its range",
        (EndBy::Require, _) => "the space's require",
        (EndBy::Trials, 1) => "of this run's trials",
        (EndBy::Trials, _) => "of these runs' trials",
    }
}

fn table(front: &Front) -> String {
    let mut columns = vec![("trial", Side::Right)];
    columns.extend(
        front
            .objectives
            .iter()
            .map(|name| (name.as_str(), Side::Right)),
    );
    columns.push(("", Side::Left));
    let mut table = Table::new(&columns);
    for row in &front.trials {
        let mut cells = vec![row.trial.to_string()];
        cells.extend(row.figures.iter().map(|&figure| number(figure)));
        let is_knee = front.knee == Some(row.trial);
        cells.push(if is_knee { "the knee" } else { "" }.to_owned());
        table.row(cells);
    }
    table.render()
}

/// Whole numbers in groups of three, others with four digits.
fn number(figure: f64) -> String {
    if figure == 0.0 {
        "0".to_owned()
    } else if figure.fract() == 0.0 && (1.0..1e15).contains(&figure) {
        numbers::grouped(figure as u64)
    } else {
        format!("{figure:.4}")
    }
}
