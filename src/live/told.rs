//! What the page is told: a journal's entries without what only a resumed run needs.

use crate::run::journal::Entry;
use crate::run::record::{Record, RetrainedResult, SelectedResult, Subject};
use crate::run::{RecordedRun, RunError};
use crate::training::Direction;
use serde::Serialize;
use std::collections::BTreeMap;

/// What a run was started with, for the head of the page.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Head {
    name: String,
    /// The comment that opens the experiment file.
    question: String,
    score_name: &'static str,
    direction: Direction,
    controller: &'static str,
    seed: u64,
    trials: Option<u64>,
    epochs: Option<u64>,
    seconds: Option<f64>,
    /// How many architectures there are to find, in digits.
    architectures: String,
    facts: Vec<(&'static str, String)>,
}

impl Head {
    /// The head of a run.
    ///
    /// # Errors
    /// When its texts can't be read or have changed.
    pub fn of(run: &RecordedRun) -> Result<Self, RunError> {
        let started = run.started();
        let experiment = &started.experiment;
        let text = run.experiment_text().unwrap_or_default();
        let comment = text.lines().take_while(|line| line.starts_with('#'));
        let words: Vec<&str> = comment
            .map(|line| line.trim_start_matches('#').trim())
            .collect();
        let controller = experiment.search.description().name;
        let (space, score_name) = (run.space()?, run.score_name()?);
        Ok(Self {
            name: experiment.name.clone(),
            question: words.join(" "),
            score_name,
            direction: run.state().direction(),
            controller,
            seed: experiment.seed.0,
            trials: experiment.budget.trials,
            epochs: experiment.budget.epochs,
            seconds: experiment.budget.seconds,
            architectures: space.indices().to_string(),
            facts: vec![
                ("strata", started.strata.clone()),
                ("burn", started.burn.clone()),
                ("processor", started.host.cpu.clone()),
                ("SHA-256 of the space", started.space_hash.clone()),
                ("of the data", started.data_hash.clone()),
                ("of its division", started.split_hash.clone()),
            ],
        })
    }
}

/// An entry of the journal.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Told {
    at: f64,
    seconds: f64,
    what: What,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
enum What {
    Started,
    Proposed {
        trial: u64,
        params: u64,
        macs: u64,
        key: String,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        parents: Vec<u64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        fidelity: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        continues: Option<u64>,
    },
    Finished {
        trial: u64,
        score: f64,
        loss: f64,
        epochs: usize,
        #[serde(skip_serializing_if = "Option::is_none")]
        best_epoch: Option<u32>,
        seconds: f64,
        #[serde(skip_serializing_if = "BTreeMap::is_empty")]
        metrics: BTreeMap<String, f64>,
    },
    Failed {
        trial: u64,
        kind: &'static str,
        message: String,
        epochs: usize,
        seconds: f64,
    },
    Searched {
        trials: u64,
        reason: &'static str,
    },
    Winner {
        trial: u64,
    },
    TestOpened {
        examples: u64,
        look: u32,
    },
    Selected {
        subject: String,
        winner: bool,
        /// For how many epochs it is retrained.
        best_epoch: Option<u32>,
        failure: Option<String>,
    },
    Retrained {
        subject: String,
        winner: bool,
        index: u32,
        #[serde(skip_serializing_if = "Option::is_none")]
        epochs: Option<u32>,
        score: Option<f64>,
        failure: Option<String>,
    },
    Ended {
        reason: &'static str,
    },
    Extended {
        trials: Option<u64>,
        epochs: Option<u64>,
        seconds: Option<f64>,
    },
}

impl Told {
    /// What an entry says.
    pub fn of(entry: &Entry) -> Self {
        Self {
            at: entry.at,
            seconds: entry.seconds,
            what: What::of(&entry.record),
        }
    }
}

impl What {
    fn of(record: &Record) -> Self {
        match record {
            Record::Started(_) => Self::Started,
            Record::Proposed(proposal) => Self::Proposed {
                trial: proposal.trial.0,
                params: proposal.params,
                macs: proposal.macs,
                key: proposal.key.clone(),
                parents: proposal.parents.iter().map(|parent| parent.0).collect(),
                fidelity: proposal.fidelity.map(|fidelity| fidelity.to_string()),
                continues: proposal.continues.map(|earlier| earlier.0),
            },
            Record::Finished(done) => Self::Finished {
                trial: done.trial.0,
                score: done.score,
                loss: done.loss,
                epochs: done.epochs.len(),
                best_epoch: done.best_epoch,
                seconds: done.seconds,
                metrics: done.metrics.clone(),
            },
            Record::Failed(failed) => Self::Failed {
                trial: failed.trial.0,
                kind: failed.kind.name(),
                message: failed.message.clone(),
                epochs: failed.epochs.len(),
                seconds: failed.seconds,
            },
            Record::Searched(searched) => Self::Searched {
                trials: searched.trials,
                reason: searched.reason.describe(),
            },
            Record::Winner(winner) => Self::Winner {
                trial: winner.trial.0,
            },
            Record::TestOpened(opened) => Self::TestOpened {
                examples: opened.examples,
                look: opened.look,
            },
            Record::Selected(done) => Self::Selected {
                subject: done.subject.to_string(),
                winner: done.subject == Subject::Winner,
                best_epoch: done.result.best_epoch(),
                failure: match &done.result {
                    SelectedResult::Failed { kind, message } => {
                        Some(format!("{}: {message}", kind.name()))
                    }
                    SelectedResult::Validated { .. } => None,
                },
            },
            Record::Retrained(done) => Self::Retrained {
                subject: done.subject.to_string(),
                winner: done.subject == Subject::Winner,
                index: done.index,
                epochs: done.epochs,
                score: done.result.score(),
                failure: match &done.result {
                    RetrainedResult::Failed { kind, message } => {
                        Some(format!("{}: {message}", kind.name()))
                    }
                    _ => None,
                },
            },
            Record::Ended(ended) => Self::Ended {
                reason: ended.reason.describe(),
            },
            Record::Extended(extended) => Self::Extended {
                trials: extended.budget.trials,
                epochs: extended.budget.epochs,
                seconds: extended.budget.seconds,
            },
        }
    }
}
