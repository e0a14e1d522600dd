//! Every message arrives as it was sent.

use super::super::experiment::Experiment;
use super::super::setup::{BaselineText, Texts};
use super::*;
use crate::diagnostics::SourceFile;
use crate::random::Purpose;
use crate::search::TrialId;
use crate::space::Sampling;
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use std::path::PathBuf;

const SPACE: &str = "space tiny
input image(channels: 1, height: 8, width: 8)
output classes(10)
network { flatten; repeat 1..3 { linear(4 | 8 | 12) }; linear(classes) }
";

const BASELINE: &str = "space one
input image(channels: 1, height: 8, width: 8)
output classes(10)
network { flatten; linear(classes) }
";

const EXPERIMENT: &str = "name = \"tiny\"
space = \"tiny.space\"
data = { name = \"digits\" }
budget = { trials = 3 }
";

fn setup() -> Setup {
    let texts = Texts {
        space: SourceFile::new("tiny.space", SPACE),
        baselines: vec![BaselineText {
            name: "one".to_owned(),
            path: PathBuf::from("one.space"),
            file: SourceFile::new("one.space", BASELINE),
        }],
    };
    Setup::compile(Experiment::parse("e", EXPERIMENT).unwrap(), &texts).unwrap()
}

/// Bytes of lengths on both sides of every limit of a buffer.
fn bytes() -> impl Strategy<Value = Bytes> {
    let length = prop_oneof![0..10usize, 4090..4100usize, Just(100_000)];
    let filled = (length, any::<u8>()).prop_map(|(length, first)| {
        let byte = |at: usize| first.wrapping_add(at as u8);
        Bytes((0..length).map(byte).collect())
    });
    filled.boxed()
}

fn finite() -> impl Strategy<Value = f64> {
    prop_oneof![
        proptest::num::f64::NORMAL,
        proptest::num::f64::SUBNORMAL,
        Just(-0.0),
        (-1e3f32..1e3).prop_map(f64::from),
    ]
}

fn unit() -> impl Strategy<Value = Unit> {
    let random = any::<u32>().prop_map(Subject::Random);
    let baseline = Just(Subject::Baseline("one".to_owned()));
    let subject = prop_oneof![Just(Subject::Winner), random, baseline];
    let retraining = (subject.clone(), any::<u32>())
        .prop_map(|(subject, index)| Unit::Retraining { subject, index });
    let trial = any::<u64>().prop_map(|trial| Unit::Trial(TrialId(trial)));
    let selection = subject.prop_map(|subject| Unit::Selection { subject });
    prop_oneof![trial, selection, retraining]
}

fn network(setup: &Setup, seed: u64) -> Network {
    let mut stream = Seed(seed).stream(0, Purpose::Tool);
    Network::Genome(setup.space.sample(Sampling::Prior, &mut stream))
}

/// A link whose network is drawn by a seed.
fn link() -> impl Strategy<Value = (Link, u64)> {
    let places = (unit(), any::<u64>(), any::<u64>(), any::<u64>());
    let fidelity = (option::of(1..50u32), option::of(0.1..0.9f64));
    let start = (any::<u32>(), any::<bool>(), option::of(bytes()));
    (places, fidelity, start, finite()).prop_map(|(places, fidelity, start, rate)| {
        let (unit, number, seed, drawn) = places;
        let recipe = Recipe {
            learning_rate: rate,
            gradient_clip_norm: Some(rate).filter(|rate| *rate > 0.0),
            ..Recipe::default()
        };
        let link = Link {
            unit,
            number,
            seed: Seed(seed),
            network: Network::Baseline("one".to_owned()),
            recipe,
            fidelity: Fidelity {
                epochs: fidelity.0,
                data: fidelity.1,
            },
            epochs: start.0,
            keep: start.1,
            checkpoint: start.2,
        };
        (link, drawn)
    })
}

fn task(
    setup: &Setup,
    (work, earlier): ((Link, u64), Vec<(Link, u64)>),
    legacy: Option<(u64, Bytes)>,
    attempt: u32,
) -> Task {
    let placed = |(link, seed): (Link, u64)| match &link.unit {
        Unit::Selection {
            subject: Subject::Baseline(_),
        }
        | Unit::Retraining {
            subject: Subject::Baseline(_),
            ..
        } => link,
        _ => Link {
            network: network(setup, seed),
            ..link
        },
    };
    Task {
        attempt,
        work: placed(work),
        earlier: earlier.into_iter().map(placed).collect(),
        legacy: legacy.map(|(seed, weights)| Estate {
            network: network(setup, seed),
            weights,
        }),
    }
}

fn epoch() -> impl Strategy<Value = EpochRecord> {
    let figures = (
        finite(),
        finite(),
        option::of(finite()),
        option::of(finite()),
    );
    (any::<u32>(), figures).prop_map(|(epoch, (rate, loss, validation, score))| EpochRecord {
        epoch,
        learning_rate: rate,
        train_loss: loss,
        validation_loss: validation,
        validation_accuracy: score,
        validation_score: validation,
    })
}

fn answer() -> impl Strategy<Value = Answer> {
    let figures = (finite(), finite(), btree_map("[a-z]{1,8}", finite(), 0..4));
    let each = vec(finite(), 1..9).prop_map(|each| Contributions::of(&each));
    let finished = (
        figures,
        option::of(bytes()),
        option::of(bytes()),
        (each, option::of(any::<u32>())),
    );
    let finished = finished.prop_map(
        |((score, loss, metrics), weights, checkpoint, (contributions, best_epoch))| {
            Answer::Finished {
                score,
                loss,
                metrics,
                weights,
                contributions,
                checkpoint,
                best_epoch,
                model: None,
            }
        },
    );
    let kind = prop_oneof![Just(FailureKind::Crashed), Just(FailureKind::TimedOut)];
    let failed = (kind, ".{0,40}").prop_map(|(kind, message)| Answer::Failed { kind, message });
    prop_oneof![finished, failed]
}

fn report() -> impl Strategy<Value = Report> {
    let of = || (unit(), 0..4u32).prop_map(|(unit, attempt)| Attempt { unit, attempt });
    let done = (of(), vec(epoch(), 0..5), finite(), answer());
    prop_oneof![
        of().prop_map(Report::Started),
        (of(), epoch()).prop_map(|(of, record)| Report::Epoch(of, record)),
        done.prop_map(
            |(of, epochs, seconds, result)| Report::Done(Box::new(Completed {
                of,
                epochs,
                seconds,
                result,
            }))
        ),
    ]
}

/// The same message, and the same bytes: equality alone passes over the order of decisions and the
/// sign of zero.
fn arrives<T: Serialize + DeserializeOwned + PartialEq + fmt::Debug>(sent: &T) {
    let bytes = to_bytes(sent);
    let arrived: T = from_bytes(&bytes).unwrap();
    assert_eq!(&arrived, sent);
    assert_eq!(to_bytes(&arrived), bytes);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_task_arrives_and_means_the_same(
        links in (link(), vec(link(), 0..4)),
        legacy in option::of((any::<u64>(), bytes())),
        attempt in 0..4u32,
    ) {
        let setup = setup();
        let sent = task(&setup, links, legacy, attempt);
        arrives(&sent);
        let assignment = sent.clone().open(&setup).unwrap();
        prop_assert_eq!(Task::of(&assignment), sent);
    }

    #[test]
    fn a_report_arrives(sent in report()) {
        arrives(&sent);
        if let Report::Done(done) = sent {
            let Completed { of, epochs, seconds, .. } = (*done).clone();
            let again = Completed::new(of, epochs, (*done).clone().into_result(), seconds);
            prop_assert_eq!(again, *done);
        }
    }

    #[test]
    fn foreign_bytes_are_refused_and_nothing_else(
        bytes in vec(any::<u8>(), 0..200),
        sent in report(),
        at in any::<proptest::sample::Index>(),
    ) {
        let _ = from_bytes::<Task>(&bytes);
        let mut changed = to_bytes(&sent);
        let at = at.index(changed.len());
        changed[at] ^= 0x20;
        let _ = from_bytes::<Report>(&changed);
        prop_assert!(from_bytes::<Report>(&changed[..at]).is_err());
    }
}

#[test]
fn a_long_line_of_heirs_arrives() {
    let setup = setup();
    let link = |number| Link {
        unit: Unit::Trial(TrialId(number)),
        number,
        seed: Seed(1),
        network: network(&setup, number),
        recipe: Recipe::default(),
        fidelity: Fidelity::FULL,
        epochs: 0,
        keep: false,
        checkpoint: None,
    };
    let sent = Task {
        attempt: 0,
        work: link(0),
        earlier: (1..1000).map(link).collect(),
        legacy: None,
    };
    arrives(&sent);
    assert_eq!(Task::of(&sent.clone().open(&setup).unwrap()), sent);
}

#[test]
fn a_task_of_another_run_is_refused() {
    let setup = setup();
    let sent = plain(Network::Baseline("two".to_owned()));
    let refused = sent.open(&setup).unwrap_err().to_string();
    assert!(refused.contains("no baseline `two`"), "{refused}");
}

/// A task with one piece of work.
fn plain(network: Network) -> Task {
    Task {
        attempt: 0,
        work: Link {
            unit: Unit::Trial(TrialId(0)),
            number: 0,
            seed: Seed(0),
            network,
            recipe: Recipe::default(),
            fidelity: Fidelity::FULL,
            epochs: 0,
            keep: false,
            checkpoint: None,
        },
        earlier: Vec::new(),
        legacy: None,
    }
}

#[test]
fn a_task_without_work_is_refused() {
    use ciborium::Value;
    // Earlier versions sent the work as a list, and an empty one made its reader panic.
    for name in ["earlier", "links"] {
        let fields = [
            ("attempt", Value::from(0)),
            (name, Value::Array(Vec::new())),
            ("legacy", Value::Null),
        ];
        let fields = fields.map(|(name, value)| (Value::from(name), value));
        let bytes = to_bytes(&Value::Map(fields.to_vec()));
        let refused = from_bytes::<Task>(&bytes).unwrap_err();
        assert!(refused.contains("missing field `work`"), "{refused}");
    }
}

#[test]
fn what_differs_is_named() {
    let here = Identity::here("a", "b", "c");
    assert_eq!(here.difference(&here), None);
    let there = Identity {
        data: "d".to_owned(),
        ..here.clone()
    };
    let said = here.difference(&there).unwrap();
    assert_eq!(said, "the data: b here, d in the run");
    arrives(&here);
}
