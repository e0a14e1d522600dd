//! The choice of a controller, as an experiment writes it.

use super::{Controller, Evolution, RandomSearch};
use crate::space::{Sampling, SearchSpace};
use serde::{Deserialize, Serialize};

/// Which controller searches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ControllerKind {
    /// Independent draws.
    Random,
    /// Regularized evolution.
    #[default]
    Evolution,
}

/// A controller and what it can be told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ControllerSettings {
    /// Which controller.
    pub kind: ControllerKind,
    /// How fresh architectures are drawn.
    pub sampling: Sampling,
    /// Evolution: how many of the latest trials may be parents; at least 1.
    pub population: usize,
    /// Evolution: how many of them compete to be a parent; at least 1.
    pub sample: usize,
    /// Evolution: the probability that a child has two parents.
    pub crossover: f64,
}

impl ControllerSettings {
    /// The controller over `space`.
    pub fn build<'s>(&self, space: &'s SearchSpace) -> Box<dyn Controller + 's> {
        match self.kind {
            ControllerKind::Random => Box::new(RandomSearch::new(space, self.sampling)),
            ControllerKind::Evolution => Box::new(Evolution::new(space, *self)),
        }
    }
}
