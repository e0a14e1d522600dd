//! A network as a list of operations over memory that is kept from step to step: how it is trained.
//!
//! Layers with kernels of their own run them, the others run on burn. Values lie with their channels last. On a device
//! that is not the processor, the whole network is one operation, burn's; weights and what they learn stay here.

use super::foreign::Foreign;
use super::plan::Step;
use super::{ComputeDevice, Network};
use crate::kernels::{Flow, Operation, Pass, add_to, transpose};
use crate::layers::{Mode, Shape};
use std::ops::Range;

/// A network that computes outputs and gradients.
#[derive(Debug)]
pub struct Program {
    input: Shape,
    steps: Vec<Stage>,
    slots: Vec<Slot>,
    /// Where the network's output is.
    output: usize,
    parameters: Vec<Vec<f32>>,
    gradients: Vec<Vec<f32>>,
    /// Which parameters the last backward pass reached.
    reached: Vec<bool>,
    buffers: Vec<Vec<f32>>,
    spare: Vec<Vec<f32>>,
    batch: usize,
}

/// One operation: what it reads, where it writes, and what is its own.
#[derive(Debug)]
struct Stage {
    operation: Box<dyn Operation>,
    inputs: Vec<usize>,
    output: usize,
    parameters: Range<usize>,
    buffers: Range<usize>,
}

/// Values of a batch, written by one operation.
#[derive(Debug, Default)]
struct Slot {
    /// Values of an example.
    size: usize,
    values: Vec<f32>,
    gradient: Option<Vec<f32>>,
    /// Whether something below learns from its gradient.
    learns: bool,
}

impl Program {
    /// The program of a network, with its weights and buffers, for the processor.
    pub fn of(network: &Network) -> Self {
        Self::on(network, ComputeDevice::Flex)
    }

    /// The program of a network, with its weights and buffers.
    ///
    /// # Panics
    /// When strata was built without the device.
    pub fn on(network: &Network, device: ComputeDevice) -> Self {
        let mut program = Self::empty(network);
        match device {
            ComputeDevice::Flex => program.plan(network),
            other => program.plan_whole(network, other.on_burn()),
        }
        program
    }

    /// Weights and memory, and nothing to do.
    fn empty(network: &Network) -> Self {
        let values = |tensor: burn::tensor::TensorData| {
            tensor
                .try_into_vec::<f32>()
                .expect("networks compute in 32-bit floats")
        };
        let parameters: Vec<Vec<f32>> = network
            .parameters()
            .iter()
            .map(|p| values(p.to_data()))
            .collect();
        Self {
            input: network.input(),
            steps: Vec::new(),
            slots: vec![Slot {
                size: network.input().elements(),
                ..Slot::default()
            }],
            output: 0,
            gradients: parameters.iter().map(|p| vec![0.0; p.len()]).collect(),
            reached: vec![false; parameters.len()],
            parameters,
            buffers: network
                .buffers()
                .iter()
                .map(|b| values(b.to_data()))
                .collect(),
            spare: Vec::new(),
            batch: 0,
        }
    }

    /// Puts weights and buffers back into the network that this is the program of.
    pub fn store(&self, network: &mut Network) {
        let parameters = std::mem::take(network.parameters_mut());
        let pairs = parameters.into_iter().zip(&self.parameters);
        let updated =
            pairs.map(|(parameter, values)| parameter.update(|to| to.copy_from_slice(values)));
        *network.parameters_mut() = updated.collect();
        for (index, values) in self.buffers.iter().enumerate() {
            let length = values.len();
            network.replace_buffer(
                index,
                burn::tensor::TensorData::new(values.clone(), [length]),
            );
        }
    }

    /// Values of one output.
    pub fn output_size(&self) -> usize {
        self.slots[self.output].size
    }

    /// Whether the output depends on a weight.
    pub fn learns(&self) -> bool {
        self.slots[self.output].learns
    }

    /// The outputs for row-major examples, one after the other. Training updates buffers.
    ///
    /// # Panics
    /// When the values are not a whole number of examples.
    pub fn forward(&mut self, inputs: &[f32], mut mode: Mode<'_>) -> &[f32] {
        let size = self.input.elements().max(1);
        assert!(inputs.len().is_multiple_of(size), "whole examples");
        self.batch = inputs.len() / size;
        self.read(inputs);
        for stage in &mut self.steps {
            let slot = &mut self.slots[stage.output];
            let mut output = std::mem::take(&mut slot.values);
            output.resize(self.batch * slot.size, 0.0);
            let inputs: Vec<&[f32]> = stage
                .inputs
                .iter()
                .map(|&input| &self.slots[input].values[..])
                .collect();
            let pass = Pass {
                batch: self.batch,
                inputs: &inputs,
                parameters: &self.parameters[stage.parameters.clone()],
            };
            let noise = match &mut mode {
                Mode::Training(stream) => Some(&mut **stream),
                Mode::Inference => None,
            };
            stage.operation.forward(
                pass,
                &mut self.buffers[stage.buffers.clone()],
                noise,
                &mut output,
            );
            self.slots[stage.output].values = output;
        }
        &self.slots[self.output].values
    }

