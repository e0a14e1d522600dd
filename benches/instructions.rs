//! How many instructions the hot paths take, counted by valgrind, against the counts in `benches/instructions.csv`:
//!
//!     cargo bench --bench instructions               # fails where a count has grown by more than the tolerance
//!     cargo bench --bench instructions -- --bless    # writes the counts anew
//!
//! Unlike times, counts are nearly the same on every run and on a busy machine. They depend on the compiler and on the
//! instructions of the processor, which the file names: where they differ, or valgrind is missing, nothing is compared.
//! Each work runs in a process of its own, once with and once without the work itself, and what it takes is the
//! difference.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a table for people, and a program that answers itself"
)]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::process::{Command, ExitCode};
use strata::kernels::{self, Geometry, Operation, Pass};
use strata::language;
use strata::layers::Mode;
use strata::model::{Network, Program};
use strata::random::{Purpose, Seed, Stream};
use strata::search::{ControllerKind, Fitness, Proposer, SearchSettings};
use strata::space::{Genome, Sampling, SearchSpace};

/// How much a count may grow before it is an error, and shrink before it is worth a new file.
const TOLERANCE: f64 = 0.02;

const COUNTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/instructions.csv");

/// Something to count, by name: prepares itself, and returns what is counted.
type Work = (&'static str, fn() -> Box<dyn FnMut()>);

const WORKS: [Work; 17] = [
    ("conv2d 3x3 16x8x8", || convolution([8, 16, 16, 3, 1, 1])),
    ("conv2d 5x5 32x8x8", || convolution([8, 32, 32, 5, 1, 1])),
    ("conv2d 1x1 32x16x16", || convolution([16, 32, 32, 1, 1, 1])),
    ("conv2d 3x3 stride 2", || convolution([8, 16, 32, 3, 2, 1])),
    ("conv2d 3x3 depthwise", || {
        convolution([16, 32, 32, 3, 1, 32])
    }),
    ("linear 64 to 128", || {
        layer(
            Box::new(kernels::Linear::new(64, 128, true)),
            [64, 128],
            &[64 * 128, 128],
        )
    }),
    ("batch_norm 32x8x8", || {
        layer(
            Box::new(kernels::BatchNorm::new(32, 0.1, 1e-5)),
            [2048, 2048],
            &[32, 32],
        )
    }),
    ("layer_norm 32x64", || {
        layer(
            Box::new(kernels::LayerNorm::new(64, 1e-5)),
            [2048, 2048],
            &[64, 64],
        )
    }),
    ("gelu", || {
        layer(
            Box::new(kernels::Apply(kernels::Pointwise::Gelu)),
            [2048, 2048],
            &[],
        )
    }),
    ("lstm 16x32", || {
        let operation = kernels::Recurrent::new(kernels::Cell::Lstm, [16, 32, 32], false, false);
        layer(
            Box::new(operation),
            [512, 512],
            &[32 * 128, 32 * 128, 128, 128],
        )
    }),
    ("self_attention 32x32", || {
        layer(
            Box::new(attention()),
            [1024, 1024],
            &[32 * 96, 96, 1024, 32],
        )
    }),
    ("training step of lenet5", training_step),
    ("sample digits_cnn", || {
        let (space, mut stream) = (digits(), tool());
        Box::new(move || {
            (0..50).for_each(|_| drop(black_box(space.sample(Sampling::Prior, &mut stream))));
        })
    }),
    ("mutate digits_cnn", || {
        let (space, mut stream) = (digits(), tool());
        let genomes = genomes(&space);
        Box::new(move || {
            let mutate = |genome| drop(black_box(space.mutate(genome, 1, &mut stream)));
            genomes.iter().for_each(mutate);
        })
    }),
    ("decode digits_cnn", || {
        let space = digits();
        let genomes = genomes(&space);
        Box::new(move || {
            genomes
                .iter()
                .for_each(|genome| drop(black_box(space.decode(genome))));
        })
    }),
    ("canonical digits_cnn", || {
        let space = digits();
        let decode = |genome: &Genome| space.decode(genome).expect("its own genome").architecture;
        let networks: Vec<_> = genomes(&space).iter().map(decode).collect();
        Box::new(move || {
            networks
                .iter()
                .for_each(|network| drop(black_box(network.canonical())));
        })
    }),
    ("replay 100 trials", replay),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [run, name, times] = &arguments[..]
        && run == "--run"
    {
        let (_, prepare) = WORKS
            .iter()
            .find(|(work, _)| work == name)
            .expect("a work's name");
        let mut work = prepare();
        (0..times.parse::<usize>().expect("a number")).for_each(|_| work());
        return ExitCode::SUCCESS;
    }
    let here = format!("{}, {}", compiler(), kernels::path());
    if Command::new("valgrind").arg("--version").output().is_err() {
        println!("instructions are not counted: valgrind is not installed");
        return ExitCode::SUCCESS;
    }
    if arguments.iter().any(|argument| argument == "--bless") {
        let rows = WORKS
            .iter()
            .map(|(name, _)| format!("{name},{}\n", count(name)));
        let text = format!("# {here}\nwork,instructions\n{}", rows.collect::<String>());
        std::fs::write(COUNTS, text).expect("the file of counts can be written");
        return ExitCode::SUCCESS;
    }
    compare(&here)
}

fn compare(here: &str) -> ExitCode {
    let text = std::fs::read_to_string(COUNTS).expect("the file of counts can be read");
    let mut lines = text.lines();
    let there = lines.next().unwrap_or_default().trim_start_matches("# ");
    if there != here {
        println!("instructions are not compared: the counts are of {there}, and this is {here}");
        return ExitCode::SUCCESS;
    }
    let rows = lines.skip(1).filter_map(|line| line.rsplit_once(','));
    let known: BTreeMap<&str, u64> = rows
        .filter_map(|(name, n)| Some((name, n.parse().ok()?)))
        .collect();
    let mut grown = 0;
    for (name, _) in WORKS {
        let found = count(name);
        let before = known.get(name).copied().unwrap_or(0);
        let change = found as f64 / before.max(1) as f64 - 1.0;
        let note = match change {
            change if change > TOLERANCE => "  more than before",
            change if change < -TOLERANCE => "  less than before: bless it",
            _ => "",
        };
        grown += usize::from(change > TOLERANCE);
        println!("{name:<26} {found:>13} {:>+7.2}%{note}", 100.0 * change);
    }
    if grown > 0 {
        eprintln!(
            "{grown} of {} take more instructions than benches/instructions.csv says",
            WORKS.len()
        );
    }
    ExitCode::from(u8::from(grown > 0))
}

/// Instructions of one run of a work.
fn count(name: &str) -> u64 {
    let [with, without] = [2, 1].map(|times| instructions(name, times));
    with - without
}

/// Instructions of a process that does a work so often.
fn instructions(name: &str, times: usize) -> u64 {
    let this = std::env::current_exe().expect("the program knows itself");
    let valgrind = [
        "--tool=cachegrind",
        "--cache-sim=no",
        "--cachegrind-out-file=/dev/null",
    ];
    let done = Command::new("valgrind")
        .args(valgrind)
        .arg(this)
        .args(["--run", name, &times.to_string()])
        .output()
        .expect("valgrind starts");
    let said = String::from_utf8_lossy(&done.stderr);
    let line = said.lines().find(|line| line.contains(" refs:"));
    let digits = line
        .and_then(|line| line.rsplit(' ').next())
        .map(|n| n.replace(',', ""));
    digits
        .and_then(|n| n.parse().ok())
        .unwrap_or_else(|| panic!("valgrind counts nothing:\n{said}"))
}

fn compiler() -> String {
    let said = Command::new("rustc").arg("--version").output();
    said.map_or_else(
        |_| "unknown".to_owned(),
        |said| String::from_utf8_lossy(&said.stdout).trim().to_owned(),
    )
}

fn tool() -> Stream {
    Seed(1).stream(0, Purpose::Tool)
}

fn digits() -> SearchSpace {
    let text = include_str!("../search_spaces/digits_cnn.space");
    language::compile(text)
        .expect("the shipped space is right")
        .space
}

fn genomes(space: &SearchSpace) -> Vec<Genome> {
    let mut stream = tool();
    (0..20)
        .map(|_| space.sample(Sampling::Prior, &mut stream))
        .collect()
}

fn attention() -> kernels::SelfAttention {
    kernels::SelfAttention::new(kernels::Heads {
        length: 32,
        features: 32,
        heads: 2,
        kv_heads: 2,
        causal: false,
        biased: true,
        rotation: None,
    })
}

fn convolution([size, channels, filters, kernel, stride, groups]: [usize; 6]) -> Box<dyn FnMut()> {
    let geometry = Geometry {
        input: [size; 2],
        output: [size.div_ceil(stride); 2],
        channels,
        filters,
        kernel: [kernel; 2],
        stride: [stride; 2],
        dilation: [1; 2],
        before: [(kernel - 1) / 2; 2],
        groups,
    };
    let sizes = [
        size * size * channels,
        size.div_ceil(stride).pow(2) * filters,
    ];
    let weights = filters * geometry.channels_of_group() * geometry.taps();
    layer(kernels::convolution(geometry, false), sizes, &[weights])
}

/// A layer forward and backward on eight examples, whose inputs and outputs have these sizes.
fn layer(
    mut operation: Box<dyn Operation>,
    [input, output]: [usize; 2],
    parameters: &[usize],
) -> Box<dyn FnMut()> {
    const BATCH: usize = 8;
    let fill =
        |count: usize| -> Vec<f32> { (0..count).map(|i| (i % 13) as f32 * 0.1 - 0.5).collect() };
    let inputs = fill(BATCH * input);
    let parameters: Vec<Vec<f32>> = parameters.iter().map(|&size| fill(size)).collect();
    let mut buffers = parameters.clone();
    let (mut outputs, mut target) = (fill(BATCH * output), inputs.clone());
    let mut gradients = parameters.clone();
    let mut noise = tool();
    Box::new(move || {
        let pass = Pass {
            batch: BATCH,
            inputs: &[&inputs],
            parameters: &parameters,
        };
        operation.forward(pass, &mut buffers, Some(&mut noise), &mut outputs);
        let mut gradient = outputs.clone();
        operation.backward(
            pass,
            &outputs,
            &mut gradient,
            &mut [Some(&mut target)],
            &mut gradients,
        );
        black_box((&gradient, &target));
    })
}

fn training_step() -> Box<dyn FnMut()> {
    let space = language::compile(include_str!("../search_spaces/lenet5.space"))
        .expect("the space is right")
        .space;
    let genome = space.get(&0u8.into()).expect("a space of one");
    let architecture = space.decode(&genome).expect("its own genome").architecture;
    let network = Network::build(&architecture, &mut tool(), &burn::tensor::Device::flex());
    let mut program = Program::of(&network);
    let inputs: Vec<f32> = (0..8 * architecture.input().elements())
        .map(|i| (i % 7) as f32 * 0.2)
        .collect();
    let mut noise = tool();
    Box::new(move || {
        let gradient = program
            .forward(&inputs, Mode::Training(&mut noise))
            .to_vec();
        program.backward(&gradient);
    })
}

/// What resuming a run does for each trial of its journal, besides reading it.
fn replay() -> Box<dyn FnMut()> {
    let space = digits();
    let settings = SearchSettings::of(ControllerKind::Evolution);
    let fitness = |trial: usize| Fitness {
        score: (trial * 37 % 101) as f64 / 101.0,
        loss: 0.5,
    };
    let journal: Vec<Genome> = {
        let mut proposer = Proposer::new(&space, settings.build(&space), Seed(3));
        let mut next = |trial| {
            let proposed = proposer.propose().expect("the space is large");
            proposer.tell(Some(fitness(trial)), Vec::new());
            proposed.candidate.genome
        };
        (0..100).map(&mut next).collect()
    };
    Box::new(move || {
        let mut proposer = Proposer::new(&space, settings.build(&space), Seed(3));
        for (trial, genome) in journal.iter().enumerate() {
            black_box(proposer.propose_again(genome));
            proposer.tell(Some(fitness(trial)), Vec::new());
        }
    })
}
