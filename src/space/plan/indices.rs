//! Indices: genomes are numbered in the order of their decisions, the first decision foremost.

use super::measure::Cost;
use super::walk::{Decide, Taken};
use super::{Node, NodeId, Plan, Promise, add};
use crate::space::transfer::Point;
use num_bigint::BigUint;
use num_traits::Zero;
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

    /// The decisions of walk number `index`, which must be below the count.
    pub fn unrank(&mut self, mut index: BigUint) -> Vec<Taken> {
        let (mut cost, mut at) = self.first();
        let mut taken = Vec::new();
        loop {
            let node = Arc::clone(&self.nodes[at.0 as usize]);
            let mut chosen = None;
            for branch in 0..self.followers[at.0 as usize].len() {
                let ways = self.branch_ways(&node, branch, &cost);
                if index < *ways {
                    chosen = Some(branch);
                    break;
                }
                index -= &*ways;
            }
            let Some(branch) = chosen else {
                debug_assert!(
                    matches!(&*node, Node::End(_)),
                    "the index is below the count"
                );
                return taken;
            };
            if let Node::Junction(junction) = &*node {
                taken.push(Taken {
                    address: Arc::clone(&junction.address),
                    option: junction.options[branch],
                    offered: Arc::clone(&junction.options),
                    point: Some(junction.point),
                });
            }
            at = self.follow(at, branch, &mut cost);
        }
    }

    fn branch_ways(&mut self, node: &Node, branch: usize, cost: &Cost) -> Arc<BigUint> {
        match node {
            Node::End(_) => Arc::default(),
            Node::Junction(junction) => {
                let place = junction.places[branch];
                self.ways(place.cont, place.state, cost)
            }
            Node::Promise(promise) => {
                let place = promise.places[branch];
                let mut total = cost.clone();
                add(&mut total, &promise.costs[branch]);
                self.ways(place.cont, place.state, &total)
            }
        }
    }

    /// The number of the walk whose decisions `decider` follows, if there is one.
    pub fn rank<D: Decide>(&mut self, decider: &mut D) -> Option<BigUint> {
        let (mut cost, mut at) = self.first();
        let mut index = BigUint::zero();
        loop {
            let node = Arc::clone(&self.nodes[at.0 as usize]);
            let branch = match &*node {
                Node::End(_) => return Some(index),
                Node::Junction(junction) => {
                    decider.decide(&junction.address, &junction.options, &junction.weights)
                }
                Node::Promise(promise) => self.kept_promise(promise, decider)?,
            };
            if self.branch_ways(&node, branch, &cost).is_zero() {
                return None;
            }
            for earlier in 0..branch {
                index += &*self.branch_ways(&node, earlier, &cost);
            }
            at = self.follow(at, branch, &mut cost);
        }
    }

    /// The branch that promises exactly what the decider's decisions come to.
    fn kept_promise<D: Decide>(&mut self, promise: &Promise, decider: &mut D) -> Option<usize> {
        let results = self.rehearse(promise, decider);
        promise.promised.iter().position(|state| {
            let state = self.engine.state(*state);
            promise
                .contexts
                .iter()
                .zip(&results)
                .all(|((context, _), end)| {
                    let result = self.engine.state(*end);
                    state.promised(promise.body, context) == Some(&result.lanes[0])
                })
        })
    }
}

/// A walk that is taken to the next one in the order of indices, again and again.
#[derive(Debug, Default)]
pub(in crate::space) struct Cursor {
    /// The nodes on the way, the branch taken at each, and what was spent before.
    trail: Vec<(NodeId, usize, Cost)>,
}

impl Cursor {
    /// The walk whose decisions `taken` are, all of them.
    pub fn at(plan: &mut Plan, index: BigUint) -> Self {
        let mut cursor = Self::default();
        let (mut cost, mut at) = plan.first();
        let mut index = index;
        loop {
            let node = Arc::clone(&plan.nodes[at.0 as usize]);
            if matches!(&*node, Node::End(_)) {
                return cursor;
            }
            let mut branch = 0;
            loop {
                let ways = plan.branch_ways(&node, branch, &cost);
                if index < *ways {
                    break;
                }
                index -= &*ways;
                branch += 1;
            }
            cursor.trail.push((at, branch, cost.clone()));
            at = plan.follow(at, branch, &mut cost);
        }
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
        self.trail.iter().filter_map(decision).collect()
    }
}

impl Plan {
    /// The first branch from `branch` on that has a valid completion.
    fn live_from(&mut self, at: NodeId, branch: usize, cost: &Cost) -> Option<usize> {
        let node = Arc::clone(&self.nodes[at.0 as usize]);
        (branch..self.followers[at.0 as usize].len()).find(|&branch| match &*node {
            Node::End(_) => false,
            Node::Junction(junction) => {
                let place = junction.places[branch];
                self.is_live(place.cont, place.state, cost)
            }
            Node::Promise(promise) => {
                let place = promise.places[branch];
                let mut total = cost.clone();
                add(&mut total, &promise.costs[branch]);
                self.is_live(place.cont, place.state, &total)
            }
        })
    }
}
