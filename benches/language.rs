//! How long texts take: parsing, formatting, and compiling to a space that counts and samples.

use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use strata::language;

const DIGITS_CNN: &str = include_str!("../search_spaces/digits_cnn.space");

fn texts(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("language");
    group.bench_function("parse digits_cnn", |bench| {
        bench.iter(|| language::parse(black_box(DIGITS_CNN)));
    });
    group.bench_function("format digits_cnn", |bench| {
        bench.iter(|| language::format(black_box(DIGITS_CNN)));
    });
    group.bench_function("compile digits_cnn", |bench| {
        bench.iter(|| language::compile(black_box(DIGITS_CNN)));
    });
    group.finish();
}

criterion_group!(benches, texts);
criterion_main!(benches);
