//! Layers that read a sequence step by step, with PyTorch's gates in PyTorch's order.

use super::embedding::sequence;
use super::forward::{Activation, one};
use super::{
    ArgType, Argument, Arguments, Category, Description, Forward, Init, LayerKind, Parameter,
    ParameterSpec, Shape, ShapeError, Value,
};
use crate::kernels::{Cell, Operation, Recurrent};
use burn::tensor::{Tensor, activation, module};

const HIDDEN: Argument = Argument::required(
    "hidden",
    ArgType::Int {
        min: 1,
        max: 1 << 14,
    },
    "values that the layer remembers from step to step",
);
const BIDIRECTIONAL: Argument = Argument::bool(
    "bidirectional",
    false,
    "whether a second layer reads from the end, its values beside the first's",
);
const OUTPUT: Argument = Argument::with(
    "output",
    ArgType::OneOf(&["all", "last"]),
    Value::Name("all"),
    "`all` steps as a sequence, or what is remembered after the `last` as a vector",
);

/// `rnn`: what is remembered is mixed with each input.
pub struct Rnn;

static RNN: Description = Description {
    name: "rnn",
    category: Category::Recurrent,
    torch: "torch.nn.RNN(features, hidden, batch_first=True)",
    summary: "each step mixes its input with what the step before left",
    equation: "h[t] = tanh(x[t] W + b + h[t-1] U + c), h[-1] = 0",
    source: "Elman, Finding structure in time, 1990",
    accepts: &["sequence"],
    arguments: &[
        HIDDEN,
        BIDIRECTIONAL,
        OUTPUT,
        Argument::with(
            "nonlinearity",
            ArgType::OneOf(&["tanh", "relu"]),
            Value::Name("tanh"),
            "the function of the mixture",
        ),
    ],
    ..Description::PLAIN
};

/// `gru`: gates decide what is forgotten.
pub struct Gru;

static GRU: Description = Description {
    name: "gru",
    category: Category::Recurrent,
    torch: "torch.nn.GRU(features, hidden, batch_first=True)",
    summary: "each step mixes its input with what the step before left; gates decide how much is replaced",
    equation: "[r, z] = sigmoid(x W + b + h U + c), n = tanh(x W_n + b_n + r (h U_n + c_n)), h' = (1 - z) n + z h",
    source: "Cho et al., Learning phrase representations using RNN encoder-decoder, 2014",
    accepts: &["sequence"],
    arguments: &[HIDDEN, BIDIRECTIONAL, OUTPUT],
    ..Description::PLAIN
};

/// `lstm`: a memory that gates write, keep and read.
pub struct Lstm;

static LSTM: Description = Description {
    name: "lstm",
    category: Category::Recurrent,
    torch: "torch.nn.LSTM(features, hidden, batch_first=True)",
    summary: "each step reads and writes a memory that gates protect",
    equation: "[i, f, o] = sigmoid(x W + b + h U + c), g = tanh(x W_g + b_g + h U_g + c_g), m' = f m + i g, \
               h' = o tanh(m')",
    source: "Hochreiter and Schmidhuber, Long short-term memory, 1997; forget gate: Gers et al., 2000",
    accepts: &["sequence"],
    arguments: &[HIDDEN, BIDIRECTIONAL, OUTPUT],
    ..Description::PLAIN
};

/// A recurrent kind by how many gates it has and what one step does. A step takes the input's part of the
/// gates `[batch, gates * hidden]`, the remembered part (a function of the state), and the state.
macro_rules! recurrent {
    ($kind:ident, $description:ident, gates $gates:literal, $cell:expr, $step:expr) => {
        impl LayerKind for $kind {
            fn describe(&self) -> &'static Description {
                &$description
            }

            fn shape(&self, arguments: &Arguments, inputs: &[Shape]) -> Result<Shape, ShapeError> {
                let (length, _) = sequence(self.describe().accept(inputs[0])?);
                let features = arguments.int(0) * directions(arguments);
                Ok(match arguments.values()[2] {
                    Value::Name("last") => Shape::Vector { features },
                    _ => Shape::Sequence { length, features },
                })
            }

            fn parameters(&self, arguments: &Arguments, inputs: &[Shape]) -> Vec<ParameterSpec> {
                weights(arguments, inputs[0], $gates)
            }

            fn macs(&self, arguments: &Arguments, inputs: &[Shape], _output: Shape) -> u64 {
                let (length, features) = sequence(inputs[0]);
                let hidden = arguments.int(0);
                let step = $gates * hidden * (features + hidden);
                (length * directions(arguments) * step) as u64
            }

            fn forward(
                &self,
                arguments: &Arguments,
                context: &mut Forward<'_>,
                inputs: Vec<Activation>,
            ) -> Activation {
                let step = $step;
                read(arguments, context, one(inputs), |gates, state| {
                    step(gates, state, arguments)
                })
            }

            fn operation(
                &self,
                arguments: &Arguments,
                inputs: &[Shape],
            ) -> Option<Box<dyn Operation>> {
                let (length, features) = sequence(inputs[0]);
                let (sizes, cell) = ([length, features, arguments.int(0)], $cell);
                let last_only = arguments.values()[2] == Value::Name("last");
                let recurrent = |cell| Recurrent::new(cell, sizes, arguments.bool(1), last_only);
                cell.map(|cell| Box::new(recurrent(cell)) as Box<dyn Operation>)
            }
        }
    };
}

recurrent!(Rnn, RNN, gates 1, None, |gates: Gates, state: &mut State, arguments: &Arguments| {
    let mixed = gates.input + gates.remembered;
    state.hidden = match arguments.values()[3] {
        Value::Name("relu") => activation::relu(mixed),
        _ => mixed.tanh(),
    };
});

