//! Looks at test examples, and the ledger that counts them.
//!
//! Whoever tests often enough by the same examples finds something, so each opening of a test part is written down
//! before it is read: in [`FILE_NAME`] beside the experiment, a line each, across all experiments of the folder. What
//! is counted by is the examples themselves, however they are divided, and the plan: the same plan again (resumed,
//! checked, on another machine) is the same look. The first look has the level .04, the k-th .01 * 6 / (pi (k-1))^2,
//! so that all of them together have .05.

mod file;
mod plan;

pub(super) use file::{Written, conclude, write_down};
pub(super) use plan::{TextHashes, of_comparison, of_search};

use super::error::RunError;
use super::evaluators::Given;
use super::experiment::ExperimentFile;
use super::files;
use super::lifecycle::started_with;
use super::record::Started;
use super::setup::Texts;
use crate::random::Seed;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::{Path, PathBuf};

/// The ledger's name in a folder of experiments.
pub const FILE_NAME: &str = "test_looks.jsonl";

/// A look at test examples.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Look {
    /// SHA-256 of the examples that the test part is taken from, in hexadecimal.
    pub data: String,
    /// SHA-256 of what was planned, without names, folders and workers.
    pub plan: String,
    /// The how manieth look at these examples it is, from 1.
    pub look: u32,
    /// The level that its claims have to reach.
    pub alpha: f64,
    /// The root seeds of its searches, ascending.
    pub seeds: Vec<Seed>,
    /// When the test part was opened, in seconds since 1970.
    pub at: f64,
    /// Who looked.
    pub kind: Kind,
    /// The experiment's name, for people.
    pub experiment: String,
    /// What was concluded, once a comparison has been analysed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<String>,
    /// The p-value of the conclusion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p: Option<f64>,
}

/// Who looks at test examples.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The final evaluation of one search.
    Search,
    /// A comparison with all of its arms.
    Comparison,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Search => "search",
            Self::Comparison => "comparison",
        })
    }
}

/// A look that is about to be taken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Intent {
    /// SHA-256 of the examples that the test part is taken from.
    pub data: String,
    /// SHA-256 of what is planned.
    pub plan: String,
    /// Who looks.
    pub kind: Kind,
    /// The experiment's name.
    pub experiment: String,
}

/// The looks that a folder's ledger knows, in the order in which they were taken.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Looks(Vec<Look>);

impl Looks {
    /// Reads the ledger of a folder; none is one without a line.
    ///
    /// # Errors
    /// When it can't be read, or a line of it is damaged.
    pub fn read(folder: &Path) -> Result<Self, RunError> {
        let path = path_in(folder);
        if !path.exists() {
            return Ok(Self::default());
        }
        Self::parse(&path, &files::read_text(&path)?)
    }

    /// The looks that lines tell of. A later line about the same look says what was concluded. What stands behind the
    /// last end of a line was cut short before anything was read, and is no look.
    fn parse(path: &Path, text: &str) -> Result<Self, RunError> {
        let mut looks = Self::default();
        for (at, line) in file::whole_lines(text).lines().enumerate() {
            if line.trim().is_empty() {
                continue;
            }
            let damaged = |error: serde_json::Error| RunError::DamagedLedger {
                path: path.to_owned(),
                line: at as u64 + 1,
                message: error.to_string(),
            };
            looks.add(serde_json::from_str(line).map_err(damaged)?);
        }
        Ok(looks)
    }

    fn add(&mut self, look: Look) {
        let known = |known: &&mut Look| known.data == look.data && known.plan == look.plan;
        match self.0.iter_mut().find(known) {
            None => self.0.push(look),
            Some(known) => (known.verdict, known.p) = (look.verdict, look.p),
        }
    }

    /// All of them.
    pub fn all(&self) -> &[Look] {
        &self.0
    }

