//! What training minimises and what a network is judged by.

use super::class_weights::ClassWeights;
use super::metrics::{self, binary_loss, row_loss};
use super::recipe::{LossKind, Recipe, RecipeError};
use super::score::{Direction, Score};
use crate::architecture::Output;
use crate::data::{Part, Targets};
use crate::kernels;
use crate::layers::Mode;
use crate::model::{Network, Program};
use crate::search::Fitness;
use burn::tensor::activation::{log_sigmoid, log_softmax};
use burn::tensor::{Device, Tensor, TensorData};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How many examples are evaluated at a time. A constant, so that scores never depend on the recipe.
const EVALUATION_BATCH: usize = 64;

/// A loss for an output, and with it the scores.
#[derive(Clone, Debug, PartialEq)]
pub struct Objective {
    output: Output,
    score: Score,
    kind: LossKind,
    smoothing: f64,
    delta: f64,
    classes: ClassWeights,
    /// How much the examples of each class count, once that is known.
    weights: Option<Arc<[f64]>>,
}

/// How well a network does on a part of the data.
#[derive(Clone, Debug, PartialEq)]
pub struct Scores {
    /// Mean loss: cross-entropies in nats without label smoothing, a regression's loss of its
    /// standardised numbers.
    pub loss: f64,
    /// The figure that was asked for, in its own direction: if nothing else was, accuracy where each example has one
    /// class, the mean F1 of the labels where it has any number of them, R2 for regression.
    pub score: f64,
    /// Every figure of the task by its name; a regression's errors in the data's own units.
    pub metrics: BTreeMap<String, f64>,
}

impl Scores {
    /// How good that is by a score that gets better in this direction; of equal scores, by loss.
    pub fn fitness(&self, direction: Direction) -> Fitness {
        Fitness {
            score: direction.fitness(self.score),
            loss: self.loss,
        }
    }
}

/// A score that some examples can't give.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{score}` is not defined on {examples} examples{why}; set another `score`, or divide the data otherwise"
)]
pub struct Undefined {
    /// The score.
    pub score: Score,
    /// How many examples there are.
    pub examples: usize,
    why: String,
}

impl Undefined {
    fn new(score: Score, targets: &Targets) -> Self {
        let why = match targets {
            Targets::Classes { labels, .. } => match labels.first() {
                Some(first) if labels.iter().all(|label| label == first) => {
                    format!(" that all are of class {first}")
                }
                _ => String::new(),
            },
            Targets::Labels { .. } => " where each label is set always or never".to_owned(),
            Targets::Numbers { .. } => String::new(),
        };
        Self {
            score,
            examples: targets.len(),
            why,
        }
    }
}

impl Objective {
    /// The loss that the recipe names, or the task's own.
    ///
    /// # Errors
    /// When the loss is none for this output.
    pub fn of(recipe: &Recipe, output: Output) -> Result<Self, RecipeError> {
        let fitting: &[LossKind] = match output {
            Output::Classes(_) => &[LossKind::CrossEntropy],
            Output::Binary | Output::Labels(_) => &[LossKind::Bce],
            Output::Regression(_) => &[LossKind::Mse, LossKind::Mae, LossKind::Huber],
        };
        let kind = recipe.loss.unwrap_or(fitting[0]);
        if !fitting.contains(&kind) {
            let names: Vec<&str> = fitting.iter().map(|kind| kind.name()).collect();
            return Err(RecipeError::Invalid {
                name: "loss",
                expected: format!("{} for `output {output}`", names.join(", ")),
                value: kind.name().to_owned(),
            });
        }
        check_weights(&recipe.class_weights, output)?;
        Ok(Self {
            output,
            score: Score::of(output),
            kind,
            classes: recipe.class_weights.clone(),
            weights: None,
            smoothing: recipe.label_smoothing,
            delta: recipe.huber_delta.unwrap_or(1.0),
        })
    }

