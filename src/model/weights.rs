//! Weights and buffers as safetensors bytes, exactly.

use super::Network;
use crate::layers::Parameter;
use burn::tensor::TensorData;
use safetensors::tensor::{Dtype, SafeTensorError, SafeTensors, TensorView};
use std::collections::BTreeSet;

/// Why bytes are not the weights of a network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WeightsError {
    /// Not a safetensors file.
    #[error("not readable as safetensors: {0}")]
    Format(String),
    /// A tensor that the network needs is not there.
    #[error("no tensor named `{0}`; the weights are of another architecture")]
    Missing(String),
    /// A tensor that the network does not have.
    #[error("the network has no tensor `{0}`; the weights are of another architecture")]
    Unexpected(String),
    /// A tensor of another shape or number type.
    #[error("`{name}` is {found}, not {wanted}")]
    Mismatch {
        /// Its name.
        name: String,
        /// What the network needs.
        wanted: String,
        /// What the bytes hold.
        found: String,
    },
}

impl From<SafeTensorError> for WeightsError {
    fn from(error: SafeTensorError) -> Self {
        Self::Format(error.to_string())
    }
}

impl Network {
    /// All parameters and buffers as a safetensors file: 32-bit floats under their full names, in
    /// strata's layout (a linear weight is `[in, out]`). Equal networks give equal bytes.
    pub fn save(&self) -> Vec<u8> {
        let tensors: Vec<(String, Vec<usize>, Vec<u8>)> = self
            .all_tensors()
            .map(|(name, data)| (name.to_owned(), data.shape().to_vec(), little_endian(&data)))
            .collect();
        let views = tensors.iter().map(|(name, shape, bytes)| {
            let view = TensorView::new(Dtype::F32, shape.clone(), bytes);
            (name, view.expect("four bytes a value"))
        });
        safetensors::serialize(views, None).expect("names are unique and the header is short")
    }

    /// Replaces all parameters and buffers by those of [`save`](Self::save).
    ///
    /// # Errors
    /// When the bytes are damaged or of another architecture; the network is unchanged then.
    pub fn load(&mut self, bytes: &[u8]) -> Result<(), WeightsError> {
        let file = SafeTensors::deserialize(bytes)?;
        let mut values = Vec::new();
        for (name, data) in self.all_tensors() {
            values.push(read(&file, name, data.shape())?);
        }
        if values.len() != file.len() {
            let mut names = file.names();
            names.sort_unstable();
            let known: Vec<&str> = self.parameter_names().chain(self.buffer_names()).collect();
            let stranger = names.into_iter().find(|name| !known.contains(name));
            return Err(WeightsError::Unexpected(
                stranger.unwrap_or_default().to_owned(),
            ));
        }
        let buffers = values.split_off(self.parameters().len());
        let device = self.device().clone();
        let parameters = values
            .into_iter()
            .map(|data| Parameter::from_data(data, &device));
        *self.parameters_mut() = parameters.collect();
        for (index, data) in buffers.into_iter().enumerate() {
            self.replace_buffer(index, data);
        }
        Ok(())
    }

    /// Takes over from bytes of [`save`](Self::save) what belongs to the layers at these addresses and
    /// has the same name and shape here. Returns how many tensors that were.
    ///
    /// # Errors
    /// When the bytes are damaged; the network is unchanged then.
    pub fn adopt(
        &mut self,
        addresses: &BTreeSet<&str>,
        bytes: &[u8],
    ) -> Result<usize, WeightsError> {
        let file = SafeTensors::deserialize(bytes)?;
        let wanted = |name: &str| {
            let address = name.rsplit_once('.').map(|(address, _)| address);
            address.is_some_and(|address| addresses.contains(address))
        };
        let mut adopted = 0;
        let mut take = |name: &str, data: &TensorData| {
            let found = wanted(name)
                .then(|| read(&file, name, data.shape()).ok())
                .flatten();
            adopted += usize::from(found.is_some());
            found
        };
        let tensors: Vec<Option<TensorData>> = self
            .all_tensors()
            .map(|(name, data)| take(name, &data))
            .collect();
        let (parameters, buffers) = tensors.split_at(self.parameters().len());
        let device = self.device().clone();
        for (place, data) in self.parameters_mut().iter_mut().zip(parameters) {
            if let Some(data) = data {
                *place = Parameter::from_data(data.clone(), &device);
            }
        }
        for (index, data) in buffers.iter().enumerate() {
            if let Some(data) = data {
                self.replace_buffer(index, data.clone());
            }
        }
        Ok(adopted)
    }

