//! The examples that a proxy looks at.

use crate::architecture::Output;
use crate::data::{Part, Targets};
use crate::layers::Shape;
use crate::random::{Purpose, Seed, Stream};

/// One minibatch: inputs and what is to be said of each.
#[derive(Clone, Debug, PartialEq)]
pub struct Minibatch(Part);

impl Minibatch {
    /// `size` examples drawn from a part without replacement, or all of them if it has fewer. A
    /// function of the seed alone, so that all candidates see the same.
    ///
    /// # Panics
    /// When `size` is 0 or the part empty.
    pub fn drawn(part: &Part, size: usize, seed: Seed) -> Self {
        assert!(size > 0 && !part.is_empty(), "a minibatch has examples");
        let mut order: Vec<usize> = (0..part.len()).collect();
        stream(seed).shuffle(&mut order);
        order.truncate(size);
        let inputs = order.iter().flat_map(|&index| part.example(index));
        Self(Part {
            shape: part.shape,
            inputs: inputs.copied().collect(),
            targets: part.targets.select(&order),
            groups: None,
        })
    }

    /// `size` examples of noise: standard normal numbers or random tokens, with random targets.
    ///
    /// # Panics
    /// When `size` is 0.
    pub fn noise(shape: Shape, output: Output, size: usize, seed: Seed) -> Self {
        assert!(size > 0, "a minibatch has examples");
        let mut stream = stream(seed);
        let count = size * shape.elements();
        let input = |stream: &mut Stream| match shape {
            Shape::Tokens { vocabulary, .. } => stream.index(vocabulary) as f32,
            _ => stream.normal() as f32,
        };
        let inputs = (0..count).map(|_| input(&mut stream)).collect();
        let targets = random_targets(output, size, &mut stream);
        Self(Part {
            shape,
            inputs,
            targets,
            groups: None,
        })
    }

    /// These examples.
    #[cfg(test)]
    pub(super) fn of(part: Part) -> Self {
        Self(part)
    }

    /// The examples.
    pub fn part(&self) -> &Part {
        &self.0
    }
}

fn stream(seed: Seed) -> Stream {
    seed.derive("minibatch", 0).stream(0, Purpose::Tool)
}

fn random_targets(output: Output, size: usize, stream: &mut Stream) -> Targets {
    match output {
        Output::Classes(classes) => {
            let labels = (0..size).map(|_| stream.index(classes) as u32);
            Targets::classes(labels.collect(), classes)
        }
        Output::Binary => Targets::classes((0..size).map(|_| stream.index(2) as u32).collect(), 2),
        Output::Labels(labels) => Targets::Labels {
            flags: (0..size * labels).map(|_| stream.index(2) == 1).collect(),
            labels,
        },
        Output::Regression(outputs) => {
            let values = (0..size * outputs).map(|_| stream.normal() as f32);
            Targets::numbers(values.collect(), outputs)
        }
    }
}
