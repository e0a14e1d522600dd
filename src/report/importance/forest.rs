//! A random forest over decisions with few options each (Breiman 2001).

use crate::random::{Purpose, Seed, Stream};

const TREES: u64 = 64;

/// The fewest trials of a leaf.
const LEAF: usize = 3;

/// Trials that a tree is fitted to at most.
const MOST_ROWS: usize = 2_000;

/// Trees fitted to resampled trials. Column c of a table holds the option of each trial, below
/// `sizes[c]`.
pub(super) struct Forest {
    trees: Vec<Tree>,
}

struct Tree {
    nodes: Vec<Node>,
    /// Whether a trial was among those it was fitted to.
    seen: Vec<bool>,
}

enum Node {
    Leaf(f64),
    /// Trials with this option there go to the first child, others to the second.
    Split {
        column: usize,
        option: usize,
        children: (usize, usize),
    },
}

impl Forest {
    pub fn fit(table: &[&[usize]], sizes: &[usize], scores: &[f64], seed: Seed) -> Self {
        let tree = |number| {
            let mut stream = seed.stream(number, Purpose::Tool);
            let count = scores.len().min(MOST_ROWS);
            let rows: Vec<usize> = (0..count).map(|_| stream.index(scores.len())).collect();
            let mut seen = vec![false; scores.len()];
            rows.iter().for_each(|&row| seen[row] = true);
            let mut growth = Growth {
                table,
                sizes,
                scores,
                nodes: Vec::new(),
                stream,
            };
            growth.grow(rows);
            Tree {
                nodes: growth.nodes,
                seen,
            }
        };
        Self {
            trees: (0..TREES).map(tree).collect(),
        }
    }

    /// The share of the variance of scores that trees explain in trials they were not fitted to.
    pub fn explained(&self, table: &[&[usize]], scores: &[f64]) -> f64 {
        let mean = scores.iter().sum::<f64>() / scores.len() as f64;
        let (mut left, mut whole) = (0.0, 0.0);
        for (row, score) in scores.iter().enumerate() {
            let strangers = self.trees.iter().filter(|tree| !tree.seen[row]);
            let said: Vec<f64> = strangers.map(|tree| tree.predict(table, row)).collect();
            if said.is_empty() {
                continue;
            }
            let said = said.iter().sum::<f64>() / said.len() as f64;
            left += (score - said) * (score - said);
            whole += (score - mean) * (score - mean);
        }
        if whole > 0.0 { 1.0 - left / whole } else { 0.0 }
    }

    /// The share of each tree's variance over the whole space that each column explains by itself,
    /// averaged over trees. All options of a column count alike.
    pub fn main_effects(&self, sizes: &[usize]) -> Vec<f64> {
        let mut shares = vec![0.0; sizes.len()];
        let mut counted = 0.0;
        for tree in &self.trees {
            let boxes = tree.boxes(sizes);
            let mean: f64 = boxes
                .iter()
                .map(|part| part.volume(sizes) * part.value)
                .sum();
            let squares = boxes.iter().map(|part| {
                let away = part.value - mean;
                part.volume(sizes) * away * away
            });
            let variance: f64 = squares.sum();
            if variance <= 0.0 {
                continue;
            }
            counted += 1.0;
            for (column, share) in shares.iter_mut().enumerate() {
                *share += main_effect(&boxes, sizes, column, mean) / variance;
            }
        }
        let averaged = |share: f64| if counted > 0.0 { share / counted } else { 0.0 };
        shares.into_iter().map(averaged).collect()
    }
}

/// The variance of a tree's mean as a function of one column.
fn main_effect(boxes: &[Box], sizes: &[usize], column: usize, mean: f64) -> f64 {
    let mut marginal = vec![0.0; sizes[column]];
    for part in boxes {
        let allowed = &part.allowed[column];
        let kept = allowed.iter().filter(|allowed| **allowed).count() as f64;
        let elsewhere = part.volume(sizes) * sizes[column] as f64 / kept;
        for (option, sum) in marginal.iter_mut().enumerate() {
            if allowed[option] {
                *sum += elsewhere * part.value;
            }
        }
    }
    let away = marginal.iter().map(|value| (value - mean) * (value - mean));
    away.sum::<f64>() / sizes[column] as f64
}

