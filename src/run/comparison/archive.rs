//! A comparison packed into one file, so that others can look at its runs and test its networks again.
//!
//! It holds the plan, the winners, and of each run the texts, the journal, and the weights of winners and hand-designed
//! networks. The folders and files of the machine that it was made on are left out; digests don't depend on them.

use super::RecordedComparison;
use crate::data::{DataError, MAX_FILE_BYTES, open_file, tar};
use crate::run::files::{Files, last_part};
use crate::run::journal::{self, Entry, line_of};
use crate::run::record::Record;
use crate::run::retrained::{RetrainedNetwork, kept};
use crate::run::{RecordedRun, RunError, Subject};
use flate2::{Compression, GzBuilder};
use std::io::{Read, Write};
use std::path::{Component, Path};

/// The most bytes of weights with every retraining, and with the first of each network alone.
const MOST_WEIGHTS: (u64, u64) = (2 << 20, 16 << 20);

/// A packed comparison.
#[derive(Clone, Debug)]
pub struct Packed {
    /// The archive: tar, packed with gzip. The same comparison gives the same bytes.
    pub bytes: Vec<u8>,
    /// How many trained networks it has.
    pub networks: usize,
    /// How many winners and hand-designed networks were trained and tested.
    pub tested: usize,
}

impl RecordedComparison {
    /// Packs it for others.
    ///
    /// # Errors
    /// When its files can't be read.
    pub fn pack(&self) -> Result<Packed, RunError> {
        let mut files = vec![("comparison.json".to_owned(), self.opening_for_others())];
        let winners = self.winners_for_others();
        files.extend(winners.map(|text| ("winners.json".to_owned(), text)));
        files.push((
            "experiment.toml".to_owned(),
            self.experiment_text()?.into_bytes(),
        ));
        let (mut networks, mut tested, mut is_known) = (0, 0, false);
        let shown = self.shown()?;
        for ((part, run), shown) in self.runs().iter().zip(shown) {
            let folder = self.plan().folder(*part);
            let mut add = |path: &str, bytes| files.push((format!("{folder}/{path}"), bytes));
            add(journal::FILE_NAME, journal_for_others(run)?);
            for (path, bytes) in texts(run)? {
                add(&path, bytes);
            }
            // Every run divides the data alike.
            let preprocessing = kept_preprocessing(run).filter(|_| !is_known);
            is_known |= preprocessing.is_some();
            if let Some(bytes) = preprocessing {
                add("best/preprocessing.json", bytes);
            }
            tested += shown.len();
            for (network, _) in shown.iter().filter(|(_, is_kept)| *is_kept) {
                if let Some((path, bytes)) = weights(run, network)? {
                    add(&path, bytes);
                    networks += 1;
                }
            }
        }
        let archive = files
            .iter()
            .map(|(path, bytes)| (path.as_str(), bytes.as_slice()));
        Ok(Packed {
            bytes: zipped(&tar::archive(archive)?),
            networks,
            tested,
        })
    }

    /// The tested winners and hand-designed networks of each run, and whether their weights fit in.
    fn shown(&self) -> Result<Vec<Vec<(RetrainedNetwork, bool)>>, RunError> {
        let mut all = Vec::new();
        for (_, run) in self.runs() {
            let mut networks = run.retrained()?;
            networks.retain(|network| !matches!(network.subject, Subject::Random(_)));
            all.push(networks);
        }
        let work = all.iter().flatten().map(|network| {
            let params = network.candidate.architecture.metrics().params;
            (&network.subject, network.index, params)
        });
        let mut fits = kept(work, MOST_WEIGHTS).into_iter();
        let mut with = |network: RetrainedNetwork| (network, fits.next().unwrap_or(false));
        let all = all.into_iter();
        Ok(all
            .map(|networks| networks.into_iter().map(&mut with).collect())
            .collect())
    }

    /// Reads a comparison that was packed.
    ///
    /// # Errors
    /// When it is no such archive, or what is in it is no comparison.
    pub fn open_packed(path: &Path) -> Result<Self, RunError> {
        let name = path.display().to_string();
        let mut files = Vec::new();
        let mut left = MAX_FILE_BYTES;
        tar::each_file(&mut open_file(path)?, &name, |member, content| {
            let is_plain = |part: Component<'_>| matches!(part, Component::Normal(_));
            if !Path::new(member).components().all(is_plain) {
                let problem = format!("`{member}` leads out of it");
                return Err(DataError::format(&name, problem));
            }
            let mut bytes = Vec::new();
            let read = content.take(left + 1).read_to_end(&mut bytes);
            read.map_err(|source| DataError::Read {
                path: path.to_owned(),
                source,
            })?;
            let problem = || DataError::format(&name, "it is too large for an archive of runs");
            left = left.checked_sub(bytes.len() as u64).ok_or_else(problem)?;
            files.push((member.to_owned(), bytes));
            Ok(())
        })?;
        if !files.iter().any(|(path, _)| path == "comparison.json") {
            let problem = "it holds no comparison; `strata compare EXPERIMENT --bless` packs one";
            return Err(DataError::format(&name, problem).into());
        }
        Self::open_on(Files::held(path, files), path)
    }
}

/// A run's journal without the machine's folders.
fn journal_for_others(run: &RecordedRun) -> Result<Vec<u8>, RunError> {
    let mut text = String::new();
    for entry in run.entries()? {
        text.push_str(&line_of(&for_others(entry)));
    }
    Ok(text.into_bytes())
}

fn for_others(mut entry: Entry) -> Entry {
    if let Record::Started(started) = &mut entry.record {
        let host = &mut started.host;
        host.base = String::new();
        host.datasets = None;
        if let Some(origin) = &mut host.experiment {
            origin.path = last_part(&origin.path);
        }
    }
    entry
}

/// The texts that a run keeps.
fn texts(run: &RecordedRun) -> Result<Vec<(String, Vec<u8>)>, RunError> {
    let mut files = run.kept_texts()?;
    let experiment = run.experiment_text()?.into_bytes();
    files.push(("experiment.toml".to_owned(), experiment));
    Ok(files)
}

fn kept_preprocessing(run: &RecordedRun) -> Option<Vec<u8>> {
    let folder = run.folder();
    let path = folder.best().join("preprocessing.json");
    run.is_trained_once_more()
        .then(|| folder.files().disk().read(&path).ok())
        .flatten()
}

/// The weights of a network by their path in the run folder.
fn weights(
    run: &RecordedRun,
    network: &RetrainedNetwork,
) -> Result<Option<(String, Vec<u8>)>, RunError> {
    let Some(path) = &network.weights else {
        return Ok(None);
    };
    let read = run.folder().files().disk().read(path);
    let bytes = read.map_err(RunError::file("read", path))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    Ok(Some((format!("retrained/{name}"), bytes)))
}

fn zipped(bytes: &[u8]) -> Vec<u8> {
    let header = GzBuilder::new().mtime(0).operating_system(255);
    let mut packed = header.write(Vec::new(), Compression::best());
    let written = packed.write_all(bytes).and_then(|()| packed.finish());
    written.expect("memory takes everything")
}
