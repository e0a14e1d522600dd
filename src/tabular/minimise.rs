//! The minimum of a smooth convex function, by the L-BFGS method (Liu and Nocedal, 1989).

use std::collections::VecDeque;

/// How many steps are remembered.
const MEMORY: usize = 10;

/// How many points of a line are tried.
const MOST_TRIALS: usize = 40;

/// The share of what a slope promises that a step must gain.
const GAIN: f64 = 1e-4;

/// How flat a line must be where a step ends, as a share of its slope at the start.
const FLATNESS: f64 = 0.9;

/// When to stop.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// The largest derivative by any variable that is as good as none.
    pub tolerance: f64,
    /// The most steps.
    pub steps: usize,
}

/// Where the search for a minimum ended.
#[derive(Clone, Debug)]
pub(super) struct Minimum {
    /// The variables.
    pub at: Vec<f64>,
    /// Whether the tolerance was met.
    pub converged: bool,
}

/// A point with the function's value and gradient.
#[derive(Clone, Debug)]
struct Point {
    at: Vec<f64>,
    value: f64,
    gradient: Vec<f64>,
}

/// A step and how the gradient changed by it.
struct Step {
    moved: Vec<f64>,
    turned: Vec<f64>,
    /// One over their product.
    scale: f64,
}

/// Finds the minimum from `start` on. `function` gives a value and writes the gradient; before each step `go_on`
/// is asked.
///
/// # Errors
/// What `go_on` answers.
pub(super) fn minimise<E>(
    start: Vec<f64>,
    limits: Limits,
    function: &dyn Fn(&[f64], &mut [f64]) -> f64,
    go_on: &mut dyn FnMut() -> Result<(), E>,
) -> Result<Minimum, E> {
    let evaluate = |at: Vec<f64>| {
        let mut gradient = vec![0.0; at.len()];
        let value = function(&at, &mut gradient);
        Point {
            at,
            value,
            gradient,
        }
    };
    let mut point = evaluate(start);
    let mut steps = VecDeque::new();
    for _ in 0..limits.steps {
        if largest(&point.gradient) <= limits.tolerance {
            break;
        }
        go_on()?;
        let mut direction = direction(&point.gradient, &steps);
        if dot(&direction, &point.gradient) >= 0.0 {
            // Rounding has spoilt what was remembered.
            steps.clear();
            direction = point.gradient.iter().map(|slope| -slope).collect();
        }
        let first = match steps.is_empty() {
            true => 1.0 / largest(&direction).max(1.0),
            false => 1.0,
        };
        let Some(next) = line(&point, &direction, first, &evaluate) else {
            break;
        };
        remember(&mut steps, &point, &next);
        point = next;
    }
    Ok(Minimum {
        converged: largest(&point.gradient) <= limits.tolerance,
        at: point.at,
    })
}

/// A point along a line that is lower by enough, and where the line is flatter. Nothing if rounding hides it.
fn line(
    from: &Point,
    direction: &[f64],
    first: f64,
    evaluate: &dyn Fn(Vec<f64>) -> Point,
) -> Option<Point> {
    let slope = dot(direction, &from.gradient);
    let (mut near, mut far, mut length) = (0.0, f64::INFINITY, first);
    for _ in 0..MOST_TRIALS {
        let at = from.at.iter().zip(direction);
        let next = evaluate(at.map(|(x, d)| x + length * d).collect());
        let there = dot(direction, &next.gradient);
        // Close to the minimum, values differ by rounding only, and slopes still tell (Hager and Zhang, 2005).
        let lower = next.value <= from.value + GAIN * length * slope
            || (next.value <= from.value + 1e-12 * from.value.abs()
                && there <= (2.0 * GAIN - 1.0) * slope);
        if !lower {
            far = length;
        } else if there < FLATNESS * slope {
            near = length;
        } else {
            return Some(next);
        }
        length = match far.is_finite() {
            true => 0.5 * (near + far),
            false => 2.0 * near,
        };
    }
    None
}

/// The gradient times an estimate of the inverse of the second derivatives, negated.
fn direction(gradient: &[f64], steps: &VecDeque<Step>) -> Vec<f64> {
    let mut out: Vec<f64> = gradient.iter().map(|slope| -slope).collect();
    let mut shares = Vec::with_capacity(steps.len());
    for step in steps.iter().rev() {
        let share = step.scale * dot(&step.moved, &out);
        add(&mut out, -share, &step.turned);
        shares.push(share);
    }
    if let Some(last) = steps.back() {
        let scale = 1.0 / (last.scale * dot(&last.turned, &last.turned));
        out.iter_mut().for_each(|x| *x *= scale);
    }
    for (step, share) in steps.iter().zip(shares.into_iter().rev()) {
        let back = step.scale * dot(&step.turned, &out);
        add(&mut out, share - back, &step.moved);
    }
    out
}

fn remember(steps: &mut VecDeque<Step>, from: &Point, to: &Point) {
    let minus = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x - y).collect();
    let moved: Vec<f64> = minus(&to.at, &from.at);
    let turned: Vec<f64> = minus(&to.gradient, &from.gradient);
    let product = dot(&moved, &turned);
    if product <= 0.0 {
        return;
    }
    if steps.len() == MEMORY {
        steps.pop_front();
    }
    steps.push_back(Step {
        moved,
        turned,
        scale: 1.0 / product,
    });
}

fn dot(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(x, y)| x * y).sum()
}

fn add(to: &mut [f64], share: f64, other: &[f64]) {
    for (x, y) in to.iter_mut().zip(other) {
        *x += share * y;
    }
}

fn largest(x: &[f64]) -> f64 {
    x.iter().fold(0.0, |most, x| f64::max(most, x.abs()))
}
