//! Functions that burn lacks, written out at the end of a module where it uses them.

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Function {
    ByPlanes,
    OneHot,
    Wrapped,
    Repeated,
    Interpolated,
    Recurrent,
    Rnn,
    ReluRnn,
    Gru,
    Lstm,
}

impl Function {
    /// What it calls itself.
    pub fn needs(self) -> Option<Self> {
        matches!(self, Self::Rnn | Self::ReluRnn | Self::Gru | Self::Lstm)
            .then_some(Self::Recurrent)
    }

    /// Its source.
    pub fn source(self) -> &'static str {
        match self {
            Self::ByPlanes => BY_PLANES,
            Self::OneHot => ONE_HOT,
            Self::Wrapped => WRAPPED,
            Self::Repeated => REPEATED,
            Self::Interpolated => INTERPOLATED,
            Self::Recurrent => RECURRENT,
            Self::Rnn => RNN,
            Self::ReluRnn => RELU_RNN,
            Self::Gru => GRU,
            Self::Lstm => LSTM,
        }
    }
}

const BY_PLANES: &str = r"
/// A pool over volumes `[batch, channels, depth, height, width]`: within each plane, then along the depth.
fn by_planes(
    x: Tensor<5>,
    plane: impl Fn(Tensor<4>) -> Tensor<4>,
    depth: impl Fn(Tensor<4>) -> Tensor<4>,
) -> Tensor<5> {
    let [batch, channels, planes, height, width] = x.dims();
    let x = plane(x.reshape([batch, channels * planes, height, width]));
    let [_, _, height, width] = x.dims();
    let x = depth(x.reshape([batch, channels, planes, height * width]));
    let planes = x.dims()[2];
    x.reshape([batch, channels, planes, height, width])
}
";

const ONE_HOT: &str = r"
/// One at each of the places along a new dimension, zero elsewhere.
fn one_hot<const D: usize, const E: usize>(places: Tensor<D, Int>, axis: usize, depth: usize) -> Tensor<E> {
    let mut along = [1; E];
    along[axis] = depth;
    let all = Tensor::<1, Int>::arange(0..depth as i64, &places.device()).reshape(along);
    places.unsqueeze_dim::<E>(axis).equal(all).float()
}
";

const WRAPPED: &str = r"
/// A margin at both ends of a dimension, made of the other end.
fn wrapped<const D: usize>(x: Tensor<D>, axis: usize, margin: usize) -> Tensor<D> {
    let before = x.clone().narrow(axis, x.dims()[axis] - margin, margin);
    let behind = x.clone().narrow(axis, 0, margin);
    Tensor::cat(vec![before, x, behind], axis)
}
";

const REPEATED: &str = r"
/// Each value `scale` times along a dimension.
fn repeated<const D: usize>(x: Tensor<D>, axis: usize, scale: usize) -> Tensor<D> {
    let places: Vec<i64> = (0..x.dims()[axis] * scale).map(|to| (to / scale) as i64).collect();
    let places = Tensor::<1, Int>::from_data(places.as_slice(), &x.device());
    x.select(axis, places)
}
";

const INTERPOLATED: &str = r"
/// Straight lines between the middles of neighbouring values along a dimension.
fn interpolated<const D: usize>(x: Tensor<D>, axis: usize, scale: usize) -> Tensor<D> {
    let (device, size) = (x.device(), x.dims()[axis]);
    let place = |to: usize| ((to as f64 + 0.5) / scale as f64 - 0.5).max(0.0);
    let low = |to: usize| (place(to) as usize).min(size - 1);
    let chosen = |x: Tensor<D>, step: usize| {
        let places: Vec<i64> = (0..size * scale).map(|to| (low(to) + step).min(size - 1) as i64).collect();
        x.select(axis, Tensor::<1, Int>::from_data(places.as_slice(), &device))
    };
    let share: Vec<f32> = (0..size * scale).map(|to| (place(to) - low(to) as f64) as f32).collect();
    let mut along = [1; D];
    along[axis] = size * scale;
    let share = Tensor::<1>::from_data(share.as_slice(), &device).reshape(along);
    let (below, above) = (chosen(x.clone(), 0), chosen(x, 1));
    below.clone() + (above - below) * share
}
";

