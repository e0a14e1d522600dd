//! What a comparison's folder says besides its runs.

use super::designs::Design;
use super::look::Planned;
use super::plan::{Part, Plan};
use crate::run::files::Files;
use crate::run::folder::{COMPARISON, RunFolder, holds_comparison};
use crate::run::looks::Written;
use crate::run::manifest;
use crate::run::{ExperimentFile, Origin, RecordedRun, RunError, files, journal};
use crate::search::TrialId;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

/// The newest format of the files of a comparison, and the one that is written. Format 2 names the experiment's file,
/// format 3 the look at test examples.
const FORMAT: u32 = 3;

/// `comparison.json`: what is compared, fixed before anything is run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Opening {
    pub format: u32,
    pub strata: String,
    pub at: f64,
    pub base: PathBuf,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub datasets: Option<PathBuf>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub experiment: Option<Origin>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub look: Option<Planned>,
    pub plan: Plan,
}

/// `winners.json`: written when every search is over and before any test example is read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Winners {
    format: u32,
    /// When, in seconds since 1970.
    pub at: f64,
    /// The winners, in the order of the plan.
    pub winners: Vec<FixedWinner>,
}

/// `designs.json`: what hand-designed networks score on validation examples, in a quick comparison.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Designs {
    format: u32,
    designs: Vec<Design>,
}

/// A winner that no test example has been seen for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FixedWinner {
    /// The run's folder.
    pub run: String,
    /// The trial; nothing if none has a score.
    pub trial: Option<TrialId>,
    /// A short name of the canonical network.
    pub key: Option<String>,
}

/// A comparison as its folder tells it.
#[derive(Debug)]
pub struct RecordedComparison {
    folder: PathBuf,
    files: Files,
    opening: Opening,
    winners: Option<Winners>,
    designs: Option<Designs>,
    runs: Vec<(Part, RecordedRun)>,
}

impl RecordedComparison {
    /// Reads a comparison's folder, whose runs may still be going on.
    ///
    /// # Errors
    /// When there is no comparison, or a file in it can't be read.
    pub fn open(folder: &Path) -> Result<Self, RunError> {
        Self::open_on(Files::of_machine(), folder)
    }

    /// As [`open`](Self::open), on some disk.
    pub(super) fn open_on(files: Files, folder: &Path) -> Result<Self, RunError> {
        let opening: Opening = read(&files, &opening_path(folder))?;
        let winners = winners_path(folder);
        let are_fixed = files.disk().exists(&winners);
        let winners = are_fixed.then(|| read(&files, &winners)).transpose()?;
        let designs = designs_path(folder);
        let are_there = files.disk().exists(&designs);
        let designs = are_there.then(|| read(&files, &designs)).transpose()?;
        let mut runs = Vec::new();
        for part in opening.plan.parts() {
            let path = folder.join(opening.plan.folder(part));
            let journal = path.join(journal::FILE_NAME);
            if files.disk().exists(&path) || files.disk().exists(&journal) {
                runs.push((part, RecordedRun::open_on(files.clone(), &path)?));
            }
        }
        Ok(Self {
            files,
            folder: folder.to_owned(),
            opening,
            winners,
            designs,
            runs,
        })
    }

    /// Whether there is a comparison in a folder.
    pub fn is_in(folder: &Path) -> bool {
        holds_comparison(folder)
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What is compared.
    pub fn plan(&self) -> &Plan {
        &self.opening.plan
    }

    /// The experiment's file. Comparisons of the first format don't know.
    pub fn experiment_file(&self) -> Option<&Origin> {
        self.opening.experiment.as_ref()
    }

    /// The look that it takes, or took, if a ledger is kept.
    pub(super) fn planned_look(&self) -> Option<&Planned> {
        self.opening.look.as_ref()
    }

    /// The version of strata that began it.
    pub fn strata(&self) -> &str {
        &self.opening.strata
    }

    /// The winners as they were fixed before the test examples were read.
    pub fn winners(&self) -> Option<&Winners> {
        self.winners.as_ref()
    }

    /// What hand-designed networks score on validation examples, in a quick comparison that has ended.
    pub fn designs(&self) -> Option<&[Design]> {
        self.designs.as_ref().map(|known| &known.designs[..])
    }

    /// The runs that there are, in the order of the plan.
    pub fn runs(&self) -> &[(Part, RecordedRun)] {
        &self.runs
    }

    /// The experiment as it was given.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn experiment_text(&self) -> Result<String, RunError> {
        self.files.read_text(&self.folder.join("experiment.toml"))
    }

    /// What `comparison.json` says, without the folders of the machine that it was made on.
    pub(super) fn opening_for_others(&self) -> Vec<u8> {
        let mut opening = self.opening.clone();
        opening.base = PathBuf::new();
        opening.datasets = None;
        if let Some(origin) = &mut opening.experiment {
            origin.path = files::last_part(&origin.path);
        }
        in_words(&opening)
    }

    /// What `winners.json` says, if the winners were fixed.
    pub(super) fn winners_for_others(&self) -> Option<Vec<u8>> {
        self.winners.as_ref().map(in_words)
    }

