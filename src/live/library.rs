//! Which runs there are.

use crate::run::comparison::RecordedComparison;
use crate::run::shared::{Address, Onlooker, SharedError};
use crate::run::{JournalFile, RunError, RunFolder, Source};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The most runs that are listed.
const MOST_RUNS: usize = 5_000;

/// The runs that can be looked at.
pub trait Library: Send + Sync {
    /// The names of all runs, in order.
    ///
    /// # Errors
    /// When nobody can say now; another call may succeed.
    fn names(&self) -> Result<Vec<String>, RunError>;

    /// A run from its beginning; nothing if no run has this name.
    fn open(&self, name: &str) -> Option<Box<dyn Source>>;
}

/// The runs in a folder of runs, those of comparisons among them as `COMPARISON/RUN`; or a single run or
/// comparison.
#[derive(Clone, Debug)]
pub struct RunsFolder {
    folder: PathBuf,
}

impl RunsFolder {
    /// The runs in `folder`, which need not exist yet.
    pub fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
        }
    }

    /// Every run with its folder. A name is only ever looked up here, never made into a path.
    fn folders(&self) -> BTreeMap<String, RunFolder> {
        let mut found = BTreeMap::new();
        if let Ok(run) = RunFolder::open(&self.folder) {
            found.insert(name_of(&self.folder), run);
            return found;
        }
        for (name, path) in visible_folders(&self.folder) {
            if let Ok(run) = RunFolder::open(&path) {
                found.insert(name, run);
            } else if RecordedComparison::is_in(&path) {
                let parts = visible_folders(&path).into_iter();
                found.extend(parts.filter_map(|(part, path)| {
                    Some((format!("{name}/{part}"), RunFolder::open(&path).ok()?))
                }));
            }
            if found.len() >= MOST_RUNS {
                break;
            }
        }
        found
    }
}

impl Library for RunsFolder {
    fn names(&self) -> Result<Vec<String>, RunError> {
        Ok(self.folders().into_keys().collect())
    }

    fn open(&self, name: &str) -> Option<Box<dyn Source>> {
        let folder = self.folders().remove(name)?;
        Some(Box::new(JournalFile::new(&folder)))
    }
}

/// The runs in a database, or the one that its address names.
#[derive(Clone)]
pub struct RunsDatabase(Onlooker);

impl RunsDatabase {
    /// The runs of a database, which is looked at for the first time.
    ///
    /// # Errors
    /// When it can't be reached.
    pub fn open(address: Address) -> Result<Self, SharedError> {
        Onlooker::open(address).map(Self)
    }
}

impl Library for RunsDatabase {
    fn names(&self) -> Result<Vec<String>, RunError> {
        Ok(self.0.names()?)
    }

    fn open(&self, name: &str) -> Option<Box<dyn Source>> {
        Some(Box::new(self.0.journal(name)?))
    }
}

/// The last part of a path, whatever it is relative to.
fn name_of(path: &Path) -> String {
    let absolute = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let name = absolute.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// The folders in a folder whose names can be told, in order.
fn visible_folders(folder: &Path) -> Vec<(String, PathBuf)> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut found: Vec<(String, PathBuf)> = entries
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let name = path.file_name()?.to_str()?.to_owned();
            (!name.starts_with('.') && path.is_dir()).then_some((name, path))
        })
        .collect();
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn run(folder: &Path) {
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join("journal.jsonl"), "").unwrap();
    }

    #[test]
    fn runs_and_those_of_comparisons_are_found_by_name_and_nothing_else_is() {
        let root = tempfile::tempdir().unwrap();
        let runs = root.path().join("runs");
        run(&runs.join("digits-1"));
        run(&runs.join(".starting-7-0"));
        run(&runs.join("digits-compare-1/evolution-1"));
        fs::write(runs.join("digits-compare-1/comparison.json"), "{}").unwrap();
        run(&runs.join("notes/other-1"));
        run(&root.path().join("secret"));
        let library = RunsFolder::new(&runs);
        let names = library.names().unwrap();
        assert_eq!(names, ["digits-1", "digits-compare-1/evolution-1"]);
        for name in [
            "",
            ".",
            "..",
            "../secret",
            "digits-1/../digits-1",
            "/etc",
            "notes/other-1",
        ] {
            assert!(library.open(name).is_none(), "{name}");
        }
        assert!(library.open("digits-1").is_some());
        let single = RunsFolder::new(&runs.join("digits-1"));
        assert_eq!(single.names().unwrap(), ["digits-1"]);
        let comparison = RunsFolder::new(&runs.join("digits-compare-1"));
        assert_eq!(comparison.names().unwrap(), ["evolution-1"]);
        assert!(
            RunsFolder::new(&runs.join("none"))
                .names()
                .unwrap()
                .is_empty()
        );
    }
}
