//! Training steps of one network on order, for a comparison in turn with another program
//! (`benches/pytorch/steps.py`): `steps NETWORK.json BATCH` says how many MiB it holds before the network is built, then
//! reads how many steps to take from each line of its input and answers with the seconds that each of them took
//! forward, backward and in the optimiser.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program that answers another"
)]

use std::io::{BufRead, Write};
use std::time::Instant;
use strata::architecture::{Architecture, Output};
use strata::data::Targets;
use strata::layers::{Mode, Shape};
use strata::model::{Network, Program};
use strata::random::{Purpose, Seed};
use strata::training::{Objective, Optimizer, Recipe};

fn main() {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| !a.starts_with("--"))
        .collect();
    let [network, batch] = &arguments[..] else {
        return eprintln!("usage: steps NETWORK.json BATCH");
    };
    let text = std::fs::read_to_string(network).expect("the network can be read");
    let architecture = Architecture::from_json_text(&text).expect("the file holds a network");
    let batch: usize = batch.parse().expect("a batch size");
    // What is counted begins here: the peak so far is forgotten.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    println!("{}", own_mib().unwrap_or(0.0));
    let mut steps = Steps::new(&architecture, batch);
    for line in std::io::stdin().lock().lines() {
        let count: usize = line
            .expect("readable")
            .trim()
            .parse()
            .expect("a number of steps");
        let times: Vec<[f64; 3]> = (0..count).map(|_| steps.step()).collect();
        println!("{}", serde_json::to_string(&times).expect("numbers"));
        std::io::stdout().flush().expect("somebody listens");
    }
}

/// Memory of this process without its program, where the system says so.
fn own_mib() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("RssAnon:"))?;
    let kib: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib / 1024.0)
}

struct Steps {
    program: Program,
    objective: Objective,
    optimizer: Optimizer,
    inputs: Vec<f32>,
    targets: [(f64, Targets); 1],
    noise: strata::random::Stream,
}

impl Steps {
    fn new(architecture: &Architecture, batch: usize) -> Self {
        let mut draws = Seed(1).stream(0, Purpose::Tool);
        let network = Network::build(architecture, &mut draws, &burn::tensor::Device::flex());
        let input = architecture.input();
        let inputs = (0..batch * input.elements()).map(|_| match input {
            Shape::Tokens { vocabulary, .. } => draws.index(vocabulary) as f32,
            _ => draws.normal() as f32,
        });
        let inputs = inputs.collect();
        let Output::Classes(classes) = architecture.output() else {
            panic!("a classifier is compared");
        };
        let labels = (0..batch).map(|_| draws.index(classes) as u32).collect();
        let recipe = Recipe::default();
        Self {
            optimizer: Optimizer::new(&recipe, network.parameters().len()),
            objective: Objective::of(&recipe, architecture.output()).expect("the recipe fits"),
            program: Program::of(&network),
            inputs,
            targets: [(1.0, Targets::classes(labels, classes))],
            noise: draws,
        }
    }

    fn step(&mut self) -> [f64; 3] {
        let start = Instant::now();
        let outputs = self
            .program
            .forward(&self.inputs, Mode::Training(&mut self.noise));
        let (_, gradient) = self.objective.loss_and_gradient(outputs, &self.targets);
        let forward = start.elapsed();
        self.program.backward(&gradient);
        let backward = start.elapsed();
        self.optimizer
            .step_values(self.program.parameters_mut(), 0.001);
        let whole = start.elapsed();
        [forward, backward - forward, whole - backward].map(|time| time.as_secs_f64())
    }
}
