//! Networks of a comparison or a run, tested again on other examples.

use super::words::{plural, score as figure, signed};
use crate::run::comparison::RecordedComparison;
use crate::run::{RecordedRun, Retested, Subject};
use crate::statistics;
use serde::Serialize;
use std::collections::BTreeMap;

/// What testing networks again gave.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Retest {
    /// The number of examples.
    pub examples: u64,
    /// What scores are: accuracy, F1 or R2.
    pub score_name: String,
    /// Every network that was tested.
    pub networks: Vec<RetestedNetwork>,
    /// The same by arm.
    pub arms: Vec<RetestedArm>,
    /// The networks of each search against each hand-designed one.
    pub differences: Vec<RetestedDifference>,
    /// What the differences say, and what they don't.
    pub sentences: Vec<String>,
}

/// A network that was tested again.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RetestedNetwork {
    /// Its arm.
    pub arm: String,
    /// The name of its run.
    pub run: String,
    /// The number of the retraining, from 1.
    pub retraining: u32,
    /// What the test examples gave.
    pub recorded: Option<f64>,
    /// What these examples give.
    pub score: f64,
    /// The loss that belongs to the score.
    pub loss: f64,
    /// Further figures by their names.
    pub metrics: BTreeMap<String, f64>,
}

/// The networks of an arm together.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RetestedArm {
    /// Its name.
    pub name: String,
    /// How many trained networks it has here.
    pub networks: usize,
    /// Their mean score on the test examples.
    pub recorded: Option<f64>,
    /// Their mean score on these examples.
    pub mean: f64,
    #[serde(skip)]
    kind: Kind,
    #[serde(skip)]
    contributions: Vec<f64>,
}

/// How far the networks of two arms are apart on these examples.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RetestedDifference {
    /// The arm of the searched networks.
    pub first: String,
    /// The hand-designed arm.
    pub second: String,
    /// The first's mean less the second's.
    pub difference: f64,
    /// Its standard error, as far as it owes it to these examples: paired, example by example.
    pub standard_error: Option<f64>,
}

/// What an arm is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Searched,
    Random,
    Designed,
}

/// A run whose networks were tested again.
#[derive(Clone, Debug)]
pub struct RetestedRun {
    /// What its winner's arm is called.
    pub search: String,
    /// Its name.
    pub run: String,
    /// What its networks gave.
    pub tested: Vec<Retested>,
}

impl RetestedRun {
    /// The runs of a comparison, each with its search and its folder's name.
    pub fn places(comparison: &RecordedComparison) -> Vec<(String, String, &RecordedRun)> {
        let plan = comparison.plan();
        let runs = comparison.runs().iter();
        runs.map(|(part, run)| {
            let search = plan.searches[part.search].name.clone();
            (search, plan.folder(*part), run)
        })
        .collect()
    }
}

impl Retest {
    /// Puts together what the runs gave on `examples` examples.
    pub fn of(runs: &[RetestedRun], examples: u64, score_name: &str) -> Self {
        let mut networks = Vec::new();
        let mut arms: Vec<Grouped<'_>> = Vec::new();
        for run in runs {
            for tested in &run.tested {
                let (name, kind) = arm(run, &tested.subject);
                networks.push(RetestedNetwork {
                    arm: name.clone(),
                    run: run.run.clone(),
                    retraining: tested.index + 1,
                    recorded: tested.recorded,
                    score: tested.score,
                    loss: tested.loss,
                    metrics: tested.metrics.clone(),
                });
                let at = arms.iter().position(|arm| arm.name == name);
                let at = at.unwrap_or_else(|| {
                    arms.push(Grouped::new(name, kind));
                    arms.len() - 1
                });
                arms[at].add(&run.run, tested);
            }
        }
        let mut arms: Vec<RetestedArm> = arms.iter().map(Grouped::arm).collect();
        arms.sort_by_key(|arm| arm.kind);
        let differences = differences(&arms);
        let sentences = sentences(&differences, examples, score_name);
        Self {
            examples,
            score_name: score_name.to_owned(),
            networks,
            arms,
            differences,
            sentences,
        }
    }
}

fn arm(run: &RetestedRun, subject: &Subject) -> (String, Kind) {
    match subject {
        Subject::Winner => (run.search.clone(), Kind::Searched),
        Subject::Within(number) => (format!("{}, within {number}", run.search), Kind::Searched),
        Subject::Baseline(name) => (name.clone(), Kind::Designed),
        // Models keep no weights, so none is tested again.
        Subject::Model(kind) => (kind.to_string(), Kind::Designed),
        Subject::Random(_) => ("random networks".to_owned(), Kind::Random),
    }
}

/// The networks of an arm by what counts as one: a winner, or a design.
struct Grouped<'a> {
    name: String,
    kind: Kind,
    groups: Vec<(String, Vec<&'a Retested>)>,
}

impl<'a> Grouped<'a> {
    fn new(name: String, kind: Kind) -> Self {
        let groups = Vec::new();
        Self { name, kind, groups }
    }

