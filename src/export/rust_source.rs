//! burn source: the operators of `graph` as calls of burn 0.22's functions, in a module of its own.

mod calls;
mod functions;
mod windows;

use super::graph::Graph;
use super::tensors::Tensors;
use super::{ExportError, File};
use crate::architecture::Architecture;
use crate::layers::Shape;
use calls::Writer;
use std::collections::BTreeMap;

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
    let text = source(
        architecture,
        &tensors,
        (&forward, &writer.functions()),
        name,
    );
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
            // What these take besides the tensor is said in numbers.
            .filter(|operator| !matches!(operator.kind, "Resize" | "OneHot"))
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

/// The `use` lines of what a module names.
fn imports(text: &str) -> String {
    const TENSOR: [(&str, &str); 8] = [
        ("Bool", ", Bool>"),
        ("Device", "Device"),
        ("Int", "Int>"),
        ("Tensor", "Tensor<"),
        ("TensorData", "TensorData::"),
        ("activation", "activation::"),
        ("module", "module::"),
        ("s", "s!["),
    ];
    const MODULE: [(&str, &str); 2] = [("Module", "Module"), ("Param", "Param<")];
    const WEIGHTS: [(&str, &str); 1] = [("SafeTensors", "SafeTensors")];
    const OPTIONS: [(&str, &str); 5] = [
        ("AvgPoolOptions", "AvgPoolOptions::"),
        ("ConvOptions", "ConvOptions::"),
        ("ConvTransposeOptions", "ConvTransposeOptions::"),
        ("MaxPoolOptions", "MaxPoolOptions::"),
        ("PadMode", "PadMode::"),
    ];
    let line = |path: &str, names: &[(&str, &str)]| {
        let used = names.iter().filter(|(_, sign)| text.contains(sign));
        let names: Vec<&str> = used.map(|(name, _)| *name).collect();
        match names[..] {
            [] => String::new(),
            [name] => format!("use {path}::{name};\n"),
            _ => format!("use {path}::{{{}}};\n", names.join(", ")),
        }
    };
    [
        line("burn::module", &MODULE),
        line("burn::tensor::ops", &OPTIONS),
        line("burn::tensor", &TENSOR),
        line("safetensors", &WEIGHTS),
        "\n".to_owned(),
    ]
    .concat()
}

/// The module: `forward` is its pass, and what follows it are functions that it calls.
fn source(
    architecture: &Architecture,
    tensors: &Tensors,
    (forward, functions): (&str, &str),
    name: &str,
) -> String {
    let methods = methods(architecture, tensors, forward);
    let body = structure(architecture, tensors) + &methods + functions;
    let imports = imports(&body);
    format!(
        "//! `{name}`, a network found by strata, for burn 0.22 and safetensors 0.8.\n//!\n\
         //! The weights lie beside this file: `Network::init(include_bytes!(\"….safetensors\"), &device)`.\n\
         \n{imports}{body}"
    )
}

fn structure(architecture: &Architecture, tensors: &Tensors) -> String {
    let fields = tensors.0.iter().map(|(field, tensor)| {
        let rank = tensor.shape.len();
        format!("    {field}: Param<Tensor<{rank}>>,\n")
    });
    format!(
        "/// From batches of {} ({}) to {}.\n#[derive(Module, Debug)]\npub struct Network {{\n{}}}\n\n",
        architecture.input(),
        architecture.input().kind(),
        architecture.output(),
        fields.collect::<String>()
    )
}

fn methods(architecture: &Architecture, tensors: &Tensors, forward: &str) -> String {
    let input = match architecture.input() {
        Shape::Tokens { .. } => "Tensor<2, Int>".to_owned(),
        other => format!("Tensor<{}>", other.dimensions().len() + 1),
    };
    let reads = tensors.0.keys().map(|field| {
        let given = format!("read(&file, \"{field}\", device)");
        format!("            {field}: {given},\n")
    });
    let init = if tensors.0.is_empty() {
        "    /// The network, which has no weights.\n    \
         pub fn init(_weights: &[u8], _device: &Device) -> Self {\n        Self {}\n    }\n"
            .to_owned()
    } else {
        format!(
            "    /// The network with its weights.\n    ///\n    /// # Panics\n    \
             /// When `weights` is not the file beside this one.\n    \
             pub fn init(weights: &[u8], device: &Device) -> Self {{\n        \
             let file = SafeTensors::deserialize(weights).expect(\"a safetensors file\");\n        \
             Self {{\n{}        }}\n    }}\n",
            reads.collect::<String>()
        )
    };
    let read = if tensors.0.is_empty() { "" } else { READ };
    format!(
        "impl Network {{\n{init}\n    /// The outputs for a batch.\n    \
         pub fn forward(&self, x: {input}) -> Tensor<2> {{\n{forward}    }}\n}}\n{read}"
    )
}

const READ: &str = r#"
fn read<const D: usize>(file: &SafeTensors<'_>, name: &str, device: &Device) -> Param<Tensor<D>> {
    let view = file.tensor(name).expect("a tensor of this network");
    let number = |bytes: &[u8]| f32::from_le_bytes(bytes.try_into().expect("four bytes"));
    let values: Vec<f32> = view.data().chunks_exact(4).map(number).collect();
    Param::from_data(TensorData::new(values, view.shape().to_vec()), device)
}
"#;
