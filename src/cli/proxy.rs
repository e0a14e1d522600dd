//! `strata proxy`: what is known of networks before they are trained.

mod against;
mod sheet;

use super::data::DataDir;
use super::failure::Failure;
use super::input::{self, Networks};
use super::table::{Side, Table};
use super::terminal::Terminal;
use super::{chosen, interrupt};
use crate::architecture::Architecture;
use crate::data::DataSource;
use crate::diagnostics::closest_name;
use crate::proxies::{Minibatch, PROXIES, Probing, Proxy};
use crate::random::{Purpose, Seed};
use crate::space::{Genome, Sampling, SearchSpace};
use against::Against;
use num_bigint::BigUint;
use num_traits::Zero;
use rayon::ThreadPoolBuilder;
use sheet::{Row, Sheet};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

/// Arguments of `strata proxy`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A space file, or an architecture as JSON
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The architecture with this index in the space, from 0; may be given several times
    #[arg(long, value_name = "I", conflicts_with = "number")]
    index: Vec<BigUint>,
    /// How many architectures to draw from the space
    #[arg(short = 'n', long, default_value_t = 5)]
    number: u64,
    /// Every architecture with the same probability, instead of each choice by its weights
    #[arg(long)]
    uniform: bool,
    /// Which proxies, separated by commas; by default all that the input allows
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    proxies: Vec<String>,
    /// A named dataset such as `digits`, or a file of examples; by default noise
    #[arg(long, value_name = "NAME|FILE")]
    data: Option<String>,
    /// Examples in the minibatch
    #[arg(long, default_value_t = 64, value_name = "N")]
    batch: usize,
    /// What architectures, weights and the minibatch are drawn by
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Add the rows to this CSV file; what is in it already is not computed again
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    #[command(flatten)]
    against: Against,
    #[command(flatten)]
    datasets: DataDir,
    /// As JSON, one architecture a line
    #[arg(long)]
    json: bool,
    /// Say nothing on stderr but errors
    #[arg(long, short)]
    quiet: bool,
}

/// One network to look at.
struct Subject {
    name: String,
    decisions: String,
    /// What its weights are drawn by, with the seed.
    number: u64,
    architecture: Architecture,
}

/// Computes and prints.
pub fn run(args: &Args, terminal: &mut Terminal) -> Result<(), Failure> {
    if args.quiet {
        terminal.be_quiet();
    }
    if args.batch == 0 {
        return Err(Failure::Input("a minibatch needs examples".to_owned()));
    }
    let subjects = subjects(args)?;
    let Some(first) = subjects.first() else {
        return Ok(());
    };
    let proxies = proxies(args, &first.architecture)?;
    let batch = minibatch(args, &first.architecture)?;
    let mut sheet = match &args.csv {
        Some(path) => Sheet::open(path, &settings(args), &proxies)?,
        None => Sheet::in_memory(&settings(args), &proxies),
    };
    // As in a run: what a sum adds up to depends on how many threads share it.
    let pool = ThreadPoolBuilder::new().num_threads(1).build();
    let pool = pool.map_err(|error| Failure::Other(format!("failed to start threads: {error}")))?;
    let stop = interrupt::flag();
    for (done, subject) in subjects.iter().enumerate().skip(sheet.rows().len()) {
        if stop.load(Ordering::Relaxed) {
            let message = format!("stopped after {done} of {} networks", subjects.len());
            return Err(Failure::Interrupted(message));
        }
        let values = pool.install(|| values(args, subject, &batch, &proxies));
        sheet.add(Row {
            name: subject.name.clone(),
            decisions: subject.decisions.clone(),
            values,
        })?;
        if args.csv.is_some() {
            terminal.say(&format!(
                "{} of {}: {}",
                done + 1,
                subjects.len(),
                subject.name
            ));
        }
    }
    sheet.check(subjects.iter().map(|subject| subject.name.as_str()))?;
    match args.against.describe(sheet.rows(), &proxies)? {
        Some(correlations) => terminal.data(&correlations),
        None => print(args, sheet.rows(), &proxies, terminal),
    }
}

fn values(args: &Args, subject: &Subject, batch: &Minibatch, proxies: &[Proxy]) -> Vec<f64> {
    let Subject {
        architecture,
        number,
        ..
    } = subject;
    let mut probing = Probing::new(architecture, batch, Seed(args.seed), *number, proxies);
    proxies.iter().map(|&proxy| probing.value(proxy)).collect()
}

