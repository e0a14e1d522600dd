//! Controllers on a small real space.

use super::*;
use crate::language;
use crate::random::{Purpose, Seed};
use crate::space::{Sampling, SearchSpace};
use std::collections::BTreeSet;

fn space(layers: &str) -> SearchSpace {
    let text = format!(
        "space s\ninput image(channels: 1, height: 8, width: 8)\noutput classes(10)\n\
         network {{\n flatten\n {layers}\n linear(classes)\n}}\n"
    );
    language::compile(&text).expect("the space is right").space
}

fn wide() -> SearchSpace {
    space("repeat 1..3 {\n linear(4 | 8 | 12 | 16 | 24)\n relu | tanh | silu\n }")
}

fn evolution(crossover: f64) -> SearchSettings {
    SearchSettings {
        population: Some(4),
        sample: Some(2),
        crossover: Some(crossover),
        ..SearchSettings::of(ControllerKind::Evolution)
    }
}

fn random() -> SearchSettings {
    SearchSettings::of(ControllerKind::Random)
}

/// Proposes until the space is exhausted or `trials` is reached, scoring by `score`.
fn run(
    space: &SearchSpace,
    settings: SearchSettings,
    trials: u64,
    score: fn(&Proposed) -> Option<f64>,
) -> Vec<Proposed> {
    let mut proposer = Proposer::new(space, settings.build(space), Seed(1));
    let mut all = Vec::new();
    while let Some(proposed) = (proposer.proposed() < trials)
        .then(|| proposer.propose())
        .flatten()
    {
        let fitness = score(&proposed).map(|score| Fitness { score, loss: 0.0 });
        proposer.tell(fitness, Vec::new());
        all.push(proposed);
    }
    all
}

fn keys(all: &[Proposed]) -> BTreeSet<[u8; 32]> {
    all.iter()
        .map(|proposed| proposed.candidate.key())
        .collect()
}

#[test]
fn the_initial_population_is_random_and_children_differ_in_one_decision_or_what_follows() {
    let space = space(
        "linear(4 | 8 | 12 | 16 | 24 | 32)\n relu | tanh | silu | gelu\n linear(4 | 8 | 12 | 16 | 24)",
    );
    let all = run(&space, evolution(0.0), 30, |_| Some(1.0));
    assert!(all[..4].iter().all(|proposed| proposed.parents.is_empty()));
    for child in &all[4..] {
        let parent = &all[child.parents[0].0 as usize];
        let distance = child.candidate.genome.distance(&parent.candidate.genome);
        assert!((1..=2).contains(&distance), "{distance} decisions differ");
    }
}

#[test]
fn the_oldest_die_even_if_they_are_the_best() {
    let first_is_best = |proposed: &Proposed| Some(-(proposed.trial.0 as f64));
    let all = run(&wide(), evolution(0.0), 40, first_is_best);
    for child in &all[4..] {
        let age = child.trial.0 - child.parents[0].0;
        assert!(age <= 4, "trial {} has a parent of age {age}", child.trial);
    }
}

#[test]
fn failed_trials_are_never_parents() {
    let odd_fail = |proposed: &Proposed| proposed.trial.0.is_multiple_of(2).then_some(1.0);
    let all = run(&wide(), evolution(0.5), 40, odd_fail);
    assert!(
        all.iter()
            .flat_map(|proposed| &proposed.parents)
            .all(|parent| parent.0 % 2 == 0)
    );
    let all = run(&wide(), evolution(0.5), 20, |_| None);
    assert!(all.iter().all(|proposed| proposed.parents.is_empty()));
}

#[test]
fn crossover_gives_two_parents_as_often_as_asked() {
    let all = run(&wide(), evolution(0.5), 200, |_| Some(1.0));
    let two = all
        .iter()
        .filter(|proposed| proposed.parents.len() == 2)
        .count();
    // Half of 196 children, and a quarter of those draw the same parent twice.
    assert!((50..=98).contains(&two), "{two} children have two parents");
}

#[test]
fn selection_finds_more_than_chance() {
    let params =
        |proposed: &Proposed| Some(proposed.candidate.architecture.metrics().params as f64);
    let mean = |settings| {
        let all = run(&wide(), settings, 150, params);
        all[75..].iter().filter_map(params).sum::<f64>() / 75.0
    };
    let tournament = SearchSettings {
        population: Some(16),
        sample: Some(6),
        ..evolution(0.0)
    };
    let (evolved, drawn) = (mean(tournament), mean(random()));
    assert!(
        evolved > 1.2 * drawn,
        "{evolved} parameters against {drawn}"
    );
}

#[test]
fn every_network_of_a_small_space_is_proposed_once() {
    let space = space("linear(4 | 8 | 12)\n relu | tanh | identity");
    for description in CONTROLLERS {
        let settings = SearchSettings::of(description.kind);
        let mut all = run(&space, settings, 100, |_| Some(1.0));
        all.retain(|proposed| proposed.fidelity.is_full());
        assert_eq!((all.len(), keys(&all).len()), (9, 9));
    }
}

#[test]
fn genomes_of_one_network_count_as_one() {
    // An identity before or after the activation is the same network.
    let space = space("linear(4 | 8)\n relu | identity\n relu | identity");
    let all = run(&space, random(), 100, |_| Some(1.0));
    assert_eq!((all.len(), keys(&all).len()), (6, 6));
}

#[test]
fn uniform_random_search_draws_every_genome_alike() {
    let space = space("repeat 1..2 {\n linear(4 | 8 | 12)\n }");
    let mut controller = RandomSearch::new(&space, Sampling::Uniform);
    let mut stream = Seed(2).stream(0, Purpose::Tool);
    let mut shallow = 0;
    for _ in 0..1200 {
        let proposal = controller.ask(TrialId(0), 0, &mut stream);
        let candidate = space.decode(&proposal.genome).unwrap();
        shallow += u32::from(candidate.architecture.metrics().layers == 3);
    }
    // 3 of the 12 architectures have one hidden layer: 300 expected, deviation 15.
    assert!((240..=360).contains(&shallow), "{shallow} of 1200");
}
