//! Where the data of a run is, if it is not where it was when the run was started.

use super::data::DataDir;
use super::failure::Failure;
use super::terminal;
use crate::data::DataError;
use crate::run::{Elsewhere, Options, RunError};
use std::path::PathBuf;

/// Arguments of verbs that read a run's data again.
#[derive(Clone, Debug, clap::Args)]
pub struct PlaceArgs {
    /// What the experiment's data files are relative to, if it is not where they were when the run was started
    #[arg(long, value_name = "DIR")]
    base: Option<PathBuf>,
    #[command(flatten)]
    datasets: DataDir,
}

impl PlaceArgs {
    /// The places that were named.
    pub fn place(&self) -> Elsewhere {
        Elsewhere {
            base: self.base.clone(),
            datasets: self.datasets.argument(),
        }
    }

    /// The folder of named datasets, where the run does not know it.
    pub fn datasets(&self) -> PathBuf {
        self.datasets.folder()
    }

    /// Options of a run with these places, for its worker processes too.
    pub fn with<'a>(&self, options: &Options<'a>) -> Options<'a> {
        let mut options = Options {
            place: self.place(),
            ..options.clone()
        };
        let named = [
            ("--base", &options.place.base),
            ("--data-dir", &options.place.datasets),
        ];
        if let Some(program) = &mut options.program {
            for (flag, folder) in named {
                let absolute = |folder: &PathBuf| std::path::absolute(folder);
                if let Some(Ok(folder)) = folder.as_ref().map(absolute) {
                    let folder = folder.to_string_lossy().into_owned();
                    program.arguments.extend([flag.to_owned(), folder]);
                }
            }
        }
        options
    }
}

/// The failure, after a word on what may help where a run's data is not where it was.
pub fn with_hint(failure: Failure) -> Failure {
    let is_gone = match &failure {
        Failure::Run(RunError::Data(DataError::Read { path, .. })) => !path.exists(),
        Failure::Run(RunError::Data(DataError::Setting { key, .. })) => *key == "name",
        _ => false,
    };
    if is_gone {
        terminal::say(
            "the data was there when the run was started; if it has moved, name the folder of the experiment \
             with `--base DIR`, or that of named datasets with `--data-dir DIR`",
        );
    }
    failure
}
