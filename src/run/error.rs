//! What can go wrong with a run, by who must act.

use super::record::Started;
use super::shared::SharedError;
use crate::data::DataError;
use crate::diagnostics::{Diagnostic, SourceFile};
use crate::search::TrialId;
use std::path::{Path, PathBuf};

/// Why a run can't be started, continued or read.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A text (experiment or space) has errors; render the diagnostics against it.
    #[error("{} has errors: {}", file.name(), first_message(file, diagnostics))]
    Text {
        /// The text.
        file: SourceFile,
        /// What is wrong with it.
        diagnostics: Vec<Diagnostic>,
    },
    /// A setting makes no sense.
    #[error("{key}: {message}")]
    Setting {
        /// The setting, such as `search.population`.
        key: String,
        /// Why.
        message: String,
    },
    /// More workers than results can be kept independent of.
    #[error(
        "{asked} workers are more than lookahead = {lookahead}: a trial is proposed from results at \
         least that far back, so at most {lookahead} can run at a time; ask for fewer workers, or \
         raise search.lookahead in a new run"
    )]
    TooManyWorkers {
        /// How many were asked for.
        asked: usize,
        /// The experiment's lookahead.
        lookahead: u64,
    },
    /// A baseline is not one network.
    #[error(
        "{}: a baseline is a space of one, this one has {count} architectures; train one of them \
         or decide its choices",
        path.display()
    )]
    Baseline {
        /// Its file.
        path: PathBuf,
        /// How many architectures it has.
        count: String,
    },
    /// A network does not fit the data.
    #[error("{space}: {message}")]
    Unfit {
        /// The space's name.
        space: String,
        /// Why.
        message: String,
    },
    /// The data can't be read or divided.
    #[error("failed to load the data: {0}")]
    Data(#[from] DataError),
    /// The data or a text is not what the run was started with.
    #[error(
        "{what} has changed since the run was started (SHA-256 {now}, then {then}); restore it, or \
         start a new run"
    )]
    Changed {
        /// What.
        what: String,
        /// Its hash now.
        now: String,
        /// Its hash at the start.
        then: String,
    },
    /// A file can't be read or written.
    #[error("failed to {action} {}: {source}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
    /// There is no run at the path.
    #[error("{} is not a run folder: it has no journal.jsonl", .0.display())]
    NotARun(PathBuf),
    /// What is at the path is a comparison.
    #[error(
        "{} is a comparison and not a run; name one of its runs ({}), or go on with it by `strata compare {}`",
        folder.display(),
        runs.join(", "),
        folder.display()
    )]
    AComparison {
        /// The folder.
        folder: PathBuf,
        /// The names of its runs.
        runs: Vec<String>,
    },
    /// A run that is part of a comparison can't go on by itself.
    #[error(
        "{} is a run of a comparison, and its test examples are read when every search of it has ended; go on with \
         `strata compare {}`",
        folder.display(),
        comparison.display()
    )]
    OfAComparison {
        /// The run folder.
        folder: PathBuf,
        /// The comparison's.
        comparison: PathBuf,
    },
    /// Another process writes the journal.
    #[error("{} is in use: another strata process is running it; wait for it or stop it", .0.display())]
    Locked(PathBuf),
    /// A line of the journal is damaged.
    #[error(
        "{} line {line} is damaged: {message}; restore the file from a copy, or cut it before this \
         line and resume",
        path.display()
    )]
    Damaged {
        /// The journal.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What is wrong with it.
        message: String,
    },
    /// A line of a ledger of looks is damaged.
    #[error(
        "{} line {line} is damaged: {message}; nothing is tested before it is right, as looks at test examples are \
         counted by it: restore the file from a copy or from version control",
        path.display()
    )]
    DamagedLedger {
        /// The ledger.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What is wrong with it.
        message: String,
    },
    /// The journal was written by a newer version.
    #[error(
        "{} line {line} is in journal format {found}, and this version of strata reads up to format \
         {known}; use a newer strata",
        path.display()
    )]
    NewerFormat {
        /// The journal.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// The line's format.
        found: u32,
        /// The newest format this version reads.
        known: u32,
    },
    /// What the journal says is not what this version would have done.
    #[error(
        "trial {trial} of the journal is not what this version of strata proposes; resume with the \
         version that started the run ({version})"
    )]
    Diverging {
        /// The first trial that differs.
        trial: TrialId,
        /// The version that started the run.
        version: String,
    },
    /// Too many trials failed in a row.
    #[error("{} trials failed in a row: {}", trials.len(), list(trials))]
    ConsecutiveFailures {
        /// The trials and why each failed.
        trials: Vec<(TrialId, String)>,
        /// The run folder.
        folder: PathBuf,
    },
    /// A worker process can't be had.
    #[error("failed to start a worker process by {}: {message}", program.display())]
    Worker {
        /// What was started.
        program: PathBuf,
        /// Why not.
        message: String,
    },
    /// The run is over.
    #[error(
        "{} has ended ({how}); there is nothing to resume; a larger budget lets the search go on: `strata resume {} --trials N`",
        folder.display(),
        folder.display()
    )]
    AlreadyEnded {
        /// The run folder.
        folder: PathBuf,
        /// How it ended.
        how: &'static str,
    },
    /// The budget of a run can't be made larger in this way.
    #[error("{} can't be extended: {message}", folder.display())]
    NotExtended {
        /// The run folder.
        folder: PathBuf,
        /// Why not.
        message: String,
    },
    /// A run on many machines can't be reached, joined or written.
    #[error(transparent)]
    Shared(#[from] SharedError),
    /// The scores of a run are measured times.
    #[error(
        "`kind = \"{0}\"` measures time, which is never the same twice, so there is nothing to \
         verify; the journal keeps what was measured"
    )]
    Measured(&'static str),
    /// The run's trainings are not what this version's are.
    #[error(
        "the run was started by a build (strata {version}, trainings of revision {then}) whose trials have the scores of \
         {}; this build (revision {}) gives them those of {}, so it can't {what}",
        of_epoch(*then), crate::training::REVISION, of_epoch(crate::training::REVISION)
    )]
    OtherTraining {
        /// What can't be done, and what can.
        what: &'static str,
        /// The version of strata that started the run.
        version: String,
        /// Its revision of trainings.
        then: u32,
    },
    /// There is no such trial, or it has no result.
    #[error("trial {0} has no result in this run")]
    NoResult(TrialId),
}

