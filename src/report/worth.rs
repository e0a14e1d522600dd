//! Whether a network is worth it, in plain words: on a table, boosted trees and a linear model cost seconds.

use super::analysis::{Analysis, Arm, Role};
use super::words::{grouped, score};
use crate::run::{FinalRow, Subject};
use crate::statistics;
use crate::tabular::ModelKind;
use crate::training::{Direction, Score};

/// How many standard errors chance exceeds once in twenty times.
const WITHIN: f64 = 1.96;

/// A network, or a model that is none.
struct Side {
    /// What a sentence calls it.
    name: String,
    /// Whether the name is a plural.
    many: bool,
    mean: f64,
    /// Which way is better.
    direction: Direction,
    /// What each test example adds to the mean, where that is known.
    contributions: Option<Vec<f64>>,
}

/// What to say of a run's network beside the models that were fitted to the same examples. Nothing where there were
/// none.
pub fn worth(rows: &[FinalRow]) -> Vec<String> {
    let side = |row: &FinalRow, name: &str, many: bool| {
        Some(Side {
            name: name.to_owned(),
            many,
            mean: row.mean?,
            direction: direction(row.score_name),
            contributions: row.contributions.clone(),
        })
    };
    let network = rows.iter().find(|row| row.subject == Subject::Winner);
    let network = network.and_then(|row| side(row, "the network", false));
    let model = |row: &FinalRow| match row.subject {
        Subject::Model(kind) => side(row, name(kind), kind == ModelKind::BoostedTrees),
        _ => None,
    };
    let models = rows.iter().filter_map(model).collect();
    let ask = "; `strata compare` tells whether that is more than chance";
    let told = network.and_then(|network| sentence(&network, models, ask));
    told.into_iter()
        .chain(rows.iter().filter_map(unconverged))
        .collect()
}

/// What to say of a search's networks beside the models. Nothing where there were none.
pub(super) fn of_arms(analysis: &Analysis, search: &Arm) -> Option<String> {
    let side = |arm: &Arm, name: String, many: bool| {
        Some(Side {
            name,
            many,
            mean: arm.sample?.mean,
            direction: direction(&analysis.score_name),
            contributions: arm.contributions(),
        })
    };
    let network = side(search, format!("the networks of {}", search.name), true)?;
    let model = |arm: &Arm| {
        let mut kinds = ModelKind::ALL.into_iter();
        let kind = kinds.find(|kind| kind.to_string() == arm.name)?;
        side(arm, name(kind).to_owned(), kind == ModelKind::BoostedTrees)
    };
    let models = analysis.arms_of(Role::Model).filter_map(model).collect();
    sentence(&network, models, "")
}

fn name(kind: ModelKind) -> &'static str {
    match kind {
        ModelKind::BoostedTrees => "boosted trees",
        ModelKind::Linear => "the linear model",
    }
}

/// By how much the network is better.
fn lead(network: &Side, model: &Side) -> f64 {
    network.direction.fitness(network.mean) - network.direction.fitness(model.mean)
}

fn direction(score_name: &str) -> Direction {
    Score::named(score_name).map_or(Direction::default(), Score::direction)
}

/// The sentence. `ask` is what to do where nothing is known of chance.
fn sentence(network: &Side, mut models: Vec<Side>, ask: &str) -> Option<String> {
    // The strongest first: that is the one to beat.
    models.sort_by(|a, b| lead(network, a).total_cmp(&lead(network, b)));
    let strongest = models.first()?;
    let told = match lead(network, strongest) {
        ahead if ahead > 0.0 => in_front(network, &models, ask),
        _ => behind(network, strongest),
    };
    Some(told)
}

fn behind(network: &Side, model: &Side) -> String {
    let verb = if model.many { "score" } else { "scores" };
    let (ours, theirs) = (score(network.mean), score(model.mean));
    let told = match ours == theirs {
        true => format!(
            "{} {verb} {theirs} on the test examples, as much as {}",
            model.name, network.name
        ),
        false => format!(
            "{} {verb} {theirs} on the test examples, {} {ours}",
            model.name, network.name
        ),
    };
    let chance = chance(network, model).map_or_else(String::new, |chance| format!(" {chance}"));
    let they = if network.many {
        "networks are"
    } else {
        "the network is"
    };
    capital(format!(
        "{told}: for this table {they} not worth it.{chance}"
    ))
}

