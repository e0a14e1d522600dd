//! MLflow, through its REST API: a run for the search, and a run nested in it for each trial.
//!
//! Runs carry tags that say which run of strata and which trial they are, so that a search that goes on is told to
//! the same runs.

mod client;

use super::calendar::millis;
use super::error::TrackError;
use super::known::{Known, figures};
use super::tracking::Tracker;
use crate::evaluation::EpochRecord;
use crate::run::journal::Entry;
use crate::run::record::{EndReason, Record, TrialFinished};
use crate::search::TrialId;
use crate::training::Direction;
use client::{Client, Metric, Pair, Status};
use std::collections::BTreeMap;

/// What a server asks for before it answers.
#[derive(Clone, Default)]
pub struct Access {
    /// Sent as a bearer token.
    pub token: Option<String>,
}

/// An MLflow server.
pub struct Mlflow {
    client: Client,
    search: Option<Search>,
}

/// The runs of a search on the server.
struct Search {
    experiment: String,
    /// Which run of strata it is.
    tag: String,
    run: String,
    /// The trials that the server has, and whether they have ended there.
    trials: BTreeMap<u64, (String, bool)>,
    best: Option<f64>,
    waiting: Vec<Metric>,
}

/// A trial's result.
struct Told<'a> {
    trial: TrialId,
    epochs: &'a [EpochRecord],
    figures: Vec<(&'a str, f64)>,
    seconds: f64,
    failure: Option<String>,
}

impl Mlflow {
    /// The server at an address such as `http://127.0.0.1:5000`. It is asked when there is something to tell.
    ///
    /// # Errors
    /// When the address is none.
    pub fn new(server: &str, access: &Access) -> Result<Self, TrackError> {
        Ok(Self {
            client: Client::new(server, access.token.as_deref())?,
            search: None,
        })
    }

    fn begin(&mut self, known: &Known, at: f64) -> Result<(), TrackError> {
        let experiment = self.client.experiment(&known.experiment.name)?;
        let tag = format!("{} {}", known.name, millis(known.begun));
        let mut trials = BTreeMap::new();
        let mut run = None;
        for found in self.client.find(&experiment, "strata.run", &tag)? {
            match found
                .tag("strata.trial")
                .and_then(|trial| trial.parse().ok())
            {
                Some(trial) => {
                    let ended = found.status != "RUNNING";
                    trials.insert(trial, (found.id, ended));
                }
                None => run = Some(found.id),
            }
        }
        let run = match run {
            Some(run) => {
                self.client.update(&run, Status::Running, None)?;
                run
            }
            None => {
                let tags = vec![Pair::new("strata.run", &tag)];
                let run = self.client.create(&experiment, &known.name, at, tags)?;
                self.client.log(&run, &[], settings(known))?;
                run
            }
        };
        self.search = Some(Search {
            experiment,
            tag,
            run,
            trials,
            best: None,
            waiting: Vec::new(),
        });
        Ok(())
    }

    fn trial(&mut self, told: &Told<'_>, known: &mut Known, at: f64) -> Result<(), TrackError> {
        let Some(search) = &mut self.search else {
            return Ok(());
        };
        let trial = told.trial;
        let (run, ended) = match search.trials.get(&trial.0) {
            Some(known) => known.clone(),
            None => {
                let tags = vec![
                    Pair::new("strata.run", &search.tag),
                    Pair::new("strata.trial", &trial.to_string()),
                    Pair::new("mlflow.parentRunId", &search.run),
                ];
                let name = format!("trial {trial}");
                let begun = at - told.seconds;
                let run = self.client.create(&search.experiment, &name, begun, tags)?;
                (run, false)
            }
        };
        if ended {
            return Ok(());
        }
        let proposal = &known.state.proposals[trial.0 as usize];
        let mut figures = told.figures.clone();
        figures.extend([
            ("params", proposal.params as f64),
            ("macs", proposal.macs as f64),
            ("seconds", told.seconds),
        ]);
        let mut metrics: Vec<Metric> = figures
            .into_iter()
            .map(|(name, value)| Metric::new(name, value, at, 0))
            .collect();
        for epoch in known.state.curve(trial, told.epochs) {
            metrics.extend(curve(&epoch, &known.score_name, at));
        }
        let decisions = known.decisions(trial);
        let params = decisions
            .iter()
            .map(|chosen| Pair::new(&chosen.parameter, chosen.value()));
        self.client.log(&run, &metrics, params.collect())?;
        let status = match &told.failure {
            None => Status::Finished,
            Some(failure) => {
                self.client.tag(&run, "strata.failure", failure)?;
                Status::Failed
            }
        };
        self.client.update(&run, status, Some(at))?;
        search.trials.insert(trial.0, (run, true));
        Ok(())
    }

