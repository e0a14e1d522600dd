//! The trained networks of the final evaluation, kept so that anyone can test them on other examples.

use super::error::RunError;
use super::folder::RunFolder;
use super::record::{RetrainedResult, Subject};
use super::summary::RecordedRun;
use crate::space::Candidate;
use std::path::PathBuf;

/// The most bytes of weights that a run keeps of its final evaluation.
const MOST_KEPT: u64 = 64 << 20;

/// A network of the final evaluation after one retraining.
#[derive(Debug)]
pub struct RetrainedNetwork {
    /// Which network.
    pub subject: Subject,
    /// The number of the retraining, from 0.
    pub index: u32,
    /// The network.
    pub candidate: Candidate,
    /// What the final evaluation found.
    pub result: RetrainedResult,
    /// The file of its weights, if it is kept.
    pub weights: Option<PathBuf>,
}

/// Which retrainings are kept: all of them if their weights take no more than so many bytes together, else the first of
/// each network if those take no more than so many, else none. `work` has each network with its number of weights; of a
/// random network every retraining is the first.
pub(super) fn kept<'a>(
    work: impl IntoIterator<Item = (&'a Subject, u32, u64)>,
    (all, firsts): (u64, u64),
) -> Vec<bool> {
    let work: Vec<(&Subject, u32, u64)> = work.into_iter().collect();
    let is_first =
        |subject: &Subject, index: u32| index == 0 || matches!(subject, Subject::Random(_));
    let bytes = |only_firsts: bool| -> u64 {
        let counted = work
            .iter()
            .filter(|(subject, index, _)| !only_firsts || is_first(subject, *index));
        let bytes = counted.map(|(_, _, params)| params.saturating_mul(4));
        bytes.fold(0, u64::saturating_add)
    };
    let (all, firsts) = (bytes(false) <= all, bytes(true) <= firsts);
    let keeps =
        |&(subject, index, _): &(&Subject, u32, u64)| all || (firsts && is_first(subject, index));
    work.iter().map(keeps).collect()
}

/// As [`kept`], for the networks of a run.
pub(super) fn kept_by_a_run<'a>(
    work: impl IntoIterator<Item = (&'a Subject, u32, u64)>,
) -> Vec<bool> {
    kept(work, (MOST_KEPT, MOST_KEPT))
}

/// Writes the weights of a network.
pub(super) fn write(
    folder: &RunFolder,
    subject: &Subject,
    index: u32,
    weights: &[u8],
) -> Result<(), RunError> {
    let files = folder.files();
    files.create_folder(&folder.retrained())?;
    files.replace(&place(folder, subject, index), weights)
}

fn place(folder: &RunFolder, subject: &Subject, index: u32) -> PathBuf {
    let name = match subject {
        Subject::Winner => format!("winner-{}", index + 1),
        Subject::Within(number) => format!("within-{number}-{}", index + 1),
        // A random network's number is that of its only retraining.
        Subject::Random(_) => format!("random-{}", index + 1),
        Subject::Baseline(name) => format!("baseline-{name}-{}", index + 1),
        Subject::Model(kind) => format!("model-{}", kind.name()),
    };
    folder.retrained().join(format!("{name}.safetensors"))
}

impl RecordedRun {
    /// The retrainings of the final evaluation, by network.
    ///
    /// # Errors
    /// When the folder's spaces have changed.
    pub fn retrained(&self) -> Result<Vec<RetrainedNetwork>, RunError> {
        let folder = self.folder();
        let disk = folder.files().disk();
        let mut all = Vec::new();
        for (subject, candidate) in self.finalists()? {
            for ((owner, index), record) in &self.state().retrained {
                if *owner != subject {
                    continue;
                }
                let weights = place(folder, &subject, *index);
                all.push(RetrainedNetwork {
                    subject: subject.clone(),
                    index: *index,
                    candidate: candidate.clone(),
                    result: record.result.clone(),
                    weights: disk.exists(&weights).then_some(weights),
                });
            }
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_much_is_kept_as_fits() {
        let subjects = [
            Subject::Winner,
            Subject::Baseline("mlp".to_owned()),
            Subject::Random(0),
            Subject::Random(1),
        ];
        let [winner, baseline, first, second] = &subjects;
        let work = [
            (winner, 0, 10),
            (winner, 1, 10),
            (baseline, 0, 20),
            (baseline, 1, 20),
            (first, 0, 5),
            (second, 1, 5),
        ];
        assert_eq!(kept(work, (4 * 70, 0)), [true; 6]);
        assert_eq!(
            kept(work, (4 * 69, 4 * 40)),
            [true, false, true, false, true, true]
        );
        assert_eq!(kept(work, (4 * 69, 4 * 39)), [false; 6]);
    }
}
