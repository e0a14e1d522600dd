//! What a search does besides training, per second on one core, over spaces of the literature:
//! `cargo bench --bench throughput`.

#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::hint::black_box;
use std::time::{Duration, Instant};
use strata::language;
use strata::random::{Purpose, Seed};
use strata::space::{Genome, Sampling, SearchSpace};

const SPACES: [&str; 6] = [
    "nasbench201",
    "darts",
    "ofa_mobilenetv3",
    "grammar",
    "nasbench101",
    "digits_cnn",
];

/// How often `work` runs in a second: the best of five rounds, since other programs only slow it down.
fn per_second(mut work: impl FnMut(usize)) -> f64 {
    let round = Duration::from_millis(300);
    let mut best = 0.0f64;
    for _ in 0..5 {
        let start = Instant::now();
        let mut done = 0;
        while start.elapsed() < round {
            for _ in 0..8 {
                work(done);
                done += 1;
            }
        }
        best = best.max(done as f64 / start.elapsed().as_secs_f64());
    }
    best
}

fn space(name: &str) -> SearchSpace {
    let path = format!("{}/search_spaces/{name}.space", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).expect("the space ships");
    language::compile(&text).expect("the space is right").space
}

fn main() {
    println!(
        "{:<16} {:>10} {:>10} {:>10} {:>10} {:>10} {:>10} {:>10}",
        "a second", "by weight", "uniform", "mutate", "cross", "index", "decode", "canonical"
    );
    for name in SPACES {
        let space = space(name);
        let mut stream = Seed(1).stream(0, Purpose::Tool);
        let genomes: Vec<Genome> = (0..1000)
            .map(|_| space.sample(Sampling::Prior, &mut stream))
            .collect();
        let pick = |turn: usize| &genomes[turn % genomes.len()];
        let prior = per_second(|_| {
            black_box(space.sample(Sampling::Prior, &mut stream));
        });
        let uniform = per_second(|_| {
            black_box(space.sample(Sampling::Uniform, &mut stream));
        });
        let mutate = per_second(|turn| {
            black_box(space.mutate(pick(turn), 1, &mut stream));
        });
        let cross = per_second(|turn| {
            black_box(space.crossover(pick(turn), pick(turn + 1), &mut stream));
        });
        let index = per_second(|turn| {
            let _ = black_box(space.index_of(pick(turn)));
        });
        let decode = per_second(|turn| {
            let _ = black_box(space.decode(pick(turn)));
        });
        let decoded: Vec<_> = genomes
            .iter()
            .filter_map(|genome| space.decode(genome).ok())
            .collect();
        let canonical = per_second(|turn| {
            black_box(decoded[turn % decoded.len()].architecture.canonical());
        });
        println!(
            "{name:<16} {prior:>10.0} {uniform:>10.0} {mutate:>10.0} {cross:>10.0} {index:>10.0} {decode:>10.0} {canonical:>10.0}"
        );
    }
}
