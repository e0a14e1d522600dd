//! burn source: the operators of `graph` as calls of burn 0.22's functions, in a module of its own.

mod calls;

use super::graph::Graph;
use super::tensors::Tensors;
use super::{ExportError, File};
use crate::architecture::Architecture;
use crate::layers::Shape;
use calls::Writer;
use std::collections::BTreeMap;
use std::fmt::Write;

/// A network as Rust source with a burn 0.22 module, for inference and further training, and its weights:
/// an `.rs` and a `.safetensors`. `weights` are those of [`Network::save`](crate::model::Network::save).
///
/// # Errors
/// When a layer has no counterpart, or the weights are of another network.
pub fn burn(
    architecture: &Architecture,
    weights: &[u8],
    name: &str,
) -> Result<Vec<File>, ExportError> {
    let graph = Graph::of(architecture, &Tensors::read(weights)?)?;
    let fields = fields(&graph);
    let writer = Writer::new(&graph, architecture, &fields);
    let forward = writer.forward()?;
    let mut tensors = Tensors::default();
    for (tensor, field) in &fields {
        let mut tensor = graph.floats[tensor].clone();
        if tensor.shape.is_empty() {
            tensor.shape = vec![1];
        }
        tensors.0.insert(field.clone(), tensor);
    }
    let text = source(architecture, &tensors, &forward, name);
    Ok(vec![
        File {
            ending: "rs",
            bytes: text.into_bytes(),
        },
        File {
            ending: "safetensors",
            bytes: tensors.write(),
        },
    ])
}

/// The tensors that a module holds, each with its field: weights by their layers, and constants. Single
/// numbers stand in the source.
fn fields(graph: &Graph) -> BTreeMap<String, String> {
    let held = graph
        .floats
        .iter()
        .filter(|(_, tensor)| !tensor.shape.is_empty());
    let used = |name: &str| {
        graph
            .operators
            .iter()
            .find(|operator| operator.inputs.iter().any(|input| input == name))
    };
    let mut fields = BTreeMap::new();
    for (name, _) in held {
        let Some(operator) = used(name) else { continue };
        let (number, kind, address) = &operator.layer;
        let own = name.strip_prefix(&format!("{address}."));
        let last = own.map_or_else(|| name.clone(), |own| own.replace('.', "_"));
        fields.insert(name.clone(), format!("{kind}{number}_{last}"));
    }
    fields
}

fn source(architecture: &Architecture, tensors: &Tensors, forward: &str, name: &str) -> String {
    let input = match architecture.input() {
        Shape::Tokens { .. } => "Tensor<2, Int>".to_owned(),
        other => format!("Tensor<{}>", other.dimensions().len() + 1),
    };
    let mut text = format!(
        "//! `{name}`, a network found by strata, for burn 0.22 and safetensors 0.8.\n//!\n\
         //! The weights lie beside this file: `Network::init(include_bytes!(\"….safetensors\"), &device)`.\n\
         #![allow(unused_imports)]\n\n\
         use burn::module::{{Module, Param}};\n\
         use burn::tensor::module;\n\
         use burn::tensor::ops::{{AvgPoolOptions, ConvOptions, ConvTransposeOptions, MaxPoolOptions}};\n\
         use burn::tensor::{{Device, Int, Tensor, TensorData, activation}};\n\
         use safetensors::SafeTensors;\n\n\
         /// From batches of {} ({}) to {}.\n\
         #[derive(Module, Debug)]\npub struct Network {{\n",
        architecture.input(),
        architecture.input().kind(),
        architecture.output()
    );
    for (field, tensor) in &tensors.0 {
        let _ = writeln!(text, "    {field}: Param<Tensor<{}>>,", tensor.shape.len());
    }
    text.push_str(
        "}\n\nimpl Network {\n    /// The network with its weights.\n    ///\n    /// # Panics\n    \
         /// When `weights` is not the file beside this one.\n    \
         pub fn init(weights: &[u8], device: &Device) -> Self {\n        \
         let file = SafeTensors::deserialize(weights).expect(\"a safetensors file\");\n        Self {\n",
    );
    for field in tensors.0.keys() {
        let _ = writeln!(
            text,
            "            {field}: read(&file, \"{field}\", device),"
        );
    }
    let _ = writeln!(
        text,
        "        }}\n    }}\n\n    /// The outputs for a batch.\n    pub fn forward(&self, x: {input}) -> Tensor<2> {{\n{forward}    }}\n}}\n"
    );
    text.push_str(
        "fn read<const D: usize>(file: &SafeTensors<'_>, name: &str, device: &Device) -> Param<Tensor<D>> {\n    \
         let view = file.tensor(name).expect(\"a tensor of this network\");\n    \
         let number = |bytes: &[u8]| f32::from_le_bytes(bytes.try_into().expect(\"four bytes\"));\n    \
         let values: Vec<f32> = view.data().chunks_exact(4).map(number).collect();\n    \
         Param::from_data(TensorData::new(values, view.shape().to_vec()), device)\n}\n",
    );
    text
}
