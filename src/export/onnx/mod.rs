//! ONNX files.

mod messages;

use super::graph::{Attribute, Graph, Operator};
use super::tensors::{Tensor, Tensors};
use super::{ExportError, File};
use crate::architecture::Architecture;
use crate::layers::Shape;
use messages::{
    AttributeProto, DimensionProto, GraphProto, ModelProto, NodeProto, OperatorSetProto,
    StringStringEntryProto, TensorProto, TensorTypeProto, TypeProto, ValueInfoProto, tensor_shape,
};
use prost::Message;

/// The version of the operators.
const OPSET: i64 = 20;

/// The version of the file format that came with it.
const IR_VERSION: i64 = 9;

const FLOAT: i32 = 1;
const INT64: i32 = 7;

/// A network as one ONNX file with its weights, for inference; the batch may have any size. `weights` are
/// those of [`Network::save`](crate::model::Network::save).
///
/// # Errors
/// When a layer can't be said in ONNX's operators, or the weights are of another network.
pub fn onnx(
    architecture: &Architecture,
    weights: &[u8],
    name: &str,
) -> Result<Vec<File>, ExportError> {
    let graph = Graph::of(architecture, &Tensors::read(weights)?)?;
    let model = ModelProto {
        ir_version: Some(IR_VERSION),
        producer_name: Some("strata".to_owned()),
        producer_version: Some(env!("CARGO_PKG_VERSION").to_owned()),
        graph: Some(graph_proto(architecture, &graph, name)),
        opset_import: vec![OperatorSetProto {
            domain: Some(String::new()),
            version: Some(OPSET),
        }],
        metadata_props: Vec::new(),
    };
    Ok(vec![File {
        ending: "onnx",
        bytes: model.encode_to_vec(),
    }])
}

/// An ONNX file of ours with more metadata.
pub(super) fn with_metadata(bytes: &[u8], metadata: &[(&str, String)]) -> Vec<u8> {
    let mut model = ModelProto::decode(bytes).expect("the file is our own");
    let entries = metadata.iter().map(|(key, value)| StringStringEntryProto {
        key: Some((*key).to_owned()),
        value: Some(value.clone()),
    });
    model.metadata_props.extend(entries);
    model.encode_to_vec()
}

/// What stands in an ONNX file, in short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnnxSummary {
    /// The operators in order.
    pub operators: Vec<String>,
    /// The names of the tensors that it carries.
    pub tensors: Vec<String>,
    /// How many numbers these hold.
    pub values: usize,
    /// Further facts by their names.
    pub metadata: Vec<(String, String)>,
}

/// Reads an ONNX file; nothing where it is none.
pub fn onnx_summary(bytes: &[u8]) -> Option<OnnxSummary> {
    let model = ModelProto::decode(bytes).ok()?;
    let entries = model.metadata_props.into_iter();
    let metadata = entries.filter_map(|entry| Some((entry.key?, entry.value?)));
    let metadata = metadata.collect();
    let graph = model.graph?;
    let count = |tensor: &TensorProto| tensor.dims.iter().product::<i64>() as usize;
    Some(OnnxSummary {
        operators: graph
            .node
            .iter()
            .filter_map(|node| node.op_type.clone())
            .collect(),
        values: graph.initializer.iter().map(count).sum(),
        tensors: graph
            .initializer
            .into_iter()
            .filter_map(|tensor| tensor.name)
            .collect(),
        metadata,
    })
}

fn graph_proto(architecture: &Architecture, graph: &Graph, name: &str) -> GraphProto {
    let mut node: Vec<NodeProto> = graph.operators.iter().enumerate().map(node_proto).collect();
    // The output has a name of its own, which no weight can have taken.
    node.push(NodeProto {
        input: vec![graph.output.clone()],
        output: vec!["output".to_owned()],
        name: Some("output".to_owned()),
        op_type: Some("Identity".to_owned()),
        attribute: Vec::new(),
    });
    let floats = graph
        .floats
        .iter()
        .map(|(name, tensor)| float_proto(name, tensor));
    let wholes = graph
        .wholes
        .iter()
        .map(|(name, values)| whole_proto(name, values));
    let kind = match architecture.input() {
        Shape::Tokens { .. } => INT64,
        _ => FLOAT,
    };
    let input = architecture.input().dimensions();
    let output = architecture.output().shape().dimensions();
    GraphProto {
        node,
        name: Some(name.to_owned()),
        initializer: floats.chain(wholes).collect(),
        input: vec![value_proto(Graph::INPUT, kind, &input)],
        output: vec![value_proto("output", FLOAT, &output)],
    }
}

fn node_proto((number, operator): (usize, &Operator)) -> NodeProto {
    let attributes = operator.attributes.iter();
    NodeProto {
        input: operator.inputs.clone(),
        output: operator.outputs.clone(),
        name: Some(format!("{}/{number}", operator.layer.2)),
        op_type: Some(operator.kind.to_owned()),
        attribute: attributes
            .map(|(name, value)| attribute_proto(name, value))
            .collect(),
    }
}

fn attribute_proto(name: &str, value: &Attribute) -> AttributeProto {
    let mut proto = AttributeProto {
        name: Some(name.to_owned()),
        ..AttributeProto::default()
    };
    proto.r#type = Some(match value {
        Attribute::Number(number) => {
            proto.f = Some(*number);
            1
        }
        Attribute::Whole(number) => {
            proto.i = Some(*number);
            2
        }
        Attribute::Word(word) => {
            proto.s = Some(word.as_bytes().to_vec());
            3
        }
        Attribute::Wholes(numbers) => {
            proto.ints.clone_from(numbers);
            7
        }
        Attribute::Words(words) => {
            proto.strings = words.iter().map(|word| word.as_bytes().to_vec()).collect();
            8
        }
    });
    proto
}

fn float_proto(name: &str, tensor: &Tensor) -> TensorProto {
    TensorProto {
        dims: tensor.shape.iter().map(|&size| size as i64).collect(),
        data_type: Some(FLOAT),
        name: Some(name.to_owned()),
        raw_data: Some(tensor.bytes()),
    }
}

fn whole_proto(name: &str, values: &[i64]) -> TensorProto {
    TensorProto {
        dims: vec![values.len() as i64],
        data_type: Some(INT64),
        name: Some(name.to_owned()),
        raw_data: Some(
            values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect(),
        ),
    }
}

fn value_proto(name: &str, kind: i32, sizes: &[usize]) -> ValueInfoProto {
    let batch = DimensionProto {
        value: Some(tensor_shape::Value::Param("batch".to_owned())),
    };
    let size = |&size: &usize| DimensionProto {
        value: Some(tensor_shape::Value::Size(size as i64)),
    };
    ValueInfoProto {
        name: Some(name.to_owned()),
        r#type: Some(TypeProto {
            tensor_type: Some(TensorTypeProto {
                elem_type: Some(kind),
                shape: Some(messages::TensorShapeProto {
                    dim: std::iter::once(batch)
                        .chain(sizes.iter().map(size))
                        .collect(),
                }),
            }),
        }),
    }
}
