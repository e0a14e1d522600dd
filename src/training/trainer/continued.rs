//! Going on from a checkpoint is training through, to the bit.

use super::*;
use crate::data::Part;
use crate::language;
use crate::model::ComputeDevice;
use crate::random::Seed;
use crate::space::Sampling;
use crate::training::{OptimizerKind, Recipe, ScheduleKind};
use std::sync::atomic::AtomicBool;

fn network() -> Architecture {
    let text = "space s\ninput image(channels: 1, height: 6, width: 6)\noutput classes(3)\n\
                network {\n conv2d(8, kernel: 3, padding: same)\n batch_norm\n relu\n \
                conv2d(8, kernel: 3, padding: same)\n group_norm(groups: 4)\n silu\n \
                global_avg_pool\n dropout(0.3)\n linear(classes)\n}\n";
    let space = language::compile(text).unwrap().space;
    let genome = space.sample(Sampling::Prior, &mut Seed(0).stream(0, Purpose::Tool));
    space.decode(&genome).unwrap().architecture
}

fn noise(count: usize, architecture: &Architecture) -> Part {
    let mut stream = Seed(5).stream(count as u64, Purpose::Tool);
    let inputs = (0..count * 36).map(|_| stream.uniform_f32(-1.0, 1.0));
    Part {
        shape: architecture.input(),
        inputs: inputs.collect(),
        targets: Targets::classes((0..count as u32).map(|index| index % 3).collect(), 3),
        groups: None,
    }
}

struct Bench {
    architecture: Architecture,
    train_on: Part,
    validation: Part,
    stop: AtomicBool,
}

impl Bench {
    fn new() -> Self {
        let architecture = network();
        Self {
            train_on: noise(41, &architecture),
            validation: noise(30, &architecture),
            architecture,
            stop: AtomicBool::new(false),
        }
    }

    fn train(&self, recipe: &Recipe, stretch: &Stretch<'_>) -> Trained {
        let job = Job {
            architecture: &self.architecture,
            recipe,
            score: None,
            train: &self.train_on,
            validation: &self.validation,
            seed: Seed(11),
            trial: 3,
            device: ComputeDevice::Flex,
            deadline: None,
            stop: &self.stop,
        };
        train_stretch(&job, stretch, &mut |_| {}).unwrap()
    }

    /// Trains in one go and in two, cut after `cut` epochs.
    fn agree(&self, recipe: &Recipe, cut: usize) {
        self.agree_in_parts(recipe, &[cut]);
    }

    /// Trains in one go and in parts with the checkpoint's bytes between, cut after these numbers of epochs.
    fn agree_in_parts(&self, recipe: &Recipe, cuts: &[usize]) {
        let whole = self.train(
            recipe,
            &Stretch {
                keep: true,
                ..Stretch::default()
            },
        );
        let mut from: Option<Checkpoint> = None;
        let mut epochs = Vec::new();
        let ends = cuts.iter().copied().map(Some).chain([None]);
        let mut last = None;
        for until in ends {
            let part = self.train(
                recipe,
                &Stretch {
                    until,
                    from: from.as_ref(),
                    keep: true,
                    ..Stretch::default()
                },
            );
            let bytes = part.checkpoint.as_ref().unwrap().to_bytes();
            from = Checkpoint::from_bytes(&bytes);
            assert_eq!(from, part.checkpoint);
            epochs.extend(part.epochs.iter().copied());
            self.check_best(&epochs, &part, recipe);
            last = Some(part);
        }
        let last = last.unwrap();
        assert_eq!(epochs, whole.epochs);
        assert_eq!(last.best_epoch, whole.best_epoch);
        assert_eq!(last.scores, whole.scores);
        assert_eq!(last.network.save(), whole.network.save());
        assert_eq!(last.checkpoint, whole.checkpoint);
    }

    /// What a training gives is that of the best of its epochs: the highest score, then the lowest loss, then the
    /// earliest, and its weights give those scores again.
    fn check_best(&self, epochs: &[EpochRecord], trained: &Trained, recipe: &Recipe) {
        let mut best = epochs[0];
        for record in epochs {
            let higher = record.validation_score > best.validation_score;
            let equal = record.validation_score == best.validation_score;
            if higher || (equal && record.validation_loss < best.validation_loss) {
                best = *record;
            }
        }
        assert_eq!(trained.best_epoch, best.epoch);
        assert_eq!(trained.scores.score, best.validation_score);
        assert_eq!(trained.scores.loss, best.validation_loss);
        let objective = Objective::of(recipe, self.architecture.output()).unwrap();
        let again = crate::training::evaluate(&trained.network, &self.validation, &objective);
        assert_eq!(again.as_ref(), Ok(&trained.scores));
    }
}

fn recipe(optimizer: OptimizerKind) -> Recipe {
    Recipe {
        optimizer,
        epochs: 4,
        batch_size: 8,
        learning_rate: 0.01,
        ..Recipe::default()
    }
}

#[test]
fn going_on_is_training_through_with_every_optimizer() {
    let bench = Bench::new();
    for optimizer in [
        OptimizerKind::Sgd,
        OptimizerKind::Adam,
        OptimizerKind::Adamw,
    ] {
        for cut in [1, 3] {
            bench.agree(&recipe(optimizer), cut);
        }
    }
}

