//! The plots of a page.

use super::plot::{Axis, Line, Mark, Plot, Shape, short};
use super::{Named, class};
use crate::report::analysis::{Analysis, Arm, Network, Role};
use crate::report::words::{escaped, grouped, score};
use crate::run::TrialRow;
use crate::training::Direction;
use std::collections::BTreeMap;
use std::fmt::Write;

/// At how many places a curve is drawn.
const STEPS: u32 = 160;

/// The searches side by side with their trials.
pub fn progress(runs: &[Named<'_>], score_name: &str) -> String {
    let (legend, anytime) = anytime(runs, score_name);
    let trials = trials(runs, score_name);
    format!("<ul class=\"legend\">{legend}</ul><div class=\"plots\">{anytime}{trials}</div>")
}

/// The best validation score so far, over what was spent: a line for each search, a band from its worst to
/// its best seed. Its legend and its plot.
fn anytime(runs: &[Named<'_>], score_name: &str) -> (String, String) {
    // Random search comes last.
    let mut groups: BTreeMap<(bool, String, String), Vec<Curve>> = BTreeMap::new();
    let in_epochs = runs.iter().any(|named| named.run.state().epochs() > 0.0);
    for named in runs {
        let curves = groups
            .entry((
                named.class == "chance",
                named.class.clone(),
                named.search.clone(),
            ))
            .or_default();
        curves.push(Curve::of(named, in_epochs));
    }
    let unit = if in_epochs {
        "epochs of training"
    } else {
        "trials"
    };
    let spent = groups
        .values()
        .flatten()
        .map(Curve::spent)
        .fold(2.0, f64::max);
    let (mut lines, mut shown, mut legend) = (Vec::new(), Vec::new(), String::new());
    for ((_, class, name), curves) in &groups {
        let together = Together::of(curves, spent);
        let direction = runs.first().map(|named| named.run.state().direction());
        let (worst, best) = match direction.unwrap_or_default() {
            Direction::Maximise => (&together.low, &together.high),
            Direction::Minimise => (&together.high, &together.low),
        };
        let later = worst.iter().skip(STEPS as usize / 10);
        shown.extend(later.map(|(_, value)| *value));
        shown.extend(best.last().map(|(_, value)| *value));
        let mut band = together.high;
        band.extend(together.low.into_iter().rev());
        for (points, area) in [(band, true), (together.mean, false)] {
            lines.push(Line {
                points,
                class: class.clone(),
                area,
            });
        }
        let _ = write!(
            legend,
            "<li><span class=\"swatch {class}\"></span>{}</li>",
            escaped(name)
        );
    }
    // Bands first, so that no line is covered.
    lines.sort_by_key(|line| !line.area);
    let plot = Plot {
        title: format!("Best validation {score_name} so far over {unit}"),
        x: Axis {
            label: unit.to_owned(),
            from: 0.0,
            to: spent,
            log: false,
        },
        y: Axis::around(
            &format!("best validation {score_name}"),
            shown.into_iter(),
            false,
        ),
        lines,
        marks: Vec::new(),
    };
    let figure = plot.figure(&caption(runs, unit));
    (legend, figure)
}

/// What the curves are. A run by itself has no seeds to be told from one another.
fn caption(runs: &[Named<'_>], unit: &str) -> String {
    let (whose, over) = match runs.iter().any(|named| named.seed.is_some()) {
        true => (
            "a search",
            ": the mean over search seeds, and the range from the worst seed to the best",
        ),
        false => ("the search", ""),
    };
    format!(
        "The best validation score that {whose} had found after so many {unit}{over}. Failed trials count as spent."
    )
}

/// What a search had found when it had spent so much: steps in ascending order.
struct Curve(Vec<(f64, f64)>);

impl Curve {
    fn of(named: &Named<'_>, in_epochs: bool) -> Self {
        let direction = named.run.state().direction();
        let (mut spent, mut best) = (0.0, f64::NEG_INFINITY);
        let step = |row: TrialRow| {
            spent += if in_epochs {
                row.epochs.len() as f64
            } else {
                1.0
            };
            // A shorter training is no measure of a full one.
            let score = row.score.filter(|_| row.fidelity.is_none());
            let fitness = score.map(|score| direction.fitness(score));
            best = best.max(fitness.unwrap_or(f64::NEG_INFINITY));
            (spent, direction.figure(best))
        };
        let rows = named.run.trials().into_iter().filter(|row| row.done);
        Self(rows.map(step).collect())
    }

    fn spent(&self) -> f64 {
        self.0.last().map_or(0.0, |(spent, _)| *spent)
    }

    fn at(&self, spent: f64) -> Option<f64> {
        let steps = self.0.partition_point(|(at, _)| *at <= spent);
        let (_, best) = *self.0.get(steps.checked_sub(1)?)?;
        best.is_finite().then_some(best)
    }
}

/// Several curves at the same places.
struct Together {
    low: Vec<(f64, f64)>,
    mean: Vec<(f64, f64)>,
    high: Vec<(f64, f64)>,
}

impl Together {
    fn of(curves: &[Curve], spent: f64) -> Self {
        let end = curves.iter().map(Curve::spent).fold(0.0, f64::max);
        let mut together = Self {
            low: Vec::new(),
            mean: Vec::new(),
            high: Vec::new(),
        };
        for step in 0..=STEPS {
            let x = spent * f64::from(step) / f64::from(STEPS);
            let values: Option<Vec<f64>> = curves.iter().map(|curve| curve.at(x)).collect();
            let Some(values) = values.filter(|_| x <= end) else {
                continue;
            };
            let fold = |of: fn(f64, f64) -> f64| values.iter().copied().reduce(of);
            if let (Some(low), Some(high), Some(mean)) = (
                fold(f64::min),
                fold(f64::max),
                crate::statistics::mean(&values),
            ) {
                together.low.push((x, low));
                together.mean.push((x, mean));
                together.high.push((x, high));
            }
        }
        together
    }
}

/// Test scores against parameters and against multiply-accumulates, with what no other network beats in
/// both.
pub fn sizes(analysis: &Analysis) -> String {
    let params = size_plot(analysis, "parameters", |network| network.params);
    let macs = size_plot(analysis, "multiply-accumulates", |network| network.macs);
    let items = analysis
        .arms
        .iter()
        .filter(|arm| !matches!(arm.role, Role::HandDesigned | Role::Model));
    let mut legend: String = items
        .map(|arm| {
            let (class, name) = (class(analysis, arm), escaped(&arm.name));
            format!("<li><span class=\"swatch {class}\"></span>{name}</li>")
        })
        .collect();
    legend.push_str("<li><span class=\"swatch hand\"></span>hand-designed</li>");
    format!("<ul class=\"legend\">{legend}</ul><div class=\"plots\">{params}{macs}</div>")
}

fn size_plot(analysis: &Analysis, what: &str, size: fn(&Network) -> u64) -> String {
    let name = &analysis.score_name;
    let direction = Direction::of_figure(name);
    let mut marks = Vec::new();
    let mut points = Vec::new();
    let mut framed = Vec::new();
    // What trees count as is no network's parameter, and they multiply nothing.
    let arms = analysis.arms.iter().filter(|arm| arm.role != Role::Model);
    for arm in arms {
        for network in &arm.networks {
            let Some(mean) = network.mean else { continue };
            let mark = size_mark(analysis, arm, network, (size(network) as f64, mean));
            points.push((mark.x, mark.y));
            if arm.role != Role::RandomNetworks {
                framed.extend(
                    [mean]
                        .into_iter()
                        .chain(mark.whisker.into_iter().flat_map(|(a, b)| [a, b])),
                );
            }
            marks.push(mark);
        }
    }
    marks.sort_by_key(|mark| mark.class != "drawn");
    let y = Axis::around(&format!("test {name}"), framed.into_iter(), false);
    let below = points
        .iter()
        .filter(|(_, y_value)| match direction {
            Direction::Maximise => *y_value < y.from,
            Direction::Minimise => *y_value > y.to,
        })
        .count();
    let plot = Plot {
        title: format!("Test {name} against {what}"),
        x: Axis::around(what, points.iter().map(|(x, _)| *x), true),
        y,
        lines: vec![Line {
            points: front(&points, direction),
            class: "front".to_owned(),
            area: false,
        }],
        marks,
    };
    let hidden = match below {
        0 => String::new(),
        count => {
            let side = match direction {
                Direction::Maximise => "below",
                Direction::Minimise => "above",
            };
            format!(" {count} random networks lie {side} the frame; zoom out to see them.")
        }
    };
    plot.figure(&format!(
        "Mean test score of each network against its {what}. The dashed line joins the networks that none \
         beats in both (the Pareto front).{hidden}"
    ))
}

fn size_mark(analysis: &Analysis, arm: &Arm, network: &Network, (x, y): (f64, f64)) -> Mark {
    let of_network = |score: &&crate::report::Score| {
        network
            .search_seed
            .is_none_or(|seed| seed == score.search_seed)
    };
    let values: Vec<f64> = match arm.role {
        Role::RandomNetworks => vec![y],
        _ => arm
            .scores
            .iter()
            .filter(of_network)
            .map(|score| score.value)
            .collect(),
    };
    let spread = crate::statistics::deviation(&values).filter(|_| values.len() > 1);
    let of_seed = network
        .search_seed
        .map_or_else(String::new, |seed| format!(", seed {seed}"));
    Mark {
        x,
        y,
        whisker: spread.map(|spread| (y - spread, y + spread)),
        class: class(analysis, arm),
        shape: match arm.role {
            Role::HandDesigned | Role::Model => Shape::Square,
            Role::RandomSearch => Shape::Diamond,
            Role::RandomNetworks => Shape::Dot,
            Role::Search => Shape::Circle,
        },
        label: (arm.role == Role::HandDesigned).then(|| arm.name.clone()),
        tip: format!(
            "{}{of_seed}\ntest {} {}{}\n{} parameters\n{} MACs",
            arm.name,
            analysis.score_name,
            score(y),
            spread.map_or_else(String::new, |spread| format!(" ± {}", score(spread))),
            grouped(network.params),
            grouped(network.macs)
        ),
    }
}

/// The points that no other has a better y without a larger x, in the order of x, as steps.
fn front(points: &[(f64, f64)], direction: Direction) -> Vec<(f64, f64)> {
    let better = |y: f64, than: f64| direction.fitness(y) > direction.fitness(than);
    let fitness = |point: &(f64, f64)| direction.fitness(point.1);
    let mut sorted = points.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0).then(fitness(b).total_cmp(&fitness(a))));
    let mut steps: Vec<(f64, f64)> = Vec::new();
    for (x, y) in sorted {
        match steps.last() {
            Some(&(_, best)) if !better(y, best) => {}
            Some(&(_, best)) => steps.extend([(x, best), (x, y)]),
            None => steps.push((x, y)),
        }
    }
    steps
}

/// Every trial's validation score against its parameters.
fn trials(runs: &[Named<'_>], score_name: &str) -> String {
    let mut marks = Vec::new();
    for named in runs {
        let winner = named.run.state().winner.as_ref().map(|winner| winner.trial);
        for row in named.run.trials() {
            let Some(value) = row.score.filter(|_| row.fidelity.is_none()) else {
                continue;
            };
            let won = winner == Some(row.trial);
            let kind = if won { "" } else { " faint" };
            marks.push(Mark {
                x: row.params as f64,
                y: value,
                whisker: None,
                class: format!("{}{kind}", named.class),
                shape: if won { Shape::Circle } else { Shape::Dot },
                label: None,
                tip: format!(
                    "{}, trial {}{}\nvalidation {score_name} {}\n{} parameters",
                    named.label(),
                    row.trial,
                    if won { " (winner)" } else { "" },
                    score(value),
                    short(row.params as f64)
                ),
            });
        }
    }
    marks.sort_by_key(|mark| !mark.class.ends_with("faint"));
    // A few trials that learnt nothing would leave the others a line.
    let values: Vec<f64> = marks.iter().map(|mark| mark.y).collect();
    let direction = runs.first().map(|named| named.run.state().direction());
    let direction = direction.unwrap_or_default();
    let (share, side) = match direction {
        Direction::Maximise => (0.05, "lowest twentieth lies below"),
        Direction::Minimise => (0.95, "highest twentieth lies above"),
    };
    let worst = crate::statistics::quantile(&values, share).unwrap_or(0.0);
    let shown = |value: &f64| direction.fitness(*value) >= direction.fitness(worst);
    let plot = Plot {
        title: format!("Validation {score_name} of every trial against parameters"),
        x: Axis::around("parameters", marks.iter().map(|mark| mark.x), true),
        y: Axis::around(
            &format!("validation {score_name}"),
            values.iter().copied().filter(shown),
            false,
        ),
        lines: Vec::new(),
        marks,
    };
    plot.figure(&format!(
        "Validation score of every trial in its search; winners are large. The {side} the frame."
    ))
}