fn in_front(network: &Side, models: &[Side], ask: &str) -> String {
    let of = |model: &Side| format!("{} by {:.4}", model.name, lead(network, model));
    let ahead: Vec<String> = models.iter().map(of).collect();
    let verb = if network.many { "are" } else { "is" };
    let told = format!(
        "{} {verb} ahead of {}",
        network.name,
        ahead.join(" and of ")
    );
    let strongest = &models[0];
    let chance = match (error(network, strongest), chance(network, strongest)) {
        (Some(error), Some(chance)) if lead(network, strongest) < WITHIN * error => {
            format!(". {chance} That a network is worth it for this table is not shown.")
        }
        (_, Some(chance)) => format!(". {chance}"),
        _ => format!(", on one split of the examples{ask}."),
    };
    capital(format!("{told}{chance}"))
}

/// Below what a difference on these test examples is within chance.
fn chance(network: &Side, model: &Side) -> Option<String> {
    // Without any difference between the two there is no spread to judge one by.
    let error = error(network, model).filter(|error| *error > 0.0)?;
    let below = WITHIN * error;
    let examples = grouped(model.contributions.as_ref()?.len());
    Some(format!(
        "On one split of {examples} test observations a difference below {below:.4} is within chance."
    ))
}

/// The standard error of the difference over test examples, example by example.
fn error(network: &Side, model: &Side) -> Option<f64> {
    let (ours, theirs) = (
        network.contributions.as_ref()?,
        model.contributions.as_ref()?,
    );
    if ours.len() != theirs.len() {
        return None;
    }
    let differences: Vec<f64> = ours.iter().zip(theirs).map(|(x, y)| x - y).collect();
    let deviation = statistics::deviation(&differences)?;
    Some(deviation / libm::sqrt(differences.len() as f64))
}

fn unconverged(row: &FinalRow) -> Option<String> {
    let model = row.model.as_ref().filter(|model| !model.converged)?;
    let l2 = model.chosen.get("l2").copied().unwrap_or_default();
    Some(format!(
        "The {} did not converge with l2 = {l2}: its score may be lower than it could be.",
        row.subject
    ))
}

fn capital(text: String) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(name: &str, mean: f64, contributions: Option<&[f64]>) -> Side {
        Side {
            name: name.to_owned(),
            many: name == "boosted trees",
            mean,
            direction: Direction::Maximise,
            contributions: contributions.map(<[f64]>::to_vec),
        }
    }

    #[test]
    fn a_network_that_trails_is_not_worth_it() {
        let network = side("the network", 0.908, None);
        let models = vec![
            side("the linear model", 0.91, None),
            side("boosted trees", 0.96, None),
        ];
        assert_eq!(
            sentence(&network, models, "").unwrap(),
            "Boosted trees score 0.9600 on the test examples, the network 0.9080: for this table the network is not \
             worth it."
        );
        let even = vec![side("the linear model", 0.908, None)];
        assert_eq!(
            sentence(&network, even, "").unwrap(),
            "The linear model scores 0.9080 on the test examples, as much as the network: for this table the network \
             is not worth it."
        );
    }

    #[test]
    fn a_lead_is_held_against_chance_on_the_test_examples() {
        // Right where the other is wrong 3 times of 100, and the other way round once: the standard error is
        // sqrt(4/100 - 0.02^2) / sqrt(99).
        let ours: Vec<f64> = (0..100).map(|at| f64::from(u8::from(at != 0))).collect();
        let theirs: Vec<f64> = (0..100)
            .map(|at| f64::from(u8::from(!(1..4).contains(&at))))
            .collect();
        let network = side("the network", 0.99, Some(&ours));
        let told = sentence(
            &network,
            vec![side("boosted trees", 0.97, Some(&theirs))],
            "",
        )
        .unwrap();
        assert_eq!(
            told,
            "The network is ahead of boosted trees by 0.0200. On one split of 100 test observations a difference below \
             0.0392 is within chance. That a network is worth it for this table is not shown."
        );
        let far = side("boosted trees", 0.5, Some(&theirs));
        let told = sentence(&network, vec![far], "").unwrap();
        assert!(told.ends_with("is within chance."), "{told}");
    }

    #[test]
    fn nothing_is_said_without_models() {
        assert_eq!(
            sentence(&side("the network", 0.5, None), Vec::new(), ""),
            None
        );
    }
}
