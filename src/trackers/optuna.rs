//! An Optuna journal: the file of `optuna.storages.journal.JournalFileBackend`, which `optuna-dashboard` opens.
//!
//! A line is an operation. A run is a study that maximises or minimises its score; a trial's decisions are categorical parameters; a trial
//! that was no full evaluation is pruned, so that the best trial is a full one.

use super::calendar::iso;
use super::error::TrackError;
use super::grown::Grown;
use super::known::{Chosen, Known};
use super::tracking::Tracker;
use crate::evaluation::EpochRecord;
use crate::run::journal::Entry;
use crate::run::record::{Proposal, Record, TrialFailed, TrialFinished};
use crate::search::TrialId;
use crate::training::Direction;
use serde_json::{Map, Value, json};
use std::path::Path;

/// `JournalOperation`.
const CREATE_STUDY: u8 = 0;
const SET_STUDY_USER_ATTR: u8 = 2;
const SET_STUDY_SYSTEM_ATTR: u8 = 3;
const CREATE_TRIAL: u8 = 4;
const SET_TRIAL_STATE_VALUES: u8 = 6;
const SET_TRIAL_INTERMEDIATE_VALUE: u8 = 7;
const SET_TRIAL_USER_ATTR: u8 = 8;

/// `StudyDirection.MINIMIZE`.
const MINIMIZE: u8 = 1;

/// `StudyDirection.MAXIMIZE`.
const MAXIMIZE: u8 = 2;

/// `TrialState`.
const RUNNING: u8 = 0;
const COMPLETE: u8 = 1;
const PRUNED: u8 = 2;
const FAIL: u8 = 3;

/// A journal file of Optuna's with one study.
#[derive(Debug)]
pub struct OptunaJournal {
    file: Grown,
}

impl OptunaJournal {
    /// The journal at `path`, which goes on if it holds the same run already.
    ///
    /// # Errors
    /// When the file can't be opened.
    pub fn open(path: &Path) -> Result<Self, TrackError> {
        Ok(Self {
            file: Grown::open(path)?,
        })
    }

    fn operation(&mut self, code: u8, fields: Value) {
        let mut line = Map::new();
        line.insert("op_code".to_owned(), code.into());
        line.insert("worker_id".to_owned(), "strata".into());
        if let Value::Object(fields) = fields {
            line.extend(fields);
        }
        let line = format!("{}\n", Value::Object(line));
        self.file.write(line.as_bytes());
    }

    fn study(&mut self, known: &Known) {
        let direction = match known.state.direction() {
            Direction::Maximise => MAXIMIZE,
            Direction::Minimise => MINIMIZE,
        };
        let created = json!({"study_name": known.name, "directions": [direction]});
        self.operation(CREATE_STUDY, created);
        let names =
            json!({"study_id": 0, "system_attr": {"study:metric_names": [known.score_name]}});
        self.operation(SET_STUDY_SYSTEM_ATTR, names);
        let experiment = &known.experiment;
        for (name, value) in [
            ("experiment", json!(experiment.name)),
            ("controller", json!(experiment.search.description().name)),
            ("seed", json!(experiment.seed.0)),
        ] {
            let attribute = json!({"study_id": 0, "user_attr": {name: value}});
            self.operation(SET_STUDY_USER_ATTR, attribute);
        }
    }