#[test]
fn going_on_is_training_through_with_every_schedule_and_with_changed_examples() {
    let bench = Bench::new();
    for schedule in [
        ScheduleKind::Constant,
        ScheduleKind::Step,
        ScheduleKind::Cosine,
    ] {
        let recipe = Recipe {
            schedule,
            step_every: 2,
            warmup_epochs: 1.5,
            flip: Some(true),
            crop_padding: Some(1),
            mixup: Some(0.4),
            gradient_clip_norm: Some(0.5),
            ..recipe(OptimizerKind::Sgd)
        };
        bench.agree(&recipe, 2);
    }
}

#[test]
fn patience_waits_across_a_cut() {
    let bench = Bench::new();
    let recipe = Recipe {
        learning_rate: 0.0,
        patience: Some(2),
        epochs: 9,
        ..recipe(OptimizerKind::Sgd)
    };
    // It ends after the third epoch; a run that has ended goes on with nothing.
    for cut in 1..9 {
        bench.agree(&recipe, cut);
    }
}

#[test]
fn a_checkpoint_of_another_network_is_passed_over() {
    let bench = Bench::new();
    let recipe = recipe(OptimizerKind::Adam);
    let whole = bench.train(&recipe, &Stretch::default());
    let own = Stretch {
        until: Some(2),
        keep: true,
        ..Stretch::default()
    };
    let own = bench.train(&recipe, &own).checkpoint.unwrap();
    let without_memories = Checkpoint {
        memories: vec![],
        ..own.clone()
    };
    let without_weights = Checkpoint {
        network: vec![],
        ..own.clone()
    };
    let mut without_best_weights = own.clone();
    without_best_weights.best.network = Some(vec![]);
    for strange in [without_memories, without_weights, without_best_weights] {
        let stretch = Stretch {
            from: Some(&strange),
            ..Stretch::default()
        };
        let trained = bench.train(&recipe, &stretch);
        assert_eq!(trained.network.save(), whole.network.save());
        assert_eq!(trained.epochs.len(), 4);
    }
}

#[test]
fn however_a_training_is_cut_its_parts_together_are_the_whole() {
    let bench = Bench::new();
    let mut stream = Seed(23).stream(0, Purpose::Tool);
    let mut early = 0;
    for number in 0..24 {
        let recipe = Recipe {
            epochs: 1 + stream.index(9),
            learning_rate: [0.0, 0.003, 0.03, 0.3][stream.index(4)],
            patience: [None, Some(1), Some(3)][stream.index(3)],
            mixup: [None, Some(0.4)][stream.index(2)],
            schedule: [ScheduleKind::Constant, ScheduleKind::Cosine][stream.index(2)],
            ..recipe([OptimizerKind::Sgd, OptimizerKind::Adamw][stream.index(2)])
        };
        let mut cuts: Vec<usize> = (0..1 + stream.index(4))
            .map(|_| 1 + stream.index(recipe.epochs))
            .collect();
        cuts.sort_unstable();
        bench.agree_in_parts(&recipe, &cuts);
        let whole = bench.train(&recipe, &Stretch::default());
        early += usize::from(whole.best_epoch < whole.epochs.len());
        let waited = whole.epochs.len() - whole.best_epoch;
        assert_eq!(
            whole.stopped_early,
            whole.epochs.len() < recipe.epochs,
            "case {number}"
        );
        if whole.stopped_early {
            assert_eq!(Some(waited), recipe.patience, "case {number}");
        }
    }
    assert!(early > 6, "{early} cases whose best epoch is not the last");
}

#[test]
fn where_the_last_epoch_counts_it_is_the_network_of_that_many_epochs() {
    let bench = Bench::new();
    let recipe = Recipe {
        epochs: 6,
        learning_rate: 0.1,
        patience: Some(1),
        ..recipe(OptimizerKind::Sgd)
    };
    let last = Stretch {
        kept: Kept::Last,
        keep: true,
        ..Stretch::default()
    };
    let trained = bench.train(&recipe, &last);
    assert_eq!((trained.best_epoch, trained.epochs.len()), (6, 6));
    let checkpoint = trained.checkpoint.unwrap();
    assert_eq!(checkpoint.network, trained.network.save());
    assert_eq!(checkpoint.best.network, None);
}

#[test]
fn a_network_begins_with_what_it_inherits_and_goes_on_all_the_same() {
    let bench = Bench::new();
    let recipe = recipe(OptimizerKind::Sgd);
    let parent = bench.train(&recipe, &Stretch::default()).network.save();
    let inherited = Some(Inherited {
        architecture: &bench.architecture,
        weights: &parent,
    });
    let still = Recipe {
        learning_rate: 0.0,
        ..recipe.clone()
    };
    let stretch = Stretch {
        inherited,
        ..Stretch::default()
    };
    // With a rate of nothing, weights stay what they were at first: the parent's.
    let child = bench.train(&still, &stretch).network;
    let mut wanted = child.clone();
    wanted.load(&parent).unwrap();
    let weights = |network: &Network| -> Vec<_> {
        network
            .parameters()
            .iter()
            .map(crate::layers::Parameter::to_data)
            .collect()
    };
    assert_eq!(weights(&child), weights(&wanted));
    let whole = bench.train(&recipe, &stretch);
    assert_ne!(
        whole.network.save(),
        bench.train(&recipe, &Stretch::default()).network.save()
    );
    let first = bench.train(
        &recipe,
        &Stretch {
            until: Some(2),
            keep: true,
            inherited,
            ..Stretch::default()
        },
    );
    let second = bench.train(
        &recipe,
        &Stretch {
            from: first.checkpoint.as_ref(),
            ..stretch
        },
    );
    assert_eq!(second.network.save(), whole.network.save());
}
