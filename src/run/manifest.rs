//! The manifest: what a run was made with, for people. Nothing is read from it.

use super::error::RunError;
use super::files;
use super::folder::RunFolder;
use super::past::Story;
use super::record::{EndReason, Started};
use serde::Serialize;
use std::num::NonZero;

/// The version of burn that training runs on; a test keeps it equal to Cargo.toml's.
pub(super) const BURN: &str = "0.22.1";

/// The version of strata.
pub(super) const STRATA: &str = env!("CARGO_PKG_VERSION");

#[derive(Serialize)]
struct Manifest<'a> {
    experiment_sha256: String,
    space_sha256: &'a str,
    data_sha256: &'a str,
    split_sha256: &'a str,
    seed: u64,
    strata: &'a str,
    git_revision: Option<&'static str>,
    burn: &'a str,
    cpu: &'a str,
    /// The instructions that kernels use and their revision, which decide last bits.
    kernels: &'a str,
    device: &'static str,
    cores: usize,
    threads_a_trial: usize,
    lookahead: u64,
    started_at: f64,
    ended_at: Option<f64>,
    ended: Option<&'static str>,
    digest: Option<String>,
}

/// Writes the manifest that follows from a journal, with how the run ended, if it did.
pub(super) fn write(
    folder: &RunFolder,
    started: &Started,
    story: &Story,
    ended: Option<EndReason>,
) -> Result<(), RunError> {
    let settings = serde_json::to_vec(&started.experiment).expect("settings are plain data");
    let manifest = Manifest {
        experiment_sha256: files::sha256(&settings),
        space_sha256: &started.space_hash,
        data_sha256: &started.data_hash,
        split_sha256: &started.split_hash,
        seed: started.experiment.seed.0,
        strata: &started.strata,
        git_revision: option_env!("STRATA_GIT_REVISION"),
        burn: &started.burn,
        cpu: &started.host.cpu,
        kernels: &started.host.kernels,
        device: started.experiment.trial.device.name(),
        cores: cores(),
        threads_a_trial: started.experiment.trial.threads,
        lookahead: started.experiment.search.lookahead,
        started_at: story.begun(),
        ended_at: ended.map(|_| story.last()),
        ended: ended.map(EndReason::describe),
        digest: ended.map(|_| story.digest()),
    };
    let mut text = serde_json::to_vec_pretty(&manifest).expect("a manifest is plain data");
    text.push(b'\n');
    folder.files().replace(&folder.manifest(), &text)
}

/// What decides last bits: the instructions that kernels use, and their revision.
pub(super) fn kernels() -> String {
    format!(
        "kernels {} ({})",
        crate::kernels::REVISION,
        crate::kernels::path()
    )
}

/// The number of cores this process may use.
pub(super) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

/// The processor's name, where the system tells.
pub(super) fn cpu_model() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = info.lines().find(|line| line.starts_with("model name"));
    let name = line
        .and_then(|line| line.split_once(':'))
        .map(|(_, name)| name.trim().to_owned());
    name.unwrap_or_else(|| "unknown".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_burn_is_that_of_cargo_toml() {
        let manifest = include_str!("../../Cargo.toml");
        assert!(manifest.contains(&format!("burn = {{ version = \"={BURN}\"")));
    }
}
