//! The ledger as a file that several processes add to.

use super::{Intent, Look, Looks, path_in};
use crate::random::Seed;
use crate::run::error::RunError;
use crate::statistics::claims::alpha;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;

/// A look that was written down, if it could be.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::run) struct Written {
    /// The how manieth it is.
    pub look: u32,
    /// Whether an earlier look had one of its search seeds.
    pub repeats: bool,
    /// Why it is not in the ledger, if it isn't.
    pub unwritten: Option<String>,
}

/// Writes a look into the ledger of a folder, unless its plan is known there. When this returns the line is safe, so
/// that the test part may be read.
///
/// # Errors
/// When the ledger is damaged. One that can't be written is none: the answer says why.
pub(in crate::run) fn write_down(
    folder: &Path,
    intent: &Intent,
    mut seeds: Vec<Seed>,
    at: f64,
) -> Result<Written, RunError> {
    seeds.sort_unstable_by_key(|seed| seed.0);
    seeds.dedup();
    let path = path_in(folder);
    let new = !path.exists();
    let counted = |looks: &Looks, unwritten: Option<io::Error>| {
        let look = looks.number(intent);
        Written {
            look,
            repeats: looks.repeats(&intent.data, look, &seeds),
            unwritten: unwritten.map(|error| format!("{}: {error}", path.display())),
        }
    };
    let (mut file, text) = match open(&path) {
        Ok(opened) => opened,
        Err(error) => {
            return Ok(counted(
                &Looks::read(folder).unwrap_or_default(),
                Some(error),
            ));
        }
    };
    let looks = Looks::parse(&path, &text)?;
    let written = counted(&looks, None);
    if looks.known(intent).is_some() {
        return Ok(written);
    }
    let look = Look {
        data: intent.data.clone(),
        plan: intent.plan.clone(),
        look: written.look,
        alpha: alpha(written.look),
        seeds: seeds.clone(),
        at,
        kind: intent.kind,
        experiment: intent.experiment.clone(),
        verdict: None,
        p: None,
    };
    let added = add(&mut file, &text, &look).and_then(|()| match new {
        true => File::open(folder_of(&path))?.sync_all(),
        false => Ok(()),
    });
    Ok(match added {
        Ok(()) => written,
        Err(error) => counted(&looks, Some(error)),
    })
}

/// Writes down what was concluded from a look, unless that is known.
///
/// # Errors
/// When the ledger can't be written, or is damaged.
pub(in crate::run) fn conclude(
    folder: &Path,
    intent: &Intent,
    verdict: &str,
    p: Option<f64>,
) -> Result<(), RunError> {
    let path = path_in(folder);
    let is_open = |looks: &Looks| looks.known(intent).is_some_and(|it| it.verdict.is_none());
    if !is_open(&Looks::read(folder)?) {
        return Ok(());
    }
    let (mut file, text) = open(&path).map_err(RunError::file("write", &path))?;
    let looks = Looks::parse(&path, &text)?;
    let Some(look) = looks.known(intent).filter(|_| is_open(&looks)) else {
        return Ok(());
    };
    let look = Look {
        verdict: Some(verdict.to_owned()),
        p,
        ..look.clone()
    };
    add(&mut file, &text, &look).map_err(RunError::file("write", &path))
}

/// The ledger and its text; nobody else writes it as long as the file is open.
fn open(path: &Path) -> io::Result<(File, String)> {
    let mut options = OpenOptions::new();
    let mut file = options.read(true).append(true).create(true).open(path)?;
    file.lock()?;
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    Ok((file, text))
}

/// Adds a line in place of what was cut short behind the last whole one.
fn add(file: &mut File, text: &str, look: &Look) -> io::Result<()> {
    let whole = whole_lines(text);
    if whole.len() < text.len() {
        file.set_len(whole.len() as u64)?;
    }
    let mut line = serde_json::to_string(look).expect("a look is plain data");
    line.push('\n');
    file.write_all(line.as_bytes())?;
    file.sync_all()
}

/// The lines that have an end.
pub(super) fn whole_lines(text: &str) -> &str {
    &text[..text.rfind('\n').map_or(0, |at| at + 1)]
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}