    /// From the gradient of the last forward pass's outputs to those of all parameters.
    ///
    /// # Panics
    /// When there is not one value for each output's.
    pub fn backward(&mut self, gradient: &[f32]) {
        assert_eq!(
            gradient.len(),
            self.slots[self.output].values.len(),
            "a gradient for each output"
        );
        self.reached.fill(false);
        if !self.learns() {
            return;
        }
        let mut first = self.take_spare(gradient.len());
        first.copy_from_slice(gradient);
        self.slots[self.output].gradient = Some(first);
        for index in (0..self.steps.len()).rev() {
            let output = self.steps[index].output;
            if let Some(gradient) = self.slots[output].gradient.take() {
                self.step_back(index, gradient);
            }
        }
    }

    /// Parameters in the network's order, each with its gradient if the loss depends on it.
    pub fn parameters_mut(&mut self) -> impl Iterator<Item = (&mut [f32], Option<&mut [f32]>)> {
        let gradients = self.gradients.iter_mut().zip(&self.reached);
        let gradients = gradients.map(|(gradient, &reached)| reached.then_some(&mut gradient[..]));
        self.parameters
            .iter_mut()
            .map(|values| &mut values[..])
            .zip(gradients)
    }

    /// Turns examples so that channels come last.
    fn read(&mut self, inputs: &[f32]) {
        let values = &mut self.slots[0].values;
        values.resize(inputs.len(), 0.0);
        turn(self.input, inputs, values);
    }

    fn step_back(&mut self, index: usize, mut gradient: Vec<f32>) {
        let stage = &self.steps[index];
        let learning = stage
            .inputs
            .iter()
            .map(|&input| self.slots[input].learns)
            .collect::<Vec<_>>();
        match stage.operation.flow() {
            Flow::Constant => self.spare.push(gradient),
            Flow::Sums => self.pass_on(index, &learning, gradient),
            Flow::Computes | Flow::Same => {
                let sizes: Vec<usize> = stage
                    .inputs
                    .iter()
                    .map(|&input| self.slots[input].values.len())
                    .collect();
                let mut targets: Vec<Option<Vec<f32>>> = Vec::with_capacity(sizes.len());
                for (size, learns) in sizes.into_iter().zip(learning) {
                    targets.push(learns.then(|| self.take_spare(size)));
                }
                let stage = &mut self.steps[index];
                let inputs: Vec<&[f32]> = stage
                    .inputs
                    .iter()
                    .map(|&input| &self.slots[input].values[..])
                    .collect();
                let pass = Pass {
                    batch: self.batch,
                    inputs: &inputs,
                    parameters: &self.parameters[stage.parameters.clone()],
                };
                let mut wanted: Vec<Option<&mut [f32]>> = targets
                    .iter_mut()
                    .map(|target| target.as_deref_mut())
                    .collect();
                let parameters = &mut self.gradients[stage.parameters.clone()];
                let output = &self.slots[stage.output].values;
                stage
                    .operation
                    .backward(pass, output, &mut gradient, &mut wanted, parameters);
                self.reached[stage.parameters.clone()].fill(true);
                self.spare.push(gradient);
                for (place, target) in targets.into_iter().enumerate() {
                    if let Some(target) = target {
                        self.give(self.steps[index].inputs[place], target);
                    }
                }
            }
        }
    }

    /// Gives the gradient itself to every input that learns from it.
    fn pass_on(&mut self, index: usize, learning: &[bool], gradient: Vec<f32>) {
        let inputs = self.steps[index].inputs.clone();
        let mut learners = inputs
            .into_iter()
            .zip(learning)
            .filter(|(_, learns)| **learns);
        let Some((last, _)) = learners.next_back() else {
            self.spare.push(gradient);
            return;
        };
        for (input, _) in learners {
            if let Some(sum) = &mut self.slots[input].gradient {
                add_to(sum, &gradient);
            } else {
                let mut copy = self.take_spare(gradient.len());
                copy.copy_from_slice(&gradient);
                self.slots[input].gradient = Some(copy);
            }
        }
        self.give(last, gradient);
    }

