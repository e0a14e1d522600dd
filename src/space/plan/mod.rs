//! The plan of a space: its decisions in the order they are made, each with the options that have a
//! valid completion.
//!
//! A walk through a program is cut into junctions, the places where something is decided. What lies
//! between two junctions follows from the decision and is worked out once; the next walk that comes by
//! takes a step in an array. A place is a [continuation](continuation): what is still to be walked
//! after the current point, with the state that arrives. Whether some completion is valid, and how
//! many there are, is a sum over the engine's outcomes along the continuation ([`measure`]), so no
//! walk ever has to try and fail.
//!
//! Costs that a constraint bounds are carried beside the state, not in it: two walks that differ only
//! in what they have spent so far share every junction.

mod continuation;
mod indices;
mod measure;
mod totals;
mod walk;

pub(super) use indices::Cursor;
pub(super) use walk::{Decide, Prefer, Taken};

use super::program::{BodyIx, Node as ProgramNode};
use super::state::Lane;
use super::transfer::{Engine, Focused, Outcomes, Point, StateId, View};
use continuation::{ContId, Continuations, Frame, PathId, Place};
use measure::{Cost, Measures};
use rustc_hash::FxHashMap;
use std::sync::Arc;
use totals::Totals;

/// The position of a node of the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct NodeId(u32);

/// Where a walk stands still.
#[derive(Debug)]
enum Node {
    /// It is over, in this state.
    End(StateId),
    /// A decision.
    Junction(Junction),
    /// A shared body promises one of several results.
    Promise(Promise),
}

/// A decision: the options that some completion makes valid, in the program's order.
#[derive(Debug)]
struct Junction {
    address: Arc<str>,
    point: Point,
    options: Arc<[u32]>,
    weights: Vec<f64>,
    places: Vec<Place>,
}

/// The results that a call of a shared body may promise, each with what it leads to.
#[derive(Debug)]
struct Promise {
    body: BodyIx,
    /// What the body sees in each lane that has no promise yet, and where walking it for that alone
    /// begins.
    contexts: Vec<(Lane, NodeId)>,
    /// The states with their promises made.
    promised: Vec<StateId>,
    places: Vec<Place>,
    costs: Vec<Cost>,
}

impl Node {
    /// Where a branch leads, and what is spent there by someone who has spent `cost`.
    fn branch(&self, branch: usize, cost: &Cost) -> (Place, Cost) {
        match self {
            Self::Junction(junction) => (junction.places[branch], cost.clone()),
            Self::Promise(promise) => {
                let mut total = cost.clone();
                add(&mut total, &promise.costs[branch]);
                (promise.places[branch], total)
            }
            Self::End(_) => unreachable!("an end has no branches"),
        }
    }
}

/// The next node of each branch, once known, and what is spent on the way.
type Followers = Vec<Option<(Cost, NodeId)>>;

/// The junctions of one program, found as walks come by.
#[derive(Debug)]
pub(super) struct Plan {
    engine: Engine,
    continuations: Continuations,
    measures: Measures,
    totals: Totals,
    nodes: Vec<Arc<Node>>,
    followers: Vec<Followers>,
    junctions: FxHashMap<Place, NodeId>,
    first: Option<(Cost, NodeId)>,
    start: Place,
    /// Whether 128 bits hold every number of walks, once known.
    small: Option<bool>,
}

impl Plan {
    /// The plan of a solved program that starts in `state`.
    pub fn new(engine: Engine, state: StateId) -> Self {
        let mut continuations = Continuations::default();
        let root = Point::at(engine.program.root);
        let end = continuations.push(Frame::End, None);
        let top = continuations.top();
        let cont = continuations.push(Frame::Go(root, top), Some(end));
        let start = Place {
            cont,
            state,
            scopes: continuations.no_scopes(),
        };
        Self {
            measures: Measures::new(&engine.program),
            totals: Totals::default(),
            engine,
            continuations,
            nodes: Vec::new(),
            followers: Vec::new(),
            junctions: FxHashMap::default(),
            first: None,
            start,
            small: None,
        }
    }

    /// How much is remembered.
    pub fn entries(&self) -> usize {
        let walked = self.nodes.len() + self.continuations.len() + self.totals.len();
        self.engine.entries() + self.measures.len() + walked
    }

    /// Nothing spent.
    fn free(&self) -> Cost {
        vec![0; self.engine.program.tracked.len()]
    }

    /// The first junction and what is spent before it.
    fn first(&mut self) -> (Cost, NodeId) {
        if let Some(known) = &self.first {
            return known.clone();
        }
        let mut cost = self.free();
        let node = self.advance(self.start, &mut cost);
        self.first.insert((cost, node)).clone()
    }

