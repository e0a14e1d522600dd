//! Operations one after the other that are one layer together.

use super::operation::{Flow, Keeps, Operation, Pass};
use crate::random::Stream;

/// Operations without buffers of their own, each on the output of the one before.
#[derive(Debug)]
pub struct Chain {
    links: Vec<Link>,
}

#[derive(Debug)]
struct Link {
    operation: Box<dyn Operation>,
    /// How many of the parameters are its own.
    parameters: usize,
    /// Values of an example that it gives.
    size: usize,
    values: Vec<f32>,
    gradient: Vec<f32>,
}

impl Chain {
    /// Operations with the number of their parameters and of values that they give for an example.
    pub fn new(links: Vec<(Box<dyn Operation>, usize, usize)>) -> Self {
        let link = |(operation, parameters, size)| Link {
            operation,
            parameters,
            size,
            values: Vec::new(),
            gradient: Vec::new(),
        };
        Self {
            links: links.into_iter().map(link).collect(),
        }
    }
}

impl Operation for Chain {
    fn forward(
        &mut self,
        pass: Pass<'_>,
        _: &mut [Vec<f32>],
        mut noise: Option<&mut Stream>,
        output: &mut [f32],
    ) {
        let (mut input, mut first) = (pass.inputs[0], 0);
        let last = self.links.len() - 1;
        for (index, link) in self.links.iter_mut().enumerate() {
            let pass = Pass {
                batch: pass.batch,
                inputs: &[input],
                parameters: &pass.parameters[first..first + link.parameters],
            };
            first += link.parameters;
            if index == last {
                link.operation
                    .forward(pass, &mut [], noise.as_deref_mut(), output);
                return;
            }
            link.values.resize(pass.batch * link.size, 0.0);
            link.operation
                .forward(pass, &mut [], noise.as_deref_mut(), &mut link.values);
            input = &link.values;
        }
    }

    fn backward(
        &mut self,
        pass: Pass<'_>,
        output: &[f32],
        gradient: &mut [f32],
        inputs: &mut [Option<&mut [f32]>],
        parameters: &mut [Vec<f32>],
    ) {
        let mut end = parameters.len();
        for index in (0..self.links.len()).rev() {
            let (before, rest) = self.links.split_at_mut(index);
            let (link, after) = rest.split_first_mut().expect("the index is of a link");
            let first = end - link.parameters;
            let input = before
                .last()
                .map_or(pass.inputs[0], |link| &link.values[..]);
            let pass = Pass {
                batch: pass.batch,
                inputs: &[input],
                parameters: &pass.parameters[first..end],
            };
            let own = &mut parameters[first..end];
            end = first;
            // Each link keeps the gradient of its input.
            let mut room = std::mem::take(&mut link.gradient);
            let target = if index == 0 {
                inputs[0].as_deref_mut()
            } else {
                room.resize(input.len(), 0.0);
                Some(&mut room[..])
            };
            let (output, gradient) = match after.first_mut() {
                Some(next) => (&link.values[..], &mut next.gradient[..]),
                None => (output, &mut *gradient),
            };
            let in_place = link.operation.flow() == Flow::InPlace;
            match target {
                Some(target) if in_place => {
                    target.copy_from_slice(gradient);
                    link.operation.backward(pass, output, target, &mut [], own);
                }
                target => link
                    .operation
                    .backward(pass, output, gradient, &mut [target], own),
            }
            link.gradient = room;
        }
    }

    fn keeps(&self) -> Keeps {
        let last = self.links.last().map(|link| link.operation.keeps());
        match last.is_some_and(Keeps::output) {
            true => Keeps::Both,
            false => Keeps::Inputs,
        }
    }

    fn absorb(&mut self, function: super::Pointwise) -> bool {
        self.links
            .last_mut()
            .is_some_and(|link| link.operation.absorb(function))
    }

    fn preserves_zeros(&self) -> bool {
        let mut links = self.links.iter();
        links.all(|link| link.operation.preserves_zeros())
    }
}
