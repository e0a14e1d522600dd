//! Taking a network home: PyTorch source, ONNX, burn source.
//!
//! Each target has one table of how every layer kind is written there: `pytorch/modules.rs` in PyTorch's
//! classes, `lower/` in ONNX's operators, from which `rust_source.rs` prints too. Owns the layouts in which
//! other libraries keep weights. Knows no tensors and touches no files: what it makes is text and bytes.

mod graph;
mod lower;
mod onnx;
mod preprocessing;
mod pytorch;
mod rust_source;
mod site;
mod tensors;

pub use onnx::{OnnxSummary, onnx, onnx_summary};
pub use preprocessing::with_preprocessing;
pub use pytorch::pytorch;
pub use rust_source::burn;

use crate::architecture::Architecture;
use tensors::{Tensor, Tensors};

/// Inputs and what strata makes of them, as a safetensors file with `input` and `output`: for whoever wants
/// to compare an export.
///
/// # Panics
/// When the values are not whole examples.
pub fn example(architecture: &Architecture, input: Vec<f32>, output: Vec<f32>) -> Vec<u8> {
    let one = |values: Vec<f32>, sizes: Vec<usize>| {
        let examples = values.len() / sizes.iter().product::<usize>();
        let shape = [vec![examples], sizes].concat();
        Tensor { shape, values }
    };
    let input = one(input, architecture.input().dimensions());
    let output = one(output, architecture.output().shape().dimensions());
    let named = [("input".to_owned(), input), ("output".to_owned(), output)];
    Tensors(named.into()).write()
}

/// A file that an export consists of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its ending, such as `py`.
    pub ending: &'static str,
    /// What it holds.
    pub bytes: Vec<u8>,
}

/// Why a network can't be exported.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExportError {
    /// A layer that the target has no words for.
    #[error(
        "{address}: `{layer}`{why} can't be written in {target}; export to another format (pytorch takes every layer)"
    )]
    Unsupported {
        /// Where.
        address: String,
        /// The layer's name.
        layer: &'static str,
        /// The target.
        target: &'static str,
        /// With which argument, if it is about one; begins with a space.
        why: String,
    },
    /// Weights that are not those of the network.
    #[error("the weights are not of this network: {0}")]
    Weights(String),
}