    /// The node that follows branch `branch` of `node`; what is spent on the way is added to `cost`.
    fn follow(&mut self, node: NodeId, branch: usize, cost: &mut Cost) -> NodeId {
        if let Some((spent, next)) = &self.followers[node.0 as usize][branch] {
            add(cost, spent);
            return *next;
        }
        let (place, mut spent) = self.nodes[node.0 as usize].branch(branch, &self.free());
        let next = self.advance(place, &mut spent);
        add(cost, &spent);
        self.followers[node.0 as usize][branch] = Some((spent, next));
        next
    }

    /// Whether a branch has a valid completion for someone who has spent `cost`.
    fn is_live_branch(&mut self, node: &Node, branch: usize, cost: &Cost) -> bool {
        let (place, total) = node.branch(branch, cost);
        self.is_live(place.cont, place.state, &total)
    }

    fn outcomes(&mut self, point: Point, state: StateId) -> Outcomes {
        self.engine
            .transfer(point, state)
            .expect("the limit is lifted once a space is solved")
    }

    /// Walks on from `place` to where something is decided.
    fn advance(&mut self, mut place: Place, cost: &mut Cost) -> NodeId {
        loop {
            let (frame, rest) = self.continuations.frame(place.cont);
            let Some(rest) = rest else {
                return self.add(Node::End(place.state), 0);
            };
            match frame {
                Frame::Go(point, path) => {
                    if let Some(node) = self.go(&mut place, (point, path), rest, cost) {
                        return node;
                    }
                }
                Frame::Unfocus(point, whole) => {
                    let whole = self.engine.state(whole);
                    let after = self.engine.unfocus(point, &whole, place.state);
                    let after = after.expect("only ends within the bounds are walked to");
                    place.state = self.spend(rest, after, cost);
                    place.cont = rest;
                }
                Frame::Settled(body, whole) => {
                    let whole = self.engine.state(whole);
                    let after = self.engine.settled(body, &whole, place.state);
                    let after = after.expect("only ends that keep the promises are walked to");
                    place.state = self.spend(rest, after, cost);
                    place.scopes = self.continuations.close(place.scopes, body);
                    place.cont = rest;
                }
                Frame::End | Frame::Stop => unreachable!("nothing comes after an end"),
            }
        }
    }

    /// Enters a point; the node, if something is decided here.
    fn go(
        &mut self,
        place: &mut Place,
        (point, path): (Point, PathId),
        rest: ContId,
        cost: &mut Cost,
    ) -> Option<NodeId> {
        let conts = &mut self.continuations;
        match self.engine.view(point) {
            View::Choice => return Some(self.junction(*place, point, path, rest)),
            View::Shared(body) => return self.share(place, (point, body), rest, cost),
            View::Step => {
                let outcomes = self.outcomes(point, place.state);
                let (after, _) = outcomes.first().expect("a step is walked where it fits");
                place.state = self.spend(rest, *after, cost);
                place.cont = rest;
            }
            View::Open(body) => {
                let name = self.engine.program.body(body).name.clone();
                place.scopes = conts.open(place.scopes, body, path, &name);
                place.cont = rest;
            }
            View::Below(segment, inner) => {
                let below = conts.below(path, &segment);
                place.cont = conts.push(Frame::Go(inner, below), Some(rest));
            }
            View::Then(first, second, segment) => {
                let second = conts.push(Frame::Go(second, path), Some(rest));
                let below = conts.below(path, segment.as_deref().unwrap_or(""));
                place.cont = conts.push(Frame::Go(first, below), Some(second));
            }
            View::Focus(inner) => {
                let whole = self.engine.state(place.state);
                match self.engine.focus(point, &whole) {
                    Focused::Nothing => place.cont = rest,
                    Focused::Fails => unreachable!("a call is walked only where it fits"),
                    Focused::On(sub) => {
                        let after = conts.push(Frame::Unfocus(point, place.state), Some(rest));
                        place.cont = conts.push(Frame::Go(inner, path), Some(after));
                        place.state = self.spend(after, sub, cost);
                    }
                }
            }
            View::Close(body) => {
                let whole = self.engine.state(place.state);
                match self.engine.settle(body, &whole) {
                    None => {
                        place.scopes = conts.close(place.scopes, body);
                        place.cont = rest;
                    }
                    Some(uses) => {
                        let node = Point::at(self.engine.program.body(body).node);
                        let there = conts.scope(place.scopes, body);
                        let after = conts.push(Frame::Settled(body, place.state), Some(rest));
                        place.cont = conts.push(Frame::Go(node, there), Some(after));
                        place.state = uses;
                    }
                }
            }
        }
        None
    }

