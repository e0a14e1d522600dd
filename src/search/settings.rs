//! `[search]`: the choice of a controller and its settings, as an experiment writes them.

use super::catalogue::{CONTROLLERS, Description, description};
use super::{
    Acquisition, Controller, Elitist, ElitistSettings, Encoding, Evolution, EvolutionSettings,
    Exhaustive, Guide, Halving, HalvingSettings, Ladder, LadderSettings, LocalSearch,
    LocalSettings, Moves, Predictor, PredictorSettings, RandomSearch, Step, Survival,
};
use crate::space::Sampling;
use serde::{Deserialize, Serialize};

/// Which controller searches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ControllerKind {
    /// Independent draws.
    Random,
    /// Everything, in order.
    Exhaustive,
    /// Regularized evolution.
    #[default]
    Evolution,
    /// Evolution in which the best survive.
    MuPlusLambda,
    /// Local search with restarts.
    LocalSearch,
    /// Evolution by several objectives.
    Nsga2,
    /// A model of the scores that chooses.
    Predictor,
    /// Successive halving.
    SuccessiveHalving,
    /// Hyperband.
    Hyperband,
    /// Successive halving of children of the best.
    EvolutionHalving,
    /// Hyperband of children of the best.
    EvolutionHyperband,
}

impl ControllerKind {
    /// Whether it goes through brackets of fixed sizes.
    fn has_brackets(self) -> bool {
        matches!(self, Self::Hyperband | Self::EvolutionHyperband)
    }

    /// Whether it evaluates at several fidelities and makes children.
    fn is_guided(self) -> bool {
        matches!(self, Self::EvolutionHalving | Self::EvolutionHyperband)
    }
}

/// A controller with its settings. What is absent has the controller's default; which settings a
/// controller takes, and their meaning, is in [`CONTROLLERS`] and [`SETTINGS`](super::SETTINGS).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SearchSettings {
    /// Which controller.
    pub controller: ControllerKind,
    /// How many trials may be parents.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub population: Option<usize>,
    /// How many of them compete to be a parent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample: Option<usize>,
    /// The probability that a child has two parents.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crossover: Option<f64>,
    /// How many decisions of a child are changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edits: Option<usize>,
    /// Whether the oldest of the population dies, or the worst.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aging: Option<bool>,
    /// What grows from level to level: `epochs`, `data`, or a `let` of the space that gives the width.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fidelity: Option<String>,
    /// Of how many candidates one goes on to the next level, which is this many times as much.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eta: Option<u32>,
    /// The least share of a full evaluation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_fidelity: Option<f64>,
    /// The share of candidates that are drawn afresh.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub random_share: Option<f64>,
    /// Whether a child begins with the weights of its parent, where layers are the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inherit: Option<bool>,
    /// After how many results survivors are chosen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offspring: Option<usize>,
    /// What is to be good at once: `score`, and further figures by their names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub objectives: Option<Vec<String>>,
    /// How many draws come first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initial: Option<usize>,
    /// When local search moves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<Step>,
    /// How many candidates a model judges for a trial.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub candidates: Option<usize>,
    /// How many trees the model has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub members: Option<usize>,
    /// After how many results the model is made anew.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refit: Option<usize>,
    /// What the model sees of a genome.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoding: Option<Encoding>,
    /// How the model's guess and its doubt become one figure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acquisition: Option<Acquisition>,
    /// How fresh architectures are drawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sampling: Option<Sampling>,
    /// Whether a network may be tried more than once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duplicates: Option<bool>,
    /// Trial k is proposed from the results of trials 0..=k-lookahead.
    pub lookahead: u64,
    /// Trials that run at the same time; 0 for one a core, at most `lookahead`. No result depends on
    /// it, so it is not stored with a run.
    #[serde(skip_serializing)]
    pub workers: usize,
    /// The epochs of a full evaluation, which the recipe says.
    #[serde(skip)]
    pub full_epochs: u32,
}

impl Default for SearchSettings {
    fn default() -> Self {
        Self {
            controller: ControllerKind::default(),
            population: None,
            sample: None,
            crossover: None,
            edits: None,
            aging: None,
            fidelity: None,
            eta: None,
            min_fidelity: None,
            random_share: None,
            inherit: None,
            offspring: None,
            objectives: None,
            initial: None,
            step: None,
            candidates: None,
            members: None,
            refit: None,
            encoding: None,
            acquisition: None,
            sampling: None,
            duplicates: None,
            lookahead: 8,
            workers: 0,
            full_epochs: 81,
        }
    }
}

/// Settings that every search has, whatever its controller.
#[cfg(test)]
const COMMON: [&str; 3] = ["controller", "lookahead", "workers"];

/// Why a setting is read where it can't be absent.
const FILLED: &str = "the table of controllers has a default for what its controller reads";

