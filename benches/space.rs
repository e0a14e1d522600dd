//! How long a search's own work takes for one trial: drawing, editing, decoding, comparing.

use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use strata::language;
use strata::random::{Purpose, Seed};
use strata::space::{Genome, Sampling, SearchSpace};

fn digits_cnn() -> SearchSpace {
    let text = include_str!("../search_spaces/digits_cnn.space");
    language::compile(text)
        .expect("the shipped space is right")
        .space
}

fn some_genomes(space: &SearchSpace) -> Vec<Genome> {
    let mut stream = Seed(1).stream(0, Purpose::Tool);
    (0..64)
        .map(|_| space.sample(Sampling::Prior, &mut stream))
        .collect()
}

fn moves(criterion: &mut Criterion) {
    let space = digits_cnn();
    let genomes = some_genomes(&space);
    let mut group = criterion.benchmark_group("space");
    let mut stream = Seed(2).stream(0, Purpose::Tool);
    group.bench_function("sample by weights", |bench| {
        bench.iter(|| space.sample(Sampling::Prior, &mut stream));
    });
    group.bench_function("sample uniformly", |bench| {
        bench.iter(|| space.sample(Sampling::Uniform, &mut stream));
    });
    let mut turn = genomes.iter().cycle();
    group.bench_function("mutate", |bench| {
        bench.iter(|| {
            turn.next()
                .map(|genome| space.mutate(genome, 1, &mut stream))
        });
    });
    group.bench_function("decode", |bench| {
        bench.iter(|| turn.next().map(|genome| space.decode(black_box(genome))));
    });
    let decoded: Vec<_> = genomes
        .iter()
        .filter_map(|genome| space.decode(genome).ok())
        .collect();
    let mut turn = decoded.iter().cycle();
    group.bench_function("canonical form", |bench| {
        bench.iter(|| {
            turn.next()
                .map(|candidate| candidate.architecture.canonical())
        });
    });
    group.finish();
}

criterion_group!(benches, moves);
criterion_main!(benches);
