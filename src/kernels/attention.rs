//! Attention between the positions of a sequence, and a mean over positions that attends.

use super::dense::{Map, weight_gradient};
use super::functions::exp;
use super::operation::{Operation, Pass};
use super::rows::sum_over;
use super::simd::{Arithmetic, vectorised};
use super::sums::column_sums;
use super::windows::{Packed, Run, Windows, product};
use crate::random::Stream;
use std::cell::RefCell;

/// How a sequence attends to itself.
#[derive(Clone, Debug)]
pub struct Heads {
    /// Positions.
    pub length: usize,
    /// Features of a position.
    pub features: usize,
    /// Heads of queries.
    pub heads: usize,
    /// Heads of keys and values, shared by several of queries.
    pub kv_heads: usize,
    /// Whether a position sees only itself and what comes before.
    pub causal: bool,
    /// Whether the linear maps add constants.
    pub biased: bool,
    /// Cosines and sines by position and pair of features, if queries and keys are rotated.
    pub rotation: Option<[Vec<f32>; 2]>,
}

impl Heads {
    fn each(&self) -> usize {
        self.features / self.heads
    }

    /// Features of a query, a key and a value of all heads.
    fn projected(&self) -> usize {
        self.features + 2 * self.kv_heads * self.each()
    }

    /// Heads of queries that share a key.
    fn shared(&self) -> usize {
        self.heads / self.kv_heads
    }

    /// Where the queries, the key and the value of a head of keys begin in a projected position.
    fn places(&self, kv: usize) -> [usize; 3] {
        let (each, first) = (self.each(), kv * self.shared());
        let key = self.features + kv * each;
        [first * each, key, key + self.kv_heads * each]
    }

    fn scale(&self) -> f32 {
        (1.0 / libm::sqrt(self.each() as f64)) as f32
    }

    /// Rotates queries and keys, or back.
    fn rotate(&self, all: &mut [f32], sign: f32) {
        let Some([cosines, sines]) = &self.rotation else {
            return;
        };
        let (each, half) = (self.each(), self.each() / 2);
        for (row, position) in all
            .chunks_exact_mut(self.projected())
            .zip((0..self.length).cycle())
        {
            let angles = position * half..(position + 1) * half;
            let turned = (self.heads + self.kv_heads) * each;
            for head in row[..turned].chunks_exact_mut(each) {
                let (first, second) = head.split_at_mut(half);
                let angles = cosines[angles.clone()].iter().zip(&sines[angles.clone()]);
                for ((a, b), (cos, sin)) in first.iter_mut().zip(second).zip(angles) {
                    let (x, y) = (*a, *b);
                    *a = x * cos - y * sin * sign;
                    *b = y * cos + x * sin * sign;
                }
            }
        }
    }
}

/// Each position gathers from all; parameters are the way in and the way out.
#[derive(Clone, Debug)]
pub struct SelfAttention {
    heads: Heads,
    maps: [Map; 2],
    /// Queries, keys and values.
    all: Vec<f32>,
    /// Shares by example, head and position.
    shares: Vec<f32>,
    gathered: Vec<f32>,
}

thread_local! {
    /// One for all that a thread computes.
    static ROOM: RefCell<Room> = RefCell::default();
}

/// What nobody needs from one call to the next.
#[derive(Debug, Default)]
struct Room {
    packed: Packed,
    runs: Vec<Run>,
    /// The gradient of the shares that have a key in common.
    slopes: Vec<f32>,
    sums: Vec<f32>,
    /// The gradient of what was gathered, and that of queries, keys and values.
    gathered: Vec<f32>,
    all: Vec<f32>,
}

/// Where the rows of the heads that share a key lie, one for each position.
#[derive(Clone, Copy)]
struct Rows {
    first: usize,
    /// From one head to the next, and from one position.
    head: usize,
    position: usize,
}

impl Room {
    /// Lists all positions under the heads that share a key: what is read, and where it goes.
    fn list(&mut self, h: &Heads, from: Rows, to: Rows) -> usize {
        self.runs.clear();
        self.runs.extend((0..h.shared()).map(|head| Run {
            count: h.length,
            first: [from, to].map(|rows| rows.first + head * rows.head),
            step: [from.position, to.position],
        }));
        h.shared() * h.length
    }
}

