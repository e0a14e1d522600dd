//! What every controller keeps to, whatever it does: each test walks the whole table, in its default
//! and in its ablations.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use strata::language;
use strata::random::{Purpose, Seed};
use strata::search::{
    Acquisition, CONTROLLERS, ControllerKind, Encoding, Fidelity, Fitness, Moves, Observed,
    Proposed, Proposer, SearchSettings, Step, TrialId,
};
use strata::space::{ProductSpace, Sampling, SearchSpace};

const WIDE: &str = "repeat 1..3 {\n linear(4 | 8 | 12 | 16 | 24)\n relu | tanh | silu\n }";
const PRODUCT: &str =
    "linear(4 | 8 | 12 | 16)\n relu | tanh | silu\n linear(4 | 8 | 12 | 16)\n relu | tanh | gelu";
const BOUNDED: &str = "repeat 1..3 {\n linear(4 | 8 | 12 | 16 | 24)\n }";
const TINY: &str = "linear(4 | 8)\n relu | tanh | identity";

fn space_with(layers: &str, more: &str) -> SearchSpace {
    let text = format!(
        "space s\n{more}input image(channels: 1, height: 8, width: 8)\noutput classes(10)\n\
         network {{\n flatten\n {layers}\n linear(classes)\n}}\n"
    );
    language::compile(&text).expect("the space is right").space
}

fn space(layers: &str) -> SearchSpace {
    space_with(layers, "")
}

/// Every controller with its defaults, and with each of its parts the other way.
fn all() -> Vec<SearchSettings> {
    let mut all: Vec<SearchSettings> = CONTROLLERS
        .iter()
        .map(|description| SearchSettings::of(description.kind))
        .collect();
    let of = SearchSettings::of;
    all.extend([
        SearchSettings {
            eta: Some(2),
            min_fidelity: Some(0.02),
            population: Some(4),
            random_share: Some(0.0),
            ..of(ControllerKind::EvolutionHalving)
        },
        SearchSettings {
            fidelity: Some("data".to_owned()),
            sample: Some(1),
            edits: Some(2),
            ..of(ControllerKind::EvolutionHyperband)
        },
        SearchSettings {
            sampling: Some(Sampling::Uniform),
            ..of(ControllerKind::Random)
        },
        SearchSettings {
            aging: Some(false),
            crossover: Some(0.5),
            edits: Some(2),
            population: Some(4),
            ..of(ControllerKind::Evolution)
        },
        SearchSettings {
            population: Some(2),
            offspring: Some(5),
            crossover: Some(0.0),
            ..of(ControllerKind::MuPlusLambda)
        },
        SearchSettings {
            step: Some(Step::Best),
            initial: Some(1),
            ..of(ControllerKind::LocalSearch)
        },
        SearchSettings {
            population: Some(3),
            offspring: Some(1),
            ..of(ControllerKind::Nsga2)
        },
        SearchSettings {
            encoding: Some(Encoding::Decisions),
            acquisition: Some(Acquisition::Thompson),
            refit: Some(7),
            initial: Some(2),
            ..of(ControllerKind::Predictor)
        },
    ]);
    all
}

/// What a trial gives.
type Score<'a> = &'a dyn Fn(&Proposed) -> Option<f64>;

fn params(proposed: &Proposed) -> f64 {
    proposed.candidate.architecture.metrics().params as f64
}

/// A score that has a best network, which is not the largest.
fn hill(proposed: &Proposed) -> Option<f64> {
    Some(-(params(proposed) - 900.0).abs())
}

/// Results are told `lookahead` trials late, as a run does.
fn search(
    space: &SearchSpace,
    settings: &SearchSettings,
    seed: u64,
    trials: u64,
    score: Score<'_>,
) -> Vec<Proposed> {
    let mut proposer = proposer(space, settings, seed);
    let mut all: Vec<Proposed> = Vec::new();
    let mut told = 0;
    while proposer.proposed() < trials {
        if proposer.proposed() >= told as u64 + settings.lookahead {
            tell(&mut proposer, &all[told], score);
            told += 1;
        }
        let Some(proposed) = proposer.propose() else {
            break;
        };
        all.push(proposed);
    }
    for proposed in &all[told..] {
        tell(&mut proposer, proposed, score);
    }
    all
}

fn proposer<'s>(space: &'s SearchSpace, settings: &SearchSettings, seed: u64) -> Proposer<'s> {
    assert_eq!(settings.nonsense(), None);
    Proposer::new(space, settings.build(space), Seed(seed)).with_duplicates(settings.duplicates())
}

