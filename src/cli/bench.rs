//! `strata bench`: controllers compared on a table.

use super::failure::Failure;
use super::numbers;
use super::table::{Side, Table};
use super::terminal::Terminal;
use crate::bench::{
    Bench, BenchError, BenchFile, Entry, Pair, Report, Run, curves_svg, idle_share,
};
use crate::random::{Purpose, Seed};
use crate::search::SearchSettings;
use rayon::ThreadPoolBuilder;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// How many simulated trials show how long workers idle.
const IDLE_TRIALS: usize = 100_000;

/// Arguments of `strata bench`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The file of the comparison
    #[arg(value_name = "BENCH")]
    file: PathBuf,
    /// Runs of each controller instead of the file's
    #[arg(long, value_name = "N")]
    seeds: Option<u64>,
    /// The budget in trials, instead of the file's budget
    #[arg(long, value_name = "N", conflicts_with = "seconds")]
    trials: Option<u64>,
    /// The budget in simulated seconds, instead of the file's budget
    #[arg(long, value_name = "S")]
    seconds: Option<f64>,
    /// Only the controllers with these names
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Each controller with each of these lookaheads, as in 1,8,64
    #[arg(long, value_name = "N", value_delimiter = ',')]
    lookahead: Vec<u64>,
    /// Threads; changes no result [default: one a core]
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    threads: usize,
    /// Every run as CSV, to this file; the curves go beside it, as NAME-curves.csv
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// The curves as a drawing, to this file
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Everything as JSON
    #[arg(long)]
    json: bool,
    /// Instead of comparing: how long workers idle by lookahead, with trials whose lengths differ
    /// tenfold
    #[arg(long, conflicts_with_all = ["json", "csv", "svg"])]
    idle: bool,
}

impl From<BenchError> for Failure {
    fn from(error: BenchError) -> Self {
        match error {
            BenchError::Text { file, diagnostics } => Self::Texts(vec![(file, diagnostics)]),
            error => Self::Input(error.to_string()),
        }
    }
}

/// Compares.
pub fn run(args: &Args, terminal: &mut Terminal) -> Result<(), Failure> {
    if args.idle {
        return terminal.data(&idle_table());
    }
    let file = changed(BenchFile::read(&args.file)?, args)?;
    let base = args.file.parent().unwrap_or(Path::new(""));
    let bench = Bench::load(file, base)?;
    let pool = ThreadPoolBuilder::new().num_threads(args.threads).build();
    let pool = pool.map_err(|error| Failure::Other(format!("failed to start threads: {error}")))?;
    let begun = Instant::now();
    let runs = pool.install(|| bench.run());
    let seconds = begun.elapsed().as_secs_f64();
    let report = Report::of(&bench, &runs);
    let trials: u64 = runs.iter().flatten().map(|run| run.trials).sum();
    terminal.say(&format!(
        "{} in {} on {}: {} a second",
        numbers::plural(trials, "trial"),
        numbers::seconds(seconds),
        numbers::plural(pool.current_num_threads() as u64, "thread"),
        numbers::grouped((trials as f64 / seconds.max(1e-9)) as u64)
    ));
    write_files(args, &bench, &report, &runs)?;
    if args.json {
        return terminal.json(&report);
    }
    terminal.data(&figures(&bench, &report))?;
    if report.pairs.is_empty() {
        return Ok(());
    }
    terminal.data(&format!("\n{}", tests(&report.pairs)))
}

/// The file with what the command line says otherwise.
fn changed(mut file: BenchFile, args: &Args) -> Result<BenchFile, Failure> {
    file.seeds = args.seeds.unwrap_or(file.seeds);
    if args.trials.is_some() || args.seconds.is_some() {
        (file.budget.trials, file.budget.seconds) = (args.trials, args.seconds);
    }
    for name in &args.only {
        if !file.controller.iter().any(|entry| entry.name == *name) {
            let known: Vec<&str> = file.controller.iter().map(|entry| &*entry.name).collect();
            return Err(Failure::Input(format!(
                "there is no controller `{name}` in {}; it has `{}`",
                args.file.display(),
                known.join("`, `")
            )));
        }
    }
    if !args.only.is_empty() {
        file.controller
            .retain(|entry| args.only.contains(&entry.name));
    }
    if !args.lookahead.is_empty() {
        let with = |entry: &Entry, lookahead: u64| Entry {
            name: format!("{}, lookahead {lookahead}", entry.name),
            search: SearchSettings {
                lookahead,
                ..entry.search.clone()
            },
        };
        let each = |entry: &Entry| {
            let each = args.lookahead.iter();
            each.map(|&lookahead| with(entry, lookahead))
                .collect::<Vec<_>>()
        };
        file.controller = file.controller.iter().flat_map(each).collect();
    }
    file.validate()?;
    Ok(file)
}

