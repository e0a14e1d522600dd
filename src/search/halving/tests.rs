//! Searches with several fidelities on a small real space.

use crate::language;
use crate::random::Seed;
use crate::search::{ControllerKind, Fidelity, Fitness, Proposed, Proposer, SearchSettings};
use crate::space::SearchSpace;
use std::collections::{BTreeMap, VecDeque};

const KINDS: [ControllerKind; 4] = [
    ControllerKind::SuccessiveHalving,
    ControllerKind::Hyperband,
    ControllerKind::EvolutionHalving,
    ControllerKind::EvolutionHyperband,
];

fn space(layers: &str) -> SearchSpace {
    let text = format!(
        "space s\ninput image(channels: 1, height: 8, width: 8)\noutput classes(10)\n\
         let wide = 4 | 8 | 12\n\
         network {{\n flatten\n linear(wide)\n {layers}\n linear(classes)\n}}\n"
    );
    language::compile(&text).expect("the space is right").space
}

fn large() -> SearchSpace {
    space("repeat 1..4 {\n linear(4 | 8 | 12 | 16 | 24)\n relu | tanh | silu\n }")
}

fn settings(controller: ControllerKind) -> SearchSettings {
    SearchSettings {
        full_epochs: 9,
        ..SearchSettings::of(controller)
    }
}

/// More parameters are better, and that shows at every fidelity.
fn params(proposed: &Proposed) -> Option<f64> {
    Some(proposed.candidate.architecture.metrics().params as f64)
}

/// Searches with results that come `lookahead` trials late.
fn run(
    space: &SearchSpace,
    settings: &SearchSettings,
    lookahead: usize,
    trials: u64,
    score: impl Fn(&Proposed) -> Option<f64>,
) -> Vec<Proposed> {
    let mut proposer = Proposer::new(space, settings.build(space), Seed(1));
    let (mut all, mut running) = (Vec::new(), VecDeque::new());
    while proposer.proposed() < trials {
        if running.len() == lookahead {
            let done: Option<f64> = running.pop_front().flatten();
            proposer.tell(done.map(|score| Fitness { score, loss: 0.0 }), Vec::new());
        }
        let Some(proposed) = proposer.propose() else {
            break;
        };
        running.push_back(score(&proposed));
        all.push(proposed);
    }
    all
}

fn at(all: &[Proposed], epochs: u32) -> usize {
    let wanted = Fidelity::of_epochs(epochs);
    all.iter().filter(|it| it.fidelity == wanted).count()
}

fn full(all: &[Proposed]) -> usize {
    all.iter().filter(|it| it.fidelity.is_full()).count()
}

#[test]
fn a_bracket_of_hyperband_keeps_one_in_eta() {
    let all = run(
        &large(),
        &settings(ControllerKind::Hyperband),
        1,
        13 + 7 + 3,
        params,
    );
    // Epochs 1, 3 and 9: 9 candidates from the bottom, 5 from the middle, 3 in full.
    assert_eq!(
        (at(&all[..13], 1), at(&all[..13], 3), full(&all[..13])),
        (9, 3, 1)
    );
    assert_eq!((at(&all[13..19], 3), full(&all[13..19])), (5, 1));
    assert_eq!(full(&all[19..22]), 3);
    assert_eq!(at(&all[22..], 1), 1);
}

#[test]
fn the_best_go_on_with_their_streams() {
    for kind in KINDS {
        for lookahead in [1, 4, 8] {
            let all = run(&large(), &settings(kind), lookahead, 120, params);
            for promoted in all.iter().filter(|it| it.continues.is_some()) {
                let earlier = &all[promoted.continues.unwrap().0 as usize];
                assert!(earlier.trial.0 + lookahead as u64 <= promoted.trial.0);
                assert_eq!(earlier.candidate.genome, promoted.candidate.genome);
                assert!(earlier.fidelity.leads_to(&promoted.fidelity));
                assert_eq!(earlier.stream, promoted.stream);
                assert!(promoted.parents.is_empty());
            }
            assert!(full(&all) >= 5, "{kind:?} has {} in full", full(&all));
            let mut mean = BTreeMap::new();
            for proposed in all.iter().filter(|it| it.stream < 60) {
                let epochs = proposed.fidelity.epochs_of(9);
                let (sum, count) = mean.entry(epochs).or_insert((0.0, 0.0));
                (*sum, *count) = (*sum + params(proposed).unwrap(), *count + 1.0);
            }
            let mean = |epochs: usize| mean[&epochs].0 / mean[&epochs].1;
            assert!(mean(1) < mean(9), "{kind:?} promotes no better than chance");
        }
    }
}