impl Heads {
    /// Queries of an example; they lie among keys and values.
    fn queries(&self, example: usize, kv: usize) -> Rows {
        let [query, ..] = self.places(kv);
        Rows {
            first: example * self.length * self.projected() + query,
            head: self.each(),
            position: self.projected(),
        }
    }

    /// What heads gather for an example.
    fn gathered(&self, example: usize, kv: usize) -> Rows {
        let [query, ..] = self.places(kv);
        Rows {
            first: example * self.length * self.features + query,
            head: self.each(),
            position: self.features,
        }
    }

    /// Shares, head after head.
    fn shares(&self) -> Rows {
        Rows {
            first: 0,
            head: self.length * self.length,
            position: self.length,
        }
    }
}

impl SelfAttention {
    /// With these heads.
    pub fn new(heads: Heads) -> Self {
        Self {
            maps: [
                Map([heads.features, heads.projected()]),
                Map([heads.features; 2]),
            ],
            heads,
            all: Vec::new(),
            shares: Vec::new(),
            gathered: Vec::new(),
        }
    }

    /// The number of the weight of the way out, and those of both biases.
    fn numbers(&self) -> (usize, Option<[usize; 2]>) {
        match self.heads.biased {
            true => (2, Some([1, 3])),
            false => (1, None),
        }
    }

    /// Where the shares of the heads that share a key lie.
    fn squares(&self, example: usize, kv: usize) -> std::ops::Range<usize> {
        let (h, square) = (&self.heads, self.heads.length * self.heads.length);
        let first = (example * h.heads + kv * h.shared()) * square;
        first..first + h.shared() * square
    }

    fn gather(&mut self, room: &mut Room, example: usize, kv: usize) {
        let squares = self.squares(example, kv);
        let h = &self.heads;
        let (length, each, wide) = (h.length, h.each(), h.projected());
        let [_, key, value] = h.places(kv);
        let base = example * length * wide;
        let shares = &mut self.shares[squares];
        // Scores: queries times keys.
        let count = room.list(h, h.queries(example, kv), h.shares());
        room.packed
            .fill(&self.all[base + key..], 0..each, wide, length);
        let queries = Windows::rows(&self.all, each);
        let runs = (&room.runs[..], count);
        product(queries, runs, &room.packed, shares, false);
        softmax_rows(shares, length, h.scale(), h.causal);
        // Shares times values.
        room.list(h, h.shares(), h.gathered(example, kv));
        let positions = (0..length).map(|position| position * wide);
        room.packed
            .fill(&self.all[base + value..], positions, 1, each);
        let rows = Windows::rows(shares, length);
        let runs = (&room.runs[..], count);
        product(rows, runs, &room.packed, &mut self.gathered, false);
    }

    /// From the gradient of what was gathered, in `room.gathered`, to that of queries, keys and values.
    fn gather_back(&self, room: &mut Room, example: usize, kv: usize) {
        let h = &self.heads;
        let (length, each, wide) = (h.length, h.each(), h.projected());
        let [_, key, value] = h.places(kv);
        let base = example * length * wide;
        let (queries, gathered) = (h.queries(example, kv), h.gathered(example, kv));
        let shares = &self.shares[self.squares(example, kv)];
        // Values: shares, transposed, times the gradient.
        let count = room.list(h, h.shares(), gathered);
        let to = (&mut room.all[base + value..], wide);
        let (rows, runs) = (Windows::rows(shares, length), (&room.runs[..], count));
        weight_gradient(rows, &room.gathered, runs, &mut room.sums, each, to);
        // Shares: the gradient times values, transposed.
        room.list(h, gathered, h.shares());
        room.slopes.resize(shares.len(), 0.0);
        room.packed
            .fill(&self.all[base + value..], 0..each, wide, length);
        let gradients = Windows::rows(&room.gathered, each);
        let runs = (&room.runs[..], count);
        product(gradients, runs, &room.packed, &mut room.slopes, false);
        softmax_rows_back(shares, &mut room.slopes, length, h.scale());
        // Queries: scores' gradient times keys.
        room.list(h, h.shares(), queries);
        let positions = (0..length).map(|position| position * wide);
        room.packed
            .fill(&self.all[base + key..], positions, 1, each);
        let rows = Windows::rows(&room.slopes, length);
        let runs = (&room.runs[..], count);
        product(rows, runs, &room.packed, &mut room.all, false);
        // Keys: scores' gradient, transposed, times queries.
        let to = (&mut room.all[base + key..], wide);
        weight_gradient(rows, &self.all, runs, &mut room.sums, each, to);
    }

