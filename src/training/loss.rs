//! Cross-entropy, and scores on a part of the data.

use crate::data::Part;
use crate::layers::Mode;
use crate::model::Network;
use burn::tensor::activation::log_softmax;
use burn::tensor::{Tensor, TensorData};

/// How many examples are evaluated at a time. A constant, so that scores never depend on the recipe.
const EVALUATION_BATCH: usize = 256;

/// How well a network does on a part of the data.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scores {
    /// Mean cross-entropy in nats, without label smoothing.
    pub loss: f64,
    /// Share of examples whose largest logit is their class; the first of equal ones counts.
    pub accuracy: f64,
}

/// Mean softmax cross-entropy of `[batch, classes]` logits. With smoothing `s` the target is
/// `1 - s` on the class plus `s / classes` everywhere, as in `torch.nn.CrossEntropyLoss`.
///
/// # Panics
/// When a label is not below the number of classes.
pub fn cross_entropy(logits: Tensor<2>, labels: &[u32], smoothing: f64) -> Tensor<1> {
    let [batch, classes] = logits.dims();
    // The mean and the sign are part of the targets, which saves two passes in each direction.
    let scale = -1.0 / batch as f64;
    let spread = (scale * smoothing / classes as f64) as f32;
    let peak = (scale * (1.0 - smoothing + smoothing / classes as f64)) as f32;
    let mut targets = vec![spread; batch * classes];
    for (row, &label) in targets.chunks_exact_mut(classes).zip(labels) {
        row[label as usize] = peak;
    }
    let targets = Tensor::from_data(TensorData::new(targets, [batch, classes]), &logits.device());
    (log_softmax(logits, 1) * targets).sum()
}

/// Loss and accuracy of a network on a part, at inference, summed in 64 bits in the part's order.
///
/// # Panics
/// When the part does not have the network's input shape.
pub fn evaluate(network: &Network, part: &Part) -> Scores {
    evaluate_while(network, part, || Ok::<(), ()>(())).expect("nothing interrupts it")
}

/// As [`evaluate`], asking before each batch whether to go on.
pub(super) fn evaluate_while<E>(
    network: &Network,
    part: &Part,
    mut go_on: impl FnMut() -> Result<(), E>,
) -> Result<Scores, E> {
    let mut network = network.without_gradients();
    let size = part.shape.elements();
    let (mut loss, mut correct) = (0.0, 0usize);
    for (index, labels) in part.labels.chunks(EVALUATION_BATCH).enumerate() {
        go_on()?;
        let start = index * EVALUATION_BATCH;
        let inputs = part.inputs[start * size..(start + labels.len()) * size].to_vec();
        let output = network
            .forward(network.batch(inputs), Mode::Inference)
            .vector()
            .into_data();
        let logits = output.as_slice::<f32>().expect("logits are 32-bit floats");
        for (row, &label) in logits.chunks_exact(logits.len() / labels.len()).zip(labels) {
            loss += row_loss(row, label as usize);
            correct += usize::from(largest(row) == label as usize);
        }
    }
    let count = part.len().max(1) as f64;
    Ok(Scores {
        loss: loss / count,
        accuracy: correct as f64 / count,
    })
}

fn row_loss(logits: &[f32], label: usize) -> f64 {
    let top = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = logits
        .iter()
        .map(|&logit| libm::exp(f64::from(logit) - f64::from(top)))
        .sum();
    libm::log(sum) + f64::from(top) - f64::from(logits[label])
}

fn largest(logits: &[f32]) -> usize {
    let mut best = 0;
    for (index, &logit) in logits.iter().enumerate() {
        if logit > logits[best] {
            best = index;
        }
    }
    best
}
