//! The files that trials leave in a run folder, for people and for other tools.
//!
//! All of them follow from the journal and the texts, or are written again by the trial that wrote
//! them; nothing in a run depends on them.

use super::error::RunError;
use super::files::Files;
use super::folder::RunFolder;
use super::record::{Retrained, TrialFinished};
use crate::architecture::{Architecture, mermaid, text};
use crate::evaluation::EpochRecord;
use crate::search::TrialId;
use crate::space::Candidate;
use serde::Serialize;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// What a person should know about the network in `best/`.
#[derive(Serialize)]
struct About<'a> {
    trial: TrialId,
    trained_on: &'a str,
    #[serde(skip_serializing_if = "is_accuracy")]
    score_name: &'static str,
    validation_accuracy: Option<f64>,
    test_accuracy: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    validation_score: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    test_score: Option<f64>,
    /// The epochs after which the weights are what they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    epochs: Option<u32>,
    params: u64,
    macs: u64,
    key: String,
}

/// A trial's network and learning curve, if it was trained. One that was looked up, measured or rejected has no
/// folder: a run may have a million of those, and all that is to be known of them is in the journal.
pub(super) fn write_trial(
    folder: &RunFolder,
    trial: TrialId,
    candidate: &Candidate,
    epochs: &[EpochRecord],
) -> Result<(), RunError> {
    if epochs.is_empty() {
        return Ok(());
    }
    let (files, folder) = (folder.files(), folder.trial(trial));
    files.create_folder(&folder)?;
    write_architecture(files, &folder, &candidate.architecture)?;
    files.replace(&folder.join("curve.csv"), curve(epochs).as_bytes())
}

/// The best network, as the search trained it, if it did.
pub(super) fn write_best(
    folder: &RunFolder,
    record: &TrialFinished,
    candidate: &Candidate,
    weights: Option<&[u8]>,
    score_name: &'static str,
) -> Result<(), RunError> {
    let about = About {
        trained_on: weights.map_or("", |_| "train"),
        epochs: record.best_epoch,
        ..About::of(record.trial, candidate, score_name).with_validation(record.score)
    };
    write_network(folder.files(), &folder.best(), candidate, weights, &about)
}

/// A winner's network, as the final evaluation trained it with its first seed.
pub(super) fn write_retrained(
    files: &Files,
    (folder, trial): &(PathBuf, TrialId),
    record: &Retrained,
    candidate: &Candidate,
    weights: Option<&[u8]>,
    score_name: &'static str,
) -> Result<(), RunError> {
    let Some(score) = record.result.score() else {
        return Ok(());
    };
    let about = About {
        trained_on: "train and validation",
        epochs: record.epochs,
        ..About::of(*trial, candidate, score_name).with_test(score)
    };
    write_network(files, folder, candidate, weights, &about)
}

impl About<'_> {
    fn of(trial: TrialId, candidate: &Candidate, score_name: &'static str) -> Self {
        let metrics = candidate.architecture.metrics();
        Self {
            trial,
            trained_on: "",
            score_name,
            validation_accuracy: None,
            test_accuracy: None,
            validation_score: None,
            test_score: None,
            epochs: None,
            params: metrics.params,
            macs: metrics.macs,
            key: candidate.architecture.canonical().digest(),
        }
    }

    fn with_validation(mut self, score: f64) -> Self {
        let accuracy = is_accuracy(&self.score_name);
        let place = if accuracy {
            &mut self.validation_accuracy
        } else {
            &mut self.validation_score
        };
        *place = Some(score);
        self
    }

    fn with_test(mut self, score: f64) -> Self {
        let accuracy = is_accuracy(&self.score_name);
        let place = if accuracy {
            &mut self.test_accuracy
        } else {
            &mut self.test_score
        };
        *place = Some(score);
        self
    }
}

fn is_accuracy(name: &&str) -> bool {
    *name == "accuracy"
}

fn write_network(
    files: &Files,
    folder: &Path,
    candidate: &Candidate,
    weights: Option<&[u8]>,
    about: &About<'_>,
) -> Result<(), RunError> {
    files.create_folder(folder)?;
    let architecture = &candidate.architecture;
    write_architecture(files, folder, architecture)?;
    files.replace(
        &folder.join("architecture.txt"),
        text(architecture).as_bytes(),
    )?;
    files.replace(
        &folder.join("architecture.mmd"),
        mermaid(architecture).as_bytes(),
    )?;
    files.replace(&folder.join("genome.json"), &pretty(&candidate.genome))?;
    if let Some(weights) = weights {
        files.replace(&folder.join("weights.safetensors"), weights)?;
    }
    files.replace(&folder.join("about.json"), &pretty(about))
}

fn write_architecture(
    files: &Files,
    folder: &Path,
    architecture: &Architecture,
) -> Result<(), RunError> {
    files.replace(
        &folder.join("architecture.json"),
        &pretty(&architecture.to_json()),
    )
}

fn pretty(value: &impl Serialize) -> Vec<u8> {
    let mut text = serde_json::to_vec_pretty(value).expect("this is plain data");
    text.push(b'\n');
    text
}

fn curve(epochs: &[EpochRecord]) -> String {
    let is_other = epochs
        .iter()
        .any(|record| record.validation_score.is_some());
    let score = if is_other { "score" } else { "accuracy" };
    let mut text = format!("epoch,learning_rate,train_loss,validation_loss,validation_{score}\n");
    let cell = |figure: Option<f64>| figure.map_or_else(String::new, |figure| figure.to_string());
    for record in epochs {
        let (loss, accuracy) = (cell(record.validation_loss), cell(record.score()));
        let (rate, train) = (record.learning_rate, record.train_loss);
        let _ = writeln!(text, "{},{rate},{train},{loss},{accuracy}", record.epoch);
    }
    text
}
