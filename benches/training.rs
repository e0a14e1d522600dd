//! How long a training step takes, network by network: an epoch over a few batches of 64 digits, without
//! setting up. One thread, as a trial has.

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use rayon::ThreadPoolBuilder;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use strata::data::{DataSource, Splits};
use strata::language;
use strata::model::ComputeDevice;
use strata::random::Seed;
use strata::space::Candidate;
use strata::training::{Job, Recipe, train};

const BATCHES: usize = 8;

const NETWORKS: [(&str, &str); 4] = [
    ("mlp", include_str!("../search_spaces/mlp.space")),
    ("lenet5", include_str!("../search_spaces/lenet5.space")),
    (
        "vgg_small",
        include_str!("../search_spaces/vgg_small.space"),
    ),
    (
        "resnet_small",
        include_str!("../search_spaces/resnet_small.space"),
    ),
];

fn network(text: &str) -> Candidate {
    let space = language::compile(text)
        .expect("the shipped space is right")
        .space;
    let genome = space
        .get(&0u8.into())
        .expect("a space of one has a first architecture");
    space
        .decode(&genome)
        .expect("the space's own genome is in it")
}

fn steps(criterion: &mut Criterion) {
    let source = DataSource::embedded("digits");
    let splits: Splits = source.splits("".as_ref()).expect("the digits are embedded");
    let (batches, one) = (splits.train.first(64 * BATCHES), splits.train.first(64));
    let recipe = Recipe {
        epochs: 1,
        ..Recipe::default()
    };
    let pool = ThreadPoolBuilder::new()
        .num_threads(1)
        .build()
        .expect("one thread can be started");
    let mut group = criterion.benchmark_group("training");
    group
        .sample_size(10)
        .measurement_time(Duration::from_secs(10));
    group.throughput(Throughput::Elements(BATCHES as u64));
    for (name, text) in NETWORKS {
        let candidate = network(text);
        let stop = AtomicBool::new(false);
        let job = Job {
            architecture: &candidate.architecture,
            recipe: &recipe,
            score: None,
            train: &batches,
            validation: &one,
            seed: Seed(1),
            trial: 0,
            device: ComputeDevice::Flex,
            deadline: None,
            stop: &stop,
        };
        group.bench_function(format!("{BATCHES} steps of {name}"), |bench| {
            let epoch = |()| pool.install(|| train(&job, &mut |_| {}));
            bench.iter_batched(|| (), epoch, BatchSize::PerIteration);
        });
    }
    group.finish();
}

criterion_group!(benches, steps);
criterion_main!(benches);
