//! A forest of regression trees over decisions (Breiman, 2001): each tree grows on a resample of the
//! rows, and each split asks whether one column has one value, of some columns drawn for it.

use crate::random::Stream;

/// Nodes with fewer rows are not divided.
const LEAST: usize = 3;

/// The deepest that a tree grows.
const DEEPEST: usize = 24;

/// A row: the value of each column, 0 for a decision that is not made.
pub(super) type Row = Vec<u32>;

/// Trees that each give a guess.
#[derive(Debug)]
pub(super) struct Forest {
    trees: Vec<Vec<Node>>,
}

#[derive(Debug)]
enum Node {
    Leaf(f64),
    /// Rows with this value in this column go on at the next node, others at `otherwise`.
    Split {
        column: usize,
        value: u32,
        otherwise: usize,
    },
}

/// Count, sum and sum of squares.
#[derive(Clone, Copy, Default)]
struct Moments(f64, f64, f64);

impl Moments {
    fn add(&mut self, target: f64) {
        self.0 += 1.0;
        self.1 += target;
        self.2 += target * target;
    }

    fn less(self, other: Self) -> Self {
        Self(self.0 - other.0, self.1 - other.1, self.2 - other.2)
    }

    /// The sum of squared distances to the mean.
    fn spread(self) -> f64 {
        self.2 - self.1 * self.1 / self.0
    }
}

impl Forest {
    /// Grows `trees` trees on rows, which may differ in length, and their targets.
    pub fn grow(rows: &[Row], targets: &[f64], trees: usize, stream: &mut Stream) -> Self {
        let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
        let mut grower = Grower {
            rows,
            targets,
            columns: (0..columns).collect(),
            moments: Vec::new(),
            nodes: Vec::new(),
        };
        let grow = |_| {
            let mut sample: Vec<usize> =
                (0..rows.len()).map(|_| stream.index(rows.len())).collect();
            grower.node(&mut sample, 0, stream);
            std::mem::take(&mut grower.nodes)
        };
        Self {
            trees: (0..trees).map(grow).collect(),
        }
    }

    /// Mean and standard deviation of the trees' guesses.
    pub fn guess(&self, row: &[u32]) -> (f64, f64) {
        let guesses = self.trees.iter().map(|tree| follow(tree, row));
        let mut moments = Moments::default();
        guesses.for_each(|guess| moments.add(guess));
        let variance = (moments.spread() / moments.0).max(0.0);
        (moments.1 / moments.0, libm::sqrt(variance))
    }
}

fn follow(tree: &[Node], row: &[u32]) -> f64 {
    let mut at = 0;
    loop {
        match &tree[at] {
            Node::Leaf(guess) => return *guess,
            Node::Split {
                column,
                value,
                otherwise,
            } => {
                at = if cell(row, *column) == *value {
                    at + 1
                } else {
                    *otherwise
                }
            }
        }
    }
}

fn cell(row: &[u32], column: usize) -> u32 {
    row.get(column).copied().unwrap_or(0)
}

struct Grower<'a> {
    rows: &'a [Row],
    targets: &'a [f64],
    columns: Vec<usize>,
    moments: Vec<Moments>,
    nodes: Vec<Node>,
}

impl Grower<'_> {
    fn node(&mut self, sample: &mut [usize], depth: usize, stream: &mut Stream) {
        let mut whole = Moments::default();
        sample.iter().for_each(|&row| whole.add(self.targets[row]));
        let divisible = sample.len() >= LEAST && depth < DEEPEST && whole.spread() > 1e-12;
        let split = divisible
            .then(|| self.split(sample, whole, stream))
            .flatten();
        let Some((column, value)) = split else {
            self.nodes.push(Node::Leaf(whole.1 / whole.0));
            return;
        };
        let place = self.nodes.len();
        self.nodes.push(Node::Leaf(0.0));
        let boundary = partition(sample, |row| cell(&self.rows[row], column) == value);
        let (same, other) = sample.split_at_mut(boundary);
        self.node(same, depth + 1, stream);
        let otherwise = self.nodes.len();
        self.nodes[place] = Node::Split {
            column,
            value,
            otherwise,
        };
        self.node(other, depth + 1, stream);
    }

    /// The question that leaves the least spread, of those about half of the columns.
    fn split(
        &mut self,
        sample: &[usize],
        whole: Moments,
        stream: &mut Stream,
    ) -> Option<(usize, u32)> {
        let asked = self.columns.len().div_ceil(2);
        for place in 0..asked {
            let other = place + stream.index(self.columns.len() - place);
            self.columns.swap(place, other);
        }
        let mut best: Option<(f64, usize, u32)> = None;
        for &column in &self.columns[..asked] {
            self.moments.clear();
            for &row in sample {
                let value = cell(&self.rows[row], column) as usize;
                if value >= self.moments.len() {
                    self.moments.resize(value + 1, Moments::default());
                }
                self.moments[value].add(self.targets[row]);
            }
            for (value, &same) in self.moments.iter().enumerate() {
                let other = whole.less(same);
                if same.0 < 1.0 || other.0 < 1.0 {
                    continue;
                }
                let left = same.spread() + other.spread();
                if best.is_none_or(|(held, ..)| left < held) {
                    best = Some((left, column, value as u32));
                }
            }
        }
        best.map(|(_, column, value)| (column, value))
    }
}

/// Moves the rows that are `first` to the front; how many they are. Keeps no order.
fn partition(sample: &mut [usize], first: impl Fn(usize) -> bool) -> usize {
    let mut boundary = 0;
    for place in 0..sample.len() {
        if first(sample[place]) {
            sample.swap(boundary, place);
            boundary += 1;
        }
    }
    boundary
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Seed};

    #[test]
    fn a_forest_learns_a_sum_of_decisions() {
        let mut stream = Seed(1).stream(0, Purpose::Tool);
        let mut row = || -> Row { (0..6).map(|_| 1 + stream.below(5) as u32).collect() };
        let truth = |row: &Row| f64::from(row[0]) + 2.0 * f64::from(u32::from(row[3] == 2));
        let rows: Vec<Row> = (0..300).map(|_| row()).collect();
        let fresh: Vec<Row> = (0..100).map(|_| row()).collect();
        let targets: Vec<f64> = rows.iter().map(truth).collect();
        let mut stream = Seed(2).stream(0, Purpose::Tool);
        let forest = Forest::grow(&rows, &targets, 20, &mut stream);
        let errors = fresh
            .iter()
            .map(|row| (forest.guess(row).0 - truth(row)).abs());
        let error = errors.sum::<f64>() / 100.0;
        assert!(error < 0.25, "mean error {error}");
    }

    #[test]
    fn one_row_or_equal_targets_are_no_trouble() {
        let mut stream = Seed(3).stream(0, Purpose::Tool);
        let forest = Forest::grow(&[vec![]], &[2.0], 3, &mut stream);
        assert_eq!(forest.guess(&[]), (2.0, 0.0));
        let forest = Forest::grow(&vec![vec![1, 2]; 9], &[5.0; 9], 3, &mut stream);
        assert_eq!(forest.guess(&[7, 8, 9]), (5.0, 0.0));
    }
}
