//! Training steps without detours: what layers compute, in both directions, on plain slices.
//!
//! Owns [`Operation`]s: one layer each, forward and backward written by hand over values whose channels come last,
//! in memory that is kept from step to step. Loops are compiled for several instruction sets and the processor's
//! own is chosen when they run ([`path`]); on one of them, sums always run in the same order. Layers name their
//! operation, `model` runs them. Knows nothing of burn, layers or networks.

mod attention;
mod chain;
mod columns;
mod convolution;
mod dense;
mod depthwise;
mod elementwise;
mod functions;
mod geometry;
mod loss;
mod normalisation;
mod operation;
mod pathway;
mod pooling;
mod recurrent;
mod room;
mod rows;
mod simd;
mod squeeze;
mod sums;
mod windows;
mod winograd;

/// Raised with every change that gives other last bits, so that a run can say by which kernels it was made.
pub const REVISION: u32 = 3;

pub use attention::{AttentionPool, Heads, SelfAttention};
pub use chain::Chain;
pub use convolution::convolution;
pub use dense::Linear;
pub use elementwise::{
    Apply, Concatenate, Draws, Masked, Noisy, Same, Shared, Sum, Transpose, Zeros, transpose,
};
pub use functions::Pointwise;
pub use geometry::Geometry;
pub use loss::{cross_entropy, weighted_cross_entropy};
pub use normalisation::{BatchNorm, GroupNorm};
pub use operation::{Flow, Keeps, Operation, Pass, Plain};
pub use pooling::{AveragePool, GlobalAverage, GlobalMax, MaxPool, PoolWindows};
pub use recurrent::{Cell, Recurrent};
pub use rows::{AddToExamples, Embedding, Gated, LayerNorm};
pub use simd::path;
pub use squeeze::SqueezeExcite;
pub use sums::add_to;
