//! TensorBoard: a folder of event files, one for the search and one for each trial.
//!
//! A trial's decisions are its hyperparameters, so that the HPARAMS page compares trials; its learning curve and its
//! figures are scalars.

mod event;

use super::error::TrackError;
use super::grown::Grown;
use super::known::{Known, figures};
use super::tracking::Tracker;
use crate::evaluation::EpochRecord;
use crate::run::journal::Entry;
use crate::run::record::{Record, TrialFinished};
use crate::search::TrialId;
use event::{Status, end, scalar, start, version};
use std::path::{Path, PathBuf};

/// A folder that TensorBoard reads.
#[derive(Debug)]
pub struct TensorBoard {
    folder: PathBuf,
    search: Option<Grown>,
    best: Option<f64>,
}

impl TensorBoard {
    /// The folder at `path`, which is made when there is something to write.
    pub fn new(path: &Path) -> Self {
        Self {
            folder: path.to_owned(),
            search: None,
            best: None,
        }
    }

    /// The event file of a part of the run. TensorBoard knows event files by their names.
    fn file(&self, part: &str, known: &Known) -> Result<Grown, TrackError> {
        let name = format!("events.out.tfevents.{:010}.strata", known.begun as u64);
        let mut file = Grown::open(&self.folder.join(part).join(name))?;
        file.write(&version(known.begun));
        Ok(file)
    }

    /// A trial with a result: its file is written at once.
    fn trial(&mut self, result: &Told<'_>, known: &mut Known, at: f64) -> Result<(), TrackError> {
        let trial = result.trial;
        let mut file = self.file(&format!("trial-{:04}", trial.0), known)?;
        let decisions = known.decisions(trial);
        let named = decisions
            .iter()
            .map(|chosen| (chosen.parameter.clone(), chosen.value().to_owned()));
        let begun = (at - result.seconds).max(known.begun);
        file.write(&start(&format!("trial {trial}"), named.collect(), begun));
        for epoch in known.state.curve(trial, result.epochs) {
            let step = i64::from(epoch.epoch);
            for (name, value) in self::curve(&epoch, &known.score_name) {
                file.write(&scalar(&name, step, value, at));
            }
        }
        let proposal = &known.state.proposals[trial.0 as usize];
        let figures = [
            ("params", proposal.params as f64),
            ("macs", proposal.macs as f64),
            ("seconds", result.seconds),
        ];
        let figures = figures.iter().map(|(name, value)| (*name, *value));
        for (name, value) in result.figures.iter().copied().chain(figures) {
            file.write(&scalar(&format!("trial/{name}"), 0, value, at));
        }
        file.write(&end(result.status, at));
        file.flush()
    }

    /// The score of a trial beside the best so far, at the trial's number.
    fn progress(&mut self, done: &TrialFinished, known: &Known, at: f64) {
        let (trial, score) = (done.trial, done.score);
        if known.is_full(trial) {
            let direction = known.state.direction();
            self.best = Some(
                self.best
                    .map_or(score, |best| direction.better(best, score)),
            );
        }
        let step = i64::try_from(trial.0).unwrap_or(i64::MAX);
        let Some(search) = &mut self.search else {
            return;
        };
        search.write(&scalar("search/score", step, score, at));
        if let Some(best) = self.best {
            search.write(&scalar("search/best", step, best, at));
        }
    }
}

/// A trial's result.
struct Told<'a> {
    trial: TrialId,
    epochs: &'a [EpochRecord],
    figures: Vec<(&'a str, f64)>,
    seconds: f64,
    status: Status,
}

fn curve(epoch: &EpochRecord, score_name: &str) -> Vec<(String, f64)> {
    let figures = [
        ("train/loss".to_owned(), Some(epoch.train_loss)),
        ("train/learning_rate".to_owned(), Some(epoch.learning_rate)),
        ("validation/loss".to_owned(), epoch.validation_loss),
        (format!("validation/{score_name}"), epoch.score()),
    ];
    let given = figures.into_iter();
    given
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
}

impl Tracker for TensorBoard {
    fn take(&mut self, entry: &Entry, known: &mut Known) -> Result<(), TrackError> {
        match &entry.record {
            Record::Started(_) => self.search = Some(self.file("search", known)?),
            Record::Finished(done) => {
                let result = Told {
                    trial: done.trial,
                    epochs: &done.epochs,
                    figures: figures(done),
                    seconds: done.seconds,
                    status: Status::Success,
                };
                self.trial(&result, known, entry.at)?;
                self.progress(done, known, entry.at);
            }
            Record::Failed(failed) => {
                let result = Told {
                    trial: failed.trial,
                    epochs: &failed.epochs,
                    figures: Vec::new(),
                    seconds: failed.seconds,
                    status: Status::Failure,
                };
                self.trial(&result, known, entry.at)?;
            }
            Record::Retrained(done) => {
                if let (Some(search), Some(score)) = (&mut self.search, done.result.score()) {
                    let name = format!("test/{}", done.subject);
                    search.write(&scalar(&name, i64::from(done.index), score, entry.at));
                }
            }
            Record::Proposed(_)
            | Record::Searched(_)
            | Record::Winner(_)
            | Record::Selected(_)
            | Record::TestOpened(_)
            | Record::Ended(_)
            | Record::Extended(_) => {}
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), TrackError> {
        self.search.as_mut().map_or(Ok(()), Grown::flush)
    }
}