impl SearchSettings {
    /// The defaults of a controller.
    pub fn of(controller: ControllerKind) -> Self {
        Self {
            controller,
            ..Self::default()
        }
    }

    /// The controller's row in the table.
    pub fn description(&self) -> &'static Description {
        description(self.controller)
    }

    /// Whether no trial goes on from an earlier one, or begins with its weights: whoever carries the search out may
    /// then forget what became of them.
    pub fn forgets(&self) -> bool {
        let filled = self.filled();
        filled.fidelity.is_none() && !filled.inherit.unwrap_or(false)
    }

    /// These settings with the controller's defaults where they are silent.
    #[must_use]
    pub fn filled(&self) -> Self {
        let mut table = self.table();
        for (name, default) in self.description().settings {
            if !table.contains_key(*name) {
                table.insert((*name).to_owned(), literal(default));
            }
        }
        let filled: Self = toml::Value::Table(table)
            .try_into()
            .expect("the table's defaults are settings, which a test sees to");
        Self {
            workers: self.workers,
            full_epochs: self.full_epochs,
            ..filled
        }
    }

    fn table(&self) -> toml::Table {
        toml::Table::try_from(self).expect("settings are plain data")
    }

    /// The first setting that makes no sense: its name, and why.
    pub fn nonsense(&self) -> Option<(&'static str, String)> {
        let description = self.description();
        for (name, _) in super::SETTINGS {
            if self.table().contains_key(*name) && !description.takes(name) {
                return Some((name, unused(name, description)));
            }
        }
        let zero = |number: Option<usize>| number == Some(0);
        let share = |number: Option<f64>| number.is_none_or(|share| (0.0..=1.0).contains(&share));
        let checks = [
            ("population", zero(self.population), "at least 1"),
            ("sample", zero(self.sample), "at least 1"),
            ("crossover", !share(self.crossover), "a number from 0 to 1"),
            ("edits", zero(self.edits), "at least 1"),
            ("eta", self.eta.is_some_and(|eta| eta < 2), "at least 2"),
            (
                "min_fidelity",
                !(share(self.min_fidelity) && self.min_fidelity != Some(0.0)),
                "a number above 0, at most 1",
            ),
            (
                "random_share",
                !share(self.random_share),
                "a number from 0 to 1",
            ),
            ("offspring", zero(self.offspring), "at least 1"),
            ("initial", zero(self.initial), "at least 1"),
            ("candidates", zero(self.candidates), "at least 1"),
            ("members", zero(self.members), "at least 1"),
            ("refit", zero(self.refit), "at least 1"),
            (
                "objectives",
                !self.objectives.as_deref().is_none_or(are_objectives),
                "`score` first and then at least one other figure, each once",
            ),
            ("lookahead", self.lookahead == 0, "at least 1"),
        ];
        let (name, _, needed) = checks.into_iter().find(|(_, wrong, _)| *wrong)?;
        Some((name, format!("`{name}` needs {needed}")))
    }

    /// Whether a network may be tried more than once.
    pub fn duplicates(&self) -> bool {
        self.filled().duplicates.unwrap_or(false)
    }

    /// The controller over `space`.
    ///
    /// # Panics
    /// When a setting makes no sense; see [`nonsense`](Self::nonsense).
    pub fn build<'s, M: Moves>(&self, space: &'s M) -> Box<dyn Controller<M::Genome> + 's> {
        let filled = self.filled();
        match self.controller {
            ControllerKind::Random => {
                Box::new(RandomSearch::new(space, filled.sampling.expect(FILLED)))
            }
            ControllerKind::Exhaustive => Box::new(Exhaustive::new(space)),
            ControllerKind::Evolution => Box::new(Evolution::new(space, filled.evolution())),
            ControllerKind::SuccessiveHalving
            | ControllerKind::Hyperband
            | ControllerKind::EvolutionHalving
            | ControllerKind::EvolutionHyperband => {
                let ladder = filled
                    .ladder(space)
                    .unwrap_or_else(|error| panic!("{error}"));
                let ladder = ladder.expect(FILLED);
                Box::new(Halving::new(space, filled.halving(ladder)))
            }
            ControllerKind::MuPlusLambda => {
                Box::new(Elitist::new(space, filled.elitist(Survival::Score)))
            }
            ControllerKind::LocalSearch => Box::new(LocalSearch::new(space, filled.local())),
            ControllerKind::Nsga2 => {
                Box::new(Elitist::new(space, filled.elitist(Survival::Pareto)))
            }
            ControllerKind::Predictor => Box::new(Predictor::new(space, filled.predictor())),
        }
    }

    /// The fidelities of the controller over `space`; nothing if it has only the full one.
    ///
    /// # Errors
    /// When the space does not have the fidelity.
    pub fn ladder<M: Moves>(&self, space: &M) -> Result<Option<Ladder>, String> {
        let filled = self.filled();
        let Some(fidelity) = filled.fidelity else {
            return Ok(None);
        };
        let settings = LadderSettings {
            fidelity,
            eta: filled.eta.expect(FILLED),
            min_fidelity: filled.min_fidelity.expect(FILLED),
            epochs: filled.full_epochs,
        };
        Ladder::new(space, &settings).map(Some)
    }

    fn halving(&self, ladder: Ladder) -> HalvingSettings {
        let guide = || Guide {
            population: self.population.expect(FILLED),
            sample: self.sample.expect(FILLED),
            edits: self.edits.expect(FILLED),
            random_share: self.random_share.expect(FILLED),
        };
        HalvingSettings {
            ladder,
            eta: self.eta.expect(FILLED),
            brackets: self.controller.has_brackets(),
            sampling: self.sampling.expect(FILLED),
            guide: self.controller.is_guided().then(guide),
        }
    }

    /// What the controller looks at beside the score, by its names.
    pub fn costs(&self) -> Vec<String> {
        let objectives = self.filled().objectives.unwrap_or_default();
        objectives.into_iter().skip(1).collect()
    }

    fn evolution(&self) -> EvolutionSettings {
        EvolutionSettings {
            sampling: self.sampling.expect(FILLED),
            population: self.population.expect(FILLED),
            sample: self.sample.expect(FILLED),
            crossover: self.crossover.expect(FILLED),
            edits: self.edits.expect(FILLED),
            aging: self.aging.expect(FILLED),
        }
    }

    fn elitist(&self, survival: Survival) -> ElitistSettings {
        ElitistSettings {
            sampling: self.sampling.expect(FILLED),
            survival,
            population: self.population.expect(FILLED),
            offspring: self.offspring.expect(FILLED),
            sample: self.sample.expect(FILLED),
            crossover: self.crossover.expect(FILLED),
            edits: self.edits.expect(FILLED),
        }
    }

    fn local(&self) -> LocalSettings {
        LocalSettings {
            sampling: self.sampling.expect(FILLED),
            step: self.step.expect(FILLED),
            initial: self.initial.expect(FILLED),
        }
    }

    fn predictor(&self) -> PredictorSettings {
        PredictorSettings {
            sampling: self.sampling.expect(FILLED),
            initial: self.initial.expect(FILLED),
            population: self.population.expect(FILLED),
            candidates: self.candidates.expect(FILLED),
            members: self.members.expect(FILLED),
            refit: self.refit.expect(FILLED),
            encoding: self.encoding.expect(FILLED),
            acquisition: self.acquisition.expect(FILLED),
        }
    }
}