    /// The same loss, with a score of one's own; without one, the task's.
    ///
    /// # Errors
    /// When the output has no such score.
    pub fn scored_by(self, score: Option<Score>) -> Result<Self, RecipeError> {
        let score = score.unwrap_or(self.score);
        if score.fits(self.output) {
            return Ok(Self { score, ..self });
        }
        Err(RecipeError::Score(score.unfit(self.output)))
    }

    /// The same loss where these targets are trained on, which decide balanced weights of classes.
    #[must_use]
    pub fn trained_on(self, targets: &Targets) -> Self {
        Self {
            weights: self.classes.of(targets).map(Arc::from),
            ..self
        }
    }

    /// The figure that says how well a network does.
    pub fn score(&self) -> Score {
        self.score
    }

    /// The mean loss of `[batch, outputs]` numbers.
    ///
    /// # Panics
    /// When the targets are not of the output.
    pub fn loss(&self, outputs: Tensor<2>, targets: &Targets) -> Tensor<1> {
        if let (LossKind::CrossEntropy, Targets::Classes { labels, .. }) = (self.kind, targets) {
            return weighed_cross_entropy(outputs, labels, self.smoothing, self.weights.as_deref());
        }
        let wanted = self.wanted(targets, &outputs);
        match self.kind {
            LossKind::CrossEntropy => unreachable!("targets are of the output"),
            LossKind::Bce => {
                let missed = wanted.clone().neg().add_scalar(1.0);
                let hit = log_sigmoid(outputs.clone()) * wanted;
                let said = hit + log_sigmoid(outputs.clone().neg()) * missed;
                match (&self.weights, targets) {
                    (Some(weights), Targets::Classes { labels, .. }) => {
                        let shares = shares(weights, labels);
                        let options = (&outputs.device(), outputs.dtype());
                        let shares = TensorData::new(shares, outputs.dims());
                        (said * Tensor::from_data(shares, options)).sum().neg()
                    }
                    _ => said.mean().neg(),
                }
            }
            LossKind::Mse => {
                let distance = outputs - wanted;
                (distance.clone() * distance).mean()
            }
            LossKind::Mae => (outputs - wanted).abs().mean(),
            LossKind::Huber => {
                // The inner part is squared, what lies beyond counts in proportion.
                let distance = (outputs - wanted).abs();
                let inner = distance.clone().clamp_max(self.delta);
                let beyond = (distance - inner.clone()).mul_scalar(self.delta);
                (inner.clone() * inner.mul_scalar(0.5) + beyond).mean()
            }
        }
    }

    /// The mean loss of rows of outputs against each set of targets by its share, and its gradient.
    ///
    /// # Panics
    /// When the targets are not of the output.
    pub fn loss_and_gradient(
        &self,
        outputs: &[f32],
        targets: &[(f64, Targets)],
    ) -> (f64, Vec<f32>) {
        let (mut total, mut gradient) = (0.0, vec![0.0; outputs.len()]);
        for (share, targets) in targets {
            if let (LossKind::CrossEntropy, Targets::Classes { labels, .. }) = (self.kind, targets)
            {
                let smoothing = self.smoothing;
                total += match &self.weights {
                    None => {
                        kernels::cross_entropy(outputs, labels, smoothing, *share, &mut gradient)
                    }
                    Some(weights) => kernels::weighted_cross_entropy(
                        outputs,
                        labels,
                        (smoothing, weights),
                        *share,
                        &mut gradient,
                    ),
                };
                continue;
            }
            let rows = targets.len().max(1);
            let data = TensorData::new(outputs.to_vec(), [rows, outputs.len() / rows]);
            let leaf = Tensor::<2>::from_data(data, &Device::flex().autodiff()).require_grad();
            let loss = self.loss(leaf.clone(), targets).mul_scalar(*share);
            total += f64::from(loss.clone().into_scalar::<f32>());
            let found = leaf.grad(&loss.backward()).map(Tensor::into_data);
            let found = found.expect("a loss depends on the outputs");
            kernels::add_to(
                &mut gradient,
                found.as_slice::<f32>().expect("32-bit floats"),
            );
        }
        (total, gradient)
    }

