//! The questions that simulated runs answer.

use super::evaluator::Hashed;
use crate::diagnostics::SourceFile;
use crate::run::experiment::{Budget, Experiment, ExperimentFile};
use crate::run::setup::{BaselineText, Setup, Texts};
use std::path::PathBuf;

const SPACE: &str = "space tiny
input image(channels: 1, height: 8, width: 8)
output classes(10)
network {
    flatten
    repeat 1..2 { linear(4 | 8 | 12 | 16); relu | tanh | silu }
    linear(classes)
}
";

const BASELINE: &str = "space one
input image(channels: 1, height: 8, width: 8)
output classes(10)
network { flatten; linear(classes) }
";

/// What differs: the search, the budget, and one of how many networks fails.
const QUESTIONS: &[(&str, &str, u64)] = &[
    ("controller = \"random\", lookahead = 3", "trials = 10", 20),
    (
        "population = 5, sample = 2, lookahead = 4",
        "trials = 12",
        20,
    ),
    (
        "population = 4, sample = 2, lookahead = 2, inherit = true",
        "trials = 10",
        30,
    ),
    (
        "controller = \"successive_halving\", lookahead = 4",
        "trials = 14",
        40,
    ),
    (
        "controller = \"hyperband\", lookahead = 5",
        "epochs = 40",
        40,
    ),
    ("controller = \"random\", lookahead = 2", "epochs = 21", 8),
    // So many fail that the run gives up.
    ("controller = \"random\", lookahead = 4", "trials = 30", 2),
];

/// Searches of other kinds that are given more trials, or more epochs.
const EXTENDED: &[(&str, &str, u64)] = &[
    ("controller = \"random\", lookahead = 5", "trials = 17", 20),
    (
        "population = 4, sample = 2, crossover = 0.5, lookahead = 8",
        "trials = 20",
        20,
    ),
    (
        "controller = \"local_search\", lookahead = 4",
        "trials = 24",
        20,
    ),
    (
        "controller = \"predictor\", initial = 6, lookahead = 4",
        "trials = 20",
        20,
    ),
    (
        "controller = \"nsga2\", population = 4, objectives = [\"score\", \"params\"], lookahead = 4",
        "trials = 20",
        20,
    ),
    (
        "controller = \"evolution_hyperband\", lookahead = 6",
        "trials = 30",
        40,
    ),
    (
        "controller = \"mu_plus_lambda\", population = 4, lookahead = 4",
        "epochs = 50",
        12,
    ),
];

/// A question, ready to be asked.
#[derive(Debug)]
pub struct Scenario {
    pub file: ExperimentFile,
    pub texts: Texts,
    pub setup: Setup,
    pub evaluators: Hashed,
}

impl Scenario {
    /// Every question.
    pub fn all() -> Vec<Self> {
        QUESTIONS.iter().map(Self::of).collect()
    }

    /// Every question whose search can be given a larger budget.
    pub fn extended() -> Vec<Self> {
        let usual = &QUESTIONS[..QUESTIONS.len() - 1];
        usual.iter().chain(EXTENDED).map(Self::of).collect()
    }

    /// The same question with another budget.
    pub fn with_budget(&self, budget: Budget) -> Self {
        let mut file = self.file.clone();
        file.experiment.budget = budget;
        Self {
            setup: Setup::compile(file.experiment.clone(), &self.texts).unwrap(),
            texts: self.texts.clone(),
            evaluators: self.evaluators,
            file,
        }
    }

    fn of(&(search, budget, fails): &(&str, &str, u64)) -> Self {
        let text = format!(
            "name = \"tiny\"\nspace = \"tiny.space\"\nseed = 7\ndata = {{ name = \"digits\" }}\n\
             recipe = {{ epochs = 4 }}\nbudget = {{ {budget} }}\nsearch = {{ {search} }}\n\
             final = {{ retrain_seeds = 2, random_networks = 1, baselines = [\"one.space\"] }}\n"
        );
        let texts = Texts {
            space: SourceFile::new("tiny.space", SPACE),
            baselines: vec![BaselineText {
                name: "one".to_owned(),
                path: PathBuf::from("one.space"),
                file: SourceFile::new("one.space", BASELINE),
            }],
        };
        let experiment = Experiment::parse("tiny.toml", &text).unwrap();
        let setup = Setup::compile(experiment.clone(), &texts).unwrap();
        let base = PathBuf::new();
        let file = ExperimentFile {
            experiment,
            text,
            base,
            path: None,
        };
        Self {
            file,
            texts,
            setup,
            evaluators: Hashed { fails },
        }
    }
}
