//! Gradient-boosted trees: the trees are `forust-ml`'s, the rounds are ours.
//!
//! In each round one tree a number is grown on the loss's first and second derivatives (Chen and Guestrin, 2016);
//! of three classes or more, the trees of a round share one softmax. That is a dozen lines more than calling the
//! crate's own loop, which knows two losses, and it can be told to stop between two trees.

use super::loss::Loss;
use super::{FittedModel, Parts};
use crate::data::Part;
use forust_ml::Matrix;
use forust_ml::binning::{BinnedData, bin_matrix};
use forust_ml::constraints::ConstraintMap;
use forust_ml::gradientbooster::GrowPolicy;
use forust_ml::sampler::SampleMethod;
use forust_ml::splitter::MissingImputerSplitter;
use forust_ml::tree::Tree;

/// How deep trees may be: the validation examples choose.
const DEPTHS: [usize; 2] = [3, 6];

/// The share of each tree's values that is added.
const LEARNING_RATE: f32 = 0.1;

/// The most rounds.
const MOST_ROUNDS: usize = 1000;

/// Rounds without a lower loss of the validation examples after which no more are tried.
const PATIENCE: usize = 25;

/// The penalty of a leaf's squared value.
const L2: f32 = 1.0;

/// The least sum of second derivatives in a leaf.
const LEAST_IN_A_LEAF: f32 = 1.0;

/// The most thresholds of a feature, and one.
const BINS: u16 = 255;

/// What is to be tried.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Plan {
    depth: usize,
    rounds: usize,
}

pub(super) fn fit<E>(
    parts: &Parts<'_>,
    loss: Loss,
    go_on: &mut dyn FnMut() -> Result<(), E>,
) -> Result<(Vec<f64>, FittedModel), E> {
    let plan = choose(parts, loss, go_on)?;
    let table = Table::of(parts.retraining, loss);
    let mut growing = Growing::new(&table, parts.test, loss);
    for _ in 0..plan.rounds {
        growing.round(plan.depth, go_on)?;
    }
    let chosen = [("rounds", plan.rounds), ("depth", plan.depth)];
    let model = FittedModel {
        size: growing.size,
        chosen: chosen
            .map(|(name, value)| (name.to_owned(), value as f64))
            .into(),
        converged: true,
    };
    Ok((growing.watched_raw, model))
}

/// The depth and the number of rounds with the lowest loss of the validation examples; of equals the first.
fn choose<E>(
    parts: &Parts<'_>,
    loss: Loss,
    go_on: &mut dyn FnMut() -> Result<(), E>,
) -> Result<Plan, E> {
    let table = Table::of(parts.train, loss);
    let wanted = loss.wanted(&parts.validation.targets);
    let mut best: Option<(f64, Plan)> = None;
    for depth in DEPTHS {
        let mut growing = Growing::new(&table, parts.validation, loss);
        let (mut least, mut at) = (loss.mean(&growing.watched_raw, &wanted), 0);
        for round in 1..=MOST_ROUNDS {
            growing.round(depth, go_on)?;
            let found = loss.mean(&growing.watched_raw, &wanted);
            if found < least {
                (least, at) = (found, round);
            }
            if round - at >= PATIENCE {
                break;
            }
        }
        if best.is_none_or(|(before, _)| least < before) {
            best = Some((least, Plan { depth, rounds: at }));
        }
    }
    let (_, plan) = best.expect("there are depths to try");
    Ok(plan)
}

/// Examples to be met by trees, in bins.
struct Table {
    rows: usize,
    features: Vec<usize>,
    binned: BinnedData<f64>,
    wanted: Vec<f64>,
}

impl Table {
    fn of(part: &Part, loss: Loss) -> Self {
        let values = columns(part);
        let features = part.shape.elements();
        let matrix = Matrix::new(&values, part.len(), features);
        let ones = vec![1.0; part.len()];
        let binned = bin_matrix(&matrix, &ones, BINS, f64::NAN, false);
        Self {
            rows: part.len(),
            features: (0..features).collect(),
            binned: binned.expect("a table's values are finite numbers"),
            wanted: loss.wanted(&part.targets),
        }
    }
}