    /// Targets as numbers beside the outputs.
    fn wanted(&self, targets: &Targets, outputs: &Tensor<2>) -> Tensor<2> {
        let values: Vec<f32> = match targets {
            Targets::Classes { labels, .. } => labels.iter().map(|&l| self.smooth(l > 0)).collect(),
            Targets::Labels { flags, .. } => flags.iter().map(|&f| self.smooth(f)).collect(),
            Targets::Numbers { values, .. } => values.clone(),
        };
        let options = (&outputs.device(), outputs.dtype());
        Tensor::from_data(TensorData::new(values, outputs.dims()), options)
    }

    fn smooth(&self, flag: bool) -> f32 {
        let flag = f64::from(u8::from(flag));
        (flag * (1.0 - self.smoothing) + 0.5 * self.smoothing) as f32
    }

    /// The mean loss of outputs that were computed, without label smoothing, in 64 bits and in the
    /// part's order. Classes count as they do in training.
    fn mean_loss(&self, outputs: &[f32], targets: &Targets) -> f64 {
        if let (Some(weights), Targets::Classes { labels, .. }) = (&self.weights, targets) {
            return self.weighed_loss(outputs, labels, weights);
        }
        let count = targets.len().max(1);
        let width = outputs.len() / count;
        let rows = outputs.chunks_exact(width.max(1));
        let total: f64 = match targets {
            Targets::Classes { labels, .. } if self.kind == LossKind::CrossEntropy => {
                let pairs = rows.zip(labels);
                return pairs
                    .map(|(row, &l)| row_loss(row, l as usize))
                    .sum::<f64>()
                    / count as f64;
            }
            Targets::Classes { labels, .. } => {
                let pairs = outputs.iter().zip(labels);
                pairs.map(|(&x, &label)| binary_loss(x, label > 0)).sum()
            }
            Targets::Labels { flags, .. } => {
                let pairs = outputs.iter().zip(flags);
                pairs.map(|(&x, &flag)| binary_loss(x, flag)).sum()
            }
            Targets::Numbers { values, .. } => {
                let pairs = outputs.iter().zip(values);
                pairs
                    .map(|(&x, &y)| self.distance_loss(f64::from(x) - f64::from(y)))
                    .sum()
            }
        };
        total / outputs.len().max(1) as f64
    }

    fn weighed_loss(&self, outputs: &[f32], labels: &[u32], weights: &[f64]) -> f64 {
        let (mut total, mut counted) = (0.0, 0.0);
        for (row, &label) in outputs.chunks_exact(self.output.numbers()).zip(labels) {
            let weight = weights[label as usize];
            total += weight
                * match self.kind {
                    LossKind::CrossEntropy => row_loss(row, label as usize),
                    _ => binary_loss(row[0], label > 0),
                };
            counted += weight;
        }
        total / counted
    }

    fn distance_loss(&self, distance: f64) -> f64 {
        let size = distance.abs();
        match self.kind {
            LossKind::Mae => size,
            LossKind::Huber if size > self.delta => self.delta * (size - 0.5 * self.delta),
            LossKind::Huber => 0.5 * size * size,
            _ => size * size,
        }
    }
}

/// Whether a network with this output can be trained with these weights.
fn check_weights(weights: &ClassWeights, output: Output) -> Result<(), RecipeError> {
    let invalid = |needed: String| {
        RecipeError::Weights(format!(
            "`class_weights` need {needed}; the output is {output}"
        ))
    };
    let classes = match output {
        Output::Classes(classes) => classes,
        Output::Binary => 2,
        Output::Labels(_) | Output::Regression(_) if weights.is_none() => return Ok(()),
        Output::Labels(_) | Output::Regression(_) => {
            return Err(RecipeError::Weights(format!(
                "`class_weights` are for `classes` and `binary`, and the networks' output is {output}; leave them out"
            )));
        }
    };
    match weights.unfit(classes) {
        None => Ok(()),
        Some(expected) => Err(invalid(expected)),
    }
}

