//! The dynamic programme behind every exact answer: for each program point and state, which states
//! can come out and in how many ways.
//!
//! States are interned, outcomes are memoised by (point, state), and a body is walked on the part of
//! the state it can see, so equal situations are solved once however often they occur.

use super::program::{BodyIx, Node, NodeIx, Program};
use super::state::{Lane, State, Tensor, UNSET, within};
use crate::architecture::Mark;
use num_bigint::BigUint;
use num_traits::One;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How many interned states and memoised outcomes a space may need before it counts as too large.
pub(super) const ENTRY_LIMIT: usize = 8_000_000;

/// An interned [`State`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct StateId(u32);

/// A place in a running program: a node, and for loops the copy about to start, or being inside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Point {
    pub node: NodeIx,
    pub copy: u32,
    pub inside: bool,
}

impl Point {
    pub fn at(node: NodeIx) -> Self {
        Self {
            node,
            copy: 0,
            inside: false,
        }
    }
}

/// The states that can come out, in the order of their numbers, each with its number of ways.
pub(super) type Outcomes = Arc<Vec<(StateId, BigUint)>>;

/// Exact mathematics over this space needs more memory than it may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the exact count would need more than {ENTRY_LIMIT} intermediate states")]
pub(super) struct TooLarge;

/// How a point is walked.
pub(super) enum View {
    /// One point, then another; the first below an address part where one is given.
    Then(Point, Point, Option<String>),
    /// A point below an address part.
    Below(String, Point),
    /// Exactly one of the node's alternatives.
    Choice,
    /// A point, on a part of the state.
    Focus(Point),
    /// A call of a shared body.
    Shared(BodyIx),
    /// A shared body's decisions begin to be addressed here.
    Open(BodyIx),
    /// A shared body's decisions are settled.
    Close(BodyIx),
    /// A step without decisions.
    Step,
}

/// The memo of one program.
#[derive(Debug)]
pub(super) struct Engine {
    pub program: Arc<Program>,
    states: Vec<Arc<State>>,
    ids: FxHashMap<Arc<State>, StateId>,
    outcomes: FxHashMap<(Point, StateId), Outcomes>,
    entries: usize,
    limit: usize,
}

impl Engine {
    /// A memo that may grow to `limit` entries.
    pub fn new(program: Arc<Program>, limit: usize) -> Self {
        Self {
            program,
            states: Vec::new(),
            ids: FxHashMap::default(),
            outcomes: FxHashMap::default(),
            entries: 0,
            limit,
        }
    }

    /// The state a program starts in.
    pub fn start(&mut self) -> StateId {
        let lane = Lane {
            stack: vec![Tensor::input(self.program.input)],
            carried: Vec::new(),
            slots: vec![UNSET; self.program.globals],
            kept: Vec::new(),
            depth: self.program.depth,
            cost: vec![0; self.program.tracked.len()],
        };
        self.intern(State {
            lanes: vec![lane],
            records: Vec::new(),
        })
    }

    /// Lets the memo grow without limit.
    pub fn lift_limit(&mut self) {
        self.limit = usize::MAX;
    }

    /// Whether a network may end in this state, which holds what it costs.
    pub fn accepts_end(&self, end: StateId) -> bool {
        let cost = self.state(end).lanes[0].cost.clone();
        self.accepts(end, &cost)
    }

    /// Whether this state's shape is what the output asks for.
    pub fn fits_end(&self, end: StateId) -> bool {
        self.state(end).lanes[0].top() == self.program.output.shape()
    }

    /// Whether a network may end in this state after spending `cost`.
    pub fn accepts(&self, end: StateId, cost: &[u64]) -> bool {
        let lane = &self.states[end.0 as usize].lanes[0];
        let top = lane.top_tensor();
        top.shape == self.program.output.shape() && self.program.meets(&lane.kept, cost, top.mark)
    }

    /// How many states and outcomes are remembered.
    pub fn entries(&self) -> usize {
        self.entries
    }

    pub fn intern(&mut self, state: State) -> StateId {
        if let Some(&known) = self.ids.get(&state) {
            return known;
        }
        let id = StateId(u32::try_from(self.states.len()).expect("the entry limit is far below"));
        let state = Arc::new(state);
        self.states.push(Arc::clone(&state));
        self.ids.insert(state, id);
        self.entries += 1;
        id
    }

    pub fn state(&self, id: StateId) -> Arc<State> {
        Arc::clone(&self.states[id.0 as usize])
    }