/// The inputs, feature after feature.
fn columns(part: &Part) -> Vec<f64> {
    let features = part.shape.elements();
    let column = |feature: usize| {
        let values = part.inputs.iter().skip(feature).step_by(features);
        values.copied().map(f64::from)
    };
    (0..features).flat_map(column).collect()
}

/// Trees in growth. They themselves are not kept: what they say of the watched examples is.
struct Growing<'a> {
    table: &'a Table,
    loss: Loss,
    raw: Vec<f64>,
    watched: Vec<f64>,
    watched_rows: usize,
    watched_raw: Vec<f64>,
    /// Thresholds and leaves' values so far.
    size: u64,
}

impl<'a> Growing<'a> {
    /// Nothing but a constant.
    fn new(table: &'a Table, watched: &Part, loss: Loss) -> Self {
        let constant = loss.constant(&table.wanted);
        Self {
            table,
            loss,
            raw: constant.repeat(table.rows),
            watched: columns(watched),
            watched_rows: watched.len(),
            watched_raw: constant.repeat(watched.len()),
            size: loss.width as u64,
        }
    }

    /// Adds one tree a number.
    fn round<E>(
        &mut self,
        depth: usize,
        go_on: &mut dyn FnMut() -> Result<(), E>,
    ) -> Result<(), E> {
        let derivatives = self.derivatives();
        for (column, (first, second)) in derivatives.iter().enumerate() {
            go_on()?;
            self.tree(column, depth, first, second);
        }
        Ok(())
    }

    /// The loss's derivatives, a pair of columns for each number.
    fn derivatives(&self) -> Vec<(Vec<f32>, Vec<f32>)> {
        let (width, rows) = (self.loss.width, self.table.rows);
        let mut out = vec![(vec![0.0; rows], vec![0.0; rows]); width];
        let (mut first, mut second) = (vec![0.0; width], vec![0.0; width]);
        let wanted = self.table.wanted.chunks_exact(width);
        for (row, (raw, wanted)) in self.raw.chunks_exact(width).zip(wanted).enumerate() {
            self.loss.row(raw, wanted, &mut first, &mut second);
            for (column, (slopes, bends)) in out.iter_mut().enumerate() {
                (slopes[row], bends[row]) = (first[column] as f32, second[column] as f32);
            }
        }
        out
    }

    fn tree(&mut self, column: usize, depth: usize, first: &[f32], second: &[f32]) {
        let (table, width) = (self.table, self.loss.width);
        let bins = Matrix::new(&table.binned.binned_data, table.rows, table.features.len());
        let mut tree = Tree::new();
        let rows = tree.fit(
            &bins,
            bins.index.clone(),
            &table.features,
            &table.binned.cuts,
            first,
            second,
            &splitter(),
            usize::MAX,
            depth,
            false,
            &SampleMethod::None,
            &GrowPolicy::DepthWise,
        );
        self.size += tree.nodes.len() as u64;
        let rows = rows.expect("a split leaves rows on both sides");
        for (members, value) in rows.leaves(&tree) {
            for &row in members {
                self.raw[row * width + column] += value;
            }
        }
        let watched = Matrix::new(&self.watched, self.watched_rows, table.features.len());
        for (row, value) in tree.predict(&watched, false, &f64::NAN).iter().enumerate() {
            self.watched_raw[row * width + column] += value;
        }
    }
}

fn splitter() -> MissingImputerSplitter {
    let (l1, gamma, no_limit) = (0.0, 0.0, 0.0);
    MissingImputerSplitter::new(
        l1,
        L2,
        no_limit,
        gamma,
        LEAST_IN_A_LEAF,
        LEARNING_RATE,
        true,
        ConstraintMap::new(),
    )
}
