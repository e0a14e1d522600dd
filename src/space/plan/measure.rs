//! What lies ahead of a place: whether some completion is valid, and how many are.

use super::continuation::{ContId, Frame};
use super::{Plan, add};
use crate::space::program::Program;
use crate::space::transfer::StateId;
use num_bigint::BigUint;
use num_traits::{One, Zero};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// What has been spent of each tracked cost.
pub(super) type Cost = Vec<u64>;

/// The least that completions may cost: no cost in it is at least another in every part.
type Front = Arc<Vec<Cost>>;

/// What is known of the places ahead.
#[derive(Debug)]
pub(super) struct Measures {
    /// Whether spending less is never worse, so that the cheapest completions decide.
    pub(super) monotone: bool,
    fronts: FxHashMap<(ContId, StateId), Front>,
    live: FxHashMap<(ContId, StateId, Cost), bool>,
    ways: FxHashMap<(ContId, StateId, Cost), Arc<BigUint>>,
}

impl Measures {
    pub fn new(program: &Program) -> Self {
        Self {
            monotone: program.bounds_only_above(),
            fronts: FxHashMap::default(),
            live: FxHashMap::default(),
            ways: FxHashMap::default(),
        }
    }

    pub fn len(&self) -> usize {
        self.fronts.len() + self.live.len() + self.ways.len()
    }
}

impl Plan {
    /// Whether some completion is valid for someone who has spent nothing so far.
    pub(super) fn is_possible(&mut self, cont: ContId, state: StateId) -> bool {
        if self.measures.monotone {
            !self.front(cont, state).is_empty()
        } else {
            // What has been spent may yet make it possible.
            true
        }
    }

    /// Whether some completion is valid after spending `cost`.
    pub(super) fn is_live(&mut self, cont: ContId, state: StateId, cost: &Cost) -> bool {
        if !self.measures.monotone {
            return self.is_live_exactly(cont, state, cost);
        }
        let front = self.front(cont, state);
        let tracked = &self.engine.program.tracked;
        front.iter().any(|ahead| {
            let totals = cost.iter().zip(ahead).zip(tracked);
            totals.fold(true, |fits, ((spent, ahead), tracked)| {
                fits && spent.saturating_add(*ahead) <= tracked.max
            })
        })
    }

    fn front(&mut self, cont: ContId, state: StateId) -> Front {
        if let Some(known) = self.measures.fronts.get(&(cont, state)) {
            return Arc::clone(known);
        }
        let front = stacker::maybe_grow(128 << 10, 4 << 20, || self.find_front(cont, state));
        let front = Arc::new(front);
        self.measures
            .fronts
            .insert((cont, state), Arc::clone(&front));
        front
    }

    fn find_front(&mut self, cont: ContId, state: StateId) -> Vec<Cost> {
        let free = self.free();
        let (frame, rest) = self.continuations.frame(cont);
        let Some(rest) = rest else {
            let over = frame == Frame::Stop || self.engine.accepts(state, &free);
            return if over { vec![free] } else { Vec::new() };
        };
        let mut front = Vec::new();
        for (after, spent, _) in self.after(frame, rest, state) {
            for ahead in self.front(rest, after).iter() {
                let mut total = spent.clone();
                add(&mut total, ahead);
                self.keep_least(&mut front, total);
            }
            if free.is_empty() && !front.is_empty() {
                break;
            }
        }
        front
    }

    /// Adds a cost unless it is over a bound or another is as good in every part.
    fn keep_least(&self, front: &mut Vec<Cost>, new: Cost) {
        let covers = |a: &Cost, b: &Cost| a.iter().zip(b).all(|(a, b)| a <= b);
        let tracked = &self.engine.program.tracked;
        let over = new
            .iter()
            .zip(tracked)
            .any(|(cost, tracked)| *cost > tracked.max);
        if over || front.iter().any(|known| covers(known, &new)) {
            return;
        }
        front.retain(|known| !covers(&new, known));
        front.push(new);
    }

    /// The states after a frame, what each costs, and in how many ways it comes about.
    fn after(
        &mut self,
        frame: Frame,
        rest: ContId,
        state: StateId,
    ) -> Vec<(StateId, Cost, BigUint)> {
        let ends = match frame {
            Frame::Go(point, _) => self.outcomes(point, state).to_vec(),
            Frame::Unfocus(point, whole) => {
                let whole = self.engine.state(whole);
                let after = self.engine.unfocus(point, &whole, state);
                after
                    .map(|after| (after, BigUint::one()))
                    .into_iter()
                    .collect()
            }
            Frame::Settled(body, whole) => {
                let whole = self.engine.state(whole);
                let after = self.engine.settled(body, &whole, state);
                after
                    .map(|after| (after, BigUint::one()))
                    .into_iter()
                    .collect()
            }
            Frame::End | Frame::Stop => Vec::new(),
        };
        let mut after = Vec::with_capacity(ends.len());
        for (end, ways) in ends {
            let mut spent = self.free();
            let end = self.spend(rest, end, &mut spent);
            after.push((end, spent, ways));
        }
        after
    }

    fn is_live_exactly(&mut self, cont: ContId, state: StateId, cost: &Cost) -> bool {
        let key = (cont, state, cost.clone());
        if let Some(&known) = self.measures.live.get(&key) {
            return known;
        }
        let live = stacker::maybe_grow(128 << 10, 4 << 20, || {
            let (frame, rest) = self.continuations.frame(cont);
            let Some(rest) = rest else {
                return frame == Frame::Stop || self.engine.accepts(state, cost);
            };
            self.after(frame, rest, state)
                .into_iter()
                .any(|(after, mut spent, _)| {
                    add(&mut spent, cost);
                    self.is_live_exactly(rest, after, &spent)
                })
        });
        self.measures.live.insert(key, live);
        live
    }

    /// How many completions are valid after spending `cost`.
    pub(super) fn ways(&mut self, cont: ContId, state: StateId, cost: &Cost) -> Arc<BigUint> {
        let key = (cont, state, cost.clone());
        if let Some(known) = self.measures.ways.get(&key) {
            return Arc::clone(known);
        }
        let ways = stacker::maybe_grow(128 << 10, 4 << 20, || {
            let (frame, rest) = self.continuations.frame(cont);
            let Some(rest) = rest else {
                let over = frame == Frame::Stop || self.engine.accepts(state, cost);
                return if over {
                    BigUint::one()
                } else {
                    BigUint::zero()
                };
            };
            let mut total = BigUint::zero();
            for (after, mut spent, ways) in self.after(frame, rest, state) {
                add(&mut spent, cost);
                total += ways * &*self.ways(rest, after, &spent);
            }
            total
        });
        let ways = Arc::new(ways);
        self.measures.ways.insert(key, Arc::clone(&ways));
        ways
    }
}
