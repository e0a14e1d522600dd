//! Refitting: the tested winner trained once more on all rows, those of the test included, to be used and not judged.
//!
//! What it gives has no test score, as no example is left that it has not seen. What is known of it is what the winner
//! scored on the test part before.

use super::core::PATIENCE;
use super::error::RunError;
use super::evaluators::AllRows;
use super::event::{Event, Unit};
use super::executor::{Assignment, Beginning, Limits, Message, with_threads};
use super::files::Files;
use super::lifecycle::{Options, check_hashes, limits, load};
use super::record::{Retrained, RetrainedResult, Subject, Winner};
use super::setup::Setup;
use super::summary::RecordedRun;
use crate::data::Preprocessing;
use crate::evaluation::{Evaluation, Evaluator};
use crate::search::{Fidelity, TrialId};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// A winner that was trained on all rows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Refitted {
    /// Which winner.
    pub subject: Subject,
    /// The trial that found it.
    pub trial: TrialId,
    /// The number of rows that it was trained on.
    pub rows: u64,
    /// What its score is.
    pub score_name: &'static str,
    /// What it scored on the test part, on average, when it was trained without it.
    pub tested: f64,
    /// Where its weights are.
    pub weights: PathBuf,
}

/// Trains each winner of a run that has ended once more, on all rows, and saves it beside `best/`'s network. Nothing if
/// it was told to stop before it was done.
///
/// # Errors
/// When the run was not tested, its networks are not trained on data, the data has changed, or training fails.
pub fn refit(
    folder: &Path,
    options: &Options<'_>,
    watch: &mut dyn FnMut(&Event),
) -> Result<Option<Vec<Refitted>>, RunError> {
    let run = RecordedRun::open(folder)?;
    let started = run.started();
    let wanted = wanted(&run)?;
    let mut evaluators = load(started, &options.place)?;
    check_hashes(started, evaluators.as_ref())?;
    let setup = run.setup()?;
    let all = evaluators.open_all();
    let AllRows {
        evaluator,
        preprocessing,
        rows,
    } = all.ok_or_else(|| refused("its networks are not trained on data"))?;
    // Time decides of nothing here.
    let limits = Limits {
        deadline: None,
        ..limits(&started.experiment, options)?
    };
    let mut refitted = Vec::new();
    for (subject, trial, tested) in wanted {
        let work = assignment(&setup, &run, &subject, trial)?;
        let Some(result) = carry_out(evaluator.as_ref(), limits, work, options, watch)? else {
            return Ok(None);
        };
        let finished = result.map_err(|failure| refused(&failure.to_string()))?;
        let about = Refitted {
            weights: weights_in(&run.folder().best_of(&subject)),
            subject,
            trial,
            rows,
            score_name: setup.test_score_name(),
            tested,
        };
        let weights = finished.weights.unwrap_or_default();
        write(run.folder().files(), &about, &weights, &preprocessing)?;
        refitted.push(about);
    }
    Ok(Some(refitted))
}

/// The winners with their trials and mean test scores.
fn wanted(run: &RecordedRun) -> Result<Vec<(Subject, TrialId, f64)>, RunError> {
    let state = run.state();
    let winner = state.winner.as_ref().filter(|_| state.ended.is_some());
    let entrants = winner.map(Winner::entrants).unwrap_or_default();
    let mut all = Vec::new();
    for (subject, trial) in entrants {
        let of = |retrained: &&Retrained| retrained.subject == subject;
        let results = state.retrained.values().filter(of).map(|done| &done.result);
        let scores: Vec<f64> = results.filter_map(RetrainedResult::score).collect();
        if !scores.is_empty() {
            let mean = scores.iter().sum::<f64>() / scores.len() as f64;
            all.push((subject, trial, mean));
        }
    }
    match all.is_empty() {
        false => Ok(all),
        true => Err(refused(
            "its winner has no test score yet, and none can be had once it is trained on the test part too; let the \
             run's final evaluation end first",
        )),
    }
}