/// Whether these can be the objectives of a search: the score leads, other figures follow.
fn are_objectives(names: &[String]) -> bool {
    let once = |at: usize| !names[..at].contains(&names[at]);
    names.len() > 1 && names[0] == "score" && (0..names.len()).all(once)
}

fn literal(default: &str) -> toml::Value {
    let line = format!("value = {default}");
    let mut table: toml::Table = line.parse().expect("a default is TOML");
    table.remove("value").expect("the line gives a value")
}

/// What to say of a setting that the controller has no use for.
fn unused(name: &str, description: &Description) -> String {
    let takes: Vec<&str> = description.settings.iter().map(|(name, _)| *name).collect();
    let takes = match takes.as_slice() {
        [] => "none of its own".to_owned(),
        names => format!("`{}`", names.join("`, `")),
    };
    let others: Vec<&str> = CONTROLLERS
        .iter()
        .filter(|other| other.takes(name))
        .map(|other| other.name)
        .collect();
    format!(
        "`{name}` is no setting of `{}`, which takes {takes}; it belongs to `{}`",
        description.name,
        others.join("`, `")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::SETTINGS;

    #[test]
    fn every_default_of_the_table_is_a_setting_and_every_setting_is_explained() {
        for description in CONTROLLERS {
            let settings = SearchSettings::of(description.kind);
            let named = toml::Value::try_from(description.kind).unwrap();
            assert_eq!(named.as_str(), Some(description.name));
            let table = settings.filled().table();
            for (name, _) in description.settings {
                assert!(table.contains_key(*name), "{name} is not filled in");
                assert!(SETTINGS.iter().any(|(known, _)| known == name), "{name}");
            }
            for name in table.keys().filter(|name| !COMMON.contains(&name.as_str())) {
                assert!(description.takes(name), "{name} is filled in for nothing");
            }
            assert_eq!(settings.filled().nonsense(), None);
        }
        for (name, _) in SETTINGS {
            assert!(CONTROLLERS.iter().any(|row| row.takes(name)), "{name}");
        }
    }

    #[test]
    fn a_setting_of_another_controller_is_refused_with_where_it_belongs() {
        let settings = SearchSettings {
            population: Some(4),
            ..SearchSettings::of(ControllerKind::Random)
        };
        let (name, message) = settings.nonsense().unwrap();
        assert_eq!(name, "population");
        assert!(message.contains("`evolution`"), "{message}");
    }
}