#[test]
fn successive_halving_promotes_as_soon_as_one_is_among_the_best() {
    let all = run(
        &large(),
        &settings(ControllerKind::SuccessiveHalving),
        1,
        5,
        params,
    );
    // After three results the best of them goes on.
    assert_eq!(all[3].fidelity, Fidelity::of_epochs(3));
    let best = all[..3].iter().max_by_key(|it| params(it).unwrap() as u64);
    assert_eq!(all[3].continues, Some(best.unwrap().trial));
    assert_eq!(all[4].fidelity, Fidelity::of_epochs(1));
}

#[test]
fn failures_never_go_on_and_nothing_waits_for_them() {
    for kind in KINDS {
        let odd = |it: &Proposed| it.stream.is_multiple_of(2).then(|| params(it)).flatten();
        let all = run(&large(), &settings(kind), 4, 100, odd);
        assert_eq!(all.len(), 100);
        let promoted = all.iter().filter(|it| it.continues.is_some());
        assert!(promoted.clone().count() > 5);
        for it in promoted {
            assert_eq!(it.stream % 2, 0);
        }
        let all = run(&large(), &settings(kind), 4, 100, |_| None);
        assert!(all.iter().all(|it| it.continues.is_none()));
        assert_eq!(all.len(), 100);
    }
}

#[test]
fn a_space_of_one_is_evaluated_in_full_and_ends() {
    let space = space("relu");
    let fixed = language::compile(
        "space s\ninput image(channels: 1, height: 8, width: 8)\noutput classes(10)\n\
         network {\n flatten\n linear(classes)\n}\n",
    );
    for kind in KINDS {
        for lookahead in [1, 8] {
            let one = run(
                &fixed.as_ref().unwrap().space,
                &settings(kind),
                lookahead,
                50,
                params,
            );
            assert_eq!(full(&one), 1, "{kind:?}");
            assert!(one.len() <= 3);
            let three = run(&space, &settings(kind), lookahead, 50, params);
            assert_eq!(full(&three), 3, "{kind:?}");
            assert!(three.len() <= 9);
        }
    }
}

#[test]
fn nothing_is_tried_twice_at_one_fidelity() {
    for kind in KINDS {
        let all = run(
            &space("relu | tanh | silu\n relu | tanh"),
            &settings(kind),
            8,
            200,
            params,
        );
        let mut keys: Vec<String> = all
            .iter()
            .map(|it| format!("{:?} {}", it.candidate.key(), it.fidelity))
            .collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), all.len());
    }
}

#[test]
fn widths_and_shares_of_the_data_begin_anew() {
    for kind in KINDS {
        let narrow = SearchSettings {
            fidelity: Some("wide".to_owned()),
            ..settings(kind)
        };
        let all = run(&large(), &narrow, 4, 100, params);
        assert!(
            all.iter()
                .all(|it| it.fidelity.is_full() && it.continues.is_none())
        );
        let grown = all
            .iter()
            .filter(|it| it.candidate.genome.get("wide") == Some(2));
        assert!(grown.clone().count() > 3, "{kind:?}");
        let data = SearchSettings {
            fidelity: Some("data".to_owned()),
            ..settings(kind)
        };
        let all = run(&large(), &data, 4, 100, params);
        assert!(
            all.iter()
                .all(|it| it.continues.is_none() && it.stream == it.trial.0)
        );
        assert!(full(&all) > 3);
    }
}

#[test]
fn guided_candidates_descend_from_those_that_came_highest() {
    let mean = |kind| {
        let all = run(&large(), &settings(kind), 8, 300, params);
        let late = all[150..].iter().filter(|it| it.continues.is_none());
        let (sum, count) = late.fold((0.0, 0.0), |(sum, count), it| {
            (sum + params(it).unwrap(), count + 1.0)
        });
        sum / count
    };
    let guided = mean(ControllerKind::EvolutionHyperband);
    let drawn = mean(ControllerKind::Hyperband);
    assert!(guided > 1.2 * drawn, "{guided} parameters against {drawn}");
    let guided = mean(ControllerKind::EvolutionHalving);
    let drawn = mean(ControllerKind::SuccessiveHalving);
    assert!(guided > 1.2 * drawn, "{guided} parameters against {drawn}");
}