    /// What the point is, seen from its parent.
    pub fn view(&self, point: Point) -> View {
        match self.program.node(point.node) {
            Node::Then(first, second) => View::Then(Point::at(*first), Point::at(*second), None),
            Node::Label(segment, node) => View::Below(segment.to_string(), Point::at(*node)),
            Node::Choice { .. } => View::Choice,
            Node::Guard { node, .. } => View::Focus(Point::at(*node)),
            Node::Call { body, segment, .. } => {
                let inner = Point::at(self.program.body(*body).node);
                if point.inside {
                    View::Below(segment.to_string(), inner)
                } else {
                    View::Focus(Point {
                        inside: true,
                        ..point
                    })
                }
            }
            Node::Loop { node, segment, .. } => {
                if point.inside {
                    let next = Point {
                        node: point.node,
                        copy: point.copy + 1,
                        inside: false,
                    };
                    let part = format!("{segment}[{}]", point.copy);
                    View::Then(Point::at(*node), next, Some(part))
                } else {
                    View::Focus(Point {
                        inside: true,
                        ..point
                    })
                }
            }
            Node::Shared { body, .. } => View::Shared(*body),
            Node::Open(body) => View::Open(*body),
            Node::Close(body) => View::Close(*body),
            Node::Step(_) => View::Step,
        }
    }

    /// The states that can come out of `point`, entered in `state`.
    ///
    /// # Errors
    /// When the memo outgrows its limit.
    pub fn transfer(&mut self, point: Point, state: StateId) -> Result<Outcomes, TooLarge> {
        if let Some(known) = self.outcomes.get(&(point, state)) {
            return Ok(Arc::clone(known));
        }
        let found = stacker::maybe_grow(128 << 10, 4 << 20, || self.solve(point, state))?;
        self.entries += found.len() + 1;
        if self.entries > self.limit {
            return Err(TooLarge);
        }
        self.outcomes.insert((point, state), Arc::clone(&found));
        Ok(found)
    }

    /// Costs add up, so a state with costs is solved without them.
    fn solve(&mut self, point: Point, state: StateId) -> Result<Outcomes, TooLarge> {
        let full = self.state(state);
        if full
            .lanes
            .iter()
            .all(|lane| lane.cost.iter().all(|&cost| cost == 0))
        {
            return self.solve_free(point, state, &full);
        }
        let mut free = (*full).clone();
        for lane in &mut free.lanes {
            lane.cost.fill(0);
        }
        let free = self.intern(free);
        let outcomes = self.transfer(point, free)?;
        let mut found = Found::default();
        for (outcome, ways) in outcomes.iter() {
            let mut state = (*self.state(*outcome)).clone();
            if self.add_costs(&mut state, &full) {
                found.add(self.intern(state), ways.clone());
            }
        }
        Ok(found.outcomes())
    }

    /// Adds the costs of `before`; false where that passes a bound.
    fn add_costs(&self, state: &mut State, before: &State) -> bool {
        state
            .lanes
            .iter_mut()
            .zip(&before.lanes)
            .all(|(lane, base)| {
                let costs = lane
                    .cost
                    .iter_mut()
                    .zip(&base.cost)
                    .zip(&self.program.tracked);
                costs.fold(true, |fits, ((cost, base), tracked)| {
                    *cost = cost.saturating_add(*base);
                    fits && within(tracked, *cost).is_ok()
                })
            })
    }

    fn solve_free(
        &mut self,
        point: Point,
        id: StateId,
        state: &State,
    ) -> Result<Outcomes, TooLarge> {
        let mut found = Found::default();
        match self.view(point) {
            View::Step => {
                if let Ok(next) = self.step(point, state) {
                    found.add(self.intern(next), BigUint::one());
                }
            }
            View::Open(_) => found.add(id, BigUint::one()),
            View::Below(_, inner) => return self.transfer(inner, id),
            View::Then(first, second, _) => {
                for (middle, ways) in self.transfer(first, id)?.iter() {
                    for (end, more) in self.transfer(second, *middle)?.iter() {
                        found.add(*end, ways * more);
                    }
                }
            }
            View::Choice => {
                for option in self.options(point) {
                    for (end, ways) in self.transfer(option, id)?.iter() {
                        found.add(*end, ways.clone());
                    }
                }
            }
            View::Focus(inner) => match self.focus(point, state) {
                Focused::Nothing => found.add(id, BigUint::one()),
                Focused::Fails => {}
                Focused::On(sub) => {
                    for (end, ways) in self.transfer(inner, sub)?.iter() {
                        if let Some(end) = self.unfocus(point, state, *end) {
                            found.add(end, ways.clone());
                        }
                    }
                }
            },
            View::Shared(_) => {
                for end in self.shared_results(point, state)? {
                    found.add(end, BigUint::one());
                }
            }
            View::Close(body) => match self.settle(body, state) {
                None => found.add(id, BigUint::one()),
                Some(uses) => {
                    let node = Point::at(self.program.body(body).node);
                    for (end, ways) in self.transfer(node, uses)?.iter() {
                        if let Some(end) = self.settled(body, state, *end) {
                            found.add(end, ways.clone());
                        }
                    }
                }
            },
        }
        Ok(found.outcomes())
    }

