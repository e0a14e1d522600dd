//! `[final] within`: bounds that a winner has to meet, for one winner or for several points of the front.

use super::core::Core;
use super::error::RunError;
use super::figures::{ARCHITECTURE_FIGURES, figure};
use super::record::{Proposal, TrialFinished, Winner};
use super::selection::{Bound, Limit, amount, unknown};
use super::setup::Setup;
use super::state::{Outcome, is_better};
use super::summary::RecordedRun;
use crate::architecture::Metrics;
use crate::evaluation::is_gain;
use crate::search::TrialId;
use crate::space::Candidate;
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// Bounds on the figures of a network that may win: what is to be small has a most, what is to be large a least.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Within(pub BTreeMap<String, Amount>);

/// An amount of a figure, written as a number or as in `"100k"`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "f64")]
pub struct Amount(pub f64);

#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Number(f64),
    Text(String),
}

impl TryFrom<Written> for Amount {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        match written {
            Written::Number(number) => Ok(Self(number)),
            Written::Text(text) => amount(&text).map(Self),
        }
    }
}

impl From<Amount> for f64 {
    fn from(amount: Amount) -> Self {
        amount.0
    }
}

#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "bounds as in `{ params = \"100k\", latency_ms = 2 }`, in numbers or texts such as \"2.5M\", or a list \
                 of such tables"
)]
enum OneOrSeveral {
    One(Within),
    Several(Vec<Within>),
}

/// Reads bounds or a list of them.
pub(super) fn one_or_several<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<Within>, D::Error> {
    Ok(match OneOrSeveral::deserialize(deserializer)? {
        OneOrSeveral::One(one) => vec![one],
        OneOrSeveral::Several(several) => several,
    })
}

impl fmt::Display for Within {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bounds: Vec<String> = self.bounds().iter().map(Bound::to_string).collect();
        f.write_str(&bounds.join(" and "))
    }
}

impl Within {
    /// The bounds, by the names of their figures.
    pub fn bounds(&self) -> Vec<Bound> {
        let bound = |(name, amount): (&String, &Amount)| Bound {
            name: name.clone(),
            limit: match is_gain(name) {
                true => Limit::Least(amount.0),
                false => Limit::Most(amount.0),
            },
        };
        self.0.iter().map(bound).collect()
    }

    /// What makes no sense about it.
    pub(super) fn nonsense(&self) -> Option<String> {
        if self.0.is_empty() {
            return Some("`within` needs a bound, as in `{ params = \"100k\" }`".to_owned());
        }
        let wrong = self.0.iter().find(|(_, amount)| !amount.0.is_finite());
        wrong.map(|(name, _)| format!("`within` needs a number for `{name}`"))
    }

    /// Whether a network's figures are within. `evaluated` are those that its evaluation gave.
    fn admits(
        &self,
        metrics: &Metrics,
        evaluated: &BTreeMap<String, f64>,
    ) -> Result<bool, RunError> {
        let mut admitted = true;
        for bound in self.bounds() {
            let found = figure(&bound.name, metrics, evaluated);
            let found = found.ok_or_else(|| unknown(&bound.name, evaluated))?;
            admitted &= bound.admits(found);
        }
        Ok(admitted)
    }

    /// Whether a network that was not trained yet may turn out to be within.
    fn may_admit(&self, metrics: &Metrics) -> bool {
        let known = |bound: &Bound| ARCHITECTURE_FIGURES.contains(&bound.name.as_str());
        let fits = |bound: &Bound| {
            let found = figure(&bound.name, metrics, &BTreeMap::new());
            found.is_none_or(|found| bound.admits(found))
        };
        self.bounds().iter().filter(|bound| known(bound)).all(fits)
    }
}

/// The best trial so far of those within the first bounds, where there are some: what `best/` holds.
#[derive(Debug, Default)]
pub(super) struct Leader(Option<(Proposal, TrialFinished)>);

impl Leader {
    /// The leader of the trials that a journal tells of.
    pub fn of(core: &Core<'_>) -> Result<Self, RunError> {
        let mut leader = Self::default();
        if core.setup.experiment.last.within.is_empty() {
            return Ok(leader);
        }
        for (proposal, outcome) in core.state.proposals.iter().zip(&core.state.outcomes) {
            if let Outcome::Finished(finished) = outcome {
                let candidate = core.setup.candidate(&proposal.genome)?;
                leader.challenge(core.setup, (proposal, finished), &candidate)?;
            }
        }
        Ok(leader)
    }

