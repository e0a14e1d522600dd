//! `strata enumerate`: the architectures of a space in the order of their indices.

use super::failure::Failure;
use super::terminal::Terminal;
use super::{input, listing};
use num_bigint::BigUint;
use std::path::PathBuf;

/// Arguments of `strata enumerate`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The space file; `-` reads stdin
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The index to begin with
    #[arg(long, value_name = "I", default_value = "0")]
    from: BigUint,
    /// How many at most; all of them if not given
    #[arg(short = 'n', long = "number")]
    number: Option<u64>,
    /// As JSON, one architecture a line
    #[arg(long)]
    json: bool,
}

/// Prints architectures as they are found, so that any number of them needs no memory.
pub fn run(args: &Args, terminal: &mut Terminal) -> Result<(), Failure> {
    let space = input::space(&args.file)?;
    let mut genomes = space.iter_from(&args.from);
    let mut last = None;
    for _ in 0..args.number.unwrap_or(u64::MAX) {
        let Some(genome) = genomes.next() else {
            return Ok(());
        };
        listing::print(&space, &genome, args.json, terminal)?;
        last = Some(genome);
    }
    if let Some(next) = last.and_then(|genome| space.index_of(&genome).ok()) {
        terminal.say(&format!("go on with `--from {}`", next + 1u8));
    }
    Ok(())
}