fn tell(proposer: &mut Proposer<'_>, proposed: &Proposed, score: Score<'_>) {
    let fitness = score(proposed).map(|score| Fitness { score, loss: 0.5 });
    proposer.tell(fitness, vec![params(proposed)]);
}

fn keys(all: &[Proposed]) -> BTreeSet<String> {
    // A network may be tried again at another fidelity.
    let key = |proposed: &Proposed| format!("{:?} {}", proposed.candidate.key(), proposed.fidelity);
    all.iter().map(key).collect()
}

/// Those that were evaluated in full.
fn in_full(mut all: Vec<Proposed>) -> Vec<Proposed> {
    all.retain(|proposed| proposed.fidelity.is_full());
    all
}

fn genomes(all: &[Proposed]) -> Vec<String> {
    let genome = |proposed: &Proposed| serde_json::to_string(&proposed.candidate.genome).unwrap();
    all.iter().map(genome).collect()
}

fn best(all: &[Proposed]) -> f64 {
    let scores = all.iter().filter_map(hill);
    scores.fold(f64::NEG_INFINITY, f64::max)
}

#[test]
fn proposals_are_members_of_the_space() {
    let space = space(WIDE);
    for settings in all() {
        for proposed in search(&space, &settings, 1, 60, &hill) {
            let genome = &proposed.candidate.genome;
            assert!(space.index_of(genome).is_ok(), "{settings:?}");
        }
    }
}

#[test]
fn proposals_keep_the_constraints() {
    let space = space_with(BOUNDED, "require params <= 1200\n");
    for settings in all() {
        let all = search(&space, &settings, 1, 20, &hill);
        assert!(!all.is_empty());
        for proposed in all {
            assert!(params(&proposed) <= 1200.0, "{settings:?}");
        }
    }
}

#[test]
fn trials_are_numbered_in_the_order_of_proposing() {
    let space = space(WIDE);
    for settings in all() {
        let trials = search(&space, &settings, 1, 30, &hill);
        let numbers: Vec<u64> = trials.iter().map(|proposed| proposed.trial.0).collect();
        assert_eq!(numbers, (0..30).collect::<Vec<_>>(), "{settings:?}");
    }
}

#[test]
fn a_budget_is_used_in_full_where_the_space_allows_it() {
    let space = space(WIDE);
    for settings in all() {
        assert_eq!(search(&space, &settings, 2, 150, &hill).len(), 150);
    }
}

#[test]
fn parents_are_earlier_trials_whose_results_were_told() {
    let space = space(WIDE);
    for settings in all() {
        for proposed in search(&space, &settings, 3, 80, &hill) {
            for parent in &proposed.parents {
                let known = proposed.trial.0 >= parent.0 + settings.lookahead;
                assert!(known, "{settings:?}: {} from {parent}", proposed.trial);
            }
        }
    }
}

#[test]
fn asking_without_telling_works_up_to_any_lookahead() {
    let space = space(WIDE);
    for lookahead in [1, 2, 8, 64, 256] {
        for settings in all() {
            let settings = SearchSettings {
                lookahead,
                ..settings
            };
            assert_eq!(search(&space, &settings, 4, 120, &hill).len(), 120);
        }
    }
}

#[test]
fn proposals_depend_on_nothing_but_seed_and_results() {
    let space = space(WIDE);
    for settings in all() {
        let first = genomes(&search(&space, &settings, 5, 60, &hill));
        let again = genomes(&search(&space, &settings, 5, 60, &hill));
        assert_eq!(first, again, "{settings:?}");
    }
}

#[test]
fn another_seed_gives_other_proposals() {
    let space = space(WIDE);
    for settings in all() {
        if settings.controller != ControllerKind::Exhaustive {
            let first = genomes(&search(&space, &settings, 6, 30, &hill));
            let other = genomes(&search(&space, &settings, 7, 30, &hill));
            assert_ne!(first, other, "{settings:?}");
        }
    }
}

/// One line for each controller: what its trials come to.
fn digests() -> String {
    use sha2::{Digest, Sha256};
    let space = space(WIDE);
    let digest = |settings: SearchSettings| {
        let genomes = genomes(&search(&space, &settings, 8, 60, &hill)).join("\n");
        let hash = Sha256::digest(genomes.as_bytes());
        let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("digest {} {hex}", settings.description().name)
    };
    all().into_iter().map(digest).collect::<Vec<_>>().join("\n")
}

#[test]
#[ignore = "run in another process by the test below"]
fn print_digests() {
    use std::io::Write;
    std::io::stdout().write_all(digests().as_bytes()).unwrap();
}

