//! Why a space is empty: the first place that nothing passes, and what arrives there.

use super::program::{Node, Origin, Program};
use super::state::{BOUND_PASSED, State};
use super::transfer::{Engine, Focused, Point, StateId, View};
use std::collections::BTreeSet;

/// The first place that no path from `state` passes, and why.
pub(super) fn explain(engine: &mut Engine, root: Point, state: StateId) -> (Origin, String) {
    let outcomes = engine
        .transfer(root, state)
        .map_or(0, |outcomes| outcomes.len());
    if outcomes > 0 {
        return (
            engine.program.origins[engine.program.root.0 as usize],
            wrong_end(engine, root, state),
        );
    }
    let mut states = vec![state];
    let mut point = root;
    while let Some((inner, arriving)) = narrow(engine, point, &states) {
        point = inner;
        states = arriving;
    }
    let reasons: BTreeSet<String> = states.iter().map(|&s| reason(engine, point, s)).collect();
    let reasons: Vec<String> = reasons.into_iter().take(4).collect();
    (
        engine.program.origins[point.node.0 as usize],
        reasons.join("; "),
    )
}

fn wrong_end(engine: &mut Engine, root: Point, state: StateId) -> String {
    let mut ends = BTreeSet::new();
    let outcomes = engine
        .transfer(root, state)
        .map(|found| found.to_vec())
        .unwrap_or_default();
    for (end, _) in outcomes.iter().take(1000) {
        let end = engine.state(*end);
        ends.insert(format!(
            "{} {}",
            end.lanes[0].top().kind(),
            end.lanes[0].top()
        ));
    }
    let ends: Vec<String> = ends.into_iter().take(4).collect();
    let wanted = engine.program.output.shape();
    let ends = ends.join(", ");
    format!(
        "the network ends in {ends} where the output asks for {} {wanted}",
        wanted.kind()
    )
}

/// A smaller place inside `point` that nothing passes, and the states that arrive there.
fn narrow(engine: &mut Engine, point: Point, states: &[StateId]) -> Option<(Point, Vec<StateId>)> {
    let &first_state = states.first()?;
    match engine.view(point) {
        View::Then(first, second, _) => {
            let mut middles = BTreeSet::new();
            for &state in states {
                let outcomes = engine.transfer(first, state).ok()?;
                middles.extend(outcomes.iter().map(|(middle, _)| *middle));
            }
            if middles.is_empty() {
                Some((first, states.to_vec()))
            } else {
                Some((second, middles.into_iter().collect()))
            }
        }
        View::Below(_, inner) => Some((inner, states.to_vec())),
        View::Focus(inner) => {
            let mut subs = Vec::new();
            for &state in states {
                let whole = engine.state(state);
                if let Focused::On(sub) = engine.focus(point, &whole) {
                    subs.push(sub);
                }
            }
            if subs.is_empty() {
                None
            } else {
                Some((inner, subs))
            }
        }
        View::Choice => match engine.options(point).as_slice() {
            [only] => Some((*only, states.to_vec())),
            _ => None,
        },
        View::Shared(body) => {
            let whole = engine.state(first_state);
            let (_, context) = engine.shared_context(point, &whole, 0)?;
            let alone = engine.alone(body, &context, &whole);
            let inner = Point::at(engine.program.body(body).node);
            Some((inner, vec![alone]))
        }
        View::Close(body) => {
            let whole = engine.state(first_state);
            let uses = engine.settle(body, &whole)?;
            let inner = Point::at(engine.program.body(body).node);
            let empty = engine.transfer(inner, uses).ok()?.is_empty();
            empty.then(|| (inner, vec![uses]))
        }
        View::Step | View::Open(_) => None,
    }
}

fn reason(engine: &mut Engine, point: Point, state: StateId) -> String {
    let whole = engine.state(state);
    match engine.view(point) {
        View::Step => step_reason(engine, point, &whole),
        View::Choice => {
            let options = engine.options(point);
            let each: BTreeSet<String> = options
                .iter()
                .map(|&option| option_reason(engine, option, state))
                .collect();
            let each: Vec<String> = each.into_iter().take(4).collect();
            format!("no option takes {}: {}", arriving(&whole), each.join("; "))
        }
        View::Close(_) => "its uses can't agree on one set of decisions".to_owned(),
        _ => format!("{} can't pass", arriving(&whole)),
    }
}

/// Why a step is not possible. Which bound it passes, and by how much, is found out here and not wherever a walk is cut
/// off.
fn step_reason(engine: &Engine, point: Point, state: &State) -> String {
    let error = engine.step(point, state).err().unwrap_or_default();
    if error != BOUND_PASSED {
        return error;
    }
    passed(&engine.program, point, state).unwrap_or(error)
}

/// What a network would cost at least after a step that passes a bound, and what is allowed.
fn passed(program: &Program, point: Point, state: &State) -> Option<String> {
    let Node::Step(step) = program.node(point.node) else {
        return None;
    };
    let mut unbounded = program.clone();
    for tracked in &mut unbounded.tracked {
        tracked.max = u64::MAX;
    }
    for lane in &state.lanes {
        let mut lane = lane.clone();
        lane.step(&unbounded, step).ok()?;
        let mut totals = lane.cost.iter().zip(&program.tracked);
        if let Some((total, bound)) = totals.find(|(total, bound)| **total > bound.max) {
            let (cost, most) = (&bound.cost, bound.max);
            return Some(format!(
                "{cost} would be at least {total}, and {most} is the most that `require` allows"
            ));
        }
    }
    None
}

fn option_reason(engine: &mut Engine, option: Point, state: StateId) -> String {
    let (mut point, mut states) = (option, vec![state]);
    while let Some((inner, next)) = narrow(engine, point, &states) {
        (point, states) = (inner, next);
    }
    match engine.view(point) {
        View::Step => states.first().map_or_else(String::new, |&state| {
            let whole = engine.state(state);
            step_reason(engine, point, &whole)
        }),
        _ => format!("{} can't pass", arriving(&engine.state(state))),
    }
}

fn arriving(state: &State) -> String {
    let shapes: BTreeSet<String> = state
        .lanes
        .iter()
        .map(|lane| format!("{} {}", lane.top().kind(), lane.top()))
        .collect();
    shapes.into_iter().collect::<Vec<_>>().join(" and ")
}