    /// The alternatives of a choice, as points.
    pub fn options(&self, point: Point) -> Vec<Point> {
        match self.program.node(point.node) {
            Node::Choice { options, .. } => options
                .iter()
                .map(|option| Point::at(option.node))
                .collect(),
            _ => Vec::new(),
        }
    }

    /// Applies a step to every lane.
    ///
    /// # Errors
    /// When it does not fit: why, in words.
    pub fn step(&self, point: Point, state: &State) -> Result<State, String> {
        let Node::Step(step) = self.program.node(point.node) else {
            unreachable!("only steps are viewed as steps");
        };
        let mut next = state.clone();
        for lane in &mut next.lanes {
            lane.step(&self.program, step)?;
        }
        Ok(next)
    }

    /// The part of the state that the inside of a guard, call or loop works on.
    pub fn focus(&mut self, point: Point, state: &State) -> Focused {
        let program = Arc::clone(&self.program);
        let sub = match program.node(point.node) {
            Node::Guard { .. } => State {
                lanes: self.active(point, state),
                ..state.clone()
            },
            Node::Loop { index, .. } => {
                let mut lanes = self.active(point, state);
                for lane in &mut lanes {
                    lane.set(*index, crate::layers::Value::Int(i64::from(point.copy)));
                }
                State {
                    lanes,
                    ..state.clone()
                }
            }
            Node::Call {
                body, arguments, ..
            } => {
                let enter = |lane: &Lane| self.enter(*body, arguments, lane).ok();
                let Some(lanes) = state.lanes.iter().map(enter).collect::<Option<Vec<_>>>() else {
                    return Focused::Fails;
                };
                State {
                    lanes,
                    records: state.records_of(&program.body(*body).shared),
                }
            }
            _ => unreachable!("only guards, loops and calls focus"),
        };
        if sub.lanes.is_empty() {
            return Focused::Nothing;
        }
        Focused::On(self.intern(sub))
    }

    fn is_active(&self, point: Point, lane: &Lane) -> bool {
        use crate::layers::Value;
        match self.program.node(point.node) {
            Node::Guard { slot, expected, .. } => lane.get(*slot) == Value::Bool(*expected),
            Node::Loop { count, .. } => {
                matches!(lane.get(*count), Value::Int(n) if n > i64::from(point.copy))
            }
            _ => true,
        }
    }

    fn active(&self, point: Point, state: &State) -> Vec<Lane> {
        let active = |lane: &&Lane| self.is_active(point, lane);
        state.lanes.iter().filter(active).cloned().collect()
    }

    /// The lane that a body sees when it is called from `lane`.
    ///
    /// # Errors
    /// When an argument can't be computed or the depth is used up: why, in words.
    pub fn enter(
        &self,
        body: BodyIx,
        arguments: &[super::expression::Expr],
        lane: &Lane,
    ) -> Result<Lane, String> {
        let body = self.program.body(body);
        let mut slots: Vec<_> = body
            .globals
            .iter()
            .zip(&lane.slots)
            .map(|(&reads, &value)| if reads { value } else { UNSET })
            .collect();
        for argument in arguments {
            slots.push(argument.evaluate(&lane.slots, lane.top())?);
        }
        let depth = match (body.deep, body.recursive) {
            (false, _) => 0,
            (true, false) => lane.depth,
            (true, true) => lane
                .depth
                .checked_sub(1)
                .ok_or("the depth limit is reached")?,
        };
        let carried = if body.carries {
            lane.carried.clone()
        } else {
            Vec::new()
        };
        let cost = vec![0; lane.cost.len()];
        let mut top = lane.top_tensor();
        if !body.carries {
            top.mark = Mark::START;
        }
        let mut inner = Lane {
            stack: vec![top],
            carried,
            slots,
            kept: Vec::new(),
            depth,
            cost,
        };
        inner.count_body(&self.program, &body.name)?;
        Ok(inner)
    }

