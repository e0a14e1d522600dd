//! PyTorch: source that a person could have written, and weights under its names.

mod blocks;
mod modules;
mod scope;
mod source;

use super::tensors::{Tensor, Tensors};
use super::{ExportError, File};
use crate::architecture::Architecture;
use scope::Graph;

/// A network as a PyTorch module and its weights: a `.py` and a `.safetensors`, to be kept side by side
/// under one name. `name` is the network's, in any spelling; `weights` are those of
/// [`Network::save`](crate::model::Network::save).
///
/// # Errors
/// When a layer has no counterpart, or the weights are of another network.
pub fn pytorch(
    architecture: &Architecture,
    weights: &[u8],
    name: &str,
) -> Result<Vec<File>, ExportError> {
    let given = Tensors::read(weights)?;
    let graph = Graph::of(architecture)?;
    let plan = blocks::Plan::of(&graph);
    let (text, sources) = source::write(architecture, &graph, &plan, name);
    let mut tensors = Tensors::default();
    for (torch, address, source) in sources {
        let tensor = given.of(&address, &source.ours)?;
        let turned = |tensor: &Tensor| match source.transposed {
            true => tensor.transposed(),
            false => tensor.clone(),
        };
        tensors.0.insert(torch, turned(tensor));
    }
    Ok(vec![
        File {
            ending: "py",
            bytes: text.into_bytes(),
        },
        File {
            ending: "safetensors",
            bytes: tensors.write(),
        },
    ])
}
