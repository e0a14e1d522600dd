//! The rules that turn gradients into steps, with PyTorch's semantics.
//!
//! Each rule is one pass over a parameter's values. burn's own Adam corrects its moments in 32-bit
//! arithmetic with a power function whose last bits are unspecified, so its first steps differ from
//! PyTorch's by some 1e-5 and could differ between builds; here scalars are 64-bit and values are
//! touched once.

use super::recipe::{OptimizerKind, Recipe};
use crate::layers::Parameter;
use burn::tensor::{Gradients, TensorData};

/// An optimiser and what it remembers of each parameter.
#[derive(Clone, Debug)]
pub struct Optimizer {
    recipe: Recipe,
    states: Vec<Memory>,
}

/// What is remembered of one parameter; empty before its first gradient.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Memory {
    pub steps: u32,
    pub first: Vec<f32>,
    pub second: Vec<f32>,
}

impl Optimizer {
    /// The recipe's rule, with an empty memory for `parameters` parameters.
    pub fn new(recipe: &Recipe, parameters: usize) -> Self {
        Self {
            recipe: recipe.clone(),
            states: vec![Memory::default(); parameters],
        }
    }

    /// The recipe's rule with what it remembered of each parameter.
    pub(super) fn remembering(recipe: &Recipe, states: Vec<Memory>) -> Self {
        Self {
            recipe: recipe.clone(),
            states,
        }
    }

    /// What is remembered of each parameter.
    pub(super) fn memories(&self) -> &[Memory] {
        &self.states
    }

    /// Moves every parameter that has a gradient. A parameter that the loss does not depend on stays
    /// as it is, without weight decay.
    pub fn step_values<'a>(
        &mut self,
        parameters: impl Iterator<Item = (&'a mut [f32], Option<&'a mut [f32]>)>,
        learning_rate: f64,
    ) {
        for ((weights, gradient), state) in parameters.zip(&mut self.states) {
            if let Some(gradient) = gradient {
                state.step(&self.recipe, learning_rate, weights, gradient);
            }
        }
    }

    /// The same for burn's tensors.
    pub fn step(
        &mut self,
        parameters: &mut Vec<Parameter>,
        gradients: &[Option<TensorData>],
        learning_rate: f64,
    ) {
        let old = std::mem::take(parameters);
        for ((parameter, gradient), state) in old.into_iter().zip(gradients).zip(&mut self.states) {
            parameters.push(match gradient {
                Some(gradient) => {
                    let gradient = floats(gradient);
                    parameter.update(|w| state.step(&self.recipe, learning_rate, w, gradient))
                }
                None => parameter,
            });
        }
    }
}

impl Memory {
    fn step(&mut self, recipe: &Recipe, learning_rate: f64, weights: &mut [f32], gradient: &[f32]) {
        self.steps += 1;
        match recipe.optimizer {
            OptimizerKind::Sgd => self.sgd(recipe, learning_rate, weights, gradient),
            OptimizerKind::Adam | OptimizerKind::Adamw => {
                self.adam(recipe, learning_rate, weights, gradient);
            }
        }
    }

    /// `v = m v + g`, with `v = g` at first; `w -= lr v`, or `w -= lr (g + m v)` looking ahead.
    fn sgd(&mut self, recipe: &Recipe, learning_rate: f64, weights: &mut [f32], gradient: &[f32]) {
        let (rate, decay) = (learning_rate as f32, recipe.weight_decay as f32);
        let momentum = recipe.momentum as f32;
        if momentum == 0.0 {
            for (w, g) in weights.iter_mut().zip(gradient) {
                *w -= rate * (g + decay * *w);
            }
            return;
        }
        // From zero, the first velocity is the gradient itself, as PyTorch has it.
        self.first.resize(weights.len(), 0.0);
        for ((w, g), v) in weights.iter_mut().zip(gradient).zip(&mut self.first) {
            let g = g + decay * *w;
            *v = momentum * *v + g;
            *w -= rate
                * if recipe.nesterov {
                    g + momentum * *v
                } else {
                    *v
                };
        }
    }

    /// `w -= lr / (1 - b1^t) m / (sqrt(v / (1 - b2^t)) + eps)`.
    fn adam(&mut self, recipe: &Recipe, learning_rate: f64, weights: &mut [f32], gradient: &[f32]) {
        let apart = recipe.optimizer == OptimizerKind::Adamw;
        let (decay, shrink) = match apart {
            true => (0.0, (1.0 - learning_rate * recipe.weight_decay) as f32),
            false => (recipe.weight_decay as f32, 1.0),
        };
        let steps = f64::from(self.steps);
        let rate = (learning_rate / (1.0 - libm::pow(recipe.beta1, steps))) as f32;
        let correction = libm::sqrt(1.0 - libm::pow(recipe.beta2, steps)) as f32;
        let (b1, b2, eps) = (recipe.beta1 as f32, recipe.beta2 as f32, recipe.eps as f32);
        let (c1, c2) = ((1.0 - recipe.beta1) as f32, (1.0 - recipe.beta2) as f32);
        self.first.resize(weights.len(), 0.0);
        self.second.resize(weights.len(), 0.0);
        let moments = self.first.iter_mut().zip(&mut self.second);
        for ((w, g), (m, v)) in weights.iter_mut().zip(gradient).zip(moments) {
            let g = g + decay * *w;
            *m = b1 * *m + c1 * g;
            *v = b2 * *v + c2 * g * g;
            *w = *w * shrink - rate * *m / (v.sqrt() / correction + eps);
        }
    }
}

/// Takes each parameter's gradient, in order; `None` where the loss does not depend on it.
pub fn gradients(parameters: &[Parameter], backward: &mut Gradients) -> Vec<Option<TensorData>> {
    parameters
        .iter()
        .map(|parameter| parameter.take_gradient(backward))
        .collect()
}

/// Scales all gradients together so that their norm is at most `max_norm`.
pub fn clip_values(gradients: &mut [&mut [f32]], max_norm: f64) {
    let squares = |values: &&mut [f32]| -> f64 {
        values
            .iter()
            .map(|&value| f64::from(value) * f64::from(value))
            .sum()
    };
    let norm = libm::sqrt(gradients.iter().map(squares).sum());
    let factor = max_norm / (norm + 1e-6);
    if factor < 1.0 {
        for value in gradients.iter_mut().flat_map(|values| values.iter_mut()) {
            *value *= factor as f32;
        }
    }
}

/// Scales all gradients together so that their norm is at most `max_norm`, and returns the norm they
/// had, as `torch.nn.utils.clip_grad_norm_` does.
pub fn clip_gradients(gradients: &mut [Option<TensorData>], max_norm: f64) -> f64 {
    let squares = |data: &TensorData| -> f64 {
        floats(data)
            .iter()
            .map(|&value| f64::from(value) * f64::from(value))
            .sum()
    };
    let norm = libm::sqrt(gradients.iter().flatten().map(squares).sum());
    let factor = max_norm / (norm + 1e-6);
    if factor < 1.0 {
        for data in gradients.iter_mut().flatten() {
            let values = data
                .as_mut_slice::<f32>()
                .expect("gradients are 32-bit floats");
            values.iter_mut().for_each(|value| *value *= factor as f32);
        }
    }
    norm
}

fn floats(data: &TensorData) -> &[f32] {
    data.as_slice().expect("gradients are 32-bit floats")
}
