//! From an architecture to a network that computes.
//!
//! Owns initial weights, the forward pass over the graph, the program that training runs, and weights as bytes. Weights are drawn
//! from the trial's own stream, never from a global generator. Knows nothing of data sets, losses or
//! optimisers.

mod device;
mod foreign;
mod inference;
mod network;
mod plan;
mod program;
mod weights;

pub use device::ComputeDevice;
pub use network::{Network, Probe, ProbedLayer, batch};
pub use program::Program;
pub use weights::WeightsError;
