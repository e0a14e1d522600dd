//! Where a training run stands between two epochs, so that another can go on from there.

use super::optimizer::Memory;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};

/// Everything that the next epoch of a training run depends on, besides its job: weights, buffers, what
/// the optimiser remembers, and the counters. Streams are drawn anew each epoch, so none is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// Epochs trained so far.
    pub epochs: usize,
    /// Steps taken so far.
    pub(super) step: u64,
    /// The lowest validation loss so far.
    pub(super) best: f64,
    /// Epochs since then.
    pub(super) waited: usize,
    /// The network's own bytes.
    pub(super) network: Vec<u8>,
    /// What the optimiser remembers of each parameter.
    pub(super) memories: Vec<Memory>,
}

/// The name of the tensor of counters.
const COUNTERS: &str = "counters";
/// The name of the network's bytes.
const NETWORK: &str = "network";

impl Checkpoint {
    /// The checkpoint as a safetensors file. Equal checkpoints give equal bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let numbers = [
            self.epochs as u64,
            self.step,
            self.best.to_bits(),
            self.waited as u64,
            self.memories.len() as u64,
        ];
        let mut tensors = vec![
            (
                COUNTERS.to_owned(),
                Dtype::U64,
                little_endian(&numbers, u64::to_le_bytes),
            ),
            (NETWORK.to_owned(), Dtype::U8, self.network.clone()),
        ];
        for (index, memory) in self.memories.iter().enumerate() {
            let Memory {
                steps,
                first,
                second,
            } = memory;
            let floats = |values: &[f32]| little_endian(values, f32::to_le_bytes);
            tensors.push((
                named(index, "steps"),
                Dtype::U32,
                steps.to_le_bytes().to_vec(),
            ));
            tensors.push((named(index, "first"), Dtype::F32, floats(first)));
            tensors.push((named(index, "second"), Dtype::F32, floats(second)));
        }
        let views = tensors.iter().map(|(name, kind, bytes)| {
            let size = kind.bitsize() / 8;
            let view = TensorView::new(*kind, vec![bytes.len() / size], bytes);
            (name, view.expect("whole numbers of values"))
        });
        safetensors::serialize(views, None).expect("names are unique and the header is short")
    }

    /// The checkpoint in a file's bytes; nothing if they hold none.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let file = SafeTensors::deserialize(bytes).ok()?;
        let numbers = numbers(tensor(&file, COUNTERS, Dtype::U64)?, u64::from_le_bytes);
        let &[epochs, step, best, waited, parameters] = numbers.as_slice() else {
            return None;
        };
        if parameters.checked_mul(3)?.checked_add(2)? != file.len() as u64 {
            return None;
        }
        let memory = |index: usize| {
            let floats = |name| {
                let bytes = tensor(&file, &named(index, name), Dtype::F32)?;
                Some(self::numbers(bytes, f32::from_le_bytes))
            };
            let steps = tensor(&file, &named(index, "steps"), Dtype::U32)?;
            let steps = self::numbers(steps, u32::from_le_bytes);
            Some(Memory {
                steps: *steps.first()?,
                first: floats("first")?,
                second: floats("second")?,
            })
        };
        Some(Self {
            epochs: usize::try_from(epochs).ok()?,
            step,
            best: f64::from_bits(best),
            waited: usize::try_from(waited).ok()?,
            network: tensor(&file, NETWORK, Dtype::U8)?.to_vec(),
            memories: (0..usize::try_from(parameters).ok()?)
                .map(memory)
                .collect::<Option<_>>()?,
        })
    }
}

fn named(index: usize, what: &str) -> String {
    format!("optimizer.{index}.{what}")
}

fn little_endian<T: Copy, const N: usize>(values: &[T], bytes: fn(T) -> [u8; N]) -> Vec<u8> {
    values.iter().flat_map(|&value| bytes(value)).collect()
}

fn tensor<'f>(file: &SafeTensors<'f>, name: &str, kind: Dtype) -> Option<&'f [u8]> {
    let view = file.tensor(name).ok()?;
    (view.dtype() == kind).then(|| view.data())
}

fn numbers<T, const N: usize>(bytes: &[u8], number: impl Fn([u8; N]) -> T) -> Vec<T> {
    let whole = bytes.chunks_exact(N);
    whole
        .map(|chunk| number(chunk.try_into().expect("a chunk has its size")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkpoint() -> Checkpoint {
        let memory = |steps, first: Vec<f32>, second: Vec<f32>| Memory {
            steps,
            first,
            second,
        };
        Checkpoint {
            epochs: 3,
            step: 77,
            best: f64::INFINITY,
            waited: 1,
            network: vec![1, 2, 3],
            memories: vec![
                memory(77, vec![0.5, -1.25e-30], vec![1.0, 2.0]),
                memory(0, vec![], vec![]),
            ],
        }
    }

    #[test]
    fn a_checkpoint_survives_its_bytes() {
        let bytes = checkpoint().to_bytes();
        assert_eq!(Checkpoint::from_bytes(&bytes), Some(checkpoint()));
    }

    #[test]
    fn damaged_bytes_are_no_checkpoint() {
        let bytes = checkpoint().to_bytes();
        assert_eq!(Checkpoint::from_bytes(b"nonsense"), None);
        for length in 0..bytes.len() {
            assert_eq!(Checkpoint::from_bytes(&bytes[..length]), None);
        }
    }
}
