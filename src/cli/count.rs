//! `strata count`: how many architectures a space has.

use super::failure::Failure;
use super::terminal::Terminal;
use super::{input, numbers};
use serde::Serialize;
use std::path::PathBuf;

/// Arguments of `strata count`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The space file; `-` reads stdin
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// As JSON; the count is a string, since it may not fit a number
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Count<'a> {
    space: &'a str,
    count: String,
    exact: bool,
}

/// Counts exactly.
pub fn run(args: &Args, terminal: &mut Terminal) -> Result<(), Failure> {
    let space = input::space(&args.file)?;
    let count = space.count();
    if args.json {
        let (space, count) = (space.name(), count.to_string());
        return terminal.json_line(&Count {
            space,
            count,
            exact: true,
        });
    }
    let power =
        numbers::scientific(count).map_or(String::new(), |power| format!(" (about {power})"));
    terminal.line(&format!("{}{power}", numbers::architectures(count)))
}
