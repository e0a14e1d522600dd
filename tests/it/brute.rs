//! Random small spaces against brute force.
//!
//! A space is made as a tree, printed as text for strata, and run here by a plain interpreter that
//! tries every sequence of choices, knows nothing of dynamic programming, and computes costs from the
//! finished graph. Both must agree on how many ways there are.

mod interpreter;
mod tree;

use interpreter::Tally;
use num_bigint::BigUint;
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use std::collections::BTreeSet;
use strata::language::compile;
use strata::random::{Purpose, Seed, Stream};
use strata::space::{Genome, Sampling, SearchSpace};
use tree::Space;

/// Spaces with more choice sequences than this are left out: brute force is slow.
const MOST: usize = 3_000;

fn compiled(text: &str) -> Option<SearchSpace> {
    match compile(text) {
        Ok(compiled) => Some(compiled.space),
        Err(found) => {
            let about_emptiness = |message: &str| {
                ["no architecture", "nothing meets", "nothing reads"]
                    .iter()
                    .any(|start| message.starts_with(start))
            };
            assert!(
                found.iter().all(|found| about_emptiness(&found.message)),
                "{found:?}\n{text}"
            );
            None
        }
    }
}

/// Small random spaces with their brute-force tallies.
fn spaces(wanted: usize) -> impl Iterator<Item = (u64, Space, Tally)> {
    let tallied = |seed: u64| {
        let mut stream = Seed(seed).stream(0, Purpose::Tool);
        let space = Space::random(&mut stream);
        let tally = interpreter::tally(&space, MOST)?;
        Some((seed, space, tally))
    };
    (0..).filter_map(tallied).take(wanted)
}

#[test]
fn counts_are_those_of_brute_force() {
    let (mut empty, mut constrained, mut failed) = (0, 0, 0);
    for (seed, space, tally) in spaces(600) {
        let text = space.text();
        let count = compiled(&text).map_or(BigUint::ZERO, |space| {
            space
                .count()
                .exact()
                .expect("small spaces are counted exactly")
                .clone()
        });
        assert_eq!(count, BigUint::from(tally.valid), "seed {seed}\n{text}");
        empty += usize::from(tally.valid == 0);
        failed += usize::from(tally.misfits > 0);
        constrained += usize::from(tally.refused > 0);
    }
    assert!(
        empty >= 5 && failed >= 100 && constrained >= 60,
        "{empty} {failed} {constrained}"
    );
}

#[test]
fn indices_moves_and_samples_stay_inside() {
    for (seed, space, tally) in spaces(200) {
        let text = space.text();
        let Some(space) = compiled(&text) else {
            continue;
        };
        let all = every_genome(&space, tally.valid, seed);
        let mut stream = Seed(seed).stream(1, Purpose::Tool);
        for _ in 0..20 {
            let a = inside(&all, space.sample(Sampling::Prior, &mut stream), &text);
            let b = inside(&all, space.sample(Sampling::Uniform, &mut stream), &text);
            let mutant = inside(&all, space.mutate(&a, 1, &mut stream), &text);
            assert!(
                mutant != a || all.len() == 1 || stuck(&space, &a),
                "{a:?}\n{text}"
            );
            inside(&all, space.mutate(&a, 3, &mut stream), &text);
            inside(&all, space.crossover(&a, &b, &mut stream), &text);
            inside(&all, space.crossover_subtree(&a, &b, &mut stream), &text);
            inside(&all, space.resample_subtree(&a, &mut stream), &text);
        }
    }
}

/// Whether no single decision of the genome can be another way.
fn stuck(space: &SearchSpace, genome: &Genome) -> bool {
    let decisions = space.decisions(genome).unwrap();
    decisions.iter().all(|decision| decision.offered.len() == 1)
}

fn inside(all: &BTreeSet<Genome>, genome: Genome, text: &str) -> Genome {
    assert!(all.contains(&genome), "{genome:?}\n{text}");
    genome
}

/// Every genome: by index, by enumeration, decoded, and back to its index.
fn every_genome(space: &SearchSpace, count: usize, seed: u64) -> BTreeSet<Genome> {
    let mut all = BTreeSet::new();
    let mut stepped = space.iter_from(&BigUint::ZERO);
    for index in 0..count {
        let index = BigUint::from(index);
        let genome = space.get(&index).unwrap();
        assert_eq!(stepped.next().as_ref(), Some(&genome), "seed {seed}");
        assert_eq!(space.index_of(&genome).as_ref(), Ok(&index), "seed {seed}");
        let candidate = space.decode(&genome).unwrap();
        let again = space.decisions(&genome).unwrap();
        assert_eq!(again.len(), candidate.genome.len(), "seed {seed}");
        all.insert(genome);
    }
    assert_eq!(stepped.next(), None);
    assert_eq!(all.len(), count);
    all
}

/// Draws from generated spaces decode and meet their conditions, and some are built. A hundred million
/// draws take minutes, so most of them are left to the slow tests.
#[test]
fn every_draw_decodes() {
    let slow = super::space::slow();
    let (wanted, draws) = if slow { (1_000, 100_000) } else { (100, 200) };
    let spaces = (10_000..).filter_map(|seed| {
        let mut stream = Seed(seed).stream(0, Purpose::Tool);
        let tree = Space::random(&mut stream);
        let space = compiled(&tree.text())?;
        Some((tree, space, stream))
    });
    let spaces: Vec<_> = spaces.take(wanted).collect();
    spaces
        .into_par_iter()
        .for_each(|(tree, space, mut stream)| draw(&tree, &space, draws, &mut stream));
}

fn draw(tree: &Space, space: &SearchSpace, draws: usize, stream: &mut Stream) {
    for turn in 0..draws {
        let sampling = if turn % 2 == 0 {
            Sampling::Prior
        } else {
            Sampling::Uniform
        };
        let genome = space.sample(sampling, stream);
        let candidate = space.decode(&genome).unwrap();
        assert_eq!(candidate.architecture.output(), space.output());
        assert!(tree.admits(&candidate), "{genome:?}\n{}", tree.text());
        if turn < 2 {
            assert!(space.index_of(&genome).unwrap() < space.indices());
            super::networks::check(&candidate.architecture, turn as u64);
        }
    }
}

/// Uniform draws from generated spaces are uniform over all of their architectures.
#[test]
fn draws_from_generated_spaces_are_uniform() {
    let mut tested = 0;
    for (seed, tree, tally) in spaces(400) {
        if !(100..2_000).contains(&tally.valid) {
            continue;
        }
        let space = compiled(&tree.text()).unwrap();
        let deviation = super::space::deviation(&space, 10 * tally.valid, seed);
        assert!(deviation.abs() < 4.5, "seed {seed}: {deviation}");
        tested += 1;
    }
    assert!(tested >= 20, "{tested}");
}
