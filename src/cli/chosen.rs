//! Networks as verbs over several of them name them: `net.json`, a space of one, `SPACE#INDEX`, or `RUN#TRIAL`.

use super::failure::Failure;
use super::input::{self, Networks};
use super::show;
use crate::architecture::Architecture;
use crate::run::RecordedRun;
use crate::search::TrialId;
use crate::space::{Genome, SearchSpace};
use num_bigint::BigUint;
use std::path::Path;

/// The network that an argument names.
///
/// # Errors
/// When there is none, or several.
pub fn network(argument: &str) -> Result<Architecture, Failure> {
    if let Some((folder, trial)) = trial(argument) {
        return Ok(RecordedRun::open(folder)?.candidate(trial)?.architecture);
    }
    if let Some((space, index)) = indexed(argument)? {
        let genome = genome(&space, &index)?;
        return Ok(input::decode(&space, &genome)?.architecture);
    }
    match input::networks(Path::new(argument))? {
        Networks::One(architecture) => Ok(*architecture),
        Networks::Space(space) => {
            let advice = "name one by its index, as in `net.space#17`";
            Ok(input::only(&space, advice)?.architecture)
        }
    }
}

/// The genome with an index.
///
/// # Errors
/// When there is none.
pub fn genome(space: &SearchSpace, index: &BigUint) -> Result<Genome, Failure> {
    let found = space.get(index);
    found.ok_or_else(|| show::no_such_index(space, index))
}

/// The run folder and the trial of `RUN#TRIAL`, if that is what it is.
pub fn trial(argument: &str) -> Option<(&Path, TrialId)> {
    let (folder, trial) = argument.rsplit_once('#')?;
    let folder = Path::new(folder);
    let trial = trial.parse().ok().filter(|_| folder.is_dir())?;
    Some((folder, TrialId(trial)))
}

/// The space and index of `SPACE#INDEX`.
fn indexed(argument: &str) -> Result<Option<(SearchSpace, BigUint)>, Failure> {
    let Some((file, index)) = argument.rsplit_once('#') else {
        return Ok(None);
    };
    let index = index.parse().map_err(|_| {
        Failure::Input(format!(
            "`{index}` in `{argument}` is no index: a whole number from 0 is"
        ))
    })?;
    Ok(Some((input::space(Path::new(file))?, index)))
}