    /// Whether a trial is within the bounds and better than those before it; if so it leads.
    ///
    /// # Errors
    /// When it has no figure of a bound's name.
    pub fn challenge(
        &mut self,
        setup: &Setup,
        (proposal, finished): (&Proposal, &TrialFinished),
        candidate: &Candidate,
    ) -> Result<bool, RunError> {
        let metrics = candidate.architecture.metrics();
        let mut admitted = Vec::new();
        for within in &setup.experiment.last.within {
            admitted.push(within.admits(&metrics, &finished.metrics)?);
        }
        let held = self
            .0
            .as_ref()
            .map(|(proposal, finished)| (proposal, finished));
        let direction = setup.experiment.direction();
        let leads = admitted.first() == Some(&true)
            && held.is_none_or(|held| is_better(direction, (proposal, finished), held));
        if leads {
            self.0 = Some((proposal.clone(), finished.clone()));
        }
        Ok(leads)
    }
}

/// The best trials within the experiment's bounds, one for each; nothing if some bounds admit none.
pub(super) fn winners(core: &mut Core<'_>) -> Result<Option<Winner>, RunError> {
    core.commit()?;
    let run = RecordedRun::open_on(core.folder.files().clone(), core.folder.path())?;
    let mut winner: Option<Winner> = None;
    for within in &core.setup.experiment.last.within {
        let Some(row) = run.best_within(&within.bounds())? else {
            return Ok(None);
        };
        match &mut winner {
            Some(winner) => winner.others.push(row.trial),
            None => {
                winner = row.score.map(|score| Winner {
                    trial: row.trial,
                    score,
                    others: Vec::new(),
                });
            }
        }
    }
    Ok(winner)
}

/// The trial that came nearest to bounds which none met.
#[derive(Clone, Debug, PartialEq)]
pub struct Nearest {
    /// The bounds.
    pub within: Within,
    /// The trial.
    pub trial: TrialId,
    /// Its figures, by the names of the bounds.
    pub figures: Vec<(String, f64)>,
}

impl RecordedRun {
    /// For each of the experiment's bounds that no trial meets, the trial that comes nearest: by the bound that it
    /// misses by the largest share.
    ///
    /// # Errors
    /// When the trials have no such figure, or the folder's space has changed.
    pub fn nearest(&self) -> Result<Vec<Nearest>, RunError> {
        let mut all = Vec::new();
        for within in &self.started().experiment.last.within {
            let bounds = within.bounds();
            let names: Vec<String> = bounds.iter().map(|bound| bound.name.clone()).collect();
            let mut nearest: Option<(f64, Nearest)> = None;
            for ((proposal, _), figures) in self.answers(&names)? {
                let misses = bounds
                    .iter()
                    .zip(&figures)
                    .map(|(bound, figure)| bound.misses_by(*figure));
                let distance = misses.fold(0.0, f64::max);
                if nearest.as_ref().is_none_or(|(least, _)| distance < *least) {
                    let figures = names.iter().cloned().zip(figures).collect();
                    let (within, trial) = (within.clone(), proposal.trial);
                    let found = Nearest {
                        within,
                        trial,
                        figures,
                    };
                    nearest = Some((distance, found));
                }
            }
            all.extend(
                nearest
                    .filter(|(distance, _)| *distance > 0.0)
                    .map(|(_, found)| found),
            );
        }
        Ok(all)
    }

    /// How many trials were outside of all the experiment's bounds by figures that are known before training, which a
    /// `require` in the space would have kept out. Nothing is where there are no bounds.
    ///
    /// # Errors
    /// When the folder's space has changed.
    pub fn in_vain(&self) -> Result<u64, RunError> {
        let within = &self.started().experiment.last.within;
        let mut count = 0;
        if within.is_empty() {
            return Ok(count);
        }
        for proposal in &self.state().proposals {
            let candidate = self.candidate(proposal.trial)?;
            let metrics = candidate.architecture.metrics();
            count += u64::from(!within.iter().any(|within| within.may_admit(&metrics)));
        }
        Ok(count)
    }
}
