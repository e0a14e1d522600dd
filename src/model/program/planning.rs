//! Which operations a program runs, in what order, and where their values lie.
//!
//! Functions and sums go into the operation before them where it can take them; zeros, and what is computed from
//! nothing else, are neither computed nor stored.

use super::{Program, Slot, Stage};
use crate::kernels::{Flow, Operation, Pointwise};
use crate::model::foreign::Foreign;
use crate::model::plan::Step;
use crate::model::{ComputeDevice, Network};

/// What comes out of a node of the network.
#[derive(Clone, Copy)]
struct Value {
    slot: usize,
    /// Whether nobody else reads the slot.
    alone: bool,
}

impl Program {
    /// Plans the whole program.
    pub(super) fn plan(&mut self, network: &Network, device: ComputeDevice) {
        match device {
            ComputeDevice::Flex => self.plan_layers(network),
            other => self.plan_whole(network, other.on_burn()),
        }
    }

    /// The network as one operation of burn's.
    pub(super) fn plan_whole(&mut self, network: &Network, device: burn::tensor::Device) {
        self.reach(network, &operations(network));
        let Some(last) = network.steps().last() else {
            return;
        };
        self.slots.push(Slot {
            size: last.shape.elements(),
            learns: self.learns(),
            ..Slot::default()
        });
        self.output = 1;
        self.steps.push(Stage {
            operation: Box::new(Foreign::network(network, device)),
            inputs: vec![0],
            output: 1,
            parameters: 0..self.parameters.len(),
            buffers: 0..self.buffers.len(),
            reaches: true,
        });
        self.mark_readers();
    }

    fn plan_layers(&mut self, network: &Network) {
        let steps = network.steps();
        let operations = operations(network);
        let reaches = self.reach(network, &operations);
        // How often each node is read; the output is read by whoever asked.
        let mut readers = vec![0; steps.len() + 1];
        steps
            .iter()
            .flat_map(|step| &step.inputs)
            .for_each(|source| readers[source.node] += 1);
        readers[steps.len()] += 1;
        // Functions of slots that have slots of their own.
        let mut applied: Vec<(usize, Pointwise, usize)> = Vec::new();
        let mut values = vec![Value {
            slot: 0,
            alone: readers[0] == 1,
        }];
        for (node, (step, operation)) in steps.iter().zip(operations).enumerate() {
            let last = node + 1 == steps.len();
            let mut inputs: Vec<Value> = step.inputs.iter().map(|s| values[s.node]).collect();
            if !last && self.gives_zeros(operation.as_deref(), &inputs) {
                let slot = self.add_slot(step, false);
                self.slots[slot].zeros = true;
                values.push(Value { slot, alone: false });
                continue;
            }
            let operation = operation.unwrap_or_else(|| {
                let learns = self.learns_from(&inputs, step);
                Box::new(Foreign::layer(step, learns && reaches[node + 1]))
            });
            if operation.flow() == Flow::Sums && inputs.len() > 1 {
                inputs.retain(|input| !self.slots[input.slot].zeros);
            }
            // A sum of nothing but zeros and one value is that value.
            let same = operation.flow() == Flow::Same
                || operation.flow() == Flow::Sums && inputs.len() == 1;
            let applies = inputs
                .first()
                .map(|input| input.slot)
                .zip(operation.pointwise());
            let known = match same {
                true => Some(inputs[0].slot),
                false => self.absorbed(&*operation, &inputs),
            };
            let known = known.or_else(|| {
                let same = |&&(input, function, _): &&(usize, Pointwise, usize)| {
                    applies == Some((input, function))
                };
                applied.iter().find(same).map(|&(.., slot)| slot)
            });
            let reached = reaches[node + 1];
            let only_reader = readers[node + 1] == 1;
            let alone = only_reader && (!same || inputs[0].alone);
            let slot = known.unwrap_or_else(|| {
                let slot = self.add_stage(operation, step, &inputs);
                applied.extend(applies.map(|(input, function)| (input, function, slot)));
                slot
            });
            if let Some(stage) = self.steps.iter_mut().find(|stage| stage.output == slot) {
                stage.reaches |= reached;
            }
            values.push(Value { slot, alone });
        }
        self.output = values[steps.len()].slot;
        self.mark_readers();
    }

