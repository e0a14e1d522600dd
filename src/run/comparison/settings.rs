//! `[compare]`: what a comparison adds to an experiment, and the plan that follows.

use crate::random::Seed;
use crate::run::RunError;
use crate::run::experiment::{self, Experiment};
use crate::search::{ControllerKind, SearchSettings};
use serde::{Deserialize, Serialize};

/// The fewest seeds of searching that are evidence.
pub const LEAST_SEARCH_SEEDS: u32 = 3;

/// The fewest seeds of retraining that are evidence.
pub const LEAST_RETRAIN_SEEDS: u32 = 5;

/// `[compare]`: with how many seeds to search, and which searches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CompareSettings {
    /// With how many root seeds each search is run, counting up from the experiment's.
    pub search_seeds: u32,
    /// How many architectures are drawn from the space and tested for each search seed; by default as
    /// many as there are retrainings of a winner.
    pub random_networks: Option<u32>,
    /// The budget in trials of a quick comparison; by default a quarter of the experiment's.
    pub quick_trials: Option<u64>,
    /// The searches: each a `name` and what it has different from `[search]`. Without any, `[search]`
    /// alone. Random search is added where it is not among them.
    pub search: Vec<toml::Table>,
}

impl Default for CompareSettings {
    fn default() -> Self {
        Self {
            search_seeds: LEAST_SEARCH_SEEDS,
            random_networks: None,
            quick_trials: None,
            search: Vec::new(),
        }
    }
}

/// A way to search that is compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Search {
    /// Its name; its runs' folders begin with it.
    pub name: String,
    /// How it searches.
    pub settings: SearchSettings,
}

impl Search {
    /// Whether it is what the others are measured against.
    pub fn is_random(&self) -> bool {
        self.settings.controller == ControllerKind::Random
    }
}

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
    /// The plan of an experiment.
    ///
    /// # Errors
    /// When it makes no sense, or asks for fewer seeds than are evidence and is not quick.
    pub fn of(experiment: &Experiment, quick: bool) -> Result<Self, RunError> {
        let settings = &experiment.compare;
        let mut common = experiment.clone();
        common.compare = CompareSettings::default();
        if quick {
            let trials = settings.quick_trials;
            let quarter = common.budget.trials.map(|trials| (trials / 4).max(4));
            common.budget.trials = trials.or(quarter);
        }
        let (search_seeds, retrain_seeds) = match quick {
            true => (1, common.last.retrain_seeds.clamp(1, 2)),
            false => (settings.search_seeds, common.last.retrain_seeds),
        };
        let least = |key: &str, found: u32, least: u32| match found >= least || quick {
            true => Ok(()),
            false => Err(RunError::Setting {
                key: key.to_owned(),
                message: format!(
                    "{found} is too few to be evidence: at least {least}, or `--quick` for a look"
                ),
            }),
        };
        least("compare.search_seeds", search_seeds, LEAST_SEARCH_SEEDS)?;
        // What is looked up is the same every time.
        if !common.evaluator.info().looks_up {
            least("final.retrain_seeds", retrain_seeds, LEAST_RETRAIN_SEEDS)?;
        }
        if common.last.baselines.is_empty() {
            return Err(RunError::Setting {
                key: "final.baselines".to_owned(),
                message: "a comparison needs hand-designed networks to compare with".to_owned(),
            });
        }
        common.last.retrain_seeds = retrain_seeds;
        Ok(Self {
            quick,
            search_seeds,
            retrain_seeds,
            random_networks: settings.random_networks.unwrap_or(retrain_seeds).max(1),
            searches: searches(experiment)?,
            experiment: common,
        })
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
        experiment.seed = Seed(experiment.seed.0.wrapping_add(u64::from(part.seed)));
        experiment.search = search.settings.clone();
        if part.search != 0 {
            experiment.last.baselines.clear();
        }
        // A model is the same for every search and every seed: one run fits it.
        if (part.search, part.seed) != (0, 0) {
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

fn searches(experiment: &Experiment) -> Result<Vec<Search>, RunError> {
    let given = &experiment.compare.search;
    let mut searches = Vec::new();
    for table in given {
        searches.push(search(table, &experiment.search)?);
    }
    if searches.is_empty() {
        let settings = experiment.search.clone();
        let name = settings.description().name.to_owned();
        searches.push(Search { name, settings });
    }
    if !searches.iter().any(Search::is_random) {
        searches.push(Search {
            name: "random".to_owned(),
            settings: SearchSettings {
                sampling: experiment.search.sampling,
                lookahead: experiment.search.lookahead,
                workers: experiment.search.workers,
                ..SearchSettings::of(ControllerKind::Random)
            },
        });
    }
    for (index, search) in searches.iter().enumerate() {
        if searches[..index]
            .iter()
            .any(|other| other.name == search.name)
        {
            return Err(wrong(format!("two searches are called `{}`", search.name)));
        }
    }
    Ok(searches)
}

/// A search: `[search]` with what its table says instead.
fn search(table: &toml::Table, common: &SearchSettings) -> Result<Search, RunError> {
    let mut table = table.clone();
    let Some(toml::Value::String(name)) = table.remove("name") else {
        return Err(wrong("each needs a `name`".to_owned()));
    };
    if !experiment::is_folder_name(&name) {
        return Err(wrong(format!(
            "`{name}`: a name is letters, digits, `-`, `_` and `.`"
        )));
    }
    let read = |table: toml::Table| -> Result<SearchSettings, RunError> {
        let read = table.try_into();
        read.map_err(|error: toml::de::Error| wrong(format!("{name}: {}", error.message())))
    };
    let own = read(table.clone())?;
    let mut whole = toml::Table::try_from(common).expect("settings are plain data");
    // What another controller has no use for is not handed on to it.
    if table.contains_key("controller") {
        let takes = |key: &str| key == "lookahead" || own.description().takes(key);
        whole.retain(|key, _| takes(key));
    }
    whole.extend(table);
    let settings = SearchSettings {
        workers: common.workers,
        ..read(whole)?
    };
    Ok(Search { name, settings })
}

fn wrong(message: String) -> RunError {
    RunError::Setting {
        key: "compare.search".to_owned(),
        message,
    }
}