    /// Whether every run has ended.
    pub fn is_complete(&self) -> bool {
        let ended = |(_, run): &(Part, RecordedRun)| run.state().ended.is_some();
        let scored = !self.plan().quick || self.designs.is_some();
        scored && self.runs.len() == self.plan().parts().len() && self.runs.iter().all(ended)
    }

    pub(super) fn file(&self) -> Result<ExperimentFile, RunError> {
        let copy = self.folder.join("experiment.toml");
        let text = self.files.read_text(&copy)?;
        if let Some(origin) = &self.opening.experiment {
            origin.check(&copy.display().to_string(), &text)?;
        }
        let mut experiment = self.plan().experiment.clone();
        experiment.data.folder.clone_from(&self.opening.datasets);
        Ok(ExperimentFile {
            experiment,
            text,
            base: self.opening.base.clone(),
            // A run of a comparison is not what the file asks for by itself.
            path: None,
        })
    }
}

/// Makes the folder of a comparison under `runs`.
pub(super) fn create(
    file: &ExperimentFile,
    plan: Plan,
    look: Option<Planned>,
    runs: &Path,
    now: f64,
) -> Result<PathBuf, RunError> {
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let name = format!("{}-compare", plan.experiment.name);
    let opening = Opening {
        format: FORMAT,
        strata: manifest::STRATA.to_owned(),
        at: now,
        base: absolute(&file.base),
        datasets: file.experiment.data.folder.as_deref().map(absolute),
        experiment: Origin::of(file),
        look,
        plan,
    };
    let fill = |folder: &RunFolder| {
        folder
            .files()
            .replace(&folder.experiment(), file.text.as_bytes())?;
        write(&opening_path(folder.path()), &opening)?;
        folder.files().sync_folder(folder.path())
    };
    let (folder, ()) = RunFolder::create(&Files::of_machine(), runs, &name, fill)?;
    Ok(folder.path().to_owned())
}

/// Writes down that it is another look than was planned.
pub(super) fn look_again(comparison: &RecordedComparison, taken: &Written) -> Result<(), RunError> {
    let mut opening = comparison.opening.clone();
    (opening.plan.look, opening.plan.repeats_seeds) = (taken.look, taken.repeats);
    write(&opening_path(&comparison.folder), &opening)
}

/// Writes down the winners, or holds them against what was written down before.
pub(super) fn fix(comparison: &RecordedComparison, now: f64) -> Result<(), RunError> {
    let winners: Vec<FixedWinner> = comparison.runs.iter().map(fixed).collect();
    let path = winners_path(&comparison.folder);
    match &comparison.winners {
        None => write(
            &path,
            &Winners {
                format: FORMAT,
                at: now,
                winners,
            },
        ),
        Some(before) if before.winners == winners => Ok(()),
        Some(_) => Err(RunError::Damaged {
            path,
            line: 1,
            message: "the runs have other winners".to_owned(),
        }),
    }
}

fn fixed((_, run): &(Part, RecordedRun)) -> FixedWinner {
    let winner = run.state().winner.as_ref().map(|winner| winner.trial);
    let key = |trial: TrialId| run.state().proposals[trial.0 as usize].key.clone();
    FixedWinner {
        run: run
            .folder()
            .path()
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
        trial: winner,
        key: winner.map(key),
    }
}

/// Keeps a second process out for as long as the file is held.
pub(super) fn lock(folder: &Path) -> Result<File, RunError> {
    let path = opening_path(folder);
    let file = File::open(&path).map_err(RunError::file("open", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(RunError::Locked(folder.to_owned())),
        Err(TryLockError::Error(source)) => Err(RunError::file("lock", &path)(source)),
    }
}

/// Writes down what the hand-designed networks of a quick comparison score.
pub(super) fn write_designs(folder: &Path, designs: Vec<Design>) -> Result<(), RunError> {
    let format = FORMAT;
    write(&designs_path(folder), &Designs { format, designs })
}

fn designs_path(folder: &Path) -> PathBuf {
    folder.join("designs.json")
}

fn opening_path(folder: &Path) -> PathBuf {
    folder.join(COMPARISON)
}

fn winners_path(folder: &Path) -> PathBuf {
    folder.join("winners.json")
}

fn write(path: &Path, value: &impl Serialize) -> Result<(), RunError> {
    Files::of_machine().replace(path, &in_words(value))
}

fn in_words(value: &impl Serialize) -> Vec<u8> {
    let mut text = serde_json::to_vec_pretty(value).expect("this is plain data");
    text.push(b'\n');
    text
}

fn read<T: DeserializeOwned>(files: &Files, path: &Path) -> Result<T, RunError> {
    #[derive(Deserialize)]
    struct Format {
        format: u32,
    }
    let text = files.read_text(path)?;
    let damaged = |error: serde_json::Error| RunError::Damaged {
        path: path.to_owned(),
        line: error.line() as u64,
        message: error.to_string(),
    };
    let found = serde_json::from_str::<Format>(&text)
        .map_err(damaged)?
        .format;
    if found > FORMAT {
        return Err(RunError::NewerFormat {
            path: path.to_owned(),
            line: 1,
            found,
            known: FORMAT,
        });
    }
    serde_json::from_str(&text).map_err(damaged)
}
