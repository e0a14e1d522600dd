//! The training loop.

use super::augment::{Augmentation, mixing_share};
use super::checkpoint::{Best, Checkpoint};
use super::job::{EpochRecord, Failure, Inherited, Job, Kept, Progress, Stretch, Trained};
use super::objective::{Objective, Predictions, Scores};
use super::optimizer::{Optimizer, clip_values};
use super::schedule::learning_rate;
use crate::architecture::{Architecture, Node};
use crate::data::Targets;
use crate::layers::{Layer, Mode};
use crate::model::{Network, Program};
use crate::random::{Purpose, Stream};
use burn::tensor::Device;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;
use std::time::Instant;

/// Trains a candidate and calls `observer` after each epoch.
///
/// Weights are drawn from the trial's `init` stream. Each epoch has streams of its own for its order,
/// its noise and what is done to its examples, so epoch k is the same whatever came before. The last, shorter batch of an epoch is
/// kept, unless it is a single example and the network has batch statistics: one example has none.
///
/// Network and scores are those of the best epoch on the validation part: the highest score, of equals the lowest
/// loss, then the earliest.
///
/// # Errors
/// When the loss stops being finite, the deadline passes, `stop` is set, the recipe is not valid or
/// the data does not fit. Early stopping by `patience` is a success.
pub fn train(job: &Job<'_>, observer: &mut dyn FnMut(&Progress)) -> Result<Trained, Failure> {
    train_stretch(job, &Stretch::default(), observer)
}

/// As [`train`], for a part of the run: up to an epoch, or on from a checkpoint.
///
/// # Errors
/// As [`train`].
pub fn train_stretch(
    job: &Job<'_>,
    stretch: &Stretch<'_>,
    observer: &mut dyn FnMut(&Progress),
) -> Result<Trained, Failure> {
    job.recipe.validate()?;
    check_data(job)?;
    let objective = Objective::of(job.recipe, job.architecture.output())?.scored_by(job.score)?;
    let objective = objective.trained_on(&job.train.targets);
    let augmentation = Augmentation::of(job.recipe, job.train.shape)?;
    let device = Device::flex().autodiff();
    let mut init = job.seed.stream(job.trial, Purpose::Init);
    let mut network = Network::build(job.architecture, &mut init, &device);
    if let Some(inherited) = &stretch.inherited {
        inherit(&mut network, job.architecture, inherited)?;
    }
    let whole = job.recipe.epochs;
    let until = stretch.until.map_or(whole, |until| until.clamp(1, whole));
    // A checkpoint that is none of this job only costs time: what it saves is trained again.
    let from = stretch.from.and_then(|from| {
        let [last, best] = networks(from, &network, until)?;
        network = best;
        Some((from, last))
    });
    let (from, program) = match &from {
        Some((from, last)) => (Some(*from), Program::on(last, job.device)),
        None => (None, Program::on(&network, job.device)),
    };
    let optimizer = match from {
        Some(from) => Optimizer::remembering(job.recipe, from.memories.clone()),
        None => Optimizer::new(job.recipe, network.parameters().len()),
    };
    let mut run = Run {
        job,
        objective,
        augmentation,
        program,
        optimizer,
        batches: BatchPlan::of(job),
        kept: stretch.kept,
        best: from.map(|from| Best {
            network: None,
            ..from.best.clone()
        }),
        step: from.map_or(0, |from| from.step),
        epoch: from.map_or(0, |from| from.epochs),
    };
    let mut epochs = Vec::new();
    while run.epoch < until && !run.is_out_of_patience() {
        let (record, predictions) = run.epoch()?;
        epochs.push(record);
        observer(&Progress {
            record,
            epochs: until,
        });
        run.keep_if_better(&record, &predictions, &mut network)?;
    }
    let checkpoint = stretch.keep.then(|| run.checkpoint(&network));
    let best = run.best.expect("at least one epoch was trained");
    Ok(Trained {
        best_epoch: best.epoch,
        scores: best.scores,
        checkpoint,
        stopped_early: run.epoch < until,
        network: network.without_gradients(),
        epochs,
    })
}

