//! What a search does besides training, per second on one core, over spaces of the literature:
//! `cargo bench --bench throughput`.

#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]

use num_bigint::BigUint;
use std::collections::HashSet;
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

/// How often `work` runs in a second of processor time: the best of five rounds, since other programs
/// only slow it down.
fn per_second(mut work: impl FnMut(usize)) -> f64 {
    let round = Duration::from_millis(300);
    let mut best = 0.0f64;
    for _ in 0..5 {
        let (start, spent) = (Instant::now(), processor_time());
        let mut done = 0;
        while start.elapsed() < round {
            for _ in 0..8 {
                work(done);
                done += 1;
            }
        }
        let spent = spent
            .zip(processor_time())
            .map(|(before, now)| now - before);
        best = best.max(done as f64 / spent.unwrap_or(start.elapsed()).as_secs_f64());
    }
    best
}

/// How long this thread has run on a processor, where the system says so: other programs don't count.
fn processor_time() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split(' ')
        .next()?
        .parse()
        .ok()
        .map(Duration::from_nanos)
}

fn space(name: &str) -> SearchSpace {
    let path = format!("{}/search_spaces/{name}.space", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).expect("the space ships");
    language::compile(&text).expect("the space is right").space
}

/// NAS-Bench-101's cell by itself.
const NASBENCH101_CELL: &str = "space nasbench101_cell
input image(channels: 4, height: 4, width: 4)
output classes(2)
network {
    dag {
        nodes 2..7
        edges subset(max: 9)
        node conv2d(4, kernel: 3, padding: same)
            | conv2d(4, kernel: 1)
            | max_pool2d(3, stride: 1, padding: same)
        merge add
        output concat
    }
    global_avg_pool
    linear(classes)
}
";

/// Every cell of NAS-Bench-101, decoded, and the different ones by both forms.
fn deduplicate_nasbench101() {
    let space = language::compile(NASBENCH101_CELL)
        .expect("the cell is right")
        .space;
    let (start, spent) = (Instant::now(), processor_time());
    let (mut canonical, mut functional) = (HashSet::new(), HashSet::new());
    let mut cells = 0;
    for genome in space.iter_from(&BigUint::ZERO) {
        let candidate = space.decode(&genome).expect("the space has it");
        canonical.insert(candidate.architecture.canonical().hash());
        functional.insert(candidate.architecture.functional().hash());
        cells += 1;
    }
    let elapsed = start.elapsed();
    let spent = spent
        .zip(processor_time())
        .map(|(before, now)| now - before);
    println!(
        "nasbench101: {cells} cells, {} graphs, {} functions in {:.2} s of a processor, {:.2} s in all",
        canonical.len(),
        functional.len(),
        spent.unwrap_or(elapsed).as_secs_f64(),
        elapsed.as_secs_f64()
    );
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
    deduplicate_nasbench101();
}