    /// Notes which parameters the output depends on. Returns the nodes that it depends on.
    fn reach(&mut self, network: &Network, operations: &[Option<Box<dyn Operation>>]) -> Vec<bool> {
        let steps = network.steps();
        let mut reaches = vec![false; steps.len() + 1];
        reaches[steps.len()] = true;
        for (node, (step, operation)) in steps.iter().zip(operations).enumerate().rev() {
            let flow = operation.as_ref().map(|operation| operation.flow());
            if !reaches[node + 1] || flow == Some(Flow::Constant) {
                continue;
            }
            self.reached[step.parameters.clone()].fill(true);
            for source in &step.inputs {
                reaches[source.node] = true;
            }
        }
        reaches
    }

    /// Whether an operation gives zeros because it reads nothing else, or nothing.
    fn gives_zeros(&self, operation: Option<&dyn Operation>, inputs: &[Value]) -> bool {
        let zeros = || inputs.iter().all(|input| self.slots[input.slot].zeros);
        operation.is_some_and(|operation| {
            operation.flow() == Flow::Constant || operation.preserves_zeros() && zeros()
        })
    }

    /// Notes which values are read last by whom, and which are needed on the way back.
    fn mark_readers(&mut self) {
        for (index, stage) in self.steps.iter().enumerate() {
            let keeps = stage.operation.keeps();
            self.slots[stage.output].kept |= stage.reaches && keeps.output();
            for &input in &stage.inputs {
                self.slots[input].last_reader = Some(index).filter(|_| input != self.output);
                self.slots[input].kept |= stage.reaches && keeps.inputs();
            }
        }
    }

    /// The slot that holds what an operation gives already, or from now on.
    fn absorbed(&mut self, operation: &dyn Operation, inputs: &[Value]) -> Option<usize> {
        match (operation.flow(), inputs) {
            (Flow::Sums, &[a, b]) if a.slot != b.slot => {
                let writer = |value: Value| self.steps.iter().position(|s| s.output == value.slot);
                let writers = [a, b].map(writer);
                let later = usize::from(writers[1] > writers[0]);
                let (value, other) = (inputs[later], inputs[1 - later]);
                let stage = &mut self.steps[writers[later].filter(|_| value.alone)?];
                if !stage.operation.absorb_sum() {
                    return None;
                }
                stage.inputs.push(other.slot);
                Some(value.slot)
            }
            (_, &[input, ..]) if input.alone => {
                self.absorbs(input.slot, operation).then_some(input.slot)
            }
            _ => None,
        }
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

    /// Whether something at or below a step learns.
    fn learns_from(&self, inputs: &[Value], step: &Step) -> bool {
        !step.parameters.is_empty() || inputs.iter().any(|input| self.slots[input.slot].learns)
    }

    fn add_slot(&mut self, step: &Step, learns: bool) -> usize {
        self.slots.push(Slot {
            size: step.shape.elements(),
            learns,
            ..Slot::default()
        });
        self.slots.len() - 1
    }

    fn add_stage(&mut self, operation: Box<dyn Operation>, step: &Step, inputs: &[Value]) -> usize {
        let learns = operation.flow() != Flow::Constant && self.learns_from(inputs, step);
        let output = self.add_slot(step, learns);
        self.steps.push(Stage {
            operation,
            inputs: inputs.iter().map(|input| input.slot).collect(),
            output,
            parameters: step.parameters.clone(),
            buffers: step.buffers.clone(),
            reaches: false,
        });
        output
    }
}

/// The operations of all layers that have one.
fn operations(network: &Network) -> Vec<Option<Box<dyn Operation>>> {
    let steps = network.steps().iter();
    steps
        .map(|step| step.layer.operation(&step.shapes))
        .collect()
}