    /// The look that a plan took before, if it did.
    pub fn known(&self, intent: &Intent) -> Option<&Look> {
        let same = |look: &&Look| look.data == intent.data && look.plan == intent.plan;
        self.0.iter().find(same)
    }

    /// The number that a plan's look has, or would have now.
    pub fn number(&self, intent: &Intent) -> u32 {
        let before = self.at(&intent.data).map(|look| look.look).max();
        let next = before.map_or(1, |last| last.saturating_add(1));
        self.known(intent).map_or(next, |look| look.look)
    }

    /// Whether a search of an earlier look at the same examples than number `look` began with one of these seeds.
    pub fn repeats(&self, data: &str, look: u32, seeds: &[Seed]) -> bool {
        let mut earlier = self.at(data).filter(|other| other.look < look);
        earlier.any(|other| other.seeds.iter().any(|seed| seeds.contains(seed)))
    }

    /// The looks at some examples.
    fn at<'a>(&'a self, data: &'a str) -> impl Iterator<Item = &'a Look> {
        self.0.iter().filter(move |look| look.data == data)
    }
}

/// How a run comes to its look.
#[derive(Clone, Debug)]
pub(super) enum Counting {
    /// It is part of one that is written down.
    Taken(u32),
    /// By the ledger of a folder.
    In(PathBuf),
    /// Nothing is counted: there is no file beside which a ledger would be.
    Nowhere,
}

impl Counting {
    /// How a run counts that was started from a file, whose folder may be elsewhere on this machine.
    pub fn of(started: &Started, elsewhere: Option<&Path>) -> Self {
        let folder = elsewhere.unwrap_or(Path::new(&started.host.base));
        match started.host.experiment {
            Some(_) => Self::In(folder.to_owned()),
            None => Self::Nowhere,
        }
    }

    /// Writes the look of a search's final evaluation down, before any test example is read.
    ///
    /// # Errors
    /// When the ledger is damaged.
    pub fn take(
        &self,
        started: &Started,
        data: Option<&str>,
        at: f64,
    ) -> Result<Written, RunError> {
        let written = |look| Written {
            look,
            repeats: false,
            unwritten: None,
        };
        match (self, data) {
            (Self::Taken(look), _) => Ok(written(*look)),
            (Self::In(folder), Some(data)) => {
                let seeds = vec![started.experiment.seed];
                write_down(folder, &Intent::of_search(started, data), seeds, at)
            }
            _ => Ok(written(1)),
        }
    }
}

impl Intent {
    /// The look of a search's final evaluation.
    fn of_search(started: &Started, data: &str) -> Self {
        let hashes = TextHashes {
            space: &started.space_hash,
            baselines: &started.baseline_hashes,
        };
        Self {
            data: data.to_owned(),
            plan: of_search(&started.experiment, hashes),
            kind: Kind::Search,
            experiment: started.experiment.name.clone(),
        }
    }
}

/// The look that the final evaluation of a search by an experiment would be now, with the hashes that it is known by;
/// nothing where none is counted.
///
/// # Errors
/// When the experiment can't be run, or the ledger is damaged.
pub fn look_of(file: &ExperimentFile) -> Result<Option<(Intent, u32)>, RunError> {
    let experiment = &file.experiment;
    let evaluators = experiment.evaluator.load(Given {
        experiment,
        data: &experiment.data,
        base: &file.base,
    })?;
    let tests = experiment.last.retrain_seeds > 0 && evaluators.can_test();
    let (Some(folder), Some(data), true) = (file.folder(), evaluators.test_hash(), tests) else {
        return Ok(None);
    };
    let started = started_with(file, &Texts::given(file)?, evaluators.as_ref());
    let intent = Intent::of_search(&started, data);
    let look = Looks::read(&folder)?.number(&intent);
    Ok(Some((intent, look)))
}

/// Where the ledger of a folder is.
pub fn path_in(folder: &Path) -> PathBuf {
    folder.join(FILE_NAME)
}

#[cfg(test)]
mod tests;