    fn add(&mut self, run: &str, tested: &'a Retested) {
        // A design is one network, whichever run tested it.
        let group = match self.kind {
            Kind::Designed => "",
            _ => run,
        };
        match self.groups.iter_mut().find(|(known, _)| known == group) {
            Some((_, networks)) => networks.push(tested),
            None => self.groups.push((group.to_owned(), vec![tested])),
        }
    }

    /// The mean over groups of their means.
    fn mean(&self, of: impl Fn(&Retested) -> Option<f64>) -> Option<f64> {
        let means = self.groups.iter().map(|(_, networks)| {
            let figures: Option<Vec<f64>> = networks.iter().map(|tested| of(tested)).collect();
            statistics::mean(&figures?)
        });
        statistics::mean(&means.collect::<Option<Vec<f64>>>()?)
    }

    fn arm(&self) -> RetestedArm {
        let groups = self.groups.iter();
        let parts = groups
            .clone()
            .flat_map(|(_, networks)| networks)
            .map(|tested| tested.contributions.len())
            .min();
        let contribution = |at: usize| self.mean(|tested| Some(tested.contributions[at]));
        RetestedArm {
            name: self.name.clone(),
            kind: self.kind,
            networks: groups.map(|(_, networks)| networks.len()).sum(),
            recorded: self.mean(|tested| tested.recorded),
            mean: self.mean(|tested| Some(tested.score)).unwrap_or(f64::NAN),
            contributions: (0..parts.unwrap_or(0)).filter_map(contribution).collect(),
        }
    }
}

fn differences(arms: &[RetestedArm]) -> Vec<RetestedDifference> {
    let of = |kind: Kind| arms.iter().filter(move |arm| arm.kind == kind);
    let mut all = Vec::new();
    for first in of(Kind::Searched) {
        for second in of(Kind::Designed) {
            let pairs = first.contributions.iter().zip(&second.contributions);
            let apart: Vec<f64> = pairs.map(|(one, other)| one - other).collect();
            let error = statistics::deviation(&apart)
                .map(|deviation| deviation / libm::sqrt(apart.len() as f64));
            all.push(RetestedDifference {
                first: first.name.clone(),
                second: second.name.clone(),
                difference: first.mean - second.mean,
                standard_error: error,
            });
        }
    }
    all
}

fn sentences(differences: &[RetestedDifference], examples: u64, score_name: &str) -> Vec<String> {
    let told = |apart: &RetestedDifference| {
        let error = apart.standard_error.map_or_else(String::new, |error| {
            format!(" (standard error {})", figure(error))
        });
        format!(
            "On these {}, the networks of {} score {}{error} in mean {score_name} against {}.",
            plural(examples, "example"),
            apart.first,
            signed(apart.difference),
            apart.second
        )
    };
    let mut all: Vec<String> = differences.iter().map(told).collect();
    if !all.is_empty() {
        all.push(
            "This is said of these networks, as they were trained. It says nothing of new searches or new trainings, \
             and the standard error is of drawing other examples alone."
                .to_owned(),
        );
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tested(subject: Subject, index: u32, right: &[u8]) -> Retested {
        let contributions: Vec<f64> = right.iter().map(|&right| f64::from(right)).collect();
        Retested {
            subject,
            index,
            recorded: Some(0.5),
            recorded_loss: None,
            score: statistics::mean(&contributions).unwrap(),
            loss: 0.0,
            metrics: BTreeMap::new(),
            contributions,
        }
    }

    fn run(name: &str, tested: Vec<Retested>) -> RetestedRun {
        RetestedRun {
            search: "evolution".to_owned(),
            run: name.to_owned(),
            tested,
        }
    }

    #[test]
    fn a_difference_is_paired_by_example_and_a_winner_counts_once() {
        let design = || Subject::Baseline("mlp".to_owned());
        let runs = [
            run(
                "evolution-1",
                vec![
                    tested(Subject::Winner, 0, &[1, 1, 1, 0]),
                    tested(Subject::Winner, 1, &[1, 0, 1, 0]),
                    tested(design(), 0, &[1, 0, 0, 0]),
                ],
            ),
            run(
                "evolution-2",
                vec![
                    tested(Subject::Winner, 0, &[1, 1, 0, 1]),
                    tested(design(), 0, &[1, 1, 0, 0]),
                ],
            ),
        ];
        let retest = Retest::of(&runs, 4, "accuracy");
        let names: Vec<&str> = retest.arms.iter().map(|arm| &*arm.name).collect();
        assert_eq!(names, ["evolution", "mlp"]);
        // (0.75 + 0.5) / 2 and 0.75 are two winners; 0.25 and 0.5 are one design.
        assert_eq!(retest.arms[0].mean, 0.6875);
        assert_eq!(retest.arms[1].mean, 0.375);
        let [apart] = &retest.differences[..] else {
            panic!("there is one");
        };
        assert_eq!(apart.difference, 0.3125);
        // By hand: 0, 0.25, 0.5 and 0.5, of deviation 0.2393, over the root of 4.
        let wanted = libm::sqrt(0.171_875 / 3.0) / 2.0;
        assert!((apart.standard_error.unwrap() - wanted).abs() < 1e-12);
        assert!(retest.sentences[0].contains("these 4 examples"));
        assert!(!retest.sentences.concat().contains("better"));
    }
}