    /// The state without what it has cost, which is added to `cost`. Inside of a shared body, where
    /// results must come out exactly as promised, costs stay in the state.
    fn spend(&mut self, cont: ContId, state: StateId, cost: &mut Cost) -> StateId {
        if cost.is_empty() || self.continuations.is_exact(cont) {
            return state;
        }
        let full = self.engine.state(state);
        if full.lanes[0].cost.iter().all(|&part| part == 0) {
            return state;
        }
        add(cost, &full.lanes[0].cost);
        let mut free = (*full).clone();
        free.lanes[0].cost.fill(0);
        self.engine.intern(free)
    }

    fn junction(&mut self, at: Place, point: Point, path: PathId, rest: ContId) -> NodeId {
        if let Some(&known) = self.junctions.get(&at) {
            return known;
        }
        let program = Arc::clone(&self.engine.program);
        let ProgramNode::Choice { segment, options } = program.node(point.node) else {
            unreachable!("only choices are viewed as choices");
        };
        let below = self.continuations.below(path, segment);
        let (mut offered, mut weights, mut places) = (Vec::new(), Vec::new(), Vec::new());
        for (number, option) in options.iter().enumerate() {
            let frame = Frame::Go(Point::at(option.node), below);
            let cont = self.continuations.push(frame, Some(rest));
            if self.is_possible(cont, at.state) {
                offered.push(number as u32);
                weights.push(option.weight);
                places.push(Place { cont, ..at });
            }
        }
        let branches = places.len();
        let junction = Junction {
            address: self.continuations.text(below),
            point,
            options: offered.into(),
            weights,
            places,
        };
        let node = self.add(Node::Junction(junction), branches);
        self.junctions.insert(at, node);
        node
    }

    /// A call of a shared body: its only possible promise is made; a node, if there are several.
    fn share(
        &mut self,
        place: &mut Place,
        (point, body): (Point, BodyIx),
        rest: ContId,
        cost: &mut Cost,
    ) -> Option<NodeId> {
        if let Some(&known) = self.junctions.get(place) {
            return Some(known);
        }
        let (mut promised, mut places, mut costs) = (Vec::new(), Vec::new(), Vec::new());
        // Ordered by what is promised: the numbers of states depend on who walked here before.
        let outcomes = self.outcomes(point, place.state);
        let mut ends: Vec<StateId> = outcomes.iter().map(|(end, _)| *end).collect();
        ends.sort_by_cached_key(|end| self.engine.state(*end));
        for end in &ends {
            let mut spent = self.free();
            let state = self.spend(rest, *end, &mut spent);
            if self.is_possible(rest, state) {
                promised.push(state);
                places.push(Place {
                    cont: rest,
                    state,
                    ..*place
                });
                costs.push(spent);
            }
        }
        if let ([only], [spent]) = (places.as_slice(), costs.as_slice()) {
            add(cost, spent);
            *place = *only;
            return None;
        }
        let contexts = self.contexts(*place, point, body);
        let branches = places.len();
        let promise = Promise {
            body,
            contexts,
            promised,
            places,
            costs,
        };
        let node = self.add(Node::Promise(promise), branches);
        self.junctions.insert(*place, node);
        Some(node)
    }

    /// What the body sees in each lane that has no promise for it, and the walks for each alone.
    fn contexts(&mut self, place: Place, point: Point, body: BodyIx) -> Vec<(Lane, NodeId)> {
        let whole = self.engine.state(place.state);
        let mut contexts: Vec<(Lane, NodeId)> = Vec::new();
        for lane in 0..whole.lanes.len() {
            let context = self.engine.shared_context(point, &whole, lane);
            let (_, context) = context.expect("a shared call is walked only where it fits");
            let known = contexts.iter().any(|(other, _)| *other == context);
            if known || whole.promised(body, &context).is_some() {
                continue;
            }
            let state = self.engine.alone(body, &context, &whole);
            let node = Point::at(self.engine.program.body(body).node);
            let there = self.continuations.scope(place.scopes, body);
            let stop = self.continuations.push(Frame::Stop, None);
            let cont = self.continuations.push(Frame::Go(node, there), Some(stop));
            let alone = Place {
                cont,
                state,
                ..place
            };
            let start = self.advance(alone, &mut Vec::new());
            contexts.push((context, start));
        }
        contexts
    }

    fn add(&mut self, node: Node, branches: usize) -> NodeId {
        let id =
            NodeId(u32::try_from(self.nodes.len()).expect("plans are made afresh long before"));
        self.nodes.push(Arc::new(node));
        self.followers.push(vec![None; branches]);
        id
    }
}

fn add(cost: &mut Cost, more: &[u64]) {
    for (total, part) in cost.iter_mut().zip(more) {
        *total = total.saturating_add(*part);
    }
}
