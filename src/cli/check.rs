//! `strata check`: every problem of every file in one go.

use super::failure::Failure;
use super::terminal::Terminal;
use super::{input, numbers};
use crate::diagnostics;
use crate::language::Compiled;
use std::path::PathBuf;

/// Arguments of `strata check`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Space files; `-` reads stdin
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// Checks each file; says so of each that is right, and fails with the problems of all others.
pub fn run(args: &Args, terminal: &mut Terminal) -> Result<(), Failure> {
    let mut failed: Option<Failure> = None;
    for path in &args.files {
        match input::compiled(path) {
            Ok((file, Compiled { space, warnings })) => {
                if !warnings.is_empty() {
                    terminal.say(&diagnostics::render(&file, &warnings, terminal.color));
                }
                let count = numbers::architectures(space.count());
                terminal.line(&format!("ok: {}, {count}", space.name()))?;
            }
            Err(failure) => failed = Some(join(failed, failure)),
        }
    }
    failed.map_or(Ok(()), Err)
}

/// Both failures as one.
fn join(earlier: Option<Failure>, failure: Failure) -> Failure {
    match (earlier, failure) {
        (None, failure) => failure,
        (Some(Failure::Texts(mut texts)), Failure::Texts(more)) => {
            texts.extend(more);
            Failure::Texts(texts)
        }
        // A file that can't be read hides no file with problems, and is told with them.
        (Some(Failure::Texts(texts)), other) | (Some(other), Failure::Texts(texts)) => {
            super::terminal::say(&other.render(false));
            Failure::Texts(texts)
        }
        (Some(a), b) => Failure::Input(format!("{a}\n{b}")),
    }
}
