//! `[compare]`: what a comparison adds to an experiment.

use crate::random::Seed;
use crate::run::RunError;
use crate::run::experiment::{self, Experiment};
use crate::search::{ControllerKind, SearchSettings};
use serde::{Deserialize, Serialize};

/// With how many seeds to search where nothing is said.
const SEARCH_SEEDS: u32 = 8;

/// With how many seeds to retrain where nothing is said.
const RETRAIN_SEEDS: u32 = 3;

/// `[compare]`: with how many seeds to search, and which searches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CompareSettings {
    /// With how many root seeds each search is run, counting up from the experiment's.
    pub search_seeds: u32,
    /// With how many seeds each winner and each baseline is retrained for each search seed; by default
    /// `final.retrain_seeds` where that is given, else 3.
    pub retrain_seeds: Option<u32>,
    /// How many architectures are drawn from the space and tested for each search seed; by default as
    /// many as there are retrainings of a winner.
    pub random_networks: Option<u32>,
    /// The budget in trials of a quick comparison; by default a quarter of the experiment's.
    pub quick_trials: Option<u64>,
    /// The smallest difference of interest: arms that are shown to differ by less are called equal, and a report
    /// says what it would take to show a difference of this size. Without it neither is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub margin: Option<f64>,
    /// The searches: each a `name` and what it has different from `[search]`. Without any, `[search]`
    /// alone. Random search is added where it is not among them.
    pub search: Vec<toml::Table>,
}

impl Default for CompareSettings {
    fn default() -> Self {
        Self {
            search_seeds: SEARCH_SEEDS,
            retrain_seeds: None,
            random_networks: None,
            quick_trials: None,
            margin: None,
            search: Vec::new(),
        }
    }
}

impl CompareSettings {
    /// With how many seeds each network is retrained for each search seed.
    pub(super) fn retrainings(&self) -> u32 {
        self.retrain_seeds.unwrap_or(RETRAIN_SEEDS)
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
    /// The first of its root seeds, if it is not the experiment's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<Seed>,
}

impl Search {
    /// Whether it is what the others are measured against.
    pub fn is_random(&self) -> bool {
        self.settings.controller == ControllerKind::Random
    }

    /// The number of trials that are drawn at random before any is chosen by results, for searches that begin so.
    pub fn population(&self) -> Option<u64> {
        let settings = self.settings.filled();
        let population = match settings.controller {
            ControllerKind::Evolution | ControllerKind::MuPlusLambda | ControllerKind::Nsga2 => {
                settings.population
            }
            ControllerKind::Predictor => settings.initial,
            _ => None,
        };
        population.map(|population| population as u64)
    }
}

pub(super) fn searches(experiment: &Experiment) -> Result<Vec<Search>, RunError> {
    let given = &experiment.compare.search;
    let mut searches = Vec::new();
    for table in given {
        searches.push(search(table, &experiment.search)?);
    }
    if searches.is_empty() {
        let settings = experiment.search.clone();
        let name = settings.description().name.to_owned();
        searches.push(Search {
            name,
            settings,
            seed: None,
        });
    }
    if !searches.iter().any(Search::is_random) {
        searches.push(Search {
            name: "random".to_owned(),
            seed: None,
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
    let seed = table.remove("seed").map(|seed| match seed {
        toml::Value::Integer(seed) if seed >= 0 => Ok(Seed(seed.cast_unsigned())),
        other => Err(wrong(format!(
            "{name}: `seed` is a whole number from 0, not {other}"
        ))),
    });
    let seed = seed.transpose()?;
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
    Ok(Search {
        name,
        settings,
        seed,
    })
}

fn wrong(message: String) -> RunError {
    RunError::Setting {
        key: "compare.search".to_owned(),
        message,
    }
}
