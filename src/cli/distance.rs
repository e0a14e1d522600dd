//! `strata distance`: in how many decisions two architectures of a space differ.

use super::failure::Failure;
use super::table::{Side, Table};
use super::terminal::Terminal;
use super::{chosen, input, numbers};
use crate::space::{Decision, Genome, SearchSpace};
use num_bigint::BigUint;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Arguments of `strata distance`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The space file; `-` reads stdin
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The index of one architecture
    #[arg(value_name = "I")]
    a: BigUint,
    /// The index of the other
    #[arg(value_name = "J")]
    b: BigUint,
    /// As JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Distance {
    distance: usize,
    decisions: [usize; 2],
    differences: Vec<Difference>,
}

/// A decision that differs; a side is missing where the architecture does not have the decision.
#[derive(Serialize)]
struct Difference {
    address: String,
    a: Option<String>,
    b: Option<String>,
}

/// Prints the decisions that differ.
pub fn run(args: &Args, terminal: &mut Terminal) -> Result<(), Failure> {
    let space = input::space(&args.file)?;
    let (a, b) = (
        chosen::genome(&space, &args.a)?,
        chosen::genome(&space, &args.b)?,
    );
    let distance = Distance {
        distance: a.distance(&b),
        decisions: [a.len(), b.len()],
        differences: differences(&space, &a, &b)?,
    };
    if args.json {
        return terminal.json(&distance);
    }
    let (a, b) = (args.a.to_string(), args.b.to_string());
    let mut table = Table::new(&[("decision", Side::Left), (&a, Side::Left), (&b, Side::Left)]);
    for difference in &distance.differences {
        let option = |side: &Option<String>| side.clone().unwrap_or_else(|| "-".to_owned());
        table.row([
            difference.address.clone(),
            option(&difference.a),
            option(&difference.b),
        ]);
    }
    if !distance.differences.is_empty() {
        terminal.data(&table.render())?;
    }
    let [here, there] = distance.decisions;
    let differing = numbers::plural(distance.distance as u64, "decision");
    terminal.line(&format!("{differing} of {here} and {there} differ"))
}

fn differences(space: &SearchSpace, a: &Genome, b: &Genome) -> Result<Vec<Difference>, Failure> {
    let (here, there) = (decisions(space, a)?, decisions(space, b)?);
    let named = |decision: &Decision| decision.name.clone();
    let theirs: BTreeMap<&str, &Decision> = there
        .iter()
        .map(|decision| (decision.address.as_str(), decision))
        .collect();
    let ours: BTreeMap<&str, &Decision> = here
        .iter()
        .map(|decision| (decision.address.as_str(), decision))
        .collect();
    let changed = here.iter().filter_map(|decision| {
        let other = theirs.get(decision.address.as_str());
        let same = other.is_some_and(|other| other.option == decision.option);
        (!same).then(|| Difference {
            address: decision.address.clone(),
            a: Some(named(decision)),
            b: other.map(|other| named(other)),
        })
    });
    let added = there
        .iter()
        .filter(|decision| !ours.contains_key(decision.address.as_str()));
    let added = added.map(|decision| Difference {
        address: decision.address.clone(),
        a: None,
        b: Some(named(decision)),
    });
    Ok(changed.chain(added).collect())
}

fn decisions(space: &SearchSpace, genome: &Genome) -> Result<Vec<Decision>, Failure> {
    let fail = |error| Failure::Other(format!("failed to walk a genome of the space: {error}"));
    space.decisions(genome).map_err(fail)
}
