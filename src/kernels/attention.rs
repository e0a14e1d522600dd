//! Attention between the positions of a sequence, and a mean over positions that attends.

use super::dense::Map;
use super::functions::exp;
use super::operation::{Operation, Pass};
use super::rows::sum_over;
use super::simd::{Arithmetic, vectorised};
use super::sums::column_sums;
use super::windows::{Packed, Run, Windows, outer_product, padded, product};
use crate::random::Stream;

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
    room: Room,
}

#[derive(Clone, Debug, Default)]
struct Room {
    packed: Packed,
    offsets: Vec<usize>,
    /// Where queries, rows of shares and what they gather begin, head after head.
    queries: Vec<usize>,
    rows: Vec<usize>,
    places: Vec<usize>,
    runs: Vec<Run>,
    shares: Vec<f32>,
    sums: Vec<f32>,
    gathered: Vec<f32>,
    all: Vec<f32>,
}

impl Room {
    /// Lists the positions of an example under the heads that share a key.
    fn list(&mut self, h: &Heads, example: usize, kv: usize) {
        let (length, each) = (h.length, h.each());
        let [query, ..] = h.places(kv);
        let positions =
            || (0..h.shared()).flat_map(|head| (0..length).map(move |p| (head * each, p)));
        let fill = |to: &mut Vec<usize>, first: usize, step: usize| {
            to.clear();
            let base = example * length * step + first;
            to.extend(positions().map(|(head, position)| base + position * step + head));
        };
        fill(&mut self.queries, query, h.projected());
        fill(&mut self.places, query, h.features);
        steps(&mut self.rows, h.shared() * length, length);
    }

    /// The same as runs: rows of shares and what `places` or `queries` say.
    fn run(&mut self, h: &Heads, queries: bool) {
        let (places, step) = match queries {
            true => (&self.queries, h.projected()),
            false => (&self.places, h.features),
        };
        self.runs.clear();
        for (rows, places) in self
            .rows
            .chunks_exact(h.length)
            .zip(places.chunks_exact(h.length))
        {
            self.runs.push(Run {
                count: h.length,
                first: [rows[0], places[0]],
                step: [h.length, step],
            });
        }
    }
}