    fn propose(&mut self, proposal: &Proposal, decisions: &[Chosen], at: f64) {
        let (mut params, mut distributions) = (Map::new(), Map::new());
        for chosen in decisions {
            let choices = json!({"choices": &chosen.options[..]});
            let distribution = json!({"name": "CategoricalDistribution", "attributes": choices});
            params.insert(chosen.parameter.clone(), chosen.option.into());
            // Optuna keeps a distribution as text.
            distributions.insert(chosen.parameter.clone(), distribution.to_string().into());
        }
        let mut attributes = json!({
            "params": proposal.params,
            "macs": proposal.macs,
            "network": proposal.key,
        });
        if !proposal.parents.is_empty() {
            attributes["parents"] = json!(proposal.parents);
        }
        if let Some(fidelity) = proposal.fidelity {
            attributes["fidelity"] = json!(fidelity.to_string());
        }
        if let Some(earlier) = proposal.continues {
            attributes["goes on from"] = json!(earlier);
        }
        let created = json!({
            "study_id": 0,
            "datetime_start": iso(at),
            "state": RUNNING,
            "value": null,
            "values": null,
            "distributions": distributions,
            "params": params,
            "user_attrs": attributes,
            "system_attrs": {},
            "intermediate_values": {},
        });
        self.operation(CREATE_TRIAL, created);
    }

    fn finish(&mut self, done: &TrialFinished, known: &Known, at: f64) {
        self.curve(done.trial, &done.epochs, known);
        self.attribute(done.trial, "loss", json!(done.loss));
        self.attribute(done.trial, "seconds", json!(done.seconds));
        for (name, value) in &done.metrics {
            self.attribute(done.trial, name, json!(value));
        }
        let partial = known
            .state
            .proposals
            .get(done.trial.0 as usize)
            .is_some_and(|proposal| proposal.fidelity.is_some());
        let state = if partial { PRUNED } else { COMPLETE };
        self.settle(done.trial, state, json!([done.score]), at);
    }

    fn fail(&mut self, failed: &TrialFailed, known: &Known, at: f64) {
        self.curve(failed.trial, &failed.epochs, known);
        let why = format!("{}: {}", failed.kind.name(), failed.message);
        self.attribute(failed.trial, "failure", json!(why));
        self.settle(failed.trial, FAIL, Value::Null, at);
    }

    /// The validation score after each epoch, those of the trial it goes on from included.
    fn curve(&mut self, trial: TrialId, own: &[EpochRecord], known: &Known) {
        for epoch in known.state.curve(trial, own) {
            if let Some(score) = epoch.score() {
                let value =
                    json!({"trial_id": trial, "step": epoch.epoch, "intermediate_value": score});
                self.operation(SET_TRIAL_INTERMEDIATE_VALUE, value);
            }
        }
    }

    fn attribute(&mut self, trial: TrialId, name: &str, value: Value) {
        let attribute = json!({"trial_id": trial, "user_attr": {name: value}});
        self.operation(SET_TRIAL_USER_ATTR, attribute);
    }

    fn settle(&mut self, trial: TrialId, state: u8, values: Value, at: f64) {
        let settled = json!({
            "trial_id": trial,
            "state": state,
            "values": values,
            "datetime_complete": iso(at),
        });
        self.operation(SET_TRIAL_STATE_VALUES, settled);
    }
}

impl Tracker for OptunaJournal {
    fn take(&mut self, entry: &Entry, known: &mut Known) -> Result<(), TrackError> {
        match &entry.record {
            Record::Started(_) => self.study(known),
            Record::Proposed(proposal) => {
                let decisions = known.decisions(proposal.trial);
                self.propose(proposal, &decisions, entry.at);
            }
            Record::Finished(done) => self.finish(done, known, entry.at),
            Record::Failed(failed) => self.fail(failed, known, entry.at),
            Record::Searched(searched) => {
                // What was proposed and does not count any more would run for ever.
                for trial in searched.trials..known.state.proposals.len() as u64 {
                    if trial >= known.state.outcomes.len() as u64 {
                        self.attribute(TrialId(trial), "failure", json!("the search had ended"));
                        self.settle(TrialId(trial), FAIL, Value::Null, entry.at);
                    }
                }
            }
            Record::Winner(_)
            | Record::Selected(_)
            | Record::TestOpened(_)
            | Record::Retrained(_)
            | Record::Ended(_)
            | Record::Extended(_) => {}
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), TrackError> {
        self.file.flush()
    }
}