/// A part of the space on which a tree is constant.
#[derive(Clone)]
struct Box {
    /// Which options of each column are in it.
    allowed: Vec<Vec<bool>>,
    value: f64,
}

impl Box {
    /// The share of the space that it is.
    fn volume(&self, sizes: &[usize]) -> f64 {
        let share = |(allowed, size): (&Vec<bool>, &usize)| {
            allowed.iter().filter(|allowed| **allowed).count() as f64 / *size as f64
        };
        self.allowed.iter().zip(sizes).map(share).product()
    }
}

impl Tree {
    fn predict(&self, table: &[&[usize]], row: usize) -> f64 {
        let mut at = 0;
        loop {
            match &self.nodes[at] {
                Node::Leaf(value) => return *value,
                Node::Split {
                    column,
                    option,
                    children,
                } => {
                    let goes_first = table[*column][row] == *option;
                    at = if goes_first { children.0 } else { children.1 };
                }
            }
        }
    }

    fn boxes(&self, sizes: &[usize]) -> Vec<Box> {
        let whole = sizes.iter().map(|size| vec![true; *size]).collect();
        let mut found = Vec::new();
        let mut open: Vec<(usize, Vec<Vec<bool>>)> = vec![(0, whole)];
        while let Some((at, allowed)) = open.pop() {
            match &self.nodes[at] {
                Node::Leaf(value) => found.push(Box {
                    allowed,
                    value: *value,
                }),
                Node::Split {
                    column,
                    option,
                    children,
                } => {
                    let mut with = allowed.clone();
                    for (index, allowed) in with[*column].iter_mut().enumerate() {
                        *allowed &= index == *option;
                    }
                    let mut without = allowed;
                    without[*column][*option] = false;
                    open.push((children.0, with));
                    open.push((children.1, without));
                }
            }
        }
        found
    }
}

struct Growth<'a> {
    table: &'a [&'a [usize]],
    sizes: &'a [usize],
    scores: &'a [f64],
    nodes: Vec<Node>,
    stream: Stream,
}

impl Growth<'_> {
    /// Grows a subtree over some trials; its place among the nodes.
    fn grow(&mut self, rows: Vec<usize>) -> usize {
        let sum: f64 = rows.iter().map(|&row| self.scores[row]).sum();
        let place = self.nodes.len();
        self.nodes.push(Node::Leaf(sum / rows.len() as f64));
        let Some((column, option)) = self.best_split(&rows, sum) else {
            return place;
        };
        let (with, without) = rows
            .into_iter()
            .partition(|&row| self.table[column][row] == option);
        let children = (self.grow(with), self.grow(without));
        self.nodes[place] = Node::Split {
            column,
            option,
            children,
        };
        place
    }

    /// The split that leaves the least variance, among a random third of the columns.
    fn best_split(&mut self, rows: &[usize], sum: f64) -> Option<(usize, usize)> {
        if rows.len() < 2 * LEAF {
            return None;
        }
        let mut columns: Vec<usize> = (0..self.table.len()).collect();
        self.stream.shuffle(&mut columns);
        columns.truncate(self.table.len().div_ceil(3).max(2));
        let n = rows.len() as f64;
        let mut best: Option<(f64, usize, usize)> = None;
        for column in columns {
            let mut parts = vec![(0usize, 0.0); self.sizes[column]];
            for &row in rows {
                let part = &mut parts[self.table[column][row]];
                part.0 += 1;
                part.1 += self.scores[row];
            }
            for (option, &(count, part)) in parts.iter().enumerate() {
                if count < LEAF || rows.len() - count < LEAF {
                    continue;
                }
                let (inside, outside) = (count as f64, n - count as f64);
                let gain =
                    part * part / inside + (sum - part) * (sum - part) / outside - sum * sum / n;
                if gain > 1e-12 && best.is_none_or(|(least, ..)| gain > least) {
                    best = Some((gain, column, option));
                }
            }
        }
        best.map(|(_, column, option)| (column, option))
    }
}
