//! `strata fmt`: the one layout of a space file.

use super::failure::Failure;
use super::input;
use super::terminal::Terminal;
use crate::language;
use std::path::{Path, PathBuf};

/// Arguments of `strata fmt`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Space files, rewritten in place; `-` formats stdin to stdout
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Change nothing; name the files that are not formatted and fail if there are any
    #[arg(long)]
    check: bool,
}

/// Formats each file.
pub fn run(args: &Args, terminal: &mut Terminal) -> Result<(), Failure> {
    let mut unformatted = 0;
    for path in &args.files {
        let file = input::text(path)?;
        let formatted = match language::format(file.text()) {
            Ok(formatted) => formatted,
            Err(diagnostics) => return Err(Failure::Texts(vec![(file, diagnostics)])),
        };
        let changed = formatted != file.text();
        if args.check {
            if changed {
                unformatted += 1;
                terminal.line(file.name())?;
            }
        } else if path == Path::new("-") {
            terminal.data(&formatted)?;
        } else if changed {
            replace(path, &formatted)?;
            terminal.say(&format!("formatted {}", file.name()));
        }
    }
    if unformatted > 0 {
        let files = super::numbers::plural(unformatted, "file");
        return Err(Failure::Input(format!(
            "{files} not formatted; run `strata fmt` on them"
        )));
    }
    Ok(())
}

/// Replaces a file as a whole, so that no moment shows half of it.
fn replace(path: &Path, text: &str) -> Result<(), Failure> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = path.with_file_name(format!(".{name}.{}.tmp", std::process::id()));
    let write = || {
        std::fs::write(&beside, text)?;
        std::fs::set_permissions(&beside, std::fs::metadata(path)?.permissions())?;
        std::fs::rename(&beside, path)
    };
    write().map_err(|error| {
        let _ = std::fs::remove_file(&beside);
        Failure::Other(format!("failed to write {}: {error}", path.display()))
    })
}