/// The networks after a checkpoint's last epoch and after its best one, if it is one of this job.
fn networks(from: &Checkpoint, fresh: &Network, until: usize) -> Option<[Network; 2]> {
    if from.memories.len() != fresh.parameters().len() || from.epochs > until {
        return None;
    }
    let loaded = |bytes: &[u8]| {
        let mut network = fresh.clone();
        network.load(bytes).ok().map(|_| network)
    };
    Some([loaded(&from.network)?, loaded(from.best_network())?])
}

/// Takes over the tensors of layers that are the same in both networks.
fn inherit(
    network: &mut Network,
    own: &Architecture,
    inherited: &Inherited<'_>,
) -> Result<(), Failure> {
    let layer_at = |node: &Node| Some((node.address.clone(), node.layer()?.clone()));
    let theirs: BTreeMap<_, Layer> = inherited
        .architecture
        .nodes()
        .iter()
        .filter_map(layer_at)
        .collect();
    let same = own.nodes().iter().filter(|node| {
        let layer = node.layer();
        layer.is_some() && theirs.get(&node.address) == layer
    });
    let addresses: BTreeSet<&str> = same.map(|node| &*node.address).collect();
    let adopted = network.adopt(&addresses, inherited.weights);
    let damaged = |error| Failure::Data(format!("the inherited weights are damaged: {error}"));
    adopted.map(drop).map_err(damaged)
}

/// The state of a run between two batches.
struct Run<'a> {
    job: &'a Job<'a>,
    objective: Objective,
    augmentation: Option<Augmentation>,
    program: Program,
    optimizer: Optimizer,
    batches: BatchPlan,
    kept: Kept,
    /// The epoch that counts so far; its weights are kept outside.
    best: Option<Best>,
    step: u64,
    epoch: usize,
}