#[test]
fn another_process_gives_the_same_proposals() {
    let child = Command::new(std::env::current_exe().unwrap())
        .args([
            "controllers::print_digests",
            "--exact",
            "--ignored",
            "--nocapture",
        ])
        .output()
        .unwrap();
    let output = String::from_utf8(child.stdout).unwrap();
    assert!(output.contains(&digests()), "{output}");
}

#[test]
fn a_replay_of_the_results_leads_to_the_same_next_proposals() {
    let space = space(WIDE);
    for settings in all() {
        let whole = genomes(&search(&space, &settings, 9, 60, &hill));
        // Another controller is brought to trial 40 as a resumed run does, and goes on from there.
        let part = genomes(&search(&space, &settings, 9, 40, &hill));
        assert_eq!(part, whole[..40], "{settings:?}");
        let mut proposer = proposer(&space, &settings, 9);
        let mut all: Vec<Proposed> = Vec::new();
        for index in 0..60usize {
            if let Some(due) = (index + 1).checked_sub(settings.lookahead as usize + 1) {
                tell(&mut proposer, &all[due], &hill);
            }
            all.push(proposer.propose().unwrap());
        }
        assert_eq!(genomes(&all), whole, "{settings:?}");
    }
}

#[test]
fn some_failed_trials_change_nothing_about_the_rules() {
    let space = space(WIDE);
    let some = |proposed: &Proposed| hill(proposed).filter(|_| !proposed.trial.0.is_multiple_of(3));
    for settings in all() {
        let trials = search(&space, &settings, 10, 100, &some);
        assert_eq!(trials.len(), 100, "{settings:?}");
        let failed = |parent: &TrialId| parent.0.is_multiple_of(3);
        let parents: Vec<_> = trials
            .iter()
            .flat_map(|proposed| &proposed.parents)
            .collect();
        assert!(!parents.into_iter().any(failed), "{settings:?}");
    }
}

#[test]
fn nothing_but_failed_trials_leaves_fresh_draws() {
    let space = space(WIDE);
    for settings in all() {
        let trials = search(&space, &settings, 11, 60, &|_| None);
        assert_eq!(trials.len(), 60, "{settings:?}");
        assert!(trials.iter().all(|proposed| proposed.parents.is_empty()));
    }
}

#[test]
fn scores_that_are_no_numbers_are_survived_and_lead_nowhere() {
    let space = space(WIDE);
    let odd = |proposed: &Proposed| {
        let nan = proposed.trial.0.is_multiple_of(2);
        if nan { Some(f64::NAN) } else { hill(proposed) }
    };
    for settings in all() {
        let trials = search(&space, &settings, 12, 100, &odd);
        assert_eq!(trials.len(), 100, "{settings:?}");
        let only = search(&space, &settings, 12, 40, &|_| Some(f64::NAN));
        assert_eq!(only.len(), 40, "{settings:?}");
    }
}

#[test]
fn infinite_scores_are_survived() {
    let space = space(WIDE);
    for bound in [f64::INFINITY, f64::NEG_INFINITY] {
        let odd = |proposed: &Proposed| {
            let odd = proposed.trial.0.is_multiple_of(5);
            if odd { Some(bound) } else { hill(proposed) }
        };
        for settings in all() {
            assert_eq!(search(&space, &settings, 13, 60, &odd).len(), 60);
        }
    }
}

#[test]
fn equal_scores_are_no_trouble() {
    let space = space(WIDE);
    for settings in all() {
        let trials = search(&space, &settings, 14, 100, &|_| Some(1.0));
        assert_eq!(trials.len(), 100, "{settings:?}");
    }
}

#[test]
fn a_space_of_one_is_tried_once() {
    let space = space("linear(4)");
    for settings in all() {
        let trials = in_full(search(&space, &settings, 15, 10, &hill));
        assert_eq!(trials.len(), 1, "{settings:?}");
    }
}

#[test]
fn a_space_smaller_than_the_budget_is_tried_in_full() {
    let space = space(TINY);
    for settings in all() {
        let trials = in_full(search(&space, &settings, 16, 100, &hill));
        assert_eq!((trials.len(), keys(&trials).len()), (6, 6), "{settings:?}");
    }
}

#[test]
fn no_network_is_tried_twice() {
    let space = space(WIDE);
    for settings in all() {
        let mut fidelities: BTreeMap<String, Vec<Proposed>> = BTreeMap::new();
        for proposed in search(&space, &settings, 17, 200, &hill) {
            let fidelity = proposed.fidelity.to_string();
            fidelities.entry(fidelity).or_default().push(proposed);
        }
        for trials in fidelities.values() {
            assert_eq!(keys(trials).len(), trials.len(), "{settings:?}");
        }
    }
}