recurrent!(Gru, GRU, gates 3, Some(Cell::Gru), |gates: Gates, state: &mut State, _: &Arguments| {
    let [reset_x, update_x, new_x] = parts(gates.input);
    let [reset_h, update_h, new_h] = parts(gates.remembered);
    let reset = activation::sigmoid(reset_x + reset_h);
    let update = activation::sigmoid(update_x + update_h);
    let new = (new_x + reset * new_h).tanh();
    state.hidden = new.clone() + update * (state.hidden.clone() - new);
});

recurrent!(Lstm, LSTM, gates 4, Some(Cell::Lstm), |gates: Gates, state: &mut State, _: &Arguments| {
    let [input, forget, memory, output] = parts(gates.input + gates.remembered);
    let written = activation::sigmoid(input) * memory.tanh();
    state.memory = activation::sigmoid(forget) * state.memory.clone() + written;
    state.hidden = activation::sigmoid(output) * state.memory.clone().tanh();
});

/// What one step sees: `[batch, gates * hidden]` of its input and of what is remembered.
struct Gates {
    input: Tensor<2>,
    remembered: Tensor<2>,
}

/// What is carried from step to step: `[batch, hidden]` each.
struct State {
    hidden: Tensor<2>,
    memory: Tensor<2>,
}

fn parts<const N: usize>(x: Tensor<2>) -> [Tensor<2>; N] {
    let each = x.dims()[1] / N;
    std::array::from_fn(|index| x.clone().narrow(1, index * each, each))
}

fn directions(arguments: &Arguments) -> usize {
    if arguments.bool(1) { 2 } else { 1 }
}

const FORWARDS: [&str; 4] = ["weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"];
const BACKWARDS: [&str; 4] = [
    "weight_ih_l0_reverse",
    "weight_hh_l0_reverse",
    "bias_ih_l0_reverse",
    "bias_hh_l0_reverse",
];

/// PyTorch starts all of them uniformly within `1 / sqrt(hidden)`. Matrices are `[from, gates * hidden]`.
fn weights(arguments: &Arguments, input: Shape, gates: usize) -> Vec<ParameterSpec> {
    let (_, features) = sequence(input);
    let hidden = arguments.int(0);
    let (width, init) = (gates * hidden, Init::fan_in(hidden));
    let one_direction = |names: [&'static str; 4]| {
        [
            ParameterSpec::new(names[0], [features, width], init),
            ParameterSpec::new(names[1], [hidden, width], init),
            ParameterSpec::new(names[2], [width], init),
            ParameterSpec::new(names[3], [width], init),
        ]
    };
    let names = &[FORWARDS, BACKWARDS][..directions(arguments)];
    names
        .iter()
        .flat_map(|names| one_direction(*names))
        .collect()
}

/// Reads the sequence in each direction and puts the directions' features side by side.
fn read(
    arguments: &Arguments,
    context: &Forward<'_>,
    input: Activation,
    step: impl Fn(Gates, &mut State),
) -> Activation {
    let x = input.sequence();
    let last_only = arguments.values()[2] == Value::Name("last");
    let read_one = |direction: usize| {
        let parameters = &context.parameters[4 * direction..4 * direction + 4];
        let mut steps = read_direction(x.clone(), parameters, direction == 1, &step);
        if last_only {
            return vec![steps.pop().expect("a sequence has a position")];
        }
        if direction == 1 {
            steps.reverse();
        }
        steps
    };
    let read: Vec<Vec<Tensor<2>>> = (0..directions(arguments)).map(read_one).collect();
    if last_only {
        let last = read.into_iter().flatten().collect();
        return Activation::Vector(Tensor::cat(last, 1));
    }
    let stacked = read.into_iter().map(|steps| Tensor::stack::<3>(steps, 1));
    Activation::Sequence(Tensor::cat(stacked.collect(), 2))
}

/// What is remembered after each step, in the order of reading.
fn read_direction(
    x: Tensor<3>,
    parameters: &[Parameter],
    backwards: bool,
    step: &impl Fn(Gates, &mut State),
) -> Vec<Tensor<2>> {
    let [weight_x, weight_h, bias_x, bias_h] = parameters else {
        unreachable!("each direction has four parameters")
    };
    let [batch, _, _] = x.dims();
    let (weight_h, bias_h) = (weight_h.matrix(), bias_h.vector());
    let zeros = Tensor::zeros([batch, weight_h.dims()[0]], (&x.device(), x.dtype()));
    let mut state = State {
        hidden: zeros.clone(),
        memory: zeros,
    };
    let mut inputs = places(module::linear(x, weight_x.matrix(), Some(bias_x.vector())));
    if backwards {
        inputs.reverse();
    }
    let after_step = |input| {
        let hidden = state.hidden.clone();
        let remembered = module::linear(hidden, weight_h.clone(), Some(bias_h.clone()));
        step(Gates { input, remembered }, &mut state);
        state.hidden.clone()
    };
    inputs.into_iter().map(after_step).collect()
}

/// `[batch, length, features]` place by place. burn's gradient of a slice is as large as what it was cut from:
/// halves of halves keep the sum near the size of the whole.
fn places(x: Tensor<3>) -> Vec<Tensor<2>> {
    let length = x.dims()[1];
    if length == 1 {
        return vec![x.squeeze_dim(1)];
    }
    let half = length / 2;
    let mut all = places(x.clone().narrow(1, 0, half));
    all.extend(places(x.narrow(1, half, length - half)));
    all
}
