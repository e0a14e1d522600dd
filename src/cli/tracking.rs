//! `--track` and `[tracking]`: who else is told what happens in a run; and `export` to the same places.

use super::failure::Failure;
use super::terminal::{self, Terminal};
use crate::run::{Event, Experiment, RecordedRun, RunFolder, TrackingSettings};
use crate::trackers::{self, Access, Kind, Known, TrackError, Tracking, TrialTable};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

/// Trackers of a run, as the command line names them.
#[derive(Debug, clap::Args)]
pub struct TrackArgs {
    /// Also tell tensorboard, optuna or mlflow, at PLACE instead of in the run folder or at the usual address
    #[arg(long, value_name = "KIND[=PLACE]")]
    track: Vec<String>,
}

impl TrackArgs {
    /// The trackers of the command line and of an experiment.
    ///
    /// # Errors
    /// When there is no such kind.
    pub fn trackers(&self, settings: &TrackingSettings) -> Result<Trackers, Failure> {
        let given = Kind::ALL.into_iter();
        let mut wanted: Vec<(Kind, String)> = given
            .filter_map(|kind| Some((kind, kind.place(settings)?.to_owned())))
            .collect();
        for text in &self.track {
            let (name, place) = match text.split_once('=') {
                Some((name, place)) => (name, Some(place.to_owned())),
                None => (text.as_str(), None),
            };
            let kind = Kind::ALL.into_iter().find(|kind| kind.name() == name);
            let kind = kind.ok_or_else(|| {
                let kinds = Kind::ALL.map(Kind::name).join(", ");
                Failure::Input(format!("there is no tracker `{name}`; there are {kinds}"))
            })?;
            wanted.retain(|(other, _)| *other != kind);
            wanted.push((kind, place.unwrap_or_else(|| default_place(kind))));
        }
        Ok(Trackers {
            wanted,
            ..Trackers::default()
        })
    }

    /// As [`trackers`](Self::trackers), with what the experiment of a run folder says.
    ///
    /// # Errors
    /// As [`trackers`](Self::trackers).
    pub fn of_folder(&self, folder: &Path) -> Result<Trackers, Failure> {
        let text = RunFolder::open(folder)
            .ok()
            .and_then(|folder| std::fs::read_to_string(folder.experiment()).ok());
        // An experiment that can't be read is told where the run is resumed.
        let experiment = text.and_then(|text| Experiment::parse("experiment.toml", &text).ok());
        self.trackers(&experiment.map(|it| it.tracking).unwrap_or_default())
    }
}

/// Trackers that are told a run from threads of their own, or the runs of a comparison one after the other. They see a
/// run's journal and nothing else, so that nothing they do changes the run.
#[derive(Default)]
pub struct Trackers {
    wanted: Vec<(Kind, String)>,
    ended: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
    /// What was warned of: a server that is away is away for every run of a comparison.
    warned: Arc<Mutex<BTreeSet<String>>>,
}

impl Trackers {
    /// Begins when a run is open. What there is to tell of the one before is told first: it may be the same one, and two
    /// may not write one file.
    pub fn see(&mut self, event: &Event) {
        let Event::Opened { folder, .. } = event else {
            return;
        };
        self.close();
        for (kind, place) in self.wanted.clone() {
            let (folder, ended) = (folder.clone(), Arc::clone(&self.ended));
            let warned = Arc::clone(&self.warned);
            let warn = move |error: &TrackError| {
                let text = format!("warning: {} is not told what happens: {error}", kind.name());
                let mut warned = warned.lock().unwrap_or_else(PoisonError::into_inner);
                if warned.insert(text.clone()) {
                    terminal::say(&format!("{text}; the run goes on, and so do attempts"));
                }
            };
            let thread = std::thread::spawn(move || follow(&folder, kind, &place, &ended, warn));
            self.threads.push(thread);
        }
    }

    /// Returns when everything was told, or can't be.
    pub fn close(&mut self) {
        self.ended.store(true, Ordering::Release);
        for thread in self.threads.drain(..) {
            // A tracker that panicked has said so, and the run is over.
            let _ = thread.join();
        }
        self.ended = Arc::default();
    }
}

fn follow(
    folder: &Path,
    kind: Kind,
    place: &str,
    ended: &AtomicBool,
    warn: impl FnOnce(&TrackError),
) {
    let access = access();
    let open = || {
        let run = RunFolder::open(folder)?;
        kind.track(&run, place, folder, &access)
    };
    trackers::follow(open, ended, warn);
}

/// Tells a tracker a whole run.
///
/// # Errors
/// When the run can't be read, or the tracker fails.
pub fn export(
    folder: &Path,
    kind: Kind,
    output: Option<&Path>,
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    let run = RunFolder::open(folder)?;
    let place = output.map_or_else(|| PathBuf::from(default_place(kind)), Path::to_owned);
    let base = if output.is_some() {
        Path::new("")
    } else {
        folder
    };
    let text = place.to_string_lossy();
    let mut tracking = kind.track(&run, &text, base, &access()).map_err(failure)?;
    tracking.catch_up().map_err(failure)?;
    let place = match kind {
        Kind::Mlflow => text.into_owned(),
        Kind::TensorBoard | Kind::Optuna => base.join(&place).display().to_string(),
    };
    terminal.line(&place)?;
    terminal.say(&format!(
        "look at it with `{}`",
        program(kind, &place, &tracking)
    ));
    Ok(())
}

/// What opens a tracker's place.
fn program(kind: Kind, place: &str, tracking: &Tracking) -> String {
    match kind {
        Kind::TensorBoard => format!("tensorboard --logdir {place}"),
        Kind::Optuna => format!("optuna-dashboard {place}"),
        Kind::Mlflow => {
            let experiment = &tracking.known().experiment.name;
            format!("a browser: {place}, experiment {experiment}")
        }
    }
}

/// All trials of a run as a table.
///
/// # Errors
/// When the run can't be read.
pub fn table(folder: &Path) -> Result<TrialTable, Failure> {
    let run = RecordedRun::open(folder)?;
    let mut known = Known::of(&run).map_err(failure)?;
    for entry in run.entries()? {
        known.take(&entry);
    }
    Ok(TrialTable::of(&mut known))
}

/// Why a tracker failed, as a failure of the verb.
pub fn failure(error: TrackError) -> Failure {
    match error {
        TrackError::Run(error) => error.into(),
        TrackError::Foreign { .. } => Failure::Input(error.to_string()),
        error => Failure::Other(error.to_string()),
    }
}

fn default_place(kind: Kind) -> String {
    match (kind, std::env::var("MLFLOW_TRACKING_URI")) {
        (Kind::Mlflow, Ok(server)) if !server.is_empty() => server,
        _ => kind.default_place().to_owned(),
    }
}

fn access() -> Access {
    let token = std::env::var("MLFLOW_TRACKING_TOKEN").ok();
    Access {
        token: token.filter(|token| !token.is_empty()),
    }
}