    /// Adds to the gradient of a slot.
    fn give(&mut self, slot: usize, gradient: Vec<f32>) {
        match &mut self.slots[slot].gradient {
            Some(sum) => {
                add_to(sum, &gradient);
                self.spare.push(gradient);
            }
            empty => *empty = Some(gradient),
        }
    }

    /// Memory for this many values, with anything in it.
    fn take_spare(&mut self, length: usize) -> Vec<f32> {
        let fitting = self
            .spare
            .iter()
            .enumerate()
            .filter(|(_, spare)| spare.capacity() >= length);
        let smallest = fitting
            .min_by_key(|(_, spare)| spare.capacity())
            .map(|(index, _)| index);
        let mut spare = smallest.map_or_else(Vec::new, |index| self.spare.swap_remove(index));
        spare.resize(length, 0.0);
        spare
    }

    /// The network as one operation of burn's.
    fn plan_whole(&mut self, network: &Network, device: burn::tensor::Device) {
        let Some(last) = network.steps().last() else {
            return;
        };
        self.slots.push(Slot {
            size: last.shape.elements(),
            learns: !self.parameters.is_empty(),
            ..Slot::default()
        });
        self.output = 1;
        self.steps.push(Stage {
            operation: Box::new(Foreign::network(network, device)),
            inputs: vec![0],
            output: 1,
            parameters: 0..self.parameters.len(),
            buffers: 0..self.buffers.len(),
        });
    }

    fn plan(&mut self, network: &Network) {
        let steps = network.steps();
        // How often each node is read; the output is read by whoever asked.
        let mut readers = vec![0; steps.len() + 1];
        steps
            .iter()
            .flat_map(|step| &step.inputs)
            .for_each(|source| readers[source.node] += 1);
        readers[steps.len()] += 1;
        let mut slots = vec![0];
        let mut alone = vec![readers[0] == 1];
        for (node, step) in steps.iter().enumerate() {
            let inputs: Vec<usize> = step
                .inputs
                .iter()
                .map(|source| slots[source.node])
                .collect();
            let alone_before = step.inputs.first().is_some_and(|source| alone[source.node]);
            let operation = step.layer.operation(&step.shapes);
            let operation = operation.unwrap_or_else(|| Box::new(Foreign::layer(step)));
            let same = operation.flow() == Flow::Same;
            let slot = match inputs.first() {
                Some(&input) if same || (alone_before && self.absorbs(input, &*operation)) => input,
                _ => self.add_stage(operation, step, inputs),
            };
            slots.push(slot);
            let only_reader = readers[node + 1] == 1;
            alone.push(only_reader && (!same || alone_before));
        }
        self.output = slots[steps.len()];
    }

    /// Whether the operation that writes a slot applies this one too from now on.
    fn absorbs(&mut self, slot: usize, operation: &dyn Operation) -> bool {
        let function = operation.pointwise();
        let writer = self.steps.iter_mut().find(|stage| stage.output == slot);
        match (function, writer) {
            (Some(function), Some(writer)) => writer.operation.absorb(function),
            _ => false,
        }
    }

    fn add_stage(
        &mut self,
        operation: Box<dyn Operation>,
        step: &Step,
        inputs: Vec<usize>,
    ) -> usize {
        let reads = inputs.iter().any(|&input| self.slots[input].learns);
        let learns = operation.flow() != Flow::Constant && (reads || !step.parameters.is_empty());
        self.slots.push(Slot {
            size: step.shape.elements(),
            learns,
            ..Slot::default()
        });
        let output = self.slots.len() - 1;
        self.steps.push(Stage {
            operation,
            inputs,
            output,
            parameters: step.parameters.clone(),
            buffers: step.buffers.clone(),
        });
        output
    }
}

/// Examples as layers lay them out, turned so that channels come last.
pub(super) fn turn(shape: Shape, from: &[f32], to: &mut [f32]) {
    match shape {
        Shape::Image { channels, .. }
        | Shape::Signal { channels, .. }
        | Shape::Volume { channels, .. }
            if channels > 1 && shape.positions() > 1 =>
        {
            transpose(from, to, channels, shape.positions());
        }
        _ => to.copy_from_slice(from),
    }
}

/// The way back.
pub(super) fn turn_back(shape: Shape, from: &[f32], to: &mut [f32]) {
    match shape {
        Shape::Image { channels, .. }
        | Shape::Signal { channels, .. }
        | Shape::Volume { channels, .. }
            if channels > 1 && shape.positions() > 1 =>
        {
            transpose(from, to, shape.positions(), channels);
        }
        _ => to.copy_from_slice(from),
    }
}