impl Run<'_> {
    fn epoch(&mut self) -> Result<(EpochRecord, Predictions), Failure> {
        self.epoch += 1;
        let first_rate = self.learning_rate();
        let train_loss = self.pass()?;
        let (objective, job, epoch) = (&self.objective, self.job, self.epoch);
        let stop = || check_interruption(job, epoch);
        let predictions = Predictions::of(&mut self.program, job.validation, stop)?;
        let validation_loss = predictions.loss(objective, job.validation);
        let validation_score = predictions.score(objective, job.validation)?;
        if !validation_loss.is_finite() {
            return Err(Failure::Diverged { epoch });
        }
        let record = EpochRecord {
            epoch,
            learning_rate: first_rate,
            train_loss,
            validation_loss,
            validation_score,
        };
        Ok((record, predictions))
    }

    /// Puts the weights as they stand into `network` if the epoch that just ended is better than all before it.
    fn keep_if_better(
        &mut self,
        record: &EpochRecord,
        predictions: &Predictions,
        network: &mut Network,
    ) -> Result<(), Failure> {
        let direction = self.objective.score().direction();
        let held = self.best.as_ref().filter(|_| self.kept == Kept::Best);
        let fitness = record.fitness(direction);
        if held.is_some_and(|held| !fitness.is_better_than(&held.scores.fitness(direction))) {
            return Ok(());
        }
        self.program.store(network);
        let scores: Scores = predictions.scores(&self.objective, self.job.validation)?;
        self.best = Some(Best {
            epoch: record.epoch,
            scores,
            network: None,
        });
        Ok(())
    }

    /// Whether as many epochs as `patience` says have gone by without a better one.
    fn is_out_of_patience(&self) -> bool {
        let waited = self.best.as_ref().map_or(0, |best| self.epoch - best.epoch);
        let limit = self.job.recipe.patience;
        limit.is_some_and(|limit| waited >= limit)
    }

    /// Where the run stands, with the weights of its best epoch in `network`.
    fn checkpoint(&self, network: &Network) -> Checkpoint {
        let best = self.best.as_ref().expect("an epoch was trained");
        let mut last = network.clone();
        self.program.store(&mut last);
        Checkpoint {
            epochs: self.epoch,
            step: self.step,
            best: Best {
                network: (best.epoch < self.epoch).then(|| network.save()),
                ..best.clone()
            },
            network: last.save(),
            memories: self.optimizer.memories().to_vec(),
        }
    }

    /// One pass over the training examples; their mean loss.
    fn pass(&mut self) -> Result<f64, Failure> {
        let job = self.job;
        let mut noise = self.stream(Purpose::Dropout);
        let mut changes = self.stream(Purpose::Augment);
        let mut order: Vec<usize> = (0..job.train.len()).collect();
        self.stream(Purpose::Shuffle).shuffle(&mut order);
        let (mut total, mut examples) = (0.0, 0usize);
        for indices in order.chunks(job.recipe.batch_size).take(self.batches.steps) {
            check_interruption(job, self.epoch)?;
            let loss = self.batch(indices, &mut noise, &mut changes)?;
            total += loss * indices.len() as f64;
            examples += indices.len();
        }
        Ok(total / examples as f64)
    }

    fn batch(
        &mut self,
        indices: &[usize],
        noise: &mut Stream,
        changes: &mut Stream,
    ) -> Result<f64, Failure> {
        let recipe = self.job.recipe;
        let batch = self.gather(indices, changes);
        let outputs = self.program.forward(&batch.inputs, Mode::Training(noise));
        let (value, gradient) = self.objective.loss_and_gradient(outputs, &batch.targets);
        if !value.is_finite() {
            return Err(Failure::Diverged { epoch: self.epoch });
        }
        // A network whose output depends on no weight has nothing to learn.
        if self.program.learns() {
            self.program.backward(&gradient);
            if let Some(max_norm) = recipe.gradient_clip_norm {
                let reached = self
                    .program
                    .parameters_mut()
                    .filter_map(|(_, gradient)| gradient);
                clip_values(&mut reached.collect::<Vec<_>>(), max_norm);
            }
            let rate = self.learning_rate();
            self.optimizer
                .step_values(self.program.parameters_mut(), rate);
        }
        self.step += 1;
        Ok(value)
    }

    /// The examples at `indices`, changed as the recipe says.
    fn gather(&self, indices: &[usize], changes: &mut Stream) -> Batch {
        let part = self.job.train;
        let size = part.shape.elements();
        let mut inputs = Vec::with_capacity(indices.len() * size);
        for &index in indices {
            let start = inputs.len();
            inputs.extend_from_slice(part.example(index));
            if let Some(augmentation) = &self.augmentation {
                augmentation.apply(&mut inputs[start..], changes);
            }
        }
        let targets = part.targets.select(indices);
        let Some(alpha) = self.job.recipe.mixup else {
            let targets = vec![(1.0, targets)];
            return Batch { inputs, targets };
        };
        let share = mixing_share(alpha, changes);
        let mut partners: Vec<usize> = (0..indices.len()).collect();
        changes.shuffle(&mut partners);
        let others = partners.iter().map(|&partner| indices[partner]);
        let others = part.targets.select(&others.collect::<Vec<_>>());
        Batch {
            inputs: mixed(&inputs, size, &partners, share as f32),
            targets: vec![(share, targets), (1.0 - share, others)],
        }
    }

    fn learning_rate(&self) -> f64 {
        learning_rate(self.job.recipe, self.step, self.batches.steps as u64)
    }

    fn stream(&self, purpose: Purpose) -> Stream {
        let seed = self.job.seed.derive("epoch", self.epoch as u64);
        seed.stream(self.job.trial, purpose)
    }
}

fn check_interruption(job: &Job<'_>, epoch: usize) -> Result<(), Failure> {
    if job.stop.load(Ordering::Relaxed) {
        return Err(Failure::Stopped { epoch });
    }
    match job.deadline {
        Some(deadline) if Instant::now() >= deadline => Err(Failure::TimedOut { epoch }),
        _ => Ok(()),
    }
}

/// How an epoch is divided.
#[derive(Clone, Copy, Debug)]
struct BatchPlan {
    /// Batches an epoch.
    steps: usize,
}

