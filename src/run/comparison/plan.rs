//! The plan of a comparison: its runs, and what can come of them.

use super::settings::{CompareSettings, Search, searches};
use crate::random::Seed;
use crate::run::RunError;
use crate::run::experiment::Experiment;
use serde::{Deserialize, Serialize};

/// The fewest seeds of searching that are evidence: below, not even all of them on one side would be.
pub const LEAST_SEARCH_SEEDS: u32 = 6;

/// The fewest seeds of retraining that are evidence.
pub const LEAST_RETRAIN_SEEDS: u32 = 2;

/// What is done, decided before anything is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Whether too little is done to be evidence.
    pub quick: bool,
    /// With how many root seeds each search is run.
    pub search_seeds: u32,
    /// With how many seeds each winner and each baseline is retrained for each search seed.
    pub retrain_seeds: u32,
    /// How many random networks are tested for each search seed.
    pub random_networks: u32,
    /// The searches, random search among them.
    pub searches: Vec<Search>,
    /// The how manieth [look](crate::run::looks) at its test examples this is.
    #[serde(default = "first", skip_serializing_if = "is_first")]
    pub look: u32,
    /// Whether an earlier look at the same test examples had one of the same search seeds.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub repeats_seeds: bool,
    /// The smallest difference of interest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub margin: Option<f64>,
    /// What they have in common. Its name, seed, search, baselines and random networks are set anew
    /// for each run.
    pub experiment: Experiment,
}

/// One run of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Part {
    /// Which search.
    pub search: usize,
    /// Which search seed, from 0.
    pub seed: u32,
}

impl Plan {
    /// The plan of an experiment. A quick one reads no test example.
    ///
    /// # Errors
    /// When it makes no sense.
    pub fn of(experiment: &Experiment, quick: bool) -> Result<Self, RunError> {
        let settings = &experiment.compare;
        let mut common = experiment.clone();
        common.compare = CompareSettings::default();
        if quick {
            let trials = settings.quick_trials;
            let quarter = common.budget.trials.map(|trials| (trials / 4).max(4));
            common.budget.trials = trials.or(quarter);
        }
        if common.last.within.len() > 1 {
            return Err(RunError::Setting {
                key: "final.within".to_owned(),
                message: "a comparison tests one winner of each search: give the bounds of one"
                    .to_owned(),
            });
        }
        if settings
            .margin
            .is_some_and(|margin| !(margin > 0.0 && margin.is_finite()))
        {
            return Err(RunError::Setting {
                key: "compare.margin".to_owned(),
                message: "it must be above 0: the smallest difference of interest".to_owned(),
            });
        }
        let (search_seeds, retrain_seeds) = match quick {
            true => (1, 0),
            false => (
                at_least_one("compare.search_seeds", settings.search_seeds)?,
                at_least_one("final.retrain_seeds", settings.retrainings())?,
            ),
        };
        let random_networks = match quick {
            true => 0,
            false => settings.random_networks.unwrap_or(retrain_seeds).max(1),
        };
        common.last.retrain_seeds = retrain_seeds;
        Ok(Self {
            quick,
            search_seeds,
            retrain_seeds,
            random_networks,
            searches: searches(experiment)?,
            look: first(),
            repeats_seeds: false,
            margin: settings.margin,
            experiment: common,
        })
    }

    /// Why nothing that comes of it can be evidence, a sentence each; nothing if it can.
    pub fn shortcomings(&self) -> Vec<String> {
        if self.quick {
            return vec![
                "a quick look reads validation examples only, from which nothing can be claimed"
                    .to_owned(),
            ];
        }
        let mut all = Vec::new();
        let mut few = |key: &str, found: u32, least: u32| {
            if found < least {
                all.push(format!(
                    "`{key}` is {found}, and at least {least} are needed"
                ));
            }
        };
        few(
            "compare.search_seeds",
            self.search_seeds,
            LEAST_SEARCH_SEEDS,
        );
        // What is looked up is the same every time.
        if !self.experiment.evaluator.info().looks_up {
            few(
                "final.retrain_seeds",
                self.retrain_seeds,
                LEAST_RETRAIN_SEEDS,
            );
        }
        all.extend(
            self.searches
                .iter()
                .filter_map(|search| self.breeds_nothing(search)),
        );
        if self.repeats_seeds {
            all.push(format!(
                "an earlier look at the same test examples searched with the same seeds, and this is look {}: set \
                 another `seed`",
                self.look
            ));
        }
        all
    }

    /// Why a search is no other than random search, if it isn't.
    fn breeds_nothing(&self, search: &Search) -> Option<String> {
        let (population, trials) = (search.population()?, self.experiment.budget.trials?);
        let name = &search.name;
        (population >= trials).then(|| {
            format!(
                "{name} draws all of its trials at random: its population is {population} and its budget {trials} \
                 trials, so that nothing is bred; raise `budget.trials` or lower `search.population`"
            )
        })
    }

    /// The root seeds of its searches.
    pub(in crate::run) fn seeds(&self) -> Vec<Seed> {
        let parts = self.parts().into_iter();
        let mut seeds: Vec<Seed> = parts.map(|part| self.seed(part)).collect();
        seeds.sort_unstable_by_key(|seed| seed.0);
        seeds.dedup();
        seeds
    }

    /// The plan as a look after the first: with root seeds that no earlier one had.
    #[must_use]
    pub(in crate::run) fn as_look(&self, look: u32) -> Self {
        let fresh = |seed: Seed| seed.derive("search seeds of a look", u64::from(look));
        let mut plan = self.clone();
        plan.look = look;
        if look > 1 {
            plan.experiment.seed = fresh(self.experiment.seed);
            for search in &mut plan.searches {
                search.seed = search.seed.map(fresh);
            }
        }
        plan
    }

    /// The root seed of a run.
    fn seed(&self, part: Part) -> Seed {
        let own = self.searches[part.search].seed;
        let root = own.unwrap_or(self.experiment.seed);
        Seed(root.0.wrapping_add(u64::from(part.seed)))
    }

    /// The runs, in the order in which they are made.
    pub fn parts(&self) -> Vec<Part> {
        let seeds = 0..self.search_seeds;
        let of = |seed| (0..self.searches.len()).map(move |search| Part { search, seed });
        seeds.flat_map(of).collect()
    }

    /// The experiment of one run. The first search's runs test the baselines, random search's the random
    /// networks.
    pub fn experiment(&self, part: Part) -> Experiment {
        let search = &self.searches[part.search];
        let mut experiment = self.experiment.clone();
        experiment.name.clone_from(&search.name);
        experiment.seed = self.seed(part);
        experiment.search = search.settings.clone();
        if part.search != 0 {
            experiment.last.baselines.clear();
        }
        // A model is the same for every search and every seed: one run fits it, and a quick look tests nothing.
        if self.quick || (part.search, part.seed) != (0, 0) {
            experiment.last.models = Some(Vec::new());
        }
        if search.is_random() {
            experiment.last.random_networks = self.random_networks;
        }
        experiment
    }

    /// The name of a run's folder.
    pub fn folder(&self, part: Part) -> String {
        format!("{}-{}", self.searches[part.search].name, part.seed + 1)
    }
}

fn first() -> u32 {
    1
}

fn is_first(look: &u32) -> bool {
    *look == first()
}

fn at_least_one(key: &str, found: u32) -> Result<u32, RunError> {
    match found {
        0 => Err(RunError::Setting {
            key: key.to_owned(),
            message: "a comparison needs at least 1".to_owned(),
        }),
        found => Ok(found),
    }
}
