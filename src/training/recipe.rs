//! How a candidate is trained.

use super::augment::Augmentation;
use super::class_weights::ClassWeights;
use super::fields::FIELDS;
use super::objective::Objective;
use crate::architecture::Output;
use crate::diagnostics::closest_name;
use crate::layers::{Shape, Value};
use serde::{Deserialize, Serialize};

/// The rule that turns gradients into steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OptimizerKind {
    /// Stochastic gradient descent with momentum; weight decay is added to the gradient.
    #[default]
    Sgd,
    /// Adam (Kingma and Ba, 2015); weight decay is added to the gradient.
    Adam,
    /// Adam with weight decay apart from the gradient (Loshchilov and Hutter, 2019).
    Adamw,
}

/// How the learning rate changes over training.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScheduleKind {
    /// It stays.
    Constant,
    /// Half a cosine from the full rate to zero, step by step (Loshchilov and Hutter, 2017).
    #[default]
    Cosine,
    /// It is multiplied by `step_factor` every `step_every` epochs.
    Step,
}

/// What is minimised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LossKind {
    /// Softmax cross-entropy, of classes.
    CrossEntropy,
    /// Binary cross-entropy with logits, of two classes in one logit or of labels.
    Bce,
    /// The mean squared distance, of numbers.
    Mse,
    /// The mean distance, of numbers.
    Mae,
    /// Squared near the target, in proportion far from it (Huber, 1964), of numbers.
    Huber,
}

impl LossKind {
    /// Its name in a recipe.
    pub fn name(self) -> &'static str {
        match self {
            Self::CrossEntropy => "cross_entropy",
            Self::Bce => "bce",
            Self::Mse => "mse",
            Self::Mae => "mae",
            Self::Huber => "huber",
        }
    }
}

/// How a candidate is trained. Every field has a default, so an empty table is a recipe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Recipe {
    /// The rule that turns gradients into steps.
    pub optimizer: OptimizerKind,
    /// The full learning rate.
    pub learning_rate: f64,
    /// The share of the last step that is kept (`sgd`).
    pub momentum: f64,
    /// Whether momentum looks ahead (`sgd`).
    pub nesterov: bool,
    /// Decay of the mean of gradients (`adam`, `adamw`).
    pub beta1: f64,
    /// Decay of the mean of squared gradients (`adam`, `adamw`).
    pub beta2: f64,
    /// Added to the root of the mean square (`adam`, `adamw`).
    pub eps: f64,
    /// Pull of every weight towards zero.
    pub weight_decay: f64,
    /// How the learning rate changes.
    pub schedule: ScheduleKind,
    /// Epochs between two changes (`step`).
    pub step_every: usize,
    /// The factor of a change (`step`).
    pub step_factor: f64,
    /// Epochs over which the rate rises linearly from near zero.
    pub warmup_epochs: f64,
    /// Passes over the training examples.
    pub epochs: usize,
    /// Examples a step.
    pub batch_size: usize,
    /// Share of the target that is spread over all classes.
    pub label_smoothing: f64,
    /// Longest gradient, all parameters together; longer ones are scaled down. Absent: no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gradient_clip_norm: Option<f64>,
    /// Epochs without a better one after which training ends: a higher validation score, or the same and a lower
    /// loss. Absent: it runs to the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patience: Option<usize>,
    /// What is minimised. Absent: cross-entropy of classes, binary cross-entropy of labels and of two
    /// classes in one logit, the squared distance of numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loss: Option<LossKind>,
    /// The distance from which the Huber loss counts in proportion, in deviations of the target.
    /// Absent: 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub huber_delta: Option<f64>,
    /// How much the examples of each class count. Since format 6.
    #[serde(skip_serializing_if = "ClassWeights::is_none")]
    pub class_weights: ClassWeights,
    /// Training images and signals are shifted by up to this much, each way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crop_padding: Option<usize>,
    /// Half of the training images are mirrored, left to right.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flip: Option<bool>,
    /// The side of a square that is blanked in each training image, or a stretch of a signal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cutout: Option<usize>,
    /// Training examples are mixed in pairs, by shares drawn from Beta of this number twice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mixup: Option<f64>,
}

impl Default for Recipe {
    fn default() -> Self {
        Self {
            optimizer: OptimizerKind::Sgd,
            learning_rate: 0.05,
            momentum: 0.9,
            nesterov: true,
            beta1: 0.9,
            beta2: 0.999,
            eps: 1e-8,
            weight_decay: 5e-4,
            schedule: ScheduleKind::Cosine,
            step_every: 30,
            step_factor: 0.1,
            warmup_epochs: 0.0,
            epochs: 10,
            batch_size: 64,
            label_smoothing: 0.0,
            gradient_clip_norm: None,
            patience: None,
            loss: None,
            huber_delta: None,
            class_weights: ClassWeights::None,
            crop_padding: None,
            flip: None,
            cutout: None,
            mixup: None,
        }
    }
}

