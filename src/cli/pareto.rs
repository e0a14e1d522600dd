//! `strata pareto`: the trials of a run that no other beats in everything.

use super::failure::Failure;
use super::numbers;
use super::recent::Run;
use super::table::{Side, Table};
use super::terminal::Terminal;
use crate::run::Front;

/// Arguments of `strata pareto`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    run: Run,
    /// What is to be good beside the score: params, macs, activation_bytes, layers, depth, receptive_field, or a
    /// figure that the evaluator gives [default: what the search looked at, or params]
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    by: Vec<String>,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// Lists the front, its hypervolume and its knee.
pub fn run(args: &Args, terminal: &mut Terminal) -> Result<(), Failure> {
    let run = args.run.read(terminal)?;
    let mut costs = args.by.clone();
    if costs.is_empty() {
        costs = run.started().experiment.search.costs();
    }
    if costs.is_empty() {
        costs.push("params".to_owned());
    }
    let front = run.front(&costs)?;
    if args.json {
        return terminal.json(&front);
    }
    if front.trials.is_empty() {
        terminal.say("no trial has a score yet");
        return Ok(());
    }
    terminal.data(&table(&front))?;
    terminal.line(&format!(
        "\nhypervolume {:.4} of what the best of each objective together would have",
        front.hypervolume
    ))
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
    if figure.fract() == 0.0 && (1.0..1e15).contains(&figure) {
        numbers::grouped(figure as u64)
    } else {
        format!("{figure:.4}")
    }
}
