//! Tensors by name, in and out of safetensors bytes, and in other libraries' layouts.

use super::ExportError;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use std::collections::BTreeMap;

/// Numbers in rows.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tensor {
    pub shape: Vec<usize>,
    pub values: Vec<f32>,
}

impl Tensor {
    /// Rows as columns.
    pub fn transposed(&self) -> Self {
        let [rows, columns] = self.shape[..] else {
            return self.clone();
        };
        let value = |index: usize| self.values[index % rows * columns + index / rows];
        Self {
            shape: vec![columns, rows],
            values: (0..self.values.len()).map(value).collect(),
        }
    }

    /// The same numbers in another shape.
    pub fn reshaped(&self, shape: Vec<usize>) -> Self {
        Self {
            shape,
            values: self.values.clone(),
        }
    }

    /// Little-endian bytes.
    pub fn bytes(&self) -> Vec<u8> {
        self.values.iter().flat_map(|v| v.to_le_bytes()).collect()
    }
}

/// Tensors by their names.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Tensors(pub BTreeMap<String, Tensor>);

impl Tensors {
    /// Reads a safetensors file of 32-bit floats.
    pub fn read(bytes: &[u8]) -> Result<Self, ExportError> {
        let wrong = |what: String| ExportError::Weights(what);
        let file = SafeTensors::deserialize(bytes).map_err(|error| wrong(error.to_string()))?;
        let mut tensors = BTreeMap::new();
        for (name, view) in file.tensors() {
            if view.dtype() != Dtype::F32 {
                return Err(wrong(format!("`{name}` does not hold 32-bit floats")));
            }
            let number = |bytes: &[u8]| f32::from_le_bytes(bytes.try_into().expect("four bytes"));
            let values = view.data().chunks_exact(4).map(number).collect();
            let shape = view.shape().to_vec();
            tensors.insert(name, Tensor { shape, values });
        }
        Ok(Self(tensors))
    }

    /// The tensor that a layer at `address` calls `name`.
    pub fn of(&self, address: &str, name: &str) -> Result<&Tensor, ExportError> {
        let full = format!("{address}.{name}");
        let missing = || ExportError::Weights(format!("there is no tensor `{full}`"));
        self.0.get(&full).ok_or_else(missing)
    }

    /// A safetensors file.
    pub fn write(&self) -> Vec<u8> {
        let bytes: Vec<_> = self.0.values().map(Tensor::bytes).collect();
        let views = self.0.iter().zip(&bytes).map(|((name, tensor), bytes)| {
            let view = TensorView::new(Dtype::F32, tensor.shape.clone(), bytes);
            (name, view.expect("four bytes a value"))
        });
        safetensors::serialize(views, None).expect("names are unique and the header is short")
    }
}
