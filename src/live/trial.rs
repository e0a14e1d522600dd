//! One trial in full: its network, its decisions and its learning curve.

use crate::architecture;
use crate::evaluation::EpochRecord;
use crate::run::{News, Outcome, RunError, Source, State};
use crate::search::TrialId;
use crate::space::{Candidate, SearchSpace};
use serde::Serialize;
use std::sync::Arc;

/// A run whose networks are looked at: its space is compiled once.
pub struct Networks {
    source: Box<dyn Source>,
    state: State,
    space: Arc<SearchSpace>,
}

/// A trial in full.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sheet {
    /// The network as a table of text.
    text: String,
    layers: usize,
    /// Where was decided what.
    decisions: Vec<(String, String)>,
    /// Training settings that the space decides.
    recipe: Vec<(String, String)>,
    curve: Vec<Point>,
}

/// What one epoch gave.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
struct Point {
    epoch: u32,
    train_loss: f64,
    loss: Option<f64>,
    score: Option<f64>,
}

impl Networks {
    /// The networks of a run that has not been read from yet.
    ///
    /// # Errors
    /// When the run's texts can't be read or have changed.
    pub fn open(source: Box<dyn Source>) -> Result<Self, RunError> {
        let space = source.run()?.space()?;
        Ok(Self {
            source,
            state: State::default(),
            space,
        })
    }

    /// Takes in what was appended to the journal. False if it is another run now.
    ///
    /// # Errors
    /// When the journal can't be read.
    pub fn catch_up(&mut self) -> Result<bool, RunError> {
        loop {
            match self.source.more()? {
                News::Restarted => return Ok(false),
                News::Entries(entries) if entries.is_empty() => return Ok(true),
                News::Entries(entries) => {
                    for entry in &entries {
                        // What makes no sense is told where the journal is followed.
                        let _ = self.state.apply(&entry.record);
                    }
                }
            }
        }
    }

    /// Begins anew with the run that is there now.
    ///
    /// # Errors
    /// When its texts can't be read or have changed, or its journal can't be read.
    pub fn restart(&mut self) -> Result<(), RunError> {
        self.space = self.source.run()?.space()?;
        self.state = State::default();
        self.catch_up().map(drop)
    }

    /// A trial in full, if it was proposed.
    pub fn sheet(&self, trial: TrialId) -> Option<Sheet> {
        let candidate = self.candidate(trial)?;
        let genome = &candidate.genome;
        let outcome = self.state.outcomes.get(trial.0 as usize);
        let own = outcome.map_or(&[] as &[_], Outcome::epochs);
        let point = |record: &EpochRecord| Point {
            epoch: record.epoch,
            train_loss: record.train_loss,
            loss: record.validation_loss,
            score: record.score(),
        };
        let decisions = self.space.decisions(genome).unwrap_or_default();
        let settings = candidate.recipe.iter();
        Some(Sheet {
            text: architecture::text(&candidate.architecture),
            layers: candidate.architecture.nodes().len().saturating_sub(1),
            decisions: decisions
                .into_iter()
                .map(|decision| (decision.address, decision.name))
                .collect(),
            recipe: settings
                .map(|(name, value)| (name.clone(), value.to_string()))
                .collect(),
            curve: self.state.curve(trial, own).iter().map(point).collect(),
        })
    }

    /// A trial's network as a drawing, if it was proposed.
    pub fn drawing(&self, trial: TrialId) -> Option<String> {
        Some(architecture::svg(&self.candidate(trial)?.architecture))
    }

    fn candidate(&self, trial: TrialId) -> Option<Candidate> {
        let proposal = self.state.proposals.get(usize::try_from(trial.0).ok()?)?;
        self.space.decode(&proposal.genome).ok()
    }
}
