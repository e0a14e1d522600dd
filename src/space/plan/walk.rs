//! Guided walks: every decision in order, each among the options that have a valid completion.

use super::measure::Cost;
use super::{Junction, Node, NodeId, Plan, Promise};
use crate::random::Stream;
use crate::space::Genome;
use crate::space::genome::Finder;
use crate::space::transfer::{Point, StateId};
use std::sync::Arc;

/// Who decides.
pub(in crate::space) trait Decide {
    /// A position in `offered`, which is not empty. `weights` are the options' prior weights.
    fn decide(&mut self, address: &Arc<str>, offered: &[u32], weights: &[f64]) -> usize;

    /// A shared body is walked to see what it would come to; its decisions are made for good later.
    fn rehearse(&mut self, _on: bool) {}
}

/// A decision that was made.
#[derive(Clone, Debug)]
pub(in crate::space) struct Taken {
    pub address: Arc<str>,
    pub option: u32,
    /// The options with a valid completion.
    pub offered: Arc<[u32]>,
    /// Where in the program, unless it is a training setting.
    pub point: Option<Point>,
}

impl Plan {
    /// A whole walk.
    pub fn walk<D: Decide>(&mut self, decider: &mut D) -> Vec<Taken> {
        let (mut cost, first) = self.first();
        let mut taken = Vec::new();
        self.walk_from(first, &mut cost, decider, &mut |decision| {
            taken.push(decision);
        });
        taken
    }

    /// What the options at a point are called.
    pub fn option_names(&self, point: Point) -> Vec<String> {
        match self.engine.program.node(point.node) {
            crate::space::program::Node::Choice { options, .. } => options
                .iter()
                .map(|option| option.name.to_string())
                .collect(),
            _ => Vec::new(),
        }
    }

    /// Walks from a node to the end; the state there.
    pub(super) fn walk_from<D: Decide>(
        &mut self,
        mut at: NodeId,
        cost: &mut Cost,
        decider: &mut D,
        visit: &mut dyn FnMut(Taken),
    ) -> StateId {
        loop {
            let node = Arc::clone(&self.nodes[at.0 as usize]);
            let branch = match &*node {
                Node::End(state) => return *state,
                Node::Junction(junction) => {
                    let (branch, taken) = self.decide(&node, junction, cost, decider);
                    visit(taken);
                    branch
                }
                Node::Promise(promise) => self.prefer(&node, promise, cost, decider),
            };
            at = self.follow(at, branch, cost);
        }
    }

    fn decide<D: Decide>(
        &mut self,
        node: &Node,
        junction: &Junction,
        cost: &Cost,
        decider: &mut D,
    ) -> (usize, Taken) {
        let address = &junction.address;
        let taken = |option: u32, offered: Arc<[u32]>| Taken {
            address: Arc::clone(address),
            option,
            offered,
            point: Some(junction.point),
        };
        let all = &junction.options;
        let live = self.live_branches(node, all.len(), cost);
        let Some(live) = live.filter(|live| live.len() < all.len()) else {
            let branch = decider.decide(address, all, &junction.weights);
            return (branch, taken(all[branch], Arc::clone(all)));
        };
        let offered: Arc<[u32]> = live.iter().map(|&branch| all[branch]).collect();
        let weights: Vec<f64> = live
            .iter()
            .map(|&branch| junction.weights[branch])
            .collect();
        let place = decider.decide(address, &offered, &weights);
        (live[place], taken(offered[place], offered))
    }

    /// Those of a junction's branches that some completion makes valid; nothing where all always are.
    fn live_branches(&mut self, node: &Node, branches: usize, cost: &Cost) -> Option<Vec<usize>> {
        if cost.is_empty() && self.measures.monotone {
            return None;
        }
        let live = (0..branches).filter(|&branch| self.is_live_branch(node, branch, cost));
        Some(live.collect())
    }

    /// The branch whose promises are what the decider would come to by walking the body for each use
    /// alone, or the one nearest to that.
    fn prefer<D: Decide>(
        &mut self,
        node: &Node,
        promise: &Promise,
        cost: &Cost,
        decider: &mut D,
    ) -> usize {
        let results = self.rehearse(promise, decider);
        let branches = 0..promise.places.len();
        let possible = branches.filter(|&branch| self.is_live_branch(node, branch, cost));
        let possible: Vec<usize> = possible.collect();
        let best = possible
            .into_iter()
            .rev()
            .max_by_key(|&branch| self.agreement(promise, branch, &results));
        best.expect("a shared call is walked only where some promise can be kept")
    }

    /// For how many uses of the body, from the first one on, a branch promises what it came to.
    pub(super) fn agreement(&self, promise: &Promise, branch: usize, results: &[StateId]) -> usize {
        let state = self.engine.state(promise.promised[branch]);
        let agrees = promise
            .contexts
            .iter()
            .zip(results)
            .take_while(|((context, _), end)| {
                let result = self.engine.state(**end);
                state.promised(promise.body, context) == Some(&result.lanes[0])
            });
        agrees.count()
    }

    /// What the body comes to for each use by itself, its decisions made by the decider.
    pub(super) fn rehearse<D: Decide>(
        &mut self,
        promise: &Promise,
        decider: &mut D,
    ) -> Vec<StateId> {
        decider.rehearse(true);
        let starts = promise.contexts.iter().map(|(_, start)| *start);
        let ends = starts
            .map(|start| self.walk_from(start, &mut Vec::new(), decider, &mut |_| {}))
            .collect();
        decider.rehearse(false);
        ends
    }
}

/// Prefers the options of a genome; draws by prior weight what it lacks or what no longer fits.
pub(in crate::space) struct Prefer<'a> {
    genome: Finder<'a>,
    /// What was drawn while rehearsing, so that it is decided the same for good.
    drawn: Genome,
    rehearsals: usize,
    stream: &'a mut Stream,
}

impl<'a> Prefer<'a> {
    pub fn new(genome: &'a Genome, stream: &'a mut Stream) -> Self {
        Self {
            genome: genome.finder(),
            drawn: Genome::new(),
            rehearsals: 0,
            stream,
        }
    }
}

impl Decide for Prefer<'_> {
    fn decide(&mut self, address: &Arc<str>, offered: &[u32], weights: &[f64]) -> usize {
        let known = self.genome.find(address).or_else(|| {
            let drawn = &self.drawn;
            (!drawn.is_empty()).then(|| drawn.get(address)).flatten()
        });
        let fitting = known.and_then(|known| offered.iter().position(|&option| option == known));
        if let Some(place) = fitting {
            return place;
        }
        let place = if offered.len() == 1 {
            0
        } else {
            self.stream.weighted(weights)
        };
        if self.rehearsals > 0 {
            self.drawn.insert(Arc::clone(address), offered[place]);
        }
        place
    }

    fn rehearse(&mut self, on: bool) {
        self.rehearsals = if on {
            self.rehearsals + 1
        } else {
            self.rehearsals - 1
        };
    }
}