    fn all_tensors(&self) -> impl Iterator<Item = (&str, TensorData)> {
        let parameters = self.parameters().iter().map(Parameter::to_data);
        let buffers = self.buffers().iter().map(|buffer| buffer.to_data());
        self.parameter_names()
            .zip(parameters)
            .chain(self.buffer_names().zip(buffers))
    }
}

fn little_endian(data: &TensorData) -> Vec<u8> {
    let values = data.as_slice::<f32>().expect("weights are 32-bit floats");
    values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect()
}

fn read(file: &SafeTensors<'_>, name: &str, wanted: &[usize]) -> Result<TensorData, WeightsError> {
    let view = file
        .tensor(name)
        .map_err(|_| WeightsError::Missing(name.to_owned()))?;
    if view.dtype() != Dtype::F32 || view.shape() != wanted {
        return Err(WeightsError::Mismatch {
            name: name.to_owned(),
            wanted: format!("F32 of {wanted:?}"),
            found: format!("{:?} of {:?}", view.dtype(), view.shape()),
        });
    }
    let number = |bytes: &[u8]| f32::from_le_bytes(bytes.try_into().expect("four bytes"));
    Ok(TensorData::new(
        view.data().chunks_exact(4).map(number).collect(),
        wanted,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::architecture::{Architecture, Builder, Output};
    use crate::layers::{Layer, Shape, Value, find};
    use crate::random::{Purpose, Seed};
    use burn::tensor::Device;

    fn network(hidden: i64, seed: u64) -> Network {
        let architecture = architecture(hidden);
        let mut stream = Seed(seed).stream(0, Purpose::Init);
        Network::build(&architecture, &mut stream, &Device::flex())
    }

    fn architecture(hidden: i64) -> Architecture {
        let mut builder = Builder::new(Shape::Vector { features: 3 });
        let linear =
            |out| Layer::new(find("linear").unwrap(), &[("out", Value::Int(out))]).unwrap();
        let norm = Layer::plain(find("batch_norm").unwrap()).unwrap();
        let first = builder
            .push(linear(hidden), vec![Builder::INPUT], "net/0".to_owned())
            .unwrap();
        let norm = builder.push(norm, vec![first], "net/1".to_owned()).unwrap();
        let last = builder
            .push(linear(2), vec![norm], "net/2".to_owned())
            .unwrap();
        builder.finish(last, Output::Classes(2)).unwrap()
    }

    #[test]
    fn weights_survive_their_bytes_exactly() {
        let (saved, mut loaded) = (network(5, 1).save(), network(5, 2));
        assert_ne!(loaded.save(), saved);
        loaded.load(&saved).unwrap();
        assert_eq!(loaded.save(), saved);
    }

    #[test]
    fn tensors_of_named_layers_are_taken_over_where_they_fit() {
        let (parent, mut child) = (network(4, 1), network(5, 2));
        let fresh = child.save();
        let all = ["net/0", "net/1", "net/2"];
        // Only the last bias has the same shape in both.
        assert_eq!(child.adopt(&all.into(), &parent.save()), Ok(1));
        assert_ne!(child.save(), fresh);
        let mut twin = network(4, 2);
        assert_eq!(twin.adopt(&["net/1"].into(), &parent.save()), Ok(4));
        assert_eq!(twin.adopt(&all.into(), &parent.save()), Ok(8));
        assert_eq!(twin.save(), parent.save());
        assert!(twin.adopt(&all.into(), b"nonsense").is_err());
    }

    #[test]
    fn weights_of_another_architecture_are_refused_and_change_nothing() {
        let mut small = network(4, 1);
        let before = small.save();
        let error = small.load(&network(5, 1).save()).unwrap_err().to_string();
        assert_eq!(error, "`net/0.weight` is F32 of [3, 5], not F32 of [3, 4]");
        assert!(small.load(b"nonsense").is_err());
        assert_eq!(small.save(), before);
    }
}
