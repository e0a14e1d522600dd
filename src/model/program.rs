//! A network as a list of operations over memory that is kept from step to step: how it is trained.
//!
//! Layers with kernels of their own run them, the others run on burn. Values lie with their channels last. On a device
//! that is not the processor, the whole network is one operation, burn's; weights and what they learn stay here.

mod planning;

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
    /// Which parameters the output depends on.
    reached: Vec<bool>,
    buffers: Vec<Vec<f32>>,
    spare: Vec<Vec<f32>>,
    /// What is read of slots that are zeros.
    zeros: Vec<f32>,
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
    /// Whether the network's output depends on it.
    reaches: bool,
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
    /// The last stage that reads it; none where the network's output is.
    last_reader: Option<usize>,
    /// Whether a backward pass looks at the values.
    kept: bool,
    /// Whether all values are zeros, which nobody writes.
    zeros: bool,
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
        program.plan(network, device);
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
            zeros: Vec::new(),
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
        self.reached.contains(&true)
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
        self.spread_zeros();
        for index in 0..self.steps.len() {
            self.step_forward(index, &mut mode);
            self.release_read(index, matches!(mode, Mode::Inference));
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
        if !self.slots[self.output].learns {
            return;
        }
        let mut first = self.take_spare(gradient.len());
        first.copy_from_slice(gradient);
        self.slots[self.output].gradient = Some(first);
        for index in (0..self.steps.len()).rev() {
            let output = self.steps[index].output;
            // Whoever reads it has gone back already.
            if !self.steps[index].operation.keeps().output() {
                self.release(output);
            }
            if let Some(gradient) = self.slots[output].gradient.take() {
                self.step_back(index, gradient);
            }
            self.release(output);
        }
    }

    /// Parameters in the network's order, each with its gradient if the output depends on it.
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

    /// As many zeros as somebody reads.
    fn spread_zeros(&mut self) {
        let zeros = self
            .slots
            .iter()
            .filter(|slot| slot.zeros && slot.last_reader.is_some());
        let most = zeros.map(|slot| slot.size).max().unwrap_or(0) * self.batch;
        if self.zeros.len() < most {
            self.zeros.resize(most, 0.0);
        }
    }

    fn step_forward(&mut self, index: usize, mode: &mut Mode<'_>) {
        let slot = &mut self.slots[self.steps[index].output];
        let length = self.batch * slot.size;
        let mut output = std::mem::take(&mut slot.values);
        if output.capacity() < length {
            output = self.take_spare(length);
        }
        output.resize(length, 0.0);
        let stage = &mut self.steps[index];
        let read = |&input: &usize| self.slots[input].read(&self.zeros, self.batch);
        let inputs: Vec<&[f32]> = stage.inputs.iter().map(read).collect();
        let pass = Pass {
            batch: self.batch,
            inputs: &inputs,
            parameters: &self.parameters[stage.parameters.clone()],
        };
        let noise = match mode {
            Mode::Training(stream) => Some(&mut **stream),
            Mode::Inference => None,
        };
        let buffers = &mut self.buffers[stage.buffers.clone()];
        stage.operation.forward(pass, buffers, noise, &mut output);
        self.slots[stage.output].values = output;
    }

    /// Gives back the memory of what nobody reads any more.
    fn release_read(&mut self, index: usize, inference: bool) {
        let output = self.steps[index].output;
        if !self.steps[index].reaches && self.slots[output].last_reader.is_none() {
            self.release(output);
        }
        for place in 0..self.steps[index].inputs.len() {
            let number = self.steps[index].inputs[place];
            // What comes into the network has its own memory.
            if number == 0 {
                continue;
            }
            let slot = &self.slots[number];
            let over = slot.last_reader == Some(index) && (inference || !slot.kept);
            if over {
                self.release(number);
            }
        }
    }

    fn step_back(&mut self, index: usize, gradient: Vec<f32>) {
        match self.steps[index].operation.flow() {
            Flow::Constant => self.put_aside(gradient),
            Flow::Sums => self.pass_on(index, gradient),
            Flow::InPlace => {
                let gradient = self.run_back(index, gradient, &mut []);
                self.give(self.steps[index].inputs[0], gradient);
            }
            Flow::Splits => {
                let [first, second] = self.steps[index].inputs[..] else {
                    unreachable!("what splits has two inputs")
                };
                let mut target = self.target(first);
                let gradient = self.run_back(index, gradient, &mut [target.as_deref_mut()]);
                if let Some(target) = target {
                    self.give(first, target);
                }
                self.give(second, gradient);
            }
            Flow::Computes | Flow::Same => {
                let inputs = self.steps[index].inputs.clone();
                let mut targets: Vec<Option<Vec<f32>>> =
                    inputs.iter().map(|&input| self.target(input)).collect();
                let mut wanted: Vec<Option<&mut [f32]>> =
                    targets.iter_mut().map(Option::as_deref_mut).collect();
                let gradient = self.run_back(index, gradient, &mut wanted);
                self.put_aside(gradient);
                for (input, target) in inputs.into_iter().zip(targets) {
                    if let Some(target) = target {
                        self.give(input, target);
                    }
                }
            }
        }
    }

    /// Room for the gradient of a slot, if something learns from it.
    fn target(&mut self, slot: usize) -> Option<Vec<f32>> {
        let slot = &self.slots[slot];
        let (learns, length) = (slot.learns, self.batch * slot.size);
        learns.then(|| self.take_spare(length))
    }

    /// Runs an operation backward, and returns what became of the gradient of its output.
    fn run_back(
        &mut self,
        index: usize,
        mut gradient: Vec<f32>,
        targets: &mut [Option<&mut [f32]>],
    ) -> Vec<f32> {
        let stage = &mut self.steps[index];
        let read = |&input: &usize| self.slots[input].read(&self.zeros, self.batch);
        let inputs: Vec<&[f32]> = stage.inputs.iter().map(read).collect();
        let pass = Pass {
            batch: self.batch,
            inputs: &inputs,
            parameters: &self.parameters[stage.parameters.clone()],
        };
        let parameters = &mut self.gradients[stage.parameters.clone()];
        let output = &self.slots[stage.output].values;
        stage
            .operation
            .backward(pass, output, &mut gradient, targets, parameters);
        gradient
    }

    /// Gives the gradient itself to every input that learns from it.
    fn pass_on(&mut self, index: usize, gradient: Vec<f32>) {
        let mut learners = self.steps[index].inputs.clone();
        learners.retain(|&input| self.slots[input].learns);
        let Some(last) = learners.pop() else {
            return self.put_aside(gradient);
        };
        for input in learners {
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

    /// Adds to the gradient of a slot, if something learns from it.
    fn give(&mut self, slot: usize, gradient: Vec<f32>) {
        let slot = &mut self.slots[slot];
        match &mut slot.gradient {
            empty @ None if slot.learns => *empty = Some(gradient),
            Some(sum) => {
                add_to(sum, &gradient);
                self.put_aside(gradient);
            }
            None => self.put_aside(gradient),
        }
    }

    /// Gives back the memory of a slot's values.
    fn release(&mut self, slot: usize) {
        let values = std::mem::take(&mut self.slots[slot].values);
        self.put_aside(values);
    }

    /// Keeps memory for later.
    fn put_aside(&mut self, values: Vec<f32>) {
        if values.capacity() > 0 {
            self.spare.push(values);
        }
    }

    /// Memory for this many values, with anything in it. Much larger one is left for whoever needs it.
    fn take_spare(&mut self, length: usize) -> Vec<f32> {
        let fitting = self
            .spare
            .iter()
            .enumerate()
            .filter(|(_, spare)| (length..=4 * length).contains(&spare.capacity()));
        let smallest = fitting
            .min_by_key(|(_, spare)| spare.capacity())
            .map(|(index, _)| index);
        let mut spare = smallest.map_or_else(Vec::new, |index| self.spare.swap_remove(index));
        spare.resize(length, 0.0);
        spare
    }
}

impl Slot {
    /// The values of a batch.
    fn read<'a>(&'a self, zeros: &'a [f32], batch: usize) -> &'a [f32] {
        match self.zeros {
            true => &zeros[..batch * self.size],
            false => &self.values,
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language;
    use crate::random::{Purpose, Seed};
    use crate::space::Sampling;
    use burn::tensor::Device;

    /// Outputs, gradients and buffers of one step.
    fn step(program: &mut Program, inputs: &[f32]) -> Vec<f32> {
        let mut noise = Seed(2).stream(0, Purpose::Dropout);
        let mut seen = program.forward(inputs, Mode::Training(&mut noise)).to_vec();
        let gradient: Vec<f32> = (0..seen.len()).map(|at| (at % 5) as f32 - 2.0).collect();
        program.backward(&gradient);
        for (_, gradient) in program.parameters_mut() {
            seen.extend_from_slice(gradient.expect("every layer learns"));
        }
        seen.extend(program.buffers.iter().flatten());
        seen
    }

    fn network(text: &str) -> Network {
        let space = language::compile(text).unwrap().space;
        let mut stream = Seed(1).stream(0, Purpose::Init);
        let genome = space.sample(Sampling::Prior, &mut stream);
        let architecture = space.decode(&genome).unwrap().architecture;
        Network::build(&architecture, &mut stream, &Device::flex())
    }

    /// Values that a program has room for.
    fn room(program: &Program) -> usize {
        let slots = program.slots.iter().map(|slot| &slot.values);
        slots.chain(&program.spare).map(Vec::capacity).sum()
    }

    #[test]
    fn what_is_computed_from_zeros_alone_is_neither_computed_nor_stored() {
        let body = |middle: &str| {
            format!(
                "space s\ninput image(channels: 2, height: 8, width: 8)\noutput classes(3)\n\
                 network {{ conv2d(8, kernel: 1) {middle} global_avg_pool linear(classes) }}"
            )
        };
        let zeros = "branch(merge: add) { { conv2d(8, kernel: 1) } \
            { zero relu conv2d(8, kernel: 3, padding: same, bias: false) avg_pool2d(3, stride: 1, padding: same) } }";
        let [with, without] = [zeros, "conv2d(8, kernel: 1)"].map(|middle| network(&body(middle)));
        let [mut with, without] = [&with, &without].map(Program::of);
        assert_eq!(with.steps.len(), without.steps.len());
        let inputs = [0.5; 4 * 128];
        let mut noise = Seed(2).stream(0, Purpose::Dropout);
        with.forward(&inputs, Mode::Training(&mut noise));
        with.backward(&[1.0; 12]);
        assert!(
            with.zeros.is_empty()
                && with
                    .slots
                    .iter()
                    .all(|slot| !slot.zeros || slot.values.is_empty())
        );
        // The convolution of zeros learns, with slopes of zero.
        assert!(with.reached.iter().all(|&reached| reached));
        let flat = |gradient: &&Vec<f32>| gradient.iter().all(|&slope| slope == 0.0);
        assert_eq!(with.gradients.iter().filter(flat).count(), 1);
    }

    #[test]
    fn a_step_takes_no_more_memory_than_the_one_before() {
        let mut program = Program::of(&network(
            "space s\ninput image(channels: 2, height: 6, width: 6)\noutput classes(3)\nnetwork { \
             alpha_dropout(0.1) conv2d(4, kernel: 3) batch_norm gelu residual { conv2d(4, kernel: 1) } \
             max_pool2d(2) alpha_dropout(0.1) flatten linear(8) relu linear(classes) }",
        ));
        let mut noise = Seed(2).stream(0, Purpose::Dropout);
        let mut after = |examples: usize| {
            program.forward(&vec![0.5; examples * 72], Mode::Training(&mut noise));
            program.backward(&vec![1.0; examples * 3]);
            room(&program)
        };
        let first = after(8);
        let rooms: Vec<usize> = (0..20).map(|_| after(3).max(after(8))).collect();
        assert!(rooms[19] <= first + first / 2, "{first}, then {rooms:?}");
        assert!(rooms[2..].iter().all(|&room| room == rooms[2]), "{rooms:?}");
    }

    #[test]
    fn a_network_as_one_operation_of_burns_does_what_its_kernels_do() {
        let network = network(
            "space s\ninput image(channels: 2, height: 6, width: 6)\noutput classes(3)\nnetwork { \
             conv2d(4, kernel: 3, padding: same, bias: false) batch_norm silu \
             residual { conv2d(4, kernel: 1) } dropout(0.3) global_avg_pool linear(classes) }",
        );
        let mut stream = Seed(1).stream(1, Purpose::Init);
        let mut whole = Program::empty(&network);
        whole.plan_whole(&network, Device::flex());
        let inputs: Vec<f32> = (0..4 * 72).map(|_| stream.uniform_f32(-1.0, 1.0)).collect();
        let mut kernels = Program::of(&network);
        for _ in 0..2 {
            let (ours, burns) = (step(&mut kernels, &inputs), step(&mut whole, &inputs));
            assert_eq!(ours.len(), burns.len());
            let top = burns.iter().fold(1.0f32, |top, x| top.max(x.abs()));
            for (a, b) in ours.iter().zip(&burns) {
                assert!((a - b).abs() <= 1e-4 * top, "{a} and {b}");
            }
        }
    }
}
