//! Where people already look: a run in the words of TensorBoard, Optuna and MLflow, and as tables.
//!
//! A [`Tracker`] is told a journal's entries in order, after the run or while it goes on; [`Tracking`] reads them from
//! a [`Source`](crate::run::Source). It sees nothing of the run but its journal, so it can't change or end one.
//! What trackers write is a function of the journal: told the same entries again, they add what is missing.
//!
//! Nothing here is read back by strata.

mod calendar;
mod error;
mod grown;
mod known;
mod mlflow;
mod optuna;
mod settings;
mod table;
mod tensorboard;
mod tracking;

pub use error::TrackError;
pub use known::{Chosen, Known};
pub use mlflow::{Access, Mlflow};
pub use optuna::OptunaJournal;
pub use settings::Kind;
pub use table::TrialTable;
pub use tensorboard::TensorBoard;
pub use tracking::{Tracker, Tracking, follow};