fn print(
    args: &Args,
    rows: &[Row],
    proxies: &[Proxy],
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    if args.json {
        for row in rows {
            let figure = |(proxy, &value): (&Proxy, &f64)| {
                (proxy.name().to_owned(), serde_json::Value::from(value))
            };
            let figures: serde_json::Map<_, _> =
                proxies.iter().zip(&row.values).map(figure).collect();
            terminal.json_line(&serde_json::json!({ "index": row.name, "proxies": figures }))?;
        }
        return Ok(());
    }
    let columns = proxies.iter().map(|proxy| (proxy.name(), Side::Right));
    let columns: Vec<_> = std::iter::once(("index", Side::Left))
        .chain(columns)
        .collect();
    let mut table = Table::new(&columns);
    for row in rows {
        let figures = row.values.iter().map(|value| figure(*value));
        table.row(std::iter::once(row.name.clone()).chain(figures));
    }
    terminal.data(&table.render())
}

/// Five digits, as a person compares them.
fn figure(value: f64) -> String {
    let size = value.abs();
    if value.fract() == 0.0 && size < 1e15 {
        format!("{value}")
    } else if (1e-3..1e6).contains(&size) {
        format!("{value:.4}")
    } else {
        format!("{value:.4e}")
    }
}

fn settings(args: &Args) -> String {
    let data = args.data.as_deref().unwrap_or("noise");
    format!("seed {}, batch {}, data {data}", args.seed, args.batch)
}

fn subjects(args: &Args) -> Result<Vec<Subject>, Failure> {
    let space = match input::networks(&args.file)? {
        Networks::Space(space) => space,
        Networks::One(architecture) => {
            let name = args.file.display().to_string();
            return Ok(vec![Subject {
                name,
                decisions: String::new(),
                number: 0,
                architecture: *architecture,
            }]);
        }
    };
    let mut genomes = Vec::new();
    for index in &args.index {
        genomes.push(chosen::genome(&space, index)?);
    }
    if args.index.is_empty() && space.is_single() {
        genomes.push(chosen::genome(&space, &BigUint::zero())?);
    } else if args.index.is_empty() {
        genomes = draws(args, &space);
    }
    let subject = |(number, genome)| subject(&space, number, genome);
    (0..).zip(&genomes).map(subject).collect()
}

fn draws(args: &Args, space: &SearchSpace) -> Vec<Genome> {
    let sampling = if args.uniform {
        Sampling::Uniform
    } else {
        Sampling::Prior
    };
    let draw = |number| {
        // As `strata sample` draws.
        let mut stream = Seed(args.seed).stream(number, Purpose::Decode);
        space.sample(sampling, &mut stream)
    };
    (0..args.number).map(draw).collect()
}

fn subject(space: &SearchSpace, number: u64, genome: &Genome) -> Result<Subject, Failure> {
    let fail = |error| Failure::Other(format!("failed to find an index: {error}"));
    let options: Vec<String> = genome
        .iter()
        .map(|(_, option)| option.to_string())
        .collect();
    let digits = options.iter().all(|option| option.len() == 1);
    Ok(Subject {
        name: space.index_of(genome).map_err(fail)?.to_string(),
        decisions: options.join(if digits { "" } else { "-" }),
        number,
        architecture: input::decode(space, genome)?.architecture,
    })
}

fn proxies(args: &Args, architecture: &Architecture) -> Result<Vec<Proxy>, Failure> {
    let input = architecture.input();
    if args.proxies.is_empty() {
        let all = PROXIES.iter().map(|info| info.proxy);
        return Ok(all.filter(|proxy| proxy.unfit(input).is_none()).collect());
    }
    let find = |name: &String| {
        let Some(proxy) = Proxy::find(name) else {
            return Err(Failure::Input(unknown(name)));
        };
        match proxy.unfit(input) {
            None => Ok(proxy),
            Some(message) => Err(Failure::Input(message)),
        }
    };
    args.proxies.iter().map(find).collect()
}

fn unknown(name: &str) -> String {
    let names = || PROXIES.iter().map(|info| info.name);
    match closest_name(name, names()) {
        Some(close) => format!("there is no proxy `{name}`; did you mean `{close}`?"),
        None => {
            let known: Vec<&str> = names().collect();
            format!("there is no proxy `{name}`; there are {}", known.join(", "))
        }
    }
}

fn minibatch(args: &Args, architecture: &Architecture) -> Result<Minibatch, Failure> {
    let (shape, output) = (architecture.input(), architecture.output());
    let Some(data) = &args.data else {
        return Ok(Minibatch::noise(shape, output, args.batch, Seed(args.seed)));
    };
    let mut source = DataSource::called(data);
    source.folder = Some(args.datasets.folder());
    let part = source.splits(Path::new(""))?.train;
    if part.shape != shape || !part.targets.suits(output) {
        return Err(Failure::Input(format!(
            "{data} has examples of {} with {}, and the networks take {shape} and give {output}",
            part.shape,
            part.targets.describe()
        )));
    }
    Ok(Minibatch::drawn(&part, args.batch, Seed(args.seed)))
}
