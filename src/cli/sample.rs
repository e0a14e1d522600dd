//! `strata sample`: some architectures of a space.

use super::failure::Failure;
use super::terminal::Terminal;
use super::{input, listing};
use crate::random::{Purpose, Seed};
use crate::space::{Count, Sampling};
use std::path::PathBuf;

/// Arguments of `strata sample`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The space file; `-` reads stdin
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// How many
    #[arg(short = 'n', long = "number", default_value_t = 5)]
    number: u64,
    /// What they are drawn by; the same seed draws the same architectures
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Every architecture with the same probability, instead of each choice by its weights
    #[arg(long)]
    uniform: bool,
    /// As JSON, one architecture a line
    #[arg(long)]
    json: bool,
}

/// Draws and prints.
pub fn run(args: &Args, terminal: &mut Terminal) -> Result<(), Failure> {
    let space = input::space(&args.file)?;
    let sampling = if args.uniform {
        Sampling::Uniform
    } else {
        Sampling::Prior
    };
    for number in 0..args.number {
        let mut stream = Seed(args.seed).stream(number, Purpose::Decode);
        let genome = space.sample(sampling, &mut stream);
        listing::print(&space, &genome, args.json, terminal)?;
    }
    if let Count::Estimate(estimate) = space.count() {
        let rate = 100.0 * estimate.acceptance_rate();
        terminal.say(&format!(
            "the constraints are beyond exact counting: about {rate:.3}% of uniform draws meet them, \
             and draws are made until one does"
        ));
    }
    if !args.json && args.number > 0 {
        let file = args.file.display();
        terminal.say(&format!("look at one with `strata show {file} --index I`"));
    }
    Ok(())
}
