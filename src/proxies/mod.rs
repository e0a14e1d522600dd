//! Proxies without training: figures of an untrained network that go along with how good it will be.
//!
//! Each is a pure function of (architecture, one minibatch, seed): see [`Proxy`] for the list and
//! [`Probing`] for computing them. Higher is better for all. What a paper leaves open is as in the
//! code that its figures come from; each file says so. Owns nothing but the figures; how candidates
//! are ranked by them is the search's affair.

mod codes;
mod gradients;
mod grasp;
mod jacobian;
mod matrix;
mod minibatch;
mod probing;
mod proxy;
mod synflow;
mod tensors;
mod zen;

#[cfg(test)]
mod tests;

pub use minibatch::Minibatch;
pub use probing::Probing;
pub use proxy::{PROXIES, Proxy, ProxyInfo};