/// The share of each example in a weighed mean.
fn shares(weights: &[f64], labels: &[u32]) -> Vec<f32> {
    let weight = |&label: &u32| weights[label as usize];
    let all: f64 = labels.iter().map(weight).sum();
    labels
        .iter()
        .map(|label| (weight(label) / all) as f32)
        .collect()
}

/// Mean softmax cross-entropy of `[batch, classes]` logits. With smoothing `s` the target is
/// `1 - s` on the class plus `s / classes` everywhere, as in `torch.nn.CrossEntropyLoss`.
///
/// # Panics
/// When a label is not below the number of classes.
pub fn cross_entropy(logits: Tensor<2>, labels: &[u32], smoothing: f64) -> Tensor<1> {
    weighed_cross_entropy(logits, labels, smoothing, None)
}

fn weighed_cross_entropy(
    logits: Tensor<2>,
    labels: &[u32],
    smoothing: f64,
    weights: Option<&[f64]>,
) -> Tensor<1> {
    let [batch, classes] = logits.dims();
    // The mean and the sign are part of the targets, which saves two passes in each direction.
    let weight = |class: usize| weights.map_or(1.0, |weights| weights[class]);
    let counted = match weights {
        None => batch as f64,
        Some(weights) => labels.iter().map(|&label| weights[label as usize]).sum(),
    };
    let scale = -1.0 / counted;
    let spread = smoothing / classes as f64;
    let mut targets = Vec::with_capacity(batch * classes);
    for &label in labels {
        targets.extend((0..classes).map(|class| {
            let peak = if class == label as usize {
                1.0 - smoothing
            } else {
                0.0
            };
            (scale * weight(class) * (peak + spread)) as f32
        }));
    }
    let options = (&logits.device(), logits.dtype());
    let targets = Tensor::from_data(TensorData::new(targets, [batch, classes]), options);
    (log_softmax(logits, 1) * targets).sum()
}

/// What a network gives for every example of a part, at inference.
#[derive(Clone, Debug, Default)]
pub(super) struct Predictions(Vec<f32>);

impl Predictions {
    /// Computes them, asking before each batch whether to go on.
    pub fn of<E>(
        program: &mut Program,
        part: &Part,
        mut go_on: impl FnMut() -> Result<(), E>,
    ) -> Result<Self, E> {
        let size = part.shape.elements();
        let mut outputs = Vec::new();
        for inputs in part.inputs.chunks(EVALUATION_BATCH * size) {
            go_on()?;
            outputs.extend_from_slice(program.forward(inputs, Mode::Inference));
        }
        Ok(Self(outputs))
    }

    /// The mean loss.
    pub fn loss(&self, objective: &Objective, part: &Part) -> f64 {
        objective.mean_loss(&self.0, &part.targets)
    }

    /// The score, in its own direction.
    ///
    /// # Errors
    /// When the examples can't give it.
    pub fn score(&self, objective: &Objective, part: &Part) -> Result<f64, Undefined> {
        let found = metrics::figure(objective.score, objective.output, &self.0, &part.targets);
        found.ok_or_else(|| Undefined::new(objective.score, &part.targets))
    }

    /// Everything there is to say.
    ///
    /// # Errors
    /// When the examples can't give the score.
    pub fn scores(&self, objective: &Objective, part: &Part) -> Result<Scores, Undefined> {
        let (output, score) = (objective.output, objective.score);
        Ok(Scores {
            loss: self.loss(objective, part),
            score: self.score(objective, part)?,
            metrics: metrics::all(score, output, &self.0, &part.targets),
        })
    }