fn write_files(
    args: &Args,
    bench: &Bench,
    report: &Report,
    runs: &[Vec<Run>],
) -> Result<(), Failure> {
    if let Some(path) = &args.csv {
        write(path, &report.runs_csv(runs))?;
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let beside = path.with_file_name(format!("{stem}-curves.csv"));
        write(&beside, &report.curves_csv())?;
    }
    if let Some(path) = &args.svg {
        write(path, &curves_svg(report, unit(bench)))?;
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    fs::write(path, text)
        .map_err(|error| Failure::Other(format!("failed to write {}: {error}", path.display())))
}

fn unit(bench: &Bench) -> &'static str {
    if bench.file().budget.seconds.is_some() {
        "simulated seconds"
    } else {
        "trials"
    }
}

fn figures(bench: &Bench, report: &Report) -> String {
    let has_target = bench.file().target.is_some();
    let target = bench
        .file()
        .target
        .map_or(String::new(), |target| format!("to {target}"));
    let mut columns = vec![
        ("controller", Side::Left),
        ("mean", Side::Right),
        ("sd", Side::Right),
        ("median", Side::Right),
        ("IQR", Side::Right),
        ("rank", Side::Right),
        ("trials", Side::Right),
    ];
    if has_target {
        columns.push((target.as_str(), Side::Right));
        columns.push(("reached", Side::Right));
        columns.push(("met", Side::Right));
    }
    for share in ["10%", "25%", "50%"] {
        columns.push((share, Side::Right));
    }
    let mut table = Table::new(&columns);
    for row in &report.controllers {
        let mut cells = vec![
            row.name.clone(),
            figure(row.mean, 3),
            figure(row.deviation, 3),
            figure(row.median, 3),
            figure(row.iqr, 3),
            format!("{:.2}", row.rank),
            format!("{:.1}", row.trials),
        ];
        if has_target {
            cells.push(figure(row.held, 0));
            cells.push(format!("{:.0}%", row.reached * 100.0));
            cells.push(figure(row.met, 0));
        }
        let points = row.curve.len();
        for place in [points / 10, points / 4, points / 2] {
            cells.push(figure(row.curve[place - 1].mean, 3));
        }
        table.row(cells);
    }
    table.render()
}

fn tests(pairs: &[Pair]) -> String {
    let mut table = Table::new(&[
        ("pair", Side::Left),
        ("difference", Side::Right),
        ("A12", Side::Right),
        ("p", Side::Right),
        ("p, Holm", Side::Right),
    ]);
    for pair in pairs {
        table.row([
            format!("{} - {}", pair.a, pair.b),
            format!("{:+.3}", pair.difference),
            format!("{:.3}", pair.a12),
            probability(pair.p),
            probability(pair.holm),
        ]);
    }
    table.render()
}

fn probability(p: f64) -> String {
    if p < 0.001 {
        format!("{p:.1e}")
    } else {
        format!("{p:.3}")
    }
}

fn figure(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.digits$}"))
}

/// The share of their time that workers idle, by their number and the lookahead.
fn idle_table() -> String {
    let mut stream = Seed(0).stream(0, Purpose::Tool);
    // Log-uniform: as many trials between 1 and 2 as between 5 and 10.
    let lengths: Vec<f64> = (0..IDLE_TRIALS)
        .map(|_| libm::pow(10.0, stream.unit()))
        .collect();
    let factors = [1, 2, 4, 8, 16];
    let names: Vec<String> = factors
        .iter()
        .map(|factor| format!("lookahead {factor} x workers"))
        .collect();
    let mut columns = vec![("workers", Side::Right)];
    columns.extend(names.iter().map(|name| (name.as_str(), Side::Right)));
    let mut table = Table::new(&columns);
    for workers in [2usize, 4, 8, 16, 32, 64, 128, 256] {
        let mut cells = vec![workers.to_string()];
        for factor in factors {
            let idle = idle_share(workers, workers * factor, &lengths);
            cells.push(format!("{:.1}%", idle * 100.0));
        }
        table.row(cells);
    }
    table.render()
}