    /// From the gradient of what came out to those of inputs and parameters, with room for what is in between.
    fn run_back(
        &self,
        room: &mut Room,
        pass: Pass<'_>,
        gradient: &[f32],
        target: Option<&mut [f32]>,
        parameters: &mut [Vec<f32>],
    ) {
        let (out, biases) = self.numbers();
        self.maps[1].weight_gradient(&self.gathered, gradient, &mut parameters[out]);
        room.gathered.resize(gradient.len(), 0.0);
        self.maps[1].input_gradient(gradient, &pass.parameters[out], &mut room.gathered);
        room.all.resize(self.all.len(), 0.0);
        for example in 0..pass.batch {
            (0..self.heads.kv_heads).for_each(|kv| self.gather_back(room, example, kv));
        }
        self.heads.rotate(&mut room.all, -1.0);
        self.maps[0].weight_gradient(pass.inputs[0], &room.all, &mut parameters[0]);
        if let Some([way_in, way_out]) = biases {
            column_sums(&room.all, &mut parameters[way_in]);
            column_sums(gradient, &mut parameters[way_out]);
        }
        if let Some(target) = target {
            self.maps[0].input_gradient(&room.all, &pass.parameters[0], target);
        }
    }
}

impl Operation for SelfAttention {
    fn forward(
        &mut self,
        pass: Pass<'_>,
        _: &mut [Vec<f32>],
        _: Option<&mut Stream>,
        output: &mut [f32],
    ) {
        let (length, heads) = (self.heads.length, self.heads.heads);
        let (features, wide) = (self.heads.features, self.heads.projected());
        let (out, biases) = self.numbers();
        let bias = |which: usize| biases.map(|numbers| &pass.parameters[numbers[which]][..]);
        self.all.resize(pass.batch * length * wide, 0.0);
        self.maps[0].forward(pass.inputs[0], &pass.parameters[0], bias(0), &mut self.all);
        self.heads.rotate(&mut self.all, 1.0);
        self.shares
            .resize(pass.batch * heads * length * length, 0.0);
        self.gathered.resize(pass.batch * length * features, 0.0);
        ROOM.with_borrow_mut(|room| {
            for example in 0..pass.batch {
                (0..self.heads.kv_heads).for_each(|kv| self.gather(room, example, kv));
            }
        });
        self.maps[1].forward(&self.gathered, &pass.parameters[out], bias(1), output);
    }

    fn backward(
        &mut self,
        pass: Pass<'_>,
        _output: &[f32],
        gradient: &mut [f32],
        inputs: &mut [Option<&mut [f32]>],
        parameters: &mut [Vec<f32>],
    ) {
        let target = inputs[0].as_deref_mut();
        ROOM.with_borrow_mut(|room| self.run_back(room, pass, gradient, target, parameters));
    }
}

vectorised! {
    /// Of square matrices, one after the other.
    fn softmax_rows<'a>(m: impl Arithmetic, scores: &'a mut [f32], length: usize, scale: f32, causal: bool) {
        for (row, position) in scores.chunks_exact_mut(length).zip((0..length).cycle()) {
            let seen = if causal { position + 1 } else { length };
            let (row, later) = row.split_at_mut(seen);
            softmax(m, row, scale);
            later.fill(0.0);
        }
    }
}

#[inline(always)]
fn softmax<M: Arithmetic>(m: M, row: &mut [f32], scale: f32) {
    let mut top = f32::NEG_INFINITY;
    for &value in row.iter() {
        top = if value > top { value } else { top };
    }
    for value in row.iter_mut() {
        *value = exp(m, (*value - top) * scale);
    }
    let sum = sum_over(row.len(), |i| row[i]);
    let share = 1.0 / sum;
    for value in row.iter_mut() {
        *value *= share;
    }
}