    /// The best score so far, at the trial's number.
    fn progress(&mut self, done: &TrialFinished, direction: Direction, at: f64) {
        let (trial, score) = (done.trial, done.score);
        if let Some(search) = &mut self.search {
            let best = search
                .best
                .map_or(score, |best| direction.better(best, score));
            search.best = Some(best);
            let step = i64::try_from(trial.0).unwrap_or(i64::MAX);
            search.waiting.push(Metric::new("best", best, at, step));
        }
    }

    fn end(&mut self, reason: EndReason, at: f64) -> Result<(), TrackError> {
        self.flush()?;
        let status = match reason {
            EndReason::Completed => Status::Finished,
            EndReason::NothingFinished
            | EndReason::NothingWithin
            | EndReason::ConsecutiveFailures => Status::Failed,
        };
        match &self.search {
            Some(search) => self.client.update(&search.run, status, Some(at)),
            None => Ok(()),
        }
    }
}

/// What the search was started with.
fn settings(known: &Known) -> Vec<Pair> {
    let experiment = &known.experiment;
    vec![
        Pair::new("controller", experiment.search.description().name),
        Pair::new("seed", &experiment.seed.0.to_string()),
        Pair::new("space", &experiment.space.display().to_string()),
        Pair::new("score", &known.score_name),
    ]
}

fn curve(epoch: &EpochRecord, score_name: &str, at: f64) -> Vec<Metric> {
    let figures = [
        ("train/loss".to_owned(), Some(epoch.train_loss)),
        ("validation/loss".to_owned(), epoch.validation_loss),
        (format!("validation/{score_name}"), epoch.score()),
    ];
    let step = i64::from(epoch.epoch);
    let given = figures.into_iter();
    given
        .filter_map(|(name, value)| Some(Metric::new(&name, value?, at, step)))
        .collect()
}

impl Tracker for Mlflow {
    fn take(&mut self, entry: &Entry, known: &mut Known) -> Result<(), TrackError> {
        let at = entry.at;
        match &entry.record {
            Record::Started(_) => self.begin(known, at)?,
            Record::Finished(done) => {
                let told = Told {
                    trial: done.trial,
                    epochs: &done.epochs,
                    figures: figures(done),
                    seconds: done.seconds,
                    failure: None,
                };
                self.trial(&told, known, at)?;
                if known.is_full(done.trial) {
                    self.progress(done, known.state.direction(), at);
                }
            }
            Record::Failed(failed) => {
                let told = Told {
                    trial: failed.trial,
                    epochs: &failed.epochs,
                    figures: Vec::new(),
                    seconds: failed.seconds,
                    failure: Some(format!("{}: {}", failed.kind.name(), failed.message)),
                };
                self.trial(&told, known, at)?;
            }
            Record::Retrained(done) => {
                if let (Some(search), Some(score)) = (&mut self.search, done.result.score()) {
                    let name = format!("test/{}", done.subject);
                    let metric = Metric::new(&name, score, at, i64::from(done.index));
                    search.waiting.push(metric);
                }
            }
            Record::Winner(winner) => {
                if let Some(search) = &self.search {
                    let trial = winner.trial.to_string();
                    self.client.tag(&search.run, "strata.winner", &trial)?;
                }
            }
            Record::Ended(ended) => self.end(ended.reason, at)?,
            Record::Extended(_) => {
                if let Some(search) = &self.search {
                    self.client.update(&search.run, Status::Running, None)?;
                }
            }
            Record::Proposed(_)
            | Record::Searched(_)
            | Record::Selected(_)
            | Record::TestOpened(_) => {}
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), TrackError> {
        if let Some(search) = &mut self.search {
            let waiting = std::mem::take(&mut search.waiting);
            self.client.log(&search.run, &waiting, Vec::new())?;
        }
        Ok(())
    }
}