const RECURRENT: &str = r"
/// A recurrent layer over `[length, batch, features]`, forwards or in both directions: what it says at each step,
/// `[length, directions, batch, hidden]`, and at the last one read. Weights are `[directions, gates, from]`. A step
/// takes the gates' parts from the input and from what is remembered, what is remembered, and a memory.
fn recurrent(
    x: Tensor<3>,
    [weight, recurrence]: [Tensor<3>; 2],
    bias: Tensor<2>,
    step: impl Fn(Tensor<2>, Tensor<2>, Tensor<2>, Tensor<2>) -> (Tensor<2>, Tensor<2>),
) -> (Tensor<4>, Tensor<3>) {
    let ([length, batch, _], [directions, gates, hidden]) = (x.dims(), recurrence.dims());
    let (mut all, mut last) = (Vec::new(), Vec::new());
    for direction in 0..directions {
        let matrix = |from: &Tensor<3>| from.clone().narrow(0, direction, 1).squeeze_dim::<2>(0).transpose();
        let (weight, recurrence) = (matrix(&weight), matrix(&recurrence));
        let part = |from: usize| bias.clone().narrow(0, direction, 1).narrow(1, from, gates);
        let mut hidden = Tensor::<2>::zeros([batch, hidden], &x.device());
        let mut memory = hidden.clone();
        let mut steps = Vec::new();
        for place in 0..length {
            let place = if direction == 0 { place } else { length - 1 - place };
            let seen = x.clone().narrow(0, place, 1).squeeze_dim::<2>(0).matmul(weight.clone()) + part(0);
            let remembered = hidden.clone().matmul(recurrence.clone()) + part(gates);
            (hidden, memory) = step(seen, remembered, hidden, memory);
            steps.push(hidden.clone());
        }
        if direction == 1 {
            steps.reverse();
        }
        all.push(Tensor::stack::<3>(steps, 0));
        last.push(hidden);
    }
    (Tensor::stack(all, 1), Tensor::stack(last, 0))
}
";

const RNN: &str = r"
/// A plain recurrent layer.
fn rnn(x: Tensor<3>, weight: Tensor<3>, recurrence: Tensor<3>, bias: Tensor<2>) -> (Tensor<4>, Tensor<3>) {
    recurrent(x, [weight, recurrence], bias, |seen, remembered, _, memory| {
        ((seen + remembered).tanh(), memory)
    })
}
";

const RELU_RNN: &str = r"
/// A plain recurrent layer with rectified steps.
fn relu_rnn(x: Tensor<3>, weight: Tensor<3>, recurrence: Tensor<3>, bias: Tensor<2>) -> (Tensor<4>, Tensor<3>) {
    recurrent(x, [weight, recurrence], bias, |seen, remembered, _, memory| {
        (activation::relu(seen + remembered), memory)
    })
}
";

const GRU: &str = r"
/// A GRU; gates in the order update, reset, new.
fn gru(x: Tensor<3>, weight: Tensor<3>, recurrence: Tensor<3>, bias: Tensor<2>) -> (Tensor<4>, Tensor<3>) {
    recurrent(x, [weight, recurrence], bias, |seen, remembered, hidden, memory| {
        let size = hidden.dims()[1];
        let gate = |from: &Tensor<2>, index: usize| from.clone().narrow(1, index * size, size);
        let update = activation::sigmoid(gate(&seen, 0) + gate(&remembered, 0));
        let reset = activation::sigmoid(gate(&seen, 1) + gate(&remembered, 1));
        let new = (gate(&seen, 2) + reset * gate(&remembered, 2)).tanh();
        (new.clone() + update * (hidden - new), memory)
    })
}
";

const LSTM: &str = r"
/// An LSTM; gates in the order input, output, forget, memory.
fn lstm(x: Tensor<3>, weight: Tensor<3>, recurrence: Tensor<3>, bias: Tensor<2>) -> (Tensor<4>, Tensor<3>) {
    recurrent(x, [weight, recurrence], bias, |seen, remembered, hidden, memory| {
        let (gates, size) = (seen + remembered, hidden.dims()[1]);
        let gate = |index: usize| gates.clone().narrow(1, index * size, size);
        let written = activation::sigmoid(gate(0)) * gate(3).tanh();
        let memory = activation::sigmoid(gate(2)) * memory + written;
        (activation::sigmoid(gate(1)) * memory.clone().tanh(), memory)
    })
}
";
