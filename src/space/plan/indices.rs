//! Indices: genomes are numbered in the order of their decisions, the first decision foremost.

use super::measure::Cost;
use super::totals::Natural;
use super::walk::Decide;
use super::{Node, NodeId, Plan, Promise};
use crate::space::transfer::Point;
use num_bigint::BigUint;
use num_traits::ToPrimitive;
use std::sync::Arc;

impl Plan {
    /// How many walks there are.
    pub fn count(&mut self) -> BigUint {
        let root = Point::at(self.engine.program.root);
        let outcomes = self.outcomes(root, self.start.state);
        let accepted = outcomes
            .iter()
            .filter(|(end, _)| self.engine.accepts_end(*end));
        accepted.map(|(_, ways)| ways).sum()
    }

    /// Whether 128 bits hold every number of walks.
    fn is_small(&mut self) -> bool {
        if let Some(known) = self.small {
            return known;
        }
        let small = self.count().to_u128().is_some();
        *self.small.insert(small)
    }

    /// The decisions of walk number `index`, which must be below the count.
    pub fn unrank(&mut self, index: BigUint) -> Vec<(Arc<str>, u32)> {
        Cursor::at(self, index).decisions(self)
    }

    /// The number of the walk whose decisions `decider` follows, if there is one.
    pub fn rank<D: Decide>(&mut self, decider: &mut D) -> Option<BigUint> {
        if self.is_small() {
            self.rank_as::<u128, D>(decider).map(BigUint::from)
        } else {
            self.rank_as::<BigUint, D>(decider)
        }
    }

    fn rank_as<N: Natural, D: Decide>(&mut self, decider: &mut D) -> Option<N> {
        let (mut cost, mut at) = self.first();
        let mut index = N::zero();
        loop {
            let node = Arc::clone(&self.nodes[at.0 as usize]);
            let branch = match &*node {
                Node::End(_) => return Some(index),
                Node::Junction(junction) => {
                    decider.decide(&junction.address, &junction.options, &junction.weights)
                }
                Node::Promise(promise) => self.kept_promise(promise, decider)?,
            };
            let totals = self.totals::<N>(at, &cost);
            if totals[branch] == totals[branch + 1] {
                return None;
            }
            index += &totals[branch];
            at = self.follow(at, branch, &mut cost);
        }
    }

    /// The branch that promises exactly what the decider's decisions come to.
    fn kept_promise<D: Decide>(&mut self, promise: &Promise, decider: &mut D) -> Option<usize> {
        let results = self.rehearse(promise, decider);
        let all = promise.contexts.len();
        (0..promise.places.len()).find(|&branch| self.agreement(promise, branch, &results) == all)
    }

    /// The first branch from `branch` on that has a valid completion.
    fn live_from(&mut self, at: NodeId, branch: usize, cost: &Cost) -> Option<usize> {
        let node = Arc::clone(&self.nodes[at.0 as usize]);
        let mut branches = branch..self.followers[at.0 as usize].len();
        branches.find(|&branch| self.is_live_branch(&node, branch, cost))
    }
}

/// A walk that is taken to the next one in the order of indices, again and again.
#[derive(Debug, Default)]
pub(in crate::space) struct Cursor {
    /// The nodes on the way, the branch taken at each, and what was spent before.
    trail: Vec<(NodeId, usize, Cost)>,
}

impl Cursor {
    /// Walk number `index`, which must be below the count.
    pub fn at(plan: &mut Plan, index: BigUint) -> Self {
        if plan.is_small() {
            Self::at_as(plan, <u128 as Natural>::of(&index))
        } else {
            Self::at_as(plan, index)
        }
    }

    fn at_as<N: Natural>(plan: &mut Plan, mut index: N) -> Self {
        let mut cursor = Self::default();
        let (mut cost, mut at) = plan.first();
        while !matches!(&*plan.nodes[at.0 as usize], Node::End(_)) {
            let totals = plan.totals::<N>(at, &cost);
            let branch = totals[1..].partition_point(|total| *total <= index);
            index -= &totals[branch];
            cursor.trail.push((at, branch, cost.clone()));
            at = plan.follow(at, branch, &mut cost);
        }
        cursor
    }

    /// Goes on to the next walk; false where there is none.
    pub fn advance(&mut self, plan: &mut Plan) -> bool {
        while let Some((node, branch, cost)) = self.trail.pop() {
            if let Some(next) = plan.live_from(node, branch + 1, &cost) {
                self.descend(plan, node, next, cost);
                return true;
            }
        }
        false
    }

    /// Takes `branch` at `node`, then the first branch at every node after it.
    fn descend(&mut self, plan: &mut Plan, node: NodeId, branch: usize, cost: Cost) {
        let (mut at, mut branch, mut cost) = (node, branch, cost);
        loop {
            self.trail.push((at, branch, cost.clone()));
            at = plan.follow(at, branch, &mut cost);
            match plan.live_from(at, 0, &cost) {
                Some(first) => branch = first,
                None => return,
            }
        }
    }

    /// The decisions of the walk.
    pub fn decisions(&self, plan: &Plan) -> Vec<(Arc<str>, u32)> {
        let decision =
            |(node, branch, _): &(NodeId, usize, Cost)| match &*plan.nodes[node.0 as usize] {
                Node::Junction(junction) => {
                    Some((Arc::clone(&junction.address), junction.options[*branch]))
                }
                _ => None,
            };
        let mut decisions = Vec::with_capacity(self.trail.len());
        decisions.extend(self.trail.iter().filter_map(decision));
        decisions
    }
}
