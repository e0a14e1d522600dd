//! From an architecture to a network that computes.
//!
//! Owns initial weights, the forward pass over the graph, and weights as bytes. Weights are drawn
//! from the trial's own stream, never from a global generator. Knows nothing of data sets, losses or
//! optimisers.

mod inference;
mod network;
mod plan;
mod weights;

pub use network::{Network, Probe, ProbedLayer, batch};
pub use weights::WeightsError;
