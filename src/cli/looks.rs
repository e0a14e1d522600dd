//! `strata looks`: how often test examples have been looked at, by the ledger beside the experiments.

use super::data::DataDir;
use super::failure::Failure;
use super::numbers;
use super::table::{Side, Table};
use super::terminal::Terminal;
use crate::run::looks::{self, Intent, Look, Looks};
use crate::run::{ExperimentFile, comparison};
use crate::statistics::claims::alpha;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Arguments of `strata looks`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A folder of experiments; or an experiment, to hear which look its test would be
    #[arg(value_name = "FOLDER or EXPERIMENT", default_value = ".")]
    path: PathBuf,
    #[command(flatten)]
    datasets: DataDir,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// A ledger, and what would be written into it.
#[derive(Serialize)]
struct Ledger<'a> {
    ledger: String,
    looks: &'a [Look],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    next: Vec<Next>,
}

/// The look that an experiment's test would be now.
#[derive(Serialize)]
struct Next {
    #[serde(flatten)]
    intent: Intent,
    look: u32,
    alpha: f64,
}

/// Lists the looks of a folder.
pub fn run(args: &Args, terminal: &mut Terminal) -> Result<(), Failure> {
    let (folder, next) = match args.path.is_dir() {
        true => (args.path.as_path(), Vec::new()),
        false => (above(&args.path), next(args)?),
    };
    let ledger = looks::path_in(folder).display().to_string();
    let found = Looks::read(folder)?;
    let looks = found.all();
    if args.json {
        return terminal.json(&Ledger {
            ledger,
            looks,
            next,
        });
    }
    match looks {
        [] => terminal.say(&format!(
            "{ledger} names no look: no experiment of the folder has read its test examples"
        )),
        looks => terminal.data(&table(looks))?,
    }
    for Next {
        intent,
        look,
        alpha,
    } in next
    {
        let known = match found.known(&intent) {
            Some(_) => "is",
            None => "would be",
        };
        terminal.line(&format!(
            "a {} by {} {known} look {look} at its test examples ({}), level {}",
            intent.kind,
            args.path.display(),
            short(&intent.data),
            numbers::level(alpha)
        ))?;
    }
    Ok(())
}

/// The looks that a search and a comparison by an experiment would be.
fn next(args: &Args) -> Result<Vec<Next>, Failure> {
    let mut file = ExperimentFile::read(&args.path)?;
    file.experiment.data.folder = Some(args.datasets.folder());
    let both = [looks::look_of(&file)?, comparison::look_of(&file)?];
    let of = |(intent, look): (Intent, u32)| Next {
        intent,
        look,
        alpha: alpha(look),
    };
    Ok(both.into_iter().flatten().map(of).collect())
}

fn table(looks: &[Look]) -> String {
    let mut table = Table::new(&[
        ("test examples", Side::Left),
        ("look", Side::Right),
        ("level", Side::Right),
        ("by", Side::Left),
        ("search seeds", Side::Right),
        ("p", Side::Right),
        ("concluded", Side::Left),
    ]);
    for look in looks {
        let p = look.p.map_or_else(String::new, |p| format!("{p:.4}"));
        table.row([
            short(&look.data),
            look.look.to_string(),
            numbers::level(look.alpha),
            format!("{} {}", look.kind, look.experiment),
            look.seeds.len().to_string(),
            p,
            look.verdict.clone().unwrap_or_default(),
        ]);
    }
    table.render()
}

/// As much of a digest as tells it from others.
fn short(digest: &str) -> String {
    digest.chars().take(12).collect()
}

fn above(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}