#[test]
fn duplicates_are_tried_where_they_are_allowed() {
    let space = space(TINY);
    for settings in all() {
        if settings.description().takes("duplicates") {
            let settings = SearchSettings {
                duplicates: Some(true),
                ..settings
            };
            let trials = search(&space, &settings, 18, 50, &hill);
            assert_eq!(trials.len(), 50, "{settings:?}");
        }
    }
}

#[test]
fn a_second_objective_is_taken_in_by_all() {
    let space = space(WIDE);
    for settings in all() {
        let trials = search(&space, &settings, 19, 80, &|proposed| {
            Some(params(proposed))
        });
        assert_eq!(trials.len(), 80, "{settings:?}");
    }
}

#[test]
fn what_learns_beats_chance() {
    let space = space(WIDE);
    let mean = |settings: &SearchSettings| {
        let runs = (0..20).map(|seed| best(&search(&space, settings, seed, 60, &hill)));
        runs.sum::<f64>() / 20.0
    };
    let chance = mean(&SearchSettings::of(ControllerKind::Random));
    for description in CONTROLLERS {
        use ControllerKind::{Exhaustive, Nsga2, Random};
        // Of a search with several fidelities, most trials are a fraction of one.
        let whole = !description.takes("fidelity");
        if whole && !matches!(description.kind, Random | Exhaustive | Nsga2) {
            let found = mean(&SearchSettings::of(description.kind));
            assert!(
                found > chance,
                "{}: {found} against {chance}",
                description.name
            );
        }
    }
}

#[test]
fn both_forms_of_a_space_give_the_same_trials() {
    let space = space(PRODUCT);
    let product = ProductSpace::of(&space).expect("its decisions don't depend on each other");
    let truth = |index: u64| ((index * 7919) % 144) as f64;
    for settings in all() {
        let (mut plain, mut quick) = (settings.build(&space), settings.build(&product));
        let mut streams = [
            Seed(20).stream(0, Purpose::Tool),
            Seed(20).stream(0, Purpose::Tool),
        ];
        for trial in (0..120).map(TrialId) {
            let one = plain.ask(trial, 0, &mut streams[0]);
            let other = quick.ask(trial, 0, &mut streams[1]);
            let index = space.index_of(&one.genome).unwrap();
            assert_eq!(index, other.genome.0.into(), "{settings:?}, {trial}");
            assert_eq!(one.parents, other.parents);
            let fitness = Some(Fitness {
                score: truth(other.genome.0),
                loss: 0.0,
            });
            let costs = vec![other.genome.0 as f64];
            plain.tell(
                trial,
                &Observed {
                    genome: one.genome,
                    fidelity: Fidelity::FULL,
                    fitness,
                    costs: costs.clone(),
                },
            );
            quick.tell(
                trial,
                &Observed {
                    genome: other.genome,
                    fidelity: Fidelity::FULL,
                    fitness,
                    costs,
                },
            );
        }
    }
}

#[test]
fn a_space_whose_decisions_depend_on_each_other_is_no_product() {
    assert!(ProductSpace::of(&space(WIDE)).is_none());
    assert!(ProductSpace::of(&space_with(BOUNDED, "require params <= 1200\n")).is_none());
}

#[test]
fn neighbours_are_all_that_is_one_decision_away() {
    let space = space(PRODUCT);
    let mut stream = Seed(21).stream(0, Purpose::Tool);
    let genome = space.sample(Sampling::Prior, &mut stream);
    let neighbours = Moves::neighbours(&space, &genome, &mut stream);
    let distances: BTreeMap<usize, usize> = neighbours
        .iter()
        .map(|other| other.distance(&genome))
        .fold(BTreeMap::new(), |mut counts, distance| {
            *counts.entry(distance).or_default() += 1;
            counts
        });
    assert_eq!(distances, BTreeMap::from([(1, 3 + 2 + 3 + 2)]));
}

#[test]
fn exhaustive_search_follows_the_indices() {
    let space = space(PRODUCT);
    let settings = SearchSettings::of(ControllerKind::Exhaustive);
    let trials = search(&space, &settings, 22, 144, &hill);
    let indices = trials
        .iter()
        .map(|proposed| space.index_of(&proposed.candidate.genome).unwrap());
    assert!(indices.is_sorted());
    assert_eq!(trials.len(), 144);
}
