//! `strata show`: one architecture as a table, a chart or JSON.

use super::failure::Failure;
use super::input::{self, Networks};
use super::terminal::Terminal;
use crate::architecture::{self, Architecture};
use crate::random::{Purpose, Seed};
use crate::space::{Candidate, Genome, Sampling, SearchSpace};
use num_bigint::BigUint;
use std::path::{Path, PathBuf};

/// Arguments of `strata show`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A space file, or an architecture as JSON
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The architecture with this index in the space, from 0
    #[arg(long, value_name = "I", group = "which")]
    index: Option<BigUint>,
    /// An architecture drawn by this seed, as `sample` draws its first
    #[arg(long, value_name = "S", group = "which")]
    seed: Option<u64>,
    /// The architecture of a genome in a JSON file
    #[arg(long, value_name = "FILE", group = "which")]
    genome: Option<PathBuf>,
    /// How it is shown
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// How an architecture is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// A table of layers with shapes and costs
    Text,
    /// What `train` and `show` read
    Json,
    /// A mermaid flow chart
    Mermaid,
    /// A file for Graphviz
    Dot,
    /// A drawing
    Svg,
}

/// Finds the architecture and prints it.
pub fn run(args: &Args, terminal: &mut Terminal) -> Result<(), Failure> {
    match input::networks(&args.file)? {
        Networks::One(architecture) => {
            if args.index.is_some() || args.seed.is_some() || args.genome.is_some() {
                let file = args.file.display();
                let message = format!(
                    "{file} is one network; --index, --seed and --genome choose from a space"
                );
                return Err(Failure::Input(message));
            }
            print(&architecture, args.format, terminal)
        }
        Networks::Space(space) => {
            let candidate = choose(args, &space)?;
            print(&candidate.architecture, args.format, terminal)?;
            if args.format == Format::Text {
                for (name, value) in &candidate.recipe {
                    terminal.line(&format!("trained with {name} {value}"))?;
                }
            }
            Ok(())
        }
    }
}

/// Prints an architecture.
pub fn print(
    architecture: &Architecture,
    format: Format,
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    match format {
        Format::Text => terminal.data(&architecture::text(architecture)),
        Format::Json => terminal.json(&architecture.to_json()),
        Format::Mermaid => terminal.data(&architecture::mermaid(architecture)),
        Format::Dot => terminal.data(&architecture::dot(architecture)),
        Format::Svg => terminal.data(&architecture::svg(architecture)),
    }
}

fn choose(args: &Args, space: &SearchSpace) -> Result<Candidate, Failure> {
    if let Some(index) = &args.index {
        let genome = space
            .get(index)
            .ok_or_else(|| no_such_index(space, index))?;
        return input::decode(space, &genome);
    }
    if let Some(seed) = args.seed {
        let mut stream = Seed(seed).stream(0, Purpose::Decode);
        return input::decode(space, &space.sample(Sampling::Prior, &mut stream));
    }
    match &args.genome {
        Some(path) => {
            let genome = read_genome(path)?;
            // A genome from elsewhere may decode to a network that a constraint keeps out.
            space
                .index_of(&genome)
                .map_err(|error| input::foreign(space, &error))?;
            input::decode(space, &genome)
        }
        None => input::only(space, "say which with --index I, --seed S or --genome FILE"),
    }
}

/// That a space has no architecture with an index.
pub fn no_such_index(space: &SearchSpace, index: &BigUint) -> Failure {
    let last = space.indices() - BigUint::from(1u8);
    let problem = if *index > last {
        format!("the last is {last}")
    } else {
        "that one does not meet the constraints".to_owned()
    };
    Failure::Input(format!(
        "{} has no architecture {index}; {problem}",
        space.name()
    ))
}

fn read_genome(path: &Path) -> Result<Genome, Failure> {
    let file = input::text(path)?;
    serde_json::from_str(file.text()).map_err(|error| {
        let form = "a genome is an object from address to option number";
        Failure::Input(format!("failed to read {}: {error}; {form}", file.name()))
    })
}