fn retrained_epochs(run: &RecordedRun, subject: &Subject) -> Option<u32> {
    run.state().retrained.get(&(subject.clone(), 0))?.epochs
}

fn assignment(
    setup: &Setup,
    run: &RecordedRun,
    subject: &Subject,
    trial: TrialId,
) -> Result<Assignment, RunError> {
    let candidate = run.candidate(trial)?;
    Ok(Assignment {
        unit: Unit::Retraining {
            subject: subject.clone(),
            index: 0,
        },
        attempt: 0,
        number: 0,
        seed: setup.experiment.seed.derive("refit", 0),
        recipe: setup.recipe(&candidate)?,
        candidate: Arc::new(candidate),
        // For as many epochs as it was retrained before it was tested.
        fidelity: retrained_epochs(run, subject).map_or(Fidelity::FULL, Fidelity::of_epochs),
        start: Beginning::default(),
    })
}

/// The result of one piece of work; nothing if it was told to stop.
fn carry_out(
    evaluator: &dyn Evaluator,
    limits: Limits,
    work: Assignment,
    options: &Options<'_>,
    watch: &mut dyn FnMut(&Event),
) -> Result<Option<Evaluation>, RunError> {
    let mut work = Some(work);
    let mut result = None;
    with_threads(evaluator, limits, &mut |executor| {
        if let Some(work) = work.take() {
            executor.submit(work)?;
        }
        while result.is_none() && !options.stop.load(Ordering::Relaxed) {
            match executor.next(PATIENCE)? {
                Some(Message::Done(done)) => result = Some(done.result),
                Some(Message::Epoch {
                    unit,
                    worker,
                    record,
                }) => watch(&Event::Epoch {
                    unit,
                    worker,
                    record,
                }),
                Some(Message::Started { .. } | Message::Lost { .. }) | None => {}
            }
        }
        Ok(())
    })?;
    Ok(result)
}

fn write(
    files: &Files,
    about: &Refitted,
    weights: &[u8],
    preprocessing: &Preprocessing,
) -> Result<(), RunError> {
    let folder = about.weights.parent().unwrap_or(&about.weights);
    files.create_folder(folder)?;
    files.replace(&about.weights, weights)?;
    let learnt = preprocessing.to_json();
    files.replace(&preprocessing_in(folder), learnt.as_bytes())?;
    let mut text = serde_json::to_vec_pretty(about).expect("this is plain data");
    text.push(b'\n');
    files.replace(&folder.join("refitted.json"), &text)
}

impl RecordedRun {
    /// Where the weights of a winner are that was trained on all rows, and what turns examples into its inputs.
    ///
    /// # Errors
    /// When it was not [refitted](refit), or what is kept is damaged.
    pub fn refitted(&self, subject: &Subject) -> Result<(PathBuf, Preprocessing), RunError> {
        let folder = self.folder().best_of(subject);
        let (weights, path) = (weights_in(&folder), preprocessing_in(&folder));
        let disk = self.folder().files().disk();
        if !disk.exists(&weights) || !disk.exists(&path) {
            let run = self.folder().path().display();
            return Err(refused(&format!(
                "its {subject} was not trained on all rows; `strata refit {run}` does it"
            )));
        }
        let text = disk.read(&path).map_err(RunError::file("read", &path))?;
        Ok((
            weights,
            Preprocessing::parse(&path.display().to_string(), &text)?,
        ))
    }
}

fn weights_in(folder: &Path) -> PathBuf {
    folder.join("refitted.safetensors")
}

fn preprocessing_in(folder: &Path) -> PathBuf {
    folder.join("refitted_preprocessing.json")
}

fn refused(why: &str) -> RunError {
    RunError::Setting {
        key: "refit".to_owned(),
        message: format!("the run can't be refitted: {why}"),
    }
}
