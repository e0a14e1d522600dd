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

    /// Trains in one go and in two with the checkpoint's bytes between, cut after `cut` epochs.
    fn agree(&self, recipe: &Recipe, cut: usize) {
        let whole = self.train(recipe, &Stretch::default());
        let first = self.train(
            recipe,
            &Stretch {
                until: Some(cut),
                keep: true,
                ..Stretch::default()
            },
        );
        let bytes = first.checkpoint.unwrap().to_bytes();
        let checkpoint = Checkpoint::from_bytes(&bytes).unwrap();
        let second = self.train(
            recipe,
            &Stretch {
                from: Some(&checkpoint),
                keep: true,
                ..Stretch::default()
            },
        );
        assert_eq!([first.epochs, second.epochs].concat(), whole.epochs);
        assert_eq!(second.scores, whole.scores);
        assert_eq!(second.network.save(), whole.network.save());
        let again = Stretch {
            keep: true,
            ..Stretch::default()
        };
        assert_eq!(second.checkpoint, self.train(recipe, &again).checkpoint);
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
    let strange = Checkpoint {
        epochs: 2,
        step: 12,
        best: 0.0,
        waited: 0,
        network: vec![],
        memories: vec![],
    };
    let stretch = Stretch {
        from: Some(&strange),
        ..Stretch::default()
    };
    let trained = bench.train(&recipe, &stretch);
    assert_eq!(trained.network.save(), whole.network.save());
    assert_eq!(trained.epochs.len(), 4);
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