impl SelfAttention {
    /// With these heads.
    pub fn new(heads: Heads) -> Self {
        Self {
            heads,
            maps: [Map::default(), Map::default()],
            all: Vec::new(),
            shares: Vec::new(),
            gathered: Vec::new(),
            room: Room::default(),
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

    fn gather(&mut self, example: usize, kv: usize) {
        let squares = self.squares(example, kv);
        let (h, room) = (&self.heads, &mut self.room);
        let (length, each, wide) = (h.length, h.each(), h.projected());
        let [_, key, value] = h.places(kv);
        let base = example * length * wide;
        let shares = &mut self.shares[squares];
        room.list(h, example, kv);
        // Scores: queries times keys.
        steps(&mut room.offsets, each, 1);
        room.packed
            .fill(&self.all[base + key..], &room.offsets, wide, length);
        let queries = Windows::rows(&self.all, each);
        product(
            queries,
            &room.queries,
            &room.packed,
            shares,
            &room.rows,
            false,
        );
        softmax_rows(shares, length, h.scale(), h.causal);
        // Shares times values.
        steps(&mut room.offsets, length, wide);
        room.packed
            .fill(&self.all[base + value..], &room.offsets, 1, each);
        let rows = Windows::rows(shares, length);
        product(
            rows,
            &room.rows,
            &room.packed,
            &mut self.gathered,
            &room.places,
            false,
        );
    }

    /// From the gradient of what was gathered, in `room.gathered`, to that of queries, keys and values.
    fn gather_back(&mut self, example: usize, kv: usize) {
        let squares = self.squares(example, kv);
        let (h, room) = (&self.heads, &mut self.room);
        let (length, each, wide) = (h.length, h.each(), h.projected());
        let [_, key, value] = h.places(kv);
        let base = example * length * wide;
        let shares = &self.shares[squares];
        room.list(h, example, kv);
        // Values: shares, transposed, times the gradient.
        room.run(h, false);
        transposed(
            shares,
            length,
            &room.gathered,
            each,
            &room.runs,
            &mut room.sums,
        );
        copy_rows(&room.sums, each, &mut room.all[base + value..], wide);
        // Shares: the gradient times values, transposed.
        let mut slopes = std::mem::take(&mut room.shares);
        slopes.resize(shares.len(), 0.0);
        steps(&mut room.offsets, each, 1);
        room.packed
            .fill(&self.all[base + value..], &room.offsets, wide, length);
        let gradients = Windows::rows(&room.gathered, each);
        product(
            gradients,
            &room.places,
            &room.packed,
            &mut slopes,
            &room.rows,
            false,
        );
        softmax_rows_back(shares, &mut slopes, length, h.scale());
        // Queries: scores' gradient times keys.
        steps(&mut room.offsets, length, wide);
        room.packed
            .fill(&self.all[base + key..], &room.offsets, 1, each);
        let rows = Windows::rows(&slopes, length);
        product(
            rows,
            &room.rows,
            &room.packed,
            &mut room.all,
            &room.queries,
            false,
        );
        // Keys: scores' gradient, transposed, times queries.
        room.run(h, true);
        transposed(&slopes, length, &self.all, each, &room.runs, &mut room.sums);
        copy_rows(&room.sums, each, &mut room.all[base + key..], wide);
        room.shares = slopes;
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
        self.maps[0].forward(
            [features, wide],
            pass.inputs[0],
            &pass.parameters[0],
            bias(0),
            &mut self.all,
        );
        self.heads.rotate(&mut self.all, 1.0);
        self.shares
            .resize(pass.batch * heads * length * length, 0.0);
        self.gathered.resize(pass.batch * length * features, 0.0);
        for example in 0..pass.batch {
            (0..self.heads.kv_heads).for_each(|kv| self.gather(example, kv));
        }
        self.maps[1].forward(
            [features; 2],
            &self.gathered,
            &pass.parameters[out],
            bias(1),
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
        let (features, wide) = (self.heads.features, self.heads.projected());
        let (out, biases) = self.numbers();
        self.maps[1].weight_gradient(
            [features; 2],
            &self.gathered,
            gradient,
            &mut parameters[out],
        );
        self.room.gathered.resize(gradient.len(), 0.0);
        self.maps[1].input_gradient(
            [features; 2],
            gradient,
            &pass.parameters[out],
            &mut self.room.gathered,
        );
        self.room.all.resize(self.all.len(), 0.0);
        for example in 0..pass.batch {
            (0..self.heads.kv_heads).for_each(|kv| self.gather_back(example, kv));
        }
        self.heads.rotate(&mut self.room.all, -1.0);
        self.maps[0].weight_gradient(
            [features, wide],
            pass.inputs[0],
            &self.room.all,
            &mut parameters[0],
        );
        if let Some([way_in, way_out]) = biases {
            column_sums(&self.room.all, &mut parameters[way_in]);
            column_sums(gradient, &mut parameters[way_out]);
        }
        if let Some(target) = &mut inputs[0] {
            self.maps[0].input_gradient(
                [features, wide],
                &self.room.all,
                &pass.parameters[0],
                target,
            );
        }
    }
}

fn steps(to: &mut Vec<usize>, count: usize, step: usize) {
    to.clear();
    to.extend((0..count).map(|index| index * step));
}

/// Square matrices, each transposed, times rows of `right` of `width` values, all of it added: rows of [`padded`] values.
fn transposed(
    squares: &[f32],
    length: usize,
    right: &[f32],
    width: usize,
    runs: &[Run],
    sums: &mut Vec<f32>,
) {
    sums.clear();
    sums.resize(length * padded(width), 0.0);
    let rows = Windows::rows(squares, length);
    outer_product(rows, right, (runs, squares.len() / length), width, sums);
}

/// Copies padded rows to rows that are `stride` apart.
fn copy_rows(rows: &[f32], width: usize, to: &mut [f32], stride: usize) {
    for (row, to) in rows.chunks_exact(padded(width)).zip(to.chunks_mut(stride)) {
        to[..width].copy_from_slice(&row[..width]);
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
