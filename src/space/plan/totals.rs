//! Running totals: how many walks go through the branches before each branch of a node.

use super::measure::Cost;
use super::{NodeId, Plan};
use num_bigint::BigUint;
use num_traits::{ToPrimitive, Zero};
use rustc_hash::FxHashMap;
use std::ops::{AddAssign, SubAssign};
use std::sync::Arc;

/// A number of walks: 128 bits where all of a plan's fit, as many as it takes elsewhere.
pub(super) trait Natural:
    Clone + Ord + Zero + for<'a> AddAssign<&'a Self> + for<'a> SubAssign<&'a Self>
{
    /// The number, which must fit.
    fn of(number: &BigUint) -> Self;

    /// Where a plan keeps totals of this kind.
    fn shelf(totals: &mut Totals) -> &mut Shelf<Self>;
}

impl Natural for u128 {
    fn of(number: &BigUint) -> Self {
        number.to_u128().expect("no part is larger than the whole")
    }

    fn shelf(totals: &mut Totals) -> &mut Shelf<Self> {
        &mut totals.small
    }
}

impl Natural for BigUint {
    fn of(number: &BigUint) -> Self {
        number.clone()
    }

    fn shelf(totals: &mut Totals) -> &mut Shelf<Self> {
        &mut totals.large
    }
}

/// The totals of one node for one cost: before each branch, and of all.
type Row<N> = Arc<[N]>;

/// Totals of the nodes that walks have met.
#[derive(Debug)]
pub(super) struct Shelf<N> {
    /// Of nodes that are reached without costs, by their numbers.
    free: Vec<Option<Row<N>>>,
    costly: FxHashMap<(NodeId, Cost), Row<N>>,
}

impl<N> Default for Shelf<N> {
    fn default() -> Self {
        Self {
            free: Vec::new(),
            costly: FxHashMap::default(),
        }
    }
}

impl<N> Shelf<N> {
    fn get(&self, node: NodeId, cost: &Cost) -> Option<&Row<N>> {
        if cost.is_empty() {
            return self.free.get(node.0 as usize)?.as_ref();
        }
        // Only a map of pairs can be asked without a pair of its own, so costs are copied.
        self.costly.get(&(node, cost.clone()))
    }

    fn put(&mut self, node: NodeId, cost: &Cost, row: Row<N>) {
        if !cost.is_empty() {
            self.costly.insert((node, cost.clone()), row);
            return;
        }
        let at = node.0 as usize;
        if self.free.len() <= at {
            self.free.resize_with(at + 1, || None);
        }
        self.free[at] = Some(row);
    }
}

/// All totals that are known.
#[derive(Debug, Default)]
pub(super) struct Totals {
    small: Shelf<u128>,
    large: Shelf<BigUint>,
}

impl Totals {
    pub fn len(&self) -> usize {
        let (small, large) = (&self.small, &self.large);
        small.free.len() + small.costly.len() + large.free.len() + large.costly.len()
    }
}

impl Plan {
    /// How many walks go through the branches before each branch of a node, and through all.
    pub(super) fn totals<N: Natural>(&mut self, at: NodeId, cost: &Cost) -> Row<N> {
        if let Some(known) = N::shelf(&mut self.totals).get(at, cost) {
            return Arc::clone(known);
        }
        let node = Arc::clone(&self.nodes[at.0 as usize]);
        let mut total = N::zero();
        let mut row = vec![total.clone()];
        for branch in 0..self.followers[at.0 as usize].len() {
            let (place, spent) = node.branch(branch, cost);
            let ways = self.ways(place.cont, place.state, &spent);
            total += &N::of(&ways);
            row.push(total.clone());
        }
        let row: Row<N> = row.into();
        N::shelf(&mut self.totals).put(at, cost, Arc::clone(&row));
        row
    }
}