/// What is wrong with a recipe.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecipeError {
    /// No such field.
    #[error("a recipe has no `{name}`{}", closest.map(|c| format!("; did you mean `{c}`?")).unwrap_or_default())]
    Unknown {
        /// As given.
        name: String,
        /// The closest that exists.
        closest: Option<&'static str>,
    },
    /// A value of the wrong type or out of range.
    #[error("the recipe's `{name}` is {expected}, not {value}")]
    Invalid {
        /// The field.
        name: &'static str,
        /// What it accepts.
        expected: String,
        /// What was given.
        value: String,
    },
    /// Fields that don't go together.
    #[error("{0}")]
    Conflict(&'static str),
    /// Weights of classes that the task does not have.
    #[error("{0}")]
    Weights(String),
    /// A score that the task does not have.
    #[error("{0}")]
    Score(String),
}

impl Recipe {
    /// Sets the field of that name, as a search space's `recipe` block decides it.
    ///
    /// # Errors
    /// When there is no such field, with the closest name, or the value does not fit it.
    pub fn set(&mut self, name: &str, value: Value) -> Result<(), RecipeError> {
        let Some(field) = FIELDS.iter().find(|field| field.name == name) else {
            let closest = closest_name(name, FIELDS.iter().map(|field| field.name));
            return Err(RecipeError::Unknown {
                name: name.to_owned(),
                closest,
            });
        };
        (field.set)(self, field.checked(value)?);
        Ok(())
    }

    /// Checks every field's range, and that they go together.
    ///
    /// # Errors
    /// The first thing that is wrong, in the fields' order.
    pub fn validate(&self) -> Result<(), RecipeError> {
        for field in FIELDS {
            if let Some(value) = (field.get)(self) {
                field.checked(value)?;
            }
        }
        if self.optimizer == OptimizerKind::Sgd && self.nesterov && self.momentum == 0.0 {
            return Err(RecipeError::Conflict(
                "nesterov needs momentum above 0; set `nesterov = false` or give a momentum",
            ));
        }
        Ok(())
    }

    /// Checks that loss and augmentation make sense for networks that take and give this.
    ///
    /// # Errors
    /// The first that does not.
    pub fn validate_for(&self, input: Shape, output: Output) -> Result<(), RecipeError> {
        Objective::of(self, output)?;
        Augmentation::of(self, input).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_recipe_is_valid_and_an_empty_table_means_it() {
        assert_eq!(Recipe::default().validate(), Ok(()));
        assert_eq!(toml::from_str::<Recipe>("").unwrap(), Recipe::default());
    }

    #[test]
    fn a_recipe_survives_toml() {
        let recipe = Recipe {
            patience: Some(3),
            optimizer: OptimizerKind::Adamw,
            ..Recipe::default()
        };
        let text = toml::to_string(&recipe).unwrap();
        assert_eq!(toml::from_str::<Recipe>(&text).unwrap(), recipe);
    }

    #[test]
    fn every_field_of_a_recipe_is_in_the_table() {
        let recipe = Recipe {
            patience: Some(3),
            gradient_clip_norm: Some(1.0),
            loss: Some(LossKind::Mae),
            huber_delta: Some(1.0),
            class_weights: ClassWeights::Balanced,
            crop_padding: Some(2),
            flip: Some(true),
            cutout: Some(2),
            mixup: Some(0.2),
            ..Recipe::default()
        };
        let written = serde_json::to_value(&recipe).unwrap();
        let names: Vec<&str> = written
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        assert_eq!(
            names,
            FIELDS.iter().map(|field| field.name).collect::<Vec<_>>()
        );
    }

    #[test]
    fn a_decision_sets_its_field_and_a_typo_finds_it() {
        let mut recipe = Recipe::default();
        recipe.set("batch_size", Value::Int(32)).unwrap();
        recipe.set("weight_decay", Value::Int(0)).unwrap();
        recipe.set("optimizer", Value::Name("adamw")).unwrap();
        assert_eq!((recipe.batch_size, recipe.weight_decay), (32, 0.0));
        assert_eq!(recipe.optimizer, OptimizerKind::Adamw);
        let error = recipe
            .set("learnig_rate", Value::Float(0.1))
            .unwrap_err()
            .to_string();
        assert_eq!(
            error,
            "a recipe has no `learnig_rate`; did you mean `learning_rate`?"
        );
    }

    #[test]
    fn values_out_of_range_say_what_fits() {
        let error = Recipe::default()
            .set("batch_size", Value::Int(0))
            .unwrap_err()
            .to_string();
        assert_eq!(
            error,
            "the recipe's `batch_size` is a whole number from 1 to 1048576, not 0"
        );
        let nan = Recipe {
            learning_rate: f64::NAN,
            ..Recipe::default()
        };
        assert!(nan.validate().is_err());
    }
}