impl BatchPlan {
    fn of(job: &Job<'_>) -> Self {
        let (examples, batch) = (job.train.len(), job.recipe.batch_size);
        let single = examples % batch == 1 && examples > 1 && batch > 1;
        let drop_last = single && has_batch_statistics(job.architecture);
        Self {
            steps: examples.div_ceil(batch) - usize::from(drop_last),
        }
    }
}

fn has_batch_statistics(architecture: &Architecture) -> bool {
    let mut layers = architecture.nodes().iter().filter_map(|node| node.layer());
    layers.any(|layer| layer.kind.name() == "batch_norm")
}

/// What one step learns from.
struct Batch {
    inputs: Vec<f32>,
    /// Sets of targets with their shares of the loss: one, or two where examples are mixed.
    targets: Vec<(f64, Targets)>,
}

fn mixed(inputs: &[f32], size: usize, partners: &[usize], share: f32) -> Vec<f32> {
    let mut out = Vec::with_capacity(inputs.len());
    for (example, &partner) in inputs.chunks_exact(size).zip(partners) {
        let other = &inputs[partner * size..(partner + 1) * size];
        let pairs = example.iter().zip(other);
        out.extend(pairs.map(|(one, other)| one * share + other * (1.0 - share)));
    }
    out
}

fn check_data(job: &Job<'_>) -> Result<(), Failure> {
    let output = job.architecture.output();
    let input = job.architecture.input();
    for (name, part) in [("training", job.train), ("validation", job.validation)] {
        if part.is_empty() {
            return Err(Failure::Data(format!("the {name} part has no examples")));
        }
        if part.shape != input {
            let shape = part.shape;
            return Err(Failure::Data(format!(
                "the {name} part's examples are {shape}, the network takes {input}"
            )));
        }
        if !part.targets.suits(output) {
            return Err(Failure::Data(format!(
                "the {name} part has {}, and the network's output is {output}",
                part.targets.describe()
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod continued;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::architecture::{Builder, Output};
    use crate::data::Part;
    use crate::layers::{Layer, Shape, Value, find};
    use crate::model::ComputeDevice;
    use crate::random::Seed;
    use crate::training::Recipe;
    use std::sync::atomic::AtomicBool;

    fn layer(name: &str, given: &[(&str, Value)]) -> Layer {
        Layer::new(find(name).unwrap(), given).unwrap()
    }

    fn chain(input: Shape, layers: Vec<Layer>, classes: usize) -> Architecture {
        let mut builder = Builder::new(input);
        let mut last = Builder::INPUT;
        for (index, layer) in layers.into_iter().enumerate() {
            last = builder
                .push(layer, vec![last], format!("net/{index}"))
                .unwrap();
        }
        builder.finish(last, Output::Classes(classes)).unwrap()
    }

    fn small_cnn() -> Architecture {
        let conv = [
            ("out", Value::Int(8)),
            ("kernel", Value::Int(3)),
            ("padding", Value::Int(1)),
        ];
        let layers = vec![
            layer("conv2d", &conv),
            layer("batch_norm", &[]),
            layer("relu", &[]),
            layer("global_avg_pool", &[]),
            layer("dropout", &[("p", Value::Float(0.2))]),
            layer("linear", &[("out", Value::Int(2))]),
        ];
        chain(
            Shape::Image {
                channels: 1,
                height: 6,
                width: 6,
            },
            layers,
            2,
        )
    }

    /// Images with a bright row (class 0) or a bright column (class 1).
    fn stripes(count: usize, salt: u64) -> Part {
        let mut stream = Seed(salt).stream(0, Purpose::Tool);
        let (mut inputs, mut labels) = (Vec::new(), Vec::new());
        for index in 0..count {
            let (label, place) = (index as u32 % 2, stream.index(6));
            for pixel in 0..36 {
                let bright = if label == 0 {
                    pixel / 6 == place
                } else {
                    pixel % 6 == place
                };
                inputs.push(stream.uniform_f32(-0.5, 0.5) + if bright { 1.5 } else { 0.0 });
            }
            labels.push(label);
        }
        let shape = Shape::Image {
            channels: 1,
            height: 6,
            width: 6,
        };
        Part {
            shape,
            inputs,
            targets: Targets::classes(labels, 2),
            groups: None,
        }
    }

    fn recipe() -> Recipe {
        Recipe {
            epochs: 6,
            batch_size: 16,
            ..Recipe::default()
        }
    }

    fn run(
        architecture: &Architecture,
        recipe: &Recipe,
        train_on: &Part,
    ) -> Result<Trained, Failure> {
        let (validation, stop) = (stripes(40, 2), AtomicBool::new(false));
        let job = Job {
            architecture,
            recipe,
            score: None,
            train: train_on,
            validation: &validation,
            seed: Seed(11),
            trial: 3,
            device: ComputeDevice::Flex,
            deadline: None,
            stop: &stop,
        };
        train(&job, &mut |_| {})
    }

    #[test]
    fn a_small_network_learns_rows_from_columns() {
        let trained = run(&small_cnn(), &recipe(), &stripes(160, 1)).unwrap();
        assert!(trained.scores.score > 0.9, "{:?}", trained.epochs);
        assert_eq!(trained.epochs.len(), 6);
    }

    #[test]
    fn the_same_seed_gives_the_same_bits_whatever_else_runs() {
        let (architecture, part) = (small_cnn(), stripes(65, 1));
        let bits = || {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(1)
                .build()
                .unwrap();
            let trained = pool.install(|| run(&architecture, &recipe(), &part).unwrap());
            (trained.network.save(), trained.epochs)
        };
        let alone = bits();
        let together: Vec<_> = std::thread::scope(|scope| {
            let runs: Vec<_> = (0..3).map(|_| scope.spawn(bits)).collect();
            runs.into_iter().map(|run| run.join().unwrap()).collect()
        });
        assert!(together.iter().all(|other| *other == alone));
    }

    #[test]
    fn changed_examples_come_from_the_trials_own_stream() {
        let (architecture, part) = (small_cnn(), stripes(64, 1));
        let bytes = |recipe: &Recipe| run(&architecture, recipe, &part).unwrap().network.save();
        let plain = bytes(&recipe());
        let changes = [
            Recipe {
                flip: Some(true),
                ..recipe()
            },
            Recipe {
                crop_padding: Some(1),
                cutout: Some(2),
                ..recipe()
            },
            Recipe {
                mixup: Some(0.4),
                ..recipe()
            },
        ];
        for change in &changes {
            assert_eq!(bytes(change), bytes(change));
            assert_ne!(bytes(change), plain);
        }
        let nothing = Recipe {
            flip: Some(false),
            crop_padding: Some(0),
            ..recipe()
        };
        assert_eq!(bytes(&nothing), plain);
    }

    #[test]
    fn numbers_are_learnt_with_every_loss() {
        use crate::training::LossKind;
        let features = stripes(120, 3);
        let target = |index: usize| 5.0 + 2.0 * features.example(index)[0];
        let values: Vec<f32> = (0..120).map(target).collect();
        let part = Part {
            targets: Targets::numbers(values, 1),
            ..features
        };
        let mut builder = Builder::new(part.shape);
        let flat = layer("flatten", &[]);
        let flat = builder.push(flat, vec![Builder::INPUT], "f".to_owned());
        let linear = layer("linear", &[("out", Value::Int(1))]);
        let last = builder.push(linear, vec![flat.unwrap()], "l".to_owned());
        let network = builder
            .finish(last.unwrap(), Output::Regression(1))
            .unwrap();
        for loss in [LossKind::Mse, LossKind::Mae, LossKind::Huber] {
            let recipe = Recipe {
                loss: Some(loss),
                epochs: 60,
                learning_rate: 0.02,
                ..recipe()
            };
            let stop = AtomicBool::new(false);
            let job = Job {
                architecture: &network,
                recipe: &recipe,
                score: None,
                train: &part,
                validation: &part,
                seed: Seed(2),
                trial: 0,
                device: ComputeDevice::Flex,
                deadline: None,
                stop: &stop,
            };
            let trained = train(&job, &mut |_| {}).unwrap();
            assert!(trained.scores.score > 0.9, "{loss:?}: {:?}", trained.scores);
        }
    }

    #[test]
    fn a_network_without_weights_on_its_path_is_scored_all_the_same() {
        let part = stripes(20, 1);
        let flat = chain(part.shape, vec![layer("flatten", &[])], 36);
        let labels = part.targets.labels().unwrap().to_vec();
        let train_on = Part {
            targets: Targets::classes(labels, 36),
            ..part
        };
        let validation = train_on.clone();
        let (stop, recipe) = (AtomicBool::new(false), recipe());
        let job = Job {
            architecture: &flat,
            recipe: &recipe,
            score: None,
            train: &train_on,
            validation: &validation,
            seed: Seed(1),
            trial: 0,
            device: ComputeDevice::Flex,
            deadline: None,
            stop: &stop,
        };
        assert_eq!(train(&job, &mut |_| {}).unwrap().epochs.len(), 6);
    }

    #[test]
    fn only_zeros_before_the_last_layer_still_train() {
        let part = stripes(20, 1);
        let layers = vec![
            layer(
                "conv2d",
                &[("out", Value::Int(2)), ("kernel", Value::Int(1))],
            ),
            layer("zero", &[]),
            layer("global_avg_pool", &[]),
            layer("linear", &[("out", Value::Int(2))]),
        ];
        let dead = chain(part.shape, layers.clone(), 2);
        assert!(run(&dead, &recipe(), &part).is_ok());
        let ends_in_zero = chain(part.shape, [layers, vec![layer("zero", &[])]].concat(), 2);
        assert!(run(&ends_in_zero, &recipe(), &part).is_ok());
    }

    #[test]
    fn an_infinite_loss_ends_as_diverged() {
        let recipe = Recipe {
            learning_rate: 1e3,
            momentum: 0.99,
            ..recipe()
        };
        let layers = vec![
            layer("flatten", &[]),
            layer("linear", &[("out", Value::Int(2))]),
        ];
        let mut part = stripes(64, 1);
        part.inputs.iter_mut().for_each(|value| *value *= 1e30);
        let linear = chain(part.shape, layers, 2);
        assert!(matches!(
            run(&linear, &recipe, &part),
            Err(Failure::Diverged { .. })
        ));
    }

    #[test]
    fn a_passed_deadline_and_a_stop_end_the_run_in_its_first_epoch() {
        let (architecture, part, recipe) = (small_cnn(), stripes(32, 1), recipe());
        let stop = AtomicBool::new(false);
        let job = Job {
            architecture: &architecture,
            recipe: &recipe,
            score: None,
            train: &part,
            validation: &part,
            seed: Seed(1),
            trial: 0,
            device: ComputeDevice::Flex,
            deadline: Some(Instant::now()),
            stop: &stop,
        };
        assert_eq!(
            train(&job, &mut |_| {}).unwrap_err(),
            Failure::TimedOut { epoch: 1 }
        );
        stop.store(true, Ordering::Relaxed);
        assert_eq!(
            train(&job, &mut |_| {}).unwrap_err(),
            Failure::Stopped { epoch: 1 }
        );
    }

    #[test]
    fn patience_ends_a_run_that_does_not_improve_as_a_success() {
        let recipe = Recipe {
            learning_rate: 0.0,
            patience: Some(2),
            epochs: 9,
            ..recipe()
        };
        let part = stripes(32, 1);
        let layers = vec![
            layer("flatten", &[]),
            layer("linear", &[("out", Value::Int(2))]),
        ];
        let trained = run(&chain(part.shape, layers, 2), &recipe, &part).unwrap();
        assert!(trained.stopped_early);
        assert_eq!(trained.epochs.len(), 3);
    }

    #[test]
    fn data_of_another_shape_is_an_error_that_names_both() {
        let part = Part {
            shape: Shape::Vector { features: 36 },
            ..stripes(8, 1)
        };
        let error = run(&small_cnn(), &recipe(), &part).unwrap_err().to_string();
        assert_eq!(
            error,
            "the training part's examples are 36, the network takes 1x6x6"
        );
    }
}
