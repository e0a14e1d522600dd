//! Runs: an experiment carried out, written down, resumable to the bit.
//!
//! [`start`] carries out an [`Experiment`] in a new [`RunFolder`], [`resume`] goes on with one, both
//! telling an observer [`Event`]s. A single-threaded dispatcher asks the controller, writes the
//! journal and tells results; workers evaluate. The journal is the state: everything else in the
//! folder follows from it. [`RecordedRun`] reads a run, [`verify`] repeats parts of it.
//!
//! This module prints nothing and reads no environment.

mod again;
mod alike;
mod checkpoints;
pub mod comparison;
mod core;
mod disk;
mod dispatcher;
mod error;
mod evaluators;
mod event;
mod executor;
mod experiment;
mod extension;
mod figures;
mod files;
mod final_evaluation;
mod folder;
mod follow;
mod forecast;
mod held;
mod history;
pub mod journal;
pub mod launch;
mod leftovers;
mod lifecycle;
pub mod looks;
mod manifest;
mod models;
mod origin;
mod past;
mod pipe;
mod prefilter;
mod preprocessing;
pub mod record;
mod reference;
mod refit;
mod retest;
mod retrained;
mod selection;
mod selection_training;
mod setup;
pub mod shared;
mod state;
mod summary;
mod time;
mod toml_text;
mod verify;
mod wire;
mod within;
mod worker;

#[cfg(test)]
mod tests;

pub use error::RunError;
pub use evaluators::{
    AllRows, DataUse, EVALUATORS, EvaluatorInfo, EvaluatorSettings, Evaluators, Given,
    ProxySettings, SettingInfo, TrainingEvaluators, TrainingSettings,
};
pub use event::{Event, Phase, Unit};
pub use executor::WorkerProgram;
pub use experiment::{
    Budget, Experiment, ExperimentFile, FinalSettings, Isolation, StopSettings, TrackingSettings,
    TrialSettings,
};
pub use figures::{ARCHITECTURE_FIGURES, figure};
pub use folder::RunFolder;
pub use follow::{JournalFile, News, Source};
pub use forecast::FinalPlan;
pub use history::History;
pub use lifecycle::{
    Elsewhere, Ending, Options, extend, extend_by, resume, resume_by, start, start_with,
};
pub use origin::Origin;
pub use prefilter::PrefilterSettings;
pub use record::{EndReason, SearchEnd, Subject};
pub use reference::{EndBy, Ends, Extent};
pub use refit::{Refitted, refit};
pub use retest::{Retested, retest};
pub use retrained::RetrainedNetwork;
pub use selection::{Bound, Front, FrontRow, Limit, amount, fronts};
pub use state::{Outcome, State};
pub use summary::{FinalProgress, FinalRow, RecordedRun, Summary, TrialRow};
pub use verify::{Checked, Sample, Verification, choose, verify, verify_with};
pub use within::{Amount, Nearest, Within};
pub use worker::{work, work_with};
