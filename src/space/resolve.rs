//! A guided walk: every decision in order, each among the options that have a valid completion.

use super::program::{BodyIx, Node};
use super::transfer::{Engine, Focused, Point, StateId, TooLarge, View};
use super::walk::Path;
use super::{Decision, Genome};
use std::collections::HashMap;
use std::sync::Arc;

/// A set of states that a walk may end in; [`ANY`] stands for all that can come out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Allowed(u32);

/// No restriction.
pub(super) const ANY: Allowed = Allowed(0);

/// Who decides.
pub(super) trait Decide {
    /// One of `offered`, which is not empty. `weight` gives an option's prior weight.
    fn decide(&mut self, address: &str, offered: &[u32], weight: &dyn Fn(u32) -> f64) -> u32;
}

/// What guided walks remember between them: sets of allowed states, and what they lead to.
#[derive(Debug, Default)]
pub(super) struct Guide {
    sets: Vec<Arc<Vec<StateId>>>,
    ids: HashMap<Arc<Vec<StateId>>, Allowed>,
    inner: HashMap<(Point, StateId, Allowed), Allowed>,
    offered: HashMap<(Point, StateId, Allowed), Arc<Vec<u32>>>,
}

impl Guide {
    /// The set of exactly these states.
    pub fn only(&mut self, mut states: Vec<StateId>) -> Allowed {
        states.sort_unstable();
        if let Some(&known) = self.ids.get(&states) {
            return known;
        }
        let states = Arc::new(states);
        self.sets.push(Arc::clone(&states));
        let id = Allowed(u32::try_from(self.sets.len()).expect("sets are fewer than states"));
        self.ids.insert(states, id);
        id
    }

    fn contains(&self, allowed: Allowed, state: StateId) -> bool {
        allowed == ANY
            || self.sets[allowed.0 as usize - 1]
                .binary_search(&state)
                .is_ok()
    }

    /// The set of `kept`, or [`ANY`] where that is all of `total` outcomes.
    fn part(&mut self, kept: Vec<StateId>, total: usize) -> Allowed {
        if kept.len() == total {
            ANY
        } else {
            self.only(kept)
        }
    }
}

/// One guided walk.
pub(super) struct Walk<'a, D: Decide> {
    pub engine: &'a mut Engine,
    pub guide: &'a mut Guide,
    pub decider: &'a mut D,
    pub path: Path,
    pub decisions: Vec<Decision>,
}

type Step<T> = Result<T, TooLarge>;

