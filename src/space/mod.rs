//! Search spaces: which architectures exist, how many, and how to move among them.
//!
//! A [`SearchSpace`] is made by a front end (the [language](crate::language)) from a
//! [`Program`](program::Program). It counts exactly, names the i-th architecture, samples, mutates and
//! crosses over, and decodes a [`Genome`] to an [`Architecture`]; every
//! genome it returns is complete and valid. It knows no syntax, no training and no files.

mod build;
mod count;
pub mod expression;
mod filter;
mod genome;
mod operators;
mod plan;
mod product;
pub mod program;
mod search_space;
mod state;
mod transfer;
mod unsatisfiable;
mod workshop;

pub use count::{Count, Estimate};
pub use genome::{Addresses, Genome};
pub use product::{ProductGenome, ProductSpace};
pub use search_space::{SearchSpace, SpaceError};

use crate::architecture::Architecture;
use crate::layers::Value;
use serde::{Deserialize, Serialize};
use sha2::Digest;
use std::collections::BTreeMap;

/// A decoded genome.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The decisions it was decoded from.
    pub genome: Genome,
    /// The network.
    pub architecture: Architecture,
    /// Training settings that the space decides, by name.
    pub recipe: BTreeMap<String, Value>,
}

impl Candidate {
    /// What must not be trained twice, the canonical network with the training settings: its SHA-256, which
    /// takes 32 bytes however large the network is.
    pub fn key(&self) -> [u8; 32] {
        let mut key = sha2::Sha256::new_with_prefix(self.architecture.canonical().as_str());
        for (name, value) in &self.recipe {
            key.update(format!(";{name}={value}"));
        }
        key.finalize().into()
    }
}

/// How to draw from a space.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sampling {
    /// Each choice by its weights, among the options with a valid completion.
    #[default]
    Prior,
    /// Every architecture with the same probability.
    Uniform,
}

/// One decision of a genome, with what else could have been decided there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Where.
    pub address: String,
    /// The option taken.
    pub option: u32,
    /// What the option is, for people.
    pub name: String,
    /// The options that have a valid completion given the decisions before.
    pub offered: Vec<u32>,
    /// What each option that the space has there is, for people, whether it has a valid completion or not.
    pub options: Vec<String>,
}

/// Why a genome does not name an architecture of a space.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// A decision is missing.
    #[error("the genome has no decision at `{0}`")]
    Missing(String),
    /// The option does not exist or leads to no valid architecture.
    #[error("option {option} at `{address}` is not in the space")]
    Invalid {
        /// Where.
        address: String,
        /// The option.
        option: u32,
    },
    /// Its decisions exist, but not together.
    #[error("the genome's decisions lead to no architecture of the space")]
    Outside,
}