vectorised! {
    fn softmax_rows_back<'a>(shares: &'a [f32], slopes: &'a mut [f32], length: usize, scale: f32) {
        for (shares, slopes) in shares.chunks_exact(length).zip(slopes.chunks_exact_mut(length)) {
            let mean = sum_over(length, |i| shares[i] * slopes[i]);
            for (slope, share) in slopes.iter_mut().zip(shares) {
                *slope = share * (*slope - mean) * scale;
            }
        }
    }
}

/// A mean of all positions, weighed by how well each agrees with a learned query.
#[derive(Clone, Debug)]
pub struct AttentionPool {
    positions: usize,
    features: usize,
    shares: Vec<f32>,
}

impl AttentionPool {
    /// Over `positions` positions of `features` values.
    pub fn new(positions: usize, features: usize) -> Self {
        Self {
            positions,
            features,
            shares: Vec::new(),
        }
    }
}

impl Operation for AttentionPool {
    fn forward(
        &mut self,
        pass: Pass<'_>,
        _: &mut [Vec<f32>],
        _: Option<&mut Stream>,
        output: &mut [f32],
    ) {
        self.shares.resize(pass.batch * self.positions, 0.0);
        pool(
            pass.inputs[0],
            &pass.parameters[0],
            &mut self.shares,
            self.positions,
            output,
        );
    }

    fn backward(
        &mut self,
        pass: Pass<'_>,
        _output: &[f32],
        gradient: &mut [f32],
        inputs: &mut [Option<&mut [f32]>],
        parameters: &mut [Vec<f32>],
    ) {
        parameters[0].fill(0.0);
        let mut slopes = vec![0.0; self.positions];
        let size = self.positions * self.features;
        let examples = pass.inputs[0]
            .chunks_exact(size)
            .zip(gradient.chunks_exact(self.features));
        for (index, (values, gradient)) in examples.enumerate() {
            let shares = &self.shares[index * self.positions..(index + 1) * self.positions];
            pool_slopes(values, gradient, shares, &mut slopes, &mut parameters[0]);
            if let Some(target) = &mut inputs[0] {
                let target = &mut target[index * size..(index + 1) * size];
                for (row, (share, slope)) in target
                    .chunks_exact_mut(self.features)
                    .zip(shares.iter().zip(&slopes))
                {
                    for (to, (g, w)) in row.iter_mut().zip(gradient.iter().zip(&pass.parameters[0]))
                    {
                        *to = share * g + slope * w;
                    }
                }
            }
        }
    }
}

vectorised! {
    fn pool<'a>(
        m: impl Arithmetic,
        values: &'a [f32],
        query: &'a [f32],
        shares: &'a mut [f32],
        positions: usize,
        to: &'a mut [f32],
    ) {
        let width = query.len();
        let examples = values.chunks_exact(positions * width).zip(shares.chunks_exact_mut(positions));
        for ((values, shares), to) in examples.zip(to.chunks_exact_mut(width)) {
            for (row, share) in values.chunks_exact(width).zip(shares.iter_mut()) {
                *share = sum_over(width, |i| row[i] * query[i]);
            }
            softmax(m, shares, 1.0);
            to.fill(0.0);
            for (row, share) in values.chunks_exact(width).zip(shares.iter()) {
                for (to, value) in to.iter_mut().zip(row) {
                    *to += share * value;
                }
            }
        }
    }
}

vectorised! {
    fn pool_slopes<'a>(
        values: &'a [f32], gradient: &'a [f32], shares: &'a [f32], slopes: &'a mut [f32], query: &'a mut [f32],
    ) {
        let width = gradient.len();
        for (row, slope) in values.chunks_exact(width).zip(slopes.iter_mut()) {
            *slope = sum_over(width, |i| row[i] * gradient[i]);
        }
        let mean = sum_over(shares.len(), |i| shares[i] * slopes[i]);
        for ((row, slope), share) in values.chunks_exact(width).zip(slopes.iter_mut()).zip(shares) {
            *slope = share * (*slope - mean);
            for (to, value) in query.iter_mut().zip(row) {
                *to += *slope * value;
            }
        }
    }
}