    /// The whole state after the inside of a guard, call or loop came out as `end`, unless the costs
    /// from before and inside together pass a bound.
    pub fn unfocus(&mut self, point: Point, state: &State, end: StateId) -> Option<StateId> {
        let end = self.state(end);
        let mut whole = state.clone();
        whole.replace_records(&end.records);
        let called = match self.program.node(point.node) {
            Node::Call { body, .. } => Some(*body),
            _ => None,
        };
        let mut results = end.lanes.iter();
        for (lane, before) in whole.lanes.iter_mut().zip(&state.lanes) {
            if !self.is_active(point, before) {
                continue;
            }
            let result = results.next().expect("every active lane has a result");
            if let Some(body) = called {
                lane.take_result(&self.program, body, result);
            } else {
                *lane = result.clone();
            }
        }
        let fits = whole.lanes.iter().all(|lane| {
            let mut costs = lane.cost.iter().zip(&self.program.tracked);
            costs.all(|(&cost, tracked)| within(tracked, cost).is_ok())
        });
        fits.then(|| self.intern(whole))
    }

    /// Every state that a call of a shared body may promise.
    fn shared_results(&mut self, point: Point, state: &State) -> Result<Vec<StateId>, TooLarge> {
        let mut open = vec![state.clone()];
        for index in 0..state.lanes.len() {
            let mut next = Vec::new();
            for state in open {
                match self.shared_context(point, &state, index) {
                    None => {}
                    Some((body, context)) => {
                        next.extend(self.promises(body, &context, &state, index)?);
                    }
                }
            }
            open = next;
        }
        Ok(open.into_iter().map(|state| self.intern(state)).collect())
    }

    /// The shared body that is called, and what it sees in lane `index`.
    pub fn shared_context(
        &self,
        point: Point,
        state: &State,
        index: usize,
    ) -> Option<(BodyIx, Lane)> {
        let Node::Shared { body, arguments } = self.program.node(point.node) else {
            unreachable!("only shared calls are viewed as shared");
        };
        Some((
            *body,
            self.enter(*body, arguments, &state.lanes[index]).ok()?,
        ))
    }

    /// The states in which lane `index` has a result of the shared body for `context`.
    fn promises(
        &mut self,
        body: BodyIx,
        context: &Lane,
        state: &State,
        index: usize,
    ) -> Result<Vec<State>, TooLarge> {
        if let Some(result) = state.promised(body, context) {
            let mut next = state.clone();
            next.lanes[index].take_result(&self.program, body, &result.clone());
            return Ok(vec![next]);
        }
        let mut next = Vec::new();
        for result in self.possible_results(body, context, state)? {
            let mut promised = state.clone();
            promised.lanes[index].take_result(&self.program, body, &result);
            promised.promise(body, context.clone(), result);
            next.push(promised);
        }
        Ok(next)
    }

    fn possible_results(
        &mut self,
        body: BodyIx,
        context: &Lane,
        state: &State,
    ) -> Result<Vec<Lane>, TooLarge> {
        let alone = self.alone(body, context, state);
        let node = Point::at(self.program.body(body).node);
        let outcomes = self.transfer(node, alone)?;
        let mut results: Vec<Lane> = outcomes
            .iter()
            .map(|(end, _)| self.state(*end).lanes[0].clone())
            .collect();
        results.sort_unstable();
        results.dedup();
        Ok(results)
    }

    /// A state in which a shared body is walked for one context alone.
    pub fn alone(&mut self, body: BodyIx, context: &Lane, state: &State) -> StateId {
        let records = state.records_of(&self.program.body(body).shared);
        self.intern(State {
            lanes: vec![context.clone()],
            records,
        })
    }

    /// The state in which a shared body is walked for all of its uses at once, if it has any.
    pub fn settle(&mut self, body: BodyIx, state: &State) -> Option<StateId> {
        let lanes = state
            .record(body)?
            .uses
            .iter()
            .map(|(context, _)| context.clone())
            .collect();
        let records = state.records_of(&self.program.body(body).shared);
        Some(self.intern(State { lanes, records }))
    }

    /// The state after a shared body's uses came out as `end`, if they came out as promised.
    pub fn settled(&mut self, body: BodyIx, state: &State, end: StateId) -> Option<StateId> {
        let end = self.state(end);
        let uses = &state.record(body)?.uses;
        let kept = uses
            .iter()
            .zip(&end.lanes)
            .all(|((_, promised), came)| promised == came);
        kept.then(|| {
            let mut rest = state.without_record(body);
            rest.replace_records(&end.records);
            self.intern(rest)
        })
    }
}

/// What a guard, call or loop works on.
pub(super) enum Focused {
    /// No lane takes part: the state stays as it is.
    Nothing,
    /// It can't be entered.
    Fails,
    /// This part of the state.
    On(StateId),
}

#[derive(Default)]
struct Found(BTreeMap<StateId, BigUint>);

impl Found {
    fn outcomes(self) -> Outcomes {
        Arc::new(self.0.into_iter().collect())
    }

    fn add(&mut self, state: StateId, ways: BigUint) {
        *self.0.entry(state).or_default() += ways;
    }
}