    /// The same, with what each example contributes to the score, or each group.
    fn each(
        &self,
        objective: &Objective,
        part: &Part,
    ) -> Result<(Scores, Option<Vec<f64>>), Undefined> {
        let scores = self.scores(objective, part)?;
        let (output, score) = (objective.output, objective.score);
        let groups: Option<Vec<usize>> = part
            .groups
            .as_ref()
            .map(|groups| groups.iter().map(|&group| group as usize).collect());
        let groups = groups.as_deref();
        let each = metrics::contributions(score, output, &self.0, &part.targets, groups);
        Ok((scores, each))
    }

    fn of_network(network: &Network, part: &Part) -> Self {
        let predictions = Self::of(&mut Program::of(network), part, || Ok::<(), ()>(()));
        predictions.expect("nothing interrupts it")
    }
}

/// How well a network does on a part, at inference.
///
/// # Errors
/// When the part's examples can't give the score.
///
/// # Panics
/// When the part does not have the network's input shape, or its targets are not of the objective.
pub fn evaluate(
    network: &Network,
    part: &Part,
    objective: &Objective,
) -> Result<Scores, Undefined> {
    Predictions::of_network(network, part).scores(objective, part)
}

/// As [`evaluate`], with what each example contributes to the score, or each group where the part's examples come in
/// groups: see [`contributions`](super::contributions).
///
/// # Errors
/// As [`evaluate`].
///
/// # Panics
/// As [`evaluate`].
pub fn evaluate_each(
    network: &Network,
    part: &Part,
    objective: &Objective,
) -> Result<(Scores, Option<Vec<f64>>), Undefined> {
    Predictions::of_network(network, part).each(objective, part)
}

