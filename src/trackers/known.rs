//! What trackers know of a run besides its entries.

use super::error::TrackError;
use crate::run::journal::Entry;
use crate::run::record::TrialFinished;
use crate::run::{Experiment, RecordedRun, State};
use crate::search::TrialId;
use crate::space::SearchSpace;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A run as far as it was told: its state, and the space that says what genomes mean.
#[derive(Debug)]
pub struct Known {
    /// The run folder's name.
    pub name: String,
    /// What the search's scores are.
    pub score_name: String,
    /// The experiment.
    pub experiment: Experiment,
    /// Everything that was told.
    pub state: State,
    /// When the run was begun, in seconds since 1970.
    pub begun: f64,
    space: Arc<SearchSpace>,
    /// The lists of options that stand at each address, in the order they were met.
    lists: BTreeMap<String, Vec<Arc<[String]>>>,
}

/// A decision in the words of trackers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// The parameter: an address. Where an address leads to different options in different architectures,
    /// which other programs don't allow, those after the first have a number behind it.
    pub parameter: String,
    /// The position of the option that was taken.
    pub option: usize,
    /// What can be taken there, each with a name of its own.
    pub options: Arc<[String]>,
}

impl Chosen {
    /// The option that was taken.
    pub fn value(&self) -> &str {
        &self.options[self.option]
    }
}

/// The figures of a finished trial by their names, the score first.
pub(super) fn figures(done: &TrialFinished) -> Vec<(&str, f64)> {
    let further = done
        .metrics
        .iter()
        .map(|(name, value)| (name.as_str(), *value));
    [("score", done.score), ("loss", done.loss)]
        .into_iter()
        .chain(further)
        .collect()
}

impl Known {
    /// A run of which nothing was told yet.
    ///
    /// # Errors
    /// When its texts can't be read or have changed.
    pub fn of(run: &RecordedRun) -> Result<Self, TrackError> {
        let path = run.folder().path();
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let name = path.file_name().unwrap_or_default();
        let (space, score_name) = (run.space()?, run.score_name()?);
        Ok(Self {
            name: name.to_string_lossy().into_owned(),
            score_name: score_name.to_owned(),
            experiment: run.started().experiment.clone(),
            state: State::default(),
            begun: run.started_at(),
            space,
            lists: BTreeMap::new(),
        })
    }

    /// Takes in the next entry. What makes no sense is passed over: who reads the run says so.
    pub fn take(&mut self, entry: &Entry) {
        let _ = self.state.apply(&entry.record);
    }

    /// Whether a trial was a full evaluation, which alone can be the best.
    ///
    /// # Panics
    /// When the trial was not told.
    pub fn is_full(&self, trial: TrialId) -> bool {
        self.state.proposals[trial.0 as usize].fidelity.is_none()
    }

    /// The decisions of a trial that was told, training settings among them.
    pub fn decisions(&mut self, trial: TrialId) -> Vec<Chosen> {
        let proposal = usize::try_from(trial.0)
            .ok()
            .and_then(|at| self.state.proposals.get(at));
        let Some(proposal) = proposal else {
            return Vec::new();
        };
        let decisions = self.space.decisions(&proposal.genome).unwrap_or_default();
        let named = decisions.into_iter().map(|decision| {
            let options = distinct(decision.options);
            (decision.address, decision.option as usize, options)
        });
        let named: Vec<_> = named.collect();
        named
            .into_iter()
            .filter(|(_, option, options)| *option < options.len())
            .map(|(address, option, options)| Chosen {
                option,
                parameter: self.parameter(address, &options),
                options,
            })
            .collect()
    }

    fn parameter(&mut self, address: String, options: &Arc<[String]>) -> String {
        let lists = self.lists.entry(address.clone()).or_default();
        let at = lists.iter().position(|known| known == options);
        let at = at.unwrap_or_else(|| {
            lists.push(Arc::clone(options));
            lists.len() - 1
        });
        match at {
            0 => address,
            at => format!("{address} ({})", at + 1),
        }
    }
}

/// Options with a name each: those that share one are numbered.
fn distinct(options: Vec<String>) -> Arc<[String]> {
    let repeats = |name: &String| options.iter().filter(|other| *other == name).count() > 1;
    let name = |(at, name): (usize, &String)| match name.as_str() {
        "" => format!("option {}", at + 1),
        _ if repeats(name) => format!("{name} ({})", at + 1),
        name => name.to_owned(),
    };
    options.iter().enumerate().map(name).collect()
}
