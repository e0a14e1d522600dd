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
    let mut next = args.from.clone();
    let mut left = args.number;
    for genome in space.iter_from(&args.from) {
        if left == Some(0) {
            terminal.say(&format!("go on with `--from {next}`"));
            break;
        }
        listing::print(&space, &genome, args.json, terminal)?;
        left = left.map(|left| left - 1);
        next += 1u8;
    }
    Ok(())
}
