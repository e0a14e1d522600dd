//! `strata count`: how many architectures a space has.

use super::failure::Failure;
use super::terminal::Terminal;
use super::{input, numbers};
use crate::space::{Count, SearchSpace};
use num_bigint::BigUint;
use serde::Serialize;
use std::collections::HashSet;
use std::path::PathBuf;

/// The most architectures that `--unique` compares.
const UNIQUE_LIMIT: u64 = 50_000_000;

/// Arguments of `strata count`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The space file; `-` reads stdin
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Also count the different networks, by building each and comparing canonical forms
    #[arg(long)]
    unique: bool,
    /// As JSON; counts are strings, since they may not fit a number
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Counted<'a> {
    space: &'a str,
    count: String,
    exact: bool,
    /// The 95% confidence interval of an estimate.
    #[serde(skip_serializing_if = "Option::is_none")]
    interval: Option<[String; 2]>,
    /// The share of draws that met the constraints.
    #[serde(skip_serializing_if = "Option::is_none")]
    acceptance_rate: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    canonical: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    functional: Option<u64>,
}

/// Counts, exactly where that is possible.
pub fn run(args: &Args, terminal: &mut Terminal) -> Result<(), Failure> {
    let space = input::space(&args.file)?;
    let unique = if args.unique {
        Some(unique(&space)?)
    } else {
        None
    };
    if args.json {
        return terminal.json_line(&counted(&space, unique));
    }
    let number = numbers::architectures(space.count());
    match space.count() {
        Count::Exact(count) => {
            let power = numbers::scientific(count);
            let power = power.map_or(String::new(), |power| format!(" (about {power})"));
            terminal.line(&format!("{number}{power}"))?;
        }
        Count::Estimate(estimate) => {
            let (low, high) = estimate.interval();
            terminal.line(&format!(
                "{number}, an estimate: 95% interval {} to {}, from {} of {} uniform draws that met \
                 the constraints",
                rounded(&low),
                rounded(&high),
                numbers::grouped(estimate.admitted),
                numbers::grouped(estimate.drawn),
            ))?;
        }
    }
    if let Some((canonical, functional)) = unique {
        let (canonical, functional) = (numbers::grouped(canonical), numbers::grouped(functional));
        terminal.line(&format!(
            "{canonical} different as labelled graphs, {functional} as functions"
        ))?;
    }
    Ok(())
}

fn rounded(number: &BigUint) -> String {
    numbers::scientific(number).unwrap_or_else(|| numbers::grouped(number))
}

fn counted(space: &SearchSpace, unique: Option<(u64, u64)>) -> Counted<'_> {
    let (count, interval, acceptance_rate) = match space.count() {
        Count::Exact(count) => (count.to_string(), None, None),
        Count::Estimate(estimate) => {
            let (low, high) = estimate.interval();
            let interval = Some([low.to_string(), high.to_string()]);
            (
                estimate.likely().to_string(),
                interval,
                Some(estimate.acceptance_rate()),
            )
        }
    };
    Counted {
        space: space.name(),
        count,
        exact: interval.is_none(),
        interval,
        acceptance_rate,
        canonical: unique.map(|(canonical, _)| canonical),
        functional: unique.map(|(_, functional)| functional),
    }
}

/// How many different networks there are, as labelled graphs and as functions.
fn unique(space: &SearchSpace) -> Result<(u64, u64), Failure> {
    let limit = BigUint::from(UNIQUE_LIMIT);
    if space.indices() > limit {
        let (count, most) = (
            numbers::architectures(space.count()),
            numbers::grouped(UNIQUE_LIMIT),
        );
        let advice = format!(
            "{} has {count}; `--unique` builds at most {most}",
            space.name()
        );
        return Err(Failure::Input(advice));
    }
    let (mut canonical, mut functional) = (HashSet::new(), HashSet::new());
    for genome in space.iter_from(&BigUint::ZERO) {
        let architecture = input::decode(space, &genome)?.architecture;
        canonical.insert(architecture.canonical().hash());
        functional.insert(architecture.functional().hash());
    }
    Ok((canonical.len() as u64, functional.len() as u64))
}
