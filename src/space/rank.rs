//! Indices: the architectures that lead from one state to another are numbered by their decisions.

use super::program::{BodyIx, Node};
use super::transfer::{Engine, Focused, Outcomes, Point, StateId, View};
use super::walk::Path;
use super::{DecodeError, Genome};
use num_bigint::BigUint;
use num_integer::Integer;
use num_traits::Zero;
use std::sync::Arc;

/// Why a walk by index or by genome stopped.
#[derive(Debug)]
pub(super) enum RankError {
    /// The genome is not in the space.
    Genome(DecodeError),
    /// The space is too large for exact mathematics.
    TooLarge,
}

impl From<super::transfer::TooLarge> for RankError {
    fn from(_: super::transfer::TooLarge) -> Self {
        Self::TooLarge
    }
}

/// A walk that turns an index into a genome or a genome into an index.
pub(super) struct Ranking<'a> {
    pub engine: &'a mut Engine,
    pub path: Path,
    pub genome: Genome,
}

impl Ranking<'_> {
    /// Writes into the genome the decisions of walk number `index` from `state` to `target`.
    pub fn unrank(
        &mut self,
        point: Point,
        state: StateId,
        target: StateId,
        index: BigUint,
    ) -> Result<(), RankError> {
        stacker::maybe_grow(128 << 10, 4 << 20, || {
            self.unrank_at(point, state, target, index)
        })
    }

    fn unrank_at(
        &mut self,
        point: Point,
        state: StateId,
        target: StateId,
        mut index: BigUint,
    ) -> Result<(), RankError> {
        match self.engine.view(point) {
            View::Step | View::Shared(_) => Ok(()),
            View::Open(body) => {
                self.open(body);
                Ok(())
            }
            View::Below(segment, inner) => {
                let before = self.path.enter(&segment);
                self.unrank(inner, state, target, index)?;
                self.path.leave(before);
                Ok(())
            }
            View::Then(first, second, segment) => {
                for (middle, ways) in self.engine.transfer(first, state)?.iter() {
                    let after = self.engine.transfer(second, *middle)?;
                    let Some(rest) = ways_to(&after, target) else {
                        continue;
                    };
                    let both = ways * rest;
                    if index >= both {
                        index -= both;
                        continue;
                    }
                    let (before_index, after_index) = index.div_rem(rest);
                    let before = self.path.enter(segment.as_deref().unwrap_or(""));
                    self.unrank(first, state, *middle, before_index)?;
                    self.path.leave(before);
                    return self.unrank(second, *middle, target, after_index);
                }
                unreachable!("an index is below the number of ways")
            }
            View::Choice => self.unrank_choice(point, state, target, index),
            View::Focus(inner) => {
                let whole = self.engine.state(state);
                let Focused::On(sub) = self.engine.focus(point, &whole) else {
                    return Ok(());
                };
                for (end, ways) in self.engine.transfer(inner, sub)?.iter() {
                    if self.engine.unfocus(point, &whole, *end) == Some(target) {
                        if &index < ways {
                            return self.unrank(inner, sub, *end, index);
                        }
                        index -= ways;
                    }
                }
                unreachable!("an index is below the number of ways")
            }
            View::Close(body) => {
                let whole = self.engine.state(state);
                if let Some(uses) = self.engine.settle(body, &whole) {
                    let node = Point::at(self.engine.program.body(body).node);
                    for (end, ways) in self.engine.transfer(node, uses)?.iter() {
                        if self.engine.settled(body, &whole, *end) == Some(target) {
                            if &index < ways {
                                let text = self.path.visit(body);
                                self.unrank(node, uses, *end, index)?;
                                self.path.come_back(text);
                                break;
                            }
                            index -= ways;
                        }
                    }
                }
                self.path.close(body);
                Ok(())
            }
        }
    }

    fn unrank_choice(
        &mut self,
        point: Point,
        state: StateId,
        target: StateId,
        mut index: BigUint,
    ) -> Result<(), RankError> {
        let segment = self.segment(point);
        for (number, option) in self.engine.options(point).into_iter().enumerate() {
            let outcomes = self.engine.transfer(option, state)?;
            let Some(ways) = ways_to(&outcomes, target) else {
                continue;
            };
            if &index < ways {
                self.genome
                    .insert(self.path.address(&segment), number as u32);
                let before = self.path.enter(&segment);
                self.unrank(option, state, target, index)?;
                self.path.leave(before);
                return Ok(());
            }
            index -= ways;
        }
        unreachable!("an index is below the number of ways")
    }

    /// The state that the genome's decisions lead to, and their number among the walks there.
    pub fn rank(&mut self, point: Point, state: StateId) -> Result<(StateId, BigUint), RankError> {
        stacker::maybe_grow(128 << 10, 4 << 20, || self.rank_at(point, state))
    }

    fn rank_at(&mut self, point: Point, state: StateId) -> Result<(StateId, BigUint), RankError> {
        match self.engine.view(point) {
            View::Step => {
                let outcomes = self.engine.transfer(point, state)?;
                let (end, _) = outcomes.first().ok_or_else(|| self.astray())?;
                Ok((*end, BigUint::zero()))
            }
            View::Open(body) => {
                self.open(body);
                Ok((state, BigUint::zero()))
            }
            View::Below(segment, inner) => {
                let before = self.path.enter(&segment);
                let ranked = self.rank(inner, state)?;
                self.path.leave(before);
                Ok(ranked)
            }
            View::Then(first, second, segment) => {
                let before = self.path.enter(segment.as_deref().unwrap_or(""));
                let (middle, first_index) = self.rank(first, state)?;
                self.path.leave(before);
                let (end, second_index) = self.rank(second, middle)?;
                let mut index = second_index;
                for (other, ways) in self.engine.transfer(first, state)?.iter() {
                    let after = self.engine.transfer(second, *other)?;
                    if *other == middle {
                        let rest = ways_to(&after, end).ok_or_else(|| self.astray())?;
                        return Ok((end, index + first_index * rest));
                    }
                    index += ways_to(&after, end).map_or_else(BigUint::zero, |rest| ways * rest);
                }
                Err(self.astray())
            }
            View::Choice => self.rank_choice(point, state),
            View::Focus(inner) => {
                let whole = self.engine.state(state);
                let sub = match self.engine.focus(point, &whole) {
                    Focused::Nothing => return Ok((state, BigUint::zero())),
                    Focused::Fails => return Err(self.astray()),
                    Focused::On(sub) => sub,
                };
                let (end, mut index) = self.rank(inner, sub)?;
                let after = self
                    .engine
                    .unfocus(point, &whole, end)
                    .ok_or_else(|| self.astray())?;
                for (other, ways) in self.engine.transfer(inner, sub)?.iter() {
                    if *other == end {
                        break;
                    }
                    if self.engine.unfocus(point, &whole, *other) == Some(after) {
                        index += ways;
                    }
                }
                Ok((after, index))
            }
            View::Shared(body) => self.rank_shared(point, body, state),
            View::Close(body) => self.rank_close(body, state),
        }
    }

    fn rank_choice(
        &mut self,
        point: Point,
        state: StateId,
    ) -> Result<(StateId, BigUint), RankError> {
        let segment = self.segment(point);
        let address = self.path.address(&segment);
        let taken = self.genome.get(&address);
        let taken =
            taken.ok_or_else(|| RankError::Genome(DecodeError::Missing(address.clone())))?;
        let options = self.engine.options(point);
        let fits = match options.get(taken as usize) {
            Some(option) => !self.engine.transfer(*option, state)?.is_empty(),
            None => false,
        };
        if !fits {
            return Err(RankError::Genome(DecodeError::Invalid {
                address,
                option: taken,
            }));
        }
        let option = options[taken as usize];
        let before = self.path.enter(&segment);
        let (end, mut index) = self.rank(option, state)?;
        self.path.leave(before);
        for earlier in &options[..taken as usize] {
            let outcomes = self.engine.transfer(*earlier, state)?;
            if let Some(ways) = ways_to(&outcomes, end) {
                index += ways;
            }
        }
        Ok((end, index))
    }

    /// The results that the genome's decisions give a shared body here; they count where it closes.
    fn rank_shared(
        &mut self,
        point: Point,
        body: BodyIx,
        state: StateId,
    ) -> Result<(StateId, BigUint), RankError> {
        let mut state = (*self.engine.state(state)).clone();
        for lane in 0..state.lanes.len() {
            let context = self.engine.shared_context(point, &state, lane);
            let (_, context) = context.ok_or_else(|| self.astray())?;
            let result = match state.promised(body, &context) {
                Some(result) => result.clone(),
                None => {
                    let alone = self.engine.alone(body, &context, &state);
                    let text = self.path.visit(body);
                    let (end, _) =
                        self.rank(Point::at(self.engine.program.body(body).node), alone)?;
                    self.path.come_back(text);
                    self.engine.state(end).lanes[0].clone()
                }
            };
            state.lanes[lane].take_result(&result);
            state.promise(body, context, result);
        }
        Ok((self.engine.intern(state), BigUint::zero()))
    }

    fn rank_close(
        &mut self,
        body: BodyIx,
        state: StateId,
    ) -> Result<(StateId, BigUint), RankError> {
        let whole = self.engine.state(state);
        let mut ranked = (state, BigUint::zero());
        if let Some(uses) = self.engine.settle(body, &whole) {
            let node = Point::at(self.engine.program.body(body).node);
            let text = self.path.visit(body);
            let (end, mut index) = self.rank(node, uses)?;
            self.path.come_back(text);
            let after = self
                .engine
                .settled(body, &whole, end)
                .ok_or_else(|| self.astray())?;
            for (other, ways) in self.engine.transfer(node, uses)?.iter() {
                if *other == end {
                    break;
                }
                if self.engine.settled(body, &whole, *other) == Some(after) {
                    index += ways;
                }
            }
            ranked = (after, index);
        }
        self.path.close(body);
        Ok(ranked)
    }

    fn open(&mut self, body: BodyIx) {
        let name = self.engine.program.body(body).name.clone();
        self.path.open(body, &name);
    }

    fn segment(&self, point: Point) -> String {
        match Arc::clone(&self.engine.program).node(point.node) {
            Node::Choice { segment, .. } => segment.to_string(),
            _ => String::new(),
        }
    }

    /// The decisions lead out of the space here.
    fn astray(&self) -> RankError {
        let address = self.path.address("");
        let option = self.genome.get(&address).unwrap_or_default();
        RankError::Genome(DecodeError::Invalid { address, option })
    }
}

/// In how many ways `target` comes out, if it can.
fn ways_to(outcomes: &Outcomes, target: StateId) -> Option<&BigUint> {
    outcomes
        .iter()
        .find(|(end, _)| *end == target)
        .map(|(_, ways)| ways)
}