/// Which epoch's scores trainings of a revision give.
fn of_epoch(revision: u32) -> &'static str {
    match revision {
        1 => "their last epoch",
        2 => "their best epoch",
        _ => "epochs that this build doesn't know",
    }
}

impl RunError {
    /// What a run of other trainings can't have done to it here.
    pub(super) fn other_training(what: &'static str, started: &Started) -> Self {
        Self::OtherTraining {
            what,
            version: started.strata.clone(),
            then: started.training_revision(),
        }
    }

    /// A file error as a value for `map_err`.
    pub(super) fn file(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File {
            action,
            path,
            source,
        }
    }
}

fn first_message(file: &SourceFile, diagnostics: &[Diagnostic]) -> String {
    match diagnostics.first() {
        None => "nothing is known about them".to_owned(),
        Some(first) => {
            let at = file.position(first.span.start);
            format!("line {}, column {}: {}", at.line, at.column, first.message)
        }
    }
}

fn list(trials: &[(TrialId, String)]) -> String {
    if let [(first, why), .., (last, _)] = trials
        && trials.iter().all(|(_, other)| other == why)
    {
        return format!("trials {first} to {last} {why}");
    }
    let each = |(trial, why): &(TrialId, String)| format!("trial {trial} {why}");
    trials.iter().map(each).collect::<Vec<_>>().join("; ")
}