impl<D: Decide> Walk<'_, D> {
    /// Walks `point` from `state` to one of the `allowed` states, of which at least one can come out.
    pub fn go(&mut self, point: Point, state: StateId, allowed: Allowed) -> Step<StateId> {
        stacker::maybe_grow(128 << 10, 4 << 20, || self.go_on(point, state, allowed))
    }

    fn go_on(&mut self, point: Point, state: StateId, allowed: Allowed) -> Step<StateId> {
        match self.engine.view(point) {
            View::Step => Ok(self.only_outcome(point, state)?),
            View::Open(body) => {
                let name = self.engine.program.body(body).name.clone();
                self.path.open(body, &name);
                Ok(state)
            }
            View::Below(segment, inner) => {
                let before = self.path.enter(&segment);
                let end = self.go(inner, state, allowed)?;
                self.path.leave(before);
                Ok(end)
            }
            View::Then(first, second, segment) => {
                let middle_allowed = self.before_second(point, (first, second), state, allowed)?;
                let before = self.path.enter(segment.as_deref().unwrap_or(""));
                let middle = self.go(first, state, middle_allowed)?;
                self.path.leave(before);
                self.go(second, middle, allowed)
            }
            View::Choice => self.choose(point, state, allowed),
            View::Focus(inner) => self.focus(point, inner, state, allowed),
            View::Shared(body) => self.share(point, body, state, allowed),
            View::Close(body) => self.close(point, body, state, allowed),
        }
    }

    fn only_outcome(&mut self, point: Point, state: StateId) -> Step<StateId> {
        let outcomes = self.engine.transfer(point, state)?;
        Ok(outcomes
            .first()
            .expect("a step is walked only where it fits")
            .0)
    }

    /// Whether an allowed state can come out.
    fn is_viable(&mut self, point: Point, state: StateId, allowed: Allowed) -> Step<bool> {
        let outcomes = self.engine.transfer(point, state)?;
        Ok(outcomes
            .iter()
            .any(|(end, _)| self.guide.contains(allowed, *end)))
    }

    /// The states of `first` from which `second` can reach an allowed one.
    fn before_second(
        &mut self,
        point: Point,
        (first, second): (Point, Point),
        state: StateId,
        allowed: Allowed,
    ) -> Step<Allowed> {
        let key = (point, state, allowed);
        if let Some(&known) = self.guide.inner.get(&key) {
            return Ok(known);
        }
        let outcomes = self.engine.transfer(first, state)?;
        let mut kept = Vec::new();
        for (middle, _) in outcomes.iter() {
            if self.is_viable(second, *middle, allowed)? {
                kept.push(*middle);
            }
        }
        let found = self.guide.part(kept, outcomes.len());
        self.guide.inner.insert(key, found);
        Ok(found)
    }

    fn choose(&mut self, point: Point, state: StateId, allowed: Allowed) -> Step<StateId> {
        let offered = self.offered(point, state, allowed)?;
        let program = Arc::clone(&self.engine.program);
        let Node::Choice { segment, options } = program.node(point.node) else {
            unreachable!("only choices are viewed as choices");
        };
        let address = self.path.address(segment);
        let weight = |option: u32| options[option as usize].weight;
        let option = self.decider.decide(&address, &offered, &weight);
        let taken = &options[option as usize];
        let before = self.path.enter(segment);
        self.decisions.push(Decision {
            address,
            option,
            name: taken.name.to_string(),
            offered: offered.to_vec(),
        });
        let end = self.go(Point::at(taken.node), state, allowed)?;
        self.path.leave(before);
        Ok(end)
    }

    /// The options of a choice with a valid completion.
    fn offered(&mut self, point: Point, state: StateId, allowed: Allowed) -> Step<Arc<Vec<u32>>> {
        let key = (point, state, allowed);
        if let Some(known) = self.guide.offered.get(&key) {
            return Ok(Arc::clone(known));
        }
        let mut offered = Vec::new();
        for (number, option) in self.engine.options(point).into_iter().enumerate() {
            if self.is_viable(option, state, allowed)? {
                offered.push(number as u32);
            }
        }
        let offered = Arc::new(offered);
        self.guide.offered.insert(key, Arc::clone(&offered));
        Ok(offered)
    }

    fn focus(
        &mut self,
        point: Point,
        inner: Point,
        state: StateId,
        allowed: Allowed,
    ) -> Step<StateId> {
        let whole = self.engine.state(state);
        let sub = match self.engine.focus(point, &whole) {
            Focused::Nothing => return Ok(state),
            Focused::Fails => unreachable!("a call is walked only where it fits"),
            Focused::On(sub) => sub,
        };
        let key = (point, state, allowed);
        let inner_allowed = match self.guide.inner.get(&key) {
            Some(&known) => known,
            None => {
                let outcomes = self.engine.transfer(inner, sub)?;
                let mut kept = Vec::new();
                for (end, _) in outcomes.iter() {
                    let after = self.engine.unfocus(point, &whole, *end);
                    if after.is_some_and(|after| self.guide.contains(allowed, after)) {
                        kept.push(*end);
                    }
                }
                let found = self.guide.part(kept, outcomes.len());
                self.guide.inner.insert(key, found);
                found
            }
        };
        let end = self.go(inner, sub, inner_allowed)?;
        let after = self.engine.unfocus(point, &whole, end);
        Ok(after.expect("only ends that stay within the bounds are allowed"))
    }

    /// A call of a shared body promises a result. Where several are possible, the one that the
    /// decider would come to by walking the body for this use alone is preferred.
    fn share(
        &mut self,
        point: Point,
        body: BodyIx,
        state: StateId,
        allowed: Allowed,
    ) -> Step<StateId> {
        let outcomes = self.engine.transfer(point, state)?;
        let mut possible: Vec<StateId> = outcomes.iter().map(|(end, _)| *end).collect();
        possible.retain(|end| self.guide.contains(allowed, *end));
        if possible.len() > 1 {
            let whole = self.engine.state(state);
            let context = self.engine.shared_context(point, &whole, 0);
            let (_, context) = context.expect("a shared call is walked only where it fits");
            if whole.promised(body, &context).is_none() {
                let alone = self.engine.alone(body, &context, &whole);
                let end = self.rehearse(body, alone)?;
                let result = self.engine.state(end).lanes[0].clone();
                let agrees = |end: &StateId| {
                    self.engine.state(*end).promised(body, &context) == Some(&result)
                };
                if let Some(end) = possible.iter().copied().find(agrees) {
                    return Ok(end);
                }
            }
        }
        Ok(*possible
            .first()
            .expect("a shared call is walked only where it fits"))
    }

    /// Walks a shared body without keeping its decisions.
    fn rehearse(&mut self, body: BodyIx, alone: StateId) -> Step<StateId> {
        let kept = self.decisions.len();
        let text = self.path.visit(body);
        let end = self.go(Point::at(self.engine.program.body(body).node), alone, ANY)?;
        self.path.come_back(text);
        self.decisions.truncate(kept);
        Ok(end)
    }

    fn close(
        &mut self,
        point: Point,
        body: BodyIx,
        state: StateId,
        allowed: Allowed,
    ) -> Step<StateId> {
        let whole = self.engine.state(state);
        let end = match self.engine.settle(body, &whole) {
            None => state,
            Some(uses) => {
                let node = Point::at(self.engine.program.body(body).node);
                let inner = self.settling(point, body, (node, uses), state, allowed)?;
                let text = self.path.visit(body);
                let end = self.go(node, uses, inner)?;
                self.path.come_back(text);
                let after = self.engine.settled(body, &whole, end);
                after.expect("only states that keep the promises are allowed")
            }
        };
        self.path.close(body);
        Ok(end)
    }

    /// The states of a shared body's common walk that keep its promises and are allowed after.
    fn settling(
        &mut self,
        point: Point,
        body: BodyIx,
        (node, uses): (Point, StateId),
        state: StateId,
        allowed: Allowed,
    ) -> Step<Allowed> {
        let key = (point, state, allowed);
        if let Some(&known) = self.guide.inner.get(&key) {
            return Ok(known);
        }
        let whole = self.engine.state(state);
        let outcomes = self.engine.transfer(node, uses)?;
        let mut kept = Vec::new();
        for (end, _) in outcomes.iter() {
            let after = self.engine.settled(body, &whole, *end);
            if after.is_some_and(|after| self.guide.contains(allowed, after)) {
                kept.push(*end);
            }
        }
        let found = self.guide.part(kept, outcomes.len());
        self.guide.inner.insert(key, found);
        Ok(found)
    }
}

/// Prefers the options of a genome; draws by prior weight what it lacks or what no longer fits.
pub(super) struct Prefer<'a> {
    pub genome: &'a Genome,
    pub drawn: Genome,
    pub stream: &'a mut crate::random::Stream,
}

impl<'a> Prefer<'a> {
    pub fn new(genome: &'a Genome, stream: &'a mut crate::random::Stream) -> Self {
        Self {
            genome,
            drawn: Genome::new(),
            stream,
        }
    }
}

impl Decide for Prefer<'_> {
    fn decide(&mut self, address: &str, offered: &[u32], weight: &dyn Fn(u32) -> f64) -> u32 {
        let known = self.genome.get(address).or_else(|| self.drawn.get(address));
        if let Some(option) = known.filter(|option| offered.contains(option)) {
            return option;
        }
        let option = match offered {
            [only] => *only,
            _ => {
                let weights: Vec<f64> = offered.iter().map(|&option| weight(option)).collect();
                offered[self.stream.weighted(&weights)]
            }
        };
        self.drawn.insert(address, option);
        option
    }
}
