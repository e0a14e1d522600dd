//! Where a training run stands between two epochs, so that another can go on from there.

use super::objective::Scores;
use super::optimizer::Memory;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use std::collections::BTreeMap;

/// Everything that the next epoch of a training run depends on, besides its job: weights, buffers, what
/// the optimiser remembers, and the counters. Streams are drawn anew each epoch, so none is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// Epochs trained so far.
    pub epochs: usize,
    /// Steps taken so far.
    pub(super) step: u64,
    /// The best epoch so far.
    pub(super) best: Best,
    /// The network's own bytes after the last epoch.
    pub(super) network: Vec<u8>,
    /// What the optimiser remembers of each parameter.
    pub(super) memories: Vec<Memory>,
}

/// The best epoch so far.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Best {
    /// Its number, from 1.
    pub epoch: usize,
    /// The scores after it.
    pub scores: Scores,
    /// The network's bytes after it, unless they are elsewhere.
    pub network: Option<Vec<u8>>,
}

/// The name of the tensor of counters.
const COUNTERS: &str = "counters";
/// The names of the network's bytes after the last epoch, and after the best one if that is another.
const NETWORK: &str = "network";
const BEST_NETWORK: &str = "best_network";
/// What the names of further figures of the best epoch begin with.
const METRIC: &str = "metric.";

impl Checkpoint {
    /// The network's bytes after the best epoch.
    pub(super) fn best_network(&self) -> &[u8] {
        self.best.network.as_ref().unwrap_or(&self.network)
    }

    /// The checkpoint as a safetensors file. Equal checkpoints give equal bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let Best {
            epoch,
            scores,
            network: best_network,
        } = &self.best;
        let numbers = [
            self.epochs as u64,
            self.step,
            *epoch as u64,
            scores.score.to_bits(),
            scores.loss.to_bits(),
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
        if let Some(bytes) = best_network {
            tensors.push((BEST_NETWORK.to_owned(), Dtype::U8, bytes.clone()));
        }
        for (name, figure) in &scores.metrics {
            let name = format!("{METRIC}{name}");
            tensors.push((name, Dtype::F64, figure.to_le_bytes().to_vec()));
        }
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
        let &[epochs, step, best_epoch, score, loss, parameters] = numbers.as_slice() else {
            return None;
        };
        let metrics = metrics(&file)?;
        let best_network = match file.tensor(BEST_NETWORK) {
            Ok(_) => Some(tensor(&file, BEST_NETWORK, Dtype::U8)?.to_vec()),
            Err(_) => None,
        };
        let further = 2 + metrics.len() + usize::from(best_network.is_some());
        let wanted = parameters.checked_mul(3)?.checked_add(further as u64)?;
        // A best epoch that is not the last has a network of its own.
        let is_whole = best_network.is_some() == (best_epoch < epochs);
        if wanted != file.len() as u64 || !is_whole || best_epoch == 0 || best_epoch > epochs {
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
            best: Best {
                epoch: usize::try_from(best_epoch).ok()?,
                scores: Scores {
                    loss: f64::from_bits(loss),
                    score: f64::from_bits(score),
                    metrics,
                },
                network: best_network,
            },
            network: tensor(&file, NETWORK, Dtype::U8)?.to_vec(),
            memories: (0..usize::try_from(parameters).ok()?)
                .map(memory)
                .collect::<Option<_>>()?,
        })
    }
}

/// Further figures of the best epoch.
fn metrics(file: &SafeTensors<'_>) -> Option<BTreeMap<String, f64>> {
    let names = file.names().into_iter();
    let names = names.filter_map(|name| Some((name, name.strip_prefix(METRIC)?)));
    let figure = |(whole, name): (&str, &str)| {
        let values = numbers(tensor(file, whole, Dtype::F64)?, f64::from_le_bytes);
        Some((name.to_owned(), *values.first()?))
    };
    names.map(figure).collect()
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
            best: Best {
                epoch: 2,
                scores: Scores {
                    loss: f64::MIN_POSITIVE,
                    score: -0.1 - 0.2,
                    metrics: [("rmse".to_owned(), 0.1), ("r2".to_owned(), 1e-300)].into(),
                },
                network: Some(vec![4, 5]),
            },
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
        let mut last_is_best = checkpoint();
        (last_is_best.best.epoch, last_is_best.best.network) = (3, None);
        let bytes = last_is_best.to_bytes();
        assert_eq!(Checkpoint::from_bytes(&bytes), Some(last_is_best));
    }

    #[test]
    fn damaged_bytes_are_no_checkpoint() {
        let bytes = checkpoint().to_bytes();
        assert_eq!(Checkpoint::from_bytes(b"nonsense"), None);
        for length in 0..bytes.len() {
            assert_eq!(Checkpoint::from_bytes(&bytes[..length]), None);
        }
        let mut without_its_network = checkpoint();
        without_its_network.best.network = None;
        assert_eq!(
            Checkpoint::from_bytes(&without_its_network.to_bytes()),
            None
        );
    }
}