/// As [`evaluate_each`], of outputs that something else gave: a row an example, as a network's.
///
/// # Errors
/// As [`evaluate`].
///
/// # Panics
/// As [`evaluate`].
pub fn judge_each(
    outputs: Vec<f32>,
    part: &Part,
    objective: &Objective,
) -> Result<(Scores, Option<Vec<f64>>), Undefined> {
    Predictions(outputs).each(objective, part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objective(output: Output, loss: LossKind) -> Objective {
        let recipe = Recipe {
            loss: Some(loss),
            ..Recipe::default()
        };
        Objective::of(&recipe, output).unwrap()
    }

    fn both(objective: &Objective, outputs: &[f32], targets: &Targets) -> (f64, f64) {
        let width = outputs.len() / targets.len();
        let data = TensorData::new(outputs.to_vec(), [targets.len(), width]);
        let tensor = Tensor::<2>::from_data(data, &Device::flex());
        let trained = objective.loss(tensor, targets).into_scalar::<f32>();
        (f64::from(trained), objective.mean_loss(outputs, targets))
    }

    #[test]
    fn training_and_evaluation_agree_on_every_loss() {
        let numbers = Targets::numbers(vec![0.5, -1.0, 4.0, 0.0], 2);
        let flags = Targets::Labels {
            flags: vec![true, false, false, true],
            labels: 2,
        };
        let outputs = [0.25, 3.0, -2.0, 0.0];
        let cases = [
            (Output::Regression(2), LossKind::Mse, &numbers, 13.015_625),
            (Output::Regression(2), LossKind::Mae, &numbers, 2.5625),
            (
                Output::Regression(2),
                LossKind::Huber,
                &numbers,
                2.257_812_5,
            ),
            (Output::Labels(2), LossKind::Bce, &flags, 1.111_150_7),
        ];
        for (output, loss, targets, wanted) in cases {
            let (trained, evaluated) = both(&objective(output, loss), &outputs, targets);
            assert!((trained - wanted).abs() < 1e-5, "{loss:?}: {trained}");
            assert!((evaluated - wanted).abs() < 1e-6, "{loss:?}: {evaluated}");
        }
        let classes = Targets::classes(vec![1, 0, 0, 1], 2);
        let (trained, evaluated) = both(
            &objective(Output::Binary, LossKind::Bce),
            &outputs,
            &classes,
        );
        assert!((trained - evaluated).abs() < 1e-6);
    }

    /// A case of `tests/golden/class_weights.json`.
    #[derive(serde::Deserialize)]
    struct Weighed {
        outputs: Vec<f32>,
        width: usize,
        labels: Vec<u32>,
        weights: Vec<f64>,
        smoothing: f64,
        loss: f64,
        gradient: Vec<f64>,
    }

    #[test]
    fn weights_of_classes_are_pytorch_s() {
        let text = include_str!("../../tests/golden/class_weights.json");
        let cases: Vec<Weighed> = serde_json::from_str(text).unwrap();
        for case in cases {
            let (output, kind) = match case.width {
                1 => (Output::Binary, LossKind::Bce),
                width => (Output::Classes(width), LossKind::CrossEntropy),
            };
            let recipe = Recipe {
                loss: Some(kind),
                label_smoothing: case.smoothing,
                class_weights: ClassWeights::Given(case.weights.clone()),
                ..Recipe::default()
            };
            let targets = Targets::classes(case.labels.clone(), case.weights.len());
            let objective = Objective::of(&recipe, output).unwrap().trained_on(&targets);
            let given = [(0.5, targets.clone()), (0.5, targets.clone())];
            let (loss, gradient) = objective.loss_and_gradient(&case.outputs, &given);
            assert!(
                (loss - case.loss).abs() < 1e-6 * (1.0 + case.loss),
                "{loss} {}",
                case.loss
            );
            for (found, wanted) in gradient.iter().zip(&case.gradient) {
                assert!(
                    (f64::from(*found) - wanted).abs() < 1e-6,
                    "{found} {wanted}"
                );
            }
            let (trained, evaluated) = both(&objective, &case.outputs, &targets);
            assert!(
                (trained - case.loss).abs() < 1e-5,
                "{trained} {}",
                case.loss
            );
            if case.smoothing == 0.0 {
                assert!((evaluated - case.loss).abs() < 1e-12 * (1.0 + case.loss));
            }
        }
    }

    #[test]
    fn weights_are_for_classes_and_one_for_each() {
        let error = |weights: &[f64], output| {
            let recipe = Recipe {
                class_weights: ClassWeights::Given(weights.to_vec()),
                ..Recipe::default()
            };
            Objective::of(&recipe, output).unwrap_err().to_string()
        };
        assert_eq!(
            error(&[1.0, 2.0, 3.0], Output::Binary),
            "`class_weights` need 2 numbers, one for each class, not 3; the output is binary"
        );
        assert!(error(&[1.0], Output::Regression(1)).contains("leave them out"));
    }

    #[test]
    fn a_score_of_another_task_is_refused_with_those_that_fit() {
        let objective = Objective::of(&Recipe::default(), Output::Regression(1)).unwrap();
        assert_eq!(objective.score(), Score::R2);
        let error = objective
            .scored_by(Some(Score::Auroc))
            .unwrap_err()
            .to_string();
        assert_eq!(
            error,
            "`output regression(1)` has no `auroc`, which is of classes, labels; \
             it has `r2`, `rmse`, `mse`, `mae`, `median_absolute_error`"
        );
    }

    #[test]
    fn a_score_that_examples_cant_give_says_why() {
        let targets = Targets::classes(vec![0, 0, 0], 2);
        assert_eq!(
            Undefined::new(Score::Auroc, &targets).to_string(),
            "`auroc` is not defined on 3 examples that all are of class 0; set another `score`, or divide the data \
             otherwise"
        );
    }

    #[test]
    fn a_loss_of_another_task_is_refused_with_those_that_fit() {
        let recipe = Recipe {
            loss: Some(LossKind::Mse),
            ..Recipe::default()
        };
        let error = Objective::of(&recipe, Output::Classes(3)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the recipe's `loss` is cross_entropy for `output classes(3)`, not mse"
        );
    }
}
